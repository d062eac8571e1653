/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * path_sweep.h - a sweep over the rig's flow table, and what it has done.
 */
#ifndef PATH_SWEEP_H
#define PATH_SWEEP_H

#include "path.h"

struct path_sweep {
	const struct rig *rig;
	uint32_t half_open_age; /* jiffies after which what is not established goes */
	uint16_t kill_first, kill_n; /* client ports whose flows may be killed */
	uint64_t rng; /* not 0 */
	uint64_t swept[RIG_ENDPOINTS]; /* established flows that it ended, by endpoint */
	uint64_t expired, killed;
};

/* Expires what is old; with `kill` also ends one in eight entries of flows that may be killed. */
void path_sweep(struct path_sweep *s, uint8_t af, bool kill);
/* A number below n (xorshift; Marsaglia, 2003); *rng is the state, not 0. */
uint32_t path_rnd(uint64_t *rng, uint32_t n);

#endif
