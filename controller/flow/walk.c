/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * walk.c - decides which flow entries are over, and frees them under the packet path's feet.
 *
 * It writes by compare-and-swap of `meta` from the value on which the decision rests, to
 * {EMPTY, gen + 1}, and then notes that the port is free (port.c). A packet that changed the state
 * in between wins, and the next walk decides anew.
 *
 * A connection whose replies come through us is a pair of entries (rr_pair.h). The forward entry is
 * the authority: it holds the state, and the pair is over when BOTH entries have idled longer than
 * that state allows, since either direction's packets keep it alive. Forward and reverse entry then
 * go together. A reverse entry whose forward entry is missing or points elsewhere is an orphan; a
 * young one may just be waiting for its forward entry, which is published last, so it gets two
 * seconds. A CLAIMED slot belongs to a packet in the middle of its run; one that stays in the same
 * life for ten seconds was left behind (a program replaced in mid-insert cannot happen, a dead CPU
 * can).
 *
 * Speed: EMPTY slots cost one load. Looking up the partner of a reverse entry costs cache misses,
 * so a big table has only every 16th set looked at per walk, each set's turn coming round in
 * 16 walks.
 */
#include <string.h>

#include "flow/entry.h"

#define WALK_BIG 65536 /* entries from which on the orphan search takes turns */
#define WALK_STRIDE 16
#define WALK_LOAD_START 60 /* percent of a table from which on idle flows are given less time */

static bool entry_free(const struct walk_entry *e)
{
	return meta_cas(e->f, e->half.meta,
			RR_META_MAKE(RR_META_GEN(e->half.meta) + 1, RR_FLOW_EMPTY, 0, 0, 0));
}

static uint32_t idle_jiffies(uint32_t now, uint32_t seen)
{
	int32_t d = (int32_t)(now - seen);

	return d < 0 ? 0 : (uint32_t)d;
}

/*
 * From WALK_LOAD_START percent on the idle timeout goes down in a line to WALK_IDLE_FLOOR at 100 %.
 */
static uint32_t timeout_idle(uint32_t full, uint32_t load, uint32_t hz)
{
	uint32_t floor = WALK_IDLE_FLOOR * hz, over;

	if (load <= WALK_LOAD_START || full <= floor)
		return full;
	over = (load > 100 ? 100 : load) - WALK_LOAD_START;
	return full - (uint32_t)((uint64_t)(full - floor) * over / (100 - WALK_LOAD_START));
}

uint32_t walk_timeout(const struct rr_service *svc, uint32_t state, uint32_t load, uint32_t hz)
{
	uint32_t full = rr_pair_timeout(svc, state);

	return state == RR_FLOW_EST ? timeout_idle(full, load, hz) : full;
}

static uint32_t walk_load(const struct walk *w, int af)
{
	return w->load[af == RR_AF_INET ? 0 : 1];
}

/*
 * Ends the pair of a forward entry that has idled for `limit`, unless its reverse entry is in use
 * or a packet has just come. true = freed.
 */
static bool walk_expire(struct walk *w, const struct walk_entry *e, uint32_t limit)
{
	struct walk_entry fwd, rev;
	bool pair;

	if (!entry_read(&w->t, e->af, e->half.slot, &fwd) || fwd.half.meta != e->half.meta)
		return false;
	pair = walk_reverse(&w->t, &fwd, &rev);
	if (pair && idle_jiffies(w->now, rev.seen) <= limit)
		return false;
	if (!entry_free(&fwd))
		return false;
	if (pair && entry_free(&rev))
		port_give_up(&w->t, &rev, fwd.half.meta,
			     (int32_t)(rev.seen - fwd.seen) > 0 ? rev.seen : fwd.seen);
	if (!pair)
		port_doubt(&w->t, &fwd);
	if (RR_META_STATE(e->half.meta) == RR_FLOW_EST)
		w->closed(w->arg, RR_META_EP(e->half.meta) & (RR_MAX_ENDPOINTS - 1));
	w->expired++;
	return true;
}

/* A peeked forward entry: true = it stays, and is counted. */
static bool walk_forward(struct walk *w, struct walk_entry *e)
{
	uint32_t state = RR_META_STATE(e->half.meta), limit;
	uint32_t ep = RR_META_EP(e->half.meta) & (RR_MAX_ENDPOINTS - 1);

	entry_owner(&w->t, e, RR_KEY_TAG(e->half.key));
	limit = walk_timeout(&w->t.service[e->service], state, walk_load(w, e->af), w->t.hz);
	if (idle_jiffies(w->now, e->seen) > limit && walk_expire(w, e, limit))
		return false;
	w->by_state[state]++;
	w->all[ep]++;
	w->open[ep] += state < RR_FLOW_FIN2;
	w->listener[e->half.listener]++;
	if (state == RR_FLOW_EST)
		w->established[ep]++;
	return true;
}

