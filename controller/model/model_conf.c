/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_conf.c - decides the least change from what is to what a new configuration asks for.
 *
 * Which service is which: first by name, then (a renamed one, and those found in the running
 * maps, which have no name there) by listen address. It keeps its id through a change of either.
 * A change of the forwarding mode makes another service of it with another id: flows of the one
 * mode make no sense in the other.
 *
 * A removed service leaves the address table first, in one store, so its address belongs to the
 * host's own stack again, which resets what still comes for it. Its endpoints are GONE at once
 * and their flows killed, so endpoints' packets are answered with RST too: nothing is left
 * hanging until a timeout. Its element keeps the timeouts (without flags) for the walk over the
 * flow table, until the last of its endpoints is out of quarantine; only then is the service id
 * free. The same service coming back before that gets its ids back.
 *
 * model_apply() is a transaction: all that can fail (memory, ids) is tried before the first change.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_int.h"

/* ---- which service is which ---- */

struct apply {
	struct model *m;
	struct conf *conf;
	struct svc *to[RR_MAX_SERVICES]; /* by index in the configuration */
	bool taken[RR_MAX_SERVICES]; /* by service id */
	bool reset;
	mono_t now;
};

static struct svc *match_name(struct apply *a, const struct conf_service *c)
{
	struct svc *found = NULL;

	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		struct svc *s = &a->m->svc[i];

		if (!s->used || a->taken[i] || s->mode != c->mode || strcmp(s->name, c->name))
			continue;
		if (!found || !s->removed)
			found = s;
	}
	return found;
}

static struct svc *match_listen(struct apply *a, const struct conf_service *c)
{
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		struct svc *s = &a->m->svc[i];

		if (s->used && !a->taken[i] && s->mode == c->mode &&
		    addr_equal(&s->listen, &c->listen))
			return s;
	}
	return NULL;
}

static struct svc *match_free(struct apply *a, const struct conf_service *c)
{
	(void)c;
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		if (!a->m->svc[i].used && !a->taken[i])
			return &a->m->svc[i];
	}
	return NULL;
}

static int apply_match(struct apply *a)
{
	struct svc *(*const pass[])(struct apply *, const struct conf_service *) = { match_name,
										     match_listen,
										     match_free };

	if (a->conf->services > RR_MAX_SERVICES)
		return -ENOSPC;
	for (size_t p = 0; p < sizeof(pass) / sizeof(pass[0]); p++) {
		for (size_t i = 0; i < a->conf->services; i++) {
			if (!a->to[i])
				a->to[i] = pass[p](a, &a->conf->service[i]);
			if (a->to[i])
				a->taken[a->to[i]->id] = true;
		}
	}
	for (size_t i = 0; i < a->conf->services; i++) {
		if (!a->to[i])
			return -ENOSPC;
	}
	return 0;
}

/*
 * Endpoint ids that the new configuration needs beyond those it can take over. Rows of the operator
 * stand under the name that the service has now.
 */
static size_t ids_needed(const struct apply *a, const struct conf_service *c, const struct svc *s)
{
	struct model *m = a->m;
	const struct ep *hint = s->first;
	struct want_input in = { .conf = c };
	size_t wanted, n = 0;

	if (!a->reset)
		in.over = over_rows(m, s->conf ? s->name : c->name, &in.overs);
	wanted = want_build(&in, m->want, RR_MAX_SVC_ENDPOINTS);
	for (size_t i = 0; i < wanted; i++)
		n += !ep_find_near(s, &m->want[i].address, &hint);
	return n;
}

static int apply_fits(const struct apply *a)
{
	size_t need = 0, have = RR_MAX_ENDPOINTS - 1, listeners = 0;

	for (uint32_t i = 1; i < a->m->ep_end; i++)
		have -= a->m->ep[i].id != 0;
	for (size_t i = 0; i < a->conf->services; i++) {
		const struct conf_service *c = &a->conf->service[i];

		if (c->endpoints > RR_MAX_SVC_ENDPOINTS)
			return -ENOSPC;
		need += ids_needed(a, c, a->to[i]);
		listeners += svc_listen_needs(a->to[i], &c->listen, 1);
	}
	return need <= have && listeners <= listeners_free(a->m) ? 0 : -ENOSPC;
}

/* ---- services come, change and go ---- */

