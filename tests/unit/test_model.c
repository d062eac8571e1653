/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_model.c - services and endpoints through configuration, verbs, probes, hops, flows and restarts; and random verbs.
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

#define E1 "10.0.0.1:8443"
#define E2 "10.0.0.2:8443"
#define E3 "10.0.0.3:8443"

static struct conf *web_conf(void)
{
	struct conf *c = fx_conf();

	fx_service(c, "web", "192.0.2.10:443");
	fx_endpoint(c, "web", E1, 100);
	fx_endpoint(c, "web", E2, 100);
	fx_endpoint(c, "web", E3, 100);
	return c;
}

struct world {
	struct conf *c;
	struct model *m;
};

static struct world up_world(void)
{
	struct world w = { web_conf(), NULL };

	w.m = fx_model(w.c, MONO_S(100));
	fx_all_up(w.m, MONO_S(100));
	return w;
}

static void done(struct world *w)
{
	model_free(w->m);
	conf_free(w->c);
}

static void apply(struct world *w, mono_t now)
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

static void probe(struct model *m, uint32_t id, enum reason why, mono_t now)
{
	uint32_t due[64];
	size_t n = model_due(m, due, 64, now);
	bool mine = false;

	for (size_t i = 0; i < n; i++) {
		mine |= due[i] == id;
		fx_result(m, due[i], due[i] == id ? why : REASON_PASS, now);
	}
	assert_true(mine);
}

static void test_available_needs_all_dimensions(void **state)
{
	struct world w = { web_conf(), NULL };
	uint32_t id;

	(void)state;
	w.m = fx_model(w.c, MONO_S(100));
	id = fx_id(w.m, "web", E1);
	assert_int_equal(fx_state(w.m, "web", E1), EPS_INIT);
	probe(w.m, id, REASON_PASS, MONO_S(102));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_NO_HOP);
	model_nexthop(w.m, id, fx_hop(id), NULL, MONO_S(102));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_NO_HOP); /* nat without a source address */
	fx_hops(w.m, MONO_S(102));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_UP);
	model_iface(w.m, 0, 0, NULL, MONO_S(103));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_NO_HOP);
	assert_int_equal(fx_available(w.m, "web"), 0);
	model_iface(w.m, 0, 7, NULL, MONO_S(104));
	assert_int_equal(fx_available(w.m, "web"), 3);
	model_nexthop(w.m, id, 0, NULL, MONO_S(105));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_NO_HOP);
	assert_int_equal(fx_view(w.m, "web", E1).reason, REASON_NO_NEXT_HOP);
	assert_int_equal(fx_events(w.m, "next-hop-lost"), 1);
	done(&w);
}

static void test_displayed_state_is_first_that_applies(void **state)
{
	struct world w = up_world();
	uint32_t id = fx_id(w.m, "web", E1);

	(void)state;
	for (int i = 0; i < 3; i++)
		probe(w.m, id, REASON_REFUSED, MONO_S(110 + i));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_DOWN);
	fx_verb(w.m, VERB_DRAIN, "web", E1, MONO_S(120));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_DRAINING);
	fx_verb(w.m, VERB_MAINT, "web", E1, MONO_S(121));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_MAINT);
	fx_verb(w.m, VERB_READY, "web", E1, MONO_S(122));
	assert_int_equal(fx_state(w.m, "web", E1),
			 EPS_INIT); /* not probed during maintenance: nothing is known */
	done(&w);
}

static void test_without_checks(void **state)
{
	struct world w = { web_conf(), NULL };
	uint32_t due[8];

	(void)state;
	fx_find(w.c, "web")->health.type = CONF_HEALTH_NONE;
	w.m = fx_model(w.c, MONO_S(100));
	fx_hops(w.m, MONO_S(100));
	assert_int_equal(fx_available(w.m, "web"), 3);
	assert_int_equal(fx_view(w.m, "web", E1).reason, REASON_NO_CHECK);
	assert_int_equal(model_due(w.m, due, 8, MONO_S(200)), 0);
	assert_int_equal(fx_verb(w.m, VERB_CHECK, "web", E1, MONO_S(200)), MODEL_INVALID);
	done(&w);
}

