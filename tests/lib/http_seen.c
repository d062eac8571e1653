/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_seen.c - runs exchanges and keeps what their callbacks were given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/http_seen.h"

static void none(void *arg)
{
	(void)arg;
}

static void stop(void *arg)
{
	struct seen *s = arg;

	loop_stop(s->loop);
}

static void act(struct seen *s)
{
	struct http_call *victim = s->victim;

	s->victim = NULL;
	http_cancel(victim);
	if (s->closes) {
		http_client_close(s->client);
		s->client = NULL;
	}
}

void seen_done(void *arg, const struct http_response *r)
{
	struct seen *s = arg;
	const char *header = http_response_header(r, "x-test");

	s->end = r->end;
	s->rc = r->rc;
	s->status = r->status;
	s->body_len = r->body_len;
	s->took = r->took;
	assert_int_equal(strlen(r->body), r->body_len);
	snprintf(s->body, sizeof(s->body), "%s", r->body);
	snprintf(s->text, sizeof(s->text), "%s", r->text);
	snprintf(s->header, sizeof(s->header), "%s", header ? header : "");
	act(s);
	if (++s->ends == s->expected)
		loop_stop(s->loop);
}

bool seen_piece(void *arg, const struct http_response *r, const char *bytes, size_t len)
{
	struct seen *s = arg;

	assert_int_equal(r->status, 200);
	if (s->streamed + len < sizeof(s->body))
		memcpy(s->body + s->streamed, bytes, len);
	s->streamed += len;
	s->pieces++;
	act(s);
	return !s->stops;
}

void seen_open(struct seen *s)
{
	memset(s, 0, sizeof(*s));
	s->expected = 1;
	assert_int_equal(loop_open(&s->loop), 0);
	assert_int_equal(loop_timer(s->loop, &s->guard, stop, s), 0);
	loop_timer_at(s->guard, mono_add(loop_clock(), MONO_S(10)));
	assert_int_equal(http_client_open(&s->client, s->loop, LIMIT), 0);
}

void seen_close(struct seen *s)
{
	http_client_close(s->client);
	loop_close(s->loop);
}

void seen_run(struct seen *s)
{
	assert_int_equal(loop_run(s->loop, none, NULL), 0);
}

void seen_run_for(struct seen *s, mono_t how_long)
{
	loop_timer_at(s->guard, mono_add(loop_clock(), how_long));
	seen_run(s);
}

struct http_request seen_get(const struct server *srv, char *url, size_t len)
{
	snprintf(url, len, "%s://ep.example:%u/v1/a?b=c", srv->ctx ? "https" : "http", srv->port);
	return (struct http_request){
		.url = url,
		.to = { .family = 4, .ip = { 127, 0, 0, 1 }, .port = srv->port },
		.timeout = MONO_S(5),
		.ca = srv->ctx ? CA_FILE : NULL,
		.done = seen_done,
	};
}

struct seen seen_exchange(struct http_request req)
{
	struct seen s;

	seen_open(&s);
	req.arg = &s;
	assert_int_equal(http_start(s.client, &s.call, &req), 0);
	assert_int_equal(http_client_inflight(s.client), 1);
	assert_int_equal(s.ends, 0);
	seen_run(&s);
	assert_int_equal(s.ends, 1);
	assert_int_equal(http_client_inflight(s.client), 0);
	seen_close(&s);
	return s;
}

void seen_expect(const struct seen *s, enum http_end end, int rc)
{
	if (s->end != end)
		fail_msg("%s (%s), expected %s", http_end_name(s->end), s->text,
			 http_end_name(end));
	assert_int_equal(s->rc, rc);
	assert_true((end == HTTP_END_OK) == !*s->text);
}

bool request_read(struct server_conn *c)
{
	struct server *s = c->server;
	size_t have = 0, want = 0;
	const char *end, *length;

	for (;;) {
		const int n = conn_read(c, s->request + have, sizeof(s->request) - 1 - have);

		if (n <= 0)
			return false;
		have += (size_t)n;
		s->request[have] = '\0';
		end = strstr(s->request, "\r\n\r\n");
		if (!end)
			continue;
		length = strstr(s->request, "Content-Length: ");
		want = (size_t)(end + 4 - s->request) +
		       (length ? strtoul(length + 16, NULL, 10) : 0);
		if (have >= want)
			return true;
	}
}

void serve_answer(struct server_conn *c)
{
	if (request_read(c))
		conn_write(c, c->server->response, strlen(c->server->response));
}

void serve_silent(struct server_conn *c)
{
	char byte;

	if (!request_read(c))
		return;
	conn_write(c, c->server->response, strlen(c->server->response));
	while (conn_read(c, &byte, 1) > 0)
		;
}

int seen_setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	return net_alone() || ca_make(CA_FILE) || cert_files("client", CERT_FILE, KEY_FILE);
}

int seen_teardown(void **state)
{
	(void)state;
	ca_drop(CA_FILE);
	unlink(CERT_FILE);
	unlink(KEY_FILE);
	return 0;
}
