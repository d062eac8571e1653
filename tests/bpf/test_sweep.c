/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_sweep.c - the walk over the flow tables (flow/walk.c) and the counter's correction (flow/drift.c), on plain
 * arrays: what expires, what must not, what a kill marks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/drift.h"
#include "flow/walk.h"
#include "rr_hash.h"

#define HZ 100u
#define SEED 0x1122334455667788ull
#define SETS4 64u
#define SETS6 64u
#define SVC 3u
#define SVC_DSR 4u
#define EP 7u
#define LOCAL 2u
#define NOW (0u - 50u) /* jiffies wrap 0.5 s from here: every comparison must survive that */

struct fixture {
	struct rr_set4 set4[SETS4];
	struct rr_set6 set6[SETS6];
	struct rr_service service[RR_MAX_SERVICES];
	struct rr_endpoint endpoint[RR_MAX_ENDPOINTS];
	struct walk_tables t;
	struct walk walk;
	uint32_t closed[RR_MAX_ENDPOINTS];
};

struct pair {
	struct rr_flow *fwd, *rev;
};

static void on_closed(void *arg, uint32_t ep)
{
	struct fixture *x = arg;

	x->closed[ep]++;
}

static void set_service(struct rr_service *s, uint8_t mode)
{
	s->flags = RR_SVC_PRESENT;
	s->mode = mode;
	s->t_syn = 30 * HZ;
	s->t_est = 900 * HZ;
	s->t_fin1 = 120 * HZ;
	s->t_fin2 = 31 * HZ;
	s->t_rst = 10 * HZ;
}

