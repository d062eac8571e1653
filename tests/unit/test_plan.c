/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_plan.c - what plans hold, in which order differences are applied, and the property that any prefix of the
 * steps leaves a correct packet path, over thousands of random changes of a model.
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

#define assert_ok(err) \
	do { \
		const char *err_ = (err); \
		if (err_) \
			fail_msg("%s", err_); \
	} while (0)

static struct conf *web_conf(void)
{
	struct conf *c = fx_conf();

	fx_service(c, "web", "192.0.2.10:443");
	fx_endpoint(c, "web", "10.0.0.1:8443", 300);
	fx_endpoint(c, "web", "10.0.0.2:8443", 200);
	fx_endpoint(c, "web", "10.0.0.3:8443", 100);
	return c;
}

static struct plan *build(struct model *m)
{
	struct plan *p = plan_new();

	assert_non_null(p);
	assert_int_equal(plan_build(m, p), 0);
	return p;
}

static void test_elements(void **state)
{
	struct conf *c = web_conf();
	struct model *m;
	struct plan *p;
	uint32_t id, svc;

	(void)state;
	fx_find(c, "web")->on_unknown = CONF_UNKNOWN_DROP;
	fx_find(c, "web")->t_syn = MONO_MS(1);
	m = fx_model(c, MONO_S(1));
	model_set_hz(m, 100);
	fx_all_up(m, MONO_S(1));
	p = build(m);
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
	struct plan *p = build(m);
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
	want = build(m);
	assert_int_equal(plan_diff(x.have, want, &ops), 0);
	assert_int_equal(ops.n, 3);
	assert_int_equal(ops.op[0].kind, PLAN_EP_FLAGS);
	assert_int_equal(ops.op[0].id, id);
	assert_int_equal(ops.op[0].value, RR_EP_PRESENT | RR_EP_NO_NEW);
	assert_int_equal(ops.op[1].kind, PLAN_ROT_FILL);
	assert_int_equal(ops.op[2].kind, PLAN_ROT_SWITCH);
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
	want = build(m);
	assert_int_equal(plan_diff(x.have, want, &ops), 0);
	/* local -> row of the local -> endpoint -> rotation -> service -> switch -> row of the service */
	assert_int_equal(ops.op[0].kind, PLAN_LOCAL);
	assert_true(at(&ops, PLAN_VIP_SWITCH, 0) < at(&ops, PLAN_EP_WRITE, id));
	assert_true(at(&ops, PLAN_EP_WRITE, id) < at(&ops, PLAN_ROT_FILL, svc));
	assert_true(at(&ops, PLAN_ROT_FILL, svc) < at(&ops, PLAN_SVC_WRITE, svc));
	assert_true(at(&ops, PLAN_SVC_WRITE, svc) < at(&ops, PLAN_ROT_SWITCH, svc));
	assert_int_equal(ops.op[ops.n - 1].kind, PLAN_VIP_SWITCH);
	assert_true(at(&ops, PLAN_ROT_SWITCH, svc) < ops.n - 2);
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
	want = build(m);
	assert_int_equal(plan_diff(x.have, want, &ops), 0);
	assert_int_equal(ops.op[0].kind, PLAN_EP_FLAGS);
	assert_int_equal(ops.op[0].value,
			 RR_EP_PRESENT | RR_EP_NO_NEW); /* not GONE yet: a rotation names it */
	assert_int_equal(ops.op[1].kind, PLAN_VIP_FILL);
	assert_int_equal(ops.op[2].kind, PLAN_VIP_SWITCH);
	assert_true(at(&ops, PLAN_ROT_SWITCH, svc) < at(&ops, PLAN_SVC_WRITE, svc) ||
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
	want = build(m);
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

/* A `have` that gives an id to another endpoint, and one that lists a service under another address: still safe. */
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
	want = build(m);
	want->endpoint[id].addr.a[3] = 200;
	want->service[svc].addr.a[3] = 99;
	assert_ok(fx_steps(&x, want, false));
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

/* 256 services and 256 local addresses in 512 buckets of 4: a seed is found, and all rows with it. */
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

/* ---- every prefix ---- */

static const char *const names[] = { "web", "api", "img", "v6", "raw" };
static const char *const listens[] = { "192.0.2.10:443",     "192.0.2.11:443", "192.0.2.10:444",
				       "[2001:db8::10]:443", "192.0.2.12:443", "192.0.2.13:443" };
static const char *const eps[] = {
	"10.0.0.1:443", "10.0.0.2:443",	 "10.0.0.3:443",  "10.0.0.4:443",
	"10.0.0.5:443", "[fd00::1]:443", "[fd00::2]:443", "10.0.0.6:443"
};
static const char *const locals[] = { "192.0.2.70", "192.0.2.71", "192.0.2.72", "fd00:7::1",
				      "fd00:7::2" };
#define N(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))

static void random_service(struct conf *c, struct fx_rng *r, const char *name, const char *listen)
{
	struct conf_service *s = fx_service(c, name, listen);

	s->mode = fx_rand(r, 5) ? CONF_MODE_NAT : CONF_MODE_DSR;
	s->health.type = fx_rand(r, 6) ? CONF_HEALTH_TLS : CONF_HEALTH_NONE;
	s->t_idle = MONO_S(60 + fx_rand(r, 3));
	s->drain_deadline = MONO_S(fx_rand(r, 20));
	s->on_deadline = (enum conf_deadline)fx_rand(r, 3);
	for (uint32_t i = 0; i < N(locals); i++) {
		if (!fx_rand(r, 3))
			s->local[s->locals++] = fx_addr(locals[i]);
	}
	for (uint32_t i = 0; i < N(eps); i++) {
		if (fx_rand(r, 2))
			fx_endpoint(c, name, eps[i], 1 + fx_rand(r, 4))->admin =
				fx_rand(r, 8) ? 0 : (enum conf_admin)fx_rand(r, 3);
	}
}

static struct conf *random_conf(struct fx_rng *r)
{
	struct conf *c = fx_conf();
	uint32_t first = fx_rand(r, N(listens));

	for (uint32_t i = 0; i < N(names); i++) {
		if (fx_rand(r, 3))
			random_service(c, r, names[i], listens[(first + i) % N(listens)]);
	}
	return c;
}

struct world {
	struct model *m;
	struct fx_maps x;
	struct conf *c;
	struct fx_rng r;
	mono_t now;
};

static uint32_t any_endpoint(struct world *w)
{
	static uint32_t id[RR_MAX_ENDPOINTS];
	static struct addr addr[RR_MAX_ENDPOINTS];
	size_t n = model_endpoints(w->m, id, addr, RR_MAX_ENDPOINTS);

	return n ? id[fx_rand(&w->r, (uint32_t)n)] : 0;
}

static void do_conf(struct world *w)
{
	struct conf *c = random_conf(&w->r);

	assert_int_equal(model_apply(w->m, c, !fx_rand(&w->r, 4), w->now), 0);
	conf_free(w->c);
	w->c = c;
}

static void do_verb(struct world *w)
{
	struct model_op op = {
		.verb = (enum model_verb)fx_rand(&w->r, VERB_RESUME + 1),
		.service = names[fx_rand(&w->r, N(names))],
		.endpoint = fx_addr(eps[fx_rand(&w->r, N(eps))]),
		.weight = fx_rand(&w->r, 5),
		.deadline = MONO_S(fx_rand(&w->r, 10)),
		.force = fx_rand(&w->r, 2),
		.kill = fx_rand(&w->r, 2),
		.uid = 1,
	};
	char err[200];

	model_verb(w->m, &op, err, sizeof(err), w->now);
}

static void do_hop(struct world *w)
{
	struct addr src = fx_addr(fx_rand(&w->r, 2)   ? "192.0.2.70"
				  : fx_rand(&w->r, 2) ? "fd00:7::1"
						      : "192.0.2.99");
	uint32_t id = any_endpoint(w);

	if (fx_rand(&w->r, 3))
		fx_hops(w->m, w->now);
	else
		model_nexthop(w->m, id, fx_rand(&w->r, 3) ? fx_hop(fx_rand(&w->r, 99)) : 0, &src,
			      w->now);
}

static void do_probes(struct world *w)
{
	uint32_t id[64];
	size_t n = model_due(w->m, id, 64, w->now);

	for (size_t i = 0; i < n; i++)
		fx_result(w->m, id[i], fx_rand(&w->r, 4) ? REASON_PASS : REASON_REFUSED, w->now);
}

static void do_iface(struct world *w)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, (uint8_t)fx_rand(&w->r, 3) };

	model_iface(w->m, fx_rand(&w->r, 6) ? 1 : 0, fx_rand(&w->r, 4) ? 7 + fx_rand(&w->r, 2) : 0,
		    mac, w->now);
}

