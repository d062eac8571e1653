/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rotation.c - decides how many slots each endpoint gets and in which order they stand.
 *
 * Quotas: integer weights are reduced by their gcd. If the sum fits, it is the length and shares
 * are exact; equal weights then give pure cyclic round robin. Otherwise ROTATION_MAX slots are
 * apportioned by largest remainder. Endpoints whose ideal share is below one slot get one first
 * and leave the pool with it; the rest share what remains, so the floor never makes the sum
 * overflow.
 *
 * Order: slot k of an endpoint with quota q has the ideal position (k + 1/2) / q (midpoint
 * earliest deadline first). Positions are compared as integers: (2k+1) * q_j < (2l+1) * q_i. A
 * binary heap of one entry per endpoint yields them in order: O(L log n), no floats.
 */
#include "core/rotation.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct heap {
	uint16_t at[ROTATION_MAX]; /* endpoint index */
	uint32_t step[ROTATION_MAX]; /* by endpoint index: 2k+1 of its next slot */
	const uint32_t *quota;
	size_t n;
};

static uint32_t gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t t = a % b;

		a = b;
		b = t;
	}
	return a;
}

/*
 * Endpoints whose ideal share of `slots` is below one slot get quota 1 and leave the pool. True =
 * some did.
 */
static bool quota_floor(const uint32_t *weight, size_t n, uint32_t *quota, uint64_t *sum,
			uint32_t *slots)
{
	uint64_t sum_now = *sum;
	uint32_t slots_now = *slots;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!weight[i] || quota[i] || (uint64_t)weight[i] * slots_now >= sum_now)
			continue;
		quota[i] = 1;
		*sum -= weight[i];
		*slots -= 1;
		any = true;
	}
	return any;
}

struct remainder {
	uint64_t rem;
	uint32_t i;
};

/* Largest first; ties to the lower index. */
static int remainder_cmp(const void *a, const void *b)
{
	const struct remainder *x = a, *y = b;

	if (x->rem != y->rem)
		return x->rem > y->rem ? -1 : 1;
	return (x->i > y->i) - (x->i < y->i);
}

static void quota_apportion(const uint32_t *weight, size_t n, uint64_t sum, uint32_t *quota)
{
	struct remainder pool[ROTATION_MAX];
	uint32_t slots = ROTATION_MAX, left, pooled = 0;

	while (quota_floor(weight, n, quota, &sum, &slots))
		;
	left = slots;
	for (uint32_t i = 0; i < n; i++) {
		if (!weight[i] || quota[i])
			continue;
		quota[i] = (uint32_t)((uint64_t)weight[i] * slots / sum);
		pool[pooled++] = (struct remainder){ (uint64_t)weight[i] * slots % sum, i };
		left -= quota[i];
	}
	qsort(pool, pooled, sizeof(pool[0]), remainder_cmp);
	for (uint32_t k = 0; k < left && k < pooled; k++)
		quota[pool[k].i]++;
}

size_t rotation_quota(const uint32_t *weight, size_t n, uint32_t *quota)
{
	uint64_t sum = 0;
	uint32_t g = 0;
	size_t used = 0;

	memset(quota, 0, n * sizeof(*quota));
	for (size_t i = 0; i < n; i++) {
		g = gcd(weight[i], g);
		sum += weight[i];
		used += weight[i] != 0;
	}
	if (!used || used > ROTATION_MAX || n > ROTATION_MAX)
		return 0;
	if (sum / g > ROTATION_MAX) {
		quota_apportion(weight, n, sum, quota);
		return ROTATION_MAX;
	}
	for (size_t i = 0; i < n; i++)
		quota[i] = weight[i] / g;
	return (size_t)(sum / g);
}

static bool heap_before(const struct heap *h, uint16_t i, uint16_t j)
{
	uint64_t a = (uint64_t)h->step[i] * h->quota[j], b = (uint64_t)h->step[j] * h->quota[i];

	return a < b || (a == b && i < j);
}

static void heap_sink(struct heap *h, size_t p)
{
	for (;;) {
		size_t c = 2 * p + 1;
		uint16_t t;

		if (c >= h->n)
			return;
		if (c + 1 < h->n && heap_before(h, h->at[c + 1], h->at[c]))
			c++;
		if (heap_before(h, h->at[p], h->at[c]))
			return;
		t = h->at[p];
		h->at[p] = h->at[c];
		h->at[c] = t;
		p = c;
	}
}

static void heap_init(struct heap *h, const uint32_t *quota, size_t n)
{
	h->quota = quota;
	h->n = 0;
	for (size_t i = 0; i < n; i++) {
		if (!quota[i])
			continue;
		h->at[h->n++] = (uint16_t)i;
		h->step[i] = 1;
	}
	for (size_t p = h->n / 2; p-- > 0;)
		heap_sink(h, p);
}

size_t rotation_build(const uint32_t *weight, size_t n, uint16_t *slot)
{
	uint32_t quota[ROTATION_MAX];
	struct heap h;
	size_t slots = n <= ROTATION_MAX ? rotation_quota(weight, n, quota) : 0;

	if (!slots)
		return 0;
	heap_init(&h, quota, n);
	for (size_t k = 0; k < slots; k++) {
		uint16_t i = h.at[0];

		slot[k] = i;
		h.step[i] += 2;
		/*
		 * past its last slot: position beyond 1, so it sinks below all that still have
		 * slots
		 */
		heap_sink(&h, 0);
	}
	return slots;
}
