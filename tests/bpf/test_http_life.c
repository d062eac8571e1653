/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_http_life.c - where exchanges go (addresses, TLS), how long they live, and owners that
 * start, cancel and close wherever they are called.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/http_seen.h"

/* The answer, and the next question over the same connection. */
static void serve_kept(struct server_conn *c)
{
	while (request_read(c))
		conn_write(c, c->server->response, strlen(c->server->response));
}

/* A body of lines without an end, as long as somebody listens. */
static void serve_stream(struct server_conn *c)
{
	char byte;

	if (!request_read(c))
		return;
	conn_write(c, "HTTP/1.1 200 OK\r\n\r\n", 19);
	for (int i = 0; i < 20; i++) {
		conn_write(c, "event\n", 6);
		usleep(5000);
	}
	while (conn_read(c, &byte, 1) > 0)
		;
}

static void test_no_connection(void **state)
{
	struct server srv;
	struct http_request req;
	char url[256];
	struct seen s;

	(void)state;
	server_open(&srv, 4);
	req = seen_get(&srv, url, sizeof(url));
	server_close(&srv);
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_CONNECT, -ECONNREFUSED);
	/* no route: ours */
	memcpy(req.to.ip, "\xc0\x00\x02\x01", 4);
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_LOCAL, -EIO);
}

static void test_addresses(void **state)
{
	struct server srv;
	struct http_request req;
	char url[256];
	struct seen s;

	(void)state;
	server_run(&srv, serve_answer, NULL, OK("here"));
	req = seen_get(&srv, url, sizeof(url));
	/* the URL's own address and port */
	req.to.family = 0;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", srv.port);
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_OK, 0);
	/* an address beside a name, the port of the URL */
	req = seen_get(&srv, url, sizeof(url));
	req.to.port = 0;
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_OK, 0);
	/* nobody there, and taken for an address all the same */
	req.to.family = 0;
	snprintf(url, sizeof(url), "http://[::1]:%u/", srv.port);
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_CONNECT, -ECONNREFUSED);
	server_close(&srv);
}

static SSL_CTX *ctx_good(void)
{
	return ctx_make("ep.example", -60, 3600, true, TLS1_3_VERSION);
}

static void tls_row(SSL_CTX *ctx, const char *ca, enum http_end end, int rc)
{
	struct server srv;
	struct http_request req;
	char url[256];
	struct seen s;

	server_run(&srv, serve_answer, ctx, OK("safe"));
	req = seen_get(&srv, url, sizeof(url));
	req.ca = ca;
	s = seen_exchange(req);
	seen_expect(&s, end, rc);
	assert_string_equal(s.body, end ? "" : "safe");
	assert_true(end || !strcmp(srv.sni, "ep.example"));
	server_close(&srv);
}

static void test_tls(void **state)
{
	(void)state;
	tls_row(ctx_good(), CA_FILE, HTTP_END_OK, 0);
	tls_row(ctx_good(), NULL, HTTP_END_CERT, -EKEYREJECTED);
	tls_row(ctx_good(), "/nonexistent", HTTP_END_LOCAL, -EIO);
	tls_row(ctx_make("other.example", -60, 3600, true, TLS1_3_VERSION), CA_FILE, HTTP_END_CERT,
		-EKEYREJECTED);
	tls_row(ctx_make("ep.example", -7200, -3600, true, TLS1_3_VERSION), CA_FILE, HTTP_END_CERT,
		-EKEYREJECTED);
	tls_row(ctx_make("ep.example", -60, 3600, true, TLS1_1_VERSION), CA_FILE, HTTP_END_TLS,
		-EPROTO);
}

static void test_client_certificate(void **state)
{
	SSL_CTX *ctx = ctx_make("ep.example", -60, 3600, true, TLS1_2_VERSION);
	struct server srv;
	struct http_request req;
	char url[256];
	struct seen s;

	(void)state;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	server_run(&srv, serve_answer, ctx, OK("known"));
	req = seen_get(&srv, url, sizeof(url));
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_TLS, -EPROTO);
	req.cert = CERT_FILE;
	req.key = KEY_FILE;
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_OK, 0);
	assert_string_equal(s.body, "known");
	req.key = "/nonexistent";
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_LOCAL, -EIO);
	server_close(&srv);
}

