/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * view.c - model -> a snapshot that owns all it points to, so readers hold nothing of the model.
 * Endpoints that are gone are not shown: only their ids are still kept.
 *
 * What is shown of a rotation is what the next plan will hold, not what the maps hold: a push may
 * still be on its way, or have failed. Readers that want the maps' own read the maps.
 */
#include "model/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_int.h"

/* Why the displayed state is what it is: the reason of the dimension that decided it. */
static enum reason state_reason(const struct ep *e)
{
	switch (e->state) {
	case EPS_GONE:
	case EPS_MAINT:
	case EPS_DRAINING:
		return e->drain.state == DRAIN_OVERDUE ? REASON_DEADLINE : e->admin_why;
	case EPS_DRAINED:
		return REASON_DRAINED;
	case EPS_NO_HOP:
		return REASON_NO_NEXT_HOP;
	case EPS_INIT:
		return e->local_since.us ? REASON_LOCAL_ERROR : e->reason;
	case EPS_DOWN:
	case EPS_UP:
		return e->reason;
	case EPS_MAX:
		break;
	}
	return REASON_NONE;
}

/* Slots of every endpoint of the service, by id; other elements of `n` are not touched. */
static void count_slots(const struct svc *s, uint16_t n[RR_MAX_ENDPOINTS])
{
	for (const struct ep *e = s->first; e; e = e->next)
		n[e->id] = 0;
	for (uint32_t k = 0; k < s->slots; k++)
		n[s->slot[k]]++;
}

/* Whoever is probed has results, or somebody should know. */
static mono_t silent_since(const struct ep *e, mono_t now)
{
	const struct conf_health *h = ep_checked(e) ? &e->svc->conf->health : NULL;
	struct health_conf c;

	if (!h)
		return MONO_US(0);
	c = health_conf_of(h);
	if (mono_cmp(mono_sub(now, e->heard), health_patience(&e->health, &c, h->timeout)) <= 0)
		return MONO_US(0);
	return e->heard;
}

/* Health as the counter stands, and the last probe with its phases. */
static void fill_probe(struct view_endpoint *v, const struct ep *e, mono_t now)
{
	v->last = e->last;
	v->probe_seq = e->probe_seq;
	v->last_seq = e->last_seq;
	v->silent_since = silent_since(e, now);
	v->local_since = ep_checked(e) ? e->local_since : MONO_US(0);
	v->h = e->health.h;
	v->rise = e->health.rise;
	v->fall = e->health.fall;
	v->h_max = v->rise + v->fall ? v->rise + v->fall - 1 : 0;
	v->flapping = e->health.flapping;
	v->err = e->err;
	snprintf(v->text, sizeof(v->text), "%s", e->text);
	v->probe_took = e->probe_took;
	v->probe_connect = e->probe_connect;
	v->probe_tls = e->probe_tls;
	v->probe_at = e->probe_at;
	v->probes_ok = e->probes_ok;
	v->probes_failed = e->probes_failed;
}

static void fill_endpoint(struct view_endpoint *v, const struct ep *e, uint32_t slots, mono_t now)
{
	const struct svc *s = e->svc;

	v->id = e->id;
	v->addr = e->addr;
	v->state = e->state;
	v->admin = e->admin;
	v->health = e->health.state;
	v->member = e->member;
	v->reason = state_reason(e);
	v->weight_base = e->weight.base;
	v->weight = e->state == EPS_UP ? weight_shown(&e->weight) : 0;
	v->slots = e->state == EPS_UP ? slots : 0;
	v->share = s->slots ? (double)v->slots / s->slots : 0;
	v->established = e->established;
	v->flows = e->flows;
	v->since = e->since;
	v->drain_until = drain_running(&e->drain) ? e->drain.until : MONO_US(0);
	v->hop = e->hop;
	v->added = e->origin == ORIGIN_OPERATOR;
	v->weight_set = e->weight_set;
	v->admin_set = e->admin_why == REASON_OPERATOR && e->member == EP_PRESENT;
	fill_probe(v, e, now);
}