static void do_flows(struct world *w)
{
	static uint32_t est[RR_MAX_ENDPOINTS], all[RR_MAX_ENDPOINTS];

	for (uint32_t i = 0; i < RR_MAX_ENDPOINTS; i++)
		all[i] = est[i] = i < 256 && !fx_rand(&w->r, 4);
	model_flows(w->m, est, all, RR_MAX_ENDPOINTS, w->now);
}

static void do_time(struct world *w)
{
	static const uint32_t leap[] = { 1, 2, 3, 10, 60, 700, 4000 };

	w->now = mono_add(w->now, MONO_S(leap[fx_rand(&w->r, N(leap))]));
	model_tick(w->m, w->now);
}

/* The controller is killed and started again over the running maps. */
static void do_restart(struct world *w)
{
	struct model_saved *rows;
	size_t n;

	assert_int_equal(model_export(w->m, &rows, &n), 0);
	model_free(w->m);
	w->m = model_new();
	assert_int_equal(model_adopt(w->m, w->x.have, w->now), 0);
	if (fx_rand(&w->r, 2))
		model_import(w->m, rows, n, w->now);
	free(rows);
	assert_int_equal(model_apply(w->m, w->c, false, w->now), 0);
}

static void (*const actions[])(struct world *) = { do_conf,  do_verb,  do_verb,	  do_verb,
						   do_hop,   do_hop,   do_probes, do_probes,
						   do_iface, do_flows, do_time,	  do_time };

