/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dsr.h - mode dsr (layer 2 direct server return): the frame is only given to the endpoint's MAC,
 * and the IP packet stays as it is. The endpoint holds the service address and answers the client
 * itself.
 */
#ifndef RR_BPF_FORWARD_DSR_H
#define RR_BPF_FORWARD_DSR_H

#include "base.h"
#include "rr_verdict.h"

static __always_inline enum rr_verdict dsr_client(void)
{
	return RR_V_GO;
}

#endif
