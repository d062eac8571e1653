/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_local.c - owns the ids of local (source) addresses, of modes that need them.
 *
 * One address has one id: the packet path finds the id of a reply's destination address, so two
 * ids for one address would lose replies. An endpoint names its addresses as a run of ids, so a
 * configured list is laid out as a run. Lists of several services may overlap in ways that no
 * layout can serve ({x,y} {y,z} {x,z}); then the endpoint uses the longest run that the existing
 * layout allows, extended into free neighbours.
 *
 * An id is free again only when no endpoint has used it for an hour (flows of that time name it),
 * and in a plan later than the first in which none has it (loc.in_plan): its row leaves when no
 * rotation needs it any more. It is given another address only after a plan without it has been
 * made (loc.held), so that one plan never moves an id from one address to another; the same
 * address gets the same id back.
 */
#include <string.h>

#include "model/model_int.h"

struct list {
	struct addr addr[CONF_MAX_LOCALS]; /* port 0, one family, no duplicates */
	uint32_t n;
};

struct run {
	uint32_t first, n;
};

static struct addr bare(const struct addr *a)
{
	struct addr b = *a;

	b.port = 0;
	b.pad = 0;
	return b;
}

static bool list_has(const struct list *l, const struct addr *a)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (addr_equal(&l->addr[i], a))
			return true;
	}
	return false;
}

static void list_add(struct list *l, const struct addr *a, uint8_t family)
{
	struct addr b = bare(a);

	if (a->family == family && l->n < CONF_MAX_LOCALS && !list_has(l, &b))
		l->addr[l->n++] = b;
}

static bool loc_known(const struct model *m, const struct addr *a)
{
	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++) {
		if (m->local[i].addr.family && addr_equal(&m->local[i].addr, a))
			return true;
	}
	return false;
}

static bool loc_free(const struct model *m, uint32_t i)
{
	return i < RR_MAX_LOCALS && !m->local[i].addr.family && !m->local[i].held.family;
}

static void loc_set(struct model *m, uint32_t i, const struct addr *a, mono_t now)
{
	m->local[i].addr = *a;
	m->local[i].used = now;
	m->dirty = m->restless = true;
}

/* The longest run of ids whose addresses are all in the list. */
static struct run run_longest(const struct model *m, const struct list *l)
{
	struct run best = { 0, 0 }, r = { 0, 0 };

	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++) {
		if (!m->local[i].addr.family || !list_has(l, &m->local[i].addr)) {
			r.n = 0;
			continue;
		}
		if (!r.n)
			r.first = i;
		if (++r.n > best.n)
			best = r;
	}
	return best;
}

/* The first run of n free ids; n = 0 when there is none. */
static struct run run_free(const struct model *m, uint32_t n)
{
	struct run r = { 0, 0 };

	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++) {
		if (!loc_free(m, i)) {
			r.n = 0;
			continue;
		}
		if (!r.n)
			r.first = i;
		if (++r.n == n)
			return r;
	}
	return (struct run){ 0, 0 };
}

/* Gives the list's addresses that have no id yet ids next to the run. */
static void run_extend(struct model *m, const struct list *l, struct run *r, mono_t now)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (loc_known(m, &l->addr[i]))
			continue;
		if (loc_free(m, r->first + r->n)) {
			loc_set(m, r->first + r->n, &l->addr[i], now);
		} else if (r->first && loc_free(m, r->first - 1)) {
			r->first--;
			loc_set(m, r->first, &l->addr[i], now);
		} else {
			return;
		}
		r->n++;
	}
}

/* Addresses whose id was freed a moment ago, and that the maps still hold, get it back. */
static void list_revive(struct model *m, const struct list *l, mono_t now)
{
	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++) {
		struct loc *c = &m->local[i];

		if (!c->addr.family && c->held.family && list_has(l, &c->held) &&
		    !loc_known(m, &c->held))
			loc_set(m, i, &c->held, now);
	}
}

static struct run run_of(struct model *m, const struct list *l, mono_t now)
{
	struct run r;

	list_revive(m, l, now);
	r = run_longest(m, l);

