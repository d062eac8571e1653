/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_events.c - what has happened, for `rrctl events`: the ring's part that was asked for,
 * and whoever follows gets the rest as it comes.
 */
#include <stdio.h>

#include "serve/events.h"
#include "serve/json.h"
#include "serve/target.h"
#include "serve/wait.h"

#define FOLLOW_BACKLOG 10

/* Place of the oldest that is kept: as many have been overwritten. */
static uint64_t oldest(const struct control *ctl)
{
	return ctl->ring_next > MODEL_EVENTS ? ctl->ring_next - MODEL_EVENTS : 0;
}

/*
 * Place in the ring of the first event to show: no older than `since`, and at most `limit` of the
 * service's.
 */
static uint64_t first_event(const struct call *c, const char *service, int64_t limit,
			    int64_t since_ms)
{
	const struct control *ctl = c->ctl;
	uint64_t i = ctl->ring_next;
	const struct model_event *ev;

	while (i > oldest(ctl) && limit > 0) {
		ev = &ctl->ring[(i - 1) % MODEL_EVENTS];
		if (since_ms >= 0 && mono_sub(c->now, ev->at).us > since_ms * 1000)
			break;
		limit -= event_wanted(ev, service);
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
		if (event_wanted(ev, service))
			json_array_append_new(list, event_json(ev, c->now));
	}
	return list;
}

static enum api_code follow(struct call *c, json_t *backlog, const char *service)
{
	json_t *ev;
	size_t i;

	session_wait(c, WAIT_EVENTS, MONO_NEVER);
	snprintf(c->session->service, sizeof(c->session->service), "%s", service ? service : "");
	json_array_foreach(backlog, i, ev) session_reply(c->session, API_OK, "", ev, true);
	json_decref(backlog);
	return CALL_LATER;
}

enum api_code verb_events(struct call *c)
{
	const char *service = api_get_str(c->args, "service");
	int64_t since = api_get_int(c->args, "since", -1);
	bool following = api_get_flag(c->args, "follow");
	struct target t;
	int64_t limit;
	json_t *list;

	if (service && target_service(c, service, &t))
		return API_NO_SUCH;
	limit = api_get_int(c->args, "limit",
			    following && since < 0 ? FOLLOW_BACKLOG : MODEL_EVENTS);
	list = collect(c, first_event(c, service, limit, since), service);
	if (following)
		return follow(c, list, service);
	c->data = json_object();
	json_object_set_new(c->data, "events", list);
	put_int(c->data, "lost", (int64_t)oldest(c->ctl)); /* no longer kept, since the start */
	return API_OK;
}
