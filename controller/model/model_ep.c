/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_ep.c - one endpoint's life: it comes, is operated on, leaves, is gone, and its id is free
 * again.
 *
 * PRESENT -> LEAVING (takes nothing new, drains with the service's deadline) -> GONE (what
 * remains of its flows is reset; the id is in quarantine) -> free. An endpoint that comes back
 * before its element is free gets the same id again: flows that still name the id were made with
 * this very endpoint.
 *
 * At the deadline: `rst` resets what is left; a leaving endpoint is gone with it. `keep` goes on
 * draining without a deadline. `forget` stops waiting: the endpoint is drained, flows that are
 * left go on as long as the packet path knows the endpoint (a leaving one is gone, so theirs
 * end).
 */
#include <stdio.h>
#include <string.h>

#include "model/model_int.h"

struct health_conf health_conf_of(const struct conf_health *h)
{
	return (struct health_conf){
		.interval = h->interval,
		.fast_interval = h->fast_interval,
		.down_interval = h->down_interval,
		.rise = h->rise,
		.fall = h->fall,
		.jitter = h->jitter,
		.begin = h->init,
	};
}

/* Forgets what was known: the next probe decides. Without checks the endpoint counts as up. */
void ep_health_begin(struct ep *e, mono_t first_probe, mono_t now)
{
	struct health_conf c = health_conf_of(&e->svc->conf->health);

	e->err = 0;
	e->text[0] = 0;
	e->local_since = MONO_US(0);
	e->heard = now;
	e->reason = REASON_UNCHECKED;
	if (e->svc->conf->health.type == PROBE_NONE) {
		health_adopt(&e->health, &c);
		e->reason = REASON_NO_CHECK;
		e->next_probe = MONO_NEVER;
		return;
	}
	health_start(&e->health, &c);
	if (!e->in_flight)
		e->next_probe = first_probe;
}

void ep_kill(struct model *m, struct ep *e)
{
	e->kill = m->killing = true;
}

static uint32_t id_take(struct model *m)
{
	for (uint32_t k = 0; k < RR_MAX_ENDPOINTS; k++) {
		uint32_t id = m->ep_cursor;

		m->ep_cursor = id + 1 < RR_MAX_ENDPOINTS ? id + 1 : 1;
		if (m->ep[id].id)
			continue;
		if (id >= m->ep_end)
			m->ep_end = id + 1;
		return id;
	}
	return 0;
}

/* At the head of the list: svc_reconcile() puts it where it belongs. */
struct ep *ep_new(struct model *m, struct svc *s, const struct addr *a, mono_t now)
{
	uint32_t id = id_take(m);
	struct health_conf c;
	struct ep *e;

	if (!id)
		return NULL;
	e = &m->ep[id];
	memset(e, 0, sizeof(*e));
	e->id = id;
	e->fresh = true;
	e->svc = s;
	e->addr = *a;
	e->state = EPS_GONE;
	e->admin_why = REASON_CONFIG;
	e->admin_uid = EVENT_NOBODY;
	e->weight = weight_make(0);
	drain_stop(&e->drain);
	e->next = s->first;
	s->first = e;
	c = health_conf_of(&s->conf->health);
	ep_health_begin(e, mono_add(now, health_offset(&c, id)), now);
	ep_assign_locals(m, e, now);
	ep_refresh(m, e, now);
	return e;
}

void ep_free(struct model *m, struct ep *e)
{
	struct ep **p = &e->svc->first;

	while (*p != e)
		p = &(*p)->next;
	*p = e->next;
	ep_release_ports(m, e);
	memset(e, 0, sizeof(*e));
	m->dirty = true;
}

void ep_return(struct model *m, struct ep *e, mono_t now)
{
	e->member = EP_PRESENT;
	e->kill = false;
	if (e->admin != EP_DRAIN)
		drain_stop(&e->drain);
	ep_health_begin(e, now, now);
	ep_assign_locals(m, e, now);
	ep_refresh(m, e, now);
}

/*
 * How long it may drain, from now on. One that was leaving when the last controller ended has only
 * what was left then.
 */
static mono_t leave_limit(const struct model *m, const struct ep *e, mono_t now)
{
	const struct model_saved *o = over_find(m, e->svc->name, &e->addr);

	if (o && o->leaving && o->drain_until.us)
		return mono_cmp(o->drain_until, now) > 0 ? mono_sub(o->drain_until, now)
							 : MONO_US(1);
	return e->svc->conf->drain_deadline;
}

