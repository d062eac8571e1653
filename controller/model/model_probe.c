/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_probe.c - probes as the model sees them: whom to probe now and with what, and what an
 * outcome changes.
 *
 * One probe of an endpoint is in flight at most: model_due() takes it out of the timers, the
 * outcome puts it back. What outcomes mean for up and down is core/health.c; here they become
 * reasons, counts and events.
 */
#include <stdio.h>
#include <string.h>

#include "model/model_int.h"

_Static_assert(HEALTH_FLAP_WINDOW_S == 600, "EVENT_FLAPPING says 10 min");

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

/*
 * The reason shown is that of the health state: a down endpoint keeps its failure until it is up.
 */
static void probe_reason(struct ep *e, const struct model_probe *p)
{
	if (p->ok && e->health.state == HEALTH_DOWN)
		return;
	e->reason = p->ok ? REASON_PASS : p->why;
	e->err = p->ok ? 0 : p->err;
	snprintf(e->text, sizeof(e->text), "%s", p->ok ? "" : p->text);
}

static void note_health(struct model *m, const struct ep *e, enum health_change c, mono_t now)
{
	struct model_event *ev =
		note_ep(m, e, c == HEALTH_WENT_UP ? EVENT_ENDPOINT_UP : EVENT_ENDPOINT_DOWN,
			e->reason, now);

	if (c != HEALTH_WENT_UP)
		snprintf(ev->text, sizeof(ev->text), "%s", e->text);
}

void note_flapping(struct model *m, const struct ep *e, bool flapping, mono_t now)
{
	struct model_event *ev =
		note_ep(m, e, flapping ? EVENT_FLAPPING : EVENT_STEADY, e->reason, now);

	ev->m = HEALTH_FLAPS;
	ev->n = e->health.rise;
}

/* Our own failure says nothing about the endpoint: one event for a streak, no count. */
static void probe_local(struct model *m, struct ep *e, const struct model_probe *p, mono_t now)
{
	struct model_event *ev;

	if (e->local_error)
		return;
	e->local_error = true;
	ev = note_ep(m, e, EVENT_PROBE_ERROR, p->why, now);
	ev->n = (uint32_t)p->err;
	snprintf(ev->text, sizeof(ev->text), "%s", p->text);
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
	else if (mono_cmp(next, now) < 0)
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
