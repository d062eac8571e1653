/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_plan.c - what plans hold, and in which order differences are applied.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "lib/fixture.h"
#include "rr_hash.h"

static struct conf *web_conf(void)
{
	struct conf *c = fx_conf();

	fx_service(c, "web", "192.0.2.10:443");
	fx_endpoint(c, "web", "10.0.0.1:8443", 300);
	fx_endpoint(c, "web", "10.0.0.2:8443", 200);
	fx_endpoint(c, "web", "10.0.0.3:8443", 100);
	return c;
}

static void test_elements(void **state)
{
	struct conf *c = web_conf();
	struct model *m;
	struct plan *p;
	uint32_t id, svc;

	(void)state;
	fx_find(c, "web")->on_unknown = RR_UNKNOWN_DROP;
	fx_find(c, "web")->t_syn = MONO_MS(1);
	m = fx_model(c, MONO_S(1));
	model_set_hz(m, 100);
	fx_all_up(m, MONO_S(1));
	p = fx_plan(m);
	svc = fx_service_id(m, "web");
	id = fx_id(m, "web", "10.0.0.1:8443");
	assert_int_equal(p->service[svc].flags, RR_SVC_PRESENT);
	assert_int_equal(p->service[svc].port, htons(443));
	assert_int_equal(p->service[svc].family, RR_AF_INET);
	assert_int_equal(p->service[svc].on_unknown, RR_UNKNOWN_DROP);
	assert_int_equal(p->service[svc].t_syn, 1); /* never 0, never shorter than asked */
	assert_int_equal(p->service[svc].t_est, 90000);
	assert_int_equal(RR_ROT_LEN(p->service[svc].rotation), 6);
	assert_int_equal(p->slot[svc][0], id);
	assert_int_equal(p->endpoint[id].flags, RR_EP_PRESENT);
	assert_int_equal(p->endpoint[id].service, svc);
	assert_int_equal(p->endpoint[id].hop, fx_hop(id));
	assert_memory_equal(p->endpoint[id].addr.a, "\x0a\x00\x00\x01\x00\x00\x00\x00", 8);
	assert_int_equal(p->endpoint[id].local_count, 1);
	assert_int_equal(p->local[p->endpoint[id].local_first].family, RR_AF_INET);
	assert_int_equal(p->vips, 2);
	assert_true(p->enabled);
	plan_free(p);
	model_free(m);
	conf_free(c);
}

static void test_unavailable_is_no_new(void **state)
{
	struct conf *c = web_conf();
	struct model *m = fx_model(c, MONO_S(1));
	struct plan *p = fx_plan(m);
	uint32_t svc = fx_service_id(m, "web"), id = fx_id(m, "web", "10.0.0.2:8443");

	(void)state;
	assert_int_equal(p->endpoint[id].flags, RR_EP_PRESENT | RR_EP_NO_NEW);
	assert_int_equal(p->service[svc].rotation, 0);
	assert_null(p->slot[svc]);
	plan_free(p);
	model_free(m);
	conf_free(c);
}

/* Index of the first step of this kind and id, or n. */
static size_t at(const struct plan_ops *o, enum plan_op_kind kind, uint32_t id)
{
	size_t i = 0;

	while (i < o->n && (o->op[i].kind != kind || o->op[i].id != id))
		i++;
	return i;
}

/* The same of a step about a table. */
static size_t at_table(const struct plan_ops *o, enum plan_op_kind kind, enum plan_table t,
		       uint32_t id)
{
	size_t i = at(o, kind, id);

	while (i < o->n && (o->op[i].kind != kind || o->op[i].table != t || o->op[i].id != id))
		i++;
	return i;
}

static void assert_table(const struct plan_op *op, enum plan_op_kind kind, enum plan_table t)
{
	assert_int_equal(op->kind, kind);
	assert_int_equal(op->table, t);
}