void ep_leave(struct model *m, struct ep *e, uint32_t uid, mono_t now)
{
	struct model_event *ev;

	e->member = EP_LEAVING;
	e->origin = 0;
	e->admin_why = uid == EVENT_NOBODY ? REASON_CONFIG : REASON_OPERATOR;
	e->admin_uid = uid;
	if (e->drain.state != DRAIN_DONE)
		drain_start(&e->drain, leave_limit(m, e, now), now);
	ev = note_ep(m, e, EVENT_REMOVED, e->admin_why, now);
	ev->uid = uid;
	ev->n = e->established;
	m->dirty = true;
	target_settle(m, e, now);
	if (e->drain.state == DRAIN_DONE) {
		ep_gone(m, e, REASON_DRAINED, now);
		return;
	}
	ep_refresh(m, e, now);
}

void ep_gone(struct model *m, struct ep *e, enum reason why, mono_t now)
{
	e->member = EP_GONE;
	ep_kill(m, e); /* what it still sends would reach its clients, whose answers are reset */
	e->admin = EP_READY;
	e->origin = 0;
	e->gone_at = now;
	e->clean_set = false;
	ep_touch_locals(m, e, now);
	target_settle(m, e, now);
	e->next_probe = MONO_NEVER;
	drain_stop(&e->drain);
	note_ep(m, e, EVENT_GONE, why, now);
	ep_refresh(m, e, now);
}

void ep_drained(struct model *m, struct ep *e, enum reason why, mono_t now)
{
	drain_finish(&e->drain);
	note_ep(m, e, why == REASON_DEADLINE ? EVENT_DRAINED_LATE : EVENT_DRAINED, why, now);
	if (e->member == EP_LEAVING) {
		ep_gone(m, e, why, now);
		return;
	}
	ep_refresh(m, e, now);
}

void ep_overdue(struct model *m, struct ep *e, mono_t now)
{
	enum conf_deadline what = e->svc->conf ? e->svc->conf->on_deadline : CONF_DEADLINE_RST;
	static const enum event_kind kind[] = {
		[CONF_DEADLINE_RST] = EVENT_OVERDUE_RST,
		[CONF_DEADLINE_KEEP] = EVENT_OVERDUE_KEEP,
		[CONF_DEADLINE_FORGET] = EVENT_OVERDUE_FORGET,
	};

	note_ep(m, e, kind[what], REASON_DEADLINE, now)->n = e->established;
	if (what == CONF_DEADLINE_KEEP)
		return;
	e->kill = false;
	if (what == CONF_DEADLINE_RST)
		ep_kill(m, e);
	if (what == CONF_DEADLINE_FORGET || e->member == EP_LEAVING)
		ep_drained(m, e, REASON_DEADLINE, now);
}

static void note_admin(struct model *m, const struct ep *e, mono_t now)
{
	static const enum event_kind kind[] = {
		[EP_READY] = EVENT_READY,
		[EP_DRAIN] = EVENT_DRAIN,
		[EP_MAINT] = EVENT_MAINT,
	};
	struct model_event *ev = note_ep(m, e, kind[e->admin], e->admin_why, now);

	ev->uid = e->admin_uid;
	if (e->admin != EP_DRAIN)
		return;
	ev->n = e->established;
	ev->left = mono_is_never(e->drain.until) ? MONO_NEVER : mono_sub(e->drain.until, now);
}

void ep_set_admin(struct model *m, struct ep *e, enum ep_admin a, mono_t limit, mono_t now)
{
	enum ep_admin was = e->admin;

	if (a == was && !(a == EP_DRAIN && limit.us && e->drain.state != DRAIN_DONE))
		return;
	e->admin = a;
	if (a == EP_DRAIN && e->drain.state != DRAIN_DONE)
		drain_start(&e->drain, limit.us ? limit : e->svc->conf->drain_deadline, now);
	if (a != EP_DRAIN && e->member == EP_PRESENT)
		drain_stop(&e->drain);
	if (was == EP_MAINT)
		ep_health_begin(e, now, now);
	if (a == EP_MAINT && !e->in_flight)
		e->next_probe = MONO_NEVER;
	target_arm(m, e->target);
	note_admin(m, e, now);
	ep_refresh(m, e, now);
}

void ep_set_weight(struct model *m, struct ep *e, uint32_t w, bool set, mono_t now)
{
	struct model_event *ev;

	e->weight_set = set;
	if (e->weight.base == w)
		return;
	if (e->weight.base) { /* a new endpoint's first weight is no news */
		ev = note_ep(m, e, EVENT_WEIGHT, set ? REASON_OPERATOR : REASON_CONFIG, now);
		ev->uid = e->admin_uid;
		ev->m = e->weight.base;
		ev->n = w;
	}
	e->weight.base = w;
	if (e->state == EPS_UP)
		rotation_urgent(m, e->svc, now);
}
