/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slot.h - the slot of a new entry: who may be evicted for it, in which order, and how it is taken
 * (I1 and I3 of flow.h). Order: free, expired, closed, half-open from the oldest on; a live
 * established flow never.
 */
#ifndef RR_BPF_SLOT_H
#define RR_BPF_SLOT_H

#include "base.h"
#include "flow.h"
#include "maps.h"
#include "rr_flow.h"
#include "rr_pair.h"
#include "rr_verdict.h"

/* How willingly an entry is given up, lowest first. Half-open ones lie between CLOSED and KEEP. */
#define SLOT_FREE 0u
#define SLOT_EXPIRED 1u
#define SLOT_CLOSED 2u
#define SLOT_HALF_OPEN 0x40000000u /* less its age: the oldest first */
#define SLOT_KEEP 0xffffffffu /* must not be taken */

/* A slot that this CPU owns (CLAIMED). */
struct slot {
	__u64 meta; /* the CLAIMED value */
	__u64 was; /* what it replaced */
	__u32 at; /* set * ways + way */
	__u16 closed; /* that was the forward entry of an established flow, long expired */
	__u16 service; /* of this service */
};

/* Service of an entry: that of the listener which it was opened through; past the table = none. */
static __always_inline __u32 slot_service(__u32 listener)
{
	const struct rr_listener *l = map_get(listeners, listener);

	return l ? l->service : RR_MAX_SERVICES;
}

/* The listener is in a forward entry's key, and in a reverse entry's body. */
static __always_inline __u32 slot_listener(__u64 key, const struct rr_flow *f)
{
	__u16 tag = RR_KEY_TAG(key);

	return tag & RR_TAG_REV ? f->listener : RR_TAG_LISTENER(tag);
}

static __always_inline __u32 slot_half_open(__u32 age)
{
	return SLOT_HALF_OPEN - ((__s32)age < 0 ? 0 : age & 0x0fffffffu);
}

/* State RST: was it established a moment ago? Then its packets may still disprove it. */
static __always_inline bool slot_is_claim(const struct rr_service *svc, __u64 meta, __u32 age)
{
	return (__u32)(meta >> 20) & RR_FLOW_F_RSTS && age <= svc->t_claim;
}

/* The score of an entry, `age` jiffies after its last packet. Without a service nothing expires. */
static __always_inline __u32 slot_score(const struct rr_service *svc, __u64 meta, __u32 age)
{
	__u32 state = RR_META_STATE(meta);

	if (!svc || (__s32)age < 0)
		age = 0;
	if (svc && age > rr_pair_timeout(svc, state))
		return SLOT_EXPIRED;
	if (svc && slot_is_claim(svc, meta, age))
		return SLOT_KEEP;
	if (state == RR_FLOW_FIN2 || state == RR_FLOW_RST || state == RR_FLOW_KILLED)
		return SLOT_CLOSED;
	if (state == RR_FLOW_SYN || state == RR_FLOW_SYNACK)
		return slot_half_open(age);
	return SLOT_KEEP;
}

/*
 * The score of what is in a slot. Half-open entries go by age alone, so that a flood costs no
 * look at listener and service; a closed one stands where its service's half-open timeout is, so
 * that expired half-open entries go before it and the others after.
 */
static __always_inline __u32 slot_judge(__u64 key, const struct rr_flow *f, __u64 meta, __u32 now)
{
	__u32 state = RR_META_STATE(meta), age = now - f->seen, score;
	const struct rr_service *svc;

	if (state == RR_FLOW_EMPTY)
		return SLOT_FREE;
	if (state == RR_FLOW_CLAIMED)
		return SLOT_KEEP;
	if (state == RR_FLOW_SYN || state == RR_FLOW_SYNACK)
		return slot_half_open(age);
	svc = map_get(services, slot_service(slot_listener(key, f)));
	score = slot_score(svc, meta, age);
	return score == SLOT_CLOSED && svc ? slot_half_open(svc->t_syn) : score;
}

/* Without a branch: among random ages it would be mispredicted. Both are below 2^63. */
static __always_inline __u64 slot_min(__u64 a, __u64 b)
{
	__u64 less = b - a, mask = less;

	asm volatile("%0 s>>= 63" : "+r"(mask));
	return a + (less & mask);
}

#define SLOT_RANK(score, at) ((__u64)(score) << 8 | (at))
#define SLOT_RANK_AT(r) ((r)&0xff)
#define SLOT_RANK_SCORE(r) ((__u32)((r) >> 8))

/*
 * The best slot of a key's sets so far: SLOT_RANK(score, place); places: set a's ways, then set
 * b's.
 */
static __always_inline __u64 slot_rank(const int af, void *set, __u32 base, __u32 now, __u64 best)
{
#pragma unroll
	for (__u32 way = 0; way < flow_ways(af); way++) {
		const struct rr_flow *f = flow_body(af, set, way);
		__u32 score = slot_judge(flow_key(af, set, way), f, flow_meta(f), now);

		if (score == SLOT_FREE)
			return SLOT_RANK(SLOT_FREE, base + way);
		best = slot_min(best, SLOT_RANK(score, base + way));
	}
	return best;
}

