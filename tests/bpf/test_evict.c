/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_evict.c - a flow table without room: who goes (expired, then closed, then the oldest
 * half-open), who never does, and what is counted. Two sets only, which both are candidates of
 * every key, so all slots fill.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "path.h"

static struct rig rig_tiny;

static uint32_t ways(const struct world *w)
{
	return w->af == RR_AF_INET ? RR_FLOW4_WAYS : RR_FLOW6_WAYS;
}

static uint32_t capacity(const struct world *w)
{
	return 2 * ways(w);
}

/* Clients 1..n in a state; two sets are both candidates of every key, so all slots fill. */
static void fill(struct world *w, enum path_have have)
{
	path_world(w, &rig_tiny, w->svc);
	for (uint32_t i = 0; i < capacity(w); i++) {
		path_next_client(w, (uint16_t)(100 + i));
		path_reach(w, have);
	}
	assert_int_equal(rig_live(&rig_tiny, w->af), capacity(w));
	path_next_client(w, 99);
}

static bool lives(struct world *w, uint32_t i)
{
	struct world other = *w;

	other.cport = (uint16_t)(100 + i);
	return path_flow_of(&other, NULL) != NULL;
}

static void set_age(struct world *w, uint32_t i, uint32_t jiffies)
{
	struct world other = *w;

	other.cport = (uint16_t)(100 + i);
	path_flow_of(&other, NULL)->seen -= jiffies;
}

static void reach(struct world *w, uint32_t i, uint8_t flags)
{
	struct world other = *w;

	other.cport = (uint16_t)(100 + i);
	path_client(&other, flags, RR_V_FORWARD);
}

static void test_full(void **state)
{
	struct world w;
	uint64_t ticket;

	path_world_is(&w, path_service_of(state));
	fill(&w, HAVE_EST);
	ticket = rig_tiny.cursors[w.svc].ticket;
	path_client(&w, PKT_SYN, RR_V_TABLE_FULL);
	assert_int_equal(rig_tiny.cursors[w.svc].ticket, ticket);
	for (uint32_t i = 0; i < capacity(&w); i++)
		assert_true(lives(&w, i));
	/* closing by one side is not closed */
	reach(&w, 0, PKT_FIN | PKT_ACK);
	path_client(&w, PKT_SYN, RR_V_TABLE_FULL);
	/* closed is */
	reach(&w, 1, PKT_RST);
	path_client(&w, PKT_SYN, RR_V_TABLE_FULL);
	/* unless packets disprove it within a second */
	set_age(&w, 1, w.rig->control->hz + 1);
	path_client(&w, PKT_SYN, RR_V_FORWARD);
	assert_false(lives(&w, 1));
	assert_true(lives(&w, 0));
}

static void test_eviction_order(void **state)
{
	struct world w;
	struct rig_counts was, is;

	path_world_is(&w, path_service_of(state));
	fill(&w, HAVE_SYN);
	set_age(&w, 0, 500); /* the oldest half-open */
	set_age(&w, 2, 200);
	reach(&w, 1, PKT_RST); /* closed */
	reach(&w, 3, PKT_ACK); /* established, expired */
	set_age(&w, 3, RIG_TIMEOUT + 5);
	rig_count(&rig_tiny, &was);
	path_client(&w, PKT_SYN, RR_V_FORWARD);
	assert_false(lives(&w, 3));
	assert_true(lives(&w, 1) && lives(&w, 0) && lives(&w, 2));
	rig_count(&rig_tiny, &is);
	assert_int_equal(is.svc[w.svc].closed - was.svc[w.svc].closed,
			 1); /* it had been established */
	path_next_client(&w, 98);
	path_client(&w, PKT_SYN, RR_V_FORWARD);
	assert_false(lives(&w, 1));
	assert_true(lives(&w, 0) && lives(&w, 2));
	path_next_client(&w, 97);
	path_client(&w, PKT_SYN, RR_V_FORWARD);
	assert_false(lives(&w, 0));
	assert_true(lives(&w, 2));
	path_next_client(&w, 96);
	path_client(&w, PKT_SYN, RR_V_FORWARD);
	assert_false(lives(&w, 2));
	rig_count(&rig_tiny, &is);
	assert_int_equal(is.svc[w.svc].closed - was.svc[w.svc].closed, 1);
}

