/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_event.c - owns the ring of events: what happened, oldest first, until the daemon takes
 * it. When nobody takes any the oldest are overwritten, and the numbers of those that are taken
 * show the gap.
 *
 * What befalls a thousand endpoints at once would drive everything else out of the ring and the
 * log. So of the events of one kind and service that nobody has taken yet, the first EVENT_SINGLE
 * are there, and one more that counts the others.
 */
#include <stdio.h>
#include <string.h>

#include "model/model_int.h"

static struct model_event *event_new(struct model *m, mono_t now)
{
	struct model_event *ev = &m->event[m->event_seq % MODEL_EVENTS];

	memset(ev, 0, sizeof(*ev));
	ev->seq = m->event_seq++;
	if (m->event_seq - m->event_taken > MODEL_EVENTS)
		m->event_taken = m->event_seq - MODEL_EVENTS;
	ev->at = now;
	m->restless = true;
	return ev;
}

static void note_init(struct model_event *ev, const struct svc *s, enum event_kind kind,
		      enum reason why)
{
	ev->kind = kind;
	ev->reason = why;
	ev->uid = EVENT_NOBODY;
	if (s)
		snprintf(ev->service, sizeof(ev->service), "%s", s->name);
}

struct model_event *note_svc(struct model *m, const struct svc *s, enum event_kind kind,
			     enum reason why, mono_t now)
{
	struct model_event *ev = event_new(m, now);

	note_init(ev, s, kind, why);
	return ev;
}

/* One more of this kind: true when it is to be counted only. */
static bool mass_count(struct model *m, const struct svc *s, enum event_kind kind, mono_t now)
{
	struct model_event *ev;

	if (m->mass[kind].svc != s || m->mass[kind].first < m->event_taken) {
		m->mass[kind].svc = s;
		m->mass[kind].first = m->event_seq;
		m->mass[kind].n = 0;
	}
	if (++m->mass[kind].n <= EVENT_SINGLE)
		return false;
	if (m->mass[kind].n == EVENT_SINGLE + 1) {
		m->mass[kind].more = m->event_seq;
		ev = note_svc(m, s, EVENT_MORE, REASON_NONE, now);
		snprintf(ev->text, sizeof(ev->text), "%s", event_word(kind));
	}
	m->event[m->mass[kind].more % MODEL_EVENTS].n++;
	return true;
}

struct model_event *note_ep(struct model *m, const struct ep *e, enum event_kind kind,
			    enum reason why, mono_t now)
{
	bool counted = mass_count(m, e->svc, kind, now);
	struct model_event *ev = counted ? &m->spare : event_new(m, now);

	m->restless = true;
	note_init(ev, e->svc, kind, why);
	ev->endpoint = e->addr;
	return ev;
}

void model_event_note(struct model *m, const struct model_event *ev, mono_t now)
{
	struct model_event *to = event_new(m, now);
	uint64_t seq = to->seq;

	*to = *ev;
	to->seq = seq;
	to->at = now;
}

bool model_event_take(struct model *m, struct model_event *ev)
{
	if (m->event_taken == m->event_seq)
		return false;
	*ev = m->event[m->event_taken++ % MODEL_EVENTS];
	return true;
}
