/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * walk.h - walking the flow tables in memory: expiry, orphans, kills, listing. Takes pointers, not
 * the data plane's handle, so that tests run it on plain arrays. Changes nothing but `meta` words
 * and words of local ports, by compare-and-swap.
 */
#ifndef FLOW_WALK_H
#define FLOW_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rr_pair.h"

#define WALK_CLAIMS_MAX 4096 /* leaked slots that are remembered from walk to walk */
#define WALK_CLAIM_SECONDS \
	10 /* a slot CLAIMED this long in one life was left by a program that died */
#define WALK_ORPHAN_SECONDS 2 /* a reverse entry may be this young without its forward entry */
#define WALK_IDLE_FLOOR 60 /* seconds: what the idle timeout shrinks to in a full table */

struct walk_tables {
	struct rr_set4 *set4; /* NULL = none */
	struct rr_set6 *set6;
	const struct rr_pair *pair4; /* as many as slots of set4 */
	const struct rr_pair *pair6;
	uint32_t sets4, sets6; /* powers of two */
	const struct rr_listener *listener;
	const struct rr_service *service;
	const struct rr_endpoint *endpoint;
	const struct rr_control *control; /* range and rest of local ports */
	struct rr_port_line *port; /* their words */
	uint32_t port_lines; /* 0 = no port has a word */
	uint64_t seed;
	uint32_t hz;
};

/* One entry as read in one life of its slot. */
struct walk_entry {
	struct rr_flow *f;
	/* What rr_pair_is() compares; `listener` is set in a forward entry as well. */
	struct rr_half half;
	int af; /* of its table: a reverse entry in flows6 may be of IPv4 addresses, mapped */
	uint32_t seen;
	uint16_t service; /* whose the listener is */
};

struct walk_claim {
	uint32_t slot;
	uint16_t gen;
	uint8_t af;
	uint32_t since; /* jiffies */
};

struct walk_claims {
	struct walk_claim c[WALK_CLAIMS_MAX];
	size_t n;
};

/* Called for every established flow that the walk closes. */
typedef void (*walk_closed)(void *arg, uint32_t endpoint);

struct walk {
	struct walk_tables t;
	uint32_t now; /* jiffies of this walk */
	uint32_t pos; /* next set: flows4, then flows6 */
	uint32_t turn; /* number of this walk */
	uint32_t stride; /* only every n-th set has its reverse entries looked up */
	uint32_t load[2]; /* occupancy of flows4 and flows6 in percent, of the last walk */
	uint64_t entries[2]; /* so far in this walk */
	uint64_t by_state[RR_FLOW_STATES]; /* forward entries */
	uint64_t expired, orphans, leaked;
	uint32_t established[RR_MAX_ENDPOINTS], all[RR_MAX_ENDPOINTS];
	uint32_t open[RR_MAX_ENDPOINTS]; /* of any state that keeps a local port from others */
	uint32_t listener[RR_MAX_LISTENERS]; /* forward entries of each */
	struct walk_claims claims[2], *old, *claimed; /* of the last walk, of this one */
	size_t old_at;
	walk_closed closed;
	void *arg;
};

/* Which forward entries. */
struct walk_match {
	uint32_t service; /* UINT32_MAX = any */
	uint32_t endpoint; /* 0 = any */
	int state; /* -1 = any */
	int af; /* 0 = any client */
	uint64_t addr[2];
	uint16_t port; /* network order; 0 = any */
	const bool *of; /* by endpoint id: any whose element is true; NULL = any */
};

void walk_init(struct walk *w, const struct walk_tables *t, walk_closed closed, void *arg);
/* Starts a walk over; keeps what must be remembered between walks. */
void walk_begin(struct walk *w, uint32_t now);
/* Does the next `sets` sets. true = the walk has ended. */
bool walk_step(struct walk *w, uint32_t sets);
uint64_t walk_capacity(const struct walk_tables *t);
/* Percent in use of flows4 (0) or flows6 (1), as far as this walk has come. */
uint32_t walk_percent(const struct walk *w, int table);

/* Jiffies that a flow of this state may idle, `load` percent of its table being in use. */
uint32_t walk_timeout(const struct rr_service *svc, uint32_t state, uint32_t load, uint32_t hz);
/*
 * Calls `fn` for forward entries that match, until it returns false. Returns how many it was called
 * for.
 */
size_t walk_each(const struct walk_tables *t, const struct walk_match *m,
		 bool (*fn)(const struct walk_entry *e, void *arg), void *arg);
/* Finds the reverse entry of a forward one. */
bool walk_reverse(const struct walk_tables *t, const struct walk_entry *fwd,
		  struct walk_entry *rev);
/*
 * Copies the record of a connection: `owner` is its reverse entry or, where it has none, its
 * forward entry. false = the record, or by now the entry, is of another life.
 */
bool walk_record(const struct walk_tables *t, const struct walk_entry *owner, struct rr_pair *out);
/* Marks up to `max` matching flows KILLED, both entries. Returns how many. */
size_t walk_kill(const struct walk_tables *t, const struct walk_match *m, size_t max,
		 walk_closed closed, void *arg);

#endif
