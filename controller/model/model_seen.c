/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_seen.c - what the host and the packet path have been seen to do: interfaces come and go,
 * next hops are found and lost, flows are counted by the walk over the tables.
 */
#include <stdio.h>
#include <string.h>

#include "model/model_int.h"

/* ---- interfaces and next hops ---- */

void model_iface_name(struct model *m, uint32_t slot, const char *name)
{
	if (slot < RR_MAX_IFACES)
		snprintf(m->iface_name[slot], sizeof(m->iface_name[slot]), "%s", name);
}

/* "eth0"; "slot 3" before its name is known: a hop adopted with the maps. */
static void name_iface(const struct model *m, uint32_t slot, struct model_event *ev)
{
	if (slot < RR_MAX_IFACES && m->iface_name[slot][0])
		snprintf(ev->name, sizeof(ev->name), "%s", m->iface_name[slot]);
	else
		snprintf(ev->name, sizeof(ev->name), "slot %u", slot);
}

static void note_iface(struct model *m, uint32_t slot, uint32_t ifindex, mono_t now)
{
	struct model_event *ev =
		note_svc(m, NULL, ifindex ? EVENT_IFACE_UP : EVENT_IFACE_DOWN, REASON_NONE, now);

	ev->n = ifindex;
	name_iface(m, slot, ev);
}

void model_iface(struct model *m, uint32_t slot, uint32_t ifindex, const uint8_t mac[6],
		 uint32_t mtu, mono_t now)
{
	static const uint8_t no_mac[6];
	struct rr_iface *f = &m->iface[slot < RR_MAX_IFACES ? slot : 0];
	const uint8_t *a = mac ? mac : no_mac;

	if (mtu > UINT16_MAX) /* no packet is larger */
		mtu = 0;
	if (slot >= RR_MAX_IFACES ||
	    (f->ifindex == ifindex && !memcmp(f->mac, a, 6) && f->mtu == mtu))
		return;
	if (!f->ifindex != !ifindex)
		note_iface(m, slot, ifindex, now);
	f->ifindex = ifindex;
	memcpy(f->mac, a, 6);
	f->mtu = (uint16_t)mtu;
	m->dirty = true;
	for (uint32_t i = 1; i < m->ep_end; i++) {
		if (m->ep[i].id && m->ep[i].hop && RR_HOP_SLOT(m->ep[i].hop) == slot)
			ep_refresh(m, &m->ep[i], now);
	}
}

static void note_hop(struct model *m, const struct ep *e, uint64_t was, mono_t now)
{
	if (e->hop)
		name_iface(
			m, RR_HOP_SLOT(e->hop),
			note_ep(m, e, was ? EVENT_HOP_CHANGED : EVENT_HOP_FOUND, REASON_NONE, now));
	else
		note_ep(m, e, EVENT_HOP_LOST, REASON_NO_NEXT_HOP, now);
}

void model_nexthop(struct model *m, uint32_t endpoint, uint64_t hop, const struct addr *src,
		   mono_t now)
{
	struct ep *e = ep_by_id(m, endpoint);
	uint64_t was;

	if (!e || e->member == EP_GONE)
		return;
	was = e->hop;
	e->hop = hop;
	if (src && src->family && !addr_equal(src, &e->src)) {
		e->src = *src;
		ep_assign_locals(m, e, now);
	}
	if (was == hop)
		return;
	m->dirty = true;
	if (e->hop_seen)
		note_hop(m, e, was, now);
	e->hop_seen = true;
	ep_refresh(m, e, now);
}

/* ---- flows ---- */

/*
 * An id is reusable early when two walks a while apart have found no flow of any state that names
 * it.
 */
static void walk_gone(struct model *m, struct ep *e, mono_t now)
{
	if (e->flows) {
		e->clean_set = false;
	} else if (!e->clean_set) {
		e->clean_set = true;
		e->clean = now;
	} else if (mono_cmp(mono_sub(now, e->clean), MONO_S(DRAIN_QUIET_S)) >= 0) {
		ep_free(m, e);
	}
}

static void walk_drain(struct model *m, struct ep *e, mono_t now)
{
	if (drain_walk(&e->drain, e->established, now) == DRAIN_FINISHED) {
		ep_drained(m, e, REASON_DRAINED, now);
		return;
	}
	/*
	 * what was reset at the deadline may have been missed (a handshake that completed
	 * meanwhile)
	 */
	if (e->drain.state == DRAIN_OVERDUE && e->established && e->svc->conf &&
	    e->svc->conf->on_deadline == CONF_DEADLINE_RST)
		ep_kill(m, e);
}

void model_flows(struct model *m, const uint32_t *established, const uint32_t *all, size_t n,
		 mono_t now)
{
	m->restless = true;
	for (uint32_t i = 1; i < m->ep_end; i++) {
		struct ep *e = &m->ep[i];

		if (!e->id)
			continue;
		e->established = i < n ? established[i] : 0;
		e->flows = i < n ? all[i] : 0;
		if (e->member == EP_GONE)
			walk_gone(m, e, now);
		else
			walk_drain(m, e, now);
	}
}
