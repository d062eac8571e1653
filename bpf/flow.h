/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow.h - the flow table: find, take a slot, publish, change state. One code for both families: `af` is a
 * constant wherever these are inlined, and only the entry layout depends on it.
 *
 * What makes it correct when several CPUs (and the controller's sweep) insert, expire and evict at once:
 *
 *  I1  One owner. A slot changes hands only by compare-and-swap of its whole `meta` word from the value on
 *      which it was judged free or evictable to {CLAIMED, gen + 1}. Any change in between (a handshake that
 *      completes, another claim) changes `meta`, so the swap fails. Hence a live established flow is never
 *      evicted, and two CPUs never fill one slot.
 *  I2  No mixed reads. The owner writes key and fields only while the slot is CLAIMED. A reader takes meta,
 *      key, fields, then meta again: equal gen and a live state mean that all it read belongs to one life of
 *      the slot. (x86 keeps loads in order and stores in order; the swaps are full barriers.)
 *  I3  One entry a key. The owner stores its key with a full barrier before it scans the key's other slots;
 *      whoever sees a second non-EMPTY slot with its key gives its own back. Of two that insert one key at
 *      once at least one sees the other; never do both publish. (Both may give up: the client resends.)
 *  I4  State changes are compare-and-swap on `meta` as well: a late one for a former life of the slot fails.
 *  I5  A pair is two entries; the forward one is the authority. The reverse entry is promoted before it and is
 *      believed in any state but EST only after a look at its forward entry; a reverse entry without one
 *      is an orphan: it forwards nothing and ages out.
 *  `seen` is a plain store: the worst of a race is one refresh of a stranger.
 *
 * tests/spin/flow.pml model-checks I1-I4; tests/bpf hammers them from several CPUs.
 */
#ifndef RR_FLOW_H
#define RR_FLOW_H

#define flow_barrier() asm volatile("" ::: "memory")
#define FLOW_KEEP 0xffffffffu /* score of a slot that must not be taken */

static __always_inline __u32 flow_ways(const int af)
{
	return af == RR_AF_INET ? RR_FLOW4_WAYS : RR_FLOW6_WAYS;
}

static __always_inline void *flow_set(const int af, __u32 index)
{
	return af == RR_AF_INET ? (void *)map_get(flows4, index) : (void *)map_get(flows6, index);
}

static __always_inline __u64 flow_hash(const int af, const struct fkey *k, __u64 seed)
{
	return af == RR_AF_INET ? rr_hash4(k->key, seed) : rr_hash6(k->key, k->a0, k->a1, seed);
}

static __always_inline __u32 flow_set_a(const int af, __u64 h)
{
	return rr_set_a(h, af == RR_AF_INET ? rr_flow4_sets : rr_flow6_sets);
}

static __always_inline __u32 flow_set_b(const int af, __u64 h)
{
	return rr_set_b(h, af == RR_AF_INET ? rr_flow4_sets : rr_flow6_sets);
}

static __always_inline struct rr_flow *flow_body(const int af, void *set, __u32 way)
{
	if (af == RR_AF_INET)
		return &((struct rr_set4 *)set)->e[way & (RR_FLOW4_WAYS - 1)].f;
	return &((struct rr_set6 *)set)->e[way & (RR_FLOW6_WAYS - 1)].f;
}

static __always_inline __u64 flow_key(const int af, void *set, __u32 way)
{
	if (af == RR_AF_INET)
		return ((struct rr_set4 *)set)->e[way & (RR_FLOW4_WAYS - 1)].key;
	return ((struct rr_set6 *)set)->e[way & (RR_FLOW6_WAYS - 1)].key;
}

static __always_inline __u64 flow_meta(const struct rr_flow *f)
{
	return *(const volatile __u64 *)&f->meta;
}

static __always_inline bool flow_match(const int af, void *set, __u32 way, const struct fkey *k)
{
	if (af == RR_AF_INET) {
		volatile struct rr_flow4 *e =
			&((struct rr_set4 *)set)->e[way & (RR_FLOW4_WAYS - 1)];

		return e->key == k->key;
	} else {
		volatile struct rr_flow6 *e =
			&((struct rr_set6 *)set)->e[way & (RR_FLOW6_WAYS - 1)];

		return e->key == k->key && e->addr[0] == k->a0 && e->addr[1] == k->a1;
	}
}

/* Compare-and-swap of the owner word; true when it was `was`. Full barrier. */
static __always_inline bool flow_cas(struct rr_flow *f, __u64 was, __u64 is)
{
	return __sync_val_compare_and_swap(&f->meta, was, is) == was;
}

/* Reads way `way` if it holds a live entry of key k (I2). */
static __always_inline bool flow_read(const int af, void *set, __u32 way, const struct fkey *k,
				      struct fsnap *s)
{
	struct rr_flow *f = flow_body(af, set, way);
	__u64 meta;

	if (!flow_match(af, set, way, k))
		return false;
	meta = flow_meta(f);
	flow_barrier();
	if (RR_META_STATE(meta) <= RR_FLOW_CLAIMED || !flow_match(af, set, way, k))
		return false;
	s->port = f->port;
	s->eport = f->eport;
	s->service = f->service;
	s->seen = f->seen;
	if (af == RR_AF_INET) {
		s->peer0 = f->peer;
		s->peer1 = 0;
	} else {
		const struct rr_flow6 *e = container_of(f, struct rr_flow6, f);

		s->peer0 = e->peer[0];
		s->peer1 = e->peer[1];
	}
	flow_barrier();
	s->meta = flow_meta(f);
	return RR_META_GEN(s->meta) == RR_META_GEN(meta) &&
	       RR_META_STATE(s->meta) > RR_FLOW_CLAIMED;
}

/* The way that holds a live entry of key k; flow_ways() = none. */
static __always_inline __u64 flow_way(const int af, void *set, const struct fkey *k)
{
#pragma unroll
	for (__u32 way = 0; way < flow_ways(af); way++) {
		if (flow_match(af, set, way, k) &&
		    RR_META_STATE(flow_meta(flow_body(af, set, way))) > RR_FLOW_CLAIMED)
			return way;
	}
	return flow_ways(af);
}

/* The live entry of key k and a believed reading of it; NULL = none. */
static __always_inline struct rr_flow *flow_find(const int af, const struct fkey *k, __u64 seed,
						 struct fsnap *s)
{
	__u64 h = flow_hash(af, k, seed), way;
	__u32 index = flow_set_a(af, h), ways = flow_ways(af);
	void *set = flow_set(af, index);

	if (!set)
		return NULL;
	way = flow_way(af, set, k);
	if (way == ways) {
		index = flow_set_b(af, h);
		set = flow_set(af, index);
		if (!set)
			return NULL;
		way = flow_way(af, set, k);
		if (way == ways)
			return NULL;
	}
	way = pkt_blur(way, h) & (ways - 1);
	if (!flow_read(af, set, way, k, s))
		return NULL;
	s->slot = index * ways + way;
	return flow_body(af, set, way);
}

/* The entry in a slot; NULL only for a number past the table. */
static __always_inline struct rr_flow *flow_at(const int af, __u32 slot)
{
	__u32 ways = flow_ways(af);
	void *set = flow_set(af, slot / ways);

	return set ? flow_body(af, set, slot & (ways - 1)) : NULL;
}

static __always_inline struct rr_cold *flow_cold(const int af, __u32 slot)
{
	return af == RR_AF_INET ? map_get(cold4, slot) : map_get(cold6, slot);
}

/* Starts the load of a line of memory, and waits for nothing: there is no prefetch instruction. */
static __always_inline void flow_touch_line(const void *at)
{
	__u64 unused;

	asm volatile("%0 = *(u64 *)(%1 + 0)" : "=r"(unused) : "r"(at));
}

static __always_inline void flow_warm_set(const int af, __u32 index)
{
	void *set = flow_set(af, index);

	if (!set)
		return;
	flow_touch_line(set);
	flow_touch_line(set + 64);
}

/*
 * Starts the loads of both candidate sets of a key, so that they run side by side; `cold`: also of the record that the
 * entry most likely gets.
 */
static __always_inline void flow_warm(const int af, const struct fkey *k, __u64 seed, bool cold)
{
	__u64 h = flow_hash(af, k, seed);
	__u32 index = flow_set_a(af, h);
	const struct rr_cold *c;

	flow_warm_set(af, index);
	flow_warm_set(af, flow_set_b(af, h));
	c = cold ? flow_cold(af, index * flow_ways(af)) : NULL;
	if (c)
		flow_touch_line(c);
}

/* Jiffies that an entry in `state` may idle. */
static __always_inline __u32 flow_timeout(const struct rr_service *svc, __u32 state)
{
	switch (state) {
	case RR_FLOW_EST:
		return svc->t_est;
	case RR_FLOW_FIN1:
		return svc->t_fin1;
	case RR_FLOW_FIN2:
		return svc->t_fin2;
	case RR_FLOW_SYN:
	case RR_FLOW_SYNACK:
		return svc->t_syn;
	default:
		return svc->t_rst;
	}
}

static __always_inline __u32 flow_half_open_score(__u32 age)
{
	return 0x40000000u - ((__s32)age < 0 ? 0 : age & 0x0fffffffu);
}

/*
 * How willingly an entry is given up, lowest first: expired 1, closed 2, half-open by age (oldest first);
 * FLOW_KEEP for a live flow.
 */
static __always_inline __u32 flow_age_score(__u32 service, __u64 meta, __u32 age)
{
	const struct rr_service *svc = map_get(services, service & (RR_MAX_SERVICES - 1));
	__u32 state = RR_META_STATE(meta);

	if (!svc || (__s32)age < 0)
		age = 0;
	if (svc && age > flow_timeout(svc, state))
		return 1;
	if (state == RR_FLOW_FIN2 || state == RR_FLOW_RST || state == RR_FLOW_KILLED)
		return 2;
	if (state == RR_FLOW_SYN || state == RR_FLOW_SYNACK)
		return flow_half_open_score(age);
	return FLOW_KEEP;
}

/*
 * The same order for a slot: 0 when it is free, FLOW_KEEP while somebody fills it. Half-open entries go by age alone, so
 * that a flood costs no look at the service; a closed one stands where its service's half-open timeout is, so that
 * expired half-open entries go before it and the others after.
 */
static __always_inline __u32 flow_score(const struct rr_flow *f, __u64 meta, __u32 now)
{
	__u32 state = RR_META_STATE(meta), age = now - f->seen, score;
	const struct rr_service *svc;

	if (state == RR_FLOW_EMPTY)
		return 0;
	if (state == RR_FLOW_CLAIMED)
		return FLOW_KEEP;
	if (state == RR_FLOW_SYN || state == RR_FLOW_SYNACK)
		return flow_half_open_score(age);
	score = flow_age_score(f->service, meta, age);
	svc = map_get(services, f->service & (RR_MAX_SERVICES - 1));
	return score == 2 && svc ? flow_half_open_score(svc->t_syn) : score;
}

/* Without a branch: among random ages it would be mispredicted. Both are below 2^63. */
static __always_inline __u64 flow_min(__u64 a, __u64 b)
{
	__u64 less = b - a, mask = less;

	asm volatile("%0 s>>= 63" : "+r"(mask));
	return a + (less & mask);
}

#define FLOW_RANK(score, at) ((__u64)(score) << 8 | (at))
#define FLOW_RANK_AT(r) ((r)&0xff)
#define FLOW_RANK_SCORE(r) ((__u32)((r) >> 8))

/* The best slot of a key's sets so far: FLOW_RANK(score, place); places: set a's ways, then set b's. */
static __always_inline __u64 flow_rank(const int af, void *set, __u32 base, __u32 now, __u64 best)
{
#pragma unroll
	for (__u32 way = 0; way < flow_ways(af); way++) {
		struct rr_flow *f = flow_body(af, set, way);
		__u32 score = flow_score(f, flow_meta(f), now);

		if (!score)
			return FLOW_RANK(0, base + way);
		best = flow_min(best, FLOW_RANK(score, base + way));
	}
	return best;
}

/* Empty slots of one set. */
static __always_inline __u32 flow_free(const int af, void *set)
{
	__u32 n = 0;

#pragma unroll
	for (__u32 way = 0; way < flow_ways(af); way++) /* 1 for state 0, without a branch */
		n += (RR_META_STATE(flow_meta(flow_body(af, set, way))) - 1u) >> 31;
	return n;
}

/*
 * The best slot of both sets. Set a is preferred while it has room, since it is looked at first; when it is nearly full the
 * emptier one is taken. Simulated under churn of live flows, refused by both sets full: at 25 % load none, at half load
 * 0.4 % (first fit: 1.6 %), at 75 % 8 %.
 */
static __always_inline __u64 flow_rank_both(const int af, void *a, void *b, __u32 now)
{
	__u64 best = FLOW_RANK(FLOW_KEEP, 0);
	__u32 free = flow_free(af, a);

	if (free < 2 && flow_free(af, b) > free)
		return flow_rank(af, b, flow_ways(af), now, best);
	best = flow_rank(af, a, 0, now, best);
	return free ? best : flow_rank(af, b, flow_ways(af), now, best);
}

/* Non-empty slots of one set that hold key k (I3). */
static __always_inline __u32 flow_count(const int af, void *set, const struct fkey *k)
{
	__u32 n = 0;

#pragma unroll
	for (__u32 way = 0; way < flow_ways(af); way++) {
		if (flow_match(af, set, way, k) &&
		    RR_META_STATE(flow_meta(flow_body(af, set, way))) != RR_FLOW_EMPTY)
			n++;
	}
	return n;
}

/* Stores the key of an owned slot; the exchange is the full barrier that I3 asks for. */
static __always_inline void flow_put_key(const int af, void *set, __u32 way, const struct fkey *k)
{
	if (af == RR_AF_INET) {
		struct rr_flow4 *e = &((struct rr_set4 *)set)->e[way & (RR_FLOW4_WAYS - 1)];

		__sync_lock_test_and_set(&e->key, k->key);
	} else {
		struct rr_flow6 *e = &((struct rr_set6 *)set)->e[way & (RR_FLOW6_WAYS - 1)];

		e->addr[0] = k->a0;
		e->addr[1] = k->a1;
		__sync_lock_test_and_set(&e->key, k->key);
	}
}

/* Gives an owned or live slot back. */
static __always_inline bool flow_release(struct rr_flow *f, __u64 meta)
{
	return flow_cas(f, meta, RR_META_MAKE(RR_META_GEN(meta) + 1, RR_FLOW_EMPTY, 0, 0, 0));
}

/*
 * Takes a slot for key k: ranks both candidate sets, claims the best, writes the key, looks for a second
 * entry of the key. A reverse key in use is found before anything is claimed. RR_V_GO: `out` is owned, to be filled
 * and published (or released). RR_V_TABLE_FULL: nothing may be evicted. RR_V_FLOW_RACE: the key exists, or somebody was faster.
 */
static __always_inline enum rr_verdict flow_take(const int af, const struct fkey *k, __u64 seed,
						 __u32 now, struct fslot *out)
{
	__u64 h = flow_hash(af, k, seed), best, was, meta;
	__u32 ways = flow_ways(af), ia = flow_set_a(af, h), ib = flow_set_b(af, h), index, at;
	void *a = flow_set(af, ia), *b = flow_set(af, ib), *set;
	struct rr_flow *f;

	if (!a || !b)
		return RR_V_TABLE_FULL;
	if ((RR_KEY_TAG(k->key) & RR_KEY_REV) && flow_count(af, a, k) + flow_count(af, b, k))
		return RR_V_FLOW_RACE;
	best = flow_rank_both(af, a, b, now);
	if (FLOW_RANK_SCORE(best) == FLOW_KEEP)
		return RR_V_TABLE_FULL;
	at = FLOW_RANK_AT(best);
	index = at >= ways ? ib : ia;
	set = flow_set(af, index);
	if (!set)
		return RR_V_TABLE_FULL;
	f = flow_body(af, set, at);
	was = flow_meta(f);
	if (flow_score(f, was, now) ==
	    FLOW_KEEP) /* it changed: what is judged is what is swapped (I1) */
		return RR_V_FLOW_RACE;
	out->was_service = f->service;
	out->was_forward = !(RR_KEY_TAG(flow_key(af, set, at)) & RR_KEY_REV);
	meta = RR_META_MAKE(RR_META_GEN(was) + 1, RR_FLOW_CLAIMED, 0, 0, 0);
	if (!flow_cas(f, was, meta))
		return RR_V_FLOW_RACE;
	flow_put_key(af, set, at, k);
	if (flow_count(af, a, k) + flow_count(af, b, k) != 1) {
		flow_release(f, meta);
		return RR_V_FLOW_RACE;
	}
	out->meta = meta;
	out->was = was;
	out->slot = index * ways + (at & (ways - 1));
	return RR_V_GO;
}

/* Makes an owned, filled slot visible. Nobody else changes a CLAIMED meta, so this cannot fail. */
static __always_inline void flow_publish(struct rr_flow *f, __u64 claimed, __u8 state, __u16 ep,
					 __u16 via)
{
	__u64 meta = RR_META_MAKE(RR_META_GEN(claimed), state, 0, ep, via);

	flow_barrier();
	flow_cas(f, claimed, meta);
}

/* Marks the packet's time; a store only when the tick changed, to leave the line clean. */
static __always_inline void flow_touch(struct rr_flow *f, __u32 seen, __u32 now)
{
	if (seen != now)
		*(volatile __u32 *)&f->seen = now;
}

/*
 * Moves an entry to a state that is not lower than the present one and adds `flag`. Returns the meta that
 * was replaced (or the present one when nothing had to change); 0 = the entry's life has ended.
 */
static __always_inline __u64 flow_advance(struct rr_flow *f, __u64 meta, __u8 state, __u8 flag)
{
	__u16 gen = RR_META_GEN(meta);

	for (int i = 0; i < 3; i++) {
		__u8 was = RR_META_STATE(meta), is = state > was ? state : was;
		__u8 flags = RR_META_FLAGS(meta) | flag;

		if (RR_META_GEN(meta) != gen || was <= RR_FLOW_CLAIMED)
			return 0;
		if (is == RR_FLOW_FIN1 && flags == (RR_FLOW_F_FIN_CLIENT | RR_FLOW_F_FIN_SERVER))
			is = RR_FLOW_FIN2;
		if (is == was && flags == RR_META_FLAGS(meta))
			return meta;
		if (flow_cas(f, meta,
			     RR_META_MAKE(gen, is, flags, RR_META_EP(meta), RR_META_VIA(meta))))
			return meta;
		meta = flow_meta(f);
	}
	return 0;
}

/*
 * The slow path calls these as global functions: the verifier checks each once instead of once for every way
 * in which a key can match, and the program stays small.
 */
#define FLOW_GLOBALS(n, af) \
	__noinline int flow_find##n(const struct fkey *k, __u64 seed, struct fsnap *s) \
	{ \
		return k && s && flow_find(af, k, seed, s); \
	} \
	__noinline int flow_take##n(const struct fkey *k, __u64 seed, __u32 now, \
				    struct fslot *out) \
	{ \
		return k && out ? flow_take(af, k, seed, now, out) : RR_V_TABLE_FULL; \
	} \
	__noinline __u64 flow_advance##n(__u32 slot, __u64 meta, __u8 state, __u8 flag) \
	{ \
		struct rr_flow *f = flow_at(af, slot); \
\
		return f ? flow_advance(f, meta, state, flag) : 0; \
	}
FLOW_GLOBALS(4, RR_AF_INET)
FLOW_GLOBALS(6, RR_AF_INET6)

#endif
