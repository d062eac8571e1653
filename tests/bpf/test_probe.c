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

#include "lib/probing.h"
#include "lib/server.h"

#define CA_FILE "/tmp/rrlb-test-probe-ca.pem"

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

/* ---- tests ---- */

static void test_tcp(void **state)
{
	struct probe_target t;
	struct probe_result r;
	struct server s;

	(void)state;
	server_open(&s, 4);
	t = probe_target_local(PROBE_TCP, s.port);
	r = probe_once(&t);
	assert_int_equal(r.why, REASON_PASS);
	assert_true(r.connect.us > 0 && r.connect.us <= r.took.us && r.tls.us == 0);
	server_close(&s);
	probe_expect(&t, REASON_REFUSED, NULL);
	assert_int_equal(probe_once(&t).err, ECONNREFUSED);
	t.type = PROBE_TLS;
	probe_expect(&t, REASON_REFUSED, NULL);
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
	t = probe_target_local(PROBE_TLS, s.port);
	t.timeout = PROBING_SHORT;
	r = probe_once(&t);
	assert_int_equal(r.why, REASON_CONNECT_TIMEOUT);
	assert_in_range(r.took.us, PROBING_SHORT.us - 20000, PROBING_SHORT.us + 2000000);
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
	t = probe_target_local(PROBE_TLS, s.port);
	t.timeout = PROBING_SHORT;
	probe_expect(&t, REASON_TLS_TIMEOUT, NULL);
	server_close(&s);
	server_run(&s, conn_reset, NULL, NULL);
	t = probe_target_local(PROBE_TLS, s.port);
	probe_expect(&t, REASON_RESET, NULL);
	server_close(&s);
}

static void test_tls(void **state)
{
	struct probe_target t;
	struct probe_result r;
	struct server s;

	(void)state;
	serve_tls(&s, ctx_make("ep.example", -60, 3600, true, TLS1_2_VERSION), NULL);
	t = probe_target_local(PROBE_TLS, s.port);
	r = probe_once(&t);
	assert_int_equal(r.why, REASON_PASS);
	assert_true(r.connect.us > 0 && r.tls.us > 0 && r.connect.us + r.tls.us <= r.took.us);
	assert_string_equal(s.sni, "ep.example");
	t.sni = "";
	probe_expect(&t, REASON_PASS, NULL);
	t.tls_min = 13;
	probe_expect(&t, REASON_TLS_ALERT, "alert protocol version");
	server_close(&s);
}

#define RESPONSE(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body

static void https(const char *response, const char *want, enum reason why, const char *text)
{
	struct probe_target t;
	struct server s;

	serve_tls(&s, ctx_make("ep.example", -60, 3600, true, TLS1_3_VERSION), response);
	t = probe_target_local(PROBE_HTTPS, s.port);
	t.path = "/health?x=1";
	t.expect = want;
	if (why == REASON_HTTP_TIMEOUT)
		t.timeout = MONO_MS(1000);
	probe_expect(&t, why, text);
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
	struct probe_target t = probe_target_local(PROBE_TCP, 1);
	struct probing w;
	int top;

	(void)state;
	probing_open(&w);
	top = dup(0);
	close(top);
	getrlimit(RLIMIT_NOFILE, &was);
	none = was;
	none.rlim_cur = (rlim_t)top;
	setrlimit(RLIMIT_NOFILE, &none);
	if (!probe_start(w.ps, PROBING_TAG, &t))
		probing_run(&w, MONO_S(10));
	setrlimit(RLIMIT_NOFILE, &was);
	assert_int_equal(w.results, 1);
	assert_int_equal(w.r.why, REASON_LOCAL_ERROR);
	assert_int_equal(w.r.err, EMFILE);
	probing_close(&w);
}

static void test_no_route(void **state)
{
	struct probe_target t = probe_target_local(PROBE_TCP, 443);

	(void)state;
	memcpy(t.to.ip, "\xc0\x00\x02\x01", 4);
	probe_expect(&t, REASON_LOCAL_ERROR, NULL);
	assert_int_equal(probe_once(&t).err, ENETUNREACH);
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
		cmocka_unit_test(test_https),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_no_route),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
