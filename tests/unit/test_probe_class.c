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

#define ROW(reason, said, ...) \
	{ \
		{ __VA_ARGS__ }, reason, said \
	}
/* The transfer failed in the TLS handshake, or after it. */
#define TLS_BAD(id) .type = PROBE_TLS, .code = CURLE_##id, .connected = true
#define HTTPS_BAD(id) .type = PROBE_HTTPS, .code = CURLE_##id, .connected = true, .tls_done = true

static const struct row rows[] = {
	ROW(REASON_PASS, "", .type = PROBE_TCP, .code = CURLE_OK, .connected = true),
	ROW(REASON_PASS, "", .type = PROBE_TLS, .code = CURLE_OK, .tls_done = true),
	ROW(REASON_PASS, "", .type = PROBE_HTTPS, .code = CURLE_OK, .status = 200, .found = true,
	    LO),
	/* we cut the transfer off ourselves: not an error */
	ROW(REASON_PASS, "", .type = PROBE_HTTPS, .code = CURLE_WRITE_ERROR, .body_ended = true,
	    .status = 204, .found = true, LO),
	ROW(REASON_HTTP_STATUS, "status 503, expected 200-399", .type = PROBE_HTTPS,
	    .code = CURLE_OK, .status = 503, .found = true, LO),
	ROW(REASON_HTTP_STATUS, NULL, .type = PROBE_HTTPS, .code = CURLE_OK, .status = 400,
	    .found = true, LO),
	ROW(REASON_PASS, "", .type = PROBE_HTTPS, .code = CURLE_OK, .status = 399, .found = true,
	    LO),
	ROW(REASON_EXPECT_MISMATCH, "status 200, expected text not in the body",
	    .type = PROBE_HTTPS, .code = CURLE_OK, .status = 200, LO),
	ROW(REASON_EXPECT_MISMATCH, NULL, .type = PROBE_HTTPS, .code = CURLE_WRITE_ERROR,
	    .body_ended = true, .status = 200, LO),
	ROW(REASON_REFUSED, NULL, .code = CURLE_COULDNT_CONNECT, .err = ECONNREFUSED),
	ROW(REASON_REFUSED, "Failed to connect to 2001:db8:2::13 port 8443: Connection refused",
	    .code = CURLE_COULDNT_CONNECT, .err = ECONNREFUSED,
	    .message = "Failed to connect to 2001:db8:2::13 port 8443: Connection refused"),
	ROW(REASON_RESET, NULL, .code = CURLE_COULDNT_CONNECT, .err = ECONNRESET),
	ROW(REASON_UNREACHABLE, NULL, .code = CURLE_COULDNT_CONNECT, .err = EHOSTUNREACH),
	ROW(REASON_CONNECT_TIMEOUT, NULL, .code = CURLE_COULDNT_CONNECT, .err = ETIMEDOUT),
	ROW(REASON_UNREACHABLE, NULL, .code = CURLE_COULDNT_CONNECT, .err = 0),
	/* ours */
	ROW(REASON_LOCAL_ERROR, NULL, .code = CURLE_COULDNT_CONNECT, .err = ENETUNREACH),
	ROW(REASON_LOCAL_ERROR, NULL, .code = CURLE_COULDNT_CONNECT, .err = EMFILE),
	ROW(REASON_LOCAL_ERROR, NULL, .code = CURLE_COULDNT_CONNECT, .err = EADDRNOTAVAIL),
	ROW(REASON_LOCAL_ERROR, NULL, .code = CURLE_COULDNT_CONNECT, .err = EPERM),
	ROW(REASON_LOCAL_ERROR, NULL, .code = CURLE_OUT_OF_MEMORY),
	ROW(REASON_LOCAL_ERROR, NULL, .type = PROBE_TLS, .code = CURLE_SSL_CACERT_BADFILE,
	    .connected = true),
	/* timeouts by phase */
	ROW(REASON_CONNECT_TIMEOUT, NULL, .type = PROBE_TCP, .code = CURLE_OPERATION_TIMEDOUT),
	ROW(REASON_CONNECT_TIMEOUT, NULL, .type = PROBE_TLS, .code = CURLE_OPERATION_TIMEDOUT),
	ROW(REASON_TLS_TIMEOUT, NULL, .type = PROBE_TLS, .code = CURLE_OPERATION_TIMEDOUT,
	    .connected = true),
	ROW(REASON_TLS_TIMEOUT, NULL, .type = PROBE_HTTPS, .code = CURLE_OPERATION_TIMEDOUT,
	    .connected = true),
	ROW(REASON_HTTP_TIMEOUT, NULL, HTTPS_BAD(OPERATION_TIMEDOUT)),
	/* certificates */
	ROW(REASON_CERT_EXPIRED, NULL, TLS_BAD(PEER_FAILED_VERIFICATION),
	    .verify = X509_V_ERR_CERT_HAS_EXPIRED),
	ROW(REASON_CERT_EXPIRED, NULL, TLS_BAD(PEER_FAILED_VERIFICATION),
	    .verify = X509_V_ERR_CERT_NOT_YET_VALID),
	ROW(REASON_CERT_NAME, NULL, TLS_BAD(PEER_FAILED_VERIFICATION)),
	ROW(REASON_CERT_UNTRUSTED, NULL, TLS_BAD(PEER_FAILED_VERIFICATION),
	    .verify = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT),
	ROW(REASON_CERT_UNTRUSTED, NULL, TLS_BAD(PEER_FAILED_VERIFICATION),
	    .verify = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY),
	ROW(REASON_CERT_NAME, NULL, TLS_BAD(PEER_FAILED_VERIFICATION),
	    .verify = X509_V_ERR_UNSPECIFIED),
	ROW(REASON_CERT_UNTRUSTED, NULL, TLS_BAD(SSL_CONNECT_ERROR),
	    .verify = X509_V_ERR_CERT_SIGNATURE_FAILURE),
	/* handshake */
	ROW(REASON_TLS_ALERT, "tlsv1 alert protocol version", TLS_BAD(SSL_CONNECT_ERROR),
	    .message = "OpenSSL/3.0.17: error:0A00042E:SSL routines::tlsv1 alert protocol version"),
	ROW(REASON_RESET, NULL, TLS_BAD(SSL_CONNECT_ERROR), .err = ECONNRESET),
	/* after the handshake */
	ROW(REASON_RESET, NULL, HTTPS_BAD(GOT_NOTHING)),
	ROW(REASON_RESET, NULL, HTTPS_BAD(RECV_ERROR), .err = ECONNRESET),
	ROW(REASON_TLS_ALERT, "tlsv13 alert certificate required", HTTPS_BAD(RECV_ERROR),
	    .message = "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate "
		       "required"),
	ROW(REASON_HTTP_STATUS, NULL, HTTPS_BAD(UNSUPPORTED_PROTOCOL)),
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

static bool found_in_three(const char *body, size_t a, size_t b, const char *want)
{
	struct probe_match m;

	probe_match_init(&m, want);
	probe_match_feed(&m, body, a);
	probe_match_feed(&m, body + a, b - a);
	probe_match_feed(&m, body + b, strlen(body) - b);
	return m.found;
}

/* Every way to cut a body in two or three finds the text; a body without it never does. */
static void test_match_pieces(void **state)
{
	static const char body[] = "..status: oknot okayok!..";
	const size_t len = sizeof(body) - 1;

	(void)state;
	for (size_t a = 0; a <= len; a++) {
		for (size_t b = a; b <= len; b++) {
			assert_true(found_in_three(body, a, b, "okayok!"));
			assert_false(found_in_three(body, a, b, "okok"));
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