static void test_last_one_is_guarded(void **state)
{
	static const enum model_verb verbs[] = { VERB_DRAIN, VERB_MAINT, VERB_DEL };
	struct world w = up_world();
	char err[256];

	(void)state;
	assert_int_equal(fx_verb(w.m, VERB_DRAIN, "web", E1, MONO_S(101)), MODEL_OK);
	assert_int_equal(fx_verb(w.m, VERB_MAINT, "web", E2, MONO_S(101)), MODEL_OK);
	for (size_t i = 0; i < 3; i++) {
		struct model_op op = { .verb = verbs[i],
				       .service = "web",
				       .endpoint = fx_addr(E3) };

		assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(102)),
				 MODEL_REFUSED);
		assert_non_null(strstr(err, "last available endpoint of web"));
		op.dry_run = true;
		assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(102)),
				 MODEL_REFUSED);
		assert_int_equal(fx_state(w.m, "web", E3), EPS_UP);
	}
	/* one that serves nothing is not the last that does */
	assert_int_equal(fx_verb(w.m, VERB_DEL, "web", E2, MONO_S(103)), MODEL_OK);
	struct model_op op = {
		.verb = VERB_DRAIN, .service = "web", .endpoint = fx_addr(E3), .force = true
	};

	assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(104)), MODEL_OK);
	assert_int_equal(fx_available(w.m, "web"), 0);
	done(&w);
}

static void test_verbs_are_idempotent(void **state)
{
	struct world w = up_world();
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
	assert_int_equal(fx_events(w.m, "added"), 1);
	done(&w);
}

static void test_verb_errors(void **state)
{
	struct world w = up_world();
	struct model_op op = {
		.verb = VERB_WEIGHT, .service = "web", .endpoint = fx_addr(E1), .weight = 1001
	};
	char err[64];

	(void)state;
	assert_int_equal(fx_verb(w.m, VERB_DRAIN, "nope", E1, MONO_S(101)), MODEL_NO_SUCH);
	assert_int_equal(fx_verb(w.m, VERB_DRAIN, "web", "10.9.9.9:1", MONO_S(101)), MODEL_NO_SUCH);
	assert_int_equal(fx_verb(w.m, VERB_DRAIN, "web", NULL, MONO_S(101)), MODEL_NO_SUCH);
	assert_int_equal(fx_verb(w.m, VERB_ADD, "web", "10.0.0.9", MONO_S(101)), MODEL_INVALID);
	assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(101)), MODEL_INVALID);
	op.verb = (enum model_verb)99;
	assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(101)), MODEL_INVALID);
	done(&w);
}

static void test_weight(void **state)
{
	struct world w = up_world();
	struct model_op op = { .verb = VERB_WEIGHT,
			       .service = "web",
			       .endpoint = fx_addr(E1),
			       .weight = 300,
			       .uid = 7 };
	struct model_event ev;
	char err[64];

	(void)state;
	fx_events(w.m, "");
	assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(101)), MODEL_OK);
	assert_int_equal(fx_view(w.m, "web", E1).slots, 3);
	assert_true(fx_view(w.m, "web", E1).weight_set);
	assert_true(model_event_take(w.m, &ev));
	assert_string_equal(ev.kind, "weight");
	assert_string_equal(ev.text, E1 ": weight 100 -> 300");
	assert_int_equal(ev.uid, 7);
	op.weight = 0;
	model_verb(w.m, &op, err, sizeof(err), MONO_S(101));
	assert_int_equal(fx_view(w.m, "web", E1).weight, 100);
	assert_false(fx_view(w.m, "web", E1).weight_set);
	done(&w);
}

static void test_dry_run_changes_nothing(void **state)
{
	struct world w = up_world();
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
	done(&w);
}