static void random_story(uint64_t seed, int rounds)
{
	struct world w = { .r = { seed }, .now = MONO_S(100) };

	fx_maps_init(&w.x);
	w.c = random_conf(&w.r);
	w.m = fx_model(w.c, w.now);
	for (int k = 0; k < rounds; k++) {
		const char *err;

		for (uint32_t n = fx_rand(&w.r, 4); n; n--)
			actions[fx_rand(&w.r, N(actions))](&w);
		if (!fx_rand(&w.r, 40))
			do_restart(&w);
		err = fx_push(&w.x, w.m);
		if (err)
			fail_msg("seed %llu round %d: %s", (unsigned long long)seed, k, err);
	}
	assert_true(w.x.steps > (size_t)rounds);
	fx_maps_free(&w.x);
	model_free(w.m);
	conf_free(w.c);
}

static void test_every_prefix(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++)
		random_story(seed, 100);
}

/* A push that is broken off anywhere, then a diff from what the maps really hold: correct all the way, and complete. */
static void test_broken_off(void **state)
{
	struct fx_rng r = { 77 };
	struct conf *c = random_conf(&r);
	struct model *m = fx_model(c, MONO_S(1));
	struct fx_maps x;

	(void)state;
	fx_maps_init(&x);
	fx_all_up(m, MONO_S(1));
	assert_ok(fx_push(&x, m));
	for (int k = 2; k < 200; k++) {
		struct conf *next = random_conf(&r);
		struct plan_ops ops = { 0 };
		struct plan *want;

		assert_int_equal(model_apply(m, next, false, MONO_S(k)), 0);
		fx_all_up(m, MONO_S(k));
		want = build(m);
		assert_int_equal(plan_diff(x.have, want, &ops), 0);
		for (size_t i = fx_rand(&r, (uint32_t)ops.n + 1); i-- > 0;) {
			size_t done = 0; /* steps up to a random one */
			for (; done <= i; done++)
				plan_image_apply(x.img, want, &ops.op[done]);
			break;
		}
		/* what a controller reads back */
		memcpy(x.have->service, x.img->service, sizeof(x.img->service));
		memcpy(x.have->endpoint, x.img->endpoint, sizeof(x.img->endpoint));
		memcpy(x.have->local, x.img->local, sizeof(x.img->local));
		memcpy(x.have->iface, x.img->iface, sizeof(x.img->iface));
		x.have->vip_active = x.img->vip_active;
		x.have->enabled = x.img->enabled;
		for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
			uint32_t word = x.img->service[i].rotation, len = RR_ROT_LEN(word);

			free(x.have->slot[i]);
			x.have->slot[i] = len ? malloc(len * 2) : NULL;
			if (len)
				memcpy(x.have->slot[i],
				       x.img->rotation[i * 2 + RR_ROT_COPY(word)].slot, len * 2);
		}
		x.have->vips = 0;
		for (uint32_t i = 0; i < RR_VIP_BUCKETS * RR_VIP_WAYS; i++) {
			const struct rr_vip *v = &x.img->vip[x.img->vip_active & 1][i / RR_VIP_WAYS]
							  .e[i % RR_VIP_WAYS];
			struct plan_vip *to = &x.have->vip[x.have->vips];

			if (!v->kind)
				continue;
			memset(to, 0, sizeof(*to));
			memcpy(to->addr.a, &v->a0, 8);
			memcpy(to->addr.a + 8, &v->a1, 8);
			to->port = (uint16_t)v->kind;
			to->proto = (uint8_t)(v->kind >> 16);
			to->family = (uint8_t)(v->kind >> 24);
			to->type = (uint8_t)(v->kind >> 32);
			to->id = v->id;
			x.have->vips++;
		}
		plan_ops_free(&ops);
		plan_free(want);
		assert_ok(fx_steps(&x, build(m), false));
		model_planned(m);
		conf_free(c);
		c = next;
	}
	fx_maps_free(&x);
	model_free(m);
	conf_free(c);
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
		cmocka_unit_test(test_vip_seed_is_kept),
		cmocka_unit_test(test_vip_full),
		cmocka_unit_test(test_no_seed_fits),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_broken_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
