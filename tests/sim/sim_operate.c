/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sim_operate.c - stories of operation in virtual time: drains, reloads, restarts, and ids that
 * must not be reused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sim.h"

#define E1 FX_E1
#define E2 FX_E2
#define E3 FX_E3

static struct sim s;

/* All up at 100 s, and the first endpoint has flows; its id. */
static uint32_t start_with(const struct conf *c, uint32_t flows)
{
	uint32_t id;

	sim_start(&s, c, MONO_S(100), false);
	id = fx_id(s.m, "web", E1);
	s.established[id] = s.flows[id] = flows;
	return id;
}

static void apply(const struct conf *c)
{
	assert_int_equal(model_apply(s.m, c, false, s.now), 0);
	sim_run(&s, s.now);
}

static void test_drain_ends_with_the_last_flow(void **state)
{
	struct conf *c = fx_web_conf();
	uint32_t id, kill[4];

	(void)state;
	id = start_with(c, 20);
	sim_run(&s, MONO_S(105));
	fx_verb(s.m, VERB_DRAIN, "web", E1, s.now);
	sim_run(&s, s.now); /* out of the rotation in this very turn */
	assert_false(fx_in_rotation(&s.x, 0, id));
	assert_int_equal(s.x.img->endpoint[id].flags, RR_EP_PRESENT | RR_EP_NO_NEW);
	sim_run(&s, MONO_S(200));
	assert_int_equal(fx_state(s.m, "web", E1), EPS_DRAINING);
	assert_true(s.probes[id] > 30); /* probed all the same */
	s.established[id] = 0; /* closing flows do not hold a drain */
	sim_run(&s, MONO_S(204));
	assert_int_equal(fx_state(s.m, "web", E1), EPS_DRAINED);
	assert_int_equal(model_kills(s.m, kill, 4), 0);
	sim_run(&s, MONO_S(1000));
	assert_int_equal(fx_state(s.m, "web", E1), EPS_DRAINED); /* the operator's: stays */
	fx_verb(s.m, VERB_READY, "web", E1, s.now);
	sim_run(&s, s.now);
	assert_true(fx_in_rotation(&s.x, 0, id)); /* it was probed all the time: at once */
	sim_end(&s);
	conf_free(c);
}

/* Factors of weights that never rest cost a push a second; a drain does not wait for them. */
static void test_restless_weights(void **state)
{
	struct conf *c = fx_web_conf();
	struct fx_rng r = { 3 };
	uint32_t id;
	size_t before;

	(void)state;
	id = start_with(c, 0);
	sim_run(&s, MONO_S(110));
	before = s.x.diffs;
	while (mono_cmp(s.now, MONO_S(140)) < 0) {
		model_factor(s.m, id, WEIGHT_ADAPT, WEIGHT_ONE / 4 + fx_rand(&r, WEIGHT_ONE));
		sim_run(&s, mono_add(s.now, MONO_MS(50)));
	}
	assert_in_range(s.x.diffs - before, 29, 31);
	assert_true(fx_in_rotation(&s.x, 0, id));
	fx_verb(s.m, VERB_DRAIN, "web", E1, s.now);
	sim_run(&s, s.now);
	assert_false(fx_in_rotation(&s.x, 0, id));
	sim_end(&s);
	conf_free(c);
}

static void test_drain_deadline_resets(void **state)
{
	struct conf *c = fx_web_conf();
	uint32_t id, kill[4];

	(void)state;
	id = start_with(c, 20);
	fx_verb(s.m, VERB_DRAIN, "web", E1, s.now);
	sim_run(&s, MONO_MS(399999));
	assert_int_equal(model_kills(s.m, kill, 4), 0);
	sim_run(&s, MONO_S(400));
	assert_int_equal(model_kills(s.m, kill, 4), 1);
	assert_int_equal(kill[0], id);
	s.established[id] = 0;
	sim_run(&s, MONO_S(405));
	assert_int_equal(fx_state(s.m, "web", E1), EPS_DRAINED);
	sim_end(&s);
	conf_free(c);
}

static void test_removed_endpoint_drains_then_is_gone(void **state)
{
	struct conf *c = fx_web_conf();
	uint32_t id, killed;

	(void)state;
	id = start_with(c, 5);
	fx_endpoint_del(c, "web", E1);
	apply(c);
	sim_run(&s, MONO_S(200));
	/* its flows go on */
	assert_int_equal(s.x.img->endpoint[id].flags, RR_EP_PRESENT | RR_EP_NO_NEW);
	assert_int_equal(model_kills(s.m, &killed, 1), 0);
	sim_run(&s, MONO_S(401));
	assert_int_equal(s.x.img->endpoint[id].flags, RR_EP_PRESENT | RR_EP_NO_NEW | RR_EP_GONE);
	assert_int_equal(fx_id(s.m, "web", E1), 0);
	assert_int_equal(model_kills(s.m, &killed, 1), 1);
	assert_int_equal(killed, id);
	sim_end(&s);
	conf_free(c);
}

/*
 * As long as flows name an id it is not reused within the hour; without flows it is free after
 * two walks.
 */
static void test_id_quarantine(void **state)
{
	struct conf *c = fx_web_conf();
	uint32_t id, id2;

	(void)state;
	id = start_with(c, 0);
	id2 = fx_id(s.m, "web", E2);
	s.flows[id] = 1; /* one that is not closed properly */
	fx_endpoint_del(c, "web", E1);
	fx_endpoint_del(c, "web", E2);
	apply(c);
	sim_run(&s, MONO_S(110));
	assert_int_equal(s.x.img->endpoint[id].flags, RR_EP_PRESENT | RR_EP_NO_NEW | RR_EP_GONE);
	assert_int_equal(s.x.img->endpoint[id2].flags, 0);
	sim_run(&s, MONO_S(3600));
	assert_int_equal(s.x.img->endpoint[id].flags, RR_EP_PRESENT | RR_EP_NO_NEW | RR_EP_GONE);
	sim_run(&s, MONO_S(3750));
	assert_int_equal(s.x.img->endpoint[id].flags, 0);
	sim_end(&s);
	conf_free(c);
}

