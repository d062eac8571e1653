/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_probe.c - real probes against real sockets on loopback: each way for an endpoint to fail,
 * and its reason.
 *
 * Servers: threads with OpenSSL and fresh certificates, so that expired and misnamed ones can be
 * had; a socket that nobody accepts from (silent); one whose accept queue is full, so that the
 * kernel drops the SYN (a black hole).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/server.h"
#include "sys/loop.h"
#include "sys/probe.h"

#define CA_FILE "/tmp/rrlb-test-probe-ca.pem"
#define TIMEOUT MONO_S(4) /* where the answer comes: room for a busy machine */
#define SHORT MONO_MS(300) /* where it does not */

/* ---- servers ---- */

/* Answers once with its response, or reads until the client goes. */
static void serve(struct server_conn *c)
{
	struct server *s = c->server;
	int n;

	if (!s->response) {
		while (conn_read(c, s->request, 1) > 0)
			;
		return;
	}
	n = conn_read(c, s->request, sizeof(s->request) - 1);
	s->request[n > 0 ? n : 0] = '\0';
	if (n > 0)
		conn_write(c, s->response, strlen(s->response));
}

static void serve_tls(struct server *s, SSL_CTX *ctx, const char *response)
{
	server_run(s, serve, ctx, response);
}

/* ---- one probe ---- */

struct wait {
	struct loop *loop;
	struct loop_timer *guard;
	struct probe_result r;
	int results;
};

static void on_done(void *arg, uint64_t tag, const struct probe_result *r)
{
	struct wait *w = arg;

	assert_int_equal(tag, 42);
	w->r = *r;
	w->results++;
	loop_stop(w->loop);
}

static void on_guard(void *arg)
{
	struct wait *w = arg;

	loop_stop(w->loop);
}

static void after(void *arg)
{
	(void)arg;
}

static struct probe_result probe(const struct probe_target *t)
{
	struct wait w = { .results = 0 };
	struct probes *ps;

	assert_int_equal(loop_open(&w.loop), 0);
	assert_int_equal(loop_timer(w.loop, &w.guard, on_guard, &w), 0);
	loop_timer_at(w.guard, mono_add(loop_clock(), MONO_S(10)));
	assert_int_equal(probes_open(&ps, w.loop, on_done, &w), 0);
	assert_int_equal(probe_start(ps, 42, t), 0);
	assert_int_equal(loop_run(w.loop, after, NULL), 0);
	assert_int_equal(w.results, 1);
	assert_int_equal(probes_inflight(ps), 0);
	probes_close(ps);
	loop_close(w.loop);
	return w.r;
}

static struct probe_target target(enum probe_type type, uint16_t port)
{
	return (struct probe_target){
		.type = type,
		.to = { .family = 4, .port = port, .ip = { 127, 0, 0, 1 } },
		.timeout = TIMEOUT,
		.tls_min = 12,
		.sni = "ep.example",
		.status_lo = 200,
		.status_hi = 399,
	};
}

static void expect(const struct probe_target *t, enum reason why, const char *text)
{
	struct probe_result r = probe(t);

	if (r.why != why)
		fail_msg("%s (errno %d, %s), expected %s", reason_name(r.why), r.err, r.text,
			 reason_name(why));
	if (text && !strstr(r.text, text))
		fail_msg("text '%s', expected '%s' in it", r.text, text);
}

/* ---- tests ---- */

static void test_tcp(void **state)
{
	struct probe_target t;
	struct probe_result r;
	struct server s;

	(void)state;
	server_open(&s, 4);
	t = target(PROBE_TCP, s.port);
	r = probe(&t);
	assert_int_equal(r.why, REASON_PASS);
	assert_true(r.connect.us > 0 && r.connect.us <= r.took.us && r.tls.us == 0);
	server_close(&s);
	expect(&t, REASON_REFUSED, NULL);
	assert_int_equal(probe(&t).err, ECONNREFUSED);
	t.type = PROBE_TLS;
	expect(&t, REASON_REFUSED, NULL);
}

static void test_black_hole(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct probe_target t;
	struct probe_result r;
	struct server s;
	int fill[4];

	(void)state;
	server_open(&s, 0);
	a.sin_port = htons(s.port);
	for (int i = 0; i < 4; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fill[i], (struct sockaddr *)&a, sizeof(a));
	}
	t = target(PROBE_TLS, s.port);
	t.timeout = SHORT;
	r = probe(&t);
	assert_int_equal(r.why, REASON_CONNECT_TIMEOUT);
	assert_in_range(r.took.us, SHORT.us - 20000, SHORT.us + 2000000);
	for (int i = 0; i < 4; i++)
		close(fill[i]);
	server_close(&s);
}

static void test_silent_and_reset(void **state)
{
	struct probe_target t;
	struct server s;

	(void)state;
	server_open(&s, 16);
	t = target(PROBE_TLS, s.port);
	t.timeout = SHORT;
	expect(&t, REASON_TLS_TIMEOUT, NULL);
	server_close(&s);
	server_run(&s, conn_reset, NULL, NULL);
	t = target(PROBE_TLS, s.port);
	expect(&t, REASON_RESET, NULL);
	server_close(&s);
}

