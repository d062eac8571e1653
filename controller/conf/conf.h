/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf.h - what the operator asked for, as plain data. Pure: takes text, not files.
 *
 * conf_parse() owns nothing of the text after it returns; the caller owns the struct and frees it
 * with conf_free(). Strings are inline arrays, lists are malloc'ed arrays inside the struct.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rr_mode.h"
#include "rr_policy.h"
#include "util/addr.h"
#include "util/clock.h"
#include "util/words.h"

#define CONF_FILE_MAX (16u << 20) /* of a configuration file, bytes, whoever reads it */
#define CONF_NAME_MAX 64
#define CONF_MAX_ERRORS 20
#define CONF_MAX_LOCALS 8
#define CONF_MAX_IFACES 15
#define CONF_MAX_SERVICES 256
#define CONF_MAX_ENDPOINTS 1024 /* of one service */
#define CONF_MAX_ALL_ENDPOINTS 8191 /* of all services together */
#define CONF_WEIGHT_MIN 1
#define CONF_WEIGHT_MAX 1000
#define CONF_MAX_ALL_LOCALS 256 /* different local addresses of all services together */

enum conf_balance { CONF_BALANCE_ROUND_ROBIN };
enum conf_deadline { CONF_DEADLINE_RST, CONF_DEADLINE_KEEP, CONF_DEADLINE_FORGET };

struct conf_health {
	enum probe_type type; /* default tls */
	mono_t interval; /* 2s; 100ms..1h */
	mono_t timeout; /* 1s; <= interval */
	uint32_t rise, fall; /* 2, 3; 1..20 */
	mono_t fast_interval; /* 500ms */
	mono_t down_interval; /* 5s */
	uint32_t jitter; /* percent of every wait, 0..50; 10 */
	enum health_begin init; /* down */
	char sni[256]; /* "" = none */
	enum probe_verify verify; /* none; full when a ca is given */
	char ca[256]; /* file, "" = none */
	char alpn[64]; /* comma-separated, "" = none */
	uint32_t tls_min; /* 12 or 13 */
	uint16_t port; /* 0 = the endpoint's own */
	char path[256]; /* https: "/" */
	char host[256]; /* https: Host header, "" = sni or address */
	uint32_t status_lo, status_hi; /* https: 200..399 */
	char expect[256]; /* https: text that the body must contain, "" = none */
};

struct conf_endpoint {
	struct addr addr;
	uint32_t weight; /* 1..1000; 100 */
	enum ep_admin admin;
	uint32_t line; /* where it was written, for messages */
};

struct conf_service {
	char name[CONF_NAME_MAX]; /* letters, digits, - _ . */
	struct addr listen;
	enum rr_mode mode;
	enum conf_balance balance;
	enum rr_unknown on_unknown; /* rst */
	enum rr_overflow overflow; /* rst */
	struct addr local
		[CONF_MAX_LOCALS]; /* nat source addresses; none = the kernel's choice by route */
	size_t locals;
	mono_t t_syn, t_idle, t_fin1, t_fin2, t_rst; /* 30s 900s 120s 30s 10s (control-plane 6.5) */
	mono_t drain_deadline; /* 300s */
	enum conf_deadline on_deadline; /* rst */
	uint32_t weight_default; /* 100 */
	struct conf_health health;
	struct conf_endpoint *endpoint;
	size_t endpoints; /* 1..1024 */
	uint32_t line;
};

struct conf_iface {
	char name[16];
	enum dp_attach attach; /* dispatcher */
	enum dp_xdp xdp; /* auto: native first, generic as a fallback that is said aloud */
	uint32_t line;
};

