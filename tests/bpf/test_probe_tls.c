/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_probe_tls.c - what a TLS probe believes and offers, against real servers on loopback: whose
 * certificates, read when and from where, and which protocols. And probes that are cancelled.
 *
 * The system's authorities are ours in this process's own mount namespace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "lib/probing.h"
#include "lib/server.h"
#include "sys/authority.h"

#define CA_FILE "/tmp/rrlb-test-tls-ca.pem"
#define OTHER_FILE "/tmp/rrlb-test-tls-other.pem" /* issues nothing */
#define OTHER_KEY "/tmp/rrlb-test-tls-other.key"
#define SYSTEM_DIR "/etc/ssl/certs"

static struct authority *ours, *others;

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

static void test_certificates(void **state)
{
	struct probe_target t;
	struct server s;

	(void)state;
	serve_tls(&s, ctx_make("ep.example", -60, 3600, true, TLS1_3_VERSION), NULL);
	t = probe_target_local(PROBE_TLS, s.port);
	t.authority = ours;
	t.verify = PROBE_VERIFY_FULL;
	probe_expect(&t, REASON_PASS, NULL);
	t.sni = "other.example";
	probe_expect(&t, REASON_CERT_NAME, NULL);
	t.verify = PROBE_VERIFY_CHAIN;
	probe_expect(&t, REASON_PASS, NULL);
	t.authority = others; /* our CA is not among them */
	probe_expect(&t, REASON_CERT_UNTRUSTED, NULL);
	server_close(&s);

	serve_tls(&s, ctx_make("ep.example", -7200, -3600, true, TLS1_3_VERSION), NULL);
	t = probe_target_local(PROBE_TLS, s.port);
	probe_expect(&t, REASON_PASS, NULL); /* not looked at */
	t.authority = ours;
	t.verify = PROBE_VERIFY_CHAIN;
	probe_expect(&t, REASON_CERT_EXPIRED, NULL);
	server_close(&s);

	serve_tls(&s, ctx_make("ep.example", -60, 3600, false, TLS1_3_VERSION), NULL);
	t.to.port = s.port;
	probe_expect(&t, REASON_CERT_UNTRUSTED, NULL);
	server_close(&s);
}

