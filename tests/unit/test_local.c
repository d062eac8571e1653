/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_local.c - local addresses of nat mode: which ids they get, how long these stay theirs, and
 * what a broken-off push has left of them.
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
#define E3 FX_E3

static void test_local_addresses(void **state)
{
	struct fx_world w = { fx_web_conf(), NULL };
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
	s->mode = RR_MODE_DSR;
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
	fx_world_free(&w);
}

static struct rr_endpoint row_of(struct model *m, const char *service, const char *addr)
{
	struct plan *p = plan_new();
	struct rr_endpoint e;

	assert_int_equal(plan_build(m, p), 0);
	e = p->endpoint[fx_id(m, service, addr)];
	plan_free(p);
	return e;
}

/* A set of local ports for each endpoint and local address; one address has one set for all. */
static void test_port_sets(void **state)
{
	struct fx_world w = { fx_web_conf(), NULL };
	struct rr_endpoint a, b, c;
	struct conf_service *s;

	(void)state;
	s = fx_find(w.c, "web");
	s->local[0] = fx_addr("192.0.2.70");
	s->local[1] = fx_addr("192.0.2.71");
	s->locals = 2;
	s = fx_service(w.c, "api", "192.0.2.11:443");
	s->local[0] = fx_addr("192.0.2.70");
	s->local[1] = fx_addr("192.0.2.71");
	s->locals = 2;
	fx_endpoint(w.c, "api", "10.0.0.1:9000", 100); /* the address of E1 */
	w.m = fx_model(w.c, MONO_S(100));
	fx_hops(w.m, MONO_S(100));
	a = row_of(w.m, "web", E1);
	b = row_of(w.m, "web", E2);
	c = row_of(w.m, "api", "10.0.0.1:9000");
	assert_int_not_equal(a.port_set[0], 0);
	assert_int_not_equal(a.port_set[1], 0);
	assert_int_not_equal(a.port_set[0], a.port_set[1]);
	assert_int_equal(a.port_set[2], 0);
	assert_memory_equal(a.port_set, c.port_set, sizeof(a.port_set));
	assert_int_not_equal(b.port_set[0], a.port_set[0]);
	assert_int_not_equal(b.port_set[0], a.port_set[1]);
	fx_world_free(&w);
}

/* With two sets, two endpoints have one each; the third is given ports by hash, until one goes. */
static void test_port_sets_run_out(void **state)
{
	struct fx_world w = { fx_web_conf(), NULL };
	uint16_t was;

	(void)state;
	w.c->port_sets = 2;
	w.m = fx_model(w.c, MONO_S(100));
	fx_all_up(w.m, MONO_S(100));
	was = row_of(w.m, "web", E1).port_set[0];
	assert_in_range(was, 1, 2);
	assert_in_range(row_of(w.m, "web", E2).port_set[0], 1, 2);
	assert_int_equal(row_of(w.m, "web", E3).port_set[0], 0);
	assert_int_equal(row_of(w.m, "web", E1).port_set[0], was);
	fx_world_free(&w);
}

/* A new controller finds them in the maps. */
static void test_port_sets_are_adopted(void **state)
{
	struct fx_world w = { fx_web_conf(), NULL }, next = { NULL, NULL };
	struct plan *have = plan_new();
	struct rr_endpoint e;

	(void)state;
	w.m = fx_model(w.c, MONO_S(100));
	fx_all_up(w.m, MONO_S(100));
	assert_int_equal(plan_build(w.m, have), 0);
	have->endpoint[fx_id(w.m, "web", E1)].port_set[0] = 77;
	next.c = conf_copy(w.c);
	next.m = model_new();
	assert_int_equal(model_adopt(next.m, have, MONO_S(200)), 0);
	assert_int_equal(model_apply(next.m, next.c, false, MONO_S(200)), 0);
	e = row_of(next.m, "web", E1);
	assert_int_equal(e.port_set[0], 77);
	e = row_of(next.m, "web", E2);
	assert_memory_equal(e.port_set, have->endpoint[fx_id(w.m, "web", E2)].port_set,
			    sizeof(e.port_set));
	plan_free(have);
	fx_world_free(&w);
	fx_world_free(&next);
}

