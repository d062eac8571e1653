/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_model.c - services and endpoints through configuration, probes, hops, local addresses and
 * restarts.
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

static void probe(struct model *m, uint32_t id, enum reason why, mono_t now)
{
	uint32_t due[64];
	size_t n = fx_due(m, due, 64, now);
	bool mine = false;

	for (size_t i = 0; i < n; i++) {
		mine |= due[i] == id;
		fx_result(m, due[i], due[i] == id ? why : REASON_PASS, now);
	}
	assert_true(mine);
}

static void test_available_needs_all_dimensions(void **state)
{
	struct fx_world w = { fx_web_conf(), NULL };
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
	model_iface(w.m, 0, 0, NULL, 1500, MONO_S(103));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_NO_HOP);
	assert_int_equal(fx_available(w.m, "web"), 0);
	model_iface(w.m, 0, 7, NULL, 1500, MONO_S(104));
	assert_int_equal(fx_available(w.m, "web"), 3);
	model_nexthop(w.m, id, 0, NULL, MONO_S(105));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_NO_HOP);
	assert_int_equal(fx_view(w.m, "web", E1).reason, REASON_NO_NEXT_HOP);
	assert_int_equal(fx_events(w.m, "next-hop-lost"), 1);
	fx_world_free(&w);
}

static void test_displayed_state_is_first_that_applies(void **state)
{
	struct fx_world w = fx_world();
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
	/* not probed during maintenance: nothing is known */
	assert_int_equal(fx_state(w.m, "web", E1), EPS_INIT);
	fx_world_free(&w);
}

static void test_without_checks(void **state)
{
	struct fx_world w = { fx_web_conf(), NULL };
	uint32_t due[8];

	(void)state;
	fx_find(w.c, "web")->health.type = PROBE_NONE;
	w.m = fx_model(w.c, MONO_S(100));
	fx_hops(w.m, MONO_S(100));
	assert_int_equal(fx_available(w.m, "web"), 3);
	assert_int_equal(fx_view(w.m, "web", E1).reason, REASON_NO_CHECK);
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(200)), 0);
	assert_int_equal(fx_verb(w.m, VERB_CHECK, "web", E1, MONO_S(200)), MODEL_INVALID);
	fx_world_free(&w);
}

static void test_reload_keeps_what_is_unchanged(void **state)
{
	struct fx_world w = fx_world();
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
	fx_world_free(&w);
}

static void test_reload_keeps_probe_in_flight(void **state)
{
	struct fx_world w = fx_world();
	uint32_t id = fx_id(w.m, "web", E1), due[8];

	(void)state;
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(110)), 3);
	apply(&w, MONO_S(110));
	/* still in flight: never two at once */
	assert_int_equal(fx_due(w.m, due, 8, MONO_S(200)), 0);
	for (int i = 0; i < 3; i++) {
		fx_result(w.m, id, REASON_REFUSED, MONO_S(200 + i));
		fx_due(w.m, due, 8, MONO_S(201 + i));
	}
	assert_int_equal(fx_state(w.m, "web", E1), EPS_DOWN);
	fx_world_free(&w);
}

static void test_renamed_and_moved_service_keeps_its_id(void **state)
{
	struct fx_world w = fx_world();
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
	fx_world_free(&w);
}

static void test_mode_change_is_another_service(void **state)
{
	struct fx_world w = fx_world();
	uint32_t svc = fx_service_id(w.m, "web"), id = fx_id(w.m, "web", E1);

	(void)state;
	fx_verb(w.m, VERB_DRAIN, "web", E2, MONO_S(101));
	w.c->service[0].mode = RR_MODE_DSR;
	apply(&w, MONO_S(110));
	assert_int_not_equal(fx_service_id(w.m, "web"), svc);
	assert_int_not_equal(fx_id(w.m, "web", E1), id);
	assert_int_equal(fx_state(w.m, "web", E2), EPS_DRAINING);
	w.c->service[0].mode = RR_MODE_NAT;
	apply(&w, MONO_S(111));
	assert_int_equal(fx_service_id(w.m, "web"), svc); /* the old one was still in quarantine */
	fx_world_free(&w);
}

/*
 * Everything is as before a restart: ids, rotation, hops, and nothing leaves before its first
 * result.
 */
static void test_adopt(void **state)
{
	struct fx_world w = fx_world();
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
	fx_world_free(&w);
}

static void test_adopt_then_other_configuration(void **state)
{
	struct fx_world w = fx_world();
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
	/* nothing of what runs is configured */
	w.c->service[0].listen = fx_addr("192.0.2.200:443");
	apply(&w, MONO_S(6));
	assert_int_not_equal(fx_service_id(w.m, "web"), svc);
	assert_null(fx_push(&x, w.m));
	assert_int_equal(x.img->endpoint[id2].flags, RR_EP_PRESENT | RR_EP_NO_NEW | RR_EP_GONE);
	assert_int_equal(x.img->service[svc].flags, 0);
	fx_maps_free(&x);
	fx_world_free(&w);
}

static void test_no_room_changes_nothing(void **state)
{
	struct fx_world w = fx_world();
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
	fx_world_free(&w);
}

