/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * call.h - what the files of the control socket share: a call (one request being answered), a
 * session (one client).
 *
 * A verb is a function verb_<id>(call). It reads the snapshot and fills call->data, or
 * call->error and a code. One that changes something says what it wants and returns CALL_TURN:
 * the turn plans, pushes and saves, and the answer is made after that from a new snapshot
 * (session_after_turn()). One that waits for something to happen returns CALL_LATER
 * (session_wait()).
 *
 * struct daemon is not complete here, so that a reader cannot reach around the snapshot.
 */
#ifndef SERVE_CALL_H
#define SERVE_CALL_H

#include <sys/queue.h>

#include "api/api_wire.h"
#include "daemon/ask.h"
#include "serve/snapshot.h"
#include "sys/unix_server.h"

#define CALL_LATER ((enum api_code) - 1)
#define CALL_TURN ((enum api_code) - 2)

struct call;

enum wait_kind { WAIT_NONE, WAIT_TURN, WAIT_DRAIN, WAIT_CHECK, WAIT_EVENTS };

/* One client, from its first request on. It has at most one request open. */
struct session {
	TAILQ_ENTRY(session) link;
	struct unix_client *client; /* NULL: it left while its request waits for the turn */
	enum wait_kind wait;
	/* What is waited for: of whom. EVENTS: service "" = of all. */
	char service[CONF_NAME_MAX];
	struct addr endpoint; /* family 0 = the service itself */
	/* WAIT_TURN: the request, and what makes its answer. */
	TAILQ_ENTRY(session) turn;
	const struct api_verb *verb;
	json_t *args;
	uint32_t uid;
	enum api_code (*show)(struct call *c);
	struct ask ask;
	bool turned; /* a turn has done it; what is left is the state file */
	uint64_t write; /* the write that has it, of struct saving */
	mono_t patience; /* until when that is waited for */
	/* WAIT_DRAIN, WAIT_CHECK: */
	mono_t since, until; /* MONO_NEVER = for ever */
	mono_t limit; /* CHECK: to wait at most; the probe before it may have to end first */
	uint64_t probe; /* CHECK: the number of the probe that was asked for */
	uint32_t established; /* DRAIN: last told; UINT32_MAX = nothing yet */
};

struct control {
	struct daemon *d;
	struct unix_server *server;
	struct loop_timer *timer; /* wakes the loop while somebody waits */
	TAILQ_HEAD(session_list, session) sessions;
	TAILQ_HEAD(session_turn, session) turn; /* who waits for the turn, in the order of asking */
	struct model_event *ring; /* MODEL_EVENTS of them, the newest overwrites the oldest */
	uint64_t ring_next; /* events ever kept */
	gid_t operators, readers; /* (gid_t)-1 = no such group */
	uint64_t requests, malformed, denied;
};

struct call {
	struct control *ctl;
	struct session *session;
	const struct api_verb *verb;
	json_t *args;
	uint32_t uid;
	mono_t now;
	struct snapshot *snap; /* taken by call_snapshot(), given back when the call ends */
	json_t *data;
	char error[API_ERROR_MAX];
};

/* Says why not. Returns `code`. */
enum api_code call_fail(struct call *c, enum api_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* c->snap is there. API_OK, or no memory. */
enum api_code call_snapshot(struct call *c);
/* The same, and its counters are read now. */
enum api_code call_counted(struct call *c);
/* Sends one line. `more`: others follow. Nothing happens for a client that has left. */
void session_reply(struct session *s, enum api_code code, const char *error, json_t *data,
		   bool more);
/*
 * The request is answered by `show` after the turn; until then its client is not heard. `show`
 * sees the call as it was, with a new snapshot, and the session's service, endpoint and ask.
 * Returns CALL_TURN.
 */
enum api_code session_after_turn(struct call *c, enum api_code (*show)(struct call *c));
/*
 * The same for what the turn itself has to do: queues the session's ask, which the caller has
 * filled in.
 */
enum api_code session_ask(struct call *c, enum api_code (*show)(struct call *c));
/* Lets go of the request that was answered, and of what came of its ask. */
void session_settle(struct session *s);
/* Takes it off the list and frees it. It does not wait for the turn any more. */
void session_free(struct control *ctl, struct session *s);

#define CONTROL_VERB(id, path, level, args, help) enum api_code verb_##id(struct call *c);
API_VERBS(CONTROL_VERB)
#undef CONTROL_VERB

#endif