/* Flows of the last walk in percent of the range, with all that share the address. */
static void test_port_percent(void **state)
{
	struct fx_world w = { fx_web_conf(), NULL };
	uint32_t open[RR_MAX_ENDPOINTS] = { 0 }, id, twin;

	(void)state;
	w.c->port_lo = 1000;
	w.c->port_hi = 1999;
	fx_service(w.c, "api", "192.0.2.11:443");
	fx_endpoint(w.c, "api", "10.0.0.1:9000", 100);
	w.m = fx_model(w.c, MONO_S(100));
	fx_all_up(w.m, MONO_S(100));
	id = fx_id(w.m, "web", E1);
	twin = fx_id(w.m, "api", "10.0.0.1:9000");
	open[id] = 700;
	open[twin] = 100;
	model_ports(w.m, open, RR_MAX_ENDPOINTS);
	assert_int_equal(fx_view(w.m, "web", E1).port_percent, 80);
	assert_int_equal(fx_view(w.m, "api", "10.0.0.1:9000").port_percent, 80);
	assert_int_equal(fx_view(w.m, "web", E2).port_percent, 0);
	fx_world_free(&w);
}

static void test_local_id_is_kept_for_an_hour(void **state)
{
	struct fx_world w = fx_world();
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
	fx_world_free(&w);
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
	struct fx_world w = fx_world();
	uint32_t was = local_of(w.m, E1);

	(void)state;
	all_from(w.m, "10.9.9.8", MONO_S(9000));
	model_tick(w.m, MONO_S(9000));
	assert_int_equal(local_at(w.m, was).family, RR_AF_INET);
	fx_world_free(&w);
}

/*
 * The maps lag an hour behind: the address stays until a plan has been made in which no endpoint
 * has it.
 */
static void test_local_id_waits_for_the_plan(void **state)
{
	struct fx_world w = fx_world();
	uint32_t was = local_of(w.m, E1);

	(void)state;
	model_planned(w.m);
	all_from(w.m, "10.9.9.8", MONO_S(200));
	assert_int_equal(model_tick(w.m, MONO_S(8000)).us > 0, 1);
	assert_int_equal(local_at(w.m, was).family, RR_AF_INET);
	model_planned(w.m);
	model_tick(w.m, MONO_S(8001));
	assert_int_equal(local_at(w.m, was).family, 0);
	fx_world_free(&w);
}

/* Freed in the model, not yet in the maps: the id is for the same address only. */
static void test_local_id_held_by_the_maps(void **state)
{
	struct fx_world w = fx_world();
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
	fx_world_free(&w);
}

/*
 * What a broken-off push left: an address without a row is not taken over, nor an endpoint's use
 * of it.
 */
static void test_adopt_half_a_push(void **state)
{
	struct fx_world w = fx_world();
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
	assert_int_equal(model_apply(w.m, w.c, false, MONO_S(5)), 0);
	assert_int_equal(fx_state(w.m, "web", E1), EPS_NO_HOP);
	assert_int_equal(fx_state(w.m, "web", E2), EPS_UP);
	fx_hops(w.m, MONO_S(6));
	assert_int_equal(local_of(w.m, E1), was);
	assert_int_equal(local_at(w.m, was + 1).family, 0);
	fx_maps_free(&x);
	fx_world_free(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_local_addresses),
		cmocka_unit_test(test_port_sets),
		cmocka_unit_test(test_port_sets_run_out),
		cmocka_unit_test(test_port_sets_are_adopted),
		cmocka_unit_test(test_port_percent),
		cmocka_unit_test(test_local_id_is_kept_for_an_hour),
		cmocka_unit_test(test_local_id_after_idle_hours),
		cmocka_unit_test(test_local_id_waits_for_the_plan),
		cmocka_unit_test(test_local_id_held_by_the_maps),
		cmocka_unit_test(test_adopt_half_a_push),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
