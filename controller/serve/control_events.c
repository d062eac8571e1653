/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_events.c - what has happened, for the log, for `rrctl events`, and for who follows.
 *
 * Events leave the model here and nowhere else. The newest MODEL_EVENTS are kept in a ring. The model knows
 * monotonic time only; the time of day is worked out when an event is shown.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "serve/call.h"
#include "serve/control.h"
#include "serve/json.h"
#include "util/log.h"

#define FOLLOW_BACKLOG 10

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

json_t *event_json(const struct control *ctl, const struct model_event *ev)
{
	int64_t age = mono_sub(daemon_now(ctl->d), ev->at).us;
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
	char who[32] = "", addr[ADDR_STRLEN], text[EVENT_TEXT_MAX], *p;

	if (ev->uid != EVENT_NOBODY)
		snprintf(who, sizeof(who), " uid %u:", ev->uid);
	event_sentence(ev, text, sizeof(text));
	for (p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	log_info("event %s%s%s%s%s:%s %s", event_word(ev->kind), ev->service[0] ? " " : "",
		 ev->service, ev->endpoint.family ? "/" : "", endpoint_text(ev, addr), who, text);
}

static bool wanted(const char *service, const struct model_event *ev)
{
	return !service || !*service || !strcmp(service, ev->service);
}

static void feed(struct control *ctl, const struct model_event *ev)
{
	struct session *s;
	json_t *o = NULL;

	TAILQ_FOREACH(s, &ctl->sessions, link) {
		if (s->wait != WAIT_EVENTS || !wanted(s->service, ev))
			continue;
		if (!o)
			o = event_json(ctl, ev);
		session_reply(s, API_OK, "", o, true);
	}
	json_decref(o);
}

void control_events(struct daemon *d)
{
	struct control *ctl = d->control;
	struct model_event ev;

	while (model_event_take(d->model, &ev)) {
		log_event(&ev);
		if (!ctl)
			continue;
		ctl->ring[ctl->ring_next++ % MODEL_EVENTS] = ev;
		feed(ctl, &ev);
	}
	if (!ctl)
		return;
	problems_watch(ctl);
	session_poll(ctl);
}

/* Place in the ring of the first event to show: no older than `since`, and at most `limit` of the service's. */
static uint64_t first_event(const struct call *c, const char *service, int64_t limit,
			    int64_t since_ms)
{
	const struct control *ctl = c->ctl;
	uint64_t oldest = ctl->ring_next > MODEL_EVENTS ? ctl->ring_next - MODEL_EVENTS : 0;
	uint64_t i = ctl->ring_next;
	const struct model_event *ev;

	while (i > oldest && limit > 0) {
		ev = &ctl->ring[(i - 1) % MODEL_EVENTS];
		if (since_ms >= 0 && mono_sub(c->now, ev->at).us > since_ms * 1000)
			break;
		limit -= wanted(service, ev);
		i--;
	}
	return i;
}

static json_t *collect(const struct call *c, uint64_t from, const char *service)
{
	const struct model_event *ev;
	json_t *list = json_array();

	for (; from < c->ctl->ring_next; from++) {
		ev = &c->ctl->ring[from % MODEL_EVENTS];
		if (wanted(service, ev))
			json_array_append_new(list, event_json(c->ctl, ev));
	}
	return list;
}

static enum api_code follow(struct call *c, json_t *backlog, const char *service)
{
	json_t *ev;
	size_t i;

	session_wait(c, WAIT_EVENTS, NULL, MONO_NEVER);
	if (service)
		snprintf(c->session->service, sizeof(c->session->service), "%s", service);
	json_array_foreach(backlog, i, ev) session_reply(c->session, API_OK, "", ev, true);
	json_decref(backlog);
	return CALL_LATER;
}

enum api_code verb_events(struct call *c)
{
	const char *service = api_get_str(c->args, "service");
	int64_t since = api_get_int(c->args, "since", -1);
	bool following = api_get_flag(c->args, "follow");
	const struct view_service *s;
	int64_t limit;
	json_t *list;

	if (service && call_service(c, service, &s))
		return API_NO_SUCH;
	limit = api_get_int(c->args, "limit",
			    following && since < 0 ? FOLLOW_BACKLOG : MODEL_EVENTS);
	list = collect(c, first_event(c, service, limit, since), service);
	if (following)
		return follow(c, list, service);
	c->data = json_object();
	json_object_set_new(c->data, "events", list);
	return API_OK;
}