static void test_reload_keeps_what_is_unchanged(void **state)
{
	struct world w = up_world();
	uint32_t id1 = fx_id(w.m, "web", E1), id3 = fx_id(w.m, "web", E3);

	(void)state;
	fx_endpoint_del(w.c, "web", E2);
	fx_endpoint(w.c, "web", "10.0.0.4:8443", 50);
	apply(&w, MONO_S(110));
	assert_int_equal(fx_id(w.m, "web", E1), id1);
	assert_int_equal(fx_id(w.m, "web", E3), id3);
	assert_int_equal(fx_state(w.m, "web", E1), EPS_UP);
	assert_int_equal(fx_state(w.m, "web", E2), EPS_DRAINING);
	assert_int_equal(fx_view(w.m, "web", E2).member, EP_LEAVING);
	assert_int_equal(fx_state(w.m, "web", "10.0.0.4:8443"), EPS_INIT);
	done(&w);
}

static void test_reload_keeps_probe_in_flight(void **state)
{
	struct world w = up_world();
	uint32_t id = fx_id(w.m, "web", E1), due[8];

	(void)state;
	assert_int_equal(model_due(w.m, due, 8, MONO_S(110)), 3);
	apply(&w, MONO_S(110));
	assert_int_equal(model_due(w.m, due, 8, MONO_S(200)),
			 0); /* still in flight: never two at once */
	for (int i = 0; i < 3; i++) {
		fx_result(w.m, id, REASON_REFUSED, MONO_S(200 + i));
		model_due(w.m, due, 8, MONO_S(201 + i));
	}
	assert_int_equal(fx_state(w.m, "web", E1), EPS_DOWN);
	done(&w);
}

static void test_renamed_and_moved_service_keeps_its_id(void **state)
{
	struct world w = up_world();
	uint32_t svc = fx_service_id(w.m, "web"), id = fx_id(w.m, "web", E1);

	(void)state;
	fx_verb(w.m, VERB_WEIGHT, "web", E1, MONO_S(101)); /* weight 0: no override */
	fx_verb(w.m, VERB_DRAIN, "web", E2, MONO_S(101));
	snprintf(w.c->service[0].name, CONF_NAME_MAX, "www");
	apply(&w, MONO_S(110));
	assert_int_equal(fx_service_id(w.m, "www"), svc);
	assert_int_equal(fx_id(w.m, "www", E1), id);
	assert_int_equal(fx_state(w.m, "www", E2), EPS_DRAINING); /* overrides follow the name */
	w.c->service[0].listen = fx_addr("192.0.2.99:443");
	apply(&w, MONO_S(111));
	assert_int_equal(fx_service_id(w.m, "www"), svc);
	assert_int_equal(fx_state(w.m, "www", E1), EPS_UP);
	done(&w);
}

static void test_mode_change_is_another_service(void **state)
{
	struct world w = up_world();
	uint32_t svc = fx_service_id(w.m, "web"), id = fx_id(w.m, "web", E1);

	(void)state;
	fx_verb(w.m, VERB_DRAIN, "web", E2, MONO_S(101));
	w.c->service[0].mode = CONF_MODE_DSR;
	apply(&w, MONO_S(110));
	assert_int_not_equal(fx_service_id(w.m, "web"), svc);
	assert_int_not_equal(fx_id(w.m, "web", E1), id);
	assert_int_equal(fx_state(w.m, "web", E2), EPS_DRAINING);
	w.c->service[0].mode = CONF_MODE_NAT;
	apply(&w, MONO_S(111));
	assert_int_equal(fx_service_id(w.m, "web"), svc); /* the old one was still in quarantine */
	done(&w);
}

static void test_overrides_survive_reload(void **state)
{
	struct world w = up_world();
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
	done(&w);
}

static void test_overrides_survive_restart(void **state)
{
	struct world w = up_world();
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
	done(&w);
}

