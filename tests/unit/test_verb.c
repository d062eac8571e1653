/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_verb.c - what operators ask of a model: guards, idempotence, dry runs, overrides that
 * survive; and random verbs.
 */
#include <errno.h>
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
#define E3 FX_E3

static void apply(struct fx_world *w, mono_t now)
{
	assert_int_equal(model_apply(w->m, w->c, false, now), 0);
}

/* One walk over the flow table in which endpoint `id` has these numbers and all others none. */
static void walk(struct model *m, uint32_t id, uint32_t established, uint32_t all, mono_t now)
{
	static uint32_t e[RR_MAX_ENDPOINTS], a[RR_MAX_ENDPOINTS];

	memset(e, 0, sizeof(e));
	memset(a, 0, sizeof(a));
	e[id] = established;
	a[id] = all;
	model_flows(m, e, a, RR_MAX_ENDPOINTS, now);
}

static void test_last_one_is_guarded(void **state)
{
	static const enum model_verb verbs[] = { VERB_DRAIN, VERB_MAINT, VERB_DEL };
	struct fx_world w = fx_world();
	char err[256];

	(void)state;
	assert_int_equal(fx_verb(w.m, VERB_DRAIN, "web", E1, MONO_S(101)), MODEL_OK);
	assert_int_equal(fx_verb(w.m, VERB_MAINT, "web", E2, MONO_S(101)), MODEL_OK);
	for (size_t i = 0; i < 3; i++) {
		struct model_op op = { .verb = verbs[i],
				       .service = "web",
				       .endpoint = fx_addr(E3) };

		assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(102)), MODEL_LAST);
		assert_non_null(strstr(err, "last available endpoint of web"));
		op.dry_run = true;
		assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(102)), MODEL_LAST);
		assert_int_equal(fx_state(w.m, "web", E3), EPS_UP);
	}
	/* one that serves nothing is not the last that does */
	assert_int_equal(fx_verb(w.m, VERB_DEL, "web", E2, MONO_S(103)), MODEL_OK);
	struct model_op op = {
		.verb = VERB_DRAIN, .service = "web", .endpoint = fx_addr(E3), .force = true
	};

	assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(104)), MODEL_OK);
	assert_int_equal(fx_available(w.m, "web"), 0);
	fx_world_free(&w);
}

static void test_verbs_are_idempotent(void **state)
{
	struct fx_world w = fx_world();
	struct model_event ev;
	mono_t until;

	(void)state;
	fx_events(w.m, "");
	for (int i = 0; i < 3; i++)
		assert_int_equal(fx_verb(w.m, VERB_DRAIN, "web", E1, MONO_S(101 + i)), MODEL_OK);
	until = fx_view(w.m, "web", E1).drain_until;
	assert_int_equal(until.us, MONO_S(401).us);
	assert_int_equal(fx_events(w.m, "drain"), 1);
	for (int i = 0; i < 3; i++) {
		fx_verb(w.m, VERB_PAUSE, "web", NULL, MONO_S(110));
		fx_verb(w.m, VERB_READY, "web", E1, MONO_S(110));
		assert_int_equal(fx_verb(w.m, VERB_DEL, "web", E2, MONO_S(110)), MODEL_OK);
	}
	assert_int_equal(fx_events(w.m, "ready"), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fx_verb(w.m, VERB_ADD, "web", "10.0.0.9:8443", MONO_S(110)),
				 MODEL_OK);
	assert_true(model_event_take(w.m, &ev));
	while (ev.kind != EVENT_ADDED)
		assert_true(model_event_take(w.m, &ev));
	assert_int_equal(ev.uid, 1000); /* who asked for it */
	assert_int_equal(fx_events(w.m, "added"), 0);
	fx_world_free(&w);
}

