/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * config.h - every load-time knob. The loader writes them into .rodata before the verifier runs, so
 * that they are constants in the loaded program. The defaults fit the map sizes that maps.h
 * declares: an object loaded by `ip link` without a controller uses them as they are.
 */
#ifndef RR_BPF_CONFIG_H
#define RR_BPF_CONFIG_H

#include "base.h"
#include "rr_flow.h"
#include "rr_table.h"

/* sets of flows4 and flows6; powers of two, equal to the maps' max_entries */
const volatile __u32 rr_flow4_sets = RR_FLOW4_SETS_DEFAULT;
const volatile __u32 rr_flow6_sets = RR_FLOW6_SETS_DEFAULT;
/* local ports of nat mode, host order, inclusive; below the host's own ephemeral range */
const volatile __u16 rr_port_lo = RR_PORT_LO_DEFAULT;
const volatile __u16 rr_port_hi = RR_PORT_HI_DEFAULT;

#endif