static int setup(void **state)
{
	struct fixture *x = aligned_alloc(128, (sizeof(*x) + 127) & ~(size_t)127);

	assert_non_null(x);
	memset(x, 0, sizeof(*x));
	set_service(&x->service[SVC], RR_MODE_NAT);
	set_service(&x->service[SVC_DSR], RR_MODE_DSR);
	memcpy(x->endpoint[EP].addr.a,
	       "\x0a\x00\x00\x07\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", 16);
	x->t = (struct walk_tables){ x->set4,	 x->set6,     SETS4, SETS6,
				     x->service, x->endpoint, SEED,  HZ };
	walk_init(&x->walk, &x->t, on_closed, x);
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static struct rr_flow *put4(struct fixture *x, uint64_t key, bool second)
{
	uint64_t h = rr_hash4(key, SEED);
	struct rr_set4 *s = &x->set4[second ? rr_set_b(h, SETS4) : rr_set_a(h, SETS4)];

	for (uint32_t i = 0; i < RR_FLOW4_WAYS; i++) {
		if (RR_META_STATE(s->e[i].f.meta) != RR_FLOW_EMPTY)
			continue;
		s->e[i].key = key;
		return &s->e[i].f;
	}
	fail_msg("set full");
	return NULL;
}

static struct rr_flow6 *put6(struct fixture *x, uint64_t key, const uint64_t a[2])
{
	uint64_t h = rr_hash6(key, a[0], a[1], SEED);
	struct rr_set6 *s = &x->set6[rr_set_b(h, SETS6)];

	for (uint32_t i = 0; i < RR_FLOW6_WAYS; i++) {
		if (RR_META_STATE(s->e[i].f.meta) != RR_FLOW_EMPTY)
			continue;
		s->e[i].key = key;
		s->e[i].addr[0] = a[0];
		s->e[i].addr[1] = a[1];
		return &s->e[i];
	}
	fail_msg("set full");
	return NULL;
}

static void fill(struct rr_flow *f, uint16_t gen, uint8_t state, uint16_t via, uint16_t port,
		 uint32_t service)
{
	f->meta = RR_META_MAKE(gen, state, 0, EP, via);
	f->seen = NOW;
	f->port = port;
	f->service = (uint16_t)service;
}

/* A nat connection of client 192.0.2.1:port. */
static struct pair pair4(struct fixture *x, uint16_t port, uint8_t state)
{
	uint32_t client = 0x010200c0, ep;
	struct pair p;

	memcpy(&ep, x->endpoint[EP].addr.a, 4);
	p.fwd = put4(x, RR_KEY4(client, port, SVC), false);
	fill(p.fwd, 9, state, LOCAL, 4000 + port, SVC);
	p.rev = put4(x, RR_KEY4(ep, 4000 + port, RR_KEY_REV | LOCAL), true);
	fill(p.rev, 5, state, 77, port, SVC);
	p.rev->peer = client;
	return p;
}

static struct pair pair6(struct fixture *x, uint16_t port, uint8_t state)
{
	uint64_t client[2] = { 0x1111, 0x2222 }, ep[2];
	struct rr_flow6 *f, *r;

	memcpy(ep, x->endpoint[EP].addr.a, 16);
	f = put6(x, RR_KEY4(0, port, SVC), client);
	fill(&f->f, 9, state, LOCAL, 4000 + port, SVC);
	r = put6(x, RR_KEY4(0, 4000 + port, RR_KEY_REV | LOCAL), ep);
	fill(&r->f, 5, state, 77, port, SVC);
	memcpy(r->peer, client, sizeof(client));
	return (struct pair){ &f->f, &r->f };
}

static void walk_all(struct fixture *x, uint32_t now)
{
	walk_begin(&x->walk, now);
	while (!walk_step(&x->walk, 7))
		;
}

static void assert_empty(const struct rr_flow *f, uint16_t gen)
{
	assert_int_equal(f->meta, RR_META_MAKE(gen, RR_FLOW_EMPTY, 0, 0, 0));
}

static void assert_state(const struct rr_flow *f, uint8_t state)
{
	assert_int_equal(RR_META_STATE(f->meta), state);
}

static void age(struct pair p, uint32_t fwd, uint32_t rev)
{
	p.fwd->seen = NOW - fwd;
	p.rev->seen = NOW - rev;
}

/* One jiffy before its timeout a flow stays, one after it goes, both entries, whatever the family. */
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
	struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int six = 0; six < 2; six++) {
			struct pair p =
				six ? pair6(x, 100, rows[i].state) : pair4(x, 100, rows[i].state);
			uint32_t closed = x->closed[EP];

			age(p, rows[i].timeout, rows[i].timeout);
			walk_all(x, NOW);
			assert_state(p.fwd, rows[i].state);
			assert_state(p.rev, rows[i].state);
			assert_int_equal(x->walk.all[EP], 1);
			assert_int_equal(x->walk.established[EP], rows[i].state == RR_FLOW_EST);
			walk_all(x, NOW + 1);
			assert_empty(p.fwd, 10);
			assert_empty(p.rev, 6);
			assert_int_equal(x->walk.all[EP], 0);
			assert_int_equal(x->walk.expired, 1);
			assert_int_equal(x->closed[EP] - closed, rows[i].state == RR_FLOW_EST);
		}
	}
}

static void test_alive_by_either_side(void **state)
{
	struct fixture *x = *state;
	struct pair a = pair4(x, 1, RR_FLOW_EST), b = pair4(x, 2, RR_FLOW_EST);
	struct pair c = pair6(x, 3, RR_FLOW_EST), d = pair6(x, 4, RR_FLOW_EST);

	age(a, 2000 * HZ, 1);
	age(b, 1, 2000 * HZ);
	age(c, 2000 * HZ, 1);
	age(d, 1, 2000 * HZ);
	walk_all(x, NOW);
	assert_int_equal(x->walk.expired, 0);
	assert_int_equal(x->walk.orphans, 0);
	assert_int_equal(x->walk.established[EP], 4);
	assert_int_equal(x->walk.entries[0], 4);
	assert_int_equal(x->walk.entries[1], 4);
	assert_int_equal(x->walk.by_state[RR_FLOW_EST], 4);
}

/* A packet may be stamped a tick after the walk took its time. */
static void test_seen_in_the_future(void **state)
{
	struct fixture *x = *state;
	struct pair p = pair4(x, 1, RR_FLOW_RST);

	age(p, (uint32_t)-3, (uint32_t)-3);
	walk_all(x, NOW);
	assert_state(p.fwd, RR_FLOW_RST);
}

static void test_dsr_has_no_reverse(void **state)
{
	struct fixture *x = *state;
	struct rr_flow *f = put4(x, RR_KEY4(0x010200c0, 9, SVC_DSR), true);

	fill(f, 65535, RR_FLOW_EST, 0, 0, SVC_DSR);
	f->seen = NOW - 901 * HZ;
	walk_all(x, NOW);
	assert_empty(f, 0); /* the generation wraps */
	assert_int_equal(x->closed[EP], 1);
}

