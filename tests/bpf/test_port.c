/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_port.c - local ports and their reuse: which may be given to a new connection, and which are
 * still somebody's. Three loaded programs: one of ordinary size, one with a single port, one with a
 * few.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "path.h"

#define ONE_PORT 20000

static struct rig rig, rig_port, rig_few;

static void test_ports_unique(void **state)
{
	static uint8_t used[PATH_EPS][65536];
	struct world w;

	memset(used, 0, sizeof(used));
	path_world(&w, &rig, path_service_of(state));
	for (uint16_t i = 0; i < 150; i++) {
		uint8_t *seen;

		path_next_client(&w, (uint16_t)(2000 + i));
		path_client(&w, PKT_SYN, RR_V_FORWARD);
		assert_in_range(w.lport, RR_PORT_LO_DEFAULT, RR_PORT_HI_DEFAULT);
		seen = &used[w.ep - PATH_EP(w.svc, 0)][w.lport];
		assert_int_equal(*seen, 0);
		*seen = 1;
		assert_non_null(path_reverse_of(&w, NULL));
	}
}

static void one_endpoint(struct world *w, struct rig *r, uint32_t svc)
{
	uint16_t slot = PATH_EP(svc, 0);

	path_world(w, r, svc);
	rig_rotation(r, svc, &slot, 1);
}

static void test_no_port(void **state)
{
	uint16_t slots[2];
	struct world w;

	one_endpoint(&w, &rig_port, path_service_of(state));
	path_reach(&w, HAVE_EST);
	assert_int_equal(w.lport, ONE_PORT);
	path_next_client(&w, 40001);
	path_client(&w, PKT_SYN, RR_V_NO_PORT);
	assert_null(path_flow_of(&w, NULL));
	assert_int_equal(rig_live(&rig_port, w.af), 2);
	/* another endpoint's address has this port free */
	slots[0] = slots[1] = PATH_EP(w.svc, 1);
	rig_rotation(&rig_port, w.svc, slots, 2);
	path_client(&w, PKT_SYN, RR_V_FORWARD);
	assert_int_equal(w.lport, ONE_PORT);
}

/* A port in use is not given away while the flow lives, established or closing by one side only. */
static void test_port_kept(void **state)
{
	const enum path_have have[] = { HAVE_EST, HAVE_FIN_CLIENT, HAVE_FIN_SERVER };
	struct world w;

	for (size_t i = 0; i < sizeof(have) / sizeof(have[0]); i++) {
		one_endpoint(&w, &rig_port, path_service_of(state));
		path_reach(&w, have[i]);
		path_next_client(&w, 40001);
		path_client(&w, PKT_SYN, RR_V_NO_PORT);
	}
}

/*
 * A closed flow's port may be, and a half-open one's, or a flood of SYNs would hold every port of
 * an endpoint; what the old client still sends does not reach the new connection.
 */
/* Long enough for nothing to disprove the RST. */
static void rested(struct world *w)
{
	uint32_t age = w->rig->services[w->svc].t_claim + 1;

	path_flow_of(w, NULL)->seen -= age;
	path_reverse_of(w, NULL)->seen -= age;
}

static void test_port_reuse(void **state)
{
	const enum path_have have[] = { HAVE_SYN, HAVE_SYNACK, HAVE_FIN2, HAVE_RST, HAVE_KILLED };
	struct world old, w;

	for (size_t i = 0; i < sizeof(have) / sizeof(have[0]); i++) {
		one_endpoint(&old, &rig_port, path_service_of(state));
		path_reach(&old, have[i]);
		if (have[i] == HAVE_RST)
			rested(&old);
		w = old;
		path_next_client(&w, 40001);
		path_reach(&w, HAVE_EST);
		assert_int_equal(w.lport, ONE_PORT);
		path_server(&w, PKT_ACK, RR_V_REPLY);
		path_client(&old, PKT_ACK, RR_V_RESET);
		path_client(&w, PKT_ACK, RR_V_FORWARD);
		path_server(&w, PKT_ACK, RR_V_REPLY);
		assert_int_equal(rig_live(&rig_port, w.af), 2);
	}
}

static void expire(struct world *w)
{
	path_flow_of(w, NULL)->seen -= RIG_TIMEOUT + 2;
	path_reverse_of(w, NULL)->seen -= RIG_TIMEOUT + 2;
}

/*
 * An established flow that has expired, with no controller there to end it: its port may go, and
 * then it has none.
 */
static void test_port_of_expired(void **state)
{
	struct world old, w;

	one_endpoint(&old, &rig_port, path_service_of(state));
	path_reach(&old, HAVE_EST);
	expire(&old);
	w = old;
	path_next_client(&w, 40001);
	path_reach(&w, HAVE_EST);
	assert_int_equal(w.lport, ONE_PORT);
	path_client(&old, PKT_PSH | PKT_ACK, RR_V_RESET);
	path_server(&w, PKT_ACK, RR_V_REPLY);
	assert_int_equal(rig_live(&rig_port, w.af), 2);
}

/* One that is only idle goes on, from either side. */
static void test_idle_goes_on(void **state)
{
	struct world w;

	path_world(&w, &rig, path_service_of(state));
	path_reach(&w, HAVE_EST);
	expire(&w);
	path_client(&w, PKT_ACK, RR_V_FORWARD);
	path_client(&w, PKT_ACK, RR_V_FORWARD);
	path_server(&w, PKT_ACK, RR_V_REPLY);
	path_server(&w, PKT_ACK, RR_V_REPLY);
	path_flow_of(&w, NULL)->meta = RR_META_MAKE(9, RR_FLOW_EMPTY, 0, 0, 0);
	path_server(&w, PKT_ACK, RR_V_REPLY); /* the fast path looks at its own entry only */
	path_reverse_of(&w, NULL)->seen -= RIG_TIMEOUT / 2;
	path_server(&w, PKT_ACK, RR_V_ORPHAN);
}

