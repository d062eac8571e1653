/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow.h - entries of the flow table: find, read, publish, change state. slot.h takes slots for new
 * ones, pair.h knows which two belong together. One code for both families: `af` is a constant
 * wherever these are inlined, and only the entry layout depends on it.
 *
 * What makes the table correct when several CPUs (and the controller's sweep) insert, expire and
 * evict at once:
 *
 *  I1  One owner. A slot changes hands only by compare-and-swap of its whole `meta` word from the
 *      value on which it was judged free or evictable to {CLAIMED, gen + 1}. Any change in
 *      between (a handshake that completes, another claim) changes `meta`, so the swap fails.
 *      Hence a live established flow is never evicted, and two CPUs never fill one slot.
 *  I2  No mixed reads. The owner writes key and fields only while the slot is CLAIMED. A reader
 *      takes meta, key, fields, then meta again: a live state in both and equal gen mean that all
 *      it read belongs to one life of the slot. (x86 keeps loads in order and stores in order;
 *      the swaps are full barriers.)
 *  I3  One entry a key. The owner stores its key with a full barrier before it scans the key's
 *      other slots; whoever sees a second non-EMPTY slot with its key gives its own back. Of two
 *      that insert one key at once at least one sees the other; never do both publish. (Both may
 *      give up: the client resends.)
 *  I4  State changes are compare-and-swap on `meta` as well: a late one for a former life of the
 *      slot fails.
 *  I5  A pair is two entries, and each names the other by slot: the forward entry in itself, the
 *      reverse entry in the pair record. A slot number says nothing about who lives there now, so
 *      it is only a place to look: what is read there (I2) is believed when rr_pair_is() finds
 *      endpoint, local port, local id, client and listener equal in both. The record is believed
 *      in the life whose gen it holds; it is written while its slot is CLAIMED.
 *      The forward entry is the authority. The reverse entry is published and promoted before it
 *      and is believed in any state but EST only after a look at its forward entry; a reverse
 *      entry without one is an orphan: it forwards nothing and ages out.
 *
 *  `seen` and `ack` are plain stores. If the slot changes hands meanwhile, its new owner gets the
 *  time of another packet of the same moment, and a number that its handshake sets anew.
 *
 * tests/spin model-checks them (flow.pml I1-I4, pair.pml I5); tests/bpf hammers them from several
 * CPUs.
 */
#ifndef RR_BPF_FLOW_H
#define RR_BPF_FLOW_H

#include "base.h"
#include "config.h"
#include "maps.h"
#include "pkt.h"
#include "rr_flow.h"
#include "rr_hash.h"
#include "rr_pair.h"

#define flow_barrier() asm volatile("" ::: "memory")

/* A believed reading of one entry (I2). */
struct flow_seen {
	struct rr_half h;
	__u32 seen;
	__u16 ack;
};

static __always_inline __u32 flow_ways(const int af)
{
	return af == RR_AF_INET ? RR_FLOW4_WAYS : RR_FLOW6_WAYS;
}

static __always_inline void *flow_set(const int af, __u32 index)
{
	return af == RR_AF_INET ? (void *)map_get(flows4, index) : (void *)map_get(flows6, index);
}

static __always_inline __u64 flow_hash(const int af, const struct rr_key *k, __u64 seed)
{
	return af == RR_AF_INET ? rr_hash4(k->key, seed) : rr_hash6(k->key, k->a[0], k->a[1], seed);
}

static __always_inline __u32 flow_set_a(const int af, __u64 h)
{
	return rr_set_a(h, af == RR_AF_INET ? rr_flow4_sets : rr_flow6_sets);
}

static __always_inline __u32 flow_set_b(const int af, __u64 h)
{
	return rr_set_b(h, af == RR_AF_INET ? rr_flow4_sets : rr_flow6_sets);
}

static __always_inline struct rr_flow4 *flow_way4(void *set, __u32 way)
{
	return &((struct rr_set4 *)set)->e[way & (RR_FLOW4_WAYS - 1)];
}

static __always_inline struct rr_flow6 *flow_way6(void *set, __u32 way)
{
	return &((struct rr_set6 *)set)->e[way & (RR_FLOW6_WAYS - 1)];
}

static __always_inline struct rr_flow *flow_body(const int af, void *set, __u32 way)
{
	return af == RR_AF_INET ? &flow_way4(set, way)->f : &flow_way6(set, way)->f;
}

static __always_inline __u64 flow_key(const int af, void *set, __u32 way)
{
	return af == RR_AF_INET ? flow_way4(set, way)->key : flow_way6(set, way)->key;
}

static __always_inline __u64 flow_meta(const struct rr_flow *f)
{
	return *(const volatile __u64 *)&f->meta;
}

static __always_inline bool flow_is_live(__u64 meta)
{
	return RR_META_STATE(meta) > RR_FLOW_CLAIMED;
}

static __always_inline bool flow_match(const int af, void *set, __u32 way, const struct rr_key *k)
{
	if (af == RR_AF_INET) {
		volatile struct rr_flow4 *e = flow_way4(set, way);

		return e->key == k->key;
	} else {
		volatile struct rr_flow6 *e = flow_way6(set, way);

		return e->key == k->key && e->addr[0] == k->a[0] && e->addr[1] == k->a[1];
	}
}

/* Compare-and-swap of the owner word; true when it was `was`. Full barrier. */
static __always_inline bool flow_cas(struct rr_flow *f, __u64 was, __u64 is)
{
	return __sync_val_compare_and_swap(&f->meta, was, is) == was;
}

static __always_inline void flow_copy(const int af, void *set, __u32 way, struct flow_seen *s)
{
	const struct rr_flow *f = flow_body(af, set, way);

	s->h.port = f->port;
	s->h.listener = f->listener;
	s->h.link = f->slot;
	s->seen = f->seen;
	s->ack = f->ack;
	if (af == RR_AF_INET) {
		s->h.key = flow_way4(set, way)->key;
		s->h.addr[0] = (__u32)s->h.key;
		s->h.addr[1] = 0;
		s->h.peer[0] = f->peer;
		s->h.peer[1] = 0;
	} else {
		const struct rr_flow6 *e = flow_way6(set, way);

		s->h.key = e->key;
		s->h.addr[0] = e->addr[0];
		s->h.addr[1] = e->addr[1];
		s->h.peer[0] = e->peer[0];
		s->h.peer[1] = e->peer[1];
	}
}

/* Reads way `way`, whose owner word was `meta` a moment ago, both of one life (I2). */
static __always_inline bool flow_read(const int af, void *set, __u32 way, __u64 meta,
				      struct flow_seen *s)
{
	flow_barrier();
	flow_copy(af, set, way, s);
	flow_barrier();
	s->h.meta = flow_meta(flow_body(af, set, way));
	return RR_META_GEN(s->h.meta) == RR_META_GEN(meta) && flow_is_live(s->h.meta);
}

/* The way that holds a live entry of key k, and its owner word; flow_ways() = none. */
static __always_inline __u64 flow_way(const int af, void *set, const struct rr_key *k, __u64 *meta)
{
#pragma unroll
	for (__u32 way = 0; way < flow_ways(af); way++) {
		if (!flow_match(af, set, way, k))
			continue;
		*meta = flow_meta(flow_body(af, set, way));
		if (flow_is_live(*meta))
			return way;
	}
	return flow_ways(af);
}

/*
 * The live entry of key k and a believed reading of it; NULL = none. The key is compared again
 * behind `meta`: the first look at it may have been into another life.
 */
static __always_inline struct rr_flow *flow_find(const int af, const struct rr_key *k, __u64 seed,
						 struct flow_seen *s)
{
	__u64 h = flow_hash(af, k, seed), meta = 0, way;
	__u32 index = flow_set_a(af, h), ways = flow_ways(af);
	void *set = flow_set(af, index);

	if (!set)
		return NULL;
	way = flow_way(af, set, k, &meta);
	if (way == ways) {
		index = flow_set_b(af, h);
		set = flow_set(af, index);
		if (!set)
			return NULL;
		way = flow_way(af, set, k, &meta);
		if (way == ways)
			return NULL;
	}
	way = pkt_blur(way, h) & (ways - 1);
	flow_barrier();
	if (!flow_match(af, set, way, k) || !flow_read(af, set, way, meta, s))
		return NULL;
	s->h.slot = index * ways + way;
	return flow_body(af, set, way);
}

/* The body in a slot; NULL only for a number past the table. */
static __always_inline struct rr_flow *flow_at(const int af, __u32 slot)
{
	__u32 ways = flow_ways(af);
	void *set = flow_set(af, slot / ways);

	return set ? flow_body(af, set, slot & (ways - 1)) : NULL;
}

/* A believed reading of whatever lives in a slot; false = nothing does. */
static __always_inline bool flow_by_slot(const int af, __u32 slot, struct flow_seen *s)
{
	__u32 ways = flow_ways(af), way = slot & (ways - 1);
	void *set = flow_set(af, slot / ways);
	__u64 meta;

	if (!set)
		return false;
	meta = flow_meta(flow_body(af, set, way));
	s->h.slot = slot;
	return flow_is_live(meta) && flow_read(af, set, way, meta, s);
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
 * Starts the loads of both candidate sets of a key, so that they run side by side. Returns the slot
 * that a new entry of it most likely gets.
 */
static __always_inline __u32 flow_warm(const int af, const struct rr_key *k, __u64 seed)
{
	__u64 h = flow_hash(af, k, seed);
	__u32 index = flow_set_a(af, h);

	flow_warm_set(af, index);
	flow_warm_set(af, flow_set_b(af, h));
	return index * flow_ways(af);
}

/* Gives an owned or live slot back; false when its life had ended already. */
static __always_inline bool flow_release(struct rr_flow *f, __u64 meta)
{
	return flow_cas(f, meta, RR_META_MAKE(RR_META_GEN(meta) + 1, RR_FLOW_EMPTY, 0, 0, 0));
}

/* Makes an owned, filled slot visible. Nobody else changes a CLAIMED meta, so this cannot fail. */
static __always_inline void flow_publish(struct rr_flow *f, __u64 claimed, __u8 state, __u16 ep,
					 __u16 via)
{
	__u64 meta = RR_META_MAKE(RR_META_GEN(claimed), state, 0, ep, via);

	flow_barrier();
	flow_cas(f, claimed, meta);
}

/*
 * Moves an entry to a state that is not lower than the present one and adds `flag`. Returns the
 * meta that was replaced (or the present one when nothing had to change); 0 = the entry's life
 * has ended.
 */
static __always_inline __u64 flow_advance(struct rr_flow *f, __u64 meta, __u8 state, __u32 flag)
{
	__u16 gen = RR_META_GEN(meta);

	for (int i = 0; i < 3; i++) {
		__u32 was = RR_META_STATE(meta), is = state > was ? state : was;
		__u32 flags = RR_META_FLAGS(meta) | flag;

		if (RR_META_GEN(meta) != gen || was <= RR_FLOW_CLAIMED)
			return 0;
		if (is == RR_FLOW_FIN1 && (flags & RR_FLOW_F_FINS) == RR_FLOW_F_FINS)
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

/* The state of an entry that is open again, by its flags. */
static __always_inline __u32 flow_state_open(__u32 flags)
{
	__u32 fins = flags & RR_FLOW_F_FINS;

	return !fins ? RR_FLOW_EST : fins == RR_FLOW_F_FINS ? RR_FLOW_FIN2 : RR_FLOW_FIN1;
}

/*
 * Takes flags off an entry that is established or was, and with them a reset that did not hold:
 * back to the state that the rest says. One reset half-open (no RST flag) is half-open again.
 * Returns the meta that was replaced (or the present one when nothing had to change); 0 = its life
 * has ended, or it was killed.
 */
static __always_inline __u64 flow_restore(struct rr_flow *f, __u64 meta, __u32 drop)
{
	__u16 gen = RR_META_GEN(meta);

	for (int i = 0; i < 3; i++) {
		__u32 was = RR_META_STATE(meta), flags = RR_META_FLAGS(meta), is;

		if (RR_META_GEN(meta) != gen || was < RR_FLOW_SYN || was > RR_FLOW_RST)
			return 0;
		is = was < RR_FLOW_EST || (was == RR_FLOW_RST && !(flags & RR_FLOW_F_RSTS))
			     ? RR_FLOW_SYN
			     : flow_state_open(flags & ~drop);
		if (is == was && !(flags & drop))
			return meta;
		if (flow_cas(f, meta,
			     RR_META_MAKE(gen, is, flags & ~drop, RR_META_EP(meta),
					  RR_META_VIA(meta))))
			return meta;
		meta = flow_meta(f);
	}
	return 0;
}

/*
 * The slow path calls these as global functions: the verifier checks each once instead of once for
 * every way in which a key can match, and the program stays small.
 */
#define FLOW_GLOBALS(n, af) \
	__noinline int flow_find##n(const struct rr_key *k, __u64 seed, struct flow_seen *s) \
	{ \
		return k && s && flow_find(af, k, seed, s); \
	} \
	__noinline int flow_slot##n(__u32 slot, struct flow_seen *s) \
	{ \
		return s && flow_by_slot(af, slot, s); \
	} \
	__noinline __u64 flow_advance##n(__u32 slot, __u64 meta, __u8 state, __u32 flag) \
	{ \
		struct rr_flow *f = flow_at(af, slot); \
\
		return f ? flow_advance(f, meta, state, flag) : 0; \
	} \
	__noinline __u64 flow_restore##n(__u32 slot, __u64 meta, __u32 drop) \
	{ \
		struct rr_flow *f = flow_at(af, slot); \
\
		return f ? flow_restore(f, meta, drop) : 0; \
	}
FLOW_GLOBALS(4, RR_AF_INET)
FLOW_GLOBALS(6, RR_AF_INET6)
#undef FLOW_GLOBALS

static __always_inline bool flow_look(const int af, const struct rr_key *k, __u64 seed,
				      struct flow_seen *s)
{
	return af == RR_AF_INET ? flow_find4(k, seed, s) : flow_find6(k, seed, s);
}

static __always_inline bool flow_look_slot(const int af, __u32 slot, struct flow_seen *s)
{
	return af == RR_AF_INET ? flow_slot4(slot, s) : flow_slot6(slot, s);
}

static __always_inline __u64 flow_move(const int af, const struct flow_seen *s, __u8 state,
				       __u32 flag)
{
	return af == RR_AF_INET ? flow_advance4(s->h.slot, s->h.meta, state, flag)
				: flow_advance6(s->h.slot, s->h.meta, state, flag);
}

static __always_inline __u64 flow_move_back(const int af, const struct flow_seen *s, __u32 drop)
{
	return af == RR_AF_INET ? flow_restore4(s->h.slot, s->h.meta, drop)
				: flow_restore6(s->h.slot, s->h.meta, drop);
}

#endif
