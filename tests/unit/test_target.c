/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_target.c - what is probed, in which order, and whose result it is: targets that services
 * share, more of them than there is room for, probes that nobody looked at, and those whose
 * endpoint has changed or gone.
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

#define E1 FX_E1
#define E2 FX_E2

/* "web" and "api" with the same endpoint. */
static struct conf *shared_conf(void)
{
	struct conf *c = fx_conf();

	fx_service(c, "web", "192.0.2.10:443");
	fx_service(c, "api", "192.0.2.11:443");
	fx_endpoint(c, "web", E1, 100);
	fx_endpoint(c, "api", E1, 100);
	return c;
}

static void reload(struct model *m, const struct conf *c, mono_t now)
{
	assert_int_equal(model_apply(m, c, false, now), 0);
}

static void test_one_probe_for_all(void **state)
{
	struct conf *c = shared_conf();
	struct model *m = fx_model(c, MONO_S(1));
	uint32_t due[8];

	(void)state;
	assert_int_equal(fx_due(m, due, 8, MONO_S(10)), 1);
	fx_result(m, due[0], REASON_PASS, MONO_S(10));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fx_due(m, due, 8, MONO_S(20 + i)), 1);
		fx_result(m, due[0], REASON_REFUSED, MONO_S(20 + i));
	}
	for (int k = 0; k < 2; k++) {
		struct view_endpoint e = fx_view(m, k ? "api" : "web", E1);

		assert_int_equal(e.state, EPS_DOWN);
		assert_int_equal(e.reason, REASON_REFUSED);
		assert_int_equal(e.probes_ok, 1);
		assert_int_equal(e.probes_failed, 3);
	}
	model_free(m);
	conf_free(c);
}

/* Only what is asked in the same way is shared; a port of the check's own counts, not the other. */
static void test_what_is_shared(void **state)
{
	struct conf *c = shared_conf();
	struct model *m;
	uint32_t due[8];

	(void)state;
	fx_endpoint(c, "web", "10.0.0.1:9000", 100);
	m = fx_model(c, MONO_S(1));
	assert_int_equal(fx_due(m, due, 8, MONO_S(10)), 2);
	fx_find(c, "api")->health.timeout = MONO_MS(700);
	reload(m, c, MONO_S(11));
	assert_int_equal(fx_due(m, due, 8, MONO_S(11)), 1); /* api's own, at once */
	fx_find(c, "web")->health.port = fx_find(c, "api")->health.port = 9000;
	fx_find(c, "api")->health.timeout = fx_find(c, "web")->health.timeout;
	reload(m, c, MONO_S(12));
	assert_int_equal(fx_due(m, due, 8, MONO_S(20)), 1); /* all three */
	model_free(m);
	conf_free(c);
}

static size_t member_probes(mono_t fast, mono_t slow)
{
	struct conf *c = shared_conf();
	struct model *m;
	uint32_t due[8];
	size_t n;

	fx_find(c, "web")->health.interval = fast;
	fx_find(c, "api")->health.interval = slow;
	m = fx_model(c, MONO_S(100));
	for (int ms = 100000; ms < 200000; ms += 10) {
		n = fx_due(m, due, 8, MONO_MS(ms));
		assert_true(n <= 1);
		if (n)
			fx_result(m, due[0], REASON_PASS, MONO_MS(ms));
	}
	n = fx_view(m, "api", E1).probes_ok;
	model_free(m);
	conf_free(c);
	return n;
}

/* Who asks less often than the others is given fewer results, not all of theirs. */
static void test_each_keeps_its_rhythm(void **state)
{
	(void)state;
	assert_in_range(member_probes(MONO_S(2), MONO_S(2)), 47, 58);
	assert_in_range(member_probes(MONO_S(2), MONO_S(10)), 9, 15);
	assert_in_range(member_probes(MONO_S(10), MONO_S(2)), 47, 58);
}

static struct conf *many_conf(int endpoints)
{
	struct conf *c = fx_conf();
	char addr[32];

	fx_service(c, "web", "192.0.2.10:443");
	for (int i = 0; i < endpoints; i++) {
		snprintf(addr, sizeof(addr), "10.0.%d.%d:443", i / 200, i % 200 + 1);
		fx_endpoint(c, "web", addr, 1);
	}
	return c;
}

/*
 * 1000 targets at 2 s with room for 200 a second: everybody is probed once in 5 s, not some often
 * and others never, and the lag says so.
 */
