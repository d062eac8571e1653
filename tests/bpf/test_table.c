/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_table.c - what takes more than one packet to see: exact round robin, next hops, source
 * addresses, truncation at every length, the rate of RSTs.
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

static struct rig rig;

/* One raw frame: what is not sent on must be what came in. */
static enum rr_verdict run_raw(struct world *w, const uint8_t *b, uint32_t len, uint32_t *action)
{
	uint64_t was[RR_V_MAX], is[RR_V_MAX];
	enum rr_verdict v = RR_V_GO;

	rig_verdicts(w->rig, was);
	*action = rig_run(w->rig, b, len, &w->out);
	rig_verdicts(w->rig, is);
	for (int i = 1; i < RR_V_MAX; i++) {
		if (is[i] != was[i])
			v = i;
	}
	if (*action == XDP_PASS) {
		assert_int_equal(w->out.len, len);
		assert_memory_equal(w->out.b, b, len);
	}
	return v;
}

/* ---- truncation ---- */

static void truncate_at_all(struct world *w, const struct pkt_spec *diff, bool ours)
{
	struct pkt_frame f;
	struct pkt_spec s;
	enum rr_verdict v;
	uint32_t action;

	path_packet(w, false, diff, &s);
	if (!ours)
		s.dst = path_client_addr(w->svc);
	pkt_build(&s, &f);
	for (uint32_t len = 14; len < f.len;
	     len++) { /* the kernel delivers no less than an Ethernet header */
		v = run_raw(w, f.b, len, &action);
		if (ours && len >= f.l4 + 4)
			assert_int_equal(v, RR_V_MALFORMED);
		else
			assert_true(v == RR_V_NOT_IP || v == RR_V_NOT_OURS);
		assert_int_equal(action, ours && len >= f.l4 + 4 ? XDP_DROP : XDP_PASS);
	}
	run_raw(w, f.b, f.len, &action);
	assert_int_equal(action, ours ? XDP_TX : XDP_PASS);
}

static void test_truncated(void **state)
{
	const struct pkt_spec shape[] = {
		{ .flags = PKT_SYN },
		{ .flags = PKT_ACK, .payload = 40 },
		{ .flags = PKT_SYN, .vlans = 1, .vlan = { 3 } },
		{ .flags = PKT_SYN, .ip_options = PKT_NOPS, .ip_options_len = 8 },
		{ .flags = PKT_SYN, .ext = { 255, 60, 43, 0 }, .exts = 4 },
		{ .flags = PKT_SYN, .ext = { 0 }, .exts = 1, .frag_header = true },
	};
	struct world w;

	for (size_t i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
		path_world(&w, &rig, path_service_of(state));
		path_reach(&w, HAVE_EST);
		truncate_at_all(&w, &shape[i], true);
		truncate_at_all(&w, &shape[i], false);
	}
}

/* ---- RSTs ---- */

static void age_bucket(uint32_t verdict, int32_t jiffies)
{
	int cpus = libbpf_num_possible_cpus();
	struct rr_bucket *b = calloc((size_t)cpus, sizeof(*b));

	assert_non_null(b);
	assert_int_equal(bpf_map_lookup_elem(rig.fd[RR_MAP_BUCKETS], &verdict, b), 0);
	for (int i = 0; i < cpus; i++)
		b[i].jiffies -= (uint32_t)jiffies;
	assert_int_equal(bpf_map_update_elem(rig.fd[RR_MAP_BUCKETS], &verdict, b, 0), 0);
	free(b);
}

/*
 * A second's worth at once, then none until time has passed. `hz` is made so large that the
 * test's own time is nothing.
 */
static void test_rst_rate(void **state)
{
	struct world w;

	path_world(&w, &rig, path_service_of(state));
	rig.control->rst_rate = 5;
	rig.control->hz = 10000000;
	for (int i = 0; i < 5; i++)
		path_client(&w, PKT_ACK, RR_V_RESET);
	for (int i = 0; i < 20; i++)
		path_client(&w, PKT_ACK, RR_V_RST_LIMITED);
	age_bucket(RR_V_RESET, 10000000 / 5 * 2);
	path_client(&w, PKT_ACK, RR_V_RESET);
	path_client(&w, PKT_ACK, RR_V_RESET);
	path_client(&w, PKT_ACK, RR_V_RST_LIMITED);
}

