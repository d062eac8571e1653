/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_listener.c - what clients connect to: a service that moves keeps its old listener for the
 * flows that were opened through it, until walks have found none; ids, restarts, limits; which flow
 * tables a local address has entries in.
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
#include "model/model_int.h"

#define OLD "192.0.2.10:443"
#define NEW "192.0.2.99:8443"
#define NONE RR_MAX_LISTENERS
#define E1 "10.0.0.1:8443"

struct world {
	struct conf *c;
	struct model *m;
	struct fx_maps x;
};

static void begin(struct world *w)
{
	w->c = fx_conf();
	fx_service(w->c, "web", OLD);
	fx_endpoint(w->c, "web", E1, 100);
	w->m = fx_model(w->c, MONO_S(100));
	fx_all_up(w->m, MONO_S(100));
	fx_maps_init(&w->x);
	assert_ok(fx_push(&w->x, w->m));
}

static void done(struct world *w)
{
	fx_maps_free(&w->x);
	model_free(w->m);
	conf_free(w->c);
}

static int listen_at(struct world *w, const char *at, mono_t now)
{
	w->c->service[0].listen = fx_addr(at);
	return model_apply(w->m, w->c, false, now);
}

/* The element of that address in the maps; NONE = there is none. */
static uint32_t element(const struct world *w, const char *at)
{
	struct addr a = fx_addr(at);
	uint32_t i = 0;

	while (i < NONE && (!(w->x.img->listener[i].flags & RR_LISTENER_PRESENT) ||
			    memcmp(w->x.img->listener[i].addr.a, a.ip, 16) ||
			    w->x.img->listener[i].port != __builtin_bswap16(a.port)))
		i++;
	return i;
}

/* How many rows of the address table name the listener. */
static size_t rows(const struct world *w, uint32_t id)
{
	const struct rr_vip_bucket *b = w->x.img->vip[w->x.img->vip_active & 1];
	size_t n = 0;

	for (uint32_t i = 0; i < RR_VIP_BUCKETS * RR_VIP_WAYS; i++) {
		const struct rr_vip *v = &b[i / RR_VIP_WAYS].e[i % RR_VIP_WAYS];

		n += v->kind && RR_VIP_TYPE(v->kind) == RR_VIP_LISTENER && v->id == id;
	}
	return n;
}

/* A walk that finds `n` flows of listener `id`, none of others; then what follows from it. */
static void walk(struct world *w, uint32_t id, uint32_t n, mono_t now)
{
	uint32_t flows[RR_MAX_LISTENERS] = { 0 };

	flows[id] = n;
	model_listener_flows(w->m, flows, RR_MAX_LISTENERS, now);
	model_tick(w->m, now);
	assert_ok(fx_push(&w->x, w->m));
}

static void test_moved_service_keeps_the_old_one(void **state)
{
	struct world w;
	uint32_t was, is;

	(void)state;
	begin(&w);
	was = element(&w, OLD);
	assert_int_equal(listen_at(&w, NEW, MONO_S(200)), 0);
	assert_ok(fx_push(&w.x, w.m));
	is = element(&w, NEW);
	assert_int_not_equal(is, NONE);
	assert_int_not_equal(is, was);
	assert_int_equal(element(&w, OLD), was);
	assert_int_equal(rows(&w, was), 0);
	assert_int_equal(rows(&w, is), 1);
	assert_int_equal(w.x.img->listener[was].service, w.x.img->listener[is].service);
	for (int64_t s = 201; s < 100000; s += 5000)
		walk(&w, was, 1, MONO_S(s)); /* a day later: somebody is still connected */
	assert_int_equal(element(&w, OLD), was);
	walk(&w, was, 0, MONO_S(100000));
	walk(&w, was, 1, MONO_S(100001)); /* one came into sight again */
	walk(&w, was, 0, MONO_S(100002));
	assert_int_equal(element(&w, OLD), was);
	walk(&w, was, 0, mono_add(MONO_S(100002), MONO_S(DRAIN_QUIET_S)));
	assert_int_equal(element(&w, OLD), NONE);
	assert_int_equal(element(&w, NEW), is);
	done(&w);
}

