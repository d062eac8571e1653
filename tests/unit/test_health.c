/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_health.c - the health counter as a table of state and event, its waits, and flap damping.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/health.h"

static const struct health_conf conf = {
	.interval = { 2000000 },
	.fast_interval = { 500000 },
	.down_interval = { 5000000 },
	.rise = 2,
	.fall = 3,
	.jitter = 10,
};

static enum health_change probe_pass(struct health *h, mono_t now)
{
	return health_result(h, &conf, true, REASON_PASS, now);
}

static enum health_change probe_fail(struct health *h, mono_t now)
{
	return health_result(h, &conf, false, REASON_REFUSED, now);
}

/* Every (state, h) and both outcomes, rise 2 fall 3: h in 0..4, UP iff h >= 2. */
static void test_table(void **state)
{
	static const struct {
		enum health_state s;
		uint32_t h;
		bool ok;
		enum health_state s2;
		uint32_t h2;
		enum health_change change;
	} rows[] = {
		{ HEALTH_INIT, 0, true, HEALTH_UP, 4, HEALTH_WENT_UP },
		{ HEALTH_INIT, 0, false, HEALTH_DOWN, 0, HEALTH_WENT_DOWN },
		{ HEALTH_DOWN, 0, true, HEALTH_DOWN, 1, HEALTH_SAME },
		{ HEALTH_DOWN, 0, false, HEALTH_DOWN, 0, HEALTH_SAME },
		{ HEALTH_DOWN, 1, true, HEALTH_UP, 4, HEALTH_WENT_UP },
		{ HEALTH_DOWN, 1, false, HEALTH_DOWN, 0, HEALTH_SAME },
		{ HEALTH_UP, 2, true, HEALTH_UP, 4, HEALTH_SAME },
		{ HEALTH_UP, 2, false, HEALTH_DOWN, 0, HEALTH_WENT_DOWN },
		{ HEALTH_UP, 3, true, HEALTH_UP, 4, HEALTH_SAME },
		{ HEALTH_UP, 3, false, HEALTH_UP, 2, HEALTH_SAME },
		{ HEALTH_UP, 4, true, HEALTH_UP, 4, HEALTH_SAME },
		{ HEALTH_UP, 4, false, HEALTH_UP, 3, HEALTH_SAME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct health h;

		health_start(&h, &conf);
		h.state = rows[i].s;
		h.h = rows[i].h;
		assert_int_equal(health_result(&h, &conf, rows[i].ok, REASON_RESET, MONO_S(1)),
				 rows[i].change);
		assert_int_equal(h.state, rows[i].s2);
		assert_int_equal(h.h, rows[i].h2);
	}
}

static void test_local_errors_do_not_count(void **state)
{
	struct health h;

	(void)state;
	health_start(&h, &conf);
	assert_int_equal(health_result(&h, &conf, false, REASON_LOCAL_ERROR, MONO_S(1)),
			 HEALTH_SAME);
	assert_int_equal(h.state, HEALTH_INIT);
	probe_pass(&h, MONO_S(2));
	for (int i = 0; i < 10; i++)
		assert_int_equal(health_result(&h, &conf, false, REASON_LOCAL_ERROR, MONO_S(3)),
				 HEALTH_SAME);
	assert_int_equal(h.h, 4);
}

static void test_begin_modes(void **state)
{
	struct health_conf c = conf;
	struct health h;

	(void)state;
	c.begin = HEALTH_BEGIN_STRICT;
	health_start(&h, &c);
	assert_int_equal(health_result(&h, &c, true, REASON_PASS, MONO_S(1)), HEALTH_SAME);
	assert_int_equal(h.state, HEALTH_INIT);
	assert_int_equal(health_result(&h, &c, true, REASON_PASS, MONO_S(2)), HEALTH_WENT_UP);
	health_start(&h, &c);
	health_result(&h, &c, true, REASON_PASS, MONO_S(1));
	assert_int_equal(health_result(&h, &c, false, REASON_RESET, MONO_S(2)), HEALTH_WENT_DOWN);

	c.begin = HEALTH_BEGIN_UP;
	health_start(&h, &c);
	assert_int_equal(h.state, HEALTH_UP);
	assert_int_equal(health_result(&h, &c, false, REASON_RESET, MONO_S(1)), HEALTH_WENT_DOWN);
	health_start(&h, &c);
	health_result(&h, &c, true, REASON_PASS, MONO_S(1));
	assert_int_equal(h.h, 4);

	c.begin = HEALTH_BEGIN_DOWN;
	health_adopt(&h, &c);
	assert_int_equal(h.state, HEALTH_UP);
	assert_int_equal(health_result(&h, &c, false, REASON_RESET, MONO_S(1)), HEALTH_WENT_DOWN);
}

static void assert_wait(const struct health *h, int64_t lo_ms, int64_t hi_ms)
{
	int64_t lo = INT64_MAX, hi = 0;

	for (uint64_t seq = 0; seq < 2000; seq++) {
		int64_t us = health_wait(h, &conf, health_hash(7, seq)).us;

		lo = us < lo ? us : lo;
		hi = us > hi ? us : hi;
	}
	assert_in_range(lo, lo_ms * 1000, lo_ms * 1000 + (hi_ms - lo_ms) * 20);
	assert_in_range(hi, hi_ms * 1000 - (hi_ms - lo_ms) * 20, hi_ms * 1000);
}

static void test_waits(void **state)
{
	struct health h;

	(void)state;
	health_start(&h, &conf);
	assert_wait(&h, 450, 500); /* not checked yet: fast, and jitter only shortens it */
	probe_pass(&h, MONO_S(0));
	assert_wait(&h, 1800, 2200);
	probe_fail(&h, MONO_S(2));
	assert_wait(&h, 450, 500);
	probe_fail(&h, MONO_S(3));
	probe_fail(&h, MONO_S(4));
	assert_int_equal(h.state, HEALTH_DOWN);
	assert_wait(&h, 4500, 5500);
	probe_pass(&h, MONO_S(5));
	assert_wait(&h, 450, 500);
}

static void test_offset_and_hash(void **state)
{
	uint64_t sum = 0;

	(void)state;
	for (uint64_t id = 1; id <= 1000; id++) {
		int64_t us = health_offset(&conf, id).us;

		assert_in_range(us, 0, 1999999);
		assert_int_equal(us, health_offset(&conf, id).us);
		sum += (uint64_t)us;
	}
	assert_in_range(sum / 1000, 900000, 1100000);
	assert_true(health_hash(1, 2) != health_hash(2, 1));
}

/*
 * 5 s, until 5 min down; then 7.5, 11.25, 16.875, 25.3, 30, 30 ... and from the start again after
 * a recovery.
 */
static void test_back_off(void **state)
{
	struct health_conf c = conf;
	struct health h;
	static const int64_t want_ms[] = { 7500, 11250, 16875, 25312, 30000, 30000 };

	(void)state;
	c.jitter = 0;
	health_start(&h, &c);
	probe_fail(&h, MONO_S(10));
	for (int t = 15; t < 310; t += 5) {
		probe_fail(&h, MONO_S(t));
		assert_int_equal(health_wait(&h, &c, 0).us, 5000000);
	}
	for (int i = 0; i < 6; i++) {
		probe_fail(&h, MONO_S(310 + i * 30));
		assert_int_equal(health_wait(&h, &c, 0).us / 1000, want_ms[i]);
	}
	probe_pass(&h, MONO_S(600));
	probe_pass(&h, MONO_S(601));
	assert_int_equal(h.state, HEALTH_UP);
	for (int i = 0; i < 3; i++)
		probe_fail(&h, MONO_S(602 + i));
	assert_int_equal(health_wait(&h, &c, 0).us, 5000000);
	c.down_interval = MONO_S(60); /* longer than the longest back-off: stays */
	health_result(&h, &c, false, REASON_RESET, MONO_S(2000));
	assert_int_equal(health_wait(&h, &c, 0).us, 60000000);
}

/*
 * Up -> down -> up ... one transition every `gap` seconds. Returns the transition after which it
 * was flapping.
 */
static int flap(struct health *h, int gap, int max)
{
	int t = 0;

	health_start(h, &conf);
	probe_pass(h, MONO_S(t));
	for (int n = 1; n <= max; n++) {
		enum health_state was = h->state;

		t += gap;
		while (h->state == was) {
			if (was == HEALTH_UP)
				probe_fail(h, MONO_S(t));
			else
				probe_pass(h, MONO_S(t));
		}
		if (h->flapping)
			return n;
	}
	return 0;
}

static void test_flap_damping(void **state)
{
	struct health h;

	(void)state;
	assert_int_equal(flap(&h, 10, 20), 6); /* the first UP, from INIT, is no flap */
	assert_int_equal(h.rise, 4);
	assert_int_equal(h.state, HEALTH_UP);
	assert_int_equal(h.h, health_max(&h));
	assert_int_equal(flap(&h, 120, 20), 6); /* sixth to first: exactly 10 min */
	assert_int_equal(flap(&h, 121, 20), 0);
}

static void test_damping_ends(void **state)
{
	struct health h;

	(void)state;
	flap(&h, 10, 20); /* sixth transition at 60 s */
	assert_false(health_tick(&h, &conf, MONO_S(659)));
	for (int i = 0; i < 3; i++)
		probe_fail(&h, MONO_S(600));
	assert_int_equal(h.state, HEALTH_DOWN); /* the seventh: damping goes on until 1200 s */
	probe_pass(&h, MONO_S(601));
	probe_pass(&h, MONO_S(602));
	probe_pass(&h, MONO_S(603));
	assert_int_equal(h.state, HEALTH_DOWN); /* rise is 4 now */
	assert_true(health_tick(&h, &conf, MONO_S(1200)));
	assert_false(h.flapping);
	assert_int_equal(h.rise, 2);
	assert_int_equal(h.h, 1); /* still down: below the smaller rise, too */
	assert_int_equal(probe_pass(&h, MONO_S(1201)), HEALTH_WENT_UP);
}

static void test_damped_rise_limit(void **state)
{
	static const struct {
		uint32_t rise, damped;
	} rows[] = { { 1, 2 }, { 8, 16 }, { 10, 16 }, { 16, 16 }, { 20, 20 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct health_conf c = conf;
		struct health h;

		c.rise = rows[i].rise;
		health_start(&h, &c);
		h.flapping = true;
		health_reconf(&h, &c);
		assert_int_equal(h.rise, rows[i].damped);
	}
}

static void test_reconf_keeps_distance(void **state)
{
	struct health_conf c = conf;
	struct health h;

	(void)state;
	health_start(&h, &conf);
	probe_pass(&h, MONO_S(1));
	probe_fail(&h, MONO_S(2)); /* one failure of three */
	c.rise = 5;
	c.fall = 4;
	health_reconf(&h, &c);
	assert_int_equal(h.state, HEALTH_UP);
	assert_int_equal(h.h, 7); /* top is 8: still one failure */
	c.fall = 1;
	health_reconf(&h, &c);
	assert_int_equal(h.h, 5); /* UP even when it has had as many failures as it may */
	probe_fail(&h, MONO_S(3));
	assert_int_equal(h.state, HEALTH_DOWN);
	for (int i = 0; i < 4; i++)
		health_result(&h, &c, true, REASON_PASS, MONO_S(4));
	assert_int_equal(h.h, 4);
	c.rise = 2;
	health_reconf(&h, &c);
	assert_int_equal(h.state, HEALTH_DOWN);
	assert_int_equal(h.h, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_local_errors_do_not_count),
		cmocka_unit_test(test_begin_modes),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_offset_and_hash),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_flap_damping),
		cmocka_unit_test(test_damping_ends),
		cmocka_unit_test(test_damped_rise_limit),
		cmocka_unit_test(test_reconf_keeps_distance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