static void stream_open(struct seen *s, struct server *srv, struct http_request *req, char *url,
			size_t len)
{
	server_run(srv, serve_stream, NULL, NULL);
	seen_open(s);
	*req = seen_get(srv, url, len);
	req->arg = s;
	req->piece = seen_piece;
	req->timeout = MONO_US(0);
}

static void test_stream(void **state)
{
	struct server srv;
	struct http_request req;
	char url[256];
	struct seen s;

	(void)state;
	stream_open(&s, &srv, &req, url, sizeof(url));
	/* every byte begins the time of silence anew: 20 pieces in 100 ms and more, then none */
	req.idle_timeout = MONO_MS(700);
	assert_int_equal(http_start(s.client, NULL, &req), 0);
	seen_run_for(&s, MONO_MS(500));
	assert_int_equal(s.ends, 0);
	assert_int_equal(s.streamed, 120);
	assert_true(s.pieces > 3);
	assert_int_equal(strncmp(s.body, "event\nevent\n", 12), 0);
	seen_run_for(&s, MONO_S(5));
	seen_expect(&s, HTTP_END_TIMEOUT, -ETIMEDOUT);
	assert_true(s.took.us > 790000);
	/* still open: the end of the client ends it */
	assert_int_equal(http_start(s.client, NULL, &req), 0);
	seen_close(&s);
	assert_int_equal(s.ends, 1);
	server_close(&srv);
}

static void test_stream_ends(void **state)
{
	struct server srv;
	struct http_request req;
	char url[256];
	struct seen s;

	(void)state;
	stream_open(&s, &srv, &req, url, sizeof(url));
	s.stops = true;
	assert_int_equal(http_start(s.client, NULL, &req), 0);
	seen_run(&s);
	seen_expect(&s, HTTP_END_STOPPED, -ECANCELED);
	assert_int_equal(s.pieces, 1);
	seen_close(&s);
	/* a limit holds for streams too, when one is given */
	seen_open(&s);
	req.body_max = 20;
	assert_int_equal(http_start(s.client, NULL, &req), 0);
	seen_run(&s);
	seen_expect(&s, HTTP_END_TOO_LARGE, -EMSGSIZE);
	assert_true(s.streamed <= 20);
	seen_close(&s);
	server_close(&srv);
}

static void test_cancel(void **state)
{
	struct server srv;
	struct http_request req;
	char url[256];
	struct seen s;

	(void)state;
	stream_open(&s, &srv, &req, url, sizeof(url));
	/* before anything was sent */
	assert_int_equal(http_start(s.client, &s.call, &req), 0);
	http_cancel(s.call);
	http_cancel(NULL);
	assert_int_equal(http_client_inflight(s.client), 0);
	/* on the way */
	assert_int_equal(http_start(s.client, &s.call, &req), 0);
	seen_run_for(&s, MONO_MS(50));
	assert_true(s.pieces > 0);
	http_cancel(s.call);
	s.pieces = 0;
	assert_int_equal(http_client_inflight(s.client), 0);
	seen_close(&s);
	/* in its own stream, which wants more */
	seen_open(&s);
	assert_int_equal(http_start(s.client, &s.victim, &req), 0);
	seen_run_for(&s, MONO_MS(300));
	assert_int_equal(s.pieces, 1);
	assert_int_equal(s.ends, 0);
	assert_int_equal(http_client_inflight(s.client), 0);
	seen_close(&s);
	server_close(&srv);
}

/* The end of one exchange cancels itself (no effect), another one, or closes the client. */
static void test_cancel_in_done(void **state)
{
	struct server srv, silent;
	struct http_request req;
	char url[256], silent_url[256];
	struct seen s;

	(void)state;
	server_run(&srv, serve_answer, NULL, OK("x"));
	server_run(&silent, serve_silent, NULL, "");
	for (int row = 0; row < 3; row++) {
		seen_open(&s);
		s.expected = 2;
		req = seen_get(&srv, url, sizeof(url));
		req.arg = &s;
		assert_int_equal(http_start(s.client, &s.call, &req), 0);
		req = seen_get(&silent, silent_url, sizeof(silent_url));
		req.timeout = SHORT;
		req.arg = &s;
		assert_int_equal(http_start(s.client, &s.victim, &req), 0);
		if (row == 0)
			s.victim = s.call;
		else if (row == 2)
			s.closes = true;
		seen_run_for(&s, MONO_MS(600));
		assert_int_equal(s.ends, row == 0 ? 2 : 1);
		seen_close(&s);
	}
	server_close(&srv);
	server_close(&silent);
}

