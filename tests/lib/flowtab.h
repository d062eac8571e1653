/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flowtab.h - flow tables in plain arrays for tests of the walk, and connections of every pair of
 * families put into them: two entries that name each other, and their record.
 */
#ifndef LIB_FLOWTAB_H
#define LIB_FLOWTAB_H

#include "flow/walk.h"

#define HZ 100u
#define SEED 0x1122334455667788ull
#define SETS4 64u
#define SETS6 64u
#define SVC 3u
#define SVC_DSR 4u
#define LISTENER 700u
#define LISTENER_DSR 701u
#define LISTENER6 702u
#define EP 7u /* IPv4 */
#define EP6 8u
#define EP_DSR 9u
#define LOCAL 2u
#define NOW (0u - 50u) /* jiffies wrap 0.5 s from here: every comparison must survive that */

#define CLIENT 0x010200c0u /* 192.0.2.1 */

struct flowtab {
	struct rr_set4 set4[SETS4];
	struct rr_set6 set6[SETS6];
	struct rr_pair pair4[SETS4 * RR_FLOW4_WAYS];
	struct rr_pair pair6[SETS6 * RR_FLOW6_WAYS];
	struct rr_listener listener[RR_MAX_LISTENERS];
	struct rr_service service[RR_MAX_SERVICES];
	struct rr_endpoint endpoint[RR_MAX_ENDPOINTS];
	struct walk_tables t;
	struct walk walk;
	uint32_t closed[RR_MAX_ENDPOINTS];
};

struct pair {
	struct rr_flow *fwd, *rev;
	struct rr_pair *record;
};

/* For cmocka: allocates and frees *state, a struct flowtab. */
int flowtab_setup(void **state);
int flowtab_teardown(void **state);
/* An entry of the key in its first or second candidate set; its fields are the caller's. */
struct rr_flow *put4(struct flowtab *x, uint64_t key, bool second);
struct rr_flow6 *put6(struct flowtab *x, uint64_t key, const uint64_t a[2]);
void fill(struct rr_flow *f, uint16_t gen, uint8_t state, uint16_t ep, uint16_t via, uint16_t port);
uint32_t slot_of4(const struct flowtab *x, const struct rr_flow *f);
/* A nat connection of a client's port; the digits say the families of client and endpoint. */
struct pair pair4(struct flowtab *x, uint16_t port, uint8_t state);
struct pair pair6(struct flowtab *x, uint16_t port, uint8_t state);
struct pair pair46(struct flowtab *x, uint16_t port, uint8_t state);
struct pair pair64(struct flowtab *x, uint16_t port, uint8_t state);
/* A walk from end to end. */
void walk_all(struct flowtab *x, uint32_t now);
/* The slot is free, in its life `gen`. */
void assert_empty(const struct rr_flow *f, uint16_t gen);
void assert_state(const struct rr_flow *f, uint8_t state);
/* Jiffies since the last packet of each side. */
void age(struct pair p, uint32_t fwd, uint32_t rev);
/* Counts closed flows by endpoint: of walks and kills. */
void on_closed(void *arg, uint32_t ep);

/* Every pair of families, and the endpoint of its connections. */
struct family {
	struct pair (*make)(struct flowtab *x, uint16_t port, uint8_t state);
	uint16_t ep;
};
#define FAMILIES 4u
extern const struct family families[FAMILIES];

#endif