/* The listener in use is never given up, whatever walks say. */
static void test_active_one_stays(void **state)
{
	struct world w;
	uint32_t id;

	(void)state;
	begin(&w);
	id = element(&w, OLD);
	for (int64_t s = 200; s < 300; s += 10)
		walk(&w, id, 0, MONO_S(s));
	assert_int_equal(element(&w, OLD), id);
	assert_int_equal(rows(&w, id), 1);
	done(&w);
}

/*
 * While the maps lag behind, clients still come through the old one: walks of that time prove
 * nothing.
 */
static void test_walks_count_from_the_plan_on(void **state)
{
	uint32_t none[RR_MAX_LISTENERS] = { 0 }, was;
	struct world w;

	(void)state;
	begin(&w);
	was = element(&w, OLD);
	assert_int_equal(listen_at(&w, NEW, MONO_S(200)), 0);
	for (int64_t s = 201; s < 300; s++)
		model_listener_flows(w.m, none, RR_MAX_LISTENERS, MONO_S(s));
	assert_ok(fx_push(&w.x, w.m));
	assert_int_equal(element(&w, OLD), was);
	walk(&w, was, 0, MONO_S(300));
	assert_int_equal(element(&w, OLD), was);
	done(&w);
}

/* The same after a restart that finds one more listener than the file has. */
static void test_walks_count_from_the_plan_on_after_a_restart(void **state)
{
	const struct addr a[] = { fx_addr(OLD), fx_addr(NEW) };
	uint32_t none[RR_MAX_LISTENERS] = { 0 }, more;
	struct world w;

	(void)state;
	begin(&w);
	svc_listen(w.m, &w.m->svc[fx_service_id(w.m, "web")], a, 2);
	assert_ok(fx_push(&w.x, w.m));
	more = element(&w, NEW);
	model_free(w.m);
	w.m = model_new();
	assert_int_equal(model_adopt(w.m, w.x.have, MONO_S(200)), 0);
	assert_int_equal(model_apply(w.m, w.c, false, MONO_S(200)), 0);
	for (int64_t s = 201; s < 300; s++)
		model_listener_flows(w.m, none, RR_MAX_LISTENERS, MONO_S(s));
	assert_ok(fx_push(&w.x, w.m));
	assert_int_equal(element(&w, NEW), more);
	assert_int_equal(rows(&w, more), 0);
	done(&w);
}

static void test_move_is_one_store(void **state)
{
	struct plan_ops ops = { 0 };
	struct plan *want = plan_new();
	struct world w;

	(void)state;
	begin(&w);
	assert_int_equal(listen_at(&w, NEW, MONO_S(200)), 0);
	assert_int_equal(plan_build(w.m, want), 0);
	assert_int_equal(plan_diff(w.x.have, want, &ops), 0);
	assert_int_equal(ops.n, 3);
	assert_int_equal(ops.op[0].kind, PLAN_LISTENER_WRITE);
	assert_int_equal(ops.op[1].kind, PLAN_TABLE_FILL);
	assert_int_equal(ops.op[2].kind, PLAN_TABLE_SWITCH);
	assert_int_equal(ops.op[2].table, TABLE_ADDRESS);
	plan_ops_free(&ops);
	plan_free(want);
	done(&w);
}

/* Back to the old address: its id is the same again, and the flows of both are known. */
static void test_back_again(void **state)
{
	struct world w;
	uint32_t was, is;

	(void)state;
	begin(&w);
	was = element(&w, OLD);
	assert_int_equal(listen_at(&w, NEW, MONO_S(200)), 0);
	assert_ok(fx_push(&w.x, w.m));
	is = element(&w, NEW);
	assert_int_equal(listen_at(&w, OLD, MONO_S(300)), 0);
	assert_ok(fx_push(&w.x, w.m));
	assert_int_equal(element(&w, OLD), was);
	assert_int_equal(rows(&w, was), 1);
	assert_int_equal(element(&w, NEW), is);
	assert_int_equal(rows(&w, is), 0);
	done(&w);
}

static void restart(struct world *w, mono_t now)
{
	model_free(w->m);
	w->m = model_new();
	plan_vips_read(w->x.have, w->x.img->vip[w->x.img->vip_active & 1]);
	assert_int_equal(model_adopt(w->m, w->x.have, now), 0);
	assert_int_equal(model_apply(w->m, w->c, false, now), 0);
	assert_ok(fx_push(&w->x, w->m));
}

