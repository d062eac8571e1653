/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wait.c - answers that take their time: drain --wait, endpoint check, events --follow.
 *
 * A waiting session is looked at in every turn, and a timer ends the loop's sleep every POLL
 * while there is one. What it waits for is read from the turn's snapshot by name, so that a
 * waiter holds nothing and survives reloads. A drain tells its progress whenever the number of
 * established flows has changed.
 */
#include <stdlib.h>
#include <string.h>

#include "collect/sweep.h"
#include "serve/json.h"
#include "serve/wait.h"
#include "sys/loop.h"

#define POLL MONO_MS(200)

static void arm(struct control *ctl)
{
	if (!loop_timer_armed(ctl->timer))
		loop_timer_at(ctl->timer, mono_add(loop_clock(), POLL));
}

void session_wait(struct call *c, enum wait_kind kind, mono_t until)
{
	struct session *s = c->session;

	if (!s->client)
		return;
	s->wait = kind;
	s->since = c->now;
	s->until = until;
	s->established = UINT32_MAX;
	unix_client_busy(s->client, UNIX_BUSY);
	if (kind != WAIT_EVENTS)
		arm(c->ctl);
}

static void finish(struct session *s, enum api_code code, const char *error, json_t *data)
{
	session_reply(s, code, error, data, false);
	s->wait = WAIT_NONE;
	unix_client_busy(s->client, UNIX_FREE);
}

/*
 * By the counters, which are read once a second and with every request: sooner than the walk
 * knows.
 */
static uint32_t active(const struct snapshot *snap, const struct view_endpoint *e)
{
	return e ? (uint32_t)snapshot_endpoint(snap, e)->active : 0;
}

static json_t *drain_json(const struct session *s, const struct snapshot *snap,
			  const struct view_endpoint *e)
{
	json_t *o = json_object();
	char addr[ADDR_STRLEN];

	put_str(o, "service", s->service);
	put_str(o, "endpoint", addr_print(&s->endpoint, addr, sizeof(addr)));
	put_str(o, "state", e ? ep_state_name(e->state) : ep_state_name(EPS_GONE));
	put_int(o, "established", active(snap, e));
	put_int(o, "waited_ms", mono_sub(snap->now, s->since).us / 1000);
	put_warning(o, snap);
	return o;
}

static bool older(const struct flow_info *fi, void *arg)
{
	int64_t *oldest = arg;

	if (fi->state == RR_FLOW_EST && fi->age_ms > *oldest)
		*oldest = fi->age_ms;
	return true;
}

/* A walk over the flow table: for the first and the last line only. */
static void put_oldest(json_t *o, struct daemon *d, const struct view_endpoint *e)
{
	struct flow_filter f = { .service = UINT32_MAX, .endpoint = e->id, .state = -1 };
	int64_t oldest = 0;

	sweep_flows(d, &f, older, &oldest);
	put_int(o, "oldest_ms", oldest);
}

static void poll_drain(struct control *ctl, struct session *s, const struct snapshot *snap,
		       const struct view_endpoint *e)
{
	json_t *data = drain_json(s, snap, e);
	bool late = mono_cmp(snap->now, s->until) >= 0;

	if (active(snap, e) && (late || s->established == UINT32_MAX))
		put_oldest(data, ctl->d, e);
	if (!e || e->state == EPS_GONE || e->state == EPS_DRAINED)
		finish(s, API_OK, "", data);
	else if (e->state == EPS_MAINT && !active(snap, e))
		finish(s, API_OK, "", data);
	else if (e->admin == EP_READY && e->member == EP_PRESENT)
		finish(s, API_FAILED, "no longer draining: somebody made it ready", data);
	else if (late)
		finish(s, API_TIMEOUT, "still has established connections", data);
	else if (active(snap, e) != s->established)
		session_reply(s, API_OK, "", data, true);
	s->established = active(snap, e);
	json_decref(data);
}

/* The endpoint's reason and phases stand for its health; here those of the one probe are meant. */
static struct view_endpoint only_last(const struct view_endpoint *e)
{
	struct view_endpoint own = *e;

	own.reason = e->last.why;
	own.err = e->last.err;
	memcpy(own.text, e->last.text, sizeof(own.text));
	own.probe_took = e->last.took;
	own.probe_connect = e->last.connect;
	own.probe_tls = e->last.tls;
	return own;
}

static json_t *check_json(const struct session *s, const struct snapshot *snap,
			  const struct view_endpoint *e)
{
	const struct view_endpoint own = only_last(e);
	json_t *o = json_object();
	char addr[ADDR_STRLEN];

	put_str(o, "service", s->service);
	put_str(o, "endpoint", addr_print(&s->endpoint, addr, sizeof(addr)));
	put_str(o, "result", e->last.ok ? "pass" : e->local_since.us ? "error" : "fail");
	put_str(o, "state", ep_state_name(e->state));
	put_health(o, e);
	put_reason(o, &own);
	put_probe(o, snap->now, &own);
	return o;
}

static void poll_check(struct session *s, const struct snapshot *snap,
		       const struct view_endpoint *e)
{
	json_t *data;

	if (!e) {
		finish(s, API_NO_SUCH, "the endpoint has been removed", NULL);
	} else if (e->last_seq >= s->probe) {
		data = check_json(s, snap, e);
		if (e->last.ok)
			finish(s, API_OK, "", data);
		else
			finish(s, API_FAILED,
			       e->local_since.us ? "the probe could not be sent from here"
						 : "the probe failed",
			       data);
		json_decref(data);
	} else if (mono_cmp(snap->now, s->until) >= 0) {
		finish(s, API_TIMEOUT, "no probe has ended", NULL);
	}
}

static void poll_one(struct control *ctl, struct session *s, const struct snapshot *snap)
{
	const struct view_service *svc = view_service_find(snap->view, s->service);
	const struct view_endpoint *e = svc ? view_endpoint_find(svc, &s->endpoint) : NULL;

	if (s->wait == WAIT_DRAIN)
		poll_drain(ctl, s, snap, e);
	else
		poll_check(s, snap, e);
}

static bool waiting(const struct session *s)
{
	return s->wait == WAIT_DRAIN || s->wait == WAIT_CHECK;
}

void session_poll(struct control *ctl)
{
	struct snapshot *snap = NULL;
	struct session *s;
	bool left = false;

	TAILQ_FOREACH(s, &ctl->sessions, link) {
		if (!waiting(s))
			continue;
		if (!snap)
			snap = snapshot_get(ctl->d);
		if (snap)
			poll_one(ctl, s, snap);
		left |= waiting(s);
	}
	snapshot_put(snap);
	if (left)
		arm(ctl);
}
