/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_event.c - what the outside world has found out: probe results, interfaces, next hops, flow counts. And the
 * probe timers: whom to probe now, and with what.
 */
#include <stdio.h>
#include <string.h>

#include "model/model_int.h"

/* ---- probes ---- */

size_t model_due(struct model *m, uint32_t *endpoint, size_t max, mono_t now)
{
	size_t n = 0;

	for (uint32_t i = 1; i < m->ep_end && n < max; i++) {
		struct ep *e = &m->ep[i];

		if (!e->id || e->in_flight || mono_cmp(e->next_probe, now) > 0 || !ep_checked(e))
			continue;
		e->in_flight = true;
		e->last_start = now;
		e->next_probe = MONO_NEVER;
		e->probe_seq++;
		endpoint[n++] = i;
	}
	return n;
}

bool model_probe_target(const struct model *m, uint32_t endpoint, struct addr *to,
			const struct conf_health **h)
{
	const struct ep *e = ep_by_id(m, endpoint);

	if (!e || e->member != EP_PRESENT || !e->svc->conf ||
	    e->svc->conf->health.type == PROBE_NONE)
		return false;
	*to = e->addr;
	*h = &e->svc->conf->health;
	if ((*h)->port)
		to->port = (*h)->port;
	return true;
}

static void probe_record(struct ep *e, const struct model_probe *p, mono_t now)
{
	e->probe_took = p->took;
	e->probe_connect = p->connect;
	e->probe_tls = p->tls;
	e->probe_at = now;
	if (p->ok)
		e->probes_ok++;
	else if (reason_class(p->why) != REASON_LOCAL)
		e->probes_failed++;
}

/* The reason shown is that of the health state: a down endpoint keeps its failure until it is up. */
static void probe_reason(struct ep *e, const struct model_probe *p)
{
	if (p->ok && e->health.state == HEALTH_DOWN)
		return;
	e->reason = p->ok ? REASON_PASS : p->why;
	e->err = p->ok ? 0 : p->err;
	snprintf(e->text, sizeof(e->text), "%s", p->ok ? "" : p->text);
}

static const char *class_name(enum reason r)
{
	return reason_class(r) == REASON_HARD ? "hard" : "soft";
}

static void note_health(struct model *m, const struct ep *e, enum health_change c, mono_t now)
{
	struct note n = { c == HEALTH_WENT_UP ? "endpoint-up" : "endpoint-down", e->reason,
			  MODEL_NOBODY };
	char buf[ADDR_STRLEN];

	if (c == HEALTH_WENT_UP)
		note_ep(m, e, &n, now, "%s is up", ep_name(e, buf));
	else
		note_ep(m, e, &n, now, "%s is down: %s (%s)%s%s", ep_name(e, buf),
			reason_name(e->reason), class_name(e->reason), e->text[0] ? ": " : "",
			e->text);
}

static void note_flapping(struct model *m, const struct ep *e, bool flapping, mono_t now)
{
	struct note n = { flapping ? "flapping" : "steady", e->reason, MODEL_NOBODY };
	char buf[ADDR_STRLEN];

	if (flapping)
		note_ep(m, e, &n, now,
			"%s is flapping: %u transitions within %u min, rise is now %u",
			ep_name(e, buf), HEALTH_FLAPS, HEALTH_FLAP_WINDOW_S / 60, e->health.rise);
	else
		note_ep(m, e, &n, now, "%s is steady again, rise is back to %u", ep_name(e, buf),
			e->health.rise);
}

/* Our own failure says nothing about the endpoint: one event for a streak, no count. */
static void probe_local(struct model *m, struct ep *e, const struct model_probe *p, mono_t now)
{
	struct note n = { "probe-error", p->why, MODEL_NOBODY };
	char buf[ADDR_STRLEN];

	if (e->local_error)
		return;
	e->local_error = true;
	note_ep(m, e, &n, now, "probe of %s could not be sent: errno %d%s%s", ep_name(e, buf),
		p->err, p->text[0] ? ": " : "", p->text);
}

static void probe_count(struct model *m, struct ep *e, const struct model_probe *p, mono_t now)
{
	struct health_conf c = health_conf_of(&e->svc->conf->health);
	bool flapping = e->health.flapping;
	enum health_change change = health_result(&e->health, &c, p->ok, p->why, now);

	e->local_error = false;
	probe_reason(e, p);
	if (change != HEALTH_SAME)
		note_health(m, e, change, now);
	if (e->health.flapping && !flapping)
		note_flapping(m, e, true, now);
	ep_refresh(m, e, now);
}

