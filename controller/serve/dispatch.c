/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dispatch.c - which verb answers a request, and when.
 *
 * A request is checked whole against its verb's row (api_wire) before the verb sees it. A verb
 * that looks is answered at once. One that changes something has only asked for it when it
 * returns: all that was asked for in a batch of events is planned, pushed and saved by one turn,
 * and then each gets its answer from what is so by then. What was asked for is done and on record
 * also when the client has left meanwhile.
 */
#include <string.h>

#include "daemon/daemon.h"
#include "serve/audit.h"
#include "serve/control.h"
#include "serve/dispatch.h"
#include "serve/json.h"

#define WRITE_PATIENCE MONO_S(5) /* with a disk that does not take the state file */

static enum api_code (*const verbs[API_V_MAX])(struct call *c) = {
#define DISPATCH_ROW(id, path, level, args, help) [API_V_##id] = verb_##id,
	API_VERBS(DISPATCH_ROW)
#undef DISPATCH_ROW
};

/*
 * The end of a call that is not CALL_TURN: what it came to goes on record before the client hears
 * of it.
 */
static void finish(struct call *c, enum api_code code)
{
	if (api_verb_mutates(c->verb)) {
		audit_note(c, code);
		control_events(c->ctl->d);
	}
	if (code != CALL_LATER)
		session_reply(c->session, code, c->error, c->data, false);
}

static void call_end(struct call *c)
{
	json_decref(c->data);
	snapshot_put(c->snap);
}

static void run(struct control *ctl, struct session *s, const struct api_request *rq)
{
	struct call c = { .ctl = ctl, .session = s, .verb = rq->verb, .args = rq->args };
	enum api_code code;

	c.uid = unix_client_peer(s->client)->uid;
	c.now = daemon_now(ctl->d);
	code = verbs[rq->verb->id](&c);
	if (code != CALL_TURN)
		finish(&c, code);
	call_end(&c);
}

void dispatch_line(struct control *ctl, struct session *s, enum api_level level, const char *line,
		   size_t len)
{
	struct api_request rq = { 0 };
	char err[API_ERROR_MAX];

	if (api_request_parse(&rq, line, len, err, sizeof(err))) {
		ctl->malformed++;
		session_reply(s, API_USAGE, err, NULL, false);
	} else if (rq.verb->level > level) {
		ctl->denied++;
		session_reply(s, API_PERMISSION, "you may look, but not change anything", NULL,
			      false);
	} else {
		run(ctl, s, &rq);
	}
	api_request_free(&rq);
}

static void answer(struct control *ctl, struct session *s)
{
	struct call c = {
		.ctl = ctl, .session = s, .verb = s->verb, .args = s->args, .uid = s->uid
	};
	enum api_code code;

	c.now = daemon_now(ctl->d);
	s->wait = WAIT_NONE;
	code = call_counted(&c);
	if (!code)
		code = s->show(&c);
	if (!code && c.data)
		put_warning(c.data, c.snap);
	finish(&c, code);
	call_end(&c);
	session_settle(s);
}

/*
 * A change is answered when it is in the state file or could not be put there. A disk that is slow
 * beyond patience does not make the operator wait: the answer then says so.
 */
static bool answer_due(struct control *ctl, struct session *s)
{
	const struct saving *saving = &ctl->d->saving;
	mono_t now = daemon_now(ctl->d);

	if (!s->turned) {
		s->turned = true;
		s->write = saving->due;
		s->patience = mono_add(now, WRITE_PATIENCE);
	}
	return saving->ended >= s->write || mono_cmp(now, s->patience) >= 0;
}

void dispatch_turn(struct control *ctl)
{
	struct session *s, *next;

	for (s = TAILQ_FIRST(&ctl->turn); s; s = next) {
		next = TAILQ_NEXT(s, turn);
		if (!answer_due(ctl, s))
			continue;
		TAILQ_REMOVE(&ctl->turn, s, turn);
		answer(ctl, s);
		if (!s->client)
			session_free(ctl, s);
		else if (s->wait == WAIT_NONE)
			unix_client_busy(s->client, UNIX_FREE);
	}
}
