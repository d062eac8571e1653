/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_probe.c - probes as the model sees them: whom to probe now and with what, and what an
 * outcome changes.
 *
 * One probe of a target is in flight at most: model_due() takes it out of the heap, the outcome
 * puts it back. Each outcome is one of all endpoints that took part when it was started. What
 * outcomes mean for up and down is core/health.c; here they become reasons, counts and events.
 */
#include <stdio.h>
#include <string.h>

#include "model/model_int.h"

_Static_assert(HEALTH_FLAP_WINDOW_S == 600, "EVENT_FLAPPING says 10 min");

/*
 * Members take part whose own time has come. So do those that have never been probed, and those
 * that have waited three quarters of their time: services that share a target soon share its
 * rhythm, and one that asks less often than the others is not asked much more often than it wants.
 */
static bool takes_part(const struct ep *e, mono_t now)
{
	mono_t left = mono_sub(e->next_probe, now);

	if (!ep_checked(e))
		return false;
	if (left.us <= 0 || !e->last_start.us)
		return true;
	return left.us <= mono_sub(e->next_probe, e->last_start).us / 4;
}

static void target_start(struct model *m, uint32_t id, mono_t now)
{
	struct target *t = &m->target[id];

	for (uint32_t i = t->member; i; i = m->ep[i].next_member) {
		struct ep *e = &m->ep[i];

		if (!takes_part(e, now))
			continue;
		e->in_flight = true;
		e->last_start = now;
		e->next_probe = MONO_NEVER;
		e->probe_seq++;
	}
	t->in_flight = true;
	t->run = ++m->run;
	t->stalled = MONO_US(0);
	target_arm(m, id);
}

size_t model_due(struct model *m, struct model_run *run, size_t max, mono_t now)
{
	size_t n = 0;

	while (n < max && mono_cmp(heap_next(&m->due), now) <= 0) {
		uint32_t id = heap_first(&m->due);

		target_start(m, id, now);
		run[n++] = (struct model_run){ id, m->target[id].run };
	}
	return n;
}

mono_t model_lag(const struct model *m, mono_t now)
{
	mono_t next = heap_next(&m->due);

	return mono_cmp(next, now) < 0 ? mono_sub(now, next) : MONO_US(0);
}

bool model_stall(struct model *m, mono_t length)
{
	bool any = false;

	for (uint32_t i = 1; i < RR_MAX_ENDPOINTS; i++) {
		struct target *t = &m->target[i];

		if (!t->in_flight)
			continue;
		t->stalled = mono_add(t->stalled, length);
		any = true;
	}
	return any;
}

static void probe_record(struct ep *e, const struct model_probe *p, mono_t now)
{
	e->heard = now;
	e->probe_took = p->took;
	e->probe_connect = p->connect;
	e->probe_tls = p->tls;
	e->probe_at = now;
	if (p->ok)
		e->probes_ok++;
	else
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

	if (e->local_since.us)
		return;
	e->local_since = now;
	ev = note_ep(m, e, EVENT_PROBE_ERROR, p->why, now);
	ev->n = (uint32_t)p->err;
	snprintf(ev->text, sizeof(ev->text), "%s", p->text);
}

static void probe_count(struct model *m, struct ep *e, const struct model_probe *p, mono_t now)
{
	struct health_conf c = health_conf_of(&e->svc->conf->health);
	bool flapping = e->health.flapping;
	enum health_change change = health_result(&e->health, &c, p->ok, p->why, now);

	e->local_since = MONO_US(0);
	probe_reason(e, p);
	if (change != HEALTH_SAME)
		note_health(m, e, change, now);
	if (e->health.flapping && !flapping)
		note_flapping(m, e, true, now);
	ep_refresh(m, e, now);
}

/*
 * The same random number for all members of a target, so that those who share a rhythm keep it.
 * Who asked for a probe of his own while another was in flight gets it now.
 */
static void probe_next(struct ep *e, uint32_t run, mono_t now)
{
	struct health_conf c = health_conf_of(&e->svc->conf->health);
	mono_t next =
		mono_add(e->last_start, health_wait(&e->health, &c, health_hash(e->target, run)));

	if (e->check_now && e->probe_seq >= e->check_seq)
		e->check_now = false;
	if (!ep_checked(e))
		next = MONO_NEVER;
	else if (e->check_now || mono_cmp(next, now) < 0)
		next = now;
	e->next_probe = next;
}

/* What became of the target's probe, for one of its members. */
static void member_result(struct model *m, struct ep *e, const struct model_probe *p, mono_t now)
{
	e->in_flight = false;
	if (!ep_checked(e)) {
		e->next_probe = MONO_NEVER;
		return;
	}
	e->last = *p;
	e->last_seq = e->probe_seq;
	if (!p->ok && reason_class(p->why) == REASON_LOCAL) {
		probe_local(m, e, p, now);
	} else {
		probe_record(e, p, now);
		probe_count(m, e, p, now);
	}
	probe_next(e, p->of.run, now);
}

static void member_void(struct ep *e, mono_t now)
{
	e->in_flight = false;
	e->next_probe = ep_checked(e) ? now : MONO_NEVER;
}

static bool is_void(const struct model *m, const struct target *t, const struct model_probe *p)
{
	return !p->ok && t->stalled.us > m->kind[t->kind].health.timeout.us / 4;
}

void model_probe_result(struct model *m, const struct model_probe *p, mono_t now)
{
	uint32_t id = p->of.target < RR_MAX_ENDPOINTS ? p->of.target : 0;
	struct target *t = &m->target[id];
	bool empty;

	if (!t->in_flight || t->run != p->of.run)
		return;
	t->in_flight = false;
	empty = is_void(m, t, p);
	m->voids += empty;
	for (uint32_t i = t->member; i; i = m->ep[i].next_member) {
		if (!m->ep[i].in_flight)
			continue;
		if (empty)
			member_void(&m->ep[i], now);
		else
			member_result(m, &m->ep[i], p, now);
	}
	target_arm(m, id);
}
