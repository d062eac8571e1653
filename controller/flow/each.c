/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * each.c - picks flows by what an operator or a drain names: lists them, or marks them KILLED. A
 * kill changes the state within the entry's life, so that the next packet of each side is answered
 * with RST, and what was open is counted once.
 */
#include "flow/entry.h"

#define KILL_TRIES 4

static bool match(const struct walk_match *m, const struct walk_entry *e)
{
	if (is_reverse(e) || (m->service != UINT32_MAX && m->service != e->service))
		return false;
	if (m->endpoint && m->endpoint != RR_META_EP(e->half.meta))
		return false;
	if (m->of && !m->of[RR_META_EP(e->half.meta) & (RR_MAX_ENDPOINTS - 1)])
		return false;
	if (m->state >= 0 && m->state != (int)RR_META_STATE(e->half.meta))
		return false;
	if (m->af &&
	    (m->af != e->af || m->addr[0] != e->half.addr[0] || m->addr[1] != e->half.addr[1]))
		return false;
	return !m->port || m->port == RR_KEY_PORT(e->half.key);
}

static size_t each_table(const struct walk_tables *t, int af, const struct walk_match *m,
			 bool (*fn)(const struct walk_entry *e, void *arg), void *arg, bool *more)
{
	uint32_t slots = slots_of(t, af);
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

/*
 * Moves an entry to KILLED within its life. The meta that was replaced; 0 = it was over, or killed
 * before.
 */
static uint64_t entry_kill(const struct walk_entry *e)
{
	uint64_t meta = e->half.meta;

	for (int i = 0; i < KILL_TRIES; i++) {
		if (RR_META_GEN(meta) != RR_META_GEN(e->half.meta) ||
		    !state_live(RR_META_STATE(meta)) || RR_META_STATE(meta) == RR_FLOW_KILLED)
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
