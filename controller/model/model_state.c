/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_state.c - decides the displayed state of an endpoint, and with it whether it takes new
 * connections: out of administration, membership, drain, health and the way to it.
 *
 * An endpoint is available when it is READY, PRESENT, UP (or not checked) and its next hop (and
 * where the mode needs one, a local address) is known: exactly when its displayed state is EPS_UP.
 * Only ep_refresh() decides that; whoever changes one of the inputs calls it.
 */
#include "model/model_int.h"

static bool hop_ready(const struct model *m, const struct ep *e)
{
	uint32_t slot = RR_HOP_SLOT(e->hop);

	if (!e->hop || slot >= RR_MAX_IFACES || !m->iface[slot].ifindex)
		return false;
	return !rr_mode_has(e->svc->mode, RR_MODE_NEEDS_LOCAL) || e->local_count;
}

static enum ep_state state_now(const struct model *m, const struct ep *e)
{
	if (e->member == EP_GONE)
		return EPS_GONE;
	if (e->admin == EP_MAINT && e->member == EP_PRESENT)
		return EPS_MAINT;
	if (e->admin == EP_DRAIN || e->member == EP_LEAVING)
		return e->drain.state == DRAIN_DONE ? EPS_DRAINED : EPS_DRAINING;
	if (e->health.state == HEALTH_DOWN)
		return EPS_DOWN;
	if (e->health.state == HEALTH_INIT)
		return EPS_INIT;
	return hop_ready(m, e) ? EPS_UP : EPS_NO_HOP;
}

void ep_refresh(struct model *m, struct ep *e, mono_t now)
{
	enum ep_state s = state_now(m, e);

	if (s == e->state)
		return;
	if (s == EPS_UP || e->state == EPS_UP)
		rotation_urgent(m, e->svc, now);
	e->state = s;
	e->since = now;
	m->dirty = m->restless = true;
}

size_t svc_available(const struct svc *s)
{
	size_t n = 0;

	for (const struct ep *e = s->first; e; e = e->next)
		n += e->state == EPS_UP;
	return n;
}