/* The service is gone: its timeouts are zero, its flows go with the next walk. */
static void test_service_gone(void **state)
{
	struct fixture *x = *state;
	struct pair p = pair4(x, 1, RR_FLOW_EST);

	memset(&x->service[SVC], 0, sizeof(x->service[SVC]));
	walk_all(x, NOW + 1);
	assert_empty(p.fwd, 10);
	assert_empty(p.rev, 6);
}

static void orphan_case(struct fixture *x, struct pair p, void (*spoil)(struct pair p))
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

static void spoil_endpoint(struct pair p)
{
	p.fwd->meta = RR_META_MAKE(9, RR_FLOW_EST, 0, EP + 1, LOCAL);
}

static void test_orphans(void **state)
{
	static void (*const spoil[])(struct pair) = { spoil_gone, spoil_claimed, spoil_port,
						      spoil_local, spoil_endpoint };
	struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		orphan_case(x, pair4(x, 50, RR_FLOW_EST), spoil[i]);
		orphan_case(x, pair6(x, 60, RR_FLOW_EST), spoil[i]);
	}
	assert_int_equal(x->closed[EP], 0); /* a reverse entry is never counted */
}

static void test_claimed_leak(void **state)
{
	struct fixture *x = *state;
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
	struct fixture *x = *state;
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
	struct fixture *x = *state;
	struct pair p = pair4(x, 1, RR_FLOW_EST);

	for (uint32_t i = 0; i < SETS4 * RR_FLOW4_WAYS; i++) {
		struct rr_flow4 *e = &x->set4[i / RR_FLOW4_WAYS].e[i % RR_FLOW4_WAYS];

		if (e->f.meta)
			continue;
		e->key = RR_KEY4(i, 1, SVC_DSR);
		fill(&e->f, 1, RR_FLOW_EST, 0, 0, SVC_DSR);
		e->f.seen = NOW;
	}
	age(p, 100 * HZ, 100 * HZ);
	walk_all(x, NOW);
	assert_state(p.fwd, RR_FLOW_EST);
	walk_all(x, NOW);
	assert_empty(p.fwd, 10);
	assert_int_equal(x->walk.expired, 1);
}

static const struct walk_match any = { .service = UINT32_MAX, .state = -1 };

static size_t kill(struct fixture *x, const struct walk_match *m, size_t max)
{
	return walk_kill(&x->t, m, max, on_closed, x);
}

static void test_kill(void **state)
{
	struct fixture *x = *state;
	struct pair a = pair4(x, 1, RR_FLOW_EST), b = pair4(x, 2, RR_FLOW_SYN);
	struct pair c = pair6(x, 1, RR_FLOW_EST);

	a.fwd->meta |= (uint64_t)RR_FLOW_F_FIN_CLIENT << 24;
	assert_int_equal(kill(x, &any, 100), 3);
	assert_int_equal(a.fwd->meta,
			 RR_META_MAKE(9, RR_FLOW_KILLED, RR_FLOW_F_FIN_CLIENT, EP, LOCAL));
	assert_int_equal(a.rev->meta, RR_META_MAKE(5, RR_FLOW_KILLED, 0, EP, 77));
	assert_state(b.fwd, RR_FLOW_KILLED);
	assert_state(b.rev, RR_FLOW_KILLED);
	assert_state(c.fwd, RR_FLOW_KILLED);
	assert_state(c.rev, RR_FLOW_KILLED);
	assert_int_equal(x->closed[EP], 2); /* the half-open one was never counted as open */
	assert_int_equal(kill(x, &any, 100), 0); /* and nobody twice */
	assert_int_equal(x->closed[EP], 2);
}

