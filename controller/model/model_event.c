/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_event.c - owns the ring of events: what happened, oldest first, until the daemon takes
 * it. When nobody takes any the oldest are overwritten, and the numbers of those that are taken
 * show the gap.
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
	return ev;
}

struct model_event *note_svc(struct model *m, const struct svc *s, enum event_kind kind,
			     enum reason why, mono_t now)
{
	struct model_event *ev = event_new(m, now);

	ev->kind = kind;
	ev->reason = why;
	ev->uid = EVENT_NOBODY;
	if (s)
		snprintf(ev->service, sizeof(ev->service), "%s", s->name);
	return ev;
}

struct model_event *note_ep(struct model *m, const struct ep *e, enum event_kind kind,
			    enum reason why, mono_t now)
{
	struct model_event *ev = note_svc(m, e->svc, kind, why, now);

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
