/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * call.c - the ground that all verbs stand on: saying no, taking the snapshot, sending a line,
 * waiting for the turn. It knows no verb and calls nothing of serve but the snapshot.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "serve/call.h"

enum api_code call_fail(struct call *c, enum api_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->error, sizeof(c->error), fmt, ap);
	va_end(ap);
	return code;
}

enum api_code call_snapshot(struct call *c)
{
	if (!c->snap)
		c->snap = snapshot_get(c->ctl->d);
	return c->snap ? API_OK : call_fail(c, API_FAILED, "no memory");
}

enum api_code call_counted(struct call *c)
{
	enum api_code code = call_snapshot(c);

	if (!code)
		snapshot_count(c->snap);
	return code;
}

void session_reply(struct session *s, enum api_code code, const char *error, json_t *data,
		   bool more)
{
	char *line;

	if (!s->client)
		return;
	line = code ? api_error_format(code, error, data) : api_reply_format(data, more);
	if (!line) /* no memory: an answer that cannot be said ends the connection */
		unix_client_close(s->client);
	else
		unix_client_send(s->client, line, strlen(line));
	free(line);
}

enum api_code session_after_turn(struct call *c, enum api_code (*show)(struct call *c))
{
	struct session *s = c->session;

	s->wait = WAIT_TURN;
	s->verb = c->verb;
	s->args = json_incref(c->args);
	s->uid = c->uid;
	s->show = show;
	s->turned = false;
	TAILQ_INSERT_TAIL(&c->ctl->turn, s, turn);
	unix_client_busy(s->client, UNIX_SOON);
	return CALL_TURN;
}

enum api_code session_ask(struct call *c, enum api_code (*show)(struct call *c))
{
	TAILQ_INSERT_TAIL(&c->ctl->d->asks, &c->session->ask, link);
	return session_after_turn(c, show);
}

void session_settle(struct session *s)
{
	json_decref(s->args);
	s->args = NULL;
	free(s->ask.report);
	memset(&s->ask, 0, sizeof(s->ask));
}

void session_free(struct control *ctl, struct session *s)
{
	TAILQ_REMOVE(&ctl->sessions, s, link);
	session_settle(s);
	free(s);
}
