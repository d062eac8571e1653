/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * weight.c - decides the effective weight of an endpoint: base times factors, in fixed point, so
 * that it is the same on every machine and in every run.
 *
 * A factor has 16 bits below the point and at most 7 above, a base has 10, so no product leaves 64
 * bits. After each multiplication the result is brought back to 16 bits below the point, which is
 * exact while factors are 1.0.
 */
#include "core/weight.h"

struct weight weight_make(uint32_t base)
{
	return (struct weight){ .base = base,
#define X(id, member) .member = WEIGHT_ONE,
				WEIGHT_FACTORS(X)
#undef X
	};
}

static uint32_t *factor(struct weight *w, enum weight_factor f)
{
	switch (f) {
#define X(id, member) \
	case WEIGHT_##id: \
		return &w->member;
		WEIGHT_FACTORS(X)
#undef X
	}
	return &w->adapt;
}

uint32_t weight_set_factor(struct weight *w, enum weight_factor f, uint32_t value)
{
	uint32_t *at = factor(w, f), was = *at;

	*at = value < WEIGHT_FACTOR_MAX ? value : WEIGHT_FACTOR_MAX;
	return was;
}

static uint64_t scale(uint64_t product, uint32_t by)
{
	return (product * by + WEIGHT_ONE / 2) / WEIGHT_ONE;
}

uint32_t weight_effective(const struct weight *w)
{
	uint64_t product = (uint64_t)w->base * WEIGHT_ONE;

	if (!w->base || !w->adapt || !w->warm || !w->group)
		return 0;
	product = scale(scale(scale(product, w->adapt), w->warm), w->group);
	product = (product * WEIGHT_UNIT + WEIGHT_ONE / 2) / WEIGHT_ONE;
	if (product > UINT32_MAX)
		return UINT32_MAX;
	return product ? (uint32_t)product : 1;
}

uint32_t weight_shown(const struct weight *w)
{
	uint32_t effective = weight_effective(w);
	uint32_t steps = (uint32_t)(((uint64_t)effective + WEIGHT_UNIT / 2) / WEIGHT_UNIT);

	return effective && !steps ? 1 : steps;
}