/* The same where the new client has the old one's port number, and only its address differs. */
static void test_port_reuse_twin(void **state)
{
	struct pkt_spec diff = { .flags = PKT_SYN }, s;
	struct world w;

	one_endpoint(&w, &rig_port, path_service_of(state));
	path_reach(&w, HAVE_FIN2);
	diff.src = path_client_addr(w.svc);
	diff.src.a[3] ^= 1;
	path_packet(&w, false, &diff, &s);
	pkt_build(&s, &w.in);
	assert_int_equal(rig_run(&rig_port, w.in.b, w.in.len, &w.out), XDP_TX);
	path_client(&w, PKT_ACK, RR_V_RESET);
}

/* Two endpoints on one address: one local port each, or replies could not be told apart. */
static void test_shared_address(void **state)
{
	struct rr_endpoint *second;
	struct world a, b;

	path_world(&a, &rig, path_service_of(state));
	second = &rig.endpoints[PATH_EP(a.svc, 1)];
	second->addr = path_ep_addr(PATH_EP(a.svc, 0));
	second->port = pkt_be16(9443);
	b = a;
	b.cport = 40001;
	path_reach(&a, HAVE_EST);
	path_reach(&b, HAVE_EST);
	assert_int_not_equal(a.ep, b.ep);
	assert_int_not_equal(a.lport, b.lport);
	path_server(&a, PKT_ACK, RR_V_REPLY);
	path_server(&b, PKT_ACK, RR_V_REPLY);
}

/* With one port there is no room for the second. */
static void test_shared_address_one_port(void **state)
{
	struct world w;

	path_world(&w, &rig_port, path_service_of(state));
	rig_port.endpoints[PATH_EP(w.svc, 1)].addr = path_ep_addr(PATH_EP(w.svc, 0));
	path_reach(&w, HAVE_EST);
	path_next_client(&w, 40001);
	path_client(&w, PKT_SYN, RR_V_NO_PORT);
}

/* ---- a few ports ---- */

#define FEW 16u

static void age_flow(const struct world *w, uint32_t jiffies)
{
	path_flow_of(w, NULL)->seen -= jiffies;
	path_reverse_of(w, NULL)->seen -= jiffies;
}

/* All ports half-open, with a set or without: the oldest of all gives its own up, none younger. */
static void oldest_half_open(uint32_t svc, bool sets)
{
	static struct world w[FEW];
	uint16_t slot = PATH_EP(svc, 0);
	const uint32_t oldest = 11;
	struct world other;

	path_world(&other, &rig_few, svc);
	rig_rotation(&rig_few, svc, &slot, 1);
	if (sets)
		rig_port_sets(&rig_few, slot, 1);
	for (uint32_t i = 0; i < FEW; i++) {
		w[i] = other;
		w[i].cport = (uint16_t)(2000 + i);
		/* by hash a port may be missed: that client tries again as another */
		path_reach(&w[i], HAVE_SYN);
		age_flow(&w[i], i == oldest ? 5000 : 10 * (i + 1));
	}
	other.cport = 3000;
	path_client(&other, PKT_SYN, RR_V_FORWARD);
	assert_int_equal(other.lport, w[oldest].lport);
	for (uint32_t i = 0; i < FEW; i++) {
		if (i != oldest)
			assert_non_null(path_reverse_of(&w[i], NULL));
	}
}

static void test_oldest_half_open(void **state)
{
	oldest_half_open(path_service_of(state), true);
}

/* Established ones never do. */
static void test_all_established(void **state)
{
	uint32_t svc = path_service_of(state);
	uint16_t slot = PATH_EP(svc, 0);
	struct world w;

	path_world(&w, &rig_few, svc);
	rig_rotation(&rig_few, svc, &slot, 1);
	rig_port_sets(&rig_few, slot, 1);
	for (uint32_t i = 0; i < FEW; i++) {
		path_next_client(&w, (uint16_t)(2000 + i));
		path_reach(&w, HAVE_EST);
	}
	path_next_client(&w, 3000);
	path_client(&w, PKT_SYN, RR_V_NO_PORT);
	/* a set that the map has no room for is as none */
	rig_port_sets(&rig_few, slot, 4000);
	path_client(&w, PKT_SYN, RR_V_NO_PORT);
}

int main(void)
{
	static const struct rig_opts one_port = { .port_lo = ONE_PORT, .port_hi = ONE_PORT };
	static const struct rig_opts few = { .port_lo = ONE_PORT,
					     .port_hi = ONE_PORT + FEW - 1,
					     .port_sets = 1 };
	static const struct path_test tests[] = {
		PATH_TEST(test_ports_unique, ON_NAT),
		PATH_TEST(test_no_port, ON_NAT),
		PATH_TEST(test_port_kept, ON_NAT),
		PATH_TEST(test_port_of_expired, ON_NAT),
		PATH_TEST(test_idle_goes_on, ON_NAT),
		PATH_TEST(test_port_reuse, ON_NAT),
		PATH_TEST(test_port_reuse_twin, ON_NAT),
		PATH_TEST(test_shared_address, ON_NAT),
		PATH_TEST(test_shared_address_one_port, ON_NAT),
		PATH_TEST(test_oldest_half_open, ON_NAT),
		PATH_TEST(test_all_established, ON_NAT),
	};

	path_use(&rig, NULL);
	path_use(&rig_port, &one_port);
	path_use(&rig_few, &few);
	return path_group("port", tests, sizeof(tests) / sizeof(tests[0]));
}
