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
	fx_find(w.c, "web")->health.type = PROBE_NONE;
	w.m = fx_model(w.c, MONO_S(100));
	fx_hops(w.m, MONO_S(100));
	assert_int_equal(fx_available(w.m, "web"), 3);
	assert_int_equal(fx_view(w.m, "web", E1).reason, REASON_NO_CHECK);
	assert_int_equal(model_due(w.m, due, 8, MONO_S(200)), 0);
	assert_int_equal(fx_verb(w.m, VERB_CHECK, "web", E1, MONO_S(200)), MODEL_INVALID);
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

/*
 * Everything is as before a restart: ids, rotation, hops, and nothing leaves before its first
 * result.
 */
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
	/*
	 * .71 has one id; the run of the second service grows from there, or holds only what it can
	 */
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

static void all_from(struct model *m, const char *src, mono_t now)
{
	struct addr a = fx_addr(src);

	model_nexthop(m, fx_id(m, "web", E1), fx_hop(1), &a, now);
	model_nexthop(m, fx_id(m, "web", E2), fx_hop(1), &a, now);
	model_nexthop(m, fx_id(m, "web", E3), fx_hop(1), &a, now);
}

static struct rr_local local_at(struct model *m, uint32_t id)
{
	struct plan *p = plan_new();
	struct rr_local l;

	assert_int_equal(plan_build(m, p), 0);
	l = p->local[id];
	plan_free(p);
	return l;
}

static uint32_t local_of(struct model *m, const char *addr)
{
	struct plan *p = plan_new();
	uint32_t id;

	assert_int_equal(plan_build(m, p), 0);
	id = p->endpoint[fx_id(m, "web", addr)].local_first;
	plan_free(p);
	return id;
}

/*
 * Nothing happened for hours, then an address is given up: its hour begins now, not at the last
 * tick.
 */
static void test_local_id_after_idle_hours(void **state)
{
	struct world w = up_world();
	uint32_t was = local_of(w.m, E1);

	(void)state;
	all_from(w.m, "10.9.9.8", MONO_S(9000));
	model_tick(w.m, MONO_S(9000));
	assert_int_equal(local_at(w.m, was).family, RR_AF_INET);
	done(&w);
}

/*
 * The maps lag an hour behind: the address stays until a plan has been made in which no endpoint
 * has it.
 */
static void test_local_id_waits_for_the_plan(void **state)
{
	struct world w = up_world();
	uint32_t was = local_of(w.m, E1);

	(void)state;
	model_planned(w.m);
	all_from(w.m, "10.9.9.8", MONO_S(200));
	assert_int_equal(model_tick(w.m, MONO_S(8000)).us > 0, 1);
	assert_int_equal(local_at(w.m, was).family, RR_AF_INET);
	model_planned(w.m);
	model_tick(w.m, MONO_S(8001));
	assert_int_equal(local_at(w.m, was).family, 0);
	done(&w);
}

/* Freed in the model, not yet in the maps: the id is for the same address only. */
static void test_local_id_held_by_the_maps(void **state)
{
	struct world w = up_world();
	uint32_t was = local_of(w.m, E1);

	(void)state;
	model_planned(w.m);
	all_from(w.m, "10.9.9.8", MONO_S(200));
	model_planned(w.m);
	model_tick(w.m, MONO_S(3800));
	assert_int_equal(local_at(w.m, was).family, 0);
	all_from(w.m, "10.9.9.7", MONO_S(3801));
	assert_int_not_equal(local_of(w.m, E1), was);
	all_from(w.m, "10.9.9.9", MONO_S(3802));
	assert_int_equal(local_of(w.m, E1), was);
	done(&w);
}

/*
 * What a broken-off push left: an address without a row is not taken over, nor an endpoint's use
 * of it.
 */
static void test_adopt_half_a_push(void **state)
{
	struct world w = up_world();
	struct fx_maps x;
	uint32_t was = local_of(w.m, E1), id = fx_id(w.m, "web", E1);

	(void)state;
	fx_maps_init(&x);
	assert_null(fx_push(&x, w.m));
	x.have->local[was + 1] = x.have->local[was];
	x.have->endpoint[id].local_first = (uint16_t)(was + 1);
	model_free(w.m);
	w.m = model_new();
	assert_int_equal(model_adopt(w.m, x.have, MONO_S(5)), 0);
	apply(&w, MONO_S(5));
	assert_int_equal(fx_state(w.m, "web", E1), EPS_NO_HOP);
	assert_int_equal(fx_state(w.m, "web", E2), EPS_UP);
	fx_hops(w.m, MONO_S(6));
	assert_int_equal(local_of(w.m, E1), was);
	assert_int_equal(local_at(w.m, was + 1).family, 0);
	fx_maps_free(&x);
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
	struct world w = up_world();
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
	fx_find(w.c, "web")->mode = CONF_MODE_DSR; /* another service, by another id */
	for (size_t i = 0; i < w.c->service[0].endpoints; i++)
		w.c->service[0].endpoint[i].addr.port = 443;
	assert_int_equal(model_apply(w.m, w.c, false, MONO_S(300)), 0);
	assert_int_not_equal(fx_service_id(w.m, "web"), svc);
	assert_fresh(w.m, FRESH_SERVICE, 1, fx_service_id(w.m, "web"));
	fx_find(w.c, "web")->mode = CONF_MODE_NAT; /* the first one comes back */
	assert_int_equal(model_apply(w.m, w.c, false, MONO_S(301)), 0);
	assert_int_equal(fx_service_id(w.m, "web"), svc);
	assert_fresh(w.m, FRESH_SERVICE, 0, 0);
	done(&w);
}

static void test_event_ring_drops_the_oldest(void **state)
{
	struct world w = up_world();
	struct model_event ev, x = { .kind = EVENT_AUDIT, .text = "x" };
	size_t n = 0;

	(void)state;
	for (int i = 0; i < MODEL_EVENTS + 100; i++)
		model_event_note(w.m, &x, MONO_S(1));
	assert_true(model_event_take(w.m, &ev));
	for (n = 1; model_event_take(w.m, &ev); n++)
		assert_int_equal(ev.kind, EVENT_AUDIT);
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
		cmocka_unit_test(test_local_addresses),
		cmocka_unit_test(test_local_id_is_kept_for_an_hour),
		cmocka_unit_test(test_local_id_after_idle_hours),
		cmocka_unit_test(test_local_id_waits_for_the_plan),
		cmocka_unit_test(test_local_id_held_by_the_maps),
		cmocka_unit_test(test_adopt_half_a_push),
		cmocka_unit_test(test_local_error_is_no_failure),
		cmocka_unit_test(test_fresh_ids),
		cmocka_unit_test(test_event_ring_drops_the_oldest),
		cmocka_unit_test(test_tick_says_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
