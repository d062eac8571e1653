/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_walk.c - the walk over the flow tables (flow/walk.c, pair.c), on plain arrays: what expires
 * and what must not, in connections of every pair of families.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/flowtab.h"
#include "rr_hash.h"

/*
 * One jiffy before its timeout a flow stays, one after it goes, both entries, whatever the family.
 */
static void test_expiry_per_state(void **state)
{
	static const struct {
		uint8_t state;
		uint32_t timeout;
	} rows[] = {
		{ RR_FLOW_SYN, 30 * HZ },    { RR_FLOW_SYNACK, 30 * HZ }, { RR_FLOW_EST, 900 * HZ },
		{ RR_FLOW_FIN1, 120 * HZ },  { RR_FLOW_FIN2, 31 * HZ },	  { RR_FLOW_RST, 10 * HZ },
		{ RR_FLOW_KILLED, 10 * HZ },
	};
	struct flowtab *x = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t k = 0; k < FAMILIES; k++) {
			struct pair p = families[k].make(x, 100, rows[i].state);
			uint16_t ep = families[k].ep;
			uint32_t closed = x->closed[ep];

			age(p, rows[i].timeout, rows[i].timeout);
			walk_all(x, NOW);
			assert_state(p.fwd, rows[i].state);
			assert_state(p.rev, rows[i].state);
			assert_int_equal(x->walk.all[ep], 1);
			assert_int_equal(x->walk.established[ep], rows[i].state == RR_FLOW_EST);
			walk_all(x, NOW + 1);
			assert_empty(p.fwd, 10);
			assert_empty(p.rev, 6);
			assert_int_equal(x->walk.all[ep], 0);
			assert_int_equal(x->walk.expired, 1);
			assert_int_equal(x->closed[ep] - closed, rows[i].state == RR_FLOW_EST);
		}
	}
}

static void test_alive_by_either_side(void **state)
{
	struct flowtab *x = *state;
	struct pair a = pair4(x, 1, RR_FLOW_EST), b = pair4(x, 2, RR_FLOW_EST);
	struct pair c = pair6(x, 3, RR_FLOW_EST), d = pair6(x, 4, RR_FLOW_EST);
	struct pair e = pair46(x, 5, RR_FLOW_EST), f = pair46(x, 6, RR_FLOW_EST);
	struct pair g = pair64(x, 7, RR_FLOW_EST), h = pair64(x, 8, RR_FLOW_EST);

	age(a, 2000 * HZ, 1);
	age(b, 1, 2000 * HZ);
	age(c, 2000 * HZ, 1);
	age(d, 1, 2000 * HZ);
	age(e, 2000 * HZ, 1);
	age(f, 1, 2000 * HZ);
	age(g, 2000 * HZ, 1);
	age(h, 1, 2000 * HZ);
	walk_all(x, NOW);
	assert_int_equal(x->walk.expired, 0);
	assert_int_equal(x->walk.orphans, 0);
	assert_int_equal(x->walk.established[EP], 4);
	assert_int_equal(x->walk.established[EP6], 4);
	assert_int_equal(x->walk.entries[0], 6);
	assert_int_equal(x->walk.entries[1], 10);
	assert_int_equal(x->walk.by_state[RR_FLOW_EST], 8);
	assert_int_equal(x->walk.listener[LISTENER], 4);
	assert_int_equal(x->walk.listener[LISTENER6], 4);
}

/* A packet may be stamped a tick after the walk took its time. */
static void test_seen_in_the_future(void **state)
{
	struct flowtab *x = *state;
	struct pair p = pair4(x, 1, RR_FLOW_RST);

	age(p, (uint32_t)-3, (uint32_t)-3);
	walk_all(x, NOW);
	assert_state(p.fwd, RR_FLOW_RST);
}

static void test_dsr_has_no_reverse(void **state)
{
	struct flowtab *x = *state;
	struct rr_flow *f = put4(x, RR_KEY_MAKE(CLIENT, 9, rr_tag_forward(LISTENER_DSR, 0)), true);

	fill(f, 65535, RR_FLOW_EST, EP_DSR, 0, 0);
	f->seen = NOW - 901 * HZ;
	walk_all(x, NOW);
	assert_empty(f, 0); /* the generation wraps */
	assert_int_equal(x->closed[EP_DSR], 1);
}