static void test_coming_back_keeps_the_id(void **state)
{
	struct conf *c = fx_web_conf(), *less = fx_web_conf();
	uint32_t id;

	(void)state;
	id = start_with(c, 0);
	s.flows[id] = 1;
	fx_endpoint_del(less, "web", E1);
	apply(less);
	sim_run(&s, MONO_S(600));
	apply(c);
	assert_int_equal(fx_id(s.m, "web", E1), id);
	assert_int_equal(fx_state(s.m, "web", E1), EPS_INIT);
	sim_run(&s, MONO_S(603));
	assert_true(fx_in_rotation(&s.x, 0, id));
	sim_end(&s);
	conf_free(less);
	conf_free(c);
}

static void test_removed_service(void **state)
{
	struct conf *c = fx_web_conf(), *none = fx_conf();
	uint32_t id, killed[8];

	(void)state;
	id = start_with(c, 5);
	apply(none);
	assert_int_equal(model_kills(s.m, killed, 8), 3); /* of all its endpoints */
	assert_int_equal(s.x.img->service[0].flags, 0);
	assert_int_equal(s.x.img->endpoint[id].flags, RR_EP_PRESENT | RR_EP_NO_NEW | RR_EP_GONE);
	assert_true(s.x.img->service[0].t_rst > 0);
	s.established[id] = s.flows[id] = 0;
	sim_run(&s, MONO_S(110));
	assert_int_equal(s.x.img->service[0].t_rst, 0); /* the service id is free, too */
	sim_end(&s);
	conf_free(none);
	conf_free(c);
}

static void test_restart_without_blackout(void **state)
{
	struct conf *c = fx_web_conf();
	uint32_t id[3];

	(void)state;
	sim_start(&s, c, MONO_S(100), false);
	id[0] = fx_id(s.m, "web", E1);
	id[1] = fx_id(s.m, "web", E2);
	id[2] = fx_id(s.m, "web", E3);
	s.kind[id[2]] = SIM_REFUSED;
	fx_verb(s.m, VERB_DRAIN, "web", E2, s.now);
	sim_run(&s, MONO_S(120));
	/* restarted every few ms: at every point of the first probes */
	for (int k = 0; k < 200; k++) {
		sim_restart(&s, c);
		sim_run(&s, mono_add(s.now, MONO_MS(k * 13)));
		assert_true(fx_in_rotation(&s.x, 0, id[0]));
		assert_false(fx_in_rotation(&s.x, 0, id[1])); /* still drained */
		/* was down: not let in before a result */
		assert_false(fx_in_rotation(&s.x, 0, id[2]));
		assert_int_equal(fx_id(s.m, "web", E1), id[0]);
	}
	assert_int_equal(fx_view(s.m, "web", E2).admin, EP_DRAIN);
	/* it died while nobody looked: the first result takes it out */
	s.kind[id[0]] = SIM_REFUSED;
	s.kind[id[2]] = SIM_OK;
	sim_restart(&s, c);
	sim_run(&s, mono_add(s.now, MONO_S(3)));
	assert_false(fx_in_rotation(&s.x, 0, id[0]));
	assert_true(fx_in_rotation(&s.x, 0, id[2]));
	sim_end(&s);
	conf_free(c);
}

static void test_cold_start(void **state)
{
	struct conf *c = fx_web_conf();

	(void)state;
	sim_start(&s, c, MONO_S(100), true);
	assert_int_equal(RR_ROT_LEN(s.x.img->service[0].rotation), 0);
	assert_true(s.x.img->enabled);
	sim_run(&s, MONO_MS(102010)); /* one interval of offsets at most, and one pass each */
	assert_int_equal(RR_ROT_LEN(s.x.img->service[0].rotation), 3);
	sim_end(&s);
	conf_free(c);
}

static void test_lost_hop_comes_back(void **state)
{
	struct conf *c = fx_web_conf();
	uint32_t id;

	(void)state;
	id = start_with(c, 0);
	model_nexthop(s.m, id, 0, NULL, s.now);
	sim_run(&s, MONO_S(101));
	assert_false(fx_in_rotation(&s.x, 0, id));
	model_nexthop(s.m, id, fx_hop(id), NULL, s.now);
	sim_run(&s, s.now);
	assert_true(fx_in_rotation(&s.x, 0, id));
	/* the only interface goes down: nothing is available */
	model_iface(s.m, 0, 0, NULL, 1500, s.now);
	sim_run(&s, s.now);
	assert_int_equal(RR_ROT_LEN(s.x.img->service[0].rotation), 0);
	model_iface(s.m, 0, 9, NULL, 1500, s.now);
	sim_run(&s, s.now);
	assert_int_equal(RR_ROT_LEN(s.x.img->service[0].rotation), 3);
	assert_int_equal(s.x.img->iface[0].ifindex, 9);
	sim_end(&s);
	conf_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drain_ends_with_the_last_flow),
		cmocka_unit_test(test_restless_weights),
		cmocka_unit_test(test_drain_deadline_resets),
		cmocka_unit_test(test_removed_endpoint_drains_then_is_gone),
		cmocka_unit_test(test_id_quarantine),
		cmocka_unit_test(test_coming_back_keeps_the_id),
		cmocka_unit_test(test_removed_service),
		cmocka_unit_test(test_restart_without_blackout),
		cmocka_unit_test(test_cold_start),
		cmocka_unit_test(test_lost_hop_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