struct conf {
	unsigned int shares; /* holders besides the first; conf_share() */
	struct conf_iface *iface;
	size_t ifaces; /* 1..15: RR_MAX_IFACES */
	struct conf_service *service;
	size_t services; /* 0..256 */
	char socket[108]; /* /run/rrlb/control.sock */
	char socket_group[32]; /* group that may operate; "rrlb" */
	char readonly_group[32]; /* "rrlb-ro" */
	char state_file[256]; /* /var/lib/rrlb/state.json */
	uint32_t flows_ipv4; /* entries; rounded up to a power of two; 1048576 */
	uint32_t flows_ipv6; /* 262144 */
	uint16_t port_lo, port_hi; /* nat local ports, 1024..32767 */
	uint32_t port_sets; /* endpoint and local addresses whose ports are followed; 256 */
	mono_t time_wait; /* how long an endpoint may keep a closed connection; 61 s */
	uint32_t rst_rate; /* RSTs a second and CPU; 1000 */
};

/* What probes cost, in units of about 200 us of CPU (a tcp probe is 1), and how many may be spent
 * a second: one core. */
#define CONF_PROBE_RATE 5000
uint32_t conf_probe_cost(enum probe_type type);
/* How many units all probes of the configuration are a second while every endpoint is up. */
double conf_probe_load(const struct conf *c);
/* Is that more than can be? Then `buf` says so and what to do. */
bool conf_probe_warning(const struct conf *c, char *buf, size_t len);
/* Do both ask the same of an address, and expect the same within the same time? */
bool conf_probe_same(const struct conf_health *a, const struct conf_health *b);

struct conf_error {
	uint32_t line, col; /* from 1 */
	uint32_t len; /* columns to underline, at least 1 */
	char text[200]; /* "unknown option 'intervall' in health (did you mean 'interval'?)" */
};

struct conf_errors {
	struct conf_error e[CONF_MAX_ERRORS];
	size_t n;
	bool more; /* there were more than fit */
};

/* What makes an address and a weight no endpoint of a service. */
enum conf_fault {
	CONF_FAULT_NONE, /* nothing: it is one */
	CONF_FAULT_ADDRESS, /* no address, or no port */
	CONF_FAULT_UNUSABLE, /* an address that no host can have: multicast, link-local, ... */
	CONF_FAULT_WEIGHT,
	CONF_FAULT_FAMILY, /* not the family of the service's address */
	CONF_FAULT_LISTEN, /* the service's own address, which would send packets back to it */
	/* the mode does not change ports, and this one differs from the service's */
	CONF_FAULT_PORT,
};

/*
 * The one rule about what may be an endpoint, for all who propose one: the file, a command, the
 * state file. `s` gives what it must fit (listen and mode); NULL = only what holds for every
 * service. `weight` 0 = none given. On a fault `why` (of len bytes) is a sentence for people,
 * without a full stop; otherwise it is untouched. That an endpoint stands twice, or is one too
 * many, is not seen.
 */
enum conf_fault conf_endpoint_valid(const struct conf_service *s, const struct addr *a,
				    uint32_t weight, char *why, size_t len);
/* Everything at its default, nothing listed; NULL when out of memory. */
struct conf *conf_new(void);
void conf_service_init(
	struct conf_service *s); /* one service at its defaults, no name, no endpoints */
/* NULL and err->n > 0 on any error; err is reset first, and sorted by position after. */
struct conf *conf_parse(const char *text, size_t len, struct conf_errors *err);
/*
 * "file:line:col: error: message", the line, the caret line; `name` is the file's. malloc'ed, the
 * caller frees.
 */
char *conf_errors_format(const char *name, const char *text, size_t len,
			 const struct conf_errors *err);
/*
 * Canonical text, only what differs from the defaults, or with every default spelled out. Either
 * parses back to an equal struct. malloc'ed, the caller frees; NULL when out of memory.
 */
char *conf_print(const struct conf *c);
char *conf_print_full(const struct conf *c);
struct conf *conf_copy(const struct conf *c);
/*
 * One more holder of the same struct, which is not changed any more; each holder calls
 * conf_free(). Returns c.
 */
struct conf *conf_share(struct conf *c);
bool conf_equal(const struct conf *a, const struct conf *b);
void conf_free(struct conf *c);
const struct conf_service *conf_service_find(const struct conf *c, const char *name);
/* Words of the choices that util/words.h does not have; word_of() and word_find() read them. */
extern const struct word conf_mode_words[], conf_balance_words[], conf_unknown_words[],
	conf_overflow_words[], conf_deadline_words[];

#endif
