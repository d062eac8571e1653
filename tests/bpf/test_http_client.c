/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_http_client.c - exchanges with real servers on loopback: what is sent, what arrives, what is
 * refused, and answers that break.
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
#include <unistd.h>

#include "lib/http_seen.h"

static void serve_byte_by_byte(struct server_conn *c)
{
	if (!request_read(c))
		return;
	for (const char *p = c->server->response; *p; p++) {
		conn_write(c, p, 1);
		usleep(100);
	}
}

static void serve_answer_then_reset(struct server_conn *c)
{
	serve_answer(c);
	conn_reset(c);
}

/* Lines of a head for ever: short ones, or one that does not end. */
static void serve_flood(struct server_conn *c)
{
	char line[1024];

	if (!request_read(c))
		return;
	memset(line, 'a', sizeof(line));
	memcpy(line, "X-A: ", 5);
	if (c->server->response)
		memcpy(line + sizeof(line) - 2, "\r\n", 2);
	conn_write(c, "HTTP/1.1 200 OK\r\n", 17);
	for (int i = 0; i < 4096; i++)
		conn_write(c, line, sizeof(line));
}

/* "100 Continue" for ever: heads without a body. */
static void serve_flood_of_heads(struct server_conn *c)
{
	if (!request_read(c))
		return;
	for (int i = 0; i < 40000; i++)
		conn_write(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

static void serve_large(struct server_conn *c)
{
	char block[4096];

	if (!request_read(c))
		return;
	memset(block, 'x', sizeof(block));
	conn_write(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 38);
	for (int i = 0; i < 1024; i++)
		conn_write(c, block, sizeof(block));
}

static struct seen one(server_fn serve, const char *response, struct server *srv)
{
	char url[256];
	struct seen s;

	server_run(srv, serve, NULL, response);
	s = seen_exchange(seen_get(srv, url, sizeof(url)));
	server_close(srv);
	return s;
}

static void test_get(void **state)
{
	struct server srv;
	struct seen s = one(
		serve_answer,
		ANSWER("200 OK", "X-Test: a\r\nX-TEST: b\r\nContent-Length: 5\r\n", "hello"), &srv);

	(void)state;
	seen_expect(&s, HTTP_END_OK, 0);
	assert_int_equal(s.status, 200);
	assert_string_equal(s.body, "hello");
	assert_string_equal(s.header, "b");
	assert_true(s.took.us > 0 && s.took.us < 5000000);
	assert_non_null(strstr(srv.request, "GET /v1/a?b=c HTTP/1.1\r\n"));
	assert_non_null(strstr(srv.request, "\r\nHost: ep.example:"));
	assert_non_null(strstr(srv.request, "\r\nUser-Agent: rrlbd\r\n"));
	assert_null(strstr(srv.request, "Accept-Encoding"));
}

static void test_statuses(void **state)
{
	static const struct {
		const char *answer;
		long status;
		const char *body;
	} rows[] = {
		{ ANSWER("204 No Content", "", ""), 204, "" },
		{ ANSWER("404 Not Found", "Content-Length: 4\r\n", "none"), 404, "none" },
		{ ANSWER("503 Busy", "Content-Length: 0\r\n", ""), 503, "" },
		{ ANSWER("302 Found", "Location: /x\r\nContent-Length: 2\r\n", "go"), 302, "go" },
		{ OK(""), 200, "" },
		{ OK("until the end"), 200, "until the end" },
		{ ANSWER("200 OK", "Transfer-Encoding: chunked\r\n",
			 "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Test: t\r\n\r\n"),
		  200, "abcdefg" },
		{ ANSWER("100 Continue", "", "") OK("then this"), 200, "then this" },
	};
	struct server srv;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int slow = 0; slow < 2; slow++) {
			struct seen s =
				one(slow ? serve_byte_by_byte : serve_answer, rows[i].answer, &srv);

			seen_expect(&s, HTTP_END_OK, 0);
			assert_int_equal(s.status, rows[i].status);
			assert_string_equal(s.body, rows[i].body);
		}
	}
}

