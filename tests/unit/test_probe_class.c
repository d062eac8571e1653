/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_probe_class.c - from what libcurl saw to a reason, one row per way to fail; and the search
 * in a stream. Compiles the pure file into itself: the layer it belongs to is not pure and not
 * linked here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/sys/curl_class.c"
#include "controller/sys/probe_class.c"

#define LO .status_lo = 200, .status_hi = 399

struct row {
	struct probe_facts f;
	enum reason why;
	const char *text; /* NULL = whatever */
};

static const struct row rows[] = {
	{ { .type = PROBE_TCP, .code = CURLE_OK, .connected = true }, REASON_PASS, "" },
	{ { .type = PROBE_TLS, .code = CURLE_OK, .tls_done = true }, REASON_PASS, "" },
	{ { .type = PROBE_HTTPS, .code = CURLE_OK, .status = 200, .found = true, LO },
	  REASON_PASS,
	  "" },
	/* we cut the transfer off ourselves: not an error */
	{ { .type = PROBE_HTTPS,
	    .code = CURLE_WRITE_ERROR,
	    .body_ended = true,
	    .status = 204,
	    .found = true,
	    LO },
	  REASON_PASS,
	  "" },
	{ { .type = PROBE_HTTPS, .code = CURLE_OK, .status = 503, .found = true, LO },
	  REASON_HTTP_STATUS,
	  "status 503, expected 200-399" },
	{ { .type = PROBE_HTTPS, .code = CURLE_OK, .status = 400, .found = true, LO },
	  REASON_HTTP_STATUS,
	  NULL },
	{ { .type = PROBE_HTTPS, .code = CURLE_OK, .status = 399, .found = true, LO },
	  REASON_PASS,
	  "" },
	{ { .type = PROBE_HTTPS, .code = CURLE_OK, .status = 200, LO },
	  REASON_EXPECT_MISMATCH,
	  "status 200, expected text not in the body" },
	{ { .type = PROBE_HTTPS, .code = CURLE_WRITE_ERROR, .body_ended = true, .status = 200, LO },
	  REASON_EXPECT_MISMATCH,
	  NULL },
	{ { .code = CURLE_COULDNT_CONNECT, .err = ECONNREFUSED }, REASON_REFUSED, NULL },
	{ { .code = CURLE_COULDNT_CONNECT, .err = ECONNRESET }, REASON_RESET, NULL },
	{ { .code = CURLE_COULDNT_CONNECT, .err = EHOSTUNREACH }, REASON_UNREACHABLE, NULL },
	{ { .code = CURLE_COULDNT_CONNECT, .err = ETIMEDOUT }, REASON_CONNECT_TIMEOUT, NULL },
	{ { .code = CURLE_COULDNT_CONNECT, .err = 0 }, REASON_UNREACHABLE, NULL },
	/* ours */
	{ { .code = CURLE_COULDNT_CONNECT, .err = ENETUNREACH }, REASON_LOCAL_ERROR, NULL },
	{ { .code = CURLE_COULDNT_CONNECT, .err = EMFILE }, REASON_LOCAL_ERROR, NULL },
	{ { .code = CURLE_COULDNT_CONNECT, .err = EADDRNOTAVAIL }, REASON_LOCAL_ERROR, NULL },
	{ { .code = CURLE_COULDNT_CONNECT, .err = EPERM }, REASON_LOCAL_ERROR, NULL },
	{ { .code = CURLE_OUT_OF_MEMORY }, REASON_LOCAL_ERROR, NULL },
	{ { .type = PROBE_TLS, .code = CURLE_SSL_CACERT_BADFILE, .connected = true },
	  REASON_LOCAL_ERROR,
	  NULL },
	/* timeouts by phase */
	{ { .type = PROBE_TCP, .code = CURLE_OPERATION_TIMEDOUT }, REASON_CONNECT_TIMEOUT, NULL },
	{ { .type = PROBE_TLS, .code = CURLE_OPERATION_TIMEDOUT }, REASON_CONNECT_TIMEOUT, NULL },
	{ { .type = PROBE_TLS, .code = CURLE_OPERATION_TIMEDOUT, .connected = true },
	  REASON_TLS_TIMEOUT,
	  NULL },
	{ { .type = PROBE_HTTPS, .code = CURLE_OPERATION_TIMEDOUT, .connected = true },
	  REASON_TLS_TIMEOUT,
	  NULL },
	{ { .type = PROBE_HTTPS,
	    .code = CURLE_OPERATION_TIMEDOUT,
	    .connected = true,
	    .tls_done = true },
	  REASON_HTTP_TIMEOUT,
	  NULL },
	/* certificates */
	{ { .type = PROBE_TLS,
	    .code = CURLE_PEER_FAILED_VERIFICATION,
	    .connected = true,
	    .verify = X509_V_ERR_CERT_HAS_EXPIRED },
	  REASON_CERT_EXPIRED,
	  NULL },
	{ { .type = PROBE_TLS,
	    .code = CURLE_PEER_FAILED_VERIFICATION,
	    .connected = true,
	    .verify = X509_V_ERR_CERT_NOT_YET_VALID },
	  REASON_CERT_EXPIRED,
	  NULL },
	{ { .type = PROBE_TLS, .code = CURLE_PEER_FAILED_VERIFICATION, .connected = true },
	  REASON_CERT_NAME,
	  NULL },
	{ { .type = PROBE_TLS,
	    .code = CURLE_PEER_FAILED_VERIFICATION,
	    .connected = true,
	    .verify = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT },
	  REASON_CERT_UNTRUSTED,
	  NULL },
	{ { .type = PROBE_TLS,
	    .code = CURLE_PEER_FAILED_VERIFICATION,
	    .connected = true,
	    .verify = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
	  REASON_CERT_UNTRUSTED,
	  NULL },
	{ { .type = PROBE_TLS,
	    .code = CURLE_PEER_FAILED_VERIFICATION,
	    .connected = true,
	    .verify = X509_V_ERR_UNSPECIFIED },
	  REASON_CERT_NAME,
	  NULL },
	{ { .type = PROBE_TLS,
	    .code = CURLE_SSL_CONNECT_ERROR,
	    .connected = true,
	    .verify = X509_V_ERR_CERT_SIGNATURE_FAILURE },
	  REASON_CERT_UNTRUSTED,
	  NULL },
	/* handshake */
	{ { .type = PROBE_TLS,
	    .code = CURLE_SSL_CONNECT_ERROR,
	    .connected = true,
	    .message =
		    "OpenSSL/3.0.17: error:0A00042E:SSL routines::tlsv1 alert protocol version" },
	  REASON_TLS_ALERT,
	  "tlsv1 alert protocol version" },
	{ { .type = PROBE_TLS,
	    .code = CURLE_SSL_CONNECT_ERROR,
	    .connected = true,
	    .err = ECONNRESET },
	  REASON_RESET,
	  NULL },
	/* after the handshake */
	{ { .type = PROBE_HTTPS, .code = CURLE_GOT_NOTHING, .connected = true, .tls_done = true },
	  REASON_RESET,
	  NULL },
	{ { .type = PROBE_HTTPS,
	    .code = CURLE_RECV_ERROR,
	    .connected = true,
	    .tls_done = true,
	    .err = ECONNRESET },
	  REASON_RESET,
	  NULL },
	{ { .type = PROBE_HTTPS,
	    .code = CURLE_RECV_ERROR,
	    .connected = true,
	    .tls_done = true,
	    .message = "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate "
		       "required" },
	  REASON_TLS_ALERT,
	  "tlsv13 alert certificate required" },
	{ { .type = PROBE_HTTPS,
	    .code = CURLE_UNSUPPORTED_PROTOCOL,
	    .connected = true,
	    .tls_done = true },
	  REASON_HTTP_STATUS,
	  NULL },
};

static void test_rows(void **state)
{
	char text[96];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum reason why = probe_classify(&rows[i].f, text, sizeof(text));

		if (why != rows[i].why)
			fail_msg("row %zu: reason %d, expected %d", i, why, rows[i].why);
		if (rows[i].text)
			assert_string_equal(text, rows[i].text);
	}
}