/* Everything is as before a restart: ids, rotation, hops, and nothing leaves before its first result. */
static void test_adopt(void **state)
{
	struct world w = up_world();
	struct fx_maps x;
	uint32_t id1 = fx_id(w.m, "web", E1), id2 = fx_id(w.m, "web", E2),
		 id3 = fx_id(w.m, "web", E3), steps;

	(void)state;
	fx_maps_init(&x);
	fx_verb(w.m, VERB_MAINT, "web", E3, MONO_S(101));
	assert_null(fx_push(&x, w.m));
	model_free(w.m);
	w.m = model_new();
	assert_int_equal(model_adopt(w.m, x.have, MONO_S(5)), 0);
	apply(&w, MONO_S(5));
	assert_int_equal(fx_id(w.m, "web", E1), id1);
	assert_int_equal(fx_id(w.m, "web", E3), id3);
	assert_int_equal(fx_state(w.m, "web", E1), EPS_UP);
	assert_int_equal(fx_view(w.m, "web", E1).reason, REASON_ADOPTED);
	assert_int_equal(fx_state(w.m, "web", E3), EPS_INIT); /* was not active */
	steps = (uint32_t)x.steps;
	assert_null(fx_push(&x, w.m));
	assert_int_equal(x.steps, steps);
	probe(w.m, id1, REASON_REFUSED, MONO_S(8)); /* the first result decides */
	assert_int_equal(fx_state(w.m, "web", E1), EPS_DOWN);
	assert_int_equal(fx_state(w.m, "web", E2), EPS_UP);
	assert_int_equal(model_adopt(w.m, x.have, MONO_S(9)), -EINVAL);
	assert_int_not_equal(id2, 0);
	fx_maps_free(&x);
	done(&w);
}

static void test_adopt_then_other_configuration(void **state)
{
	struct world w = up_world();
	struct fx_maps x;
	uint32_t id2 = fx_id(w.m, "web", E2), svc = fx_service_id(w.m, "web");

	(void)state;
	fx_maps_init(&x);
	assert_null(fx_push(&x, w.m));
	model_free(w.m);
	w.m = model_new();
	model_adopt(w.m, x.have, MONO_S(5));
	fx_endpoint_del(w.c, "web", E2);
	apply(&w, MONO_S(5));
	assert_int_equal(fx_state(w.m, "web", E2), EPS_DRAINING);
	assert_int_equal(fx_id(w.m, "web", E2), id2);
	assert_null(fx_push(&x, w.m));
	model_free(w.m);
	w.m = model_new();
	model_adopt(w.m, x.have, MONO_S(5));
	w.c->service[0].listen =
		fx_addr("192.0.2.200:443"); /* nothing of what runs is configured */
	apply(&w, MONO_S(6));
	assert_int_not_equal(fx_service_id(w.m, "web"), svc);
	assert_null(fx_push(&x, w.m));
	assert_int_equal(x.img->endpoint[id2].flags, RR_EP_PRESENT | RR_EP_NO_NEW | RR_EP_GONE);
	assert_int_equal(x.img->service[svc].flags, 0);
	fx_maps_free(&x);
	done(&w);
}

static void test_no_room_changes_nothing(void **state)
{
	struct world w = up_world();
	struct conf *big = fx_conf();
	char text[64];

	(void)state;
	for (int s = 0; s < 9; s++) {
		char name[16];

		snprintf(name, sizeof(name), "s%d", s);
		snprintf(text, sizeof(text), "192.0.2.%d:443", s + 1);
		fx_service(big, name, text);
		for (int i = 0; i < 1000; i++) {
			snprintf(text, sizeof(text), "10.%d.%d.%d:443", s, i / 250, i % 250 + 1);
			fx_endpoint(big, name, text, 1);
		}
	}
	model_planned(w.m);
	assert_int_equal(model_apply(w.m, big, true, MONO_S(110)), -ENOSPC);
	assert_false(model_dirty(w.m));
	assert_int_equal(fx_available(w.m, "web"), 3);
	conf_free(big);
	done(&w);
}

