/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pair.c - finds the other half of a connection, and its record.
 *
 * A forward entry knows the slot of its reverse entry. A reverse entry finds its forward entry by
 * its key or by the pair's record, in this order: the two sets that a key may be in are one or two
 * cache misses, record and entry are always two. What neither finds is not there. Either is
 * believed only if rr_pair_is() says that the two belong together.
 */
#include <string.h>

#include "flow/entry.h"
#include "rr_hash.h"

static bool entry_find(const struct walk_tables *t, int af, const struct rr_key *k,
		       struct walk_entry *e)
{
	uint64_t h = af == RR_AF_INET ? rr_hash4(k->key, t->seed)
				      : rr_hash6(k->key, k->a[0], k->a[1], t->seed);
	uint32_t sets = af == RR_AF_INET ? t->sets4 : t->sets6;
	uint32_t ways = af == RR_AF_INET ? RR_FLOW4_WAYS : RR_FLOW6_WAYS;
	uint32_t set[2] = { rr_set_a(h, sets), rr_set_b(h, sets) };

	for (uint32_t i = 0; i < 2 * ways; i++) {
		if (entry_read(t, af, set[i / ways] * ways + i % ways, e) &&
		    e->half.key == k->key &&
		    (af == RR_AF_INET ||
		     (e->half.addr[0] == k->a[0] && e->half.addr[1] == k->a[1])))
			return true;
	}
	return false;
}

bool entry_lives(const struct walk_tables *t, int af, const struct rr_key *k)
{
	struct walk_entry e;

	return entry_find(t, af, k, &e);
}

static bool is_pair(const struct walk_entry *fwd, const struct walk_entry *rev)
{
	return rr_pair_is(&fwd->half, &rev->half, fwd->af != rev->af);
}

bool walk_reverse(const struct walk_tables *t, const struct walk_entry *fwd, struct walk_entry *rev)
{
	uint32_t id = RR_META_EP(fwd->half.meta) & (RR_MAX_ENDPOINTS - 1);
	const struct rr_endpoint *ep = &t->endpoint[id];
	int table = rr_pair_table(fwd->af, ep->family);

	if (!rr_mode_has(ep->mode, RR_MODE_HAS_REVERSE) || fwd->half.link >= slots_of(t, table))
		return false;
	return entry_read(t, table, fwd->half.link, rev) && is_pair(fwd, rev);
}

static const struct rr_pair *record_of(const struct walk_tables *t, const struct walk_entry *owner)
{
	return owner->af == RR_AF_INET ? &t->pair4[owner->half.slot] : &t->pair6[owner->half.slot];
}

bool walk_record(const struct walk_tables *t, const struct walk_entry *owner, struct rr_pair *out)
{
	uint16_t gen = RR_META_GEN(owner->half.meta);

	memcpy(out, record_of(t, owner), sizeof(*out));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return out->gen == gen && RR_META_GEN(meta_load(owner->f)) == gen;
}

/* The family of the client of a reverse entry, and so the table of its forward entry. */
static int client_family(const struct walk_tables *t, const struct walk_entry *rev)
{
	if (rev->af == RR_AF_INET || t->listener[rev->half.listener].family == RR_AF_INET)
		return RR_AF_INET;
	return RR_AF_INET6;
}

static bool forward_by_record(const struct walk_tables *t, int af, const struct walk_entry *rev)
{
	const struct rr_pair *p = record_of(t, rev);
	uint32_t slot = __atomic_load_n(&p->forward, __ATOMIC_RELAXED);
	struct walk_entry fwd;

	if (__atomic_load_n(&p->gen, __ATOMIC_RELAXED) != RR_META_GEN(rev->half.meta) ||
	    slot >= slots_of(t, af))
		return false;
	return entry_read(t, af, slot, &fwd) && !is_reverse(&fwd) && is_pair(&fwd, rev);
}

static bool forward_by_key(const struct walk_tables *t, int af, const struct walk_entry *rev)
{
	const struct rr_half *h = &rev->half;
	bool mapped = af != rev->af;
	struct walk_entry fwd;
	struct rr_key key;

	rr_key_make(&key, af, af, mapped ? h->peer[1] >> 32 : h->peer[0], mapped ? 0 : h->peer[1],
		    h->port, rr_tag_forward(h->listener, RR_KEY_TAG(h->key) & RR_TAG_UDP));
	return entry_find(t, af, &key, &fwd) && is_pair(&fwd, rev);
}

bool pair_has_forward(const struct walk_tables *t, const struct walk_entry *rev)
{
	int af = client_family(t, rev);

	return forward_by_key(t, af, rev) || forward_by_record(t, af, rev);
}
