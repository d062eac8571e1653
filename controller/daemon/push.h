/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * push.h - the only writer of maps: plans become stores, stores become plans.
 */
#ifndef DAEMON_PUSH_H
#define DAEMON_PUSH_H

#include "daemon/daemon.h"

/*
 * Executes what differs between d->have and `want`, and takes `want` over: it becomes d->have. 0 or
 * -errno.
 */
int push_plan(struct daemon *d, struct plan *want);
/* First set-up: seed, hz, knobs; later: the knobs that may change. 0 or -errno. */
int push_control(struct daemon *d);
/* What the maps hold now. 0 or -ENOMEM. */
int push_read(struct daemon *d, struct plan *have);
/* Adds to what the sweep has closed of an endpoint's flows, and to the sum of its corrections. */
void push_swept(struct daemon *d, uint32_t endpoint, uint64_t closed, uint64_t drift);
/*
 * What was counted under an id goes back to 0: only for one that nothing names yet, or packets of
 * the moment would be lost. 0 or -errno.
 */
int push_zero_endpoint(struct daemon *d, uint32_t endpoint);
int push_zero_service(struct daemon *d, uint32_t service);

#endif
