/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sim_health.c - stories of endpoints that die, return and flap, in virtual time, with the bounds
 * that the parameters promise: a refusing endpoint is out within 3.2 s, a silent one within 5.2
 * s.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sim.h"

#define E1 "10.0.0.1:8443"
#define E2 "10.0.0.2:8443"

static struct sim s;

static struct conf *web_conf(void)
{
	struct conf *c = fx_conf();

	fx_service(c, "web", "192.0.2.10:443");
	fx_endpoint(c, "web", E1, 100);
	fx_endpoint(c, "web", E2, 100);
	return c;
}

/* Dies at 40 different moments of its probe cycle: the worst detection time. */
static int64_t worst_detection(enum sim_kind kind)
{
	struct conf *c = web_conf();
	int64_t worst = 0;

	for (int k = 0; k < 40; k++) {
		mono_t took;

		sim_start(&s, c, MONO_S(100), false);
		sim_run(&s, MONO_MS(110000 + k * 57));
		s.kind[fx_id(s.m, "web", E1)] = kind;
		took = sim_until(&s, "web", E1, EPS_DOWN, MONO_S(20));
		assert_int_equal(fx_state(s.m, "web", E1), EPS_DOWN);
		assert_false(
			fx_in_rotation(&s.x, fx_service_id(s.m, "web"), fx_id(s.m, "web", E1)));
		assert_true(fx_in_rotation(&s.x, fx_service_id(s.m, "web"), fx_id(s.m, "web", E2)));
		worst = took.us > worst ? took.us : worst;
		sim_end(&s);
	}
	conf_free(c);
	return worst;
}

/* 10 ms: the step of the search, and a millisecond for each refused probe. */
static void test_refused_is_out_within_bound(void **state)
{
	(void)state;
	assert_in_range(worst_detection(SIM_REFUSED), 2500000, 3200000 + 10000);
}

static void test_black_hole_is_out_within_bound(void **state)
{
	(void)state;
	assert_in_range(worst_detection(SIM_BLACK_HOLE), 4500000, 5200000 + 10000);
}

static void test_returns(void **state)
{
	struct conf *c = web_conf();
	uint32_t id;
	mono_t took;

	(void)state;
	sim_start(&s, c, MONO_S(100), false);
	id = fx_id(s.m, "web", E1);
	s.kind[id] = SIM_REFUSED;
	sim_run(&s, MONO_S(130));
	s.kind[id] = SIM_OK;
	took = sim_until(&s, "web", E1, EPS_UP, MONO_S(20));
	assert_in_range(took.us, 450000, 6010000); /* down interval, then one fast interval */
	assert_true(fx_in_rotation(&s.x, fx_service_id(s.m, "web"), id));
	assert_int_equal(fx_events(s.m, "endpoint-up"), 3); /* both at the start, one now */
	sim_end(&s);
	conf_free(c);
}

static void test_one_lost_probe_is_nothing(void **state)
{
	struct conf *c = web_conf();
	uint32_t id;

	(void)state;
	sim_start(&s, c, MONO_S(100), false);
	id = fx_id(s.m, "web", E1);
	for (int k = 0; k < 50; k++) {
		size_t before = s.probes[id];

		s.kind[id] = SIM_REFUSED;
		while (s.probes[id] == before)
			sim_run(&s, mono_add(s.now, MONO_MS(1)));
		sim_run(&s, mono_add(s.now, MONO_MS(2)));
		s.kind[id] = SIM_OK;
		sim_run(&s, mono_add(s.now, MONO_S(3)));
		assert_int_equal(fx_state(s.m, "web", E1), EPS_UP);
	}
	assert_int_equal(fx_events(s.m, "endpoint-down"), 0);
	sim_end(&s);
	conf_free(c);
}

