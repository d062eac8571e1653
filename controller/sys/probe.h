/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe.h - one health probe: a fresh connection to an address, as far as its type asks, with one
 * result.
 *
 * libcurl's multi interface, driven by the event loop; no curl type shows. Probes never follow
 * redirects, use no proxy, no name resolver, and speak http and https only.
 */
#ifndef SYS_PROBE_H
#define SYS_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/addr.h"
#include "util/clock.h"
#include "util/reason.h"
#include "util/words.h"

#define PROBE_MAX_INFLIGHT 1024
#define PROBE_BODY_MAX 65536 /* bytes of a response that are looked at */

/* Strings need to live only until probe_start() returns; NULL or "" = not set. */
struct probe_target {
	enum probe_type type;
	struct addr to; /* address and port that are connected to */
	mono_t timeout; /* connect, TLS and exchange together */
	const char *sni; /* server name; also the name that VERIFY_FULL asks of the certificate */
	enum probe_verify verify;
	const char *ca; /* file; not set = the system's */
	const char *alpn; /* comma-separated; "h2" in it offers HTTP/2, not set = no ALPN at all */
	uint32_t tls_min; /* 12 or 13 */
	const char *path; /* https */
	const char *host; /* https: Host header; not set = sni or the address */
	/* https: text that the first PROBE_BODY_MAX bytes must contain; < 256 bytes */
	const char *expect;
	uint32_t status_lo, status_hi;
};

struct probe_result {
	enum reason why; /* REASON_PASS or the failure */
	int err; /* errno of the socket, or 0 */
	/* the whole; SYN to connected; connected to handshake done. 0 = not reached */
	mono_t took, connect, tls;
	char text[96]; /* detail for people; "" = none */
};

struct loop;
struct probes;

/* Called from the event loop, or from probes_close() never. May call probe_start(). */
typedef void (*probe_done)(void *arg, uint64_t tag, const struct probe_result *r);

int probes_open(struct probes **p, struct loop *l, probe_done done, void *arg);
/* Cancels what is in flight, without results. */
void probes_close(struct probes *p);
/* 0, -EAGAIN when PROBE_MAX_INFLIGHT are in flight, or -errno: then there will be no result. */
int probe_start(struct probes *p, uint64_t tag, const struct probe_target *t);
size_t probes_inflight(const struct probes *p);

#endif
