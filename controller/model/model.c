/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model.c - owns the model's memory and answers the questions that all other parts of it ask first:
 * who has this name, this address, this id. And those of the daemon that only list: endpoints,
 * flows to kill, ids given to something new. Nothing here decides.
 */
#include "model/model_int.h"

#include <stdlib.h>
#include <string.h>

struct model *model_new(void)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->hz = 250;
	m->restless = true;
	m->due = (struct heap){
		.size = RR_MAX_ENDPOINTS,
		.id = m->due_id,
		.place = m->due_place,
		.at = m->due_at,
	};
	m->ep_end = 1;
	m->ep_cursor = 1;
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++)
		m->svc[i].id = i;
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	conf_free(m->conf);
	free(m->over);
	free(m);
}

void model_set_hz(struct model *m, uint32_t hz)
{
	if (m->hz == hz)
		return;
	m->hz = hz;
	m->dirty = true;
}

struct svc *svc_find(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->services; i++) {
		const struct svc *s = &m->svc[m->order[i]];

		if (!strcmp(s->name, name))
			return (struct svc *)(uintptr_t)s;
	}
	return NULL;
}

struct ep *ep_find(const struct svc *s, const struct addr *a)
{
	for (struct ep *e = s->first; e; e = e->next) {
		if (addr_equal(&e->addr, a))
			return e;
	}
	return NULL;
}

static struct ep *find_between(const struct ep *from, const struct ep *end, const struct addr *a)
{
	for (const struct ep *e = from; e && e != end; e = e->next) {
		if (addr_equal(&e->addr, a))
			return (struct ep *)(uintptr_t)e;
	}
	return NULL;
}

struct ep *ep_find_near(const struct svc *s, const struct addr *a, const struct ep **hint)
{
	struct ep *e = find_between(*hint, NULL, a);

	if (!e)
		e = find_between(s->first, *hint, a);
	if (e)
		*hint = e->next;
	return e;
}

struct ep *ep_by_id(const struct model *m, uint32_t id)
{
	if (!id || id >= m->ep_end || !m->ep[id].id)
		return NULL;
	return (struct ep *)(uintptr_t)&m->ep[id];
}

bool ep_checked(const struct ep *e)
{
	return e->member == EP_PRESENT && e->svc->conf && e->svc->conf->health.type != PROBE_NONE &&
	       (e->admin != EP_MAINT || e->check_now);
}

/* ---- questions of the daemon ---- */

size_t model_endpoints(const struct model *m, uint32_t *id, struct addr *addr, size_t max)
{
	size_t n = 0;

	for (uint32_t i = 1; i < m->ep_end && n < max; i++) {
		if (!m->ep[i].id || m->ep[i].member == EP_GONE)
			continue;
		id[n] = i;
		addr[n++] = m->ep[i].addr;
	}
	return n;
}

size_t model_kills(struct model *m, uint32_t *endpoint, size_t max)
{
	size_t n = 0;

	if (!m->killing)
		return 0;
	for (uint32_t i = 1; i < m->ep_end && n < max; i++) {
		if (!m->ep[i].id || !m->ep[i].kill)
			continue;
		m->ep[i].kill = false;
		endpoint[n++] = i;
	}
	m->killing = n == max;
	return n;
}

static size_t fresh_services(struct model *m, uint32_t *id, size_t max)
{
	size_t n = 0;

	for (uint32_t i = 0; i < RR_MAX_SERVICES && n < max; i++) {
		if (!m->svc[i].fresh)
			continue;
		m->svc[i].fresh = false;
		id[n++] = i;
	}
	return n;
}

static size_t fresh_endpoints(struct model *m, uint32_t *id, size_t max)
{
	size_t n = 0;

	for (uint32_t i = 1; i < m->ep_end && n < max; i++) {
		if (!m->ep[i].fresh)
			continue;
		m->ep[i].fresh = false;
		id[n++] = i;
	}
	return n;
}

size_t model_fresh(struct model *m, enum model_fresh kind, uint32_t *id, size_t max)
{
	return kind == FRESH_SERVICE ? fresh_services(m, id, max) : fresh_endpoints(m, id, max);
}

bool model_dirty(const struct model *m)
{
	return m->dirty;
}
