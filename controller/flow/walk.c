/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * walk.c - decides which flow entries are over, and frees them under the packet path's feet.
 *
 * The only write is a compare-and-swap of `meta` from the value on which the decision rests: to {EMPTY, gen + 1} or
 * to the same life in state KILLED. A packet that changed the state in between wins, and the next walk decides anew.
 *
 * A nat connection is a pair. The forward entry is the authority: it holds the state, and the pair is over when
 * BOTH entries have idled longer than that state allows, since either direction's packets keep it alive.
 * Forward and reverse entry then go together. A reverse entry whose forward entry is missing or points elsewhere
 * is an orphan; a young one may just be waiting for its forward entry, which is published last, so it gets
 * two seconds. A CLAIMED slot belongs to a packet in the middle of its run; one that stays in the same life
 * for ten seconds was left behind (a program replaced in mid-insert cannot happen, a dead CPU can).
 *
 * Speed: EMPTY slots cost one load. Looking up the partner of a reverse entry costs two cache misses, so a big
 * table has only every 16th set looked at per walk, each set's turn coming round in 16 walks.
 */
#include <string.h>

#include "flow/walk.h"
#include "rr_hash.h"

#define WALK_BIG 65536 /* entries from which on the orphan search takes turns */
#define WALK_STRIDE 16
#define WALK_LOAD_START 60 /* percent of a table from which on idle flows are given less time */
#define KILL_TRIES 4

static uint64_t meta_load(const struct rr_flow *f)
{
	return __atomic_load_n(&f->meta, __ATOMIC_ACQUIRE);
}

