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

/*
 * Maps that hold what a model wants, at 1 s and with all endpoints up; then what it wants next, and
 * the steps that lead there.
 */
struct pushed {
	struct conf *c;
	struct model *m;
	struct fx_maps x;
	struct plan *want;
	struct plan_ops ops;
};

static void push(struct pushed *p, struct conf *c)
{
	memset(p, 0, sizeof(*p));
	p->c = c;
	p->m = fx_model(c, MONO_S(1));
	fx_maps_init(&p->x);
	fx_all_up(p->m, MONO_S(1));
	assert_ok(fx_push(&p->x, p->m));
}

/* From the maps to p->want. */
static void differ(struct pushed *p)
{
	assert_int_equal(plan_diff(p->x.have, p->want, &p->ops), 0);
}

static void pushed_free(struct pushed *p)
{
	plan_ops_free(&p->ops);
	plan_free(p->want);
	fx_maps_free(&p->x);
	model_free(p->m);
	conf_free(p->c);
}

/* The listener by which clients reach the service; RR_MAX_LISTENERS = none. */
static uint32_t listener_of(const struct plan *p, uint32_t service)
{
	uint32_t i = 0;

	while (i < RR_MAX_LISTENERS && !(p->listening[i] && p->listener[i].service == service))
		i++;
	return i;
}

static void test_elements(void **state)
{
	struct conf *c = web_conf();
	struct model *m;
	struct plan *p;
	uint32_t id, svc, lsn;

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
	assert_int_equal(p->service[svc].mode, RR_MODE_NAT);
	lsn = listener_of(p, svc);
	assert_int_equal(p->listener[lsn].port, htons(443));
	assert_int_equal(p->listener[lsn].family, RR_AF_INET);
	assert_int_equal(p->listener[lsn].proto, IPPROTO_TCP);
	assert_int_equal(p->listener[lsn].flags, RR_LISTENER_PRESENT);
	assert_memory_equal(p->listener[lsn].addr.a, "\xc0\x00\x02\x0a\x00\x00\x00\x00", 8);
	assert_int_equal(p->service[svc].on_unknown, RR_UNKNOWN_DROP);
	assert_int_equal(p->service[svc].t_syn, 1); /* never 0, never shorter than asked */
	assert_int_equal(p->service[svc].t_est, 90000);
	assert_int_equal(RR_ROT_LEN(p->service[svc].rotation), 6);
	assert_int_equal(p->slot[svc][0], id);
	assert_int_equal(p->endpoint[id].flags, RR_EP_PRESENT);
	assert_int_equal(p->endpoint[id].service, svc);
	assert_int_equal(p->endpoint[id].mode, RR_MODE_NAT);
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
	struct pushed p;
	uint32_t svc, id;

	(void)state;
	push(&p, web_conf());
	svc = fx_service_id(p.m, "web");
	id = fx_id(p.m, "web", "10.0.0.1:8443");
	assert_int_equal(fx_verb(p.m, VERB_DRAIN, "web", "10.0.0.1:8443", MONO_S(2)), MODEL_OK);
	p.want = fx_plan(p.m);
	differ(&p);
	assert_int_equal(p.ops.n, 3);
	assert_int_equal(p.ops.op[0].kind, PLAN_EP_FLAGS);
	assert_int_equal(p.ops.op[0].id, id);
	assert_int_equal(p.ops.op[0].value, RR_EP_PRESENT | RR_EP_NO_NEW);
	assert_table(&p.ops.op[1], PLAN_TABLE_FILL, TABLE_ROTATION);
	assert_table(&p.ops.op[2], PLAN_TABLE_SWITCH, TABLE_ROTATION);
	assert_int_equal(p.ops.op[2].id, svc);
	assert_int_equal(RR_ROT_COPY(p.want->service[svc].rotation),
			 !RR_ROT_COPY(p.x.have->service[svc].rotation));
	pushed_free(&p);
}

