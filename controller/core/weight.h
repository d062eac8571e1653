/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * weight.h - how much of its service's new connections an endpoint gets: a base that somebody set,
 * and factors that change by themselves.
 */
#ifndef CORE_WEIGHT_H
#define CORE_WEIGHT_H

#include <stdint.h>

#define WEIGHT_ONE 65536u /* a factor of 1.0 */
#define WEIGHT_FACTOR_MAX (64u * WEIGHT_ONE)
/* Of one step of a base weight: what a factor can change it by. */
#define WEIGHT_UNIT 256u

/* Row: id, member. Who sets it: latency; slow start; the share of its group or tier. */
#define WEIGHT_FACTORS(X) X(ADAPT, adapt) X(WARM, warm) X(GROUP, group)

enum weight_factor {
#define X(id, member) WEIGHT_##id,
	WEIGHT_FACTORS(X)
#undef X
};

struct weight {
	uint32_t base; /* 1 .. 1000, configured or the operator's; 0 = not told yet */
#define X(id, member) uint32_t member; /* in 1/WEIGHT_ONE, at most WEIGHT_FACTOR_MAX */
	WEIGHT_FACTORS(X)
#undef X
};

/* All factors 1.0. */
struct weight weight_make(uint32_t base);
/* Sets a factor, cut off at WEIGHT_FACTOR_MAX. Returns the one it had. */
uint32_t weight_set_factor(struct weight *w, enum weight_factor f, uint32_t value);
/*
 * base * adapt * warm * group in 1/WEIGHT_UNIT, rounded; the only weight that rotations and other
 * tables are built from. With all factors 1.0 it is base * WEIGHT_UNIT: ratios, which are all that
 * a rotation knows, are those of the bases. 0 only when the base or a factor is 0: however small
 * its factors, an endpoint that may be used is not starved.
 */
uint32_t weight_effective(const struct weight *w);
/* The same in steps of a base weight, for people: rounded, at least 1 unless it is 0. */
uint32_t weight_shown(const struct weight *w);

#endif