static void test_local_addresses(void **state)
{
	struct world w = { web_conf(), NULL };
	struct plan *p = plan_new();
	struct conf_service *s;
	uint32_t a, b, d;

	(void)state;
	s = fx_find(w.c, "web");
	s->local[0] = fx_addr("192.0.2.70");
	s->local[1] = fx_addr("fd00::70");
	s->local[2] = fx_addr("192.0.2.71");
	s->locals = 3;
	fx_endpoint(w.c, "web", "[fd00::1]:443", 100);
	s = fx_service(w.c, "api", "192.0.2.11:443");
	s->local[0] = fx_addr("192.0.2.71");
	s->local[1] = fx_addr("192.0.2.72");
	s->locals = 2;
	fx_endpoint(w.c, "api", "10.1.0.1:443", 100);
	s = fx_service(w.c, "direct", "192.0.2.12:443");
	s->mode = CONF_MODE_DSR;
	fx_endpoint(w.c, "direct", "10.2.0.1:443", 100);
	w.m = fx_model(w.c, MONO_S(100));
	fx_hops(w.m, MONO_S(100));
	assert_int_equal(plan_build(w.m, p), 0);
	a = fx_id(w.m, "web", E1);
	b = fx_id(w.m, "web", "[fd00::1]:443");
	d = fx_id(w.m, "api", "10.1.0.1:443");
	assert_int_equal(p->endpoint[a].local_count, 2);
	assert_int_equal(p->endpoint[b].local_count, 1);
	assert_int_equal(p->local[p->endpoint[b].local_first].family, RR_AF_INET6);
	/* .71 has one id; the run of the second service grows from there, or holds only what it can */
	assert_in_range(p->endpoint[d].local_count, 1, 2);
	assert_int_equal(p->local[p->endpoint[d].local_first].addr.a[3], 71);
	assert_int_equal(p->endpoint[fx_id(w.m, "direct", "10.2.0.1:443")].local_count, 0);
	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++) {
		for (uint32_t k = i + 1; k < RR_MAX_LOCALS && p->local[i].family; k++)
			assert_memory_not_equal(&p->local[i], &p->local[k], sizeof(p->local[i]));
	}
	plan_free(p);
	done(&w);
}

static void test_local_id_is_kept_for_an_hour(void **state)
{
	struct world w = up_world();
	struct plan *p = plan_new();
	uint32_t id = fx_id(w.m, "web", E1), was;
	struct addr src = fx_addr("10.9.9.8");

	(void)state;
	plan_build(w.m, p);
	was = p->endpoint[id].local_first;
	for (int k = 1; k <= 3; k++)
		model_nexthop(w.m,
			      fx_id(w.m, "web",
				    k == 1   ? E1
				    : k == 2 ? E2
					     : E3),
			      fx_hop(1), &src, MONO_S(200));
	model_tick(w.m, MONO_S(3799));
	plan_build(w.m, p);
	assert_int_not_equal(p->endpoint[id].local_first, was);
	assert_int_equal(p->local[was].family, RR_AF_INET);
	model_tick(w.m, MONO_S(3800));
	plan_build(w.m, p);
	assert_int_equal(p->local[was].family, 0);
	plan_free(p);
	done(&w);
}

static void test_drain_deadline_variants(void **state)
{
	(void)state;
	for (int what = CONF_DEADLINE_RST; what <= CONF_DEADLINE_FORGET; what++) {
		struct world w = { web_conf(), NULL };
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
		done(&w);
	}
}

static void test_maint_kill(void **state)
{
	struct world w = up_world();
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
	assert_int_equal(model_due(w.m, due, 8, MONO_S(110)), 2); /* no probes in maintenance */
	done(&w);
}

static void test_local_error_is_no_failure(void **state)
{
	struct world w = up_world();
	uint32_t id = fx_id(w.m, "web", E1);

	(void)state;
	fx_events(w.m, "");
	for (int i = 0; i < 5; i++)
		probe(w.m, id, REASON_LOCAL_ERROR, MONO_S(110 + 3 * i));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_UP);
	assert_int_equal(fx_view(w.m, "web", E1).probes_failed, 0);
	assert_int_equal(fx_events(w.m, "probe-error"), 1);
	done(&w);
}

