/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_each.c - what is picked from the flow tables (flow/each.c): what a kill marks, what a
 * listing shows, which record belongs to whom. And the counter's correction (flow/drift.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/drift.h"
#include "lib/flowtab.h"

static const struct walk_match any = { .service = UINT32_MAX, .state = -1 };

/*
 * The listener's row says whose a flow is; an entry of a listener that is not there belongs to
 * service 0.
 */
static bool service_is(const struct walk_entry *e, void *arg)
{
	assert_int_equal(e->service, *(uint16_t *)arg);
	return true;
}

static void test_service_by_listener(void **state)
{
	struct flowtab *x = *state;
	const struct walk_match all = { .service = UINT32_MAX, .state = -1 };
	struct walk_match m = all;
	uint16_t service = SVC;

	pair4(x, 1, RR_FLOW_EST);
	pair46(x, 2, RR_FLOW_EST);
	assert_int_equal(walk_each(&x->t, &all, service_is, &service), 2);
	x->listener[LISTENER].service = service = 200;
	assert_int_equal(walk_each(&x->t, &all, service_is, &service), 2);
	m.service = SVC;
	assert_int_equal(walk_each(&x->t, &m, service_is, &service), 0);
}

struct found {
	const struct flowtab *x;
	uint32_t n, reverses, records;
	uint64_t ticket;
};

static bool find_record(const struct walk_entry *e, void *arg)
{
	struct found *f = arg;
	struct walk_entry rev;
	struct rr_pair p = { 0 };
	bool paired = walk_reverse(&f->x->t, e, &rev);

	f->n++;
	f->reverses += paired;
	if (walk_record(&f->x->t, paired ? &rev : e, &p)) {
		f->records++;
		f->ticket += p.ticket_lo;
	}
	return true;
}

/* The record of a connection lies at its reverse entry's slot, or at that of its only entry. */
static void test_records(void **state)
{
	struct flowtab *x = *state;
	struct found f = { .x = x };
	const struct walk_match all = { .service = UINT32_MAX, .state = -1 };
	struct rr_flow *one =
		put4(x, RR_KEY_MAKE(CLIENT, 9, rr_tag_forward(LISTENER_DSR, 0)), true);
	struct pair last;

	fill(one, 3, RR_FLOW_EST, EP_DSR, 0, 0);
	x->pair4[slot_of4(x, one)] = (struct rr_pair){ .gen = 3, .ticket_lo = 10000 };
	for (size_t k = 0; k < FAMILIES; k++) {
		last = families[k].make(x, (uint16_t)(80 + k), RR_FLOW_EST);
		last.record->ticket_lo = 1u << k;
	}
	walk_each(&x->t, &all, find_record, &f);
	assert_int_equal(f.n, FAMILIES + 1);
	assert_int_equal(f.reverses, FAMILIES);
	assert_int_equal(f.records, FAMILIES + 1);
	assert_int_equal(f.ticket, 10000 + (1u << FAMILIES) - 1);
	last.record->gen++;
	f = (struct found){ .x = x };
	walk_each(&x->t, &all, find_record, &f);
	assert_int_equal(f.records, FAMILIES); /* one is of another life */
	assert_int_equal(f.reverses, FAMILIES);
}

static size_t kill(struct flowtab *x, const struct walk_match *m, size_t max)
{
	return walk_kill(&x->t, m, max, on_closed, x);
}

static void test_kill(void **state)
{
	struct flowtab *x = *state;
	struct pair a = pair4(x, 1, RR_FLOW_EST), b = pair4(x, 2, RR_FLOW_SYN);
	struct pair c = pair6(x, 1, RR_FLOW_EST), d = pair46(x, 3, RR_FLOW_EST);
	struct pair e = pair64(x, 4, RR_FLOW_EST);

	a.fwd->meta |= (uint64_t)RR_FLOW_F_FIN_CLIENT << 20;
	assert_int_equal(kill(x, &any, 100), 5);
	assert_int_equal(a.fwd->meta,
			 RR_META_MAKE(9, RR_FLOW_KILLED, RR_FLOW_F_FIN_CLIENT, EP, LOCAL));
	assert_int_equal(a.rev->meta, RR_META_MAKE(5, RR_FLOW_KILLED, 0, EP, 77));
	assert_state(b.fwd, RR_FLOW_KILLED);
	assert_state(b.rev, RR_FLOW_KILLED);
	assert_state(c.fwd, RR_FLOW_KILLED);
	assert_state(c.rev, RR_FLOW_KILLED);
	assert_state(d.fwd, RR_FLOW_KILLED);
	assert_state(d.rev, RR_FLOW_KILLED);
	assert_state(e.fwd, RR_FLOW_KILLED);
	assert_state(e.rev, RR_FLOW_KILLED);
	assert_int_equal(x->closed[EP], 2); /* the half-open one was never counted as open */
	assert_int_equal(x->closed[EP6], 2);
	assert_int_equal(kill(x, &any, 100), 0); /* and nobody twice */
	assert_int_equal(x->closed[EP], 2);
}

static void test_kill_filter(void **state)
{
	struct flowtab *x = *state;
	struct pair a = pair4(x, 1, RR_FLOW_EST), b = pair4(x, 2, RR_FLOW_EST);
	struct pair c = pair6(x, 1, RR_FLOW_EST);
	struct walk_match m = any;

	m.service = SVC + 1;
	assert_int_equal(kill(x, &m, 100), 0);
	m = any;
	m.endpoint = EP_DSR;
	assert_int_equal(kill(x, &m, 100), 0);
	m = any;
	m.state = RR_FLOW_SYN;
	assert_int_equal(kill(x, &m, 100), 0);
	m = any;
	m.af = RR_AF_INET;
	m.addr[0] = CLIENT;
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
	struct flowtab *x = *state;
	struct pair a = pair4(x, 1, RR_FLOW_EST), c = pair6(x, 1, RR_FLOW_SYN);
	struct walk_match m = any;

	m.of = of;
	of[EP - 1] = of[EP_DSR] = true;
	assert_int_equal(kill(x, &m, 100), 0);
	of[EP] = of[EP6] = true;
	assert_int_equal(kill(x, &m, 100), 2);
	assert_state(a.rev, RR_FLOW_KILLED);
	assert_state(c.fwd, RR_FLOW_KILLED);
	assert_int_equal(x->closed[EP], 1);
	of[EP] = of[EP6] = false;
}

static void test_kill_max(void **state)
{
	struct flowtab *x = *state;

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
	struct flowtab *x = *state;
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

#define T(name) cmocka_unit_test_setup_teardown(name, flowtab_setup, flowtab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_service_by_listener), T(test_records),	     T(test_kill),
		T(test_kill_filter),	     T(test_kill_endpoints), T(test_kill_max),
		T(test_each_stops),	     T(test_drift),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