static void test_verb_errors(void **state)
{
	struct fx_world w = fx_world();
	struct model_op op = {
		.verb = VERB_WEIGHT, .service = "web", .endpoint = fx_addr(E1), .weight = 1001
	};
	char err[64];

	(void)state;
	assert_int_equal(fx_verb(w.m, VERB_DRAIN, "nope", E1, MONO_S(101)), MODEL_NO_SERVICE);
	assert_int_equal(fx_verb(w.m, VERB_DRAIN, "web", "10.9.9.9:1", MONO_S(101)),
			 MODEL_NO_ENDPOINT);
	assert_int_equal(fx_verb(w.m, VERB_DRAIN, "web", NULL, MONO_S(101)), MODEL_UNNAMED);
	assert_int_equal(fx_verb(w.m, VERB_ADD, "web", "10.0.0.9", MONO_S(101)), MODEL_INVALID);
	assert_int_equal(fx_verb(w.m, VERB_ADD, "web", "[fd00::1]:443", MONO_S(101)),
			 MODEL_INVALID);
	assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(101)), MODEL_INVALID);
	/* what the file refuses: the service's own address, and addresses that no host has */
	assert_int_equal(fx_verb(w.m, VERB_ADD, "web", "192.0.2.10:443", MONO_S(101)),
			 MODEL_INVALID);
	assert_int_equal(fx_verb(w.m, VERB_ADD, "web", "224.0.0.1:8443", MONO_S(101)),
			 MODEL_INVALID);
	assert_int_equal(fx_verb(w.m, VERB_DEL, "web", E3, MONO_S(102)), MODEL_OK);
	assert_int_equal(fx_verb(w.m, VERB_READY, "web", E3, MONO_S(103)), MODEL_LEAVING);
	op.verb = (enum model_verb)99;
	assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(101)), MODEL_INVALID);
	fx_world_free(&w);
}

static void test_weight(void **state)
{
	struct fx_world w = fx_world();
	struct model_op op = { .verb = VERB_WEIGHT,
			       .service = "web",
			       .endpoint = fx_addr(E1),
			       .weight = 300,
			       .uid = 7 };
	struct model_event ev;
	char err[64], text[EVENT_TEXT_MAX];

	(void)state;
	fx_events(w.m, "");
	assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(101)), MODEL_OK);
	assert_int_equal(fx_view(w.m, "web", E1).slots, 3);
	assert_true(fx_view(w.m, "web", E1).weight_set);
	assert_true(model_event_take(w.m, &ev));
	assert_int_equal(ev.kind, EVENT_WEIGHT);
	assert_string_equal(event_sentence(&ev, text, sizeof(text)), E1 ": weight 100 -> 300");
	assert_int_equal(ev.uid, 7);
	op.weight = 0;
	model_verb(w.m, &op, err, sizeof(err), MONO_S(101));
	assert_int_equal(fx_view(w.m, "web", E1).weight, 100);
	assert_false(fx_view(w.m, "web", E1).weight_set);
	fx_world_free(&w);
}

static void test_dry_run_changes_nothing(void **state)
{
	struct fx_world w = fx_world();
	char err[64];

	(void)state;
	fx_events(w.m, "");
	model_planned(w.m);
	for (int v = VERB_DRAIN; v <= VERB_RESUME; v++) {
		struct model_op op = { .verb = (enum model_verb)v,
				       .service = "web",
				       .endpoint = fx_addr(E1),
				       .dry_run = true,
				       .weight = 5,
				       .kill = true };

		if (v == VERB_ADD)
			op.endpoint = fx_addr("10.0.0.77:443");
		assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(101)), MODEL_OK);
	}
	assert_false(model_dirty(w.m));
	assert_int_equal(fx_events(w.m, ""), 0);
	assert_int_equal(fx_available(w.m, "web"), 3);
	fx_world_free(&w);
}

static void test_overrides_survive_reload(void **state)
{
	struct fx_world w = fx_world();
	struct model_op op = {
		.verb = VERB_WEIGHT, .service = "web", .endpoint = fx_addr(E1), .weight = 7
	};
	char err[64];

	(void)state;
	model_verb(w.m, &op, err, sizeof(err), MONO_S(101));
	fx_verb(w.m, VERB_DRAIN, "web", E2, MONO_S(101));
	fx_verb(w.m, VERB_DEL, "web", E3, MONO_S(101));
	fx_verb(w.m, VERB_ADD, "web", "10.0.0.9:8443", MONO_S(101));
	fx_verb(w.m, VERB_PAUSE, "web", NULL, MONO_S(101));
	apply(&w, MONO_S(110));
	assert_int_equal(fx_view(w.m, "web", E1).weight_base, 7);
	assert_int_equal(fx_state(w.m, "web", E2), EPS_DRAINING);
	assert_int_equal(fx_view(w.m, "web", E3).member, EP_LEAVING);
	assert_true(fx_view(w.m, "web", "10.0.0.9:8443").added);
	assert_int_equal(model_apply(w.m, w.c, true, MONO_S(120)), 0);
	assert_int_equal(fx_view(w.m, "web", E1).weight_base, 100);
	assert_int_equal(fx_view(w.m, "web", E2).admin, EP_READY);
	assert_int_equal(fx_view(w.m, "web", E3).member, EP_PRESENT);
	assert_int_equal(fx_view(w.m, "web", "10.0.0.9:8443").member, EP_LEAVING);
	fx_world_free(&w);
}

