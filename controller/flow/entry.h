/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * entry.h - reading one entry of the flow tables in one life of its slot. Private to this folder;
 * inline, because a walk does it for every slot.
 *
 * A slot may change hands at any moment. What is read counts only when `meta` is the same before
 * and after, and what is written is a compare-and-swap of that `meta` (rr_flow.h has the protocol).
 */
#ifndef FLOW_ENTRY_H
#define FLOW_ENTRY_H

#include "flow/walk.h"

static inline uint64_t meta_load(const struct rr_flow *f)
{
	return __atomic_load_n(&f->meta, __ATOMIC_ACQUIRE);
}

static inline bool meta_cas(struct rr_flow *f, uint64_t was, uint64_t is)
{
	__u64 expect = was;

	return __atomic_compare_exchange_n(&f->meta, &expect, is, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

static inline bool state_live(uint32_t state)
{
	return state > RR_FLOW_CLAIMED && state < RR_FLOW_STATES;
}

static inline struct rr_flow4 *slot4(const struct walk_tables *t, uint32_t slot)
{
	return &t->set4[slot / RR_FLOW4_WAYS].e[slot % RR_FLOW4_WAYS];
}

static inline struct rr_flow6 *slot6(const struct walk_tables *t, uint32_t slot)
{
	return &t->set6[slot / RR_FLOW6_WAYS].e[slot % RR_FLOW6_WAYS];
}

static inline struct rr_flow *slot_flow(const struct walk_tables *t, int af, uint32_t slot)
{
	return af == RR_AF_INET ? &slot4(t, slot)->f : &slot6(t, slot)->f;
}

static inline uint32_t slots_of(const struct walk_tables *t, int af)
{
	return af == RR_AF_INET ? t->sets4 * RR_FLOW4_WAYS : t->sets6 * RR_FLOW6_WAYS;
}

static inline void read4(const struct walk_tables *t, struct rr_half *h)
{
	const struct rr_flow4 *s = slot4(t, h->slot);

	h->addr[0] = (uint32_t)h->key;
	h->addr[1] = 0;
	h->peer[0] = __atomic_load_n(&s->f.peer, __ATOMIC_RELAXED);
	h->peer[1] = 0;
}

static inline void read6(const struct walk_tables *t, struct rr_half *h)
{
	const struct rr_flow6 *s = slot6(t, h->slot);

	for (int i = 0; i < 2; i++) {
		h->addr[i] = __atomic_load_n(&s->addr[i], __ATOMIC_RELAXED);
		h->peer[i] = __atomic_load_n(&s->peer[i], __ATOMIC_RELAXED);
	}
}

static inline bool is_reverse(const struct walk_entry *e)
{
	return RR_KEY_TAG(e->half.key) & RR_TAG_REV;
}

/*
 * What most entries are judged by: half.meta, half.key and `seen`. false when the slot is not live
 * or changed hands meanwhile.
 */
static inline bool entry_peek(const struct walk_tables *t, int af, uint32_t slot,
			      struct walk_entry *e)
{
	struct rr_flow *f = slot_flow(t, af, slot);
	const __u64 *key = af == RR_AF_INET ? &slot4(t, slot)->key : &slot6(t, slot)->key;

	e->f = f;
	e->af = af;
	e->half.slot = slot;
	e->half.meta = meta_load(f);
	if (!state_live(RR_META_STATE(e->half.meta)))
		return false;
	e->half.key = __atomic_load_n(key, __ATOMIC_RELAXED);
	e->seen = __atomic_load_n(&f->seen, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&f->meta, __ATOMIC_RELAXED) == e->half.meta;
}

/* Whose an entry is, by the number of its listener. */
static inline void entry_owner(const struct walk_tables *t, struct walk_entry *e, uint32_t listener)
{
	e->half.listener = RR_TAG_LISTENER(listener);
	e->service = t->listener[e->half.listener].service & (RR_MAX_SERVICES - 1);
}

/* Reads a live entry whole; false when the slot is not live or changed hands meanwhile. */
static inline bool entry_read(const struct walk_tables *t, int af, uint32_t slot,
			      struct walk_entry *e)
{
	struct rr_half *h = &e->half;

	if (!entry_peek(t, af, slot, e))
		return false;
	entry_owner(t, e,
		    is_reverse(e) ? __atomic_load_n(&e->f->listener, __ATOMIC_RELAXED)
				  : RR_KEY_TAG(h->key));
	if (af == RR_AF_INET)
		read4(t, h);
	else
		read6(t, h);
	h->port = __atomic_load_n(&e->f->port, __ATOMIC_RELAXED);
	h->link = __atomic_load_n(&e->f->slot, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&e->f->meta, __ATOMIC_RELAXED) == h->meta;
}

/*
 * pair.c: a reverse entry's forward entry is where the record or its key says, and is its other
 * half.
 */
bool pair_has_forward(const struct walk_tables *t, const struct walk_entry *rev);
/* Does an entry of this key live in the table of family `af`? */
bool entry_lives(const struct walk_tables *t, int af, const struct rr_key *k);

/*
 * port.c: the connection of reverse entry `rev` has ended, `seen` jiffies being the time of its
 * last packet and `meta` what its state is taken from.
 */
void port_give_up(const struct walk_tables *t, const struct walk_entry *rev, uint64_t meta,
		  uint32_t seen);
/* A forward entry has ended whose reverse entry was lost before: is its port still marked? */
void port_doubt(const struct walk_tables *t, const struct walk_entry *fwd);

#endif