/* The service is gone: its timeouts are zero, its flows go with the next walk. */
static void test_service_gone(void **state)
{
	struct flowtab *x = *state;
	struct pair p = pair4(x, 1, RR_FLOW_EST);

	memset(&x->service[SVC], 0, sizeof(x->service[SVC]));
	walk_all(x, NOW + 1);
	assert_empty(p.fwd, 10);
	assert_empty(p.rev, 6);
}

static void orphan_case(struct flowtab *x, struct pair p, void (*spoil)(struct pair p))
{
	age(p, 1, 2 * HZ - 1);
	spoil(p);
	walk_all(x, NOW);
	assert_state(p.rev, RR_FLOW_EST); /* too young to be judged */
	walk_all(x, NOW + 1);
	assert_empty(p.rev, 6);
	assert_int_equal(x->walk.orphans, 1);
	p.fwd->meta = 0;
}

/*
 * The record is of another life: the forward entry is found by its key, and the pair stays whole.
 */
static void test_forward_by_key(void **state)
{
	struct flowtab *x = *state;

	for (size_t k = 0; k < FAMILIES; k++) {
		struct pair p = families[k].make(x, 70, RR_FLOW_EST);

		age(p, 1, 10 * HZ);
		p.record->gen = 4;
		walk_all(x, NOW);
		assert_int_equal(x->walk.orphans, 0);
		assert_state(p.rev, RR_FLOW_EST);
		p.fwd->meta = p.rev->meta = 0;
	}
}

/* A connection whose forward entry lies in a set that its key does not name. */
static struct pair pair_elsewhere(struct flowtab *x, uint16_t port)
{
	struct pair p = pair4(x, port, RR_FLOW_EST);
	uint64_t h = rr_hash4(RR_KEY_MAKE(CLIENT, port, rr_tag_forward(LISTENER, 0)), SEED);
	uint32_t set = 0, was = slot_of4(x, p.fwd);

	while (set == rr_set_a(h, SETS4) || set == rr_set_b(h, SETS4) || x->set4[set].e[0].f.meta)
		set++;
	x->set4[set].e[0] = x->set4[was / RR_FLOW4_WAYS].e[was % RR_FLOW4_WAYS];
	p.fwd->meta = 0;
	p.rev->seen = NOW - 10 * HZ;
	p.record->forward = set * RR_FLOW4_WAYS;
	return p;
}

static void test_forward_by_record(void **state)
{
	struct flowtab *x = *state;
	struct pair a = pair_elsewhere(x, 70), b = pair_elsewhere(x, 71);

	walk_all(x, NOW);
	assert_int_equal(x->walk.orphans, 0);
	a.record->gen++; /* of another life */
	b.record->forward = 0xffffffff; /* beyond the table: not followed */
	walk_all(x, NOW);
	assert_int_equal(x->walk.orphans, 2);
	assert_empty(a.rev, 6);
	assert_empty(b.rev, 6);
}

static void spoil_gone(struct pair p)
{
	p.fwd->meta = RR_META_MAKE(10, RR_FLOW_EMPTY, 0, 0, 0);
}

static void spoil_claimed(struct pair p)
{
	p.fwd->meta = RR_META_MAKE(10, RR_FLOW_CLAIMED, 0, 0, 0);
}

static void spoil_port(struct pair p)
{
	p.fwd->port++;
}

static void spoil_local(struct pair p)
{
	p.fwd->meta = RR_META_MAKE(9, RR_FLOW_EST, 0, EP, LOCAL + 1);
}

/* The client now connects to another address of the service: the old reverse entry is nobody's. */
static void spoil_listener(struct pair p)
{
	p.rev->listener++;
}

static void spoil_endpoint(struct pair p)
{
	p.fwd->meta = RR_META_MAKE(9, RR_FLOW_EST, 0, EP_DSR + 1, LOCAL);
}

