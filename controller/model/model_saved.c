/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_saved.c - what outlives the process: the operator's rows and which endpoints were up, out
 * of the model for the state file and back into it.
 *
 * Rows may come before the configuration or after it. They are asked for nothing here: a row of an
 * endpoint that its service does not have goes with the next purge, an added endpoint that does not
 * fit its service is left out by want_build().
 *
 * What an endpoint is doing stands in its row only on the way out and in (who is up, who is
 * leaving, when a drain ends): the endpoint itself knows it while the process lives.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_int.h"

void model_import(struct model *m, const struct model_saved *rows, size_t n, mono_t now)
{
	m->restless = true;
	for (size_t i = 0; i < n; i++) {
		struct model_saved *o;

		if (over_empty(&rows[i]))
			continue;
		o = over_get(m, rows[i].service, &rows[i].endpoint);
		if (o)
			*o = rows[i];
	}
	if (!m->conf)
		return;
	over_purge(m);
	for (size_t i = 0; i < m->services; i++)
		svc_reconcile(m, &m->svc[m->order[i]], EVENT_NOBODY, now);
	over_started(m);
}

static struct model_saved *export_row(struct model_saved *to, const struct model *m,
				      const struct svc *s, const struct addr *a)
{
	const struct model_saved *o = over_find(m, s->name, a);

	memset(to, 0, sizeof(*to));
	if (o)
		*to = *o;
	snprintf(to->service, sizeof(to->service), "%s", s->name);
	to->endpoint = *a;
	to->was_up = to->leaving = false;
	to->drain_until = MONO_US(0);
	return to;
}

static void export_ep(struct model_saved *to, const struct model *m, const struct ep *e)
{
	export_row(to, m, e->svc, &e->addr);
	to->was_up = e->member == EP_PRESENT && e->health.state == HEALTH_UP;
	to->leaving = e->member == EP_LEAVING;
	if (e->drain.state != DRAIN_OFF && !mono_is_never(e->drain.until))
		to->drain_until = e->drain.until;
}

/* Then it has a row already, which says so. */
static bool deleted(const struct model *m, const struct svc *s, const struct addr *a)
{
	const struct model_saved *o = over_find(m, s->name, a);

	return o && o->deleted;
}

static size_t export_svc(const struct model *m, const struct svc *s, struct model_saved *row)
{
	const struct addr none = { 0 };
	size_t n = 0;

	if (s->paused)
		export_row(&row[n++], m, s, &none)->paused = true;
	for (const struct ep *e = s->first; e; e = e->next) {
		if (e->member == EP_PRESENT ||
		    (e->member == EP_LEAVING && !deleted(m, s, &e->addr)))
			export_ep(&row[n++], m, e);
	}
	return n;
}

/* Rows of what is not there: deleted endpoints, and whatever waits for its service. */
static size_t export_absent(const struct model *m, struct model_saved *row)
{
	size_t n = 0;

	for (size_t i = 0; i < m->overs; i++) {
		const struct svc *s = svc_find(m, m->over[i].service);
		const struct ep *e = s ? ep_find(s, &m->over[i].endpoint) : NULL;

		if (s && !m->over[i].deleted)
			continue;
		row[n] = m->over[i];
		if (e && e->member == EP_LEAVING)
			export_ep(&row[n], m, e);
		n++;
	}
	return n;
}

int model_export(const struct model *m, struct model_saved **rows, size_t *n)
{
	size_t max = m->services + m->overs + m->ep_end;

	*n = 0;
	*rows = calloc(max, sizeof(**rows));
	if (!*rows)
		return -ENOMEM;
	for (size_t i = 0; i < m->services; i++)
		*n += export_svc(m, &m->svc[m->order[i]], *rows + *n);
	*n += export_absent(m, *rows + *n);
	return 0;
}
