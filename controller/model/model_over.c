/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_over.c - owns the operator's overrides: one row per endpoint (or service) that somebody
 * has changed with rrctl, sorted by service name and address. They outlive reloads, and through
 * export and import restarts. While its service is configured, a row lives as long as the service
 * has the endpoint, or the operator has added it. Rows of a service that is not configured wait for
 * it: a file that has lost it for a moment takes no maintenance back. Only a reload that asks for
 * it drops them.
 */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "model/model_int.h"

static int row_cmp(const struct model_saved *o, const char *service, const struct addr *a)
{
	int c = strcmp(o->service, service);

	return c ? c : addr_cmp(&o->endpoint, a);
}

/* First row that is not before the key. */
static size_t row_at(const struct model *m, const char *service, const struct addr *a)
{
	size_t lo = 0, hi = m->overs;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (row_cmp(&m->over[mid], service, a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct model_saved *over_find(const struct model *m, const char *service, const struct addr *a)
{
	size_t i = row_at(m, service, a);

	return i < m->overs && !row_cmp(&m->over[i], service, a) ? &m->over[i] : NULL;
}

const struct model_saved *over_rows(const struct model *m, const char *service, size_t *n)
{
	const struct addr none = { 0 };
	size_t from = row_at(m, service, &none), to = from;

	while (to < m->overs && !strcmp(m->over[to].service, service))
		to++;
	*n = to - from;
	return m->over + from;
}

struct model_saved *over_get(struct model *m, const char *service, const struct addr *a)
{
	size_t i = row_at(m, service, a), cap = m->over_cap;
	struct model_saved *o;

	if (i < m->overs && !row_cmp(&m->over[i], service, a))
		return &m->over[i];
	if (m->overs == cap) {
		cap = cap ? cap * 2 : 16;
		o = realloc(m->over, cap * sizeof(*o));
		if (!o)
			return NULL;
		m->over = o;
		m->over_cap = cap;
	}
	o = &m->over[i];
	memmove(o + 1, o, (m->overs - i) * sizeof(*o));
	m->overs++;
	memset(o, 0, sizeof(*o));
	snprintf(o->service, sizeof(o->service), "%s", service);
	o->endpoint = *a;
	return o;
}

static int over_sort(const void *a, const void *b)
{
	const struct model_saved *x = a, *y = b;

	return row_cmp(x, y->service, &y->endpoint);
}

void over_rename(struct model *m, const char *from, const char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < m->overs; i++) {
		struct model_saved *o = &m->over[i];

		if (!strcmp(o->service, to))
			continue; /* waited for a service of this name; it has come under another */
		if (!strcmp(o->service, from))
			snprintf(o->service, sizeof(o->service), "%s", to);
		m->over[n++] = *o;
	}
	m->overs = n;
	if (m->overs)
		qsort(m->over, m->overs, sizeof(*m->over), over_sort);
}

bool over_empty(const struct model_saved *o)
{
	return !o->admin_set && !o->added && !o->deleted && !o->weight && !o->paused &&
	       !o->was_up && !o->leaving && !o->drain_until.us;
}

static bool over_keep(const struct model *m, struct model_saved *o)
{
	const struct conf_service *c = conf_service_find(m->conf, o->service);

	if (over_empty(o))
		return false;
	if (!c || !o->endpoint.family)
		return true;
	if (!want_in_file(c, &o->endpoint))
		return o->added || o->leaving;
	o->leaving = o->leaving && o->deleted;
	o->added = false; /* the file has caught up with the operator */
	return true;
}

void over_purge(struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->overs; i++) {
		if (over_keep(m, &m->over[i]))
			m->over[n++] = m->over[i];
	}
	m->overs = n;
}

void over_started(struct model *m)
{
	for (size_t i = 0; i < m->overs; i++) {
		struct model_saved *o = &m->over[i];

		o->was_up = o->leaving = false;
		if (!o->admin_set)
			o->drain_until = MONO_US(0);
	}
	over_purge(m);
}