/* An override ends with its endpoint: what leaves the configuration comes back as configured. */
static void test_override_ends_with_its_endpoint(void **state)
{
	struct fx_world w = fx_world();

	(void)state;
	fx_verb(w.m, VERB_DRAIN, "web", E1, MONO_S(101));
	fx_endpoint_del(w.c, "web", E1);
	apply(&w, MONO_S(110));
	fx_endpoint(w.c, "web", E1, 100);
	apply(&w, MONO_S(120));
	assert_int_equal(fx_view(w.m, "web", E1).admin, EP_READY);
	assert_int_equal(fx_view(w.m, "web", E1).member, EP_PRESENT);
	fx_world_free(&w);
}

static void test_overrides_survive_restart(void **state)
{
	struct fx_world w = fx_world();
	struct model_op op = {
		.verb = VERB_WEIGHT, .service = "web", .endpoint = fx_addr(E1), .weight = 7
	};
	struct model_saved *rows;
	struct model *m2;
	size_t n;
	char err[64];

	(void)state;
	model_verb(w.m, &op, err, sizeof(err), MONO_S(101));
	fx_verb(w.m, VERB_MAINT, "web", E2, MONO_S(101));
	fx_verb(w.m, VERB_DEL, "web", E3, MONO_S(101));
	fx_verb(w.m, VERB_ADD, "web", "10.0.0.9:8443", MONO_S(101));
	fx_verb(w.m, VERB_PAUSE, "web", NULL, MONO_S(101));
	assert_int_equal(model_export(w.m, &rows, &n), 0);
	assert_int_equal(n, 5); /* service, two configured, one added, one deleted */
	for (int before = 0; before < 2; before++) {
		struct view *v;

		m2 = model_new();
		if (before)
			model_import(m2, rows, n, MONO_S(5));
		assert_int_equal(model_apply(m2, w.c, false, MONO_S(5)), 0);
		if (!before)
			model_import(m2, rows, n, MONO_S(5));
		assert_int_equal(fx_view(m2, "web", E1).weight_base, 7);
		assert_int_equal(fx_state(m2, "web", E2), EPS_MAINT);
		assert_int_not_equal(fx_view(m2, "web", E3).id &&
					     fx_view(m2, "web", E3).member == EP_PRESENT,
				     1);
		assert_true(fx_view(m2, "web", "10.0.0.9:8443").added);
		v = view_build(m2, MONO_S(5));
		assert_true(v->service[0].paused);
		view_free(v);
		model_free(m2);
	}
	free(rows);
	fx_world_free(&w);
}

static void test_drain_deadline_variants(void **state)
{
	(void)state;
	for (int what = CONF_DEADLINE_RST; what <= CONF_DEADLINE_FORGET; what++) {
		struct fx_world w = { fx_web_conf(), NULL };
		uint32_t id, kill[4];

		fx_find(w.c, "web")->on_deadline = (enum conf_deadline)what;
		w.m = fx_model(w.c, MONO_S(100));
		fx_all_up(w.m, MONO_S(100));
		id = fx_id(w.m, "web", E1);
		fx_verb(w.m, VERB_DRAIN, "web", E1, MONO_S(100));
		walk(w.m, id, 3, 3, MONO_S(101));
		assert_int_equal(fx_view(w.m, "web", E1).established, 3);
		model_tick(w.m, MONO_S(400));
		assert_int_equal(fx_events(w.m, "drain-deadline"), 1);
		assert_int_equal(model_kills(w.m, kill, 4), what == CONF_DEADLINE_RST);
		assert_int_equal(fx_state(w.m, "web", E1),
				 what == CONF_DEADLINE_FORGET ? EPS_DRAINED : EPS_DRAINING);
		walk(w.m, id, 1, 3, MONO_S(401));
		assert_int_equal(model_kills(w.m, kill, 4), what == CONF_DEADLINE_RST);
		walk(w.m, id, 0, 3, MONO_S(402));
		walk(w.m, id, 0, 3, MONO_S(404));
		assert_int_equal(fx_state(w.m, "web", E1), EPS_DRAINED);
		fx_world_free(&w);
	}
}

static void test_maint_kill(void **state)
{
	struct fx_world w = fx_world();
	struct model_op op = {
		.verb = VERB_MAINT, .service = "web", .endpoint = fx_addr(E2), .kill = true
	};
	uint32_t kill[4], due[8];
	char err[64];

	(void)state;
	assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(101)), MODEL_OK);
	assert_int_equal(model_kills(w.m, kill, 4), 1);
	assert_int_equal(kill[0], fx_id(w.m, "web", E2));
	assert_int_equal(model_kills(w.m, kill, 4), 0);
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(110)), 2); /* no probes in maintenance */
	fx_world_free(&w);
}