static void test_methods(void **state)
{
	static const struct {
		enum http_method method;
		const char *body, *line;
	} rows[] = {
		{ HTTP_HEAD, NULL, "HEAD /" },	    { HTTP_POST, "{\"a\": 1}", "POST /" },
		{ HTTP_POST, NULL, "POST /" },	    { HTTP_PUT, "x", "PUT /" },
		{ HTTP_PATCH, "xyz", "PATCH /" },   { HTTP_DELETE, NULL, "DELETE /" },
		{ HTTP_DELETE, "why", "DELETE /" }, { HTTP_GET, "query", "GET /" },
	};
	const struct http_header header[] = { { "Content-Type", "application/json" },
					      { "X-Empty", "" } };
	char url[256], length[64];
	struct server srv;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *body = rows[i].body ? rows[i].body : "";
		struct http_request req;
		struct seen s;

		server_run(&srv, serve_answer, NULL,
			   ANSWER("200 OK", "Content-Length: 0\r\nConnection: close\r\n", ""));
		req = seen_get(&srv, url, sizeof(url));
		req.method = rows[i].method;
		req.body = rows[i].body;
		req.body_len = strlen(body);
		req.header = header;
		req.headers = i % 2 ? 2 : 0;
		s = seen_exchange(req);
		server_close(&srv);
		seen_expect(&s, HTTP_END_OK, 0);
		assert_int_equal(strncmp(srv.request, rows[i].line, strlen(rows[i].line)), 0);
		assert_string_equal(strstr(srv.request, "\r\n\r\n") + 4, body);
		snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", strlen(body));
		assert_true(!*body || strstr(srv.request, length));
		assert_true(!strstr(srv.request, "application/json") == !(i % 2));
		assert_true(!strstr(srv.request, "\r\nX-Empty:\r\n") == !(i % 2));
		assert_null(strstr(srv.request, "urlencoded"));
		assert_null(strstr(srv.request, "Expect"));
	}
}

/* Larger than what a socket takes at once, and what is asked for with "100-continue". */
static void test_large_request(void **state)
{
	static char body[3 << 20];
	char url[256];
	struct http_request req;
	struct server srv;
	struct seen s;

	(void)state;
	memset(body, 'b', sizeof(body));
	server_run(&srv, serve_answer, NULL, OK("early"));
	req = seen_get(&srv, url, sizeof(url));
	req.method = HTTP_PUT;
	req.body = body;
	req.body_len = 6000;
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_OK, 0);
	assert_string_equal(s.body, "early");
	assert_int_equal(strlen(strstr(srv.request, "\r\n\r\n") + 4), 6000);
	req.body_len = sizeof(body);
	req.timeout = SHORT;
	s = seen_exchange(req);
	/* the server of this test has no room for it and goes */
	assert_true(s.end == HTTP_END_BROKEN || s.end == HTTP_END_TIMEOUT);
	server_close(&srv);
}

static void test_broken_answers(void **state)
{
	static const struct {
		server_fn serve;
		const char *answer;
		enum http_end end;
		int rc;
		long status;
	} rows[] = {
		{ serve_answer, "", HTTP_END_BROKEN, -ECONNRESET, 0 },
		{ serve_answer_then_reset, "", HTTP_END_BROKEN, -ECONNRESET, 0 },
		{ serve_answer, "SSH-2.0-x\r\n", HTTP_END_PROTOCOL, -EBADMSG, 0 },
		{ serve_answer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", HTTP_END_BROKEN,
		  -ECONNRESET, 200 },
		{ serve_answer_then_reset, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
		  HTTP_END_BROKEN, -ECONNRESET, 200 },
		{ serve_answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		  HTTP_END_BROKEN, -ECONNRESET, 200 },
		{ serve_answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
		  HTTP_END_BROKEN, -ECONNRESET, 200 },
	};
	struct server srv;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen s = one(rows[i].serve, rows[i].answer, &srv);

		seen_expect(&s, rows[i].end, rows[i].rc);
		assert_int_equal(s.status, rows[i].status);
	}
}

static void test_time(void **state)
{
	struct server srv;
	struct http_request req;
	char url[256];
	struct seen s;

	(void)state;
	server_run(&srv, serve_silent, NULL, "");
	req = seen_get(&srv, url, sizeof(url));
	req.timeout = SHORT;
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_TIMEOUT, -ETIMEDOUT);
	assert_in_range(s.took.us, SHORT.us - 20000, SHORT.us + 2000000);
	server_close(&srv);

	server_run(&srv, serve_silent, NULL, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
	req = seen_get(&srv, url, sizeof(url));
	req.idle_timeout = SHORT;
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_TIMEOUT, -ETIMEDOUT);
	assert_int_equal(s.status, 200);
	assert_in_range(s.took.us, SHORT.us - 20000, SHORT.us + 2000000);
	server_close(&srv);

	/* nobody shakes hands */
	server_open(&srv, 4);
	req = seen_get(&srv, url, sizeof(url));
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", srv.port);
	req.connect_timeout = SHORT;
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_TIMEOUT, -ETIMEDOUT);
	assert_in_range(s.took.us, SHORT.us - 20000, SHORT.us + 2000000);
	server_close(&srv);
}