static void test_close_in_piece(void **state)
{
	struct server srv;
	struct http_request req;
	char url[256];
	struct seen s;

	(void)state;
	stream_open(&s, &srv, &req, url, sizeof(url));
	s.closes = true;
	for (int i = 0; i < 5; i++)
		assert_int_equal(http_start(s.client, NULL, &req), 0);
	seen_run_for(&s, MONO_MS(300));
	assert_int_equal(s.pieces, 1);
	assert_int_equal(s.ends, 0);
	seen_close(&s);
	server_close(&srv);
}

struct chain {
	struct seen s;
	struct http_request req;
	int left;
};

static void chain_done(void *arg, const struct http_response *r)
{
	struct chain *c = arg;

	if (c->left-- > 0)
		assert_int_equal(http_start(c->s.client, NULL, &c->req), 0);
	seen_done(&c->s, r);
}

static bool chain_piece(void *arg, const struct http_response *r, const char *bytes, size_t len)
{
	struct chain *c = arg;

	if (c->left-- > 0)
		assert_int_equal(http_start(c->s.client, NULL, &c->req), 0);
	return seen_piece(&c->s, r, bytes, len);
}

/* The next exchange is started by the end, or the stream, of the one before. */
static void test_start_inside(void **state)
{
	struct server srv;
	struct chain c;
	char url[256];

	(void)state;
	server_run(&srv, serve_kept, NULL, ANSWER("200 OK", "Content-Length: 3\r\n", "abc"));
	for (int row = 0; row < 2; row++) {
		seen_open(&c.s);
		c.s.expected = 21;
		c.left = 20;
		c.req = seen_get(&srv, url, sizeof(url));
		c.req.arg = &c;
		c.req.done = chain_done;
		c.req.piece = row ? chain_piece : NULL;
		srv.connections = 0;
		assert_int_equal(http_start(c.s.client, NULL, &c.req), 0);
		/* with a stream, each piece starts one while its own connection is in use */
		seen_run_for(&c.s, MONO_S(row ? 1 : 5));
		if (row == 0) {
			assert_int_equal(c.s.ends, 21);
			assert_true(srv.connections == 1);
		} else {
			assert_true(c.s.pieces > 0 && c.s.ends > 0);
		}
		seen_expect(&c.s, HTTP_END_OK, 0);
		seen_close(&c.s);
	}
	server_close(&srv);
}

static void test_limit(void **state)
{
	struct server srv;
	struct http_request req;
	char url[256];
	struct seen s;

	(void)state;
	server_run(&srv, serve_answer, NULL, OK("one of many"));
	seen_open(&s);
	s.expected = LIMIT;
	req = seen_get(&srv, url, sizeof(url));
	req.arg = &s;
	for (int i = 0; i < LIMIT; i++)
		assert_int_equal(http_start(s.client, &s.call, &req), 0);
	assert_int_equal(http_start(s.client, NULL, &req), -EAGAIN);
	http_cancel(s.call);
	assert_int_equal(http_start(s.client, NULL, &req), 0);
	assert_int_equal(http_start(s.client, NULL, &req), -EAGAIN);
	seen_run(&s);
	assert_int_equal(s.ends, LIMIT);
	seen_expect(&s, HTTP_END_OK, 0);
	assert_string_equal(s.body, "one of many");
	assert_int_equal(http_client_inflight(s.client), 0);
	seen_close(&s);
	server_close(&srv);
}

static void test_no_descriptors(void **state)
{
	struct http_request req = { .url = "http://127.0.0.1:1/", .done = seen_done };
	struct rlimit was, none_left;
	struct seen s;
	int top;

	(void)state;
	seen_open(&s);
	req.arg = &s;
	top = dup(0);
	close(top);
	getrlimit(RLIMIT_NOFILE, &was);
	none_left = was;
	none_left.rlim_cur = (rlim_t)top;
	setrlimit(RLIMIT_NOFILE, &none_left);
	assert_int_equal(http_start(s.client, NULL, &req), 0);
	seen_run(&s);
	setrlimit(RLIMIT_NOFILE, &was);
	assert_int_equal(s.ends, 1);
	seen_expect(&s, HTTP_END_LOCAL, -EIO);
	seen_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_client_certificate),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_stream_ends),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_in_done),
		cmocka_unit_test(test_close_in_piece),
		cmocka_unit_test(test_start_inside),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_no_descriptors),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, seen_setup, seen_teardown);
}
