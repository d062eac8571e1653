/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_weight.c - effective weights: with all factors 1.0 nothing is different from bases alone,
 * with others they are what the formula says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/rotation.h"
#include "core/weight.h"
#include "lib/fixture.h"

#define HALF (WEIGHT_ONE / 2)

static void test_factors_of_one(void **state)
{
	(void)state;
	for (uint32_t base = 0; base <= 1000; base++) {
		struct weight w = weight_make(base);

		assert_int_equal(weight_effective(&w), base * WEIGHT_UNIT);
		assert_int_equal(weight_shown(&w), base);
	}
}

/* The rotation of effective weights is, slot for slot, that of the bases. */
static void test_same_rotation(void **state)
{
	static uint16_t a[ROTATION_MAX], b[ROTATION_MAX];
	struct fx_rng r = { 5 };
	uint32_t base[300], effective[300];

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t n = 1 + fx_rand(&r, 300), slots;

		for (size_t i = 0; i < n; i++) {
			struct weight w = weight_make(1 + fx_rand(&r, 1000));

			base[i] = w.base;
			effective[i] = weight_effective(&w);
		}
		slots = rotation_build(base, n, a);
		assert_int_equal(rotation_build(effective, n, b), slots);
		assert_memory_equal(a, b, slots * sizeof(a[0]));
	}
}

static void test_product(void **state)
{
	static const struct {
		uint32_t base, adapt, warm, group, effective, shown;
	} rows[] = {
		{ 100, WEIGHT_ONE / 4, WEIGHT_ONE, WEIGHT_ONE, 25 * WEIGHT_UNIT, 25 },
		{ 100, 2 * WEIGHT_ONE, HALF, WEIGHT_ONE, 100 * WEIGHT_UNIT, 100 },
		{ 100, HALF, HALF, HALF, 12 * WEIGHT_UNIT + WEIGHT_UNIT / 2, 13 },
		{ 1, HALF, HALF, WEIGHT_ONE, WEIGHT_UNIT / 4, 1 },
		{ 1, 1, 1, 1, 1, 1 }, /* as small as can be is not nothing */
		{ 100, 0, WEIGHT_ONE, WEIGHT_ONE, 0, 0 },
		{ 100, WEIGHT_ONE, 0, WEIGHT_ONE, 0, 0 },
		{ 100, WEIGHT_ONE, WEIGHT_ONE, 0, 0, 0 },
		{ 0, WEIGHT_ONE, WEIGHT_ONE, WEIGHT_ONE, 0, 0 },
		{ 1000, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, 1 << 24 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct weight w = weight_make(rows[i].base);

		assert_int_equal(weight_set_factor(&w, WEIGHT_ADAPT, rows[i].adapt), WEIGHT_ONE);
		assert_int_equal(weight_set_factor(&w, WEIGHT_WARM, rows[i].warm), WEIGHT_ONE);
		assert_int_equal(weight_set_factor(&w, WEIGHT_GROUP, rows[i].group), WEIGHT_ONE);
		assert_int_equal(weight_effective(&w), rows[i].effective);
		assert_int_equal(weight_shown(&w), rows[i].shown);
	}
}

/* Larger factor, no smaller weight; within one unit of the exact product. */
static void test_monotonous(void **state)
{
	struct fx_rng r = { 9 };

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct weight w = weight_make(1 + fx_rand(&r, 1000));
		uint32_t f = 1 + fx_rand(&r, 2 * WEIGHT_ONE), low, high;
		double exact = (double)w.base * f / WEIGHT_ONE * WEIGHT_UNIT;

		weight_set_factor(&w, WEIGHT_ADAPT, f);
		low = weight_effective(&w);
		assert_true(low >= exact - 1 && low <= exact + 1);
		weight_set_factor(&w, WEIGHT_ADAPT, f + fx_rand(&r, WEIGHT_ONE));
		high = weight_effective(&w);
		assert_true(high >= low && low > 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_factors_of_one),
		cmocka_unit_test(test_same_rotation),
		cmocka_unit_test(test_product),
		cmocka_unit_test(test_monotonous),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
