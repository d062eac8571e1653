/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_ep.c - one endpoint's life: it comes, is operated on, leaves, is gone, and its id is free again.
 *
 * PRESENT -> LEAVING (takes nothing new, drains with the service's deadline) -> GONE (what remains of its flows is
 * reset; the id is in quarantine) -> free. An endpoint that comes back before its element is free
 * gets the same id again: flows that still name the id were made with this very endpoint.
 *
 * At the deadline: `rst` resets what is left; a leaving endpoint is gone with it. `keep` goes on draining
 * without a deadline. `forget` stops waiting: the endpoint is drained, flows that are left go on as long as
 * the packet path knows the endpoint (a leaving one is gone, so theirs end).
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

bool ep_checked(const struct ep *e)
{
	return e->member == EP_PRESENT && e->svc->conf && e->svc->conf->health.type != PROBE_NONE &&
	       (e->admin != EP_MAINT || e->check_now);
}

/* Forgets what was known: the next probe decides. Without checks the endpoint counts as up. */
void ep_health_begin(struct ep *e, mono_t first_probe)
{
	struct health_conf c = health_conf_of(&e->svc->conf->health);

	e->err = 0;
	e->text[0] = 0;
	e->local_error = false;
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

static void list_append(struct svc *s, struct ep *e)
{
	struct ep **p = &s->first;

	while (*p)
		p = &(*p)->next;
	e->next = NULL;
	*p = e;
}

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
	e->svc = s;
	e->addr = *a;
	e->state = EPS_GONE;
	e->admin_why = REASON_CONFIG;
	e->admin_uid = MODEL_NOBODY;
	drain_stop(&e->drain);
	list_append(s, e);
	c = health_conf_of(&s->conf->health);
	ep_health_begin(e, mono_add(now, health_offset(&c, id)));
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
	memset(e, 0, sizeof(*e));
	m->dirty = true;
}

void ep_return(struct model *m, struct ep *e, mono_t now)
{
	e->member = EP_PRESENT;
	e->kill = false;
	if (e->admin != EP_DRAIN)
		drain_stop(&e->drain);
	ep_health_begin(e, now);
	ep_assign_locals(m, e, now);
	ep_refresh(m, e, now);
}

void ep_leave(struct model *m, struct ep *e, uint32_t uid, mono_t now)
{
	char buf[ADDR_STRLEN];
	struct note n = { "removed", uid == MODEL_NOBODY ? REASON_CONFIG : REASON_OPERATOR, uid };

	e->member = EP_LEAVING;
	e->configured = e->added = false;
	e->admin_why = n.reason;
	e->admin_uid = uid;
	if (e->drain.state != DRAIN_DONE)
		drain_start(&e->drain, e->svc->conf->drain_deadline, now);
	note_ep(m, e, &n, now, "%s is removed and drains: %u established", ep_name(e, buf),
		e->established);
	m->dirty = true;
	if (e->drain.state == DRAIN_DONE) {
		ep_gone(m, e, REASON_DRAINED, now);
		return;
	}
	ep_refresh(m, e, now);
}

void ep_gone(struct model *m, struct ep *e, enum reason why, mono_t now)
{
	char buf[ADDR_STRLEN];
	struct note n = { "gone", why, MODEL_NOBODY };

	e->member = EP_GONE;
	e->kill = true; /* what it still sends would reach its clients, whose answers are reset */
	e->admin = EP_READY;
	e->configured = e->added = e->adopted = false;
	e->gone_at = now;
	e->clean_set = false;
	e->in_flight = false;
	ep_touch_locals(m, e, now);
	e->next_probe = MONO_NEVER;
	drain_stop(&e->drain);
	note_ep(m, e, &n, now, "%s is gone: packets of its flows are answered with RST",
		ep_name(e, buf));
	ep_refresh(m, e, now);
}

void ep_drained(struct model *m, struct ep *e, enum reason why, mono_t now)
{
	char buf[ADDR_STRLEN];
	struct note n = { "drained", why, MODEL_NOBODY };

	drain_finish(&e->drain);
	note_ep(m, e, &n, now, "%s is drained%s", ep_name(e, buf),
		why == REASON_DEADLINE ? ": the deadline has passed"
				       : ": no established flow is left");
	if (e->member == EP_LEAVING) {
		ep_gone(m, e, why, now);
		return;
	}
	ep_refresh(m, e, now);
}

void ep_overdue(struct model *m, struct ep *e, mono_t now)
{
	char buf[ADDR_STRLEN];
	enum conf_deadline what = e->svc->conf ? e->svc->conf->on_deadline : CONF_DEADLINE_RST;
	static const char *const say[] = {
		[CONF_DEADLINE_RST] = "are reset",
		[CONF_DEADLINE_KEEP] = "are kept until they end",
		[CONF_DEADLINE_FORGET] = "are no longer waited for",
	};
	struct note n = { "drain-deadline", REASON_DEADLINE, MODEL_NOBODY };

	note_ep(m, e, &n, now, "%s: drain deadline passed; its %u established flows %s",
		ep_name(e, buf), e->established, say[what]);
	if (what == CONF_DEADLINE_KEEP)
		return;
	e->kill = what == CONF_DEADLINE_RST;
	if (what == CONF_DEADLINE_FORGET || e->member == EP_LEAVING)
		ep_drained(m, e, REASON_DEADLINE, now);
}

static void note_drain(struct model *m, const struct ep *e, const char *by, mono_t now)
{
	struct note n = { "drain", e->admin_why, e->admin_uid };
	char buf[ADDR_STRLEN], end[48] = "no deadline";

	if (!mono_is_never(e->drain.until))
		snprintf(end, sizeof(end), "deadline in %lld s",
			 (long long)(mono_sub(e->drain.until, now).us / 1000000));
	note_ep(m, e, &n, now, "%s drains (%s): %u established, %s", ep_name(e, buf), by,
		e->established, end);
}

static void note_admin(struct model *m, const struct ep *e, mono_t now)
{
	char buf[ADDR_STRLEN];
	const char *by = e->admin_why == REASON_OPERATOR ? "operator" : "configuration";
	struct note n = { e->admin == EP_MAINT ? "maint" : "ready", e->admin_why, e->admin_uid };

	if (e->admin == EP_DRAIN)
		note_drain(m, e, by, now);
	else
		note_ep(m, e, &n, now, "%s is %s (%s)", ep_name(e, buf),
			e->admin == EP_MAINT ? "in maintenance" : "ready", by);
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
		ep_health_begin(e, now);
	if (a == EP_MAINT && !e->in_flight)
		e->next_probe = MONO_NEVER;
	note_admin(m, e, now);
	ep_refresh(m, e, now);
}

void ep_set_weight(struct model *m, struct ep *e, uint32_t w, bool set, mono_t now)
{
	char buf[ADDR_STRLEN];
	struct note n = { "weight", set ? REASON_OPERATOR : REASON_CONFIG, e->admin_uid };

	e->weight_set = set;
	if (e->weight == w)
		return;
	if (e->weight) /* a new endpoint's first weight is no news */
		note_ep(m, e, &n, now, "%s: weight %u -> %u", ep_name(e, buf), e->weight, w);
	e->weight = w;
	if (e->state == EPS_UP) {
		e->svc->rot_stale = true;
		m->dirty = true;
	}
}