	if (!r.n) {
		/* all or, when ids are nearly used up, as many as there is room for */
		for (uint32_t n = l->n; n && !r.n; n--)
			r = run_free(m, n);
		for (uint32_t i = 0; i < r.n; i++)
			loc_set(m, r.first + i, &l->addr[i], now);
	} else if (r.n < l->n) {
		run_extend(m, l, &r, now);
	}
	return r;
}

void ep_touch_locals(struct model *m, const struct ep *e, mono_t now)
{
	for (uint32_t k = 0; k < e->local_count; k++)
		m->local[e->local_first + k].used = now;
}

static void set_run(struct model *m, struct ep *e, struct run r, mono_t now)
{
	if (e->local_first == r.first && e->local_count == r.n)
		return;
	ep_touch_locals(m, e, now); /* the old ones: in use up to now */
	ep_release_ports(m, e);
	e->local_first = (uint16_t)r.first;
	e->local_count = (uint16_t)r.n;
	ep_assign_ports(m, e);
	m->dirty = true;
	ep_refresh(m, e, now);
}

/*
 * Configured addresses, else what the kernel would use, else what an adopted endpoint already has.
 */
void ep_assign_locals(struct model *m, struct ep *e, mono_t now)
{
	const struct conf_service *c = e->svc->conf;
	struct list l = { .n = 0 };

	if (!c)
		return;
	if (!rr_mode_has(c->mode, RR_MODE_NEEDS_LOCAL)) {
		set_run(m, e, (struct run){ 0, 0 }, now);
		return;
	}
	for (size_t i = 0; i < c->locals; i++)
		list_add(&l, &c->local[i], e->addr.family);
	if (!c->locals && e->src.family)
		list_add(&l, &e->src, e->addr.family);
	if (l.n || c->locals)
		set_run(m, e, l.n ? run_of(m, &l, now) : (struct run){ 0, 0 }, now);
	ep_assign_ports(m, e); /* adopted without, or none was free */
}

static bool svc_has_family(const struct svc *s, uint8_t family)
{
	for (const struct lsn *l = s->listener; l; l = l->next) {
		if (l->addr.family == family)
			return true;
	}
	return false;
}

static uint8_t ep_tables(const struct ep *e)
{
	uint8_t tables = 0;

	if (e->addr.family == RR_AF_INET && svc_has_family(e->svc, RR_AF_INET))
		tables |= RR_VIP_FLOWS4;
	if (e->addr.family == RR_AF_INET6 || svc_has_family(e->svc, RR_AF_INET6))
		tables |= RR_VIP_FLOWS6;
	return tables;
}

/* What was once true of an id stays so while it has its address: flows of that time may live. */
void locals_tables(const struct model *m, uint8_t tables[RR_MAX_LOCALS])
{
	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++)
		tables[i] = m->local[i].addr.family ? m->local[i].tables : 0;
	for (uint32_t i = 1; i < m->ep_end; i++) {
		const struct ep *e = &m->ep[i];

		for (uint32_t k = 0; e->id && k < e->local_count; k++)
			tables[e->local_first + k] |= ep_tables(e);
	}
}

void locals_planned(struct model *m)
{
	uint8_t tables[RR_MAX_LOCALS];

	locals_tables(m, tables);
	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++)
		m->local[i].tables = tables[i];
	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++) {
		m->local[i].held = m->local[i].addr;
		m->local[i].in_plan = false;
	}
	for (uint32_t i = 1; i < m->ep_end; i++) {
		const struct ep *e = &m->ep[i];

		for (uint32_t k = 0; e->id && k < e->local_count; k++)
			m->local[e->local_first + k].in_plan |= e->member != EP_GONE;
	}
}

/* After the pass over the services, in which every endpoint has touched its addresses. */
mono_t locals_tick(struct model *m, mono_t now)
{
	mono_t next = MONO_NEVER;

	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++) {
		struct loc *l = &m->local[i];
		mono_t end = mono_add(l->used, MONO_S(MODEL_QUARANTINE_S));

		if (!l->addr.family)
			continue;
		if (mono_cmp(now, end) >= 0 && l->in_plan) {
			next = mono_min(next, mono_add(now, MONO_S(1))); /* pushes lag behind */
		} else if (mono_cmp(now, end) >= 0) {
			memset(&l->addr, 0, sizeof(l->addr));
			m->dirty = true;
		} else if (mono_cmp(l->used, now) < 0) {
			next = mono_min(next, end);
		}
	}
	return next;
}