static void test_tls(void **state)
{
	struct probe_target t;
	struct probe_result r;
	struct server s;

	(void)state;
	serve_tls(&s, ctx_make("ep.example", -60, 3600, true, TLS1_2_VERSION), NULL);
	t = target(PROBE_TLS, s.port);
	r = probe(&t);
	assert_int_equal(r.why, REASON_PASS);
	assert_true(r.connect.us > 0 && r.tls.us > 0 && r.connect.us + r.tls.us <= r.took.us);
	assert_string_equal(s.sni, "ep.example");
	t.sni = "";
	expect(&t, REASON_PASS, NULL);
	t.tls_min = 13;
	expect(&t, REASON_TLS_ALERT, "alert protocol version");
	server_close(&s);
}

static void test_certificates(void **state)
{
	struct probe_target t;
	struct server s;

	(void)state;
	serve_tls(&s, ctx_make("ep.example", -60, 3600, true, TLS1_3_VERSION), NULL);
	t = target(PROBE_TLS, s.port);
	t.ca = CA_FILE;
	t.verify = PROBE_VERIFY_FULL;
	expect(&t, REASON_PASS, NULL);
	t.sni = "other.example";
	expect(&t, REASON_CERT_NAME, NULL);
	t.verify = PROBE_VERIFY_CHAIN;
	expect(&t, REASON_PASS, NULL);
	t.ca = NULL; /* the system's: our CA is not among them */
	expect(&t, REASON_CERT_UNTRUSTED, NULL);
	t.ca = "/nonexistent";
	expect(&t, REASON_LOCAL_ERROR, NULL);
	server_close(&s);

	serve_tls(&s, ctx_make("ep.example", -7200, -3600, true, TLS1_3_VERSION), NULL);
	t = target(PROBE_TLS, s.port);
	expect(&t, REASON_PASS, NULL); /* not looked at */
	t.ca = CA_FILE;
	t.verify = PROBE_VERIFY_CHAIN;
	expect(&t, REASON_CERT_EXPIRED, NULL);
	server_close(&s);

	serve_tls(&s, ctx_make("ep.example", -60, 3600, false, TLS1_3_VERSION), NULL);
	t.to.port = s.port;
	expect(&t, REASON_CERT_UNTRUSTED, NULL);
	server_close(&s);
}

#define RESPONSE(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body

static void https(const char *response, const char *want, enum reason why, const char *text)
{
	struct probe_target t;
	struct server s;

	serve_tls(&s, ctx_make("ep.example", -60, 3600, true, TLS1_3_VERSION), response);
	t = target(PROBE_HTTPS, s.port);
	t.path = "/health?x=1";
	t.expect = want;
	if (why == REASON_HTTP_TIMEOUT)
		t.timeout = MONO_MS(1000);
	expect(&t, why, text);
	if (response) {
		assert_non_null(strstr(s.request, "GET /health?x=1 HTTP/1.1\r\n"));
		assert_non_null(strstr(s.request, "\r\nHost: ep.example\r\n"));
	}
	server_close(&s);
}

static void test_https(void **state)
{
	(void)state;
	https(RESPONSE("200 OK", "all is well"), NULL, REASON_PASS, NULL);
	https(RESPONSE("200 OK", "all is well"), "is w", REASON_PASS, NULL);
	https(RESPONSE("200 OK", "all is bad"), "is w", REASON_EXPECT_MISMATCH, NULL);
	https(RESPONSE("302 Found", ""), NULL, REASON_PASS, NULL); /* not followed */
	https(RESPONSE("503 Busy", ""), NULL, REASON_HTTP_STATUS, "503");
	https("", NULL, REASON_RESET, NULL);
	https("SSH-2.0-x\r\n", NULL, REASON_HTTP_STATUS, NULL);
	https(NULL, NULL, REASON_HTTP_TIMEOUT, NULL);
}

static void test_no_descriptors(void **state)
{
	struct rlimit was, none;
	struct probe_target t = target(PROBE_TCP, 1);
	struct wait w = { .results = 0 };
	struct probes *ps;
	int top;

	(void)state;
	assert_int_equal(loop_open(&w.loop), 0);
	assert_int_equal(probes_open(&ps, w.loop, on_done, &w), 0);
	top = dup(0);
	close(top);
	getrlimit(RLIMIT_NOFILE, &was);
	none = was;
	none.rlim_cur = (rlim_t)top;
	setrlimit(RLIMIT_NOFILE, &none);
	if (!probe_start(ps, 42, &t))
		assert_int_equal(loop_run(w.loop, after, NULL), 0);
	setrlimit(RLIMIT_NOFILE, &was);
	assert_int_equal(w.results, 1);
	assert_int_equal(w.r.why, REASON_LOCAL_ERROR);
	probes_close(ps);
	loop_close(w.loop);
}

static void test_no_route(void **state)
{
	struct probe_target t = target(PROBE_TCP, 443);

	(void)state;
	memcpy(t.to.ip, "\xc0\x00\x02\x01", 4);
	expect(&t, REASON_LOCAL_ERROR, NULL);
	assert_int_equal(probe(&t).err, ENETUNREACH);
}

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	return net_alone() || ca_make(CA_FILE);
}

static int teardown(void **state)
{
	(void)state;
	ca_drop(CA_FILE);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_black_hole),
		cmocka_unit_test(test_silent_and_reset),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_https),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_no_route),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
