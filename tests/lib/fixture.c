/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fixture.c - configurations and models for tests. The rules for maps are in fixture_maps.c.
 */
#include "lib/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct addr fx_addr(const char *text)
{
	struct addr a;

	if (addr_parse(&a, text, false)) {
		fprintf(stderr, "fixture: bad address %s\n", text);
		abort();
	}
	return a;
}

static void *need(void *p)
{
	if (!p)
		abort();
	return p;
}

struct conf *fx_conf(void)
{
	struct conf *c = need(calloc(1, sizeof(*c)));

	c->flows_ipv4 = 1 << 20;
	c->flows_ipv6 = 1 << 18;
	c->port_lo = 1024;
	c->port_hi = 32767;
	c->port_sets = 256;
	c->time_wait = MONO_S(61);
	c->rst_rate = 1000;
	return c;
}

struct conf_service *fx_service(struct conf *c, const char *name, const char *listen)
{
	struct conf_service *s;

	c->service = need(realloc(c->service, (c->services + 1) * sizeof(*s)));
	s = &c->service[c->services++];
	memset(s, 0, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->listen = fx_addr(listen);
	s->t_syn = MONO_S(30);
	s->t_idle = MONO_S(900);
	s->t_fin1 = MONO_S(120);
	s->t_fin2 = MONO_S(30);
	s->t_rst = MONO_S(10);
	s->drain_deadline = MONO_S(300);
	s->weight_default = 100;
	s->health = (struct conf_health){
		.type = PROBE_TLS,
		.interval = MONO_S(2),
		.timeout = MONO_S(1),
		.rise = 2,
		.fall = 3,
		.fast_interval = MONO_MS(500),
		.down_interval = MONO_S(5),
		.jitter = 10,
		.tls_min = 12,
	};
	return s;
}

struct conf_service *fx_find(struct conf *c, const char *service)
{
	for (size_t i = 0; i < c->services; i++) {
		if (!strcmp(c->service[i].name, service))
			return &c->service[i];
	}
	abort();
}

struct conf_endpoint *fx_endpoint(struct conf *c, const char *service, const char *addr,
				  uint32_t weight)
{
	struct conf_service *s = fx_find(c, service);
	struct conf_endpoint *e;

	s->endpoint = need(realloc(s->endpoint, (s->endpoints + 1) * sizeof(*e)));
	e = &s->endpoint[s->endpoints++];
	*e = (struct conf_endpoint){ .addr = fx_addr(addr), .weight = weight };
	return e;
}

void fx_endpoint_del(struct conf *c, const char *service, const char *addr)
{
	struct conf_service *s = fx_find(c, service);
	struct addr a = fx_addr(addr);

	for (size_t i = 0; i < s->endpoints; i++) {
		if (!addr_equal(&s->endpoint[i].addr, &a))
			continue;
		memmove(&s->endpoint[i], &s->endpoint[i + 1],
			(s->endpoints - i - 1) * sizeof(*s->endpoint));
		s->endpoints--;
		return;
	}
}

struct conf *fx_web_conf(void)
{
	struct conf *c = fx_conf();

	fx_service(c, "web", "192.0.2.10:443");
	fx_endpoint(c, "web", FX_E1, 100);
	fx_endpoint(c, "web", FX_E2, 100);
	fx_endpoint(c, "web", FX_E3, 100);
	return c;
}

struct model *fx_model(const struct conf *c, mono_t now)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct model *m = need(model_new());

	model_iface(m, 0, 7, mac, 1500, now);
	if (model_apply(m, c, false, now))
		abort();
	return m;
}

struct view_endpoint fx_view(const struct model *m, const char *service, const char *addr)
{
	struct view *v = need(view_build(m, MONO_US(0)));
	const struct view_service *s = view_service_find(v, service);
	struct addr a = fx_addr(addr);
	const struct view_endpoint *e = s ? view_endpoint_find(s, &a) : NULL;
	struct view_endpoint r = { 0 };

	if (e)
		r = *e;
	view_free(v);
	return r;
}

uint32_t fx_id(const struct model *m, const char *service, const char *addr)
{
	return fx_view(m, service, addr).id;
}

enum ep_state fx_state(const struct model *m, const char *service, const char *addr)
{
	return fx_view(m, service, addr).state;
}