static void test_too_large(void **state)
{
	struct server srv;
	struct http_request req;
	char url[256];
	struct seen s;

	(void)state;
	s = one(serve_large, NULL, &srv);
	seen_expect(&s, HTTP_END_TOO_LARGE, -EMSGSIZE);
	assert_int_equal(s.status, 200);
	assert_true(s.body_len <= HTTP_BODY_MAX);
	s = one(serve_flood, "lines", &srv);
	seen_expect(&s, HTTP_END_TOO_LARGE, -EMSGSIZE);
	s = one(serve_flood, NULL, &srv);
	seen_expect(&s, HTTP_END_TOO_LARGE, -EMSGSIZE);
	s = one(serve_flood_of_heads, NULL, &srv);
	seen_expect(&s, HTTP_END_TOO_LARGE, -EMSGSIZE);

	server_run(&srv, serve_answer, NULL, OK("12345678"));
	req = seen_get(&srv, url, sizeof(url));
	req.body_max = 8;
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_OK, 0);
	req.body_max = 7;
	s = seen_exchange(req);
	seen_expect(&s, HTTP_END_TOO_LARGE, -EMSGSIZE);
	server_close(&srv);
}

static void test_redirects(void **state)
{
	static const struct {
		const char *where;
		unsigned int redirects;
		enum http_end end;
		long status;
	} rows[] = {
		{ "/b", 0, HTTP_END_OK, 302 },
		{ "/b", 3, HTTP_END_REDIRECT, 302 }, /* again and again */
		{ "http://other.example/", 3, HTTP_END_REDIRECT, 302 },
		{ "//ep.example/", 3, HTTP_END_REDIRECT, 302 }, /* another port */
		{ "https://ep.example/", 3, HTTP_END_REDIRECT, 302 },
		{ "ftp://ep.example/", 3, HTTP_END_REDIRECT, 302 },
		{ "file:///etc/passwd", 3, HTTP_END_REDIRECT, 302 },
	};
	char url[256], answer[512];
	struct http_request req;
	struct server srv;
	struct seen s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(answer, sizeof(answer),
			 "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n"
			 "Connection: close\r\n\r\n",
			 rows[i].where);
		server_run(&srv, serve_answer, NULL, answer);
		req = seen_get(&srv, url, sizeof(url));
		req.redirects = rows[i].redirects;
		s = seen_exchange(req);
		seen_expect(&s, rows[i].end, rows[i].end ? -ELOOP : 0);
		assert_int_equal(s.status, rows[i].status);
		assert_int_equal(srv.connections, strcmp(rows[i].where, "/b") ? 1
						  : rows[i].redirects	      ? 4
									      : 1);
		server_close(&srv);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *url;
		int rc;
	} urls[] = {
		{ "ftp://127.0.0.1/", -EPROTONOSUPPORT },
		{ "file:///etc/passwd", -EPROTONOSUPPORT },
		{ "gopher://127.0.0.1/", -EPROTONOSUPPORT },
		{ "nosuch://127.0.0.1/", -EPROTONOSUPPORT },
		{ "127.0.0.1", -EINVAL },
		{ "", -EINVAL },
		{ NULL, -EINVAL },
		{ "http://user:secret@127.0.0.1/", -EINVAL },
		{ "http://127.0.0.1/a\r\nX: y", -EINVAL },
		{ "http://127.0.0.1:99999/", -EINVAL },
		{ "http://ep.example/", -EDESTADDRREQ },
		{ "https://localhost/", -EDESTADDRREQ },
	};
	static const struct http_header headers[] = {
		{ "", "x" },	  { NULL, "x" },	{ "A b", "x" },
		{ "A:", "x" },	  { "A", "x\r\nB: y" }, { "A\r\nB: y\r\nC", "" },
		{ "A", "x\x7f" },
	};
	char long_url[HTTP_URL_MAX + 1] = "http://127.0.0.1/";
	struct http_request req = { .url = "http://127.0.0.1/", .done = seen_done };
	struct seen s;

	(void)state;
	seen_open(&s);
	req.arg = &s;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		req.url = urls[i].url;
		assert_int_equal(http_start(s.client, NULL, &req), urls[i].rc);
	}
	memset(long_url + strlen(long_url), 'a', sizeof(long_url) - 1 - strlen(long_url));
	req.url = long_url;
	assert_int_equal(http_start(s.client, NULL, &req), -ENAMETOOLONG);
	req.url = "http://127.0.0.1/";
	req.headers = 1;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		req.header = &headers[i];
		assert_int_equal(http_start(s.client, NULL, &req), -EINVAL);
	}
	req.headers = 0;
	req.done = NULL;
	assert_int_equal(http_start(s.client, NULL, &req), -EINVAL);
	assert_int_equal(http_client_inflight(s.client), 0);
	seen_run_for(&s, MONO_MS(50));
	assert_int_equal(s.ends, 0);
	seen_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_large_request),
		cmocka_unit_test(test_broken_answers),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, seen_setup, seen_teardown);
}