static void test_order_of_removal(void **state)
{
	struct conf *c = web_conf();
	struct model *m = fx_model(c, MONO_S(1));
	struct fx_maps x;
	struct plan_ops ops = { 0 };
	struct plan *want;
	uint32_t svc, id;

	(void)state;
	fx_maps_init(&x);
	fx_all_up(m, MONO_S(1));
	assert_ok(fx_push(&x, m));
	svc = fx_service_id(m, "web");
	id = fx_id(m, "web", "10.0.0.1:8443");
	assert_int_equal(fx_verb(m, VERB_DRAIN, "web", "10.0.0.1:8443", MONO_S(2)), MODEL_OK);
	want = fx_plan(m);
	assert_int_equal(plan_diff(x.have, want, &ops), 0);
	assert_int_equal(ops.n, 3);
	assert_int_equal(ops.op[0].kind, PLAN_EP_FLAGS);
	assert_int_equal(ops.op[0].id, id);
	assert_int_equal(ops.op[0].value, RR_EP_PRESENT | RR_EP_NO_NEW);
	assert_table(&ops.op[1], PLAN_TABLE_FILL, TABLE_ROTATION);
	assert_table(&ops.op[2], PLAN_TABLE_SWITCH, TABLE_ROTATION);
	assert_int_equal(ops.op[2].id, svc);
	assert_int_equal(RR_ROT_COPY(want->service[svc].rotation),
			 !RR_ROT_COPY(x.have->service[svc].rotation));
	plan_ops_free(&ops);
	plan_free(want);
	fx_maps_free(&x);
	model_free(m);
	conf_free(c);
}

static void test_order_of_arrival(void **state)
{
	struct conf *c = web_conf();
	struct model *m = fx_model(c, MONO_S(1));
	struct fx_maps x;
	struct plan_ops ops = { 0 };
	struct plan *want;
	uint32_t svc, id;

	(void)state;
	fx_maps_init(&x);
	fx_all_up(m, MONO_S(1));
	assert_ok(fx_push(&x, m));
	fx_service(c, "api", "192.0.2.11:443");
	fx_endpoint(c, "api", "10.0.1.1:8443", 100);
	fx_find(c, "api")->local[0] = fx_addr("192.0.2.77");
	fx_find(c, "api")->locals = 1;
	assert_int_equal(model_apply(m, c, false, MONO_S(2)), 0);
	fx_all_up(m, MONO_S(2));
	svc = fx_service_id(m, "api");
	id = fx_id(m, "api", "10.0.1.1:8443");
	want = fx_plan(m);
	assert_int_equal(plan_diff(x.have, want, &ops), 0);
	/*
	 * local -> row of the local -> endpoint -> rotation -> service -> switch -> row of the
	 * service
	 */
	assert_int_equal(ops.op[0].kind, PLAN_LOCAL);
	assert_true(at_table(&ops, PLAN_TABLE_SWITCH, TABLE_ADDRESS, 0) <
		    at(&ops, PLAN_EP_WRITE, id));
	assert_true(at(&ops, PLAN_EP_WRITE, id) <
		    at_table(&ops, PLAN_TABLE_FILL, TABLE_ROTATION, svc));
	assert_true(at_table(&ops, PLAN_TABLE_FILL, TABLE_ROTATION, svc) <
		    at(&ops, PLAN_SVC_WRITE, svc));
	assert_true(at(&ops, PLAN_SVC_WRITE, svc) <
		    at_table(&ops, PLAN_TABLE_SWITCH, TABLE_ROTATION, svc));
	assert_table(&ops.op[ops.n - 1], PLAN_TABLE_SWITCH, TABLE_ADDRESS);
	assert_true(at_table(&ops, PLAN_TABLE_SWITCH, TABLE_ROTATION, svc) < ops.n - 2);
	plan_ops_free(&ops);
	plan_free(want);
	fx_maps_free(&x);
	model_free(m);
	conf_free(c);
}