static void test_over_budget_all_wait_alike(void **state)
{
	struct conf *c = many_conf(1000);
	struct model *m = fx_model(c, MONO_S(100));
	struct view *v;
	uint32_t due[8];
	uint64_t least = UINT64_MAX, most = 0;

	(void)state;
	for (int ms = 100000; ms < 200000; ms += 20) {
		size_t n = fx_due(m, due, 4, MONO_MS(ms));

		for (size_t i = 0; i < n; i++)
			fx_result(m, due[i], REASON_PASS, MONO_MS(ms));
	}
	v = view_build(m, MONO_S(200));
	assert_non_null(v);
	for (size_t i = 0; i < 1000; i++) {
		uint64_t n = v->service[0].endpoint[i].probes_ok;

		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	assert_in_range(least, 18, 20);
	assert_in_range(most, 20, 22);
	assert_in_range(model_lag(m, MONO_S(200)).us, 2500000, 3500000);
	view_free(v);
	model_free(m);
	conf_free(c);
}

static void test_no_lag_without_load(void **state)
{
	struct fx_world w = fx_world();
	uint32_t due[8];

	(void)state;
	assert_int_equal(model_lag(w.m, MONO_S(100)).us, 0);
	assert_in_range(model_lag(w.m, MONO_S(110)).us, 7800000, 8200000);
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(110)), 3);
	assert_int_equal(model_lag(w.m, MONO_S(200)).us, 0); /* in flight: not late */
	fx_world_free(&w);
}

/* ---- void ---- */

static void test_failure_across_a_stall_is_void(void **state)
{
	struct fx_world w = fx_world();
	uint32_t due[8], id = fx_id(w.m, "web", E1);
	struct view *v;

	(void)state;
	for (int i = 0; i < 9; i++) {
		fx_due(w.m, due, 8, MONO_S(110 + i));
		model_stall(w.m, MONO_MS(251)); /* of a timeout of 1 s */
		fx_result(w.m, id, REASON_CONNECT_TIMEOUT, MONO_S(110 + i));
	}
	assert_int_equal(fx_state(w.m, "web", E1), EPS_UP);
	assert_int_equal(fx_view(w.m, "web", E1).probes_failed, 0);
	v = view_build(w.m, MONO_S(119));
	assert_int_equal(v->voids, 9);
	view_free(v);
	/* It is probed anew at once, and what passes or is seen in time counts. */
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(118)), 1);
	model_stall(w.m, MONO_S(10));
	fx_result(w.m, id, REASON_PASS, MONO_S(119));
	assert_int_equal(fx_view(w.m, "web", E1).probes_ok, 2);
	for (int i = 0; i < 3; i++) {
		fx_due(w.m, due, 8, MONO_S(130 + i));
		model_stall(w.m, MONO_MS(100));
		model_stall(w.m, MONO_MS(100));
		fx_result(w.m, id, REASON_CONNECT_TIMEOUT, MONO_S(130 + i));
	}
	assert_int_equal(fx_state(w.m, "web", E1), EPS_DOWN);
	fx_world_free(&w);
}

/* ---- cancelled ---- */

static void cancelled(struct model *m, size_t n)
{
	struct model_run run[8];

	assert_int_equal(model_cancels(m, run, 8), n);
	assert_int_equal(model_cancels(m, run, 8), 0);
}

static void test_cancelled_when_it_goes(void **state)
{
	struct fx_world w = fx_world();
	uint32_t due[8], id = fx_id(w.m, "web", E1);
	struct model_run old;

	(void)state;
	fx_due(w.m, due, 8, MONO_S(110));
	old = fx_run_of(id);
	assert_int_equal(fx_verb(w.m, VERB_DEL, "web", E1, MONO_S(111)), MODEL_OK);
	cancelled(w.m, 1);
	assert_int_equal(fx_verb(w.m, VERB_ADD, "web", E1, MONO_S(112)), MODEL_OK);
	assert_int_equal(fx_id(w.m, "web", E1), id);
	fx_due(w.m, due, 8, MONO_S(113));
	assert_int_not_equal(fx_run_of(id).run, old.run);
	model_probe_result(w.m, &(struct model_probe){ .of = old, .ok = true, .why = REASON_PASS },
			   MONO_S(113));
	assert_int_equal(fx_view(w.m, "web", E1).probes_ok, 1); /* the late one of another life */
	fx_result(w.m, id, REASON_PASS, MONO_S(113));
	assert_int_equal(fx_view(w.m, "web", E1).probes_ok, 2);
	fx_world_free(&w);
}

static void test_cancelled_when_it_changes(void **state)
{
	struct fx_world w = fx_world();
	uint32_t due[8];

	(void)state;
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(110)), 3);
	fx_find(w.c, "web")->health.interval = MONO_S(9); /* the probe is the same */
	reload(w.m, w.c, MONO_S(110));
	cancelled(w.m, 0);
	snprintf(fx_find(w.c, "web")->health.sni, 8, "other");
	reload(w.m, w.c, MONO_S(110));
	cancelled(w.m, 3);
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(110)), 3); /* with the new name, at once */
	fx_find(w.c, "web")->health.type = PROBE_NONE;
	reload(w.m, w.c, MONO_S(111));
	cancelled(w.m, 3);
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(200)), 0);
	fx_world_free(&w);
}

