/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_probe.c - real probes against real sockets on loopback: each way for an endpoint to fail, and its reason.
 *
 * Servers: threads with OpenSSL and fresh certificates, so that expired and misnamed ones can be had; a socket that
 * nobody accepts from (silent); one whose accept queue is full, so that the kernel drops the SYN (a black hole).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "sys/loop.h"
#include "sys/probe.h"

#define CA_FILE "/tmp/rrlb-test-probe-ca.pem"
#define TIMEOUT MONO_S(4) /* where the answer comes: room for a busy machine */
#define SHORT MONO_MS(300) /* where it does not */

enum serving { SERVE_TLS, SERVE_RESET, SERVE_NOTHING };

struct server {
	enum serving how;
	int fd;
	uint16_t port;
	SSL_CTX *ctx;
	const char *response;
	char request[1024]; /* of the last connection */
	char sni[64];
	pthread_t thread;
	bool running;
	atomic_bool stop;
};

static EVP_PKEY *ca_key;
static X509 *ca_cert;

/* ---- certificates ---- */

static X509 *cert_make(EVP_PKEY *key, const char *cn, X509 *issuer, EVP_PKEY *issuer_key, long from,
		       long to)
{
	X509 *x = X509_new();
	char san[80];
	X509_EXTENSION *ext;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), rand());
	X509_gmtime_adj(X509_getm_notBefore(x), from);
	X509_gmtime_adj(X509_getm_notAfter(x), to);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
	snprintf(san, sizeof(san), issuer ? "DNS:%s" : "CA:TRUE", cn);
	ext = X509V3_EXT_conf_nid(NULL, NULL, issuer ? NID_subject_alt_name : NID_basic_constraints,
				  san);
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	assert_true(X509_sign(x, issuer_key, EVP_sha256()) > 0);
	return x;
}

static SSL_CTX *ctx_make(const char *cn, long from, long to, bool trusted, int max_version)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	X509 *x = cert_make(key, cn, ca_cert, trusted ? ca_key : other, from, to);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_int_equal(SSL_CTX_use_certificate(ctx, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	SSL_CTX_set_max_proto_version(ctx, max_version);
	X509_free(x);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	return ctx;
}

/* ---- servers ---- */

static void serve_tls(struct server *s, int fd)
{
	SSL *ssl = SSL_new(s->ctx);
	const char *sni;
	int n;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
		snprintf(s->sni, sizeof(s->sni), "%s", sni ? sni : "");
		if (s->response) {
			n = SSL_read(ssl, s->request, sizeof(s->request) - 1);
			s->request[n > 0 ? n : 0] = '\0';
			if (n > 0)
				SSL_write(ssl, s->response, (int)strlen(s->response));
		} else {
			while (SSL_read(ssl, s->request, 1) > 0)
				; /* until the client goes */
		}
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
}

static void *serve(void *arg)
{
	struct linger now = { 1, 0 };
	struct server *s = arg;

	while (!s->stop) {
		int fd = accept(s->fd, NULL, NULL);

		if (fd < 0)
			break;
		if (s->how == SERVE_TLS)
			serve_tls(s, fd);
		else
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(fd);
	}
	return NULL;
}

static void server_open(struct server *s, enum serving how, int backlog)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	memset(s, 0, sizeof(*s));
	s->how = how;
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->fd, backlog), 0);
	getsockname(s->fd, (struct sockaddr *)&a, &len);
	s->port = ntohs(a.sin_port);
}

static void server_run(struct server *s, enum serving how, SSL_CTX *ctx, const char *response)
{
	server_open(s, how, 16);
	s->ctx = ctx;
	s->response = response;
	s->running = !pthread_create(&s->thread, NULL, serve, s);
	assert_true(s->running);
}

static void server_close(struct server *s)
{
	s->stop = true;
	shutdown(s->fd, SHUT_RDWR);
	if (s->running)
		pthread_join(s->thread, NULL);
	close(s->fd);
	SSL_CTX_free(s->ctx);
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
	server_open(&s, SERVE_NOTHING, 4);
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
	server_open(&s, SERVE_NOTHING, 0);
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
	server_open(&s, SERVE_NOTHING, 16);
	t = target(PROBE_TLS, s.port);
	t.timeout = SHORT;
	expect(&t, REASON_TLS_TIMEOUT, NULL);
	server_close(&s);
	server_run(&s, SERVE_RESET, NULL, NULL);
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
	server_run(&s, SERVE_TLS, ctx_make("ep.example", -60, 3600, true, TLS1_2_VERSION), NULL);
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
	server_run(&s, SERVE_TLS, ctx_make("ep.example", -60, 3600, true, TLS1_3_VERSION), NULL);
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

	server_run(&s, SERVE_TLS, ctx_make("ep.example", -7200, -3600, true, TLS1_3_VERSION), NULL);
	t = target(PROBE_TLS, s.port);
	expect(&t, REASON_PASS, NULL); /* not looked at */
	t.ca = CA_FILE;
	t.verify = PROBE_VERIFY_CHAIN;
	expect(&t, REASON_CERT_EXPIRED, NULL);
	server_close(&s);

	server_run(&s, SERVE_TLS, ctx_make("ep.example", -60, 3600, false, TLS1_3_VERSION), NULL);
	t.to.port = s.port;
	expect(&t, REASON_CERT_UNTRUSTED, NULL);
	server_close(&s);
}

#define RESPONSE(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body

static void https(const char *response, const char *want, enum reason why, const char *text)
{
	struct probe_target t;
	struct server s;

	server_run(&s, SERVE_TLS, ctx_make("ep.example", -60, 3600, true, TLS1_3_VERSION),
		   response);
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

/* A network with nothing but a loopback interface. */
static int alone(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd, rc;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	rc = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return rc;
}

static int setup(void **state)
{
	FILE *f = fopen(CA_FILE, "w");

	(void)state;
	if (alone())
		return -1;
	signal(SIGPIPE, SIG_IGN);
	ca_key = EVP_EC_gen("P-256");
	ca_cert = cert_make(ca_key, "test-ca", NULL, ca_key, -86400, 86400);
	if (!f || !PEM_write_X509(f, ca_cert))
		return -1;
	return fclose(f);
}

static int teardown(void **state)
{
	(void)state;
	X509_free(ca_cert);
	EVP_PKEY_free(ca_key);
	return unlink(CA_FILE);
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
