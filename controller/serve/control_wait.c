/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_wait.c - answers that take their time: drain --wait, endpoint check, events --follow.
 *
 * A waiting session is looked at after every turn and every POLL while there is one; what it waits
 * for is read from a fresh view, so that a waiter holds no pointer into the model and survives
 * reloads. A drain tells its progress whenever the number of established flows has changed.
 */
#include <stdlib.h>
#include <string.h>

#include "collect/sweep.h"
#include "serve/call.h"
#include "serve/json.h"
#include "sys/loop.h"

#define POLL MONO_MS(200)

void session_reply(struct session *s, enum api_code code, const char *error, json_t *data,
		   bool more)
{
	char *line = code ? api_error_format(code, error, data) : api_reply_format(data, more);

	if (!line) /* no memory: an answer that cannot be said ends the connection */
		unix_client_close(s->client);
	else
		unix_client_send(s->client, line, strlen(line));
	free(line);
}

static void arm(struct control *ctl)
{
	if (!loop_timer_armed(ctl->timer))
		loop_timer_at(ctl->timer, mono_add(loop_clock(), POLL));
}

void session_wait(struct call *c, enum wait_kind kind, const struct target *t, mono_t until)
{
	struct session *s = c->session;

	s->wait = kind;
	s->since = c->now;
	s->until = until;
	memset(s->service, 0, sizeof(s->service));
	if (t) {
		memcpy(s->service, t->service->name, sizeof(s->service));
		s->endpoint = t->endpoint->addr;
		s->probes = t->endpoint->probes_ok + t->endpoint->probes_failed;
		s->probes_ok = t->endpoint->probes_ok;
		s->established = UINT32_MAX;
	}
	unix_client_busy(s->client, true);
	if (kind != WAIT_EVENTS)
		arm(c->ctl);
}

static void finish(struct session *s, enum api_code code, const char *error, json_t *data)
{
	session_reply(s, code, error, data, false);
	s->wait = WAIT_NONE;
	unix_client_busy(s->client, false);
}

/* By the counters, which are read once a second and with every request: sooner than the walk
 * knows. */
static uint32_t active(const struct control *ctl, const struct view_endpoint *e)
{
	return e ? (uint32_t)active_endpoint(ctl->d, e->id) : 0;
}

static json_t *drain_json(const struct control *ctl, const struct session *s, const struct view *v,
			  const struct view_endpoint *e)
{
	json_t *o = json_object();
	char addr[ADDR_STRLEN];

	put_str(o, "service", s->service);
	put_str(o, "endpoint", addr_print(&s->endpoint, addr, sizeof(addr)));
	put_str(o, "state", e ? ep_state_name(e->state) : ep_state_name(EPS_GONE));
	put_int(o, "established", active(ctl, e));
	put_int(o, "waited_ms", mono_sub(v->now, s->since).us / 1000);
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

static void poll_drain(struct control *ctl, struct session *s, const struct view *v,
		       const struct view_endpoint *e)
{
	json_t *data = drain_json(ctl, s, v, e);
	bool late = mono_cmp(v->now, s->until) >= 0;

	if (active(ctl, e) && (late || s->established == UINT32_MAX))
		put_oldest(data, ctl->d, e);
	if (!e || e->state == EPS_GONE || e->state == EPS_DRAINED)
		finish(s, API_OK, "", data);
	else if (e->state == EPS_MAINT && !active(ctl, e))
		finish(s, API_OK, "", data);
	else if (e->admin == EP_READY && e->member == EP_PRESENT)
		finish(s, API_FAILED, "no longer draining: somebody made it ready", data);
	else if (late)
		finish(s, API_TIMEOUT, "still has established connections", data);
	else if (active(ctl, e) != s->established)
		session_reply(s, API_OK, "", data, true);
	s->established = active(ctl, e);
	json_decref(data);
}

static json_t *check_json(const struct session *s, const struct view *v,
			  const struct view_endpoint *e)
{
	json_t *o = json_object();
	char addr[ADDR_STRLEN];
	bool ok = e->probes_ok > s->probes_ok;

	put_str(o, "service", s->service);
	put_str(o, "endpoint", addr_print(&s->endpoint, addr, sizeof(addr)));
	put_str(o, "result", ok ? "pass" : "fail");
	put_str(o, "state", ep_state_name(e->state));
	put_health(o, e);
	put_reason(o, e);
	put_probe(o, v, e);
	return o;
}

static void poll_check(struct session *s, const struct view *v, const struct view_endpoint *e)
{
	json_t *data;

	if (!e) {
		finish(s, API_NO_SUCH, "the endpoint has been removed", NULL);
	} else if (e->probes_ok + e->probes_failed != s->probes) {
		data = check_json(s, v, e);
		if (e->probes_ok > s->probes_ok)
			finish(s, API_OK, "", data);
		else
			finish(s, API_FAILED, "the probe failed", data);
		json_decref(data);
	} else if (mono_cmp(v->now, s->until) >= 0) {
		finish(s, API_TIMEOUT, "no probe has ended", NULL);
	}
}

static void poll_one(struct control *ctl, struct session *s, const struct view *v)
{
	const struct view_service *svc = view_service_find(v, s->service);
	const struct view_endpoint *e = svc ? view_endpoint_find(svc, &s->endpoint) : NULL;

	if (s->wait == WAIT_DRAIN)
		poll_drain(ctl, s, v, e);
	else
		poll_check(s, v, e);
}

static bool waiting(const struct session *s)
{
	return s->wait == WAIT_DRAIN || s->wait == WAIT_CHECK;
}

void session_poll(struct control *ctl)
{
	struct view *v = NULL;
	struct session *s;
	bool left = false;

	TAILQ_FOREACH(s, &ctl->sessions, link) {
		if (!waiting(s))
			continue;
		if (!v)
			v = view_build(ctl->d->model, daemon_now(ctl->d));
		if (v)
			poll_one(ctl, s, v);
		left |= waiting(s);
	}
	view_free(v);
	if (left)
		arm(ctl);
}
