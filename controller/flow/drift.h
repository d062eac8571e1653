/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * drift.h - do the counters say what the flow table holds? Numbers in, a correction out.
 */
#ifndef FLOW_DRIFT_H
#define FLOW_DRIFT_H

#include <stdint.h>

/* One endpoint's memory from walk to walk. */
struct drift {
	uint64_t traffic;
	int64_t diff;
};

/*
 * After each walk: `counted` = established - closed so far, corrections included; `found` =
 * established flows in the table; `traffic` = anything that changes when a connection opens or
 * closes. A difference counts as drift only when two walks in a row found the same and nothing
 * opened or closed in between: otherwise it may be a connection that opened behind the walk.
 * Returns what `counted` has too many (negative: too few), or 0.
 */
int64_t drift_observe(struct drift *d, int64_t counted, uint32_t found, uint64_t traffic);
/*
 * Books a correction into counters that never go back: `*closed` grows, or `*lag`, which is taken
 * off `closed`.
 */
void drift_book(int64_t diff, uint64_t *closed, uint64_t *lag);

#endif
