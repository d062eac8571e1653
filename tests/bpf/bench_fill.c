/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_fill.c - fills the tables with the generator's flows by plain stores, placed as the
 * packet path places them: the first free slot of the first candidate set, else of the second.
 */
#include "bpf/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <bpf/bpf.h>

#include "rr_hash.h"

#define BATCH 4096u
#define AGE_SPREAD 4096u /* jiffies: ages of half-open entries */

/* Both entries of connection i. */
struct pair {
	uint64_t fwd[3], rev[3]; /* key word, address */
	struct rr_flow f, r;
	uint64_t peer[2];
};

static bool is_v6(enum bench_service s)
{
	return s == BENCH_NAT6;
}

static void make_pair(struct pair *p, enum bench_service s, uint32_t i, uint8_t state, uint32_t now)
{
	bool v6 = is_v6(s), nat = s != BENCH_DSR4;
	uint32_t ep = bench_endpoint(s, i), local = bench_local(i) + (v6 ? BENCH_LOCALS : 0);

	memset(p, 0, sizeof(*p));
	p->fwd[0] = RR_KEY_MAKE(v6 ? 0 : bench_client4(i), bench_client_port(i),
				rr_tag_forward(bench_listener(s), 0));
	p->rev[0] = RR_KEY_MAKE(v6 ? 0 : bench_endpoint4(ep), bench_local_port(i),
				rr_tag_reverse(local, 0));
	for (int w = 0; v6 && w < 2; w++) {
		p->fwd[1 + w] = p->peer[w] = bench_client6(i, w);
		p->rev[1 + w] = bench_endpoint6(ep, w);
	}
	p->f.meta = RR_META_MAKE(1, state, 0, ep, nat ? local : 0);
	p->f.seen = p->r.seen = now;
	p->r.listener = bench_listener(s);
	p->f.port = nat ? bench_local_port(i) : 0;
	p->r.meta = RR_META_MAKE(1, state, 0, ep, 1);
	p->r.port = bench_client_port(i);
	p->r.peer = v6 ? 0 : bench_client4(i);
}

static struct rr_flow *slot_flow(struct bench *b, bool v6, uint32_t set, uint32_t way)
{
	if (v6)
		return &((struct rr_set6 *)bench_flows(b, true))[set].e[way].f;
	return &((struct rr_set4 *)bench_flows(b, false))[set].e[way].f;
}

static void put_slot(struct bench *b, bool v6, uint32_t set, uint32_t way, const uint64_t *key,
		     const struct rr_flow *f, const uint64_t *peer)
{
	if (v6) {
		struct rr_flow6 *e = &((struct rr_set6 *)bench_flows(b, true))[set].e[way];

		e->key = key[0];
		e->addr[0] = key[1];
		e->addr[1] = key[2];
		e->peer[0] = peer[0];
		e->peer[1] = peer[1];
		e->f = *f;
	} else {
		struct rr_flow4 *e = &((struct rr_set4 *)bench_flows(b, false))[set].e[way];

		e->key = key[0];
		e->f = *f;
	}
}

static uint32_t empty_slots(struct bench *b, bool v6, uint32_t set, uint32_t ways)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < ways; i++)
		n += !slot_flow(b, v6, set, i)->meta;
	return n;
}

/*
 * As the packet path does (slot_rank_both()): set a, unless it is nearly full and b has more room.
 * Returns the slot. Where both sets are full, it is a connection that the packet path would have
 * refused; bench_run() sees its packets.
 */
static uint32_t place(struct bench *b, bool v6, const uint64_t *key, const struct rr_flow *f,
		      const uint64_t *peer)
{
	uint32_t sets = bench_sets(b, v6), ways = v6 ? RR_FLOW6_WAYS : RR_FLOW4_WAYS;
	uint64_t seed = bench_seed(b);
	uint64_t h = v6 ? rr_hash6(key[0], key[1], key[2], seed) : rr_hash4(key[0], seed);
	uint32_t set[2] = { rr_set_a(h, sets), rr_set_b(h, sets) };
	uint32_t free_a = empty_slots(b, v6, set[0], ways);
	uint32_t in = free_a < 2 && empty_slots(b, v6, set[1], ways) > free_a;

	for (uint32_t i = 0; i < ways; i++) {
		if (!slot_flow(b, v6, set[in], i)->meta) {
			put_slot(b, v6, set[in], i, key, f, peer);
			return set[in] * ways + i;
		}
	}
	return 0;
}

/* Both entries and the record that they share. */
static void place_pair(struct bench *b, enum bench_service s, struct pair *p, uint32_t now)
{
	static const uint64_t none[2];
	struct rr_pair record = { .gen = 1, .tries = 1, .opened = now };
	bool v6 = is_v6(s);
	uint32_t at = 0;

	if (s != BENCH_DSR4)
		at = p->f.slot = place(b, v6, p->rev, &p->r, p->peer);
	record.forward = place(b, v6, p->fwd, &p->f, none);
	bench_pairs(b, v6)[s == BENCH_DSR4 ? record.forward : at] = record;
}

void fill_clear(struct bench *b, bool v6)
{
	size_t set = v6 ? sizeof(struct rr_set6) : sizeof(struct rr_set4);

	memset(bench_flows(b, v6), 0, set * bench_sets(b, v6));
	bench_ports_clear(b);
}