static void test_check_now(void **state)
{
	struct world w = up_world();
	uint32_t due[8], id = fx_id(w.m, "web", E2);
	const struct conf_health *h;
	struct addr to;

	(void)state;
	assert_int_equal(model_due(w.m, due, 8, MONO_S(100)), 0);
	assert_int_equal(fx_verb(w.m, VERB_CHECK, "web", E2, MONO_S(100)), MODEL_OK);
	assert_int_equal(model_due(w.m, due, 8, MONO_S(100)), 1);
	assert_int_equal(due[0], id);
	assert_true(model_probe_target(w.m, id, &to, &h));
	assert_int_equal(to.port, 8443);
	assert_false(model_probe_target(w.m, 4000, &to, &h));
	done(&w);
}

static void test_event_ring_drops_the_oldest(void **state)
{
	struct world w = up_world();
	struct model_event ev;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < MODEL_EVENTS + 100; i++)
		model_event_note(w.m, "test", NULL, "x", 0, MONO_S(1));
	assert_true(model_event_take(w.m, &ev));
	for (n = 1; model_event_take(w.m, &ev); n++)
		assert_string_equal(ev.kind, "test");
	assert_int_equal(n, MODEL_EVENTS);
	done(&w);
}

static void test_tick_says_when(void **state)
{
	struct world w = up_world();
	uint32_t due[8];
	mono_t next = model_tick(w.m, MONO_S(100));

	(void)state;
	assert_in_range(next.us, MONO_MS(101800).us, MONO_MS(102200).us); /* the earliest probe */
	assert_int_equal(model_due(w.m, due, 8, MONO_US(next.us - 1)), 0);
	assert_in_range(model_due(w.m, due, 8, next), 1, 3);
	model_due(w.m, due, 8, MONO_S(110));
	fx_verb(w.m, VERB_DRAIN, "web", E1, MONO_S(110));
	assert_int_equal(model_tick(w.m, MONO_S(110)).us,
			 MONO_S(410).us); /* all in flight: the drain deadline */
	done(&w);
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
			assert_true((e->health == EP_UP) == (e->h >= e->rise));
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
	struct world w = up_world();
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
		for (size_t n = model_due(w.m, due, 8, now); n; n--)
			fx_result(w.m, due[n - 1], fx_rand(&r, 3) ? REASON_PASS : REASON_RESET,
				  now);
		if (!fx_rand(&r, 8))
			walk(w.m, 1 + fx_rand(&r, 4), 1, 1, now);
		now = mono_add(now, MONO_MS(fx_rand(&r, 3000)));
		model_tick(w.m, now);
		if (!(k % 16))
			check_consistent(w.m);
	}
	done(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_available_needs_all_dimensions),
		cmocka_unit_test(test_displayed_state_is_first_that_applies),
		cmocka_unit_test(test_without_checks),
		cmocka_unit_test(test_last_one_is_guarded),
		cmocka_unit_test(test_verbs_are_idempotent),
		cmocka_unit_test(test_verb_errors),
		cmocka_unit_test(test_weight),
		cmocka_unit_test(test_dry_run_changes_nothing),
		cmocka_unit_test(test_reload_keeps_what_is_unchanged),
		cmocka_unit_test(test_reload_keeps_probe_in_flight),
		cmocka_unit_test(test_renamed_and_moved_service_keeps_its_id),
		cmocka_unit_test(test_mode_change_is_another_service),
		cmocka_unit_test(test_overrides_survive_reload),
		cmocka_unit_test(test_overrides_survive_restart),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_adopt_then_other_configuration),
		cmocka_unit_test(test_no_room_changes_nothing),
		cmocka_unit_test(test_local_addresses),
		cmocka_unit_test(test_local_id_is_kept_for_an_hour),
		cmocka_unit_test(test_drain_deadline_variants),
		cmocka_unit_test(test_maint_kill),
		cmocka_unit_test(test_local_error_is_no_failure),
		cmocka_unit_test(test_check_now),
		cmocka_unit_test(test_event_ring_drops_the_oldest),
		cmocka_unit_test(test_tick_says_when),
		cmocka_unit_test(test_random_verbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