static void test_restart(void **state)
{
	struct world w;
	uint32_t was, is;

	(void)state;
	begin(&w);
	was = element(&w, OLD);
	assert_int_equal(listen_at(&w, NEW, MONO_S(200)), 0);
	assert_ok(fx_push(&w.x, w.m));
	is = element(&w, NEW);
	restart(&w, MONO_S(300));
	assert_int_equal(element(&w, OLD), was);
	assert_int_equal(element(&w, NEW), is);
	assert_int_equal(rows(&w, was), 0);
	assert_int_equal(rows(&w, is), 1);
	assert_int_equal(fx_service_id(w.m, "web"), w.x.img->listener[is].service);
	walk(&w, was, 1, MONO_S(301));
	walk(&w, was, 0, MONO_S(302));
	assert_int_equal(element(&w, OLD), was);
	walk(&w, was, 0, MONO_S(400));
	assert_int_equal(element(&w, OLD), NONE);
	done(&w);
}

/*
 * The configuration moved the service and gave it another name while nobody watched: the old
 * address finds it.
 */
static void test_restart_finds_by_the_active_one(void **state)
{
	struct world w;
	uint32_t svc;

	(void)state;
	begin(&w);
	svc = fx_service_id(w.m, "web");
	assert_int_equal(listen_at(&w, NEW, MONO_S(200)), 0);
	assert_ok(fx_push(&w.x, w.m));
	fx_service(w.c, "api", OLD); /* another service takes the address over */
	fx_endpoint(w.c, "api", "10.1.0.1:8443", 100);
	restart(&w, MONO_S(300));
	assert_int_equal(fx_service_id(w.m, "web"), svc);
	assert_int_not_equal(fx_service_id(w.m, "api"), svc);
	done(&w);
}

/* 1,024 addresses, flows of all: one more is refused whole, and the service is where it was. */
static void test_ids_run_out(void **state)
{
	uint32_t all[RR_MAX_LISTENERS];
	char at[32] = OLD, one[32];
	struct world w;

	(void)state;
	begin(&w);
	memset(all, 1, sizeof(all));
	for (uint32_t i = 1; i < RR_MAX_LISTENERS; i++) {
		snprintf(at, sizeof(at), "198.51.100.1:%u", 1000 + i);
		assert_int_equal(listen_at(&w, at, MONO_S(200 + i)), 0);
		model_planned(w.m);
		model_listener_flows(w.m, all, RR_MAX_LISTENERS, MONO_S(200 + i));
	}
	assert_ok(fx_push(&w.x, w.m));
	assert_int_not_equal(element(&w, at), NONE);
	assert_int_not_equal(element(&w, OLD), NONE);
	assert_int_equal(listen_at(&w, NEW, MONO_S(5000)), -ENOSPC);
	assert_false(model_dirty(w.m));
	assert_ok(fx_push(&w.x, w.m));
	assert_int_equal(rows(&w, element(&w, at)), 1);
	assert_int_equal(element(&w, NEW), NONE);
	snprintf(one, sizeof(one), "198.51.100.1:%u", 1500);
	assert_int_equal(listen_at(&w, one, MONO_S(5001)), 0); /* one that it still has */
	memset(all, 0, sizeof(all));
	model_planned(w.m);
	model_listener_flows(w.m, all, RR_MAX_LISTENERS, MONO_S(5002));
	model_listener_flows(w.m, all, RR_MAX_LISTENERS, MONO_S(6000));
	assert_int_equal(listen_at(&w, NEW, MONO_S(6001)), 0);
	assert_ok(fx_push(&w.x, w.m));
	assert_int_equal(rows(&w, element(&w, NEW)), 1);
	done(&w);
}

/* A freed id is the last to be given again. */
static void test_reuse_is_late(void **state)
{
	struct world w;
	uint32_t was;

	(void)state;
	begin(&w);
	was = element(&w, OLD);
	assert_int_equal(listen_at(&w, NEW, MONO_S(200)), 0);
	assert_ok(fx_push(&w.x, w.m));
	walk(&w, was, 0, MONO_S(300));
	walk(&w, was, 0, MONO_S(400));
	assert_int_equal(listen_at(&w, OLD, MONO_S(500)), 0);
	assert_ok(fx_push(&w.x, w.m));
	assert_int_not_equal(element(&w, OLD), was);
	done(&w);
}