static void test_removed_service_leaves_the_table_first(void **state)
{
	struct conf *c = web_conf();
	struct model *m;
	struct fx_maps x;
	struct plan_ops ops = { 0 };
	struct plan *want;
	uint32_t svc, id;

	(void)state;
	fx_service(c, "api", "192.0.2.11:443");
	fx_endpoint(c, "api", "10.0.1.1:8443", 100);
	m = fx_model(c, MONO_S(1));
	fx_maps_init(&x);
	fx_all_up(m, MONO_S(1));
	assert_ok(fx_push(&x, m));
	svc = fx_service_id(m, "api");
	id = fx_id(m, "api", "10.0.1.1:8443");
	free(c->service[--c->services].endpoint);
	assert_int_equal(model_apply(m, c, false, MONO_S(2)), 0);
	want = fx_plan(m);
	assert_int_equal(plan_diff(x.have, want, &ops), 0);
	assert_int_equal(ops.op[0].kind, PLAN_EP_FLAGS);
	assert_int_equal(ops.op[0].value,
			 RR_EP_PRESENT | RR_EP_NO_NEW); /* not GONE yet: a rotation names it */
	assert_table(&ops.op[1], PLAN_TABLE_FILL, TABLE_ADDRESS);
	assert_table(&ops.op[2], PLAN_TABLE_SWITCH, TABLE_ADDRESS);
	assert_true(at_table(&ops, PLAN_TABLE_SWITCH, TABLE_ROTATION, svc) <
			    at(&ops, PLAN_SVC_WRITE, svc) ||
		    at(&ops, PLAN_SVC_FLAGS, svc) < ops.n);
	assert_int_equal(ops.op[ops.n - 1].kind, PLAN_EP_FLAGS);
	assert_int_equal(ops.op[ops.n - 1].id, id);
	assert_int_equal(ops.op[ops.n - 1].value, RR_EP_PRESENT | RR_EP_NO_NEW | RR_EP_GONE);
	assert_int_equal(want->service[svc].flags, 0);
	assert_true(want->service[svc].t_est > 0); /* the walk still needs the timeouts */
	plan_ops_free(&ops);
	plan_free(want);
	fx_maps_free(&x);
	model_free(m);
	conf_free(c);
}

static void test_nothing_changed(void **state)
{
	struct conf *c = web_conf();
	struct model *m = fx_model(c, MONO_S(1));
	struct fx_maps x;
	size_t steps;

	(void)state;
	fx_maps_init(&x);
	fx_all_up(m, MONO_S(1));
	assert_ok(fx_push(&x, m));
	steps = x.steps;
	assert_false(model_dirty(m));
	assert_ok(fx_push(&x, m));
	assert_int_equal(model_apply(m, c, false, MONO_S(3)), 0);
	assert_ok(fx_push(&x, m));
	assert_int_equal(x.steps, steps);
	fx_maps_free(&x);
	model_free(m);
	conf_free(c);
}

static void test_hop_is_one_store(void **state)
{
	struct conf *c = web_conf();
	struct model *m = fx_model(c, MONO_S(1));
	struct fx_maps x;
	struct plan_ops ops = { 0 };
	struct plan *want;
	uint32_t id;

	(void)state;
	fx_maps_init(&x);
	fx_all_up(m, MONO_S(1));
	assert_ok(fx_push(&x, m));
	id = fx_id(m, "web", "10.0.0.1:8443");
	model_nexthop(m, id, fx_hop(99), NULL, MONO_S(2));
	want = fx_plan(m);
	assert_int_equal(plan_diff(x.have, want, &ops), 0);
	assert_int_equal(ops.n, 1);
	assert_int_equal(ops.op[0].kind, PLAN_EP_HOP);
	assert_int_equal(ops.op[0].value, fx_hop(99));
	plan_ops_free(&ops);
	plan_free(want);
	fx_maps_free(&x);
	model_free(m);
	conf_free(c);
}

/*
 * A `have` that gives an id to another endpoint, and one that lists a service under another
 * address: still safe.
 */
static void test_foreign_have(void **state)
{
	struct conf *c = web_conf();
	struct model *m = fx_model(c, MONO_S(1));
	struct fx_maps x;
	struct plan *want;
	uint32_t svc = 0, id;

	(void)state;
	fx_maps_init(&x);
	fx_all_up(m, MONO_S(1));
	assert_ok(fx_push(&x, m));
	id = fx_id(m, "web", "10.0.0.1:8443");
	want = fx_plan(m);
	want->endpoint[id].addr.a[3] = 200;
	want->service[svc].addr.a[3] = 99;
	assert_ok(fx_steps(&x, want, false));
	fx_maps_free(&x);
	model_free(m);
	conf_free(c);
}