/* Degraded: some endpoint is not available, and nobody asked for that. */
static enum svc_state state_of(const struct view_service *v)
{
	enum svc_state s = SVCS_OK;

	if (v->paused)
		return SVCS_PAUSED;
	if (!v->total)
		return SVCS_EMPTY;
	if (!v->available)
		return SVCS_DOWN;
	for (size_t i = 0; i < v->endpoints; i++) {
		if (v->endpoint[i].state == EPS_DOWN || v->endpoint[i].state == EPS_NO_HOP)
			s = SVCS_DEGRADED;
	}
	return s;
}

static bool fill_service(struct view_service *v, struct svc *s, const struct conf_service *c,
			 mono_t now)
{
	uint16_t slots[RR_MAX_ENDPOINTS];
	size_t n = 0;

	v->id = s->id;
	snprintf(v->name, sizeof(v->name), "%s", s->name);
	v->listen = s->listen;
	v->mode = s->mode;
	v->paused = s->paused;
	v->conf = c;
	v->slots = svc_rotation(s);
	count_slots(s, slots);
	for (const struct ep *e = s->first; e; e = e->next)
		n += e->member != EP_GONE;
	v->endpoint = calloc(n + 1, sizeof(*v->endpoint));
	if (!v->endpoint)
		return false;
	for (const struct ep *e = s->first; e; e = e->next) {
		if (e->member == EP_GONE)
			continue;
		fill_endpoint(&v->endpoint[v->endpoints++], e, slots[e->id], now);
		v->available += e->state == EPS_UP;
		v->total += e->member == EP_PRESENT;
	}
	v->state = state_of(v);
	return true;
}

static void fill_ports(struct view_service *v, const struct model *m)
{
	for (size_t i = 0; i < v->endpoints; i++)
		v->endpoint[i].port_percent = ep_port_percent(m, ep_by_id(m, v->endpoint[i].id));
}

struct view *view_build(const struct model *m, mono_t now)
{
	struct view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->now = now;
	v->targets = m->targets;
	v->voids = m->voids;
	if (!m->conf)
		return v;
	v->conf = conf_share(m->conf);
	v->service = calloc(m->services + 1, sizeof(*v->service));
	if (!v->service)
		goto fail;
	for (size_t i = 0; i < m->services; i++) {
		/* only the memo of the rotation may change, see svc_rotation() */
		struct svc *s = (struct svc *)(uintptr_t)&m->svc[m->order[i]];

		v->services++;
		if (!fill_service(&v->service[i], s, &v->conf->service[i], now))
			goto fail;
		fill_ports(&v->service[i], m);
	}
	return v;
fail:
	view_free(v);
	return NULL;
}

void view_free(struct view *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->services; i++)
		free(v->service[i].endpoint);
	free(v->service);
	conf_free(v->conf);
	free(v);
}

const struct view_service *view_service_find(const struct view *v, const char *name)
{
	for (size_t i = 0; i < v->services; i++) {
		if (!strcmp(v->service[i].name, name))
			return &v->service[i];
	}
	return NULL;
}

const struct view_endpoint *view_endpoint_find(const struct view_service *s, const struct addr *a)
{
	for (size_t i = 0; i < s->endpoints; i++) {
		if (addr_equal(&s->endpoint[i].addr, a))
			return &s->endpoint[i];
	}
	return NULL;
}

const char *view_health_text(const struct view_endpoint *e, char *buf, size_t len)
{
	uint32_t passed = e->h < e->rise ? e->h : e->rise;

	if (e->health == HEALTH_UP && e->h < e->h_max)
		snprintf(buf, len, "%u/%u-%u", passed, e->rise, e->h_max - e->h);
	else
		snprintf(buf, len, "%u/%u", passed, e->rise);
	return buf;
}

const char *ep_health_name(enum health_state h)
{
	static const char *const name[] = {
		[HEALTH_INIT] = "init", [HEALTH_UP] = "up", [HEALTH_DOWN] = "down"
	};

	return (size_t)h < sizeof(name) / sizeof(name[0]) ? name[h] : "?";
}