/* A peeked reverse entry: true = it stays. */
static bool walk_orphan(struct walk *w, const struct walk_entry *e, uint32_t set)
{
	struct walk_entry rev;

	if ((set + w->turn) % w->stride ||
	    idle_jiffies(w->now, e->seen) < WALK_ORPHAN_SECONDS * w->t.hz)
		return true;
	if (!entry_read(&w->t, e->af, e->half.slot, &rev) || rev.half.meta != e->half.meta)
		return true;
	if (pair_has_forward(&w->t, &rev) || !entry_free(&rev))
		return true;
	port_give_up(&w->t, &rev, rev.half.meta, rev.seen);
	w->orphans++;
	return false;
}

/* The claim of the last walk for the same slot; both lists are in the order of the walk. */
static const struct walk_claim *claim_known(struct walk *w, int af, uint32_t slot)
{
	while (w->old_at < w->old->n) {
		const struct walk_claim *c = &w->old->c[w->old_at];

		if (c->af > af || (c->af == af && c->slot >= slot))
			return c->af == af && c->slot == slot ? c : NULL;
		w->old_at++;
	}
	return NULL;
}

/* A CLAIMED slot: frees it when it has been so for too long in this life, else remembers it. */
static void walk_claimed(struct walk *w, int af, uint32_t slot, struct rr_flow *f, uint64_t meta)
{
	const struct walk_claim *known = claim_known(w, af, slot);
	struct walk_claim now = { slot, RR_META_GEN(meta), (uint8_t)af, w->now };
	struct walk_entry e = { .f = f, .half.meta = meta };

	if (known && known->gen == now.gen)
		now.since = known->since;
	if (idle_jiffies(w->now, now.since) >= WALK_CLAIM_SECONDS * w->t.hz) {
		w->leaked += entry_free(&e);
		return;
	}
	if (w->claimed->n < WALK_CLAIMS_MAX)
		w->claimed->c[w->claimed->n++] = now;
}

static void walk_slot(struct walk *w, int af, uint32_t slot, uint32_t set)
{
	struct rr_flow *f = slot_flow(&w->t, af, slot);
	uint64_t meta = meta_load(f);
	struct walk_entry e;
	bool stays;

	if (RR_META_STATE(meta) == RR_FLOW_EMPTY)
		return;
	if (RR_META_STATE(meta) == RR_FLOW_CLAIMED) {
		walk_claimed(w, af, slot, f, meta);
		return;
	}
	if (!entry_peek(&w->t, af, slot, &e))
		return;
	stays = is_reverse(&e) ? walk_orphan(w, &e, set) : walk_forward(w, &e);
	w->entries[af == RR_AF_INET ? 0 : 1] += stays;
}

uint64_t walk_capacity(const struct walk_tables *t)
{
	return (uint64_t)t->sets4 * RR_FLOW4_WAYS + (uint64_t)t->sets6 * RR_FLOW6_WAYS;
}

void walk_init(struct walk *w, const struct walk_tables *t, walk_closed closed, void *arg)
{
	memset(w, 0, sizeof(*w));
	w->t = *t;
	w->closed = closed;
	w->arg = arg;
	w->old = &w->claims[0];
	w->claimed = &w->claims[1];
}

uint32_t walk_percent(const struct walk *w, int table)
{
	uint64_t slots =
		table ? (uint64_t)w->t.sets6 * RR_FLOW6_WAYS : (uint64_t)w->t.sets4 * RR_FLOW4_WAYS;

	return slots ? (uint32_t)(w->entries[table] * 100 / slots) : 0;
}

void walk_begin(struct walk *w, uint32_t now)
{
	struct walk_claims *swap = w->old;

	w->old = w->claimed;
	w->claimed = swap;
	w->claimed->n = 0;
	w->old_at = 0;
	w->load[0] = walk_percent(w, 0);
	w->load[1] = walk_percent(w, 1);
	w->stride = w->entries[0] + w->entries[1] > WALK_BIG ? WALK_STRIDE : 1;
	w->now = now;
	w->pos = 0;
	w->turn++;
	memset(w->entries, 0, sizeof(w->entries));
	memset(w->by_state, 0, sizeof(w->by_state));
	memset(w->established, 0, sizeof(w->established));
	memset(w->all, 0, sizeof(w->all));
	memset(w->open, 0, sizeof(w->open));
	memset(w->listener, 0, sizeof(w->listener));
	w->expired = w->orphans = w->leaked = 0;
}

bool walk_step(struct walk *w, uint32_t sets)
{
	uint32_t total = w->t.sets4 + w->t.sets6, end = w->pos + sets, set, i;

	if (end > total || end < w->pos)
		end = total;
	for (; w->pos < end && w->pos < w->t.sets4; w->pos++) {
		for (i = 0; i < RR_FLOW4_WAYS; i++)
			walk_slot(w, RR_AF_INET, w->pos * RR_FLOW4_WAYS + i, w->pos);
	}
	for (; w->pos < end; w->pos++) {
		set = w->pos - w->t.sets4;
		for (i = 0; i < RR_FLOW6_WAYS; i++)
			walk_slot(w, RR_AF_INET6, set * RR_FLOW6_WAYS + i, set);
	}
	return w->pos >= total;
}