static bool meta_cas(struct rr_flow *f, uint64_t was, uint64_t is)
{
	__u64 expect = was;

	return __atomic_compare_exchange_n(&f->meta, &expect, is, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

static bool entry_free(const struct walk_entry *e)
{
	return meta_cas(e->f, e->meta,
			RR_META_MAKE(RR_META_GEN(e->meta) + 1, RR_FLOW_EMPTY, 0, 0, 0));
}

static bool state_live(uint32_t state)
{
	return state > RR_FLOW_CLAIMED && state < RR_FLOW_STATES;
}

static struct rr_flow *slot4(const struct walk_tables *t, uint32_t slot)
{
	return &t->set4[slot / RR_FLOW4_WAYS].e[slot % RR_FLOW4_WAYS].f;
}

static struct rr_flow *slot6(const struct walk_tables *t, uint32_t slot)
{
	return &t->set6[slot / RR_FLOW6_WAYS].e[slot % RR_FLOW6_WAYS].f;
}

static void read4(const struct walk_tables *t, struct walk_entry *e)
{
	const struct rr_flow4 *s = &t->set4[e->slot / RR_FLOW4_WAYS].e[e->slot % RR_FLOW4_WAYS];

	e->key = __atomic_load_n(&s->key, __ATOMIC_RELAXED);
	e->addr[0] = (uint32_t)e->key;
	e->addr[1] = 0;
	e->peer[0] = __atomic_load_n(&s->f.peer, __ATOMIC_RELAXED);
	e->peer[1] = 0;
}

static void read6(const struct walk_tables *t, struct walk_entry *e)
{
	const struct rr_flow6 *s = &t->set6[e->slot / RR_FLOW6_WAYS].e[e->slot % RR_FLOW6_WAYS];

	e->key = __atomic_load_n(&s->key, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++) {
		e->addr[i] = __atomic_load_n(&s->addr[i], __ATOMIC_RELAXED);
		e->peer[i] = __atomic_load_n(&s->peer[i], __ATOMIC_RELAXED);
	}
}

/* Reads a live entry; false when the slot is not live or changed hands meanwhile. */
static bool entry_read(const struct walk_tables *t, int af, uint32_t slot, struct walk_entry *e)
{
	struct rr_flow *f = af == RR_AF_INET ? slot4(t, slot) : slot6(t, slot);

	e->f = f;
	e->af = af;
	e->slot = slot;
	e->meta = meta_load(f);
	if (!state_live(RR_META_STATE(e->meta)))
		return false;
	if (af == RR_AF_INET)
		read4(t, e);
	else
		read6(t, e);
	e->seen = __atomic_load_n(&f->seen, __ATOMIC_RELAXED);
	e->port = __atomic_load_n(&f->port, __ATOMIC_RELAXED);
	e->service = __atomic_load_n(&f->service, __ATOMIC_RELAXED) & (RR_MAX_SERVICES - 1);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&f->meta, __ATOMIC_RELAXED) == e->meta;
}

static bool entry_find(const struct walk_tables *t, int af, uint64_t key, const uint64_t addr[2],
		       struct walk_entry *e)
{
	uint64_t h = af == RR_AF_INET ? rr_hash4(key, t->seed)
				      : rr_hash6(key, addr[0], addr[1], t->seed);
	uint32_t sets = af == RR_AF_INET ? t->sets4 : t->sets6;
	uint32_t ways = af == RR_AF_INET ? RR_FLOW4_WAYS : RR_FLOW6_WAYS;
	uint32_t set[2] = { rr_set_a(h, sets), rr_set_b(h, sets) };

	for (uint32_t i = 0; i < 2 * ways; i++) {
		if (entry_read(t, af, set[i / ways] * ways + i % ways, e) && e->key == key &&
		    (af == RR_AF_INET || (e->addr[0] == addr[0] && e->addr[1] == addr[1])))
			return true;
	}
	return false;
}

static bool is_reverse(const struct walk_entry *e)
{
	return RR_KEY_TAG(e->key) & RR_KEY_REV;
}

static bool is_pair(const struct walk_entry *fwd, const struct walk_entry *rev)
{
	return RR_META_EP(fwd->meta) == RR_META_EP(rev->meta) && fwd->service == rev->service &&
	       fwd->port == RR_KEY_PORT(rev->key) && RR_KEY_PORT(fwd->key) == rev->port &&
	       RR_META_VIA(fwd->meta) == (RR_KEY_TAG(rev->key) & ~RR_KEY_REV) &&
	       fwd->addr[0] == rev->peer[0] && fwd->addr[1] == rev->peer[1];
}

bool walk_reverse(const struct walk_tables *t, const struct walk_entry *fwd, struct walk_entry *rev)
{
	const struct rr_endpoint *ep = &t->endpoint[RR_META_EP(fwd->meta) & (RR_MAX_ENDPOINTS - 1)];
	uint64_t addr[2], key;

	if (!fwd->port)
		return false; /* dsr: there is none */
	memcpy(addr, &ep->addr, sizeof(addr));
	key = RR_KEY4(fwd->af == RR_AF_INET ? addr[0] : 0, fwd->port,
		      RR_KEY_REV | RR_META_VIA(fwd->meta));
	return entry_find(t, fwd->af, key, addr, rev) && is_pair(fwd, rev);
}

static bool has_forward(const struct walk_tables *t, const struct walk_entry *rev)
{
	uint64_t key = RR_KEY4(rev->af == RR_AF_INET ? rev->peer[0] : 0, rev->port, rev->service);
	struct walk_entry fwd;

	return entry_find(t, rev->af, key, rev->peer, &fwd) && is_pair(&fwd, rev);
}

static uint32_t idle_jiffies(uint32_t now, uint32_t seen)
{
	int32_t d = (int32_t)(now - seen);

	return d < 0 ? 0 : (uint32_t)d;
}

/* From WALK_LOAD_START percent on the idle timeout goes down in a line to WALK_IDLE_FLOOR at 100 %. */
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
	switch (state) {
	case RR_FLOW_SYN:
	case RR_FLOW_SYNACK:
		return svc->t_syn;
	case RR_FLOW_EST:
		return timeout_idle(svc->t_est, load, hz);
	case RR_FLOW_FIN1:
		return svc->t_fin1;
	case RR_FLOW_FIN2:
		return svc->t_fin2;
	default:
		return svc->t_rst;
	}
}

static uint32_t walk_load(const struct walk *w, int af)
{
	return w->load[af == RR_AF_INET ? 0 : 1];
}

/* Ends the pair of an idle forward entry, unless its reverse entry is in use. true = freed. */
static bool walk_expire(struct walk *w, const struct walk_entry *fwd)
{
	uint32_t limit = walk_timeout(&w->t.service[fwd->service], RR_META_STATE(fwd->meta),
				      walk_load(w, fwd->af), w->t.hz);
	struct walk_entry rev;
	bool pair;

	if (idle_jiffies(w->now, fwd->seen) <= limit)
		return false;
	pair = walk_reverse(&w->t, fwd, &rev);
	if (pair && idle_jiffies(w->now, rev.seen) <= limit)
		return false;
	if (!entry_free(fwd))
		return false;
	if (pair)
		entry_free(&rev);
	if (RR_META_STATE(fwd->meta) == RR_FLOW_EST)
		w->closed(w->arg, RR_META_EP(fwd->meta) & (RR_MAX_ENDPOINTS - 1));
	w->expired++;
	return true;
}

static bool walk_forward(struct walk *w, const struct walk_entry *e)
{
	uint32_t ep = RR_META_EP(e->meta) & (RR_MAX_ENDPOINTS - 1);

	if (walk_expire(w, e))
		return false;
	w->by_state[RR_META_STATE(e->meta)]++;
	w->all[ep]++;
	if (RR_META_STATE(e->meta) == RR_FLOW_EST)
		w->established[ep]++;
	return true;
}

