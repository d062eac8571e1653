/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_adopt.c - takes over from the running maps: ids of services, listeners, endpoints, local
 * addresses; next hops, and which endpoints were in the running rotation. The first model_apply()
 * then finds them by address; what it does not name is removed in the ordinary way (leaving, or
 * gone with its service).
 */
#include <errno.h>
#include <string.h>

#include "model/model_int.h"
#include "model/plan.h"

static struct addr addr_of(const struct rr_addr *a, uint8_t family, uint16_t port_be)
{
	struct addr r = { .family = family, .port = __builtin_bswap16(port_be) };

	memcpy(r.ip, a->a, family == RR_AF_INET ? 4 : 16);
	return r;
}

static void adopt_service(struct model *m, uint32_t id, const struct rr_service *r)
{
	struct svc *s = &m->svc[id];

	s->used = true;
	s->removed = true;
	s->rot_stale = true;
	s->mode = (enum rr_mode)r->mode;
	s->t_idle = MONO_US(m->hz ? (int64_t)r->t_est * 1000000 / m->hz : 0);
	s->tomb = *r;
}

/*
 * The address that a configuration finds the service by is one that clients reach it by; else, of a
 * service that was being removed, the last that it had.
 */
static void adopt_listener(struct model *m, const struct plan *have, uint32_t id)
{
	const struct rr_listener *r = &have->listener[id];
	struct svc *s = &m->svc[r->service % RR_MAX_SERVICES];
	struct addr a;

	if (!(r->flags & RR_LISTENER_PRESENT) || r->service >= RR_MAX_SERVICES || !s->used ||
	    (r->family != RR_AF_INET && r->family != RR_AF_INET6))
		return;
	a = addr_of(&r->addr, r->family, r->port);
	if (svc_listener(s, &a))
		return; /* twice the same: the one that clients reach was first */
	lsn_link(m, id, s, &a);
	m->listener[id].active = m->listener[id].listed = have->listening[id];
	if (!s->listen.family)
		s->listen = a;
}

static void adopt_listeners(struct model *m, const struct plan *have)
{
	for (int listening = 1; listening >= 0; listening--) {
		for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++) {
			if (have->listening[i] == listening)
				adopt_listener(m, have, i);
		}
	}
}

static bool locals_known(const struct model *m, const struct rr_endpoint *r)
{
	for (uint32_t i = 0; i < r->local_count; i++) {
		if (!m->local[r->local_first + i].addr.family)
			return false;
	}
	return true;
}

static void adopt_endpoint(struct model *m, uint32_t id, const struct rr_endpoint *r, mono_t now)
{
	struct svc *s = &m->svc[r->service];
	struct ep *e = &m->ep[id];
	bool gone = r->flags & RR_EP_GONE;

	e->id = id;
	e->svc = s;
	e->next = s->first;
	s->first = e;
	e->addr = addr_of(&r->addr, r->family, r->port);
	e->admin_why = REASON_CONFIG;
	e->admin_uid = EVENT_NOBODY;
	e->next_probe = MONO_NEVER;
	e->weight = weight_make(0);
	e->hop = r->hop;
	e->hop_seen = r->hop != 0;
	e->local_first = locals_known(m, r) ? r->local_first : 0;
	e->local_count = locals_known(m, r) ? r->local_count : 0;
	ep_adopt_ports(m, e, r->port_set);
	e->since = now;
	e->gone_at = now;
	drain_stop(&e->drain);
	e->origin = gone ? 0 : ORIGIN_MAPS;
	e->member = gone ? EP_GONE : EP_PRESENT;
	e->state = gone ? EPS_GONE : EPS_INIT;
	if (id >= m->ep_end)
		m->ep_end = id + 1;
}

/* An element that makes no sense is not taken over: its id is then simply free. */
static bool sane(const struct model *m, const struct rr_endpoint *r)
{
	return (r->flags & RR_EP_PRESENT) && r->service < RR_MAX_SERVICES &&
	       m->svc[r->service].used &&
	       (uint32_t)r->local_first + r->local_count <= RR_MAX_LOCALS &&
	       (r->family == RR_AF_INET || r->family == RR_AF_INET6);
}

static bool row_names(const struct plan *have, uint32_t local)
{
	for (size_t i = 0; i < have->vips; i++) {
		if (RR_VIP_TYPE(have->vip[i].kind) == RR_VIP_LOCAL && have->vip[i].id == local)
			return true;
	}
	return false;
}

/*
 * A push that was broken off may have left an address that no row names: not taken over, since
 * the same address may stand elsewhere as well. Its id is not given to another before a plan has
 * cleared it.
 */
static void adopt_local(struct model *m, const struct plan *have, uint32_t id, mono_t now)
{
	const struct rr_local *r = &have->local[id];
	struct loc *l = &m->local[id];

	if (r->family != RR_AF_INET && r->family != RR_AF_INET6)
		return;
	l->held = addr_of(&r->addr, r->family, 0);
	if (!row_names(have, id))
		return;
	l->addr = l->held;
	l->tables = have->local_tables[id];
	l->used = now;
	l->in_plan = true;
}

static void adopt_active(struct model *m, const struct plan *have, uint32_t id)
{
	uint32_t slots = have->slot[id] ? RR_ROT_LEN(have->service[id].rotation) : 0;

	for (uint32_t k = 0; k < slots; k++) {
		struct ep *e = ep_by_id(m, have->slot[id][k]);

		if (e && e->svc->id == id &&
		    !(have->endpoint[e->id].flags & (RR_EP_NO_NEW | RR_EP_GONE)))
			e->was_active = true;
	}
}

/* A service that has lost its PRESENT flag is in the maps only for its endpoints' quarantine. */
static bool has_endpoints(const struct plan *have, uint32_t id)
{
	for (uint32_t i = 1; i < RR_MAX_ENDPOINTS; i++) {
		if ((have->endpoint[i].flags & RR_EP_PRESENT) && have->endpoint[i].service == id)
			return true;
	}
	return false;
}

int model_adopt(struct model *m, const struct plan *have, mono_t now)
{
	struct model_event *ev;
	uint32_t eps = 0, svcs = 0;

	if (m->conf)
		return -EINVAL;
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		const struct rr_service *r = &have->service[i];

		if (!(r->flags & RR_SVC_PRESENT) && !(r->t_est && has_endpoints(have, i)))
			continue;
		adopt_service(m, i, r);
		svcs++;
	}
	adopt_listeners(m, have);
	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++)
		adopt_local(m, have, i, now);
	for (uint32_t i = RR_MAX_ENDPOINTS - 1; i > 0; i--) {
		if (!sane(m, &have->endpoint[i]))
			continue;
		adopt_endpoint(m, i, &have->endpoint[i], now);
		eps++;
	}
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++)
		adopt_active(m, have, i);
	memcpy(m->iface, have->iface, sizeof(m->iface));
	ev = note_svc(m, NULL, EVENT_ADOPTED, REASON_ADOPTED, now);
	ev->m = svcs;
	ev->n = eps;
	return 0;
}
