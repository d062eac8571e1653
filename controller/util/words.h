/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * words.h - the choices that more than one layer knows, one row each: X(ID, word). The word is what
 * the configuration file, rrctl, the state file and the manual call it; the enum is what the code
 * does. Each concept stands here once, so no layer translates another's numbers.
 *
 * The numbers are private to the process: what is stored or sent is the word.
 */
#ifndef UTIL_WORDS_H
#define UTIL_WORDS_H

#include <stdbool.h>

struct word {
	const char *word; /* NULL ends a table */
	int value;
};

#define WORD_ID(id, word) id,
#define WORD_ROW(id, word) { word, id },
#define WORD_END \
	{ \
		NULL, 0 \
	}

/* What the operator wants of an endpoint. */
#define EP_ADMINS(X) X(EP_READY, "ready") X(EP_DRAIN, "drain") X(EP_MAINT, "maint")
enum ep_admin { EP_ADMINS(WORD_ID) };
extern const struct word ep_admin_words[];

/* Who puts the program on an interface: libxdp's dispatcher, a bpf_link, or somebody else. */
#define DP_ATTACHES(X) \
	X(DP_ATTACH_DISPATCHER, "dispatcher") \
	X(DP_ATTACH_LINK, "link") \
	X(DP_ATTACH_EXTERNAL, "external")
enum dp_attach { DP_ATTACHES(WORD_ID) };
extern const struct word dp_attach_words[];

/* Where the program runs: in the driver, in the stack, or in the first of them that takes it. */
#define DP_XDPS(X) X(DP_XDP_AUTO, "auto") X(DP_XDP_NATIVE, "native") X(DP_XDP_GENERIC, "generic")
enum dp_xdp { DP_XDPS(WORD_ID) };
extern const struct word dp_xdp_words[];

/* How far a probe goes. NONE starts no probes: its endpoints count as up. */
#define PROBE_TYPES(X) \
	X(PROBE_TLS, "tls") X(PROBE_TCP, "tcp") X(PROBE_HTTPS, "https") X(PROBE_NONE, "none")
enum probe_type { PROBE_TYPES(WORD_ID) };
extern const struct word probe_type_words[];

/* What of a certificate counts: nothing; issuer and dates; or also the name. */
#define PROBE_VERIFIES(X) \
	X(PROBE_VERIFY_NONE, "none") X(PROBE_VERIFY_CHAIN, "chain") X(PROBE_VERIFY_FULL, "full")
enum probe_verify { PROBE_VERIFIES(WORD_ID) };
extern const struct word probe_verify_words[];

/* What an endpoint is before its first probe has ended; STRICT also asks for `rise` passes. */
#define HEALTH_BEGINS(X) \
	X(HEALTH_BEGIN_DOWN, "down") X(HEALTH_BEGIN_UP, "up") X(HEALTH_BEGIN_STRICT, "strict")
enum health_begin { HEALTH_BEGINS(WORD_ID) };
extern const struct word health_begin_words[];

/* How bad a problem is: a note; served, but look at it; some new connections cannot be served. */
#define PROBLEM_LEVELS(X) \
	X(PROBLEM_INFO, "info") X(PROBLEM_WARNING, "warning") X(PROBLEM_CRITICAL, "critical")
enum problem_level { PROBLEM_LEVELS(WORD_ID) };
extern const struct word problem_level_words[];

/* The word of a value, or "unknown". Never NULL; not to be freed. */
const char *word_of(const struct word *words, int value);
/* The value of a word, exactly as written; false, and *value untouched, when the table lacks it. */
bool word_find(const struct word *words, const char *text, int *value);

#endif
