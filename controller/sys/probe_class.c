/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe_class.c - decides why a probe failed.
 *
 * libcurl says what broke (a code), the kernel why (an errno), and the phase timers how far the
 * probe had come; only all three together tell "nobody listens" from "somebody listens but is too
 * busy". Order:
 *   1. our own trouble (no descriptor, no memory, no address, unreadable CA): LOCAL_ERROR, never
 *      held against the endpoint;
 *   2. timeouts, by the phase they cut off;
 *   3. what the network answered: refused, unreachable, reset;
 *   4. certificates, only looked at when verification was asked for;
 *   5. any other failed handshake: TLS_ALERT with the alert's name;
 *   6. the response.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include "sys/curl_class.h"
#include "sys/probe_class.h"

void probe_match_init(struct probe_match *m, const char *want)
{
	memset(m, 0, sizeof(*m));
	if (!want)
		return;
	m->len = strnlen(want, sizeof(m->want) - 1);
	memcpy(m->want, want, m->len);
}

/* Keeps the last len - 1 bytes of what has been seen, so that a text across two pieces is found. */
static void match_keep(struct probe_match *m, const char *bytes, size_t n)
{
	size_t keep = m->len - 1;
	size_t old;

	if (n >= keep) {
		memcpy(m->tail, bytes + n - keep, keep);
		m->tail_len = keep;
		return;
	}
	old = m->tail_len + n > keep ? keep - n : m->tail_len;
	memmove(m->tail, m->tail + m->tail_len - old, old);
	memcpy(m->tail + old, bytes, n);
	m->tail_len = old + n;
}

static bool match_across(const struct probe_match *m, const char *bytes, size_t n)
{
	char join[2 * PROBE_EXPECT_MAX];
	size_t head = n < m->len - 1 ? n : m->len - 1;

	memcpy(join, m->tail, m->tail_len);
	memcpy(join + m->tail_len, bytes, head);
	return memmem(join, m->tail_len + head, m->want, m->len);
}

bool probe_match_feed(struct probe_match *m, const char *bytes, size_t n)
{
	if (n > PROBE_BODY_MAX - m->seen)
		n = PROBE_BODY_MAX - m->seen;
	m->seen += n;
	if (m->len && !m->found) {
		m->found = match_across(m, bytes, n) || memmem(bytes, n, m->want, m->len);
		match_keep(m, bytes, n);
	}
	return !(m->len && m->found) && m->seen < PROBE_BODY_MAX;
}

static enum reason class_timeout(const struct probe_facts *f)
{
	if (!f->connected)
		return REASON_CONNECT_TIMEOUT;
	if (f->type != PROBE_TCP && !f->tls_done)
		return REASON_TLS_TIMEOUT;
	return f->type == PROBE_HTTPS ? REASON_HTTP_TIMEOUT : REASON_CONNECT_TIMEOUT;
}

static enum reason class_connect(const struct probe_facts *f)
{
	switch (f->err) {
	case ECONNREFUSED:
		return REASON_REFUSED;
	case ECONNRESET:
	case EPIPE:
	case ECONNABORTED:
		return REASON_RESET;
	case ETIMEDOUT:
		return REASON_CONNECT_TIMEOUT;
	default:
		return REASON_UNREACHABLE;
	}
}

static enum reason class_cert(const struct probe_facts *f)
{
	switch (f->verify) {
	case X509_V_OK:
	/* curl's "not yet known": it checks the name before the chain's result */
	case X509_V_ERR_UNSPECIFIED:
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return REASON_CERT_NAME;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return REASON_CERT_EXPIRED;
	default:
		return REASON_CERT_UNTRUSTED;
	}
}

static enum reason class_response(const struct probe_facts *f, char *text, size_t len)
{
	if (f->status < (long)f->status_lo || f->status > (long)f->status_hi) {
		snprintf(text, len, "status %ld, expected %u-%u", f->status, f->status_lo,
			 f->status_hi);
		return REASON_HTTP_STATUS;
	}
	if (!f->found) {
		snprintf(text, len, "status %ld, expected text not in the body", f->status);
		return REASON_EXPECT_MISMATCH;
	}
	return REASON_PASS;
}

/*
 * "OpenSSL/3.0.x: error:0A00042E:SSL routines::tlsv1 alert protocol version" -> what stands after
 * the last "::". Only of OpenSSL's: an IPv6 address has a "::" as well.
 */
static void text_detail(const char *message, char *text, size_t len)
{
	const char *s = message ? message : "", *p = strstr(s, "error:");

	while (p && (p = strstr(p, "::")))
		s = p += 2;
	snprintf(text, len, "%s", s);
}

static enum reason class_failure(const struct probe_facts *f)
{
	switch (f->code) {
	case CURLE_OPERATION_TIMEDOUT:
		return class_timeout(f);
	case CURLE_COULDNT_CONNECT:
		return class_connect(f);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return class_cert(f);
	case CURLE_SSL_CONNECT_ERROR:
		/* a wrong signature ends as an error of the crypto library, not of verification */
		if (f->verify == X509_V_ERR_CERT_SIGNATURE_FAILURE)
			return REASON_CERT_UNTRUSTED;
		return f->err == ECONNRESET || f->err == EPIPE ? REASON_RESET : REASON_TLS_ALERT;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		/*
		 * TLS 1.3: a server that refuses the handshake after its Finished says so in the
		 * first read
		 */
		return f->message && strstr(f->message, "alert") ? REASON_TLS_ALERT : REASON_RESET;
	default:
		return f->tls_done ? REASON_HTTP_STATUS : REASON_TLS_ALERT;
	}
}

enum reason probe_classify(const struct probe_facts *f, char *text, size_t len)
{
	text[0] = '\0';
	if (f->code == CURLE_OK || f->body_ended)
		return f->type == PROBE_HTTPS ? class_response(f, text, len) : REASON_PASS;
	text_detail(f->message, text, len);
	return curl_failed_here(f->code, f->err) ? REASON_LOCAL_ERROR : class_failure(f);
}