/* A flood of what one reason answers leaves the answers of another as they are. */
static void test_rst_budgets(void **state)
{
	struct world w;

	path_world(&w, &rig, path_service_of(state));
	rig.control->rst_rate = 2;
	rig.control->hz = 10000000;
	for (int i = 0; i < 2; i++)
		path_client(&w, PKT_ACK, RR_V_RESET);
	path_client(&w, PKT_ACK, RR_V_RST_LIMITED);
	rig_rotation(&rig, w.svc, NULL, 0);
	for (int i = 0; i < 2; i++)
		path_client(&w, PKT_SYN, RR_V_REFUSE);
	path_client(&w, PKT_SYN, RR_V_RST_LIMITED);
	path_client(&w, PKT_ACK, RR_V_RST_LIMITED);
}

/* ---- rotation ---- */

/* SYN `k` goes to slot k mod L, whatever the rotation is at that moment. */
static void test_exact(void **state)
{
	uint32_t svc = path_service_of(state);
	const uint16_t a = PATH_EP(svc, 0), b = PATH_EP(svc, 1), c = PATH_EP(svc, 2);
	const uint16_t weights[] = { a, b, a, c, a, b }, other[] = { c, b, a, b, b };
	const uint16_t *slots = weights;
	struct rig_counts was, is;
	uint32_t want[3] = { 0 }, len = 6;
	struct world w;

	path_world(&w, &rig, svc);
	rig_rotation(&rig, svc, weights, 6);
	rig_count(&rig, &was);
	for (uint32_t k = 0; k < 1800; k++) {
		if (k == 1001) {
			slots = other;
			len = 5;
			rig_rotation(&rig, svc, other, len);
		}
		path_next_client(&w, (uint16_t)(10000 + k));
		path_client(&w, PKT_SYN, RR_V_FORWARD);
		assert_int_equal(w.ep, slots[k % len]);
		want[slots[k % len] - a]++;
	}
	rig_count(&rig, &is);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(is.ep[a + i].conns - was.ep[a + i].conns, want[i]);
	assert_int_equal(rig.cursors[svc].ticket, 1800);
}

/* Two listeners share the cursor of their service, and a client's flows by both are two flows. */
static void test_exact_two_listeners(void **state)
{
	uint32_t svc = path_service_of(state);
	struct world w, by[2];

	path_world(&w, &rig, svc);
	by[0] = by[1] = w;
	by[1].listener = 7;
	by[1].port = 8443;
	rig_listener(&rig, by[1].listener, svc, w.af, w.addr, by[1].port);
	for (uint32_t k = 0; k < 600; k++) {
		struct world *v = &by[k * 7 / 3 % 2];

		path_next_client(v, (uint16_t)(10000 + k / 2));
		if (path_flow_of(v, NULL))
			v->cport += 1000;
		path_client(v, PKT_SYN, RR_V_FORWARD);
		assert_int_equal(v->ep, PATH_EP(svc, k % PATH_EPS));
		if (!v->mode->replies)
			continue;
		path_server(v, PKT_SYN | PKT_ACK, RR_V_REPLY);
	}
	assert_int_equal(rig.cursors[svc].ticket, 600);
}

/* The same client's port by two listeners: each flow has its own endpoint, port and replies. */
static void test_same_client_two_listeners(void **state)
{
	struct world a, b;

	path_world(&a, &rig, path_service_of(state));
	b = a;
	b.listener = 7;
	b.port = 8443;
	rig_listener(&rig, b.listener, a.svc, a.af, a.addr, b.port);
	path_reach(&a, HAVE_EST);
	path_reach(&b, HAVE_EST);
	assert_int_equal(a.ep, PATH_EP(a.svc, 0));
	assert_int_equal(b.ep, PATH_EP(a.svc, 1));
	path_client(&a, PKT_RST, RR_V_FORWARD);
	path_client(&b, PKT_ACK, RR_V_FORWARD);
	if (b.mode->replies)
		path_server(&b, PKT_ACK, RR_V_REPLY);
	assert_int_equal(RR_META_STATE(path_flow_of(&a, NULL)->meta), RR_FLOW_RST);
	assert_int_equal(RR_META_STATE(path_flow_of(&b, NULL)->meta), RR_FLOW_EST);
}