static void svc_remove(struct model *m, struct svc *s, mono_t now)
{
	if (s->conf) {
		svc_element(m, s, &s->tomb);
		note_svc(m, s, EVENT_SERVICE_REMOVED, REASON_CONFIG, now);
	}
	s->tomb.flags = 0;
	s->tomb.rotation = 0;
	s->conf = NULL;
	s->kind = 0;
	s->removed = true;
	s->paused = false;
	svc_listen(m, s, NULL, 0);
	for (struct ep *e = s->first; e; e = e->next) {
		if (e->member != EP_GONE)
			ep_gone(m, e, REASON_CONFIG, now);
	}
}

/* New probe parameters: state and timers of endpoints stay as far as they can. */
static void svc_health_changed(struct svc *s, const struct conf_health *was, mono_t now)
{
	const struct conf_health *is = &s->conf->health;
	struct health_conf c = health_conf_of(is);

	for (struct ep *e = s->first; e; e = e->next) {
		if (e->member != EP_PRESENT)
			continue;
		if (is->type == PROBE_NONE && was->type != PROBE_NONE) {
			ep_health_begin(e, now, now);
		} else if (is->type != PROBE_NONE && was->type == PROBE_NONE) {
			/* it serves already: it stays until the first result */
			health_adopt(&e->health, &c);
			e->reason = REASON_UNCHECKED;
			e->heard = now;
			e->next_probe = now;
		} else {
			if (is->rise != was->rise || is->fall != was->fall)
				health_reconf(&e->health, &c);
			if (!e->in_flight && is->type != PROBE_NONE)
				e->next_probe =
					mono_min(e->next_probe, mono_add(now, is->interval));
		}
	}
}

static void svc_begin(struct model *m, struct svc *s, const struct conf_service *c, mono_t now)
{
	if (!s->used || s->removed)
		rotation_urgent(m, s, now);
	s->fresh |= !s->used; /* one that comes back goes on counting */
	s->used = true;
	s->removed = false;
	snprintf(s->name, sizeof(s->name), "%s", c->name);
	s->mode = c->mode;
	note_svc(m, s, EVENT_SERVICE_ADDED, REASON_CONFIG, now)->n = (uint32_t)c->endpoints;
}

static void svc_take(struct model *m, struct svc *s, const struct conf_service *c, mono_t now)
{
	const struct conf_service *was = s->conf;
	struct model_event *ev;

	if (!was) {
		svc_begin(m, s, c, now);
	} else if (strcmp(s->name, c->name)) {
		ev = note_svc(m, s, EVENT_SERVICE_RENAMED, REASON_CONFIG, now);
		snprintf(ev->name, sizeof(ev->name), "%s", c->name);
		over_rename(m, s->name, c->name);
		snprintf(s->name, sizeof(s->name), "%s", c->name);
	}
	if (was && !addr_equal(&s->listen, &c->listen))
		note_svc(m, s, EVENT_SERVICE_MOVED, REASON_CONFIG, now)->address = c->listen;
	s->listen = c->listen;
	svc_listen(m, s, &c->listen, 1);
	s->t_idle = c->t_idle;
	s->conf = c;
	s->kind = kind_of(m, &c->health);
	if (was)
		svc_health_changed(s, &was->health, now);
}

static void apply_commit(struct apply *a)
{
	struct model *m = a->m;
	struct conf *old = m->conf;

	if (a->reset)
		m->overs = 0;
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		if (m->svc[i].used && !a->taken[i])
			svc_remove(m, &m->svc[i], a->now);
	}
	m->conf = a->conf;
	m->services = a->conf->services;
	for (size_t i = 0; i < m->services; i++) {
		m->order[i] = (uint8_t)a->to[i]->id;
		svc_take(m, a->to[i], &a->conf->service[i], a->now);
	}
	over_purge(m);
	for (size_t i = 0; i < m->services; i++)
		svc_reconcile(m, a->to[i], EVENT_NOBODY, a->now);
	over_started(m);
	kinds_sweep(m);
	conf_free(old);
	m->dirty = m->restless = true;
}

int model_apply(struct model *m, const struct conf *c, bool reset_overrides, mono_t now)
{
	struct apply a = { .m = m, .reset = reset_overrides, .now = now };
	int rc;

	a.conf = conf_copy(c);
	if (!a.conf)
		return -ENOMEM;
	rc = apply_match(&a);
	if (!rc)
		rc = apply_fits(&a);
	if (rc)
		conf_free(a.conf);
	else
		apply_commit(&a);
	return rc;
}