/* Empty slots of one set. */
static __always_inline __u32 slot_free(const int af, void *set)
{
	__u32 n = 0;

#pragma unroll
	for (__u32 way = 0; way < flow_ways(af); way++) /* 1 for state 0, without a branch */
		n += (RR_META_STATE(flow_meta(flow_body(af, set, way))) - 1u) >> 31;
	return n;
}

/*
 * The best slot of both sets. Set a is preferred while it has room, since it is looked at first;
 * when it is nearly full the emptier one is taken. Simulated under churn of live flows, refused
 * by both sets full: at 25 % load none, at half load 0.4 % (first fit: 1.6 %), at 75 % 8 %.
 */
static __always_inline __u64 slot_rank_both(const int af, void *a, void *b, __u32 now)
{
	__u64 best = SLOT_RANK(SLOT_KEEP, 0);
	__u32 room = slot_free(af, a);

	if (room < 2 && slot_free(af, b) > room)
		return slot_rank(af, b, flow_ways(af), now, best);
	best = slot_rank(af, a, 0, now, best);
	return room ? best : slot_rank(af, b, flow_ways(af), now, best);
}

/* Non-empty slots of one set that hold key k (I3). */
static __always_inline __u32 slot_count(const int af, void *set, const struct rr_key *k)
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
static __always_inline void slot_put_key(const int af, void *set, __u32 way, const struct rr_key *k)
{
	if (af == RR_AF_INET) {
		struct rr_flow4 *e = flow_way4(set, way);

		__sync_lock_test_and_set(&e->key, k->key);
	} else {
		struct rr_flow6 *e = flow_way6(set, way);

		e->addr[0] = k->a[0];
		e->addr[1] = k->a[1];
		__sync_lock_test_and_set(&e->key, k->key);
	}
}

/*
 * Claims way `way` of a set, if what is in it may still go: what is judged is what is swapped
 * (I1).
 */
static __always_inline enum rr_verdict slot_claim(const int af, void *set, __u32 way, __u32 now,
						  struct slot *out)
{
	struct rr_flow *f = flow_body(af, set, way);
	__u64 was = flow_meta(f), key = flow_key(af, set, way);

	if (slot_judge(key, f, was, now) == SLOT_KEEP)
		return RR_V_FLOW_RACE;
	out->was = was;
	out->closed = RR_META_STATE(was) == RR_FLOW_EST && !(RR_KEY_TAG(key) & RR_TAG_REV);
	if (out->closed)
		out->service = slot_service(slot_listener(key, f));
	out->meta = RR_META_MAKE(RR_META_GEN(was) + 1, RR_FLOW_CLAIMED, 0, 0, 0);
	return flow_cas(f, was, out->meta) ? RR_V_GO : RR_V_FLOW_RACE;
}

/*
 * Takes a slot for key k: ranks both candidate sets, claims the best, writes the key, looks for a
 * second entry of the key. A reverse key in use is found before anything is claimed. RR_V_GO: `out`
 * is owned, to be filled and published (or released). RR_V_TABLE_FULL: nothing may be evicted.
 * RR_V_FLOW_RACE: the key exists, or somebody was faster.
 */
static __always_inline enum rr_verdict slot_take(const int af, const struct rr_key *k, __u64 seed,
						 __u32 now, struct slot *out)
{
	__u64 h = flow_hash(af, k, seed), best;
	__u32 ways = flow_ways(af), ia = flow_set_a(af, h), ib = flow_set_b(af, h), index, at;
	void *a = flow_set(af, ia), *b = flow_set(af, ib), *set;
	enum rr_verdict v;

	if (!a || !b)
		return RR_V_TABLE_FULL;
	if ((RR_KEY_TAG(k->key) & RR_TAG_REV) && slot_count(af, a, k) + slot_count(af, b, k))
		return RR_V_FLOW_RACE;
	best = slot_rank_both(af, a, b, now);
	if (SLOT_RANK_SCORE(best) == SLOT_KEEP)
		return RR_V_TABLE_FULL;
	at = SLOT_RANK_AT(best);
	index = at >= ways ? ib : ia;
	set = flow_set(af, index);
	if (!set)
		return RR_V_TABLE_FULL;
	out->at = index * ways + (at & (ways - 1));
	v = slot_claim(af, set, at, now, out);
	if (v)
		return v;
	slot_put_key(af, set, at, k);
	if (slot_count(af, a, k) + slot_count(af, b, k) != 1) {
		flow_release(flow_body(af, set, at), out->meta);
		return RR_V_FLOW_RACE;
	}
	return RR_V_GO;
}

/* Global, for the verifier: see flow.h. */
__noinline int slot_take4(const struct rr_key *k, __u64 seed, __u32 now, struct slot *out)
{
	return k && out ? slot_take(RR_AF_INET, k, seed, now, out) : RR_V_TABLE_FULL;
}

__noinline int slot_take6(const struct rr_key *k, __u64 seed, __u32 now, struct slot *out)
{
	return k && out ? slot_take(RR_AF_INET6, k, seed, now, out) : RR_V_TABLE_FULL;
}

#endif