/* An element whose mode changes in place must not be reachable while it is written. */
static void test_changed_mode_is_hidden(void **state)
{
	struct conf *c = web_conf();
	struct model *m = fx_model(c, MONO_S(1));
	struct fx_maps x;
	struct plan_ops ops = { 0 };
	struct plan *want;
	size_t write;

	(void)state;
	fx_maps_init(&x);
	fx_all_up(m, MONO_S(1));
	assert_ok(fx_push(&x, m));
	want = fx_plan(m);
	want->service[0].mode = RR_MODE_DSR;
	assert_int_equal(plan_diff(x.have, want, &ops), 0);
	write = at(&ops, PLAN_SVC_WRITE, 0);
	assert_in_range(write, 1, ops.n - 1);
	assert_true(at_table(&ops, PLAN_TABLE_SWITCH, TABLE_ADDRESS, 0) < write);
	assert_table(&ops.op[ops.n - 1], PLAN_TABLE_SWITCH, TABLE_ADDRESS);
	plan_ops_free(&ops);
	plan_free(want);
	fx_maps_free(&x);
	model_free(m);
	conf_free(c);
}

static void test_vip_seed_is_kept(void **state)
{
	struct conf *c = web_conf();
	struct model *m = fx_model(c, MONO_S(1));
	struct fx_maps x;
	uint64_t active;

	(void)state;
	fx_maps_init(&x);
	fx_all_up(m, MONO_S(1));
	assert_ok(fx_push(&x, m));
	active = x.have->vip_active;
	assert_true(active >> 32);
	fx_service(c, "api", "192.0.2.11:443");
	fx_endpoint(c, "api", "10.0.1.1:8443", 100);
	assert_int_equal(model_apply(m, c, false, MONO_S(2)), 0);
	assert_ok(fx_push(&x, m));
	assert_int_equal(x.have->vip_active >> 32, active >> 32);
	assert_int_equal(x.have->vip_active & 1, !(active & 1));
	fx_maps_free(&x);
	model_free(m);
	conf_free(c);
}

/*
 * 256 services and 256 local addresses in 512 buckets of 4: a seed is found, and all rows with it.
 */
static void test_vip_full(void **state)
{
	struct fx_maps x;
	struct plan *p = plan_new();

	(void)state;
	fx_maps_init(&x);
	for (uint32_t i = 0; i < 256; i++) {
		p->service[i] = (struct rr_service){ .family = RR_AF_INET,
						     .proto = 6,
						     .flags = RR_SVC_PRESENT,
						     .port = htons(443),
						     .t_est = 1,
						     .t_syn = 1 };
		p->service[i].addr.a[0] = 10;
		p->service[i].addr.a[3] = (uint8_t)i;
		p->local[i].family = RR_AF_INET6;
		p->local[i].addr.a[0] = 0xfd;
		p->local[i].addr.a[15] = (uint8_t)i;
	}
	assert_ok(fx_steps(&x, p, true));
	assert_int_equal(p->vips, 512);
	fx_maps_free(&x);
}

static void test_no_seed_fits(void **state)
{
	struct plan *have = plan_new(), *want = plan_new();
	struct plan_ops ops = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 5; i++) /* five equal rows never fit four ways */
		want->service[i] = (struct rr_service){ .family = RR_AF_INET,
							.proto = 6,
							.flags = RR_SVC_PRESENT };
	assert_int_equal(plan_diff(have, want, &ops), -ENOSPC);
	plan_ops_free(&ops);
	plan_free(have);
	plan_free(want);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_unavailable_is_no_new),
		cmocka_unit_test(test_order_of_removal),
		cmocka_unit_test(test_order_of_arrival),
		cmocka_unit_test(test_removed_service_leaves_the_table_first),
		cmocka_unit_test(test_nothing_changed),
		cmocka_unit_test(test_hop_is_one_store),
		cmocka_unit_test(test_foreign_have),
		cmocka_unit_test(test_changed_mode_is_hidden),
		cmocka_unit_test(test_vip_seed_is_kept),
		cmocka_unit_test(test_vip_full),
		cmocka_unit_test(test_no_seed_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
