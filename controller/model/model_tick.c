/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_tick.c - time passes: one pass for each service, which does all that time alone can change
 * of it: drain deadlines, the end of flap damping and of quarantine for ids, rotations that may
 * follow weights again, and last the end of the service itself. Then local addresses, which
 * services share. Says when it wants to run next, the earliest probe included.
 */
#include <string.h>

#include "model/model_int.h"

static mono_t quarantine_end(const struct ep *e)
{
	mono_t wait = MONO_S(MODEL_QUARANTINE_S);

	if (mono_cmp(e->svc->t_idle, wait) > 0)
		wait = e->svc->t_idle;
	return mono_add(e->gone_at, wait);
}

static mono_t tick_gone(struct model *m, struct ep *e, mono_t now)
{
	mono_t end = quarantine_end(e);

	if (mono_cmp(now, end) < 0)
		return end;
	ep_free(m, e);
	return MONO_NEVER;
}

static bool tick_health(struct model *m, struct ep *e, mono_t now)
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

static mono_t tick_ep(struct model *m, struct ep *e, mono_t now)
{
	mono_t next;

	if (e->member == EP_GONE)
		return tick_gone(m, e, now);
	if (drain_tick(&e->drain, now) == DRAIN_EXPIRED)
		ep_overdue(m, e, now);
	if (e->member == EP_GONE)
		return quarantine_end(e);
	tick_health(m, e, now);
	ep_touch_locals(m, e, now);
	next = drain_next(&e->drain);
	if (e->health.flapping)
		next = mono_min(next, e->health.flap_until);
	return next;
}

/* A service that is not configured any more ends with its last endpoint's quarantine. */
static void svc_retire(struct model *m, struct svc *s)
{
	uint32_t id = s->id;

	if (!s->removed || s->first || !m->conf)
		return;
	svc_listeners_drop(m, s);
	memset(s, 0, sizeof(*s));
	s->id = id;
	m->dirty = true;
}

/* Endpoints may leave the list on the way: *p is then the next one. */
static mono_t tick_svc(struct model *m, struct svc *s, mono_t now)
{
	mono_t next = MONO_NEVER;
	struct ep **p = &s->first, *e;

	while ((e = *p)) {
		next = mono_min(next, tick_ep(m, e, now));
		if (*p == e)
			p = &e->next;
	}
	next = mono_min(next, rotation_tick(m, s, now));
	svc_retire(m, s);
	return next;
}

/* Everything but probes. */
static mono_t tick_all(struct model *m, mono_t now)
{
	mono_t next = MONO_NEVER;

	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		if (m->svc[i].used)
			next = mono_min(next, tick_svc(m, &m->svc[i], now));
	}
	return mono_min(next, locals_tick(m, now));
}

/*
 * Most turns of the loop come from probes that have changed nothing: these do not look at every
 * endpoint.
 */
mono_t model_tick(struct model *m, mono_t now)
{
	if (m->restless || mono_cmp(now, m->calm_until) >= 0) {
		m->restless = false;
		m->calm_until = tick_all(m, now);
	}
	return mono_min(m->calm_until, heap_next(&m->due));
}

void model_planned(struct model *m)
{
	m->dirty = false;
	m->restless = true;
	locals_planned(m);
	listeners_planned(m);
}
