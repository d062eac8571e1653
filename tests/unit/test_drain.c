/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_drain.c - when a drain is done, and when it is overdue.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/drain.h"

static void test_two_quiet_walks(void **state)
{
	struct drain d = { 0 };

	(void)state;
	drain_start(&d, MONO_S(300), MONO_S(10));
	assert_true(drain_running(&d));
	assert_int_equal(drain_walk(&d, 5, MONO_S(11)), DRAIN_SAME);
	assert_int_equal(drain_walk(&d, 0, MONO_S(12)), DRAIN_SAME);
	assert_int_equal(drain_walk(&d, 0, MONO_MS(13999)), DRAIN_SAME); /* less than 2 s apart */
	assert_int_equal(drain_walk(&d, 0, MONO_S(14)), DRAIN_FINISHED);
	assert_int_equal(d.state, DRAIN_DONE);
	assert_false(drain_running(&d));
	assert_int_equal(drain_walk(&d, 0, MONO_S(20)), DRAIN_SAME);
	assert_int_equal(drain_tick(&d, MONO_S(1000)), DRAIN_SAME);
}

static void test_quiet_is_interrupted(void **state)
{
	struct drain d = { 0 };

	(void)state;
	drain_start(&d, MONO_S(300), MONO_S(10));
	drain_walk(&d, 0, MONO_S(12));
	drain_walk(&d, 1, MONO_S(13)); /* a handshake that began before the drain */
	assert_int_equal(drain_walk(&d, 0, MONO_S(14)), DRAIN_SAME);
	assert_int_equal(drain_walk(&d, 0, MONO_S(16)), DRAIN_FINISHED);
}

static void test_deadline(void **state)
{
	struct drain d = { 0 };

	(void)state;
	drain_start(&d, MONO_S(300), MONO_S(10));
	assert_int_equal(drain_next(&d).us, 310000000);
	assert_int_equal(drain_tick(&d, MONO_MS(309999)), DRAIN_SAME);
	assert_int_equal(drain_tick(&d, MONO_S(310)), DRAIN_EXPIRED);
	assert_int_equal(d.state, DRAIN_OVERDUE);
	assert_int_equal(drain_tick(&d, MONO_S(311)), DRAIN_SAME); /* said once */
	assert_true(mono_is_never(drain_next(&d)));
	drain_walk(&d, 0, MONO_S(312));
	/* flows were kept and have ended */
	assert_int_equal(drain_walk(&d, 0, MONO_S(314)), DRAIN_FINISHED);
}

static void test_new_deadline(void **state)
{
	struct drain d = { 0 };

	(void)state;
	drain_start(&d, MONO_S(300), MONO_S(10));
	drain_walk(&d, 0, MONO_S(12));
	drain_start(&d, MONO_S(20), MONO_S(13));
	assert_int_equal(d.since.us, 10000000);
	assert_int_equal(d.until.us, 33000000);
	/* what was seen still counts */
	assert_int_equal(drain_walk(&d, 0, MONO_S(14)), DRAIN_FINISHED);
}

static void test_no_deadline(void **state)
{
	struct drain d = { 0 };

	(void)state;
	drain_start(&d, MONO_NEVER, MONO_S(10));
	assert_true(mono_is_never(drain_next(&d)));
	assert_int_equal(drain_tick(&d, MONO_S(1000000)), DRAIN_SAME);
}

static void test_stop(void **state)
{
	struct drain d = { 0 };

	(void)state;
	drain_start(&d, MONO_S(300), MONO_S(10));
	drain_walk(&d, 0, MONO_S(12));
	drain_stop(&d);
	assert_int_equal(drain_walk(&d, 0, MONO_S(14)), DRAIN_SAME);
	assert_int_equal(drain_tick(&d, MONO_S(400)), DRAIN_SAME);
	drain_start(&d, MONO_S(300), MONO_S(500));
	/* walks of the earlier drain do not count */
	assert_int_equal(drain_walk(&d, 0, MONO_S(501)), DRAIN_SAME);
	assert_int_equal(d.since.us, 500000000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_quiet_walks), cmocka_unit_test(test_quiet_is_interrupted),
		cmocka_unit_test(test_deadline),	cmocka_unit_test(test_new_deadline),
		cmocka_unit_test(test_no_deadline),	cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