/* Every way to cut a body in two or three finds the text; a body without it never does. */
static void test_match_pieces(void **state)
{
	static const char body[] = "..status: oknot okayok!..";
	const size_t len = sizeof(body) - 1;
	struct probe_match m;

	(void)state;
	for (size_t a = 0; a <= len; a++) {
		for (size_t b = a; b <= len; b++) {
			probe_match_init(&m, "okayok!");
			probe_match_feed(&m, body, a);
			probe_match_feed(&m, body + a, b - a);
			probe_match_feed(&m, body + b, len - b);
			assert_true(m.found);
			probe_match_init(&m, "okok");
			probe_match_feed(&m, body, a);
			probe_match_feed(&m, body + a, b - a);
			probe_match_feed(&m, body + b, len - b);
			assert_false(m.found);
		}
	}
}

static void test_match_bytewise(void **state)
{
	char want[PROBE_EXPECT_MAX];
	struct probe_match m;

	(void)state;
	memset(want, 'a', sizeof(want));
	want[sizeof(want) - 2] = 'b';
	want[sizeof(want) - 1] = '\0';
	probe_match_init(&m, want);
	for (int i = 0; i < 1000; i++)
		assert_true(probe_match_feed(&m, "a", 1));
	assert_false(probe_match_feed(&m, "b", 1));
	assert_true(m.found);
}

static void test_match_bounded(void **state)
{
	static char block[4096];
	struct probe_match m;

	(void)state;
	probe_match_init(&m, "x");
	for (int i = 0; i < PROBE_BODY_MAX / 4096 - 1; i++)
		assert_true(probe_match_feed(&m, block, sizeof(block)));
	assert_false(probe_match_feed(&m, block, sizeof(block)));
	assert_false(probe_match_feed(&m, "x", 1)); /* behind the end: not looked at */
	assert_false(m.found);
	probe_match_init(&m, "");
	assert_true(probe_match_feed(&m, block, 10)); /* nothing is wanted: read on to the end */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_match_pieces),
		cmocka_unit_test(test_match_bytewise),
		cmocka_unit_test(test_match_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