/* Expired half-open entries go before closed ones, closed ones before the other half-open ones. */
static void test_half_open_order(void **state)
{
	struct world w;

	path_world_is(&w, path_service_of(state));
	fill(&w, HAVE_SYN);
	set_age(&w, 0, RIG_TIMEOUT - 5); /* old, not expired */
	set_age(&w, 2, RIG_TIMEOUT + 5); /* expired */
	reach(&w, 1, PKT_RST);
	path_client(&w, PKT_SYN, RR_V_FORWARD);
	assert_false(lives(&w, 2));
	assert_true(lives(&w, 0) && lives(&w, 1));
	path_next_client(&w, 98);
	path_client(&w, PKT_SYN, RR_V_FORWARD);
	assert_false(lives(&w, 1));
	assert_true(lives(&w, 0));
	path_next_client(&w, 97);
	path_client(&w, PKT_SYN, RR_V_FORWARD);
	assert_false(lives(&w, 0));
}

/* A flood of SYNs pushes out half-open flows only. */
static void test_flood(void **state)
{
	struct world w;

	path_world_is(&w, path_service_of(state));
	fill(&w, HAVE_SYN);
	reach(&w, 0, PKT_ACK);
	reach(&w, 1, PKT_ACK);
	for (uint16_t i = 0; i < 500; i++) {
		path_next_client(&w, (uint16_t)(5000 + i));
		path_client(&w, PKT_SYN, RR_V_FORWARD);
	}
	assert_true(lives(&w, 0) && lives(&w, 1));
	assert_int_equal(rig_live(&rig_tiny, w.af), capacity(&w));
}

/* An evicted flow's time stands still when it looks younger than now: no underflow makes it old. */
static void test_clock_skew(void **state)
{
	struct world w;

	path_world_is(&w, path_service_of(state));
	fill(&w, HAVE_EST);
	for (uint32_t i = 0; i < capacity(&w); i++)
		set_age(&w, i, (uint32_t)-1000);
	path_client(&w, PKT_SYN, RR_V_TABLE_FULL);
}

/* nat: the reverse entry finds no room; nothing is left behind, and the verdict says so. */
static void test_full_reverse(void **state)
{
	struct world w;

	path_world(&w, &rig_tiny, path_service_of(state));
	for (uint32_t i = 0; i < capacity(&w) / 2; i++) {
		path_next_client(&w, (uint16_t)(100 + i));
		path_reach(&w, HAVE_EST);
	}
	path_next_client(&w, 99);
	path_client(&w, PKT_SYN, RR_V_TABLE_FULL);
	/* one slot free: room for the forward entry, none for the reverse one */
	w.cport = 100;
	path_flow_of(&w, NULL)->meta = 0;
	path_next_client(&w, 99);
	path_client(&w, PKT_SYN, RR_V_TABLE_FULL);
	assert_null(path_flow_of(&w, NULL));
	assert_int_equal(rig_live(&rig_tiny, w.af), capacity(&w) - 1);
}

/* nat: both entries of an expired established pair are evicted, but one connection was closed. */
static void test_evicted_pairs(void **state)
{
	struct rig_counts was, is;
	struct world w;
	uint32_t pairs;

	path_world(&w, &rig_tiny, path_service_of(state));
	pairs = capacity(&w) / 2;
	for (uint32_t i = 0; i < pairs; i++) {
		path_next_client(&w, (uint16_t)(100 + i));
		path_reach(&w, HAVE_EST);
		path_flow_of(&w, NULL)->seen -= RIG_TIMEOUT + 2;
		path_reverse_of(&w, NULL)->seen -= RIG_TIMEOUT + 2;
	}
	rig_count(&rig_tiny, &was);
	for (uint32_t i = 0; i < pairs; i++) {
		path_next_client(&w, (uint16_t)(200 + i));
		path_client(&w, PKT_SYN, RR_V_FORWARD);
	}
	rig_count(&rig_tiny, &is);
	for (uint32_t i = 0; i < pairs; i++)
		assert_false(lives(&w, i));
	assert_int_equal(is.svc[w.svc].closed - was.svc[w.svc].closed, pairs);
	assert_int_equal(rig_live(&rig_tiny, w.af), capacity(&w));
}

int main(void)
{
	static const struct rig_opts tiny = { .flow4_sets = 2, .flow6_sets = 2 };
	static const struct path_test tests[] = {
		PATH_TEST(test_full, ON_DSR),
		PATH_TEST(test_eviction_order, ON_DSR),
		PATH_TEST(test_flood, ON_DSR),
		PATH_TEST(test_clock_skew, ON_DSR),
		PATH_TEST(test_full_reverse, ON_NAT),
		PATH_TEST(test_evicted_pairs, ON_NAT),
		PATH_TEST(test_half_open_order, ON_DSR),
	};

	path_use(&rig_tiny, &tiny);
	return path_group("evict", tests, sizeof(tests) / sizeof(tests[0]));
}
