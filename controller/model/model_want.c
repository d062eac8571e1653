/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_want.c - makes the endpoints of a service like the list that is wanted: the one difference
 * between what is and what shall be, whoever asks for it and for whatever reason it is made.
 *
 * An endpoint is known by its address. One that is wanted and there goes on; one that is leaving or
 * gone comes back with its old id; others are new. What nobody wants any more leaves. The order of
 * the service's list is that of the wanted ones, then the others as they stood.
 */
#include <string.h>

#include "model/model_int.h"

/* Found in the running maps and configured: it goes on as it was, until its first result. */
static void ep_claim_adopted(struct model *m, struct ep *e, const struct model_saved *o, mono_t now)
{
	struct health_conf c = health_conf_of(&e->svc->conf->health);

	e->origin = 0;
	ep_health_begin(e, mono_add(now, health_offset(&c, e->id)), now);
	if (e->reason == REASON_UNCHECKED && (e->was_active || (o && o->was_up))) {
		health_adopt(&e->health, &c);
		e->reason = REASON_ADOPTED;
	}
	ep_assign_locals(m, e, now);
}

/* Somebody wants it. */
static bool owned(const struct ep *e)
{
	return e->origin & ~(unsigned int)ORIGIN_MAPS;
}

/*
 * The endpoint of this address: the one that is there, or that comes back, or a new one; NULL = no
 * id is free. `there` counts the endpoints that were there and are not found yet: at 0, as with a
 * new service, nothing is looked for.
 */
static struct ep *ep_claim(struct model *m, struct svc *s, const struct addr *a,
			   const struct ep **hint, size_t *there, mono_t now, bool *is_new)
{
	struct ep *e = *there ? ep_find_near(s, a, hint) : NULL;

	*is_new = false;
	if (e && owned(e)) /* named twice */
		return NULL;
	*there -= e != NULL;
	if (e && e->origin & ORIGIN_MAPS) {
		ep_claim_adopted(m, e, over_find(m, s->name, a), now);
		return e;
	}
	if (e && e->member == EP_PRESENT)
		return e;
	if (e)
		ep_return(m, e, now);
	else
		e = ep_new(m, s, a, now);
	*is_new = e != NULL;
	return e;
}

/* A deadline that has passed meanwhile is met at once. 0 = the service's. */
static mono_t drain_left(const struct want *w, const struct ep *e, mono_t now)
{
	mono_t left = mono_sub(w->drain_until, now);

	if (w->admin != EP_DRAIN || e->admin == EP_DRAIN || !w->drain_until.us)
		return MONO_US(0);
	return left.us > 0 ? left : MONO_US(1);
}

static void ep_settle(struct model *m, struct ep *e, const struct want *w, mono_t now)
{
	e->origin = w->origin;
	e->admin_why = w->admin_why;
	ep_set_weight(m, e, w->weight, w->weight_set, now);
	ep_set_admin(m, e, w->admin, drain_left(w, e, now), now);
	ep_assign_locals(m, e, now);
	target_settle(m, e, now);
	ep_refresh(m, e, now);
}

/* Before: nobody wants any of them. How many there are. */
static size_t disown(struct svc *s)
{
	size_t n = 0;

	for (struct ep *e = s->first; e; e = e->next) {
		e->origin &= ORIGIN_MAPS;
		e->admin_uid = EVENT_NOBODY;
		n++;
	}
	return n;
}

/* The list anew: ep[0 .. n-1] in this order, then the others as they stand. */
static void list_order(struct svc *s, struct ep *const *ep, size_t n)
{
	struct ep *others = NULL, **to = &others, *next;

	for (struct ep *e = s->first; e; e = next) {
		next = e->next;
		if (owned(e))
			continue;
		*to = e;
		to = &e->next;
	}
	*to = NULL;
	to = &s->first;
	for (size_t i = 0; i < n; i++) {
		*to = ep[i];
		to = &ep[i]->next;
	}
	*to = others;
}

/* What there is -> m->want[0 .. wanted-1]. */
static void svc_diff(struct model *m, struct svc *s, size_t wanted, uint32_t uid, mono_t now)
{
	struct ep *ep[RR_MAX_SVC_ENDPOINTS];
	size_t there = disown(s), n = 0;
	const struct ep *hint = s->first;
	bool is_new;

	for (size_t i = 0; i < wanted; i++) {
		const struct want *w = &m->want[i];
		struct ep *e = ep_claim(m, s, &w->address, &hint, &there, now, &is_new);

		if (!e)
			continue;
		if (is_new)
			note_ep(m, e, EVENT_ADDED,
				uid == EVENT_NOBODY ? REASON_CONFIG : REASON_OPERATOR, now)
				->uid = uid;
		ep_settle(m, e, w, now);
		ep[n++] = e;
	}
	list_order(s, ep, n);
	for (struct ep *e = s->first; e; e = e->next) {
		if (e->member == EP_PRESENT && !owned(e))
			ep_leave(m, e, EVENT_NOBODY, now);
	}
}

void svc_set_paused(struct model *m, struct svc *s, bool paused, uint32_t uid, mono_t now)
{
	if (s->paused == paused)
		return;
	s->paused = paused;
	m->dirty = true;
	note_svc(m, s, paused ? EVENT_SERVICE_PAUSED : EVENT_SERVICE_RESUMED, REASON_OPERATOR, now)
		->uid = uid;
}

void svc_reconcile(struct model *m, struct svc *s, uint32_t uid, mono_t now)
{
	const struct addr none = { 0 };
	const struct model_saved *own = over_find(m, s->name, &none);
	struct want_input in = { .conf = s->conf };
	size_t wanted;

	in.over = over_rows(m, s->name, &in.overs);
	wanted = want_build(&in, m->want, RR_MAX_SVC_ENDPOINTS);
	svc_diff(m, s, wanted, uid, now);
	svc_set_paused(m, s, own && own->paused, EVENT_NOBODY, now);
	m->dirty = true;
}