static void test_order_of_arrival(void **state)
{
	struct pushed p;
	uint32_t svc, id;

	(void)state;
	push(&p, web_conf());
	fx_service(p.c, "api", "192.0.2.11:443");
	fx_endpoint(p.c, "api", "10.0.1.1:8443", 100);
	fx_find(p.c, "api")->local[0] = fx_addr("192.0.2.77");
	fx_find(p.c, "api")->locals = 1;
	assert_int_equal(model_apply(p.m, p.c, false, MONO_S(2)), 0);
	fx_all_up(p.m, MONO_S(2));
	svc = fx_service_id(p.m, "api");
	id = fx_id(p.m, "api", "10.0.1.1:8443");
	p.want = fx_plan(p.m);
	differ(&p);
	/*
	 * local -> row of the local -> endpoint -> rotation -> service -> switch -> row of the
	 * service
	 */
	assert_int_equal(p.ops.op[0].kind, PLAN_LOCAL);
	assert_true(at_table(&p.ops, PLAN_TABLE_SWITCH, TABLE_ADDRESS, 0) <
		    at(&p.ops, PLAN_EP_WRITE, id));
	assert_true(at(&p.ops, PLAN_EP_WRITE, id) <
		    at_table(&p.ops, PLAN_TABLE_FILL, TABLE_ROTATION, svc));
	assert_true(at_table(&p.ops, PLAN_TABLE_FILL, TABLE_ROTATION, svc) <
		    at(&p.ops, PLAN_SVC_WRITE, svc));
	assert_true(at(&p.ops, PLAN_SVC_WRITE, svc) <
		    at_table(&p.ops, PLAN_TABLE_SWITCH, TABLE_ROTATION, svc));
	assert_table(&p.ops.op[p.ops.n - 1], PLAN_TABLE_SWITCH, TABLE_ADDRESS);
	assert_true(at_table(&p.ops, PLAN_TABLE_SWITCH, TABLE_ROTATION, svc) < p.ops.n - 2);
	pushed_free(&p);
}

static void test_removed_service_leaves_the_table_first(void **state)
{
	struct conf *c = web_conf();
	struct pushed p;
	uint32_t svc, id;

	(void)state;
	fx_service(c, "api", "192.0.2.11:443");
	fx_endpoint(c, "api", "10.0.1.1:8443", 100);
	push(&p, c);
	svc = fx_service_id(p.m, "api");
	id = fx_id(p.m, "api", "10.0.1.1:8443");
	free(c->service[--c->services].endpoint);
	assert_int_equal(model_apply(p.m, c, false, MONO_S(2)), 0);
	p.want = fx_plan(p.m);
	differ(&p);
	assert_int_equal(p.ops.op[0].kind, PLAN_EP_FLAGS);
	assert_int_equal(p.ops.op[0].value,
			 RR_EP_PRESENT | RR_EP_NO_NEW); /* not GONE yet: a rotation names it */
	assert_table(&p.ops.op[1], PLAN_TABLE_FILL, TABLE_ADDRESS);
	assert_table(&p.ops.op[2], PLAN_TABLE_SWITCH, TABLE_ADDRESS);
	assert_true(at_table(&p.ops, PLAN_TABLE_SWITCH, TABLE_ROTATION, svc) <
			    at(&p.ops, PLAN_SVC_WRITE, svc) ||
		    at(&p.ops, PLAN_SVC_FLAGS, svc) < p.ops.n);
	assert_int_equal(p.ops.op[p.ops.n - 1].kind, PLAN_EP_FLAGS);
	assert_int_equal(p.ops.op[p.ops.n - 1].id, id);
	assert_int_equal(p.ops.op[p.ops.n - 1].value, RR_EP_PRESENT | RR_EP_NO_NEW | RR_EP_GONE);
	assert_int_equal(p.want->service[svc].flags, 0);
	assert_true(p.want->service[svc].t_est > 0); /* the walk still needs the timeouts */
	pushed_free(&p);
}

static void test_nothing_changed(void **state)
{
	struct pushed p;
	size_t steps;

	(void)state;
	push(&p, web_conf());
	steps = p.x.steps;
	assert_false(model_dirty(p.m));
	assert_ok(fx_push(&p.x, p.m));
	assert_int_equal(model_apply(p.m, p.c, false, MONO_S(3)), 0);
	assert_ok(fx_push(&p.x, p.m));
	assert_int_equal(p.x.steps, steps);
	pushed_free(&p);
}

