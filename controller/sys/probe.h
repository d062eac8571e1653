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

struct authority;

/* All that it points to needs to live only until probe_start() returns; NULL or "" = not set. */
struct probe_target {
	enum probe_type type;
	struct addr to; /* address and port that are connected to */
	mono_t timeout; /* connect, TLS and exchange together */
	const char *sni; /* server name; also the name that VERIFY_FULL asks of the certificate */
	enum probe_verify verify;
	const struct authority *authority; /* who is believed; needed unless VERIFY_NONE */
	/*
	 * Protocol names by comma: exactly these are offered, in this order; not set = no ALPN at
	 * all. An https probe speaks HTTP/2 when the server chooses "h2", else HTTP/1.1.
	 */
	const char *alpn;
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
/*
 * 0, or there will be no result: -EAGAIN when PROBE_MAX_INFLIGHT are in flight, -EINVAL for a
 * target that cannot be, or -errno.
 */
int probe_start(struct probes *p, uint64_t tag, const struct probe_target *t);
/* Ends the probe of this tag without a result, if it is in flight. Not inside probe_done. */
void probe_cancel(struct probes *p, uint64_t tag);
size_t probes_inflight(const struct probes *p);

#endif
