/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * call.h - what the control*.c files share: a call (one request being answered), a session (one client), targets.
 *
 * A verb is a function verb_<id>(call) that fills call->data, or call->error and a code. One that answers later
 * (endpoint check, drain --wait, events --follow) returns CALL_LATER after session_wait().
 */
#ifndef SERVE_CALL_H
#define SERVE_CALL_H

#include <sys/queue.h>

#include "api/api_wire.h"
#include "daemon/daemon.h"
#include "sys/unix_server.h"

#define CALL_LATER ((enum api_code) - 1)

enum wait_kind { WAIT_NONE, WAIT_DRAIN, WAIT_CHECK, WAIT_EVENTS };

/* One client, from its first request on. */
struct session {
	TAILQ_ENTRY(session) link;
	struct unix_client *client;
	enum wait_kind wait;
	/* WAIT_DRAIN, WAIT_CHECK: whom for; WAIT_EVENTS: service[0] = only this one */
	char service[CONF_NAME_MAX];
	struct addr endpoint;
	mono_t since, until; /* MONO_NEVER = for ever */
	uint64_t probes; /* WAIT_CHECK: results seen before */
	uint64_t probes_ok;
	uint32_t established; /* WAIT_DRAIN: last told */
};

struct control {
	struct daemon *d;
	struct unix_server *server;
	struct loop_timer *timer; /* runs while somebody waits */
	TAILQ_HEAD(session_list, session) sessions;
	struct model_event *ring; /* MODEL_EVENTS of them, the newest overwrites the oldest */
	uint64_t ring_next; /* events ever kept */
	uint64_t verdict[RR_V_MAX]; /* as last seen, and when that last grew */
	mono_t verdict_at[RR_V_MAX];
	bool verdict_known;
	gid_t operators, readers; /* (gid_t)-1 = no such group */
	uint64_t requests, malformed, denied;
};

struct call {
	struct daemon *d;
	struct control *ctl;
	struct session *session;
	const struct api_verb *verb;
	json_t *args;
	uint32_t uid;
	mono_t now;
	struct view *view; /* made by call_view() */
	json_t *data;
	char error[API_ERROR_MAX];
};

/* Where an endpoint argument leads. */
struct target {
	const struct view_service *service;
	const struct view_endpoint *endpoint;
};

/* control.c */
enum api_code call_fail(struct call *c, enum api_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* control_target.c */
enum api_code call_view(struct call *c); /* API_OK or no memory */
enum api_code call_service(struct call *c, const char *name, const struct view_service **s);
enum api_code call_endpoint(struct call *c, const char *name, struct target *t);
/* control_wait.c */
void session_wait(struct call *c, enum wait_kind kind, const struct target *t, mono_t until);
void session_reply(struct session *s, enum api_code code, const char *error, json_t *data,
		   bool more);
void session_poll(struct control *ctl);
/* control_events.c */
json_t *event_json(const struct control *ctl, const struct model_event *ev);
/* problem.c */
json_t *problems_json(const struct call *c);
void problems_watch(struct control *ctl);

#define CONTROL_VERB(id, path, level, args, help) enum api_code verb_##id(struct call *c);
API_VERBS(CONTROL_VERB)
#undef CONTROL_VERB

#endif
