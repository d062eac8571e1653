/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * events.c - events on their way out of the model: to the log, into the ring, to who follows.
 *
 * Events leave the model here and nowhere else. The newest MODEL_EVENTS are kept in a ring. A gap
 * in their numbers, events that were overwritten before the turn came for them, becomes an event of
 * its own, so that whoever reads or follows sees that something is missing. The model knows
 * monotonic time only; the time of day is worked out when an event is shown.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/daemon.h"
#include "serve/control.h"
#include "serve/events.h"
#include "serve/json.h"
#include "util/log.h"

static void put_time(json_t *o, int64_t age_us)
{
	struct timespec ts;
	struct tm tm;
	char day[32], text[48];
	int64_t us;
	time_t s;

	clock_gettime(CLOCK_REALTIME, &ts);
	us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 - age_us;
	s = us / 1000000;
	gmtime_r(&s, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03dZ", day, (int)(us / 1000 % 1000));
	put_str(o, "time", text);
}

/* "" for an event that is about no endpoint. */
static const char *endpoint_text(const struct model_event *ev, char buf[ADDR_STRLEN])
{
	buf[0] = '\0';
	return ev->endpoint.family ? addr_print(&ev->endpoint, buf, ADDR_STRLEN) : buf;
}

json_t *event_json(const struct model_event *ev, mono_t now)
{
	int64_t age = mono_sub(now, ev->at).us;
	char addr[ADDR_STRLEN], text[EVENT_TEXT_MAX];
	json_t *o = json_object();

	put_int(o, "seq", (int64_t)ev->seq);
	put_time(o, age);
	put_int(o, "age_ms", age / 1000);
	put_str(o, "kind", event_word(ev->kind));
	put_str(o, "service", ev->service);
	put_str(o, "endpoint", endpoint_text(ev, addr));
	put_str(o, "reason", reason_name(ev->reason));
	if (ev->uid == EVENT_NOBODY)
		json_object_set_new(o, "uid", json_null());
	else
		put_int(o, "uid", ev->uid);
	put_str(o, "text", event_sentence(ev, text, sizeof(text)));
	return o;
}

/* Texts may quote what a server has sent. */
static void log_event(const struct model_event *ev)
{
	char who[32] = "", addr[ADDR_STRLEN], text[EVENT_TEXT_MAX];

	if (ev->uid != EVENT_NOBODY)
		snprintf(who, sizeof(who), " uid %u:", ev->uid);
	event_sentence(ev, text, sizeof(text));
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	log_info("event %s%s%s%s%s:%s %s", event_word(ev->kind), ev->service[0] ? " " : "",
		 ev->service, ev->endpoint.family ? "/" : "", endpoint_text(ev, addr), who, text);
}

bool event_wanted(const struct model_event *ev, const char *service)
{
	return !service || !*service || !strcmp(service, ev->service);
}

static void feed(struct control *ctl, const struct model_event *ev)
{
	struct session *s;
	json_t *o = NULL;

	TAILQ_FOREACH(s, &ctl->sessions, link) {
		if (s->wait != WAIT_EVENTS || !event_wanted(ev, s->service))
			continue;
		if (!o)
			o = event_json(ev, daemon_now(ctl->d));
		session_reply(s, API_OK, "", o, true);
	}
	json_decref(o);
}

static void tell(struct control *ctl, const struct model_event *ev)
{
	log_event(ev);
	if (!ctl)
		return;
	ctl->ring[ctl->ring_next++ % MODEL_EVENTS] = *ev;
	feed(ctl, ev);
}

/* The gap before `ev` has the number of the last that is missing. */
static void tell_lost(struct daemon *d, const struct model_event *ev)
{
	struct model_event lost = {
		.kind = EVENT_LOST, .uid = EVENT_NOBODY, .seq = ev->seq - 1, .at = ev->at
	};

	lost.n = (uint32_t)(ev->seq - d->events_told);
	tell(d->control, &lost);
}

void control_events(struct daemon *d)
{
	struct model_event ev;

	while (model_event_take(d->model, &ev)) {
		if (ev.seq > d->events_told)
			tell_lost(d, &ev);
		d->events_told = ev.seq + 1;
		tell(d->control, &ev);
	}
}