/* ---- clients' hops ---- */

static void test_two_routers(void **state)
{
	struct world a, b;

	path_world(&a, &rig, path_service_of(state));
	b = a;
	b.cport = 40001;
	b.cmac[5] = 0x02;
	b.cvlan = 300;
	path_reach(&a, HAVE_EST);
	path_reach(&b, HAVE_EST);
	for (int i = 0; i < 3; i++) {
		path_server(&a, PKT_ACK, RR_V_REPLY);
		assert_memory_equal(a.out.b, a.cmac, 6);
		path_server(&b, PKT_ACK, RR_V_REPLY);
		assert_memory_equal(b.out.b, b.cmac, 6);
	}
}

/* Known routers go on when no new one can be remembered; a new one's client is refused. */
static void test_hops_full(void **state)
{
	struct world w;

	path_world(&w, &rig, path_service_of(state));
	path_reach(&w, HAVE_SYN);
	for (uint32_t i = 1; i < RR_MAX_HOPS; i++)
		rig.hops[i] = rig.hops[i] ? rig.hops[i] : 1;
	path_next_client(&w, 40001);
	path_reach(&w, HAVE_EST);
	path_next_client(&w, 40002);
	w.cmac[5]++;
	path_client(&w, PKT_SYN, RR_V_NO_HOP);
	assert_null(path_flow_of(&w, NULL));
}

/* ---- source addresses ---- */

static const uint8_t *source_of(const struct world *w)
{
	return w->out.b + w->in.l3 + (w->af == RR_AF_INET ? 12 : 8);
}

/*
 * An endpoint with two source addresses uses both; each reply finds its flow by the one it is
 * for.
 */
static void test_two_locals(void **state)
{
	uint32_t used[2] = { 0 }, svc = path_service_of(state);
	struct pkt_spec syn = { .flags = PKT_SYN }, s;
	struct world w;

	path_world(&w, &rig, svc);
	rig_local(&rig, 2, w.af, path_client_addr(svc)); /* any addresses will do */
	rig_local(&rig, 3, w.af, path_ep_addr(PATH_EP(svc, 7)));
	for (uint16_t i = 0; i < PATH_EPS; i++) {
		rig.endpoints[PATH_EP(svc, i)].local_first = 2;
		rig.endpoints[PATH_EP(svc, i)].local_count = 2;
	}
	for (uint16_t i = 0; i < 60; i++) {
		const struct rr_flow *f;
		uint16_t local;

		path_next_client(&w, (uint16_t)(100 + i));
		path_packet(&w, false, &syn, &s);
		pkt_build(&s, &w.in);
		assert_int_equal(rig_run(&rig, w.in.b, w.in.len, &w.out), XDP_TX);
		f = path_flow_of(&w, NULL);
		assert_non_null(f);
		local = RR_META_VIA(f->meta);
		assert_in_range(local, 2, 3);
		used[local - 2]++;
		assert_memory_equal(source_of(&w), rig.locals[local].addr.a,
				    w.af == RR_AF_INET ? 4 : 16);
		w.ep = RR_META_EP(f->meta);
		w.lport = pkt_be16(f->port);
		memcpy(w.hop_mac, w.cmac, 6);
		s = (struct pkt_spec){ .flags = PKT_SYN | PKT_ACK, .dst = rig.locals[local].addr };
		path_packet(&w, true, &s, &s);
		path_run(&w, &s, RR_V_REPLY, 0);
	}
	assert_true(used[0] > 10 && used[1] > 10);
}

int main(void)
{
	static const struct path_test tests[] = {
		PATH_TEST(test_truncated, ON_ALL),
		PATH_TEST(test_rst_rate, ON_ALL),
		PATH_TEST(test_rst_budgets, ON_ALL),
		PATH_TEST(test_exact, ON_ALL),
		PATH_TEST(test_exact_two_listeners, ON_ALL),
		PATH_TEST(test_same_client_two_listeners, ON_ALL),
		PATH_TEST(test_two_routers, ON_NAT),
		PATH_TEST(test_hops_full, ON_NAT),
		PATH_TEST(test_two_locals, ON_NAT),
	};

	path_use(&rig, NULL);
	return path_group("table", tests, sizeof(tests) / sizeof(tests[0]));
}