/*
 * A service that is gone keeps its listener until its endpoints' ids have rested: replies are reset
 * from there.
 */
static void test_removed_service(void **state)
{
	struct world w;
	uint32_t was;

	(void)state;
	begin(&w);
	was = element(&w, OLD);
	free(w.c->service[--w.c->services].endpoint);
	assert_int_equal(model_apply(w.m, w.c, false, MONO_S(200)), 0);
	assert_ok(fx_push(&w.x, w.m));
	assert_int_equal(element(&w, OLD), was);
	assert_int_equal(rows(&w, was), 0);
	walk(&w, was, 0, MONO_S(300));
	walk(&w, was, 0, MONO_S(400));
	assert_int_equal(element(&w, OLD), was);
	walk(&w, was, 0, MONO_S(200 + MODEL_QUARANTINE_S));
	assert_int_equal(element(&w, OLD), NONE);
	done(&w);
}

/* Several at once: each has its row, its own id, and one cursor behind it. */
static void test_several(void **state)
{
	const struct addr a[] = { fx_addr(OLD), fx_addr(NEW), fx_addr("[2001:db8::10]:443") };
	struct world w;
	uint32_t id[2];

	(void)state;
	begin(&w);
	svc_listen(w.m, &w.m->svc[fx_service_id(w.m, "web")], a, 3);
	assert_ok(fx_push(&w.x, w.m));
	id[0] = element(&w, OLD);
	id[1] = element(&w, "[2001:db8::10]:443");
	assert_int_equal(rows(&w, id[0]) + rows(&w, id[1]) + rows(&w, element(&w, NEW)), 3);
	assert_int_equal(w.x.img->listener[id[1]].family, RR_AF_INET6);
	assert_int_equal(w.x.img->listener[id[0]].service, w.x.img->listener[id[1]].service);
	restart(&w, MONO_S(300)); /* the file has one: the others keep their elements */
	assert_int_equal(element(&w, "[2001:db8::10]:443"), id[1]);
	assert_int_equal(rows(&w, id[1]), 0);
	assert_int_equal(rows(&w, id[0]), 1);
	done(&w);
}

/* `tables` in the row of the endpoint's first local address; 0 = no row. */
static uint16_t tables(const struct world *w)
{
	uint32_t local = w->x.img->endpoint[fx_id(w->m, "web", E1)].local_first;

	for (size_t i = 0; i < w->x.have->vips; i++) {
		const struct rr_vip *v = &w->x.have->vip[i];

		if (RR_VIP_TYPE(v->kind) == RR_VIP_LOCAL && v->id == local)
			return v->tables;
	}
	return 0;
}

/*
 * A pair of mixed families has its reverse entry in flows6: the local address says so while such a
 * flow may live.
 */
static void test_tables_of_mixed_pairs(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	assert_int_equal(tables(&w), RR_VIP_FLOWS4);
	assert_int_equal(listen_at(&w, "[2001:db8::10]:443", MONO_S(200)), 0);
	assert_ok(fx_push(&w.x, w.m));
	assert_int_equal(tables(&w), RR_VIP_FLOWS4 | RR_VIP_FLOWS6);
	assert_int_equal(listen_at(&w, OLD, MONO_S(300)), 0);
	assert_ok(fx_push(&w.x, w.m));
	for (int64_t s = 400; s < 600; s += 100)
		walk(&w, 0, 0, MONO_S(s));
	assert_int_equal(element(&w, "[2001:db8::10]:443"), NONE);
	assert_int_equal(tables(&w), RR_VIP_FLOWS4 | RR_VIP_FLOWS6); /* never less */
	restart(&w, MONO_S(700));
	assert_int_equal(tables(&w), RR_VIP_FLOWS4 | RR_VIP_FLOWS6);
	done(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moved_service_keeps_the_old_one),
		cmocka_unit_test(test_active_one_stays),
		cmocka_unit_test(test_walks_count_from_the_plan_on),
		cmocka_unit_test(test_walks_count_from_the_plan_on_after_a_restart),
		cmocka_unit_test(test_move_is_one_store),
		cmocka_unit_test(test_back_again),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_restart_finds_by_the_active_one),
		cmocka_unit_test(test_ids_run_out),
		cmocka_unit_test(test_reuse_is_late),
		cmocka_unit_test(test_removed_service),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_tables_of_mixed_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
