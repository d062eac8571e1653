/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flowtab.c - builds the entries of connections as the packet path would, by the rules of
 * rr_pair.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/flowtab.h"
#include "rr_hash.h"

void on_closed(void *arg, uint32_t ep)
{
	struct flowtab *x = arg;

	x->closed[ep]++;
}

static void set_service(struct rr_service *s, uint8_t mode)
{
	s->flags = RR_SVC_PRESENT;
	s->mode = mode;
	s->t_syn = 30 * HZ;
	s->t_est = 900 * HZ;
	s->t_fin1 = 120 * HZ;
	s->t_fin2 = 31 * HZ;
	s->t_rst = 10 * HZ;
}

static void set_listener(struct flowtab *x, uint32_t id, uint8_t family, uint16_t service)
{
	x->listener[id] = (struct rr_listener){ .family = family,
						.service = service,
						.flags = RR_LISTENER_PRESENT };
}

static void set_endpoint(struct flowtab *x, uint32_t id, uint8_t family, uint8_t mode)
{
	memcpy(x->endpoint[id].addr.a,
	       "\x0a\x00\x00\x07\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c",
	       family == RR_AF_INET ? 4 : 16);
	x->endpoint[id].family = family;
	x->endpoint[id].mode = mode;
}

int flowtab_setup(void **state)
{
	struct flowtab *x = aligned_alloc(128, (sizeof(*x) + 127) & ~(size_t)127);

	assert_non_null(x);
	memset(x, 0, sizeof(*x));
	set_service(&x->service[SVC], RR_MODE_NAT);
	set_service(&x->service[SVC_DSR], RR_MODE_DSR);
	set_listener(x, LISTENER, RR_AF_INET, SVC);
	set_listener(x, LISTENER6, RR_AF_INET6, SVC);
	set_listener(x, LISTENER_DSR, RR_AF_INET, SVC_DSR);
	set_endpoint(x, EP, RR_AF_INET, RR_MODE_NAT);
	set_endpoint(x, EP6, RR_AF_INET6, RR_MODE_NAT);
	set_endpoint(x, EP_DSR, RR_AF_INET, RR_MODE_DSR);
	x->t = (struct walk_tables){
		.set4 = x->set4,
		.set6 = x->set6,
		.pair4 = x->pair4,
		.pair6 = x->pair6,
		.sets4 = SETS4,
		.sets6 = SETS6,
		.listener = x->listener,
		.service = x->service,
		.endpoint = x->endpoint,
		.seed = SEED,
		.hz = HZ,
	};
	walk_init(&x->walk, &x->t, on_closed, x);
	*state = x;
	return 0;
}

int flowtab_teardown(void **state)
{
	free(*state);
	return 0;
}

struct rr_flow *put4(struct flowtab *x, uint64_t key, bool second)
{
	uint64_t h = rr_hash4(key, SEED);
	struct rr_set4 *s = &x->set4[second ? rr_set_b(h, SETS4) : rr_set_a(h, SETS4)];

	for (uint32_t i = 0; i < RR_FLOW4_WAYS; i++) {
		if (RR_META_STATE(s->e[i].f.meta) != RR_FLOW_EMPTY)
			continue;
		s->e[i].key = key;
		return &s->e[i].f;
	}
	fail_msg("set full");
	return NULL;
}

struct rr_flow6 *put6(struct flowtab *x, uint64_t key, const uint64_t a[2])
{
	uint64_t h = rr_hash6(key, a[0], a[1], SEED);
	struct rr_set6 *s = &x->set6[rr_set_b(h, SETS6)];

	for (uint32_t i = 0; i < RR_FLOW6_WAYS; i++) {
		if (RR_META_STATE(s->e[i].f.meta) != RR_FLOW_EMPTY)
			continue;
		s->e[i].key = key;
		s->e[i].addr[0] = a[0];
		s->e[i].addr[1] = a[1];
		return &s->e[i];
	}
	fail_msg("set full");
	return NULL;
}

void fill(struct rr_flow *f, uint16_t gen, uint8_t state, uint16_t ep, uint16_t via, uint16_t port)
{
	f->meta = RR_META_MAKE(gen, state, 0, ep, via);
	f->seen = NOW;
	f->port = port;
}

static const uint64_t client6[2] = { 0x1111, 0x2222 };

uint32_t slot_of4(const struct flowtab *x, const struct rr_flow *f)
{
	return (uint32_t)(((uintptr_t)f - (uintptr_t)x->set4) / sizeof(struct rr_flow4));
}

static uint32_t slot_of6(const struct flowtab *x, const struct rr_flow *f)
{
	return (uint32_t)(((uintptr_t)f - (uintptr_t)x->set6) / sizeof(struct rr_flow6));
}

static struct rr_flow *forward4(struct flowtab *x, uint16_t port, uint8_t state, uint16_t ep)
{
	struct rr_flow *f = put4(x, RR_KEY_MAKE(CLIENT, port, rr_tag_forward(LISTENER, 0)), false);