static void test_check_now(void **state)
{
	struct fx_world w = fx_world();
	uint32_t due[8], id = fx_id(w.m, "web", E2);
	const struct conf_health *h;
	struct addr to;

	(void)state;
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(100)), 0);
	assert_int_equal(fx_verb(w.m, VERB_CHECK, "web", E2, MONO_S(100)), MODEL_OK);
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(100)), 1);
	assert_int_equal(due[0], id);
	assert_true(model_probe_target(w.m, id, &to, &h));
	assert_int_equal(to.port, 8443);
	assert_false(model_probe_target(w.m, 4000, &to, &h));
	fx_world_free(&w);
}

/* ---- random verbs ---- */

static void check_consistent(struct model *m)
{
	struct view *v = view_build(m, MONO_US(0));

	assert_non_null(v);
	for (size_t i = 0; i < v->services; i++) {
		const struct view_service *s = &v->service[i];
		uint32_t slots = 0, available = 0;

		for (size_t k = 0; k < s->endpoints; k++) {
			const struct view_endpoint *e = &s->endpoint[k];

			slots += e->slots;
			available += e->state == EPS_UP;
			assert_true((e->state == EPS_UP) == (e->slots > 0));
			assert_true((e->state == EPS_UP) == (e->weight > 0));
			assert_in_range(e->weight_base, 1, 1000);
			assert_true(e->member != EP_GONE);
			assert_true(e->h <= e->h_max);
			assert_true((e->health == HEALTH_UP) == (e->h >= e->rise));
			for (size_t j = 0; j < k; j++)
				assert_false(addr_equal(&e->addr, &s->endpoint[j].addr));
		}
		assert_int_equal(slots, s->slots);
		assert_int_equal(available, s->available);
	}
	view_free(v);
}

static void test_random_verbs(void **state)
{
	static const char *const addrs[] = {
		E1, E2, E3, "10.0.0.9:1", "[fd00::1]:443", "10.0.0.10:443"
	};
	static const char *const names[] = { "web", "api", "", "web ", "nope" };
	struct fx_rng r = { 99 };
	struct fx_world w = fx_world();
	mono_t now = MONO_S(100);
	char err[8];

	(void)state;
	fx_service(w.c, "api", "192.0.2.11:443");
	fx_endpoint(w.c, "api", E1, 1);
	apply(&w, now);
	for (int k = 0; k < 20000; k++) {
		struct model_op op = {
			.verb = (enum model_verb)fx_rand(&r, 11),
			.service = fx_rand(&r, 20) ? names[fx_rand(&r, 5)] : NULL,
			.weight = fx_rand(&r, 10) ? fx_rand(&r, 1002) : UINT32_MAX,
			.deadline = fx_rand(&r, 9)   ? MONO_S(fx_rand(&r, 5))
				    : fx_rand(&r, 2) ? MONO_NEVER
						     : MONO_US(-1),
			.force = fx_rand(&r, 3),
			.kill = fx_rand(&r, 2),
			.dry_run = !fx_rand(&r, 10),
			.uid = fx_rand(&r, 3),
		};
		uint32_t due[8];

		if (fx_rand(&r, 20))
			op.endpoint = fx_addr(addrs[fx_rand(&r, 6)]);
		else
			memset(&op.endpoint, (int)fx_rand(&r, 256), sizeof(op.endpoint));
		model_verb(w.m, &op, err, fx_rand(&r, 2) ? sizeof(err) : 0, now);
		if (!fx_rand(&r, 5))
			fx_hops(w.m, now);
		for (size_t n = fx_due(w.m, due, 8, now); n; n--)
			fx_result(w.m, due[n - 1], fx_rand(&r, 3) ? REASON_PASS : REASON_RESET,
				  now);
		if (!fx_rand(&r, 8))
			walk(w.m, 1 + fx_rand(&r, 4), 1, 1, now);
		now = mono_add(now, MONO_MS(fx_rand(&r, 3000)));
		model_tick(w.m, now);
		if (!(k % 16))
			check_consistent(w.m);
	}
	fx_world_free(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_one_is_guarded),
		cmocka_unit_test(test_verbs_are_idempotent),
		cmocka_unit_test(test_verb_errors),
		cmocka_unit_test(test_weight),
		cmocka_unit_test(test_dry_run_changes_nothing),
		cmocka_unit_test(test_overrides_survive_reload),
		cmocka_unit_test(test_override_ends_with_its_endpoint),
		cmocka_unit_test(test_overrides_survive_restart),
		cmocka_unit_test(test_drain_deadline_variants),
		cmocka_unit_test(test_maint_kill),
		cmocka_unit_test(test_check_now),
		cmocka_unit_test(test_random_verbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