/*
 * Numbers 0 .. flows-1 in a scattered order, so that the few hot flows of a row sit as any other.
 */
static bool scattered(uint32_t step, uint32_t flows, uint32_t *i)
{
	uint32_t size = 1;

	while (size < flows)
		size <<= 1;
	*i = step * 0x9e3779b1u & (size - 1);
	return step < size;
}

void fill_established(struct bench *b, enum bench_service s, uint32_t flows, uint8_t state)
{
	uint32_t now = bench_jiffies(b), i;
	struct pair p;

	for (uint32_t step = 0; scattered(step, flows, &i); step++) {
		if (i >= flows)
			continue;
		make_pair(&p, s, i, state, now);
		place_pair(b, s, &p, now);
	}
}

void fill_half_open(struct bench *b, bool v6)
{
	static const uint64_t none[2];
	uint32_t ways = v6 ? RR_FLOW6_WAYS : RR_FLOW4_WAYS, now = bench_jiffies(b);
	enum bench_service s = v6 ? BENCH_NAT6 : BENCH_NAT4;
	struct pair p;

	for (uint32_t i = 0; i < bench_sets(b, v6) * ways; i++) {
		make_pair(&p, s, i, RR_FLOW_SYN, now - (i * 0x9e3779b1u >> 16) % AGE_SPREAD);
		put_slot(b, v6, i / ways, i % ways, p.fwd, &p.f, none);
	}
}

/* ---- baseline -------------------------------------------------------------------------------- */

struct batch {
	struct bench_lru_key key[BATCH];
	struct bench_lru_value value[BATCH];
	uint32_t n;
};

static void batch_flush(struct bench *b, struct batch *t)
{
	uint32_t n = t->n;

	if (n && bpf_map_update_batch(bench_lru_fd(b), t->key, t->value, &n, NULL))
		die("baseline's map: %s", strerror(errno));
	t->n = 0;
}

static void batch_add(struct bench *b, struct batch *t, const struct bench_lru_key *k,
		      const struct bench_lru_value *v)
{
	t->key[t->n] = *k;
	t->value[t->n++] = *v;
	if (t->n == BATCH)
		batch_flush(b, t);
}

static void service_words(enum bench_service s, __u64 *w)
{
	w[0] = is_v6(s) ? 0x00000000b80d0120ull : BENCH_ADDR4(192u, 0u, 2u, 10 + s);
	w[1] = is_v6(s) ? 0x0a00000000000001ull : 0;
}

static void lru_pair(struct bench *b, struct batch *t, enum bench_service s, const struct pair *p,
		     uint32_t i)
{
	struct bench_lru_key k = { .proto = IPPROTO_TCP, .dport = BENCH_PORT_BE };
	struct bench_lru_value v = { .meta = p->f.meta, .seen = p->f.seen };
	bool v6 = is_v6(s);

	v.listener = (uint16_t)bench_listener(s);
	k.sport = bench_client_port(i);
	k.src[0] = v6 ? bench_client6(i, 0) : bench_client4(i);
	k.src[1] = v6 ? bench_client6(i, 1) : 0;
	service_words(s, k.dst);
	v.port = p->f.port;
	batch_add(b, t, &k, &v);
	if (s == BENCH_DSR4)
		return;
	v.meta = p->r.meta;
	v.port = p->r.port;
	memcpy(v.peer, k.src, sizeof(v.peer));
	k.sport = BENCH_PORT_BE;
	k.dport = bench_local_port(i);
	for (int w = 0; w < 2; w++) {
		uint32_t ep = bench_endpoint(s, i), n = bench_local(i);

		k.src[w] = v6 ? bench_endpoint6(ep, w) : w ? 0 : bench_endpoint4(ep);
		k.dst[w] = v6 ? bench_local6(n, w) : w ? 0 : bench_local4(n);
	}
	batch_add(b, t, &k, &v);
}

void fill_lru_established(struct bench *b, enum bench_service s, uint32_t flows, uint8_t state)
{
	struct batch *t = calloc(1, sizeof(*t));
	uint32_t now = bench_jiffies(b), i;
	struct pair p;

	if (!t)
		die("out of memory");
	for (uint32_t step = 0; scattered(step, flows, &i); step++) {
		if (i >= flows)
			continue;
		make_pair(&p, s, i, state, now);
		lru_pair(b, t, s, &p, i);
	}
	batch_flush(b, t);
	free(t);
}

/* As many half-open connections as the map holds entries: it has begun to evict by then. */
void fill_lru_half_open(struct bench *b)
{
	fill_lru_established(b, BENCH_DSR4, bench_sets(b, false) * RR_FLOW4_WAYS, RR_FLOW_SYN);
}

void fill_lru_clear(struct bench *b)
{
	struct batch *t = calloc(1, sizeof(*t));
	uint32_t pos = 0;
	bool first = true;
	int err;

	if (!t)
		die("out of memory");
	do {
		t->n = BATCH;
		err = bpf_map_lookup_and_delete_batch(bench_lru_fd(b), first ? NULL : &pos, &pos,
						      t->key, t->value, &t->n, NULL);
		first = false;
	} while (!err);
	if (errno != ENOENT)
		die("baseline's map: %s", strerror(errno));
	free(t);
}
