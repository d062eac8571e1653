/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_listener.c - owns the ids of listeners: what clients connect to.
 *
 * A flow keeps what it was opened with: its key names the listener, and its replies leave from the
 * listener's address. So a service that moves to another address gets another listener, and the old
 * one stays, unreachable for new connections, while a flow may be left of it. Only walks over the
 * flow table can tell: such a flow may live as long as its two ends like, and nobody ends it. Two
 * walks a while apart that find none free the id, as with an endpoint's. The listeners of a service
 * that is gone are free with it: its flows were killed and its endpoints' ids have rested.
 *
 * A walk counts from the first plan without the listener's row on (lsn.listed): until then
 * connections may come. An id is given again as late as possible, and the same address gets the
 * same id back while it still has one.
 */
#include <string.h>

#include "model/model_int.h"

struct lsn *svc_listener(const struct svc *s, const struct addr *a)
{
	for (struct lsn *l = s->listener; l; l = l->next) {
		if (addr_equal(&l->addr, a))
			return l;
	}
	return NULL;
}

static bool lsn_free(const struct lsn *l)
{
	return !l->svc && !l->listed;
}

size_t listeners_free(const struct model *m)
{
	size_t n = 0;

	for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++)
		n += lsn_free(&m->listener[i]);
	return n;
}

size_t svc_listen_needs(const struct svc *s, const struct addr *a, size_t n)
{
	size_t need = 0;

	for (size_t i = 0; i < n; i++)
		need += !svc_listener(s, &a[i]);
	return need;
}

void lsn_link(struct model *m, uint32_t id, struct svc *s, const struct addr *a)
{
	struct lsn *l = &m->listener[id];

	memset(l, 0, sizeof(*l));
	l->svc = s;
	l->addr = *a;
	l->next = s->listener;
	s->listener = l;
}

static struct lsn *lsn_new(struct model *m, struct svc *s, const struct addr *a)
{
	for (uint32_t k = 0; k < RR_MAX_LISTENERS; k++) {
		uint32_t id = m->listener_cursor;

		m->listener_cursor = (id + 1) % RR_MAX_LISTENERS;
		if (!lsn_free(&m->listener[id]))
			continue;
		lsn_link(m, id, s, a);
		return &m->listener[id];
	}
	return NULL;
}

/* `listed` survives: packets may find the row until a plan without it is in force. */
static void lsn_drop(struct model *m, struct lsn *l)
{
	bool listed = l->listed;

	memset(l, 0, sizeof(*l));
	l->listed = listed;
	m->dirty = true;
}

static void lsn_set(struct model *m, struct lsn *l, bool active)
{
	if (l->active == active)
		return;
	l->active = active;
	l->clean_set = false;
	m->dirty = true;
}

void svc_listen(struct model *m, struct svc *s, const struct addr *a, size_t n)
{
	for (struct lsn *l = s->listener; l; l = l->next) {
		bool wanted = false;

		for (size_t i = 0; i < n; i++)
			wanted |= addr_equal(&l->addr, &a[i]);
		lsn_set(m, l, wanted);
	}
	for (size_t i = 0; i < n; i++) {
		struct lsn *l = svc_listener(s, &a[i]) ?: lsn_new(m, s, &a[i]);

		if (l)
			lsn_set(m, l, true);
	}
}

void svc_listeners_drop(struct model *m, struct svc *s)
{
	while (s->listener) {
		struct lsn *l = s->listener;

		s->listener = l->next;
		lsn_drop(m, l);
	}
}

void listeners_planned(struct model *m)
{
	for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++)
		m->listener[i].listed = m->listener[i].active;
}

/* A listener that takes no new connections, after a walk. true = no flow can be left of it. */
static bool lsn_clean(struct lsn *l, uint32_t flows, mono_t now)
{
	if (flows || l->listed) {
		l->clean_set = false;
		return false;
	}
	if (!l->clean_set) {
		l->clean_set = true;
		l->clean = now;
	}
	return mono_cmp(mono_sub(now, l->clean), MONO_S(DRAIN_QUIET_S)) >= 0;
}

void model_listener_flows(struct model *m, const uint32_t *flows, size_t n, mono_t now)
{
	for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++) {
		struct lsn *l = &m->listener[i];
		struct lsn **p;

		if (!l->svc || l->active || !l->svc->conf)
			continue;
		if (!lsn_clean(l, i < n ? flows[i] : 0, now))
			continue;
		for (p = &l->svc->listener; *p != l;)
			p = &(*p)->next;
		*p = l->next;
		lsn_drop(m, l);
	}
}