static void test_hop_is_one_store(void **state)
{
	struct pushed p;
	uint32_t id;

	(void)state;
	push(&p, web_conf());
	id = fx_id(p.m, "web", "10.0.0.1:8443");
	model_nexthop(p.m, id, fx_hop(99), NULL, MONO_S(2));
	p.want = fx_plan(p.m);
	differ(&p);
	assert_int_equal(p.ops.n, 1);
	assert_int_equal(p.ops.op[0].kind, PLAN_EP_HOP);
	assert_int_equal(p.ops.op[0].value, fx_hop(99));
	pushed_free(&p);
}

/*
 * A `have` that gives an id to another endpoint, and one that lists a service under another
 * address: still safe.
 */
static void test_foreign_have(void **state)
{
	struct pushed p;
	uint32_t svc = 0, id;

	(void)state;
	push(&p, web_conf());
	id = fx_id(p.m, "web", "10.0.0.1:8443");
	p.want = fx_plan(p.m);
	p.want->endpoint[id].addr.a[3] = 200;
	p.want->listener[listener_of(p.want, svc)].addr.a[3] = 99;
	assert_ok(fx_steps(&p.x, p.want, false));
	p.want = NULL; /* the maps' now */
	pushed_free(&p);
}

/* An element whose mode changes in place must not be reachable while it is written. */
static void test_changed_mode_is_hidden(void **state)
{
	struct pushed p;
	size_t write;

	(void)state;
	push(&p, web_conf());
	p.want = fx_plan(p.m);
	p.want->service[0].mode = RR_MODE_DSR;
	differ(&p);
	write = at(&p.ops, PLAN_SVC_WRITE, 0);
	assert_in_range(write, 1, p.ops.n - 1);
	assert_true(at_table(&p.ops, PLAN_TABLE_SWITCH, TABLE_ADDRESS, 0) < write);
	assert_table(&p.ops.op[p.ops.n - 1], PLAN_TABLE_SWITCH, TABLE_ADDRESS);
	pushed_free(&p);
}

static void test_vip_seed_is_kept(void **state)
{
	struct pushed p;
	uint64_t active;

	(void)state;
	push(&p, web_conf());
	active = p.x.have->vip_active;
	assert_true(active >> 32);
	fx_service(p.c, "api", "192.0.2.11:443");
	fx_endpoint(p.c, "api", "10.0.1.1:8443", 100);
	assert_int_equal(model_apply(p.m, p.c, false, MONO_S(2)), 0);
	assert_ok(fx_push(&p.x, p.m));
	assert_int_equal(p.x.have->vip_active >> 32, active >> 32);
	assert_int_equal(p.x.have->vip_active & 1, !(active & 1));
	pushed_free(&p);
}

static void put_service(struct plan *p, uint32_t id)
{
	p->service[id] = (struct rr_service){ .flags = RR_SVC_PRESENT, .t_est = 1, .t_syn = 1 };
}

static void put_listener(struct plan *p, uint32_t id, uint32_t service)
{
	p->listening[id] = true;
	p->listener[id] = (struct rr_listener){ .family = RR_AF_INET,
						.proto = 6,
						.service = (uint16_t)service,
						.flags = RR_LISTENER_PRESENT,
						.port = htons(443) };
	p->listener[id].addr.a[0] = 10;
	p->listener[id].addr.a[2] = (uint8_t)(id >> 8);
	p->listener[id].addr.a[3] = (uint8_t)id;
}

/*
 * 1,024 listeners of 256 services and 256 local addresses: a seed is found, and all rows with it.
 */
static void test_vip_full(void **state)
{
	struct fx_maps x;
	struct plan *p = plan_new();

	(void)state;
	fx_maps_init(&x);
	for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++)
		put_listener(p, i, i % 256);
	for (uint32_t i = 0; i < 256; i++) {
		put_service(p, i);
		p->local[i].family = RR_AF_INET6;
		p->local[i].addr.a[0] = 0xfd;
		p->local[i].addr.a[15] = (uint8_t)i;
	}
	assert_ok(fx_steps(&x, p, true));
	assert_int_equal(p->vips, RR_MAX_LISTENERS + 256);
	fx_maps_free(&x);
}

static void test_no_seed_fits(void **state)
{
	struct plan *have = plan_new(), *want = plan_new();
	struct plan_ops ops = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 5; i++) { /* five equal rows never fit four ways */
		put_service(want, i);
		put_listener(want, i, i);
		want->listener[i].addr.a[3] = 0;
	}
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