/* What others still wait for goes on. */
static void test_shared_is_not_cancelled(void **state)
{
	struct conf *c = shared_conf();
	struct model *m = fx_model(c, MONO_S(1));
	uint32_t due[8];

	(void)state;
	fx_endpoint(c, "web", E2, 100);
	reload(m, c, MONO_S(1));
	fx_all_up(m, MONO_S(2));
	fx_due(m, due, 8, MONO_S(10));
	assert_int_equal(fx_verb(m, VERB_DEL, "web", E1, MONO_S(10)), MODEL_OK);
	cancelled(m, 0);
	fx_result(m, fx_id(m, "web", E1), REASON_PASS, MONO_S(10));
	assert_int_equal(fx_view(m, "api", E1).probes_ok, 2);
	assert_int_equal(fx_view(m, "web", E1).probes_ok, 1);
	model_free(m);
	conf_free(c);
}

/* ---- asked for, silent, not sent ---- */

/* The probe that was in flight when somebody asked is not the one that he asked for. */
static void test_check_is_its_own(void **state)
{
	struct fx_world w = fx_world();
	uint32_t due[8], id = fx_id(w.m, "web", E1);
	uint64_t wanted;

	(void)state;
	fx_due(w.m, due, 8, MONO_S(110));
	wanted = fx_view(w.m, "web", E1).probe_seq + 1;
	assert_int_equal(fx_verb(w.m, VERB_CHECK, "web", E1, MONO_S(111)), MODEL_OK);
	fx_result(w.m, id, REASON_REFUSED, MONO_S(111));
	assert_int_equal(fx_view(w.m, "web", E1).last_seq, wanted - 1);
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(111)), 1); /* at once, no wait in between */
	assert_int_equal(due[0], id);
	fx_result(w.m, id, REASON_LOCAL_ERROR, MONO_S(111));
	assert_int_equal(fx_view(w.m, "web", E1).last_seq, wanted);
	assert_int_equal(fx_view(w.m, "web", E1).last.why, REASON_LOCAL_ERROR);
	assert_int_equal(fx_view(w.m, "web", E1).reason, REASON_REFUSED);
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(111)), 0);
	fx_world_free(&w);
}

static struct view_endpoint seen_at(struct model *m, mono_t now)
{
	struct view *v = view_build(m, now);
	struct view_endpoint e = v->service[0].endpoint[0];

	view_free(v);
	return e;
}

/* Interval 2 s and a tenth, timeout 1 s: three waits are 7.6 s. */
static void test_silence_is_seen(void **state)
{
	struct fx_world w = fx_world();
	uint32_t due[8], id = fx_id(w.m, "web", E1);

	(void)state;
	assert_int_equal(seen_at(w.m, MONO_MS(107600)).silent_since.us, 0);
	assert_int_equal(seen_at(w.m, MONO_MS(107601)).silent_since.us, MONO_S(100).us);
	fx_due(w.m, due, 8, MONO_S(110));
	fx_result(w.m, id, REASON_REFUSED, MONO_S(110));
	assert_int_equal(seen_at(w.m, MONO_S(110)).silent_since.us, 0);
	fx_verb(w.m, VERB_MAINT, "web", E1, MONO_S(111));
	assert_int_equal(seen_at(w.m, MONO_S(200)).silent_since.us, 0);
	fx_verb(w.m, VERB_READY, "web", E1, MONO_S(200));
	assert_int_equal(seen_at(w.m, MONO_S(207)).silent_since.us, 0);
	assert_int_equal(seen_at(w.m, MONO_S(208)).silent_since.us, MONO_S(200).us);
	fx_world_free(&w);
}

/* Our own failures are no results: the endpoint stays as it is, and both are told. */
static void test_local_errors_are_no_results(void **state)
{
	struct fx_world w = fx_world();
	uint32_t due[8], id = fx_id(w.m, "web", E1);
	struct view_endpoint e;

	(void)state;
	for (int s = 110; s < 130; s += 3) {
		fx_due(w.m, due, 8, MONO_S(s));
		fx_result(w.m, id, REASON_LOCAL_ERROR, MONO_S(s));
	}
	e = seen_at(w.m, MONO_S(130));
	assert_int_equal(e.state, EPS_UP);
	assert_int_equal(e.probe_at.us, MONO_S(100).us);
	assert_int_equal(e.silent_since.us, MONO_S(100).us);
	assert_int_equal(e.local_since.us, MONO_S(110).us);
	assert_int_equal(fx_events(w.m, "probe-error"), 1);
	fx_due(w.m, due, 8, MONO_S(131));
	fx_result(w.m, id, REASON_PASS, MONO_S(131));
	e = seen_at(w.m, MONO_S(131));
	assert_int_equal(e.silent_since.us, 0);
	assert_int_equal(e.local_since.us, 0);
	fx_world_free(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_probe_for_all),
		cmocka_unit_test(test_what_is_shared),
		cmocka_unit_test(test_each_keeps_its_rhythm),
		cmocka_unit_test(test_over_budget_all_wait_alike),
		cmocka_unit_test(test_no_lag_without_load),
		cmocka_unit_test(test_failure_across_a_stall_is_void),
		cmocka_unit_test(test_cancelled_when_it_goes),
		cmocka_unit_test(test_cancelled_when_it_changes),
		cmocka_unit_test(test_shared_is_not_cancelled),
		cmocka_unit_test(test_check_is_its_own),
		cmocka_unit_test(test_silence_is_seen),
		cmocka_unit_test(test_local_errors_are_no_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