static void copy(const char *from, const char *to)
{
	char text[8192];
	FILE *f = fopen(from, "r");
	size_t n = f ? fread(text, 1, sizeof(text), f) : 0;

	assert_true(n > 0 && n < sizeof(text));
	fclose(f);
	f = fopen(to, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* Our authority is now the system's, in its list and in its folder, by name and by hash. */
static void system_is_ours(void)
{
	char path[128];
	FILE *f = fopen(CA_FILE, "r");
	X509 *x = PEM_read_X509(f, NULL, NULL, NULL);

	fclose(f);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", SYSTEM_DIR, "tmpfs", 0, NULL), 0);
	copy(CA_FILE, SYSTEM_DIR "/ca-certificates.crt");
	snprintf(path, sizeof(path), SYSTEM_DIR "/%08lx.0",
		 X509_NAME_hash_ex(X509_get_subject_name(x), NULL, NULL, NULL));
	copy(CA_FILE, path);
	X509_free(x);
}

/* A file of authorities replaces the system's: what only those have issued is not believed. */
static void test_file_replaces_system(void **state)
{
	struct authority *system;
	struct probe_target t;
	struct server s;
	char why[160];

	(void)state;
	system_is_ours();
	assert_int_equal(authority_load(&system, "", why, sizeof(why)), 0);
	serve_tls(&s, ctx_make("ep.example", -60, 3600, true, TLS1_3_VERSION), NULL);
	t = probe_target_local(PROBE_TLS, s.port);
	t.verify = PROBE_VERIFY_FULL;
	t.authority = system;
	probe_expect(&t, REASON_PASS, NULL);
	t.authority = others;
	probe_expect(&t, REASON_CERT_UNTRUSTED, NULL);
	server_close(&s);
	authority_free(system);
}

static int load_rc(const char *file, const char *text)
{
	struct authority *a = NULL;
	char why[160] = "";
	int rc = authority_load(&a, file, why, sizeof(why));

	assert_null(a);
	if (!strstr(why, text))
		fail_msg("'%s', expected '%s' in it", why, text);
	return rc;
}

static void test_bad_files(void **state)
{
	static const char file[] = "/tmp/rrlb-test-tls-bad.pem";

	(void)state;
	assert_int_equal(load_rc("/nonexistent", "/nonexistent: No such file"), -ENOENT);
	assert_int_equal(load_rc("/tmp", "not a regular file"), -EINVAL);
	assert_int_equal(load_rc(OTHER_KEY, "no certificate is in it"), -ENODATA);
	unlink(file);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(load_rc(file, "not a regular file"), -EINVAL);
	unlink(file);
	copy(CA_FILE, file);
	assert_int_equal(truncate(file, 200), 0);
	assert_true(load_rc(file, file) < 0);
	unlink(file);
}

/* What is in memory goes on, whatever becomes of the file; that it has changed is seen. */
static void test_file_goes(void **state)
{
	static const char file[] = "/tmp/rrlb-test-tls-goes.pem";
	struct authority *a;
	struct probe_target t;
	struct server s;
	char why[160];

	(void)state;
	copy(CA_FILE, file);
	assert_int_equal(authority_load(&a, file, why, sizeof(why)), 0);
	assert_int_equal(authority_look(a), 0);
	copy(OTHER_FILE, file);
	assert_int_equal(authority_look(a), -ESTALE);
	unlink(file);
	assert_int_equal(authority_look(a), -ENOENT);
	serve_tls(&s, ctx_make("ep.example", -60, 3600, true, TLS1_3_VERSION), NULL);
	t = probe_target_local(PROBE_TLS, s.port);
	t.verify = PROBE_VERIFY_FULL;
	t.authority = a;
	probe_expect(&t, REASON_PASS, NULL);
	server_close(&s);
	authority_free(a);
}

/* ---- ALPN ---- */

static struct offer {
	unsigned char names[64];
	unsigned int len;
} offer;

static int take_offer(SSL *ssl, const unsigned char **out, unsigned char *outlen,
		      const unsigned char *in, unsigned int inlen, void *arg)
{
	(void)ssl;
	(void)out;
	(void)outlen;
	(void)arg;
	offer.len = inlen < sizeof(offer.names) ? inlen : sizeof(offer.names);
	memcpy(offer.names, in, offer.len);
	return SSL_TLSEXT_ERR_NOACK;
}

static void alpn(enum probe_type type, const char *names, const char *sent)
{
	SSL_CTX *ctx = ctx_make("ep.example", -60, 3600, true, TLS1_3_VERSION);
	struct probe_target t;
	struct server s;

	offer.len = 0;
	SSL_CTX_set_alpn_select_cb(ctx, take_offer, NULL);
	serve_tls(&s, ctx, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	t = probe_target_local(type, s.port);
	t.alpn = names;
	probe_expect(&t, REASON_PASS, NULL);
	server_close(&s);
	assert_int_equal(offer.len, strlen(sent));
	assert_memory_equal(offer.names, sent, offer.len);
}

static void test_alpn(void **state)
{
	(void)state;
	alpn(PROBE_TLS, NULL, "");
	alpn(PROBE_TLS, "foo", "\3foo");
	alpn(PROBE_TLS, "h2,foo,http/1.1", "\2h2\3foo\10http/1.1");
	alpn(PROBE_HTTPS, NULL, "");
	alpn(PROBE_HTTPS, "http/1.1", "\10http/1.1");
	alpn(PROBE_HTTPS, "foo,h2", "\3foo\2h2");
}

/* ---- cancelled ---- */

static void test_cancel(void **state)
{
	struct probing w;
	struct probe_target t;
	struct server s;

	(void)state;
	server_open(&s, 16);
	t = probe_target_local(PROBE_TLS, s.port);
	t.timeout = PROBING_SHORT;
	probing_open(&w);
	for (uint64_t tag = 40; tag < 44; tag++)
		assert_int_equal(probe_start(w.ps, tag, &t), 0);
	probe_cancel(w.ps, 40);
	probe_cancel(w.ps, 41);
	probe_cancel(w.ps, 43);
	probe_cancel(w.ps, 43); /* is not there any more */
	assert_int_equal(probes_inflight(w.ps), 1);
	probing_run(&w, MONO_S(10));
	assert_int_equal(w.results, 1);
	assert_int_equal(probes_inflight(w.ps), 0);
	probing_close(&w);
	server_close(&s);
}

static int setup(void **state)
{
	char why[160];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (net_alone() || ca_make(CA_FILE) || cert_files("other", OTHER_FILE, OTHER_KEY))
		return -1;
	return authority_load(&ours, CA_FILE, why, sizeof(why)) ||
	       authority_load(&others, OTHER_FILE, why, sizeof(why));
}

static int teardown(void **state)
{
	(void)state;
	authority_free(ours);
	authority_free(others);
	unlink(OTHER_FILE);
	unlink(OTHER_KEY);
	ca_drop(CA_FILE);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates), cmocka_unit_test(test_file_replaces_system),
		cmocka_unit_test(test_bad_files),    cmocka_unit_test(test_file_goes),
		cmocka_unit_test(test_alpn),	     cmocka_unit_test(test_cancel),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