	fill(f, 9, state, ep, LOCAL, 4000 + port);
	return f;
}

static struct rr_flow *forward6(struct flowtab *x, uint16_t port, uint8_t state, uint16_t ep)
{
	struct rr_flow6 *f = put6(x, RR_KEY_MAKE(0, port, rr_tag_forward(LISTENER6, 0)), client6);

	fill(&f->f, 9, state, ep, LOCAL, 4000 + port);
	return &f->f;
}

/* The reverse entry in flows6 of a forward entry, all words as given: mapped where IPv4. */
static struct rr_flow *reverse6(struct flowtab *x, uint16_t port, uint8_t state, uint16_t ep,
				const uint64_t peer[2])
{
	const struct rr_endpoint *e = &x->endpoint[ep];
	uint64_t a[2];
	struct rr_key k;
	struct rr_flow6 *r;

	memcpy(a, e->addr.a, 16);
	rr_key_make(&k, RR_AF_INET6, e->family, a[0], a[1], 4000 + port, rr_tag_reverse(LOCAL, 0));
	r = put6(x, k.key, (uint64_t[2]){ k.a[0], k.a[1] });
	fill(&r->f, 5, state, ep, 77, port);
	memcpy(r->peer, peer, sizeof(r->peer));
	return &r->f;
}

static struct pair join4(struct flowtab *x, struct rr_flow *fwd, struct rr_flow *rev)
{
	uint32_t slot = slot_of4(x, rev);

	fwd->slot = slot;
	rev->listener = LISTENER;
	x->pair4[slot] = (struct rr_pair){ .gen = 5, .forward = slot_of4(x, fwd) };
	return (struct pair){ fwd, rev, &x->pair4[slot] };
}

static struct pair join6(struct flowtab *x, struct rr_flow *fwd, uint32_t fwd_slot,
			 struct rr_flow *rev, uint16_t listener)
{
	uint32_t slot = slot_of6(x, rev);

	fwd->slot = slot;
	rev->listener = listener;
	x->pair6[slot] = (struct rr_pair){ .gen = 5, .forward = fwd_slot };
	return (struct pair){ fwd, rev, &x->pair6[slot] };
}

/* A nat connection of client 192.0.2.1:port. */
struct pair pair4(struct flowtab *x, uint16_t port, uint8_t state)
{
	uint32_t ep;
	struct rr_flow *rev;

	memcpy(&ep, x->endpoint[EP].addr.a, 4);
	rev = put4(x, RR_KEY_MAKE(ep, 4000 + port, rr_tag_reverse(LOCAL, 0)), true);
	fill(rev, 5, state, EP, 77, port);
	rev->peer = CLIENT;
	return join4(x, forward4(x, port, state, EP), rev);
}

struct pair pair6(struct flowtab *x, uint16_t port, uint8_t state)
{
	struct rr_flow *fwd = forward6(x, port, state, EP6);
	struct rr_flow *rev = reverse6(x, port, state, EP6, client6);

	return join6(x, fwd, slot_of6(x, fwd), rev, LISTENER6);
}

/* IPv4 client, IPv6 endpoint: forward entry in flows4, reverse entry in flows6. */
struct pair pair46(struct flowtab *x, uint16_t port, uint8_t state)
{
	const uint64_t mapped[2] = { 0, rr_addr_mapped(CLIENT) };
	struct rr_flow *fwd = forward4(x, port, state, EP6);
	struct rr_flow *rev = reverse6(x, port, state, EP6, mapped);

	return join6(x, fwd, slot_of4(x, fwd), rev, LISTENER);
}

/* IPv6 client, IPv4 endpoint: both entries in flows6. */
struct pair pair64(struct flowtab *x, uint16_t port, uint8_t state)
{
	struct rr_flow *fwd = forward6(x, port, state, EP);
	struct rr_flow *rev = reverse6(x, port, state, EP, client6);

	return join6(x, fwd, slot_of6(x, fwd), rev, LISTENER6);
}

const struct family families[FAMILIES] = {
	{ pair4, EP },
	{ pair6, EP6 },
	{ pair46, EP6 },
	{ pair64, EP },
};

void walk_all(struct flowtab *x, uint32_t now)
{
	walk_begin(&x->walk, now);
	while (!walk_step(&x->walk, 7))
		;
}

void assert_empty(const struct rr_flow *f, uint16_t gen)
{
	assert_int_equal(f->meta, RR_META_MAKE(gen, RR_FLOW_EMPTY, 0, 0, 0));
}

void assert_state(const struct rr_flow *f, uint8_t state)
{
	assert_int_equal(RR_META_STATE(f->meta), state);
}

void age(struct pair p, uint32_t fwd, uint32_t rev)
{
	p.fwd->seen = NOW - fwd;
	p.rev->seen = NOW - rev;
}