static void probe_next(struct ep *e, mono_t now)
{
	struct health_conf c = health_conf_of(&e->svc->conf->health);
	mono_t next = mono_add(e->last_start,
			       health_wait(&e->health, &c, health_hash(e->id, e->probe_seq)));

	if (!ep_checked(e))
		next = MONO_NEVER;
	else if (e->check_now || mono_cmp(next, now) < 0)
		next = now;
	e->next_probe = next;
}

void model_probe_result(struct model *m, const struct model_probe *p, mono_t now)
{
	struct ep *e = ep_by_id(m, p->endpoint);

	if (!e || !e->in_flight)
		return;
	e->in_flight = false;
	if (!ep_checked(e)) {
		e->next_probe = MONO_NEVER;
		return;
	}
	e->check_now = false;
	probe_record(e, p, now);
	if (!p->ok && reason_class(p->why) == REASON_LOCAL)
		probe_local(m, e, p, now);
	else
		probe_count(m, e, p, now);
	probe_next(e, now);
}

/* ---- interfaces and next hops ---- */

void model_iface_name(struct model *m, uint32_t slot, const char *name)
{
	if (slot < RR_MAX_IFACES)
		snprintf(m->iface_name[slot], sizeof(m->iface_name[slot]), "%s", name);
}

/* "eth0"; "slot 3" before its name is known: a hop adopted with the maps. */
static const char *iface_name(const struct model *m, uint32_t slot, char buf[16])
{
	if (slot < RR_MAX_IFACES && m->iface_name[slot][0])
		return m->iface_name[slot];
	snprintf(buf, 16, "slot %u", slot);
	return buf;
}

void model_iface(struct model *m, uint32_t slot, uint32_t ifindex, const uint8_t mac[6], mono_t now)
{
	static const uint8_t no_mac[6];
	struct note n = { "interface", REASON_NONE, MODEL_NOBODY };
	struct rr_iface *f = &m->iface[slot < RR_MAX_IFACES ? slot : 0];
	const uint8_t *a = mac ? mac : no_mac;
	char buf[16];

	if (slot >= RR_MAX_IFACES || (f->ifindex == ifindex && !memcmp(f->mac, a, 6)))
		return;
	if (!f->ifindex != !ifindex)
		note_svc(m, NULL, &n, now,
			 ifindex ? "interface %s is up (index %u)" : "interface %s is down or away",
			 iface_name(m, slot, buf), ifindex);
	f->ifindex = ifindex;
	memcpy(f->mac, a, 6);
	m->dirty = true;
	for (uint32_t i = 1; i < m->ep_end; i++) {
		if (m->ep[i].id && m->ep[i].hop && RR_HOP_SLOT(m->ep[i].hop) == slot)
			ep_refresh(m, &m->ep[i], now);
	}
}

static void note_hop(struct model *m, const struct ep *e, uint64_t was, mono_t now)
{
	struct note n = { e->hop ? "next-hop" : "next-hop-lost",
			  e->hop ? REASON_NONE : REASON_NO_NEXT_HOP, MODEL_NOBODY };
	char buf[ADDR_STRLEN], on[16];

	if (!e->hop)
		note_ep(m, e, &n, now, "%s has no next hop any more", ep_name(e, buf));
	else
		note_ep(m, e, &n, now, "%s %s next hop on interface %s", ep_name(e, buf),
			was ? "has another" : "has a", iface_name(m, RR_HOP_SLOT(e->hop), on));
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

/* An id is reusable early when two walks a while apart have found no flow of any state that names it. */
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
	/* what was reset at the deadline may have been missed (a handshake that completed meanwhile) */
	if (e->drain.state == DRAIN_OVERDUE && e->established && e->svc->conf &&
	    e->svc->conf->on_deadline == CONF_DEADLINE_RST)
		e->kill = true;
}

void model_flows(struct model *m, const uint32_t *established, const uint32_t *all, size_t n,
		 mono_t now)
{
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

/* ---- time ---- */

bool model_tick_health(struct model *m, struct ep *e, mono_t now)
{
	struct health_conf c;

	if (!e->health.flapping || !e->svc->conf)
		return false;
	c = health_conf_of(&e->svc->conf->health);
	if (!health_tick(&e->health, &c, now))
		return false;
	note_flapping(m, e, false, now);
	return true;
}
