/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_prefix.c - the property that any prefix of the steps of plan_diff() leaves a correct
 * packet path, over thousands of random changes of a model, its restarts, and pushes that are
 * broken off.
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
#include "model/model_int.h"
#include "rr_hash.h"

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

	s->mode = fx_rand(r, 5) ? RR_MODE_NAT : RR_MODE_DSR;
	s->health.type = fx_rand(r, 6) ? PROBE_TLS : PROBE_NONE;
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
				fx_rand(r, 8) ? 0 : (enum ep_admin)fx_rand(r, 3);
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

/*
 * Services with several listeners, which the configuration does not offer yet: the next one takes
 * all but its own away again.
 */
static void do_listen(struct world *w)
{
	static const char *const more[] = { "192.0.2.20:443", "192.0.2.21:443",
					    "[2001:db8::20]:443", "[2001:db8::21]:443" };

	for (size_t i = 0; i < w->m->services; i++) {
		struct svc *s = &w->m->svc[w->m->order[i]];
		struct addr a[N(more) + 1] = { s->listen };
		size_t n = 1;

		for (uint32_t k = 0; k < N(more); k++) {
			a[n] = fx_addr(more[k]);
			a[n].port = (uint16_t)(1000 + s->id); /* nobody else's */
			n += !fx_rand(&w->r, 3);
		}
		svc_listen(w->m, s, a, n);
	}
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
	size_t n = fx_due(w->m, id, 64, w->now);

	for (size_t i = 0; i < n; i++)
		fx_result(w->m, id[i], fx_rand(&w->r, 4) ? REASON_PASS : REASON_REFUSED, w->now);
}

static void do_factor(struct world *w)
{
	model_factor(w->m, any_endpoint(w), (enum weight_factor)fx_rand(&w->r, WEIGHT_GROUP + 1),
		     fx_rand(&w->r, 3) * WEIGHT_ONE / 2);
}

static void do_iface(struct world *w)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, (uint8_t)fx_rand(&w->r, 3) };

	model_iface(w->m, fx_rand(&w->r, 6) ? 1 : 0, fx_rand(&w->r, 4) ? 7 + fx_rand(&w->r, 2) : 0,
		    mac, 1500, w->now);
}

static void do_flows(struct world *w)
{
	static uint32_t est[RR_MAX_ENDPOINTS], all[RR_MAX_ENDPOINTS];

	for (uint32_t i = 0; i < RR_MAX_ENDPOINTS; i++)
		all[i] = est[i] = i < 256 && !fx_rand(&w->r, 4);
	model_flows(w->m, est, all, RR_MAX_ENDPOINTS, w->now);
	for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++)
		all[i] = i < 256 && !fx_rand(&w->r, 4);
	model_listener_flows(w->m, all, RR_MAX_LISTENERS, w->now);
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

static void (*const actions[])(struct world *) = { do_conf,   do_verb,	do_verb,   do_verb,
						   do_hop,    do_hop,	do_probes, do_probes,
						   do_iface,  do_flows, do_time,   do_time,
						   do_factor, do_listen };

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
	for (uint64_t seed = 1; seed <= 30; seed++)
		random_story(seed, 100);
}

/* ---- broken off ---- */

static void read_rotations(struct fx_maps *x)
{
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		uint32_t word = x->img->service[i].rotation, len = RR_ROT_LEN(word);

		free(x->have->slot[i]);
		x->have->slot[i] = len ? malloc(len * sizeof(uint16_t)) : NULL;
		if (len)
			memcpy(x->have->slot[i], x->img->rotation[i * 2 + RR_ROT_COPY(word)].slot,
			       len * sizeof(uint16_t));
	}
}

/* What a controller reads back from the maps. */
static void read_back(struct fx_maps *x)
{
	memcpy(x->have->service, x->img->service, sizeof(x->img->service));
	memcpy(x->have->endpoint, x->img->endpoint, sizeof(x->img->endpoint));
	memcpy(x->have->listener, x->img->listener, sizeof(x->img->listener));
	memcpy(x->have->local, x->img->local, sizeof(x->img->local));
	memcpy(x->have->iface, x->img->iface, sizeof(x->img->iface));
	x->have->vip_active = x->img->vip_active;
	x->have->enabled = x->img->enabled;
	read_rotations(x);
	plan_vips_read(x->have, x->img->vip[x->img->vip_active & 1]);
}

/* Does a random number of the steps to `want`, which is then forgotten. */
static void break_off(struct fx_maps *x, struct plan *want, struct fx_rng *r)
{
	struct plan_ops ops = { 0 };
	size_t n;

	assert_int_equal(plan_diff(x->have, want, &ops), 0);
	n = fx_rand(r, (uint32_t)ops.n + 1);
	for (size_t i = 0; i < n; i++)
		plan_image_apply(x->img, want, &ops.op[i]);
	plan_ops_free(&ops);
	plan_free(want);
}

/*
 * A push that is broken off anywhere, then a diff from what the maps really hold: correct all the
 * way, and complete.
 */
static void test_broken_off(void **state)
{
	struct world w = { .r = { 77 }, .now = MONO_S(100) };

	(void)state;
	fx_maps_init(&w.x);
	w.c = random_conf(&w.r);
	w.m = fx_model(w.c, w.now);
	for (int k = 0; k < 300; k++) {
		actions[fx_rand(&w.r, N(actions))](&w);
		do_conf(&w);
		fx_all_up(w.m, w.now);
		break_off(&w.x, fx_plan(w.m), &w.r);
		read_back(&w.x);
		if (!fx_rand(&w.r, 4))
			do_restart(&w);
		assert_ok(fx_steps(&w.x, fx_plan(w.m), false));
		model_planned(w.m);
	}
	fx_maps_free(&w.x);
	model_free(w.m);
	conf_free(w.c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_broken_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