size_t fx_available(const struct model *m, const char *service)
{
	struct view *v = need(view_build(m, MONO_US(0)));
	const struct view_service *s = view_service_find(v, service);
	size_t n = s ? s->available : 0;

	view_free(v);
	return n;
}

uint32_t fx_service_id(const struct model *m, const char *service)
{
	struct view *v = need(view_build(m, MONO_US(0)));
	const struct view_service *s = view_service_find(v, service);
	uint32_t id = s ? s->id : UINT32_MAX;

	view_free(v);
	return id;
}

uint64_t fx_hop(uint32_t endpoint)
{
	return RR_HOP_MAKE(0, 0x020000000000ull + endpoint);
}

void fx_hops(struct model *m, mono_t now)
{
	static uint32_t id[RR_MAX_ENDPOINTS];
	static struct addr addr[RR_MAX_ENDPOINTS];
	size_t n = model_endpoints(m, id, addr, RR_MAX_ENDPOINTS);

	for (size_t i = 0; i < n; i++) {
		struct addr src = fx_addr(addr[i].family == 4 ? "10.9.9.9" : "fd00:9::9");

		model_nexthop(m, id[i], fx_hop(id[i]), &src, now);
	}
}

static uint32_t fx_run[RR_MAX_ENDPOINTS]; /* of the last probe of each target */

size_t fx_due(struct model *m, uint32_t *target, size_t max, mono_t now)
{
	static struct model_run run[RR_MAX_ENDPOINTS];
	size_t n = model_due(m, run, max, now);

	for (size_t i = 0; i < n; i++) {
		target[i] = run[i].target;
		fx_run[run[i].target] = run[i].run;
	}
	return n;
}

struct model_run fx_run_of(uint32_t target)
{
	return (struct model_run){ target, fx_run[target] };
}

void fx_result(struct model *m, uint32_t target, enum reason why, mono_t now)
{
	struct model_probe p = {
		.of = fx_run_of(target),
		.ok = why == REASON_PASS,
		.why = why,
		.took = MONO_MS(4),
		.connect = MONO_MS(1),
		.tls = MONO_MS(3),
	};

	model_probe_result(m, &p, now);
}

static void check_now(struct model *m, const struct view_service *s, mono_t now)
{
	for (size_t i = 0; i < s->endpoints; i++) {
		struct model_op op = { .verb = VERB_CHECK,
				       .service = s->name,
				       .endpoint = s->endpoint[i].addr };
		char err[256];

		if (s->endpoint[i].admin != EP_MAINT)
			model_verb(m, &op, err, sizeof(err), now);
	}
}

void fx_all_up(struct model *m, mono_t now)
{
	static uint32_t id[RR_MAX_ENDPOINTS];
	struct view *v = need(view_build(m, now));
	size_t n;

	fx_hops(m, now);
	for (size_t i = 0; i < v->services; i++)
		check_now(m, &v->service[i], now);
	n = fx_due(m, id, RR_MAX_ENDPOINTS, now);
	for (size_t i = 0; i < n; i++)
		fx_result(m, id[i], REASON_PASS, now);
	view_free(v);
}

struct fx_world fx_world(void)
{
	struct fx_world w = { fx_web_conf(), NULL };

	w.m = fx_model(w.c, MONO_S(100));
	fx_all_up(w.m, MONO_S(100));
	return w;
}

void fx_world_free(struct fx_world *w)
{
	model_free(w->m);
	conf_free(w->c);
}

enum model_rc fx_verb(struct model *m, enum model_verb v, const char *service, const char *addr,
		      mono_t now)
{
	struct model_op op = { .verb = v, .service = service, .uid = 1000 };
	char err[256];

	if (addr)
		op.endpoint = fx_addr(addr);
	return model_verb(m, &op, err, sizeof(err), now);
}

size_t fx_events(struct model *m, const char *kind)
{
	struct model_event ev;
	size_t n = 0;

	while (model_event_take(m, &ev))
		n += !strcmp(event_word(ev.kind), kind);
	return n;
}

uint32_t fx_rand(struct fx_rng *r, uint32_t n)
{
	r->s += 0x9e3779b97f4a7c15ull;
	uint64_t x = (r->s ^ (r->s >> 30)) * 0xbf58476d1ce4e5b9ull;

	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return n ? (uint32_t)((x ^ (x >> 31)) % n) : 0;
}
