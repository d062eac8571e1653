/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_heap.c - random moves against a plain array: the first is always the earliest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/heap.h"

#define SIZE 64u

static uint32_t id[SIZE], place[SIZE];
static mono_t at[SIZE];

static struct heap heap_empty(void)
{
	memset(place, 0, sizeof(place));
	return (struct heap){ .size = SIZE, .id = id, .place = place, .at = at };
}

static mono_t least(const mono_t *want)
{
	mono_t t = MONO_NEVER;

	for (uint32_t i = 1; i < SIZE; i++)
		t = mono_min(t, want[i]);
	return t;
}

static void test_random(void **state)
{
	struct heap h = heap_empty();
	mono_t want[SIZE];
	uint32_t x = 1;

	(void)state;
	for (uint32_t i = 0; i < SIZE; i++)
		want[i] = MONO_NEVER;
	for (int k = 0; k < 200000; k++) {
		uint32_t i;

		x = x * 1664525u + 1013904223u;
		i = 1 + (x >> 8) % (SIZE - 1);
		want[i] = x >> 30 ? MONO_US((x >> 4) % 1000) : MONO_NEVER;
		heap_set(&h, i, want[i]);
		assert_int_equal(heap_next(&h).us, least(want).us);
		if (heap_first(&h))
			assert_int_equal(want[heap_first(&h)].us, least(want).us);
		else
			assert_int_equal(h.n, 0);
	}
}

static void test_bounds(void **state)
{
	struct heap h = heap_empty();

	(void)state;
	assert_int_equal(heap_first(&h), 0);
	assert_true(mono_is_never(heap_next(&h)));
	heap_set(&h, 0, MONO_US(1));
	heap_set(&h, SIZE, MONO_US(1));
	heap_set(&h, 3, MONO_NEVER);
	assert_int_equal(h.n, 0);
	for (uint32_t i = SIZE - 1; i; i--)
		heap_set(&h, i, MONO_US(i));
	for (uint32_t i = 1; i < SIZE; i++) {
		assert_int_equal(heap_first(&h), i);
		heap_set(&h, i, MONO_NEVER);
	}
	assert_int_equal(h.n, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
