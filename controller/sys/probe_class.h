/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe_class.h - from what libcurl observed to a reason; and the search for a text in a stream.
 * Pure.
 */
#ifndef SYS_PROBE_CLASS_H
#define SYS_PROBE_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/probe.h"

#define PROBE_EXPECT_MAX 256

/* A text searched for in a body that arrives in pieces. */
struct probe_match {
	char want[PROBE_EXPECT_MAX];
	size_t len; /* of want; 0 = nothing to look for */
	char tail[PROBE_EXPECT_MAX]; /* the last len - 1 bytes seen */
	size_t tail_len;
	size_t seen; /* bytes looked at, at most PROBE_BODY_MAX */
	bool found;
};

void probe_match_init(struct probe_match *m, const char *want);
/* Looks at the next bytes. false = no more are needed: found, or PROBE_BODY_MAX reached. */
bool probe_match_feed(struct probe_match *m, const char *bytes, size_t n);

/* What one transfer showed. */
struct probe_facts {
	enum probe_type type;
	int code; /* CURLcode */
	int err; /* CURLINFO_OS_ERRNO */
	/* CURLINFO_SSL_VERIFYRESULT: X509_V_ERR_* of OpenSSL, 0 = fine or not looked at */
	long verify;
	bool connected; /* CURLINFO_CONNECT_TIME_T > 0 */
	bool tls_done; /* CURLINFO_APPCONNECT_TIME_T > 0 */
	bool body_ended; /* we stopped the transfer ourselves: enough of the body was seen */
	bool found; /* the expected text, or none was asked for */
	long status; /* HTTP; 0 = no response line */
	uint32_t status_lo, status_hi;
	const char *message; /* CURLOPT_ERRORBUFFER */
};

/* The reason, and a detail for people in `text`. */
enum reason probe_classify(const struct probe_facts *f, char *text, size_t len);

#endif