/* true = the entry stays. */
static bool walk_orphan(struct walk *w, const struct walk_entry *e, uint32_t set)
{
	if ((set + w->turn) % w->stride ||
	    idle_jiffies(w->now, e->seen) < WALK_ORPHAN_SECONDS * w->t.hz)
		return true;
	if (has_forward(&w->t, e) || !entry_free(e))
		return true;
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
	struct walk_entry e = { .f = f, .meta = meta };

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
	struct rr_flow *f = af == RR_AF_INET ? slot4(&w->t, slot) : slot6(&w->t, slot);
	uint64_t meta = meta_load(f);
	struct walk_entry e;
	bool stays;

	if (RR_META_STATE(meta) == RR_FLOW_EMPTY)
		return;
	if (RR_META_STATE(meta) == RR_FLOW_CLAIMED) {
		walk_claimed(w, af, slot, f, meta);
		return;
	}
	if (!entry_read(&w->t, af, slot, &e))
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

static bool match(const struct walk_match *m, const struct walk_entry *e)
{
	if (is_reverse(e) || (m->service != UINT32_MAX && m->service != e->service))
		return false;
	if (m->endpoint && m->endpoint != RR_META_EP(e->meta))
		return false;
	if (m->of && !m->of[RR_META_EP(e->meta) & (RR_MAX_ENDPOINTS - 1)])
		return false;
	if (m->state >= 0 && m->state != (int)RR_META_STATE(e->meta))
		return false;
	if (m->af && (m->af != e->af || m->addr[0] != e->addr[0] || m->addr[1] != e->addr[1]))
		return false;
	return !m->port || m->port == RR_KEY_PORT(e->key);
}

static size_t each_table(const struct walk_tables *t, int af, const struct walk_match *m,
			 bool (*fn)(const struct walk_entry *e, void *arg), void *arg, bool *more)
{
	uint32_t slots = af == RR_AF_INET ? t->sets4 * RR_FLOW4_WAYS : t->sets6 * RR_FLOW6_WAYS;
	struct walk_entry e;
	size_t n = 0;

	for (uint32_t slot = 0; *more && slot < slots; slot++) {
		if (!entry_read(t, af, slot, &e) || !match(m, &e))
			continue;
		n++;
		*more = fn(&e, arg);
	}
	return n;
}

size_t walk_each(const struct walk_tables *t, const struct walk_match *m,
		 bool (*fn)(const struct walk_entry *e, void *arg), void *arg)
{
	bool more = true;
	size_t n = 0;

	if (m->af != RR_AF_INET6)
		n += each_table(t, RR_AF_INET, m, fn, arg, &more);
	if (m->af != RR_AF_INET)
		n += each_table(t, RR_AF_INET6, m, fn, arg, &more);
	return n;
}

/* Moves an entry to KILLED within its life. The meta that was replaced; 0 = it was over, or killed before. */
static uint64_t entry_kill(const struct walk_entry *e)
{
	uint64_t meta = e->meta;

	for (int i = 0; i < KILL_TRIES; i++) {
		if (RR_META_GEN(meta) != RR_META_GEN(e->meta) || !state_live(RR_META_STATE(meta)) ||
		    RR_META_STATE(meta) == RR_FLOW_KILLED)
			return 0;
		if (meta_cas(e->f, meta,
			     RR_META_MAKE(RR_META_GEN(meta), RR_FLOW_KILLED, RR_META_FLAGS(meta),
					  RR_META_EP(meta), RR_META_VIA(meta))))
			return meta;
		meta = meta_load(e->f);
	}
	return 0;
}

struct kill {
	const struct walk_tables *t;
	size_t max, n;
	walk_closed closed;
	void *arg;
};

static bool kill_one(const struct walk_entry *e, void *arg)
{
	struct kill *k = arg;
	struct walk_entry rev;
	uint64_t was;

	if (k->n >= k->max)
		return false;
	was = entry_kill(e);
	if (!was)
		return true;
	if (RR_META_STATE(was) == RR_FLOW_EST)
		k->closed(k->arg, RR_META_EP(was) & (RR_MAX_ENDPOINTS - 1));
	if (walk_reverse(k->t, e, &rev))
		entry_kill(&rev);
	return ++k->n < k->max;
}

size_t walk_kill(const struct walk_tables *t, const struct walk_match *m, size_t max,
		 walk_closed closed, void *arg)
{
	struct kill k = { .t = t, .max = max, .closed = closed, .arg = arg };

	walk_each(t, m, kill_one, &k);
	return k.n;
}
