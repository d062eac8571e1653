/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_lazy.c - how soon a change of a rotation is planned: what takes an endpoint out or in, and
 * what an operator asks for, in the same turn; factors of weights at most once a second for each
 * service. Virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/fixture.h"

#define E1 "10.0.0.1:8443"
#define E2 "10.0.0.2:8443"
#define A1 "10.0.1.1:8443"
#define HALF (WEIGHT_ONE / 2)

/* Two services of two endpoints, all up and planned at 1 s. */
static struct fx_world up_world(void)
{
	struct fx_world w = { .c = fx_conf() };

	fx_service(w.c, "web", "192.0.2.10:443");
	fx_endpoint(w.c, "web", E1, 100);
	fx_endpoint(w.c, "web", E2, 100);
	fx_service(w.c, "api", "192.0.2.11:443");
	fx_endpoint(w.c, "api", A1, 100);
	fx_endpoint(w.c, "api", "10.0.1.2:8443", 100);
	fx_find(w.c, "web")->health.type = PROBE_NONE; /* no timers but those looked at here */
	fx_find(w.c, "api")->health.type = PROBE_NONE;
	w.m = fx_model(w.c, MONO_S(1));
	fx_all_up(w.m, MONO_S(1));
	model_planned(w.m);
	return w;
}

static void factor(struct fx_world *w, const char *service, const char *addr, uint32_t value)
{
	model_factor(w->m, fx_id(w->m, service, addr), WEIGHT_ADAPT, value);
}

/* One turn: true = a plan is made. */
static bool turn(struct fx_world *w, mono_t now)
{
	bool planned;

	model_tick(w->m, now);
	planned = model_dirty(w->m);
	model_planned(w->m);
	return planned;
}

static void test_first_at_once_then_one_a_second(void **state)
{
	struct fx_world w = up_world();
	mono_t next;

	(void)state;
	assert_false(turn(&w, MONO_S(10)));
	factor(&w, "web", E1, HALF);
	assert_true(turn(&w, MONO_S(10)));
	assert_int_equal(fx_view(w.m, "web", E1).slots, 1);
	assert_int_equal(fx_view(w.m, "web", E2).slots, 2);
	assert_int_equal(fx_view(w.m, "web", E1).weight, 50);
	assert_int_equal(fx_view(w.m, "web", E1).weight_base, 100);
	factor(&w, "web", E1, WEIGHT_ONE);
	next = model_tick(w.m, MONO_MS(10200));
	assert_false(model_dirty(w.m));
	assert_int_equal(next.us, MONO_S(11).us); /* says when */
	assert_int_equal(fx_view(w.m, "web", E1).slots, 1);
	assert_false(turn(&w, MONO_US(10999999)));
	assert_true(turn(&w, MONO_S(11)));
	assert_int_equal(fx_view(w.m, "web", E1).slots, 1);
	assert_int_equal(fx_view(w.m, "web", E2).slots, 1);
	assert_false(turn(&w, MONO_S(12)));
	fx_world_free(&w);
}

static void test_down_does_not_wait(void **state)
{
	struct fx_world w = up_world();

	(void)state;
	factor(&w, "web", E1, HALF);
	assert_true(turn(&w, MONO_S(10)));
	factor(&w, "web", E1, WEIGHT_ONE / 4);
	assert_int_equal(fx_verb(w.m, VERB_DRAIN, "web", E2, MONO_MS(10100)), MODEL_OK);
	assert_true(turn(&w, MONO_MS(10100)));
	assert_int_equal(fx_verb(w.m, VERB_READY, "web", E2, MONO_MS(10200)), MODEL_OK);
	assert_true(turn(&w, MONO_MS(10200)));
	assert_int_equal(fx_view(w.m, "web", E2).slots, 4); /* the waiting factor came with it */
	assert_false(turn(&w, MONO_S(13)));
	fx_world_free(&w);
}

static void test_operator_does_not_wait(void **state)
{
	struct fx_world w = up_world();
	struct model_op op = {
		.verb = VERB_WEIGHT, .service = "web", .endpoint = fx_addr(E1), .weight = 300
	};
	char err[64];

	(void)state;
	factor(&w, "web", E1, HALF);
	assert_true(turn(&w, MONO_S(10)));
	assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_MS(10001)), MODEL_OK);
	assert_true(turn(&w, MONO_MS(10001)));
	assert_int_equal(fx_view(w.m, "web", E1).slots, 3);
	assert_int_equal(fx_view(w.m, "web", E2).slots, 2);
	fx_world_free(&w);
}

static void test_services_apart(void **state)
{
	struct fx_world w = up_world();

	(void)state;
	factor(&w, "web", E1, HALF);
	assert_true(turn(&w, MONO_S(10)));
	factor(&w, "web", E1, WEIGHT_ONE);
	factor(&w, "api", A1, HALF);
	assert_true(turn(&w, MONO_MS(10100)));
	assert_int_equal(fx_view(w.m, "api", A1).slots, 1);
	assert_int_equal(fx_view(w.m, "web", E2).slots, 2); /* not yet */
	assert_true(turn(&w, MONO_S(11)));
	assert_int_equal(fx_view(w.m, "web", E2).slots, 1);
	fx_world_free(&w);
}

/* A factor that moves every 10 ms, for 20 s. */
static void test_restless_factor(void **state)
{
	struct fx_world w = up_world();
	unsigned int plans = 0;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		factor(&w, "web", E1, WEIGHT_ONE / 4 + (uint32_t)i * 7);
		plans += turn(&w, MONO_MS(10000 + i * 10));
	}
	assert_int_equal(plans, 20);
	fx_world_free(&w);
}

static void test_no_change_no_plan(void **state)
{
	struct fx_world w = up_world();

	(void)state;
	factor(&w, "web", E1, WEIGHT_ONE);
	assert_false(turn(&w, MONO_S(10)));
	model_factor(w.m, 4000, WEIGHT_WARM, HALF); /* nobody */
	assert_false(turn(&w, MONO_S(11)));
	assert_int_equal(fx_verb(w.m, VERB_MAINT, "web", E1, MONO_S(12)), MODEL_OK);
	assert_true(turn(&w, MONO_S(12)));
	factor(&w, "web", E1, HALF); /* has no slot that could change */
	assert_false(turn(&w, MONO_S(14)));
	fx_world_free(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_at_once_then_one_a_second),
		cmocka_unit_test(test_down_does_not_wait),
		cmocka_unit_test(test_operator_does_not_wait),
		cmocka_unit_test(test_services_apart),
		cmocka_unit_test(test_restless_factor),
		cmocka_unit_test(test_no_change_no_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