static void test_orphans(void **state)
{
	static void (*const spoil[])(struct pair) = { spoil_gone,  spoil_claimed,  spoil_port,
						      spoil_local, spoil_endpoint, spoil_listener };
	struct flowtab *x = *state;

	for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		for (size_t k = 0; k < FAMILIES; k++)
			orphan_case(x, families[k].make(x, 50, RR_FLOW_EST), spoil[i]);
	}
	assert_int_equal(x->closed[EP], 0); /* a reverse entry is never counted */
}

static void test_claimed_leak(void **state)
{
	struct flowtab *x = *state;
	struct rr_flow *leak = put4(x, 1234, false), *busy = put4(x, 99999, false);
	struct rr_flow6 *six = put6(x, 1234, (uint64_t[2]){ 1, 2 });

	leak->meta = RR_META_MAKE(3, RR_FLOW_CLAIMED, 0, 0, 0);
	six->f.meta = RR_META_MAKE(4, RR_FLOW_CLAIMED, 0, 0, 0);
	for (uint32_t s = 0; s < 10; s++) {
		/* claimed again and again, each time a new life */
		busy->meta = RR_META_MAKE(s, RR_FLOW_CLAIMED, 0, 0, 0);
		walk_all(x, NOW + s * HZ);
		assert_state(leak, RR_FLOW_CLAIMED);
		assert_state(&six->f, RR_FLOW_CLAIMED);
	}
	busy->meta = RR_META_MAKE(10, RR_FLOW_CLAIMED, 0, 0, 0);
	walk_all(x, NOW + 10 * HZ);
	assert_empty(leak, 4);
	assert_empty(&six->f, 5);
	assert_state(busy, RR_FLOW_CLAIMED);
	assert_int_equal(x->walk.leaked, 2);
}

static void test_adaptive_timeout(void **state)
{
	struct flowtab *x = *state;
	const struct rr_service *s = &x->service[SVC];

	assert_int_equal(walk_timeout(s, RR_FLOW_EST, 0, HZ), 900 * HZ);
	assert_int_equal(walk_timeout(s, RR_FLOW_EST, 60, HZ), 900 * HZ);
	assert_int_equal(walk_timeout(s, RR_FLOW_EST, 80, HZ), 480 * HZ);
	assert_int_equal(walk_timeout(s, RR_FLOW_EST, 100, HZ), 60 * HZ);
	assert_int_equal(walk_timeout(s, RR_FLOW_FIN1, 100, HZ), 120 * HZ);
}

/* The occupancy that one walk finds shortens the idle time in the next. */
static void test_adaptive_walk(void **state)
{
	struct flowtab *x = *state;
	struct pair p = pair4(x, 1, RR_FLOW_EST);

	for (uint32_t i = 0; i < SETS4 * RR_FLOW4_WAYS; i++) {
		struct rr_flow4 *e = &x->set4[i / RR_FLOW4_WAYS].e[i % RR_FLOW4_WAYS];

		if (e->f.meta)
			continue;
		e->key = RR_KEY_MAKE(i, 1, rr_tag_forward(LISTENER_DSR, 0));
		fill(&e->f, 1, RR_FLOW_EST, EP_DSR, 0, 0);
		e->f.seen = NOW;
	}
	age(p, 100 * HZ, 100 * HZ);
	walk_all(x, NOW);
	assert_state(p.fwd, RR_FLOW_EST);
	walk_all(x, NOW);
	assert_empty(p.fwd, 10);
	assert_int_equal(x->walk.expired, 1);
}

/* ---- local ports ---- */

#define PORT_LO 4000
#define PORT_HI 5023
#define PORTS (PORT_HI - PORT_LO + 1)

static struct rr_control control = { .port_lo = PORT_LO,
				     .port_hi = PORT_HI,
				     .port_shift = 7,
				     .port_rest = 50,
				     .port_rest_short = 3 };
static struct rr_port_line port_line[2 * RR_PORT_LINES(PORTS)];