static void test_local_error_is_no_failure(void **state)
{
	struct fx_world w = fx_world();
	uint32_t id = fx_id(w.m, "web", E1);

	(void)state;
	fx_events(w.m, "");
	for (int i = 0; i < 5; i++)
		probe(w.m, id, REASON_LOCAL_ERROR, MONO_S(110 + 3 * i));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_UP);
	assert_int_equal(fx_view(w.m, "web", E1).probes_failed, 0);
	assert_int_equal(fx_events(w.m, "probe-error"), 1);
	fx_world_free(&w);
}

static void assert_fresh(struct model *m, enum model_fresh kind, size_t n, uint32_t first)
{
	uint32_t id[16];

	assert_int_equal(model_fresh(m, kind, id, 16), n);
	if (n)
		assert_int_equal(id[0], first);
	assert_int_equal(model_fresh(m, kind, id, 16), 0); /* told once */
}

/* Which ids are another's from now on: new ones; not those of who comes back. */
static void test_fresh_ids(void **state)
{
	struct fx_world w = fx_world();
	uint32_t e3, svc = fx_service_id(w.m, "web"), four[2];

	(void)state;
	assert_int_equal(model_fresh(w.m, FRESH_ENDPOINT, four, 2), 2); /* in pieces */
	assert_fresh(w.m, FRESH_ENDPOINT, 1, 3);
	assert_fresh(w.m, FRESH_SERVICE, 1, svc);
	e3 = fx_id(w.m, "web", E3);
	assert_int_equal(fx_verb(w.m, VERB_DEL, "web", E3, MONO_S(200)), MODEL_OK);
	assert_int_equal(fx_verb(w.m, VERB_ADD, "web", E3, MONO_S(201)), MODEL_OK);
	assert_int_equal(fx_id(w.m, "web", E3), e3);
	assert_fresh(w.m, FRESH_ENDPOINT, 0, 0);
	assert_int_equal(fx_verb(w.m, VERB_ADD, "web", "10.0.0.9:8443", MONO_S(202)), MODEL_OK);
	assert_fresh(w.m, FRESH_ENDPOINT, 1, fx_id(w.m, "web", "10.0.0.9:8443"));
	fx_find(w.c, "web")->mode = RR_MODE_DSR; /* another service, by another id */
	for (size_t i = 0; i < w.c->service[0].endpoints; i++)
		w.c->service[0].endpoint[i].addr.port = 443;
	assert_int_equal(model_apply(w.m, w.c, false, MONO_S(300)), 0);
	assert_int_not_equal(fx_service_id(w.m, "web"), svc);
	assert_fresh(w.m, FRESH_SERVICE, 1, fx_service_id(w.m, "web"));
	fx_find(w.c, "web")->mode = RR_MODE_NAT; /* the first one comes back */
	assert_int_equal(model_apply(w.m, w.c, false, MONO_S(301)), 0);
	assert_int_equal(fx_service_id(w.m, "web"), svc);
	assert_fresh(w.m, FRESH_SERVICE, 0, 0);
	fx_world_free(&w);
}

static void test_event_ring_drops_the_oldest(void **state)
{
	size_t n;
	struct fx_world w = fx_world();
	struct model_event ev, x = { .kind = EVENT_AUDIT, .text = "x" };

	(void)state;
	for (int i = 0; i < MODEL_EVENTS + 100; i++)
		model_event_note(w.m, &x, MONO_S(1));
	assert_true(model_event_take(w.m, &ev));
	for (n = 1; model_event_take(w.m, &ev); n++)
		assert_int_equal(ev.kind, EVENT_AUDIT);
	assert_int_equal(n, MODEL_EVENTS);
	fx_world_free(&w);
}

static void test_tick_says_when(void **state)
{
	struct fx_world w = fx_world();
	uint32_t due[8];
	mono_t next = model_tick(w.m, MONO_S(100));

	(void)state;
	assert_in_range(next.us, MONO_MS(101800).us, MONO_MS(102200).us); /* the earliest probe */
	assert_int_equal(fx_due(w.m, due, 8, MONO_US(next.us - 1)), 0);
	assert_in_range(fx_due(w.m, due, 8, next), 1, 3);
	fx_due(w.m, due, 8, MONO_S(110));
	fx_verb(w.m, VERB_DRAIN, "web", E1, MONO_S(110));
	/* all in flight: the drain deadline */
	assert_int_equal(model_tick(w.m, MONO_S(110)).us, MONO_S(410).us);
	fx_world_free(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_available_needs_all_dimensions),
		cmocka_unit_test(test_displayed_state_is_first_that_applies),
		cmocka_unit_test(test_without_checks),
		cmocka_unit_test(test_reload_keeps_what_is_unchanged),
		cmocka_unit_test(test_reload_keeps_probe_in_flight),
		cmocka_unit_test(test_renamed_and_moved_service_keeps_its_id),
		cmocka_unit_test(test_mode_change_is_another_service),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_adopt_then_other_configuration),
		cmocka_unit_test(test_no_room_changes_nothing),
		cmocka_unit_test(test_local_error_is_no_failure),
		cmocka_unit_test(test_fresh_ids),
		cmocka_unit_test(test_event_ring_drops_the_oldest),
		cmocka_unit_test(test_tick_says_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
