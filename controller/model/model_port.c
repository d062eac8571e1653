/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_port.c - decides which endpoint and local address have a set of local ports (rr_port.h),
 * and owns the ids of the sets.
 *
 * A set belongs to (endpoint address, local id): endpoints on one address share it, whatever
 * their port and service. An endpoint has sets for all its local addresses or for none, because
 * the packet path takes ports of every address that has one; without, it searches by hash.
 *
 * A set that nobody names keeps its pair until another pair needs it, the one left longest first.
 * What its words say of the former pair makes some ports rest for nothing, and is otherwise
 * harmless: the flow table is the authority.
 */
#include <string.h>

#include "model/model_int.h"

/* Sets that there is room for. */
static uint32_t sets_max(const struct model *m)
{
	uint32_t n = m->conf ? m->conf->port_sets : RR_PORT_SETS_MAX;

	return n < RR_PORT_SETS_MAX ? n : RR_PORT_SETS_MAX;
}

static struct addr pset_addr(const struct ep *e)
{
	struct addr a = e->addr;

	a.port = 0;
	return a;
}

/* The set of the pair, else the one to be taken for it; 0 = none is free. */
static uint32_t pset_find(const struct model *m, const struct addr *a, uint16_t local)
{
	uint32_t best = 0, max = sets_max(m);

	for (uint32_t i = 1; i <= max; i++) {
		const struct pset *s = &m->port_set[i];

		if (s->addr.family && s->local == local && addr_equal(&s->addr, a))
			return i;
		if (!s->users && (!best || s->left < m->port_set[best].left))
			best = i;
	}
	return best;
}

static void pset_use(struct model *m, struct ep *e, uint32_t k, uint32_t id)
{
	struct pset *s = &m->port_set[id];

	s->addr = pset_addr(e);
	s->local = (uint16_t)(e->local_first + k);
	s->users++;
	e->port_set[k] = (uint16_t)id;
	m->dirty = true;
}

void ep_release_ports(struct model *m, struct ep *e)
{
	for (uint32_t k = 0; k < RR_EP_PORT_SETS; k++) {
		struct pset *s = &m->port_set[e->port_set[k]];

		if (e->port_set[k] && !--s->users)
			s->left = ++m->port_left;
		e->port_set[k] = 0;
	}
	m->dirty = true;
}

void ep_assign_ports(struct model *m, struct ep *e)
{
	struct addr a = pset_addr(e);

	if (e->port_set[0] || e->local_count > RR_EP_PORT_SETS)
		return;
	for (uint32_t k = 0; k < e->local_count; k++) {
		uint32_t id = pset_find(m, &a, (uint16_t)(e->local_first + k));

		if (!id) {
			ep_release_ports(m, e);
			return;
		}
		pset_use(m, e, k, id);
	}
}

/* Is it this pair's, or nobody's yet? */
static bool pset_fits(const struct model *m, const struct ep *e, uint32_t k, uint32_t id)
{
	const struct pset *s = &m->port_set[id];
	struct addr a = pset_addr(e);

	return !s->addr.family || (s->local == e->local_first + k && addr_equal(&s->addr, &a));
}

void ep_adopt_ports(struct model *m, struct ep *e, const uint16_t set[RR_EP_PORT_SETS])
{
	if (e->local_count > RR_EP_PORT_SETS)
		return;
	for (uint32_t k = 0; k < e->local_count; k++) {
		if (!set[k] || set[k] > RR_PORT_SETS_MAX || !pset_fits(m, e, k, set[k]))
			return;
	}
	for (uint32_t k = 0; k < e->local_count; k++)
		pset_use(m, e, k, set[k]);
}

/* ---- how full they are ---- */

void model_ports(struct model *m, const uint32_t *open, size_t n)
{
	for (uint32_t i = 1; i <= RR_PORT_SETS_MAX; i++)
		m->port_set[i].open = 0;
	for (uint32_t i = 1; i < m->ep_end; i++) {
		struct ep *e = &m->ep[i];

		e->open = e->id && i < n ? open[i] : 0;
		/* of one of its addresses each, of all alike */
		for (uint32_t k = 0; e->port_set[0] && k < e->local_count; k++)
			m->port_set[e->port_set[k]].open += (double)e->open / e->local_count;
	}
}

/* In percent of the range, over all local addresses; endpoints on the same address are counted. */
uint32_t ep_port_percent(const struct model *m, const struct ep *e)
{
	double used = 0, range = m->conf ? m->conf->port_hi - m->conf->port_lo + 1.0 : 0;

	if (!e->local_count || range <= 0)
		return 0;
	for (uint32_t k = 0; e->port_set[0] && k < e->local_count; k++)
		used += m->port_set[e->port_set[k]].open;
	if (!e->port_set[0])
		used = e->open;
	return (uint32_t)(used * 100 / (range * e->local_count));
}