/* The endpoints of the tables have a set each; their local id is LOCAL, and ports are 4000 + n. */
static void with_ports(struct flowtab *x)
{
	memset(port_line, 0, sizeof(port_line));
	x->walk.t.control = &control;
	x->walk.t.port = port_line;
	x->walk.t.port_lines = sizeof(port_line) / sizeof(port_line[0]);
	for (uint16_t k = 0; k < 2; k++) {
		x->endpoint[EP + k].local_first = LOCAL;
		x->endpoint[EP + k].local_count = 1;
		x->endpoint[EP + k].port_set[0] = 1 + k;
	}
}

/* The word of the pair's port, whose number stands in network order. */
static uint32_t *word_of(const struct pair *p)
{
	uint32_t set = RR_META_EP(p->fwd->meta) - EP;
	uint32_t place = (uint32_t)__builtin_bswap16(p->fwd->port) - PORT_LO;

	return &port_line[set * RR_PORT_LINES(PORTS) + 1 + place / RR_PORT_LINE]
			.word[place % RR_PORT_LINE];
}

/* 4000 + n, as it stands in a packet: forward and reverse entry of the pair get it. */
static struct pair port_pair(struct flowtab *x, const struct family *f, uint16_t host_port,
			     uint8_t state)
{
	struct pair p = f->make(x, (uint16_t)(__builtin_bswap16(host_port) - 4000), state);

	with_ports(x);
	return p;
}

/* Who ends a connection notes when its port was left: short after a RST, long without an end. */
static void test_port_is_given_up(void **state)
{
	struct flowtab *x = *state;

	for (size_t k = 0; k < FAMILIES; k++) {
		for (int rst = 0; rst < 2; rst++) {
			uint8_t is = rst ? RR_FLOW_RST : RR_FLOW_EST;
			struct pair p = port_pair(x, &families[k], 4100, is);
			uint32_t time = rr_port_time(NOW - 950 * HZ, 7), *word = word_of(&p);

			if (rst)
				time -= 50 - 3;
			*word = RR_PORT_USED(RR_META_GEN(p.rev->meta));
			p.rev->ack = 0xbeef;
			p.fwd->seen = p.rev->seen = NOW - 950 * HZ;
			walk_all(x, NOW);
			assert_int_equal(*word, rr_port_closed(time, 0xbeef));
			memset(p.rev, 0, sizeof(*p.rev));
		}
	}
}

/* The mark of a connection that has the port by now stays. */
static void test_port_of_the_next(void **state)
{
	struct flowtab *x = *state;
	struct pair p = port_pair(x, &families[0], 4100, RR_FLOW_EST);
	uint32_t *word = word_of(&p), next = RR_PORT_USED(RR_META_GEN(p.rev->meta) + 1);

	*word = next;
	p.fwd->seen = p.rev->seen = NOW - 950 * HZ;
	walk_all(x, NOW);
	assert_int_equal(x->walk.expired, 1);
	assert_int_equal(*word, next);
}

/* Without its reverse entry, the port is free unless an entry of another connection has it. */
static void test_port_is_doubted(void **state)
{
	struct flowtab *x = *state;

	for (int taken = 0; taken < 2; taken++) {
		struct pair p = port_pair(x, &families[0], 4100, RR_FLOW_SYN);
		uint32_t *word = word_of(&p), mark = RR_PORT_USED(77);

		*word = mark;
		p.fwd->seen = NOW - 950 * HZ;
		if (taken)
			p.rev->port++; /* another client's */
		else
			p.rev->meta = RR_META_MAKE(6, RR_FLOW_EMPTY, 0, 0, 0);
		walk_all(x, NOW);
		assert_int_equal(x->walk.expired, 1);
		if (taken)
			assert_int_equal(*word, mark);
		else
			assert_false(*word & RR_PORT_IN_USE);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, flowtab_setup, flowtab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_port_is_given_up),
		T(test_port_of_the_next),
		T(test_port_is_doubted),
		T(test_expiry_per_state),
		T(test_alive_by_either_side),
		T(test_seen_in_the_future),
		T(test_dsr_has_no_reverse),
		T(test_service_gone),
		T(test_forward_by_key),
		T(test_forward_by_record),
		T(test_orphans),
		T(test_claimed_leak),
		T(test_adaptive_timeout),
		T(test_adaptive_walk),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