static void test_flaps_are_damped(void **state)
{
	struct conf *c = web_conf();
	uint32_t id;
	mono_t quick = MONO_US(0), slow = MONO_US(0);

	(void)state;
	fx_find(c, "web")->health.jitter = 0;
	sim_start(&s, c, MONO_S(100), false);
	id = fx_id(s.m, "web", E1);
	for (int k = 0; k < 4; k++) {
		s.kind[id] = SIM_REFUSED;
		sim_until(&s, "web", E1, EPS_DOWN, MONO_S(20));
		s.kind[id] = SIM_OK;
		slow = sim_until(&s, "web", E1, EPS_UP, MONO_S(20));
		if (!k)
			quick = slow;
	}
	assert_true(fx_view(s.m, "web", E1).flapping);
	assert_int_equal(fx_view(s.m, "web", E1).rise, 4);
	assert_in_range(slow.us - quick.us, 990000, 1010000); /* two more passes are asked for */
	sim_run(&s, mono_add(s.now, MONO_S(700)));
	assert_false(fx_view(s.m, "web", E1).flapping);
	assert_int_equal(fx_view(s.m, "web", E1).rise, 2);
	sim_end(&s);
	conf_free(c);
}

static void test_down_for_long_is_probed_less(void **state)
{
	struct conf *c = web_conf();
	uint32_t id;
	size_t early, late;

	(void)state;
	sim_start(&s, c, MONO_S(100), false);
	id = fx_id(s.m, "web", E1);
	s.kind[id] = SIM_REFUSED;
	sim_run(&s, MONO_S(110));
	early = s.probes[id];
	sim_run(&s, MONO_S(210));
	early = s.probes[id] - early;
	assert_in_range(early, 18, 23);
	sim_run(&s, MONO_S(700));
	late = s.probes[id];
	sim_run(&s, MONO_S(1000));
	late = s.probes[id] - late;
	assert_in_range(late, 9, 12);
	sim_end(&s);
	conf_free(c);
}

/* Probes of many endpoints do not start together, neither at the start nor later. */
static void test_probes_are_spread(void **state)
{
	struct conf *c = fx_conf();
	char text[32];
	uint32_t id[256];
	size_t worst = 0, total = 0;
	struct model *m;

	(void)state;
	fx_service(c, "web", "192.0.2.10:443");
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "10.0.0.%d:443", i + 1);
		fx_endpoint(c, "web", text, 1);
	}
	m = fx_model(c, MONO_S(100));
	for (int ms = 0; ms < 2000; ms += 100) {
		size_t n = fx_due(m, id, 256, MONO_MS(100000 + ms));

		worst = n > worst ? n : worst;
		total += n;
	}
	assert_in_range(total, 185, 200);
	assert_true(worst <= 25); /* 10 in 100 ms on average */
	model_free(m);
	conf_free(c);
}

static void test_all_down_is_an_empty_rotation(void **state)
{
	struct conf *c = web_conf();
	uint32_t svc;

	(void)state;
	sim_start(&s, c, MONO_S(100), false);
	svc = fx_service_id(s.m, "web");
	s.kind[fx_id(s.m, "web", E1)] = s.kind[fx_id(s.m, "web", E2)] = SIM_BLACK_HOLE;
	sim_run(&s, MONO_S(110));
	assert_int_equal(RR_ROT_LEN(s.x.img->service[svc].rotation), 0);
	assert_int_equal(s.x.img->service[svc].flags, RR_SVC_PRESENT);
	s.kind[fx_id(s.m, "web", E2)] = SIM_OK;
	sim_run(&s, MONO_S(120));
	assert_int_equal(RR_ROT_LEN(s.x.img->service[svc].rotation), 1);
	sim_end(&s);
	conf_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_is_out_within_bound),
		cmocka_unit_test(test_black_hole_is_out_within_bound),
		cmocka_unit_test(test_returns),
		cmocka_unit_test(test_one_lost_probe_is_nothing),
		cmocka_unit_test(test_flaps_are_damped),
		cmocka_unit_test(test_down_for_long_is_probed_less),
		cmocka_unit_test(test_probes_are_spread),
		cmocka_unit_test(test_all_down_is_an_empty_rotation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