static void test_kill_filter(void **state)
{
	struct fixture *x = *state;
	struct pair a = pair4(x, 1, RR_FLOW_EST), b = pair4(x, 2, RR_FLOW_EST);
	struct pair c = pair6(x, 1, RR_FLOW_EST);
	struct walk_match m = any;

	m.service = SVC + 1;
	assert_int_equal(kill(x, &m, 100), 0);
	m = any;
	m.endpoint = EP + 1;
	assert_int_equal(kill(x, &m, 100), 0);
	m = any;
	m.state = RR_FLOW_SYN;
	assert_int_equal(kill(x, &m, 100), 0);
	m = any;
	m.af = RR_AF_INET;
	m.addr[0] = 0x010200c0;
	m.port = 2;
	assert_int_equal(kill(x, &m, 100), 1);
	assert_state(b.fwd, RR_FLOW_KILLED);
	assert_state(a.fwd, RR_FLOW_EST);
	m = any;
	m.af = RR_AF_INET6;
	m.addr[0] = 0x1111;
	m.addr[1] = 0x2222;
	assert_int_equal(kill(x, &m, 100), 1);
	assert_state(c.rev, RR_FLOW_KILLED);
	m = any;
	m.endpoint = EP;
	m.service = SVC;
	assert_int_equal(kill(x, &m, 0 + 1), 1);
	assert_state(a.fwd, RR_FLOW_KILLED);
}

/* Of many endpoints in one walk. */
static void test_kill_endpoints(void **state)
{
	static bool of[RR_MAX_ENDPOINTS];
	struct fixture *x = *state;
	struct pair a = pair4(x, 1, RR_FLOW_EST), c = pair6(x, 1, RR_FLOW_SYN);
	struct walk_match m = any;

	m.of = of;
	of[EP - 1] = of[EP + 1] = true;
	assert_int_equal(kill(x, &m, 100), 0);
	of[EP] = true;
	assert_int_equal(kill(x, &m, 100), 2);
	assert_state(a.rev, RR_FLOW_KILLED);
	assert_state(c.fwd, RR_FLOW_KILLED);
	assert_int_equal(x->closed[EP], 1);
	of[EP] = false;
}

static void test_kill_max(void **state)
{
	struct fixture *x = *state;

	for (uint16_t i = 1; i <= 20; i++)
		pair4(x, i, RR_FLOW_EST);
	assert_int_equal(kill(x, &any, 6), 6);
	assert_int_equal(x->closed[EP], 6);
	assert_int_equal(kill(x, &any, 100), 14);
}

static bool count_two(const struct walk_entry *e, void *arg)
{
	uint32_t *n = arg;

	assert_int_equal(e->service, SVC);
	return ++*n < 2;
}

static void test_each_stops(void **state)
{
	struct fixture *x = *state;
	uint32_t n = 0;

	for (uint16_t i = 1; i <= 4; i++) {
		pair4(x, i, RR_FLOW_EST);
		pair6(x, i, RR_FLOW_EST);
	}
	assert_int_equal(walk_each(&x->t, &any, count_two, &n), 2);
	assert_int_equal(n, 2);
}

static void test_drift(void **state)
{
	struct drift d = { 0 };
	uint64_t closed = 0, lag = 0;

	(void)state;
	assert_int_equal(drift_observe(&d, 5, 3, 100), 0); /* once is no proof */
	assert_int_equal(drift_observe(&d, 5, 3, 101), 0); /* something opened or closed */
	assert_int_equal(drift_observe(&d, 5, 4, 101), 0); /* another difference */
	assert_int_equal(drift_observe(&d, 5, 4, 101), 1);
	assert_int_equal(drift_observe(&d, 4, 4, 102), 0);
	assert_int_equal(drift_observe(&d, 2, 4, 102), 0);
	assert_int_equal(drift_observe(&d, 2, 4, 102), -2);
	drift_book(-2, &closed, &lag);
	assert_int_equal(closed, 0);
	assert_int_equal(lag, 2);
	drift_book(3, &closed, &lag);
	assert_int_equal(closed, 1);
	assert_int_equal(lag, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_expiry_per_state),
		T(test_alive_by_either_side),
		T(test_seen_in_the_future),
		T(test_dsr_has_no_reverse),
		T(test_service_gone),
		T(test_orphans),
		T(test_claimed_leak),
		T(test_adaptive_timeout),
		T(test_adaptive_walk),
		T(test_kill),
		T(test_kill_filter),
		T(test_kill_endpoints),
		T(test_kill_max),
		T(test_each_stops),
		T(test_drift),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
