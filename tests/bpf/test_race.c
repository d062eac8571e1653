/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_race.c - several pinned threads run packets on the same few sets at once, while one more
 * sweeps them as the controller does (compare-and-swap on meta). Three kinds of traffic share the
 * slots:
 *  - guarded flows, one of each service a thread, on keys of its own: once established, every
 *    packet must reach the same endpoint and port and come back to the same client, until the
 *    thread itself ends the flow (I1, I2, I5);
 *  - shared flows on keys that all threads fight over, every kind of packet in any order (nat ones
 *    to endpoints of their own: a RST of theirs that comes late must not hit a guarded flow that
 *    has the port by now, as it rightly would): while an entry lives through a packet (same gen
 *    before and after), the packet must have gone where the entry says (I2, I4);
 *  - a scan for two live entries of one key (I3): both are read twice, so what it finds did exist
 *    at one moment.
 * Two of three nat endpoints have a set of local ports, one is given ports by hash.
 * Afterwards the books must balance: every packet has one verdict, every ticket one connection or
 * refusal, every flow that was established is closed, swept or still there.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <cmocka.h>

#include "path_seen.h"
#include "path_sweep.h"

#define MAX_THREADS 16
#define SECONDS 5
#define SETS4 4u
#define SETS6 8u
#define PORT_LO 20000
#define PORT_HI 20031
#define SHARED_FIRST 300 /* client ports of shared flows */
#define SHARED 10
#define SHORT 0u /* jiffies: half-open and closed flows expire while the test runs */
#define EP_MARK 0xee /* byte 4 of endpoints' MACs */

enum got { GOT_PASS, GOT_DROP, GOT_FORWARD, GOT_REPLY, GOT_RESET };

struct guarded {
	struct world w;
	bool open; /* established: from here on it must not be lost */
	uint32_t left; /* packets until it ends */
};

struct worker {
	pthread_t thread;
	uint32_t id;
	uint64_t rng;
	uint64_t packets, established;
	struct guarded flow[PATH_SERVICES];
};

static struct rig rig;
static struct world origin[PATH_ALL];
static uint32_t shared[PATH_ALL], shareds; /* services of shared flows */
static volatile bool stop;
static struct path_sweep sweep = { .rig = &rig,
				   .half_open_age = SHORT,
				   .kill_first = SHARED_FIRST,
				   .kill_n = SHARED,
				   .rng = 88172645463325252ull };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char wrong[256];
static uint32_t wrongs;

static void violation(const char *what, const struct world *w)
{
	pthread_mutex_lock(&lock);
	if (!wrongs++)
		snprintf(wrong, sizeof(wrong),
			 "%s (service %u, client port %u, endpoint %u, port %u)", what, w->svc,
			 w->cport, w->ep, w->lport);
	pthread_mutex_unlock(&lock);
}

static uint32_t rnd(struct worker *t, uint32_t n)
{
	return path_rnd(&t->rng, n);
}

static void pin(uint32_t id)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(id % (uint32_t)sysconf(_SC_NPROCESSORS_ONLN), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		abort();
}

/* ---- entries, as a reader of the mapped table sees them ---- */

static bool look_forward(const struct world *w, struct seen *s)
{
	struct rr_addr a = path_client_addr(w->svc);

	return seen_find(&rig, w->af, &a, w->cport, path_forward_tag(w), s);
}

static bool look_reverse(const struct world *w, struct seen *s)
{
	return w->ep &&
	       seen_find(&rig, w->af, &rig.endpoints[w->ep].addr, w->lport, path_reverse_tag(w), s);
}

/* ---- packets ---- */

static uint16_t get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

/*
 * One packet; what came of it, and for a forwarded one the endpoint and local port, for a reply
 * the client's port.
 */
static enum got run(struct worker *t, struct world *w, bool rev, uint8_t flags, uint16_t *ep,
		    uint16_t *port)
{
	struct pkt_spec diff = { .flags = flags, .payload = flags == PKT_ACK ? 20 : 0 }, s;
	const char *bad;
	uint32_t action;
	bool to_ep;

	path_packet(w, rev, &diff, &s);
	pkt_build(&s, &w->in);
	action = rig_run(&rig, w->in.b, w->in.len, &w->out);
	t->packets++;
	if (action != XDP_TX) {
		if (action == XDP_PASS &&
		    (w->out.len != w->in.len || memcmp(w->in.b, w->out.b, w->in.len)))
			violation("a passed packet was changed", w);
		return action == XDP_PASS ? GOT_PASS : GOT_DROP;
	}
	bad = pkt_check(w->out.b, w->out.len);
	if (bad)
		violation(bad, w);
	to_ep = w->out.b[4] == EP_MARK;
	if (to_ep == rev)
		return GOT_RESET;
	*ep = to_ep ? w->out.b[5] : 0;
	*port = get16(w->out.b + w->in.l4 + (to_ep ? 0 : 2));
	return to_ep ? GOT_FORWARD : GOT_REPLY;
}

/* ---- guarded flows ---- */

/* The packet of an established flow must have arrived. */
static void must(struct guarded *g, enum got got, enum got want, uint16_t ep, uint16_t port)
{
	struct world *w = &g->w;

	if (got != want)
		violation(want == GOT_FORWARD ? "established flow lost, client's packet"
					      : "established flow lost, endpoint's packet",
			  w);
	else if (want == GOT_FORWARD && (ep != w->ep || (w->mode->rewrites && port != w->lport)))
		violation("established flow went elsewhere", w);
	else if (want == GOT_REPLY && port != w->cport)
		violation("established flow's reply went elsewhere", w);
	else
		return;
	g->open = false;
}

static void guarded_open(struct worker *t, struct guarded *g)
{
	struct world *w = &g->w;
	struct seen s;
	uint16_t ep = 0, port = 0;

	w->ep = w->lport = 0;
	if (look_forward(w, &s) && RR_META_STATE(s.meta) == RR_FLOW_FIN1)
		return; /* half-closed is open: a SYN starts nothing */
	if (run(t, w, false, PKT_SYN, &ep, &port) != GOT_FORWARD)
		return;
	w->ep = ep;
	w->lport = port;
	if (w->mode->replies &&
	    (run(t, w, true, PKT_SYN | PKT_ACK, &ep, &port) != GOT_REPLY || port != w->cport))
		return; /* evicted while half-open */
	if (run(t, w, false, PKT_ACK, &ep, &port) != GOT_FORWARD)
		return;
	g->open = true;
	g->left = 3 + rnd(t, 60);
	t->established++;
	must(g, GOT_FORWARD, GOT_FORWARD, ep, port);
}

static void guarded_close(struct worker *t, struct guarded *g)
{
	uint16_t ep = 0, port = 0;
	enum got got;

	g->open = false;
	if (rnd(t, 4) == 0) {
		got = run(t, &g->w, false, PKT_RST, &ep, &port);
		must(g, got, GOT_FORWARD, ep, port);
		return;
	}
	got = run(t, &g->w, false, PKT_FIN | PKT_ACK, &ep, &port);
	must(g, got, GOT_FORWARD, ep, port);
	if (g->w.mode->replies) {
		got = run(t, &g->w, true, PKT_FIN | PKT_ACK, &ep, &port);
		must(g, got, GOT_REPLY, ep, port);
	}
}

static void guarded_step(struct worker *t, struct guarded *g)
{
	uint16_t ep = 0, port = 0;
	enum got got;

	if (!g->open) {
		guarded_open(t, g);
	} else if (!g->left--) {
		guarded_close(t, g);
	} else if (g->w.mode->replies && rnd(t, 2)) {
		got = run(t, &g->w, true, PKT_ACK, &ep, &port);
		must(g, got, GOT_REPLY, ep, port);
	} else {
		got = run(t, &g->w, false, rnd(t, 8) ? PKT_ACK : PKT_SYN, &ep, &port);
		must(g, got, GOT_FORWARD, ep, port);
	}
}

/* ---- shared flows ---- */

static const uint8_t client_flags[] = { PKT_SYN, PKT_SYN, PKT_SYN,	     PKT_SYN, PKT_ACK,
					PKT_ACK, PKT_ACK, PKT_FIN | PKT_ACK, PKT_RST };
static const uint8_t server_flags[] = { PKT_SYN | PKT_ACK, PKT_SYN | PKT_ACK, PKT_SYN | PKT_ACK,
					PKT_ACK,	   PKT_FIN | PKT_ACK, PKT_RST };

/*
 * Did the entry live through the packet? The same slot in the same life: its gen is 16 bits and
 * moves twice a life, so it cannot wrap in between. (Entries of one key in two slots may have
 * equal gens.)
 */
static bool lived(bool before, bool after, const struct seen *b, const struct seen *a)
{
	return before && after && b->slot == a->slot &&
	       RR_META_GEN(b->meta) == RR_META_GEN(a->meta) &&
	       RR_META_EP(b->meta) == RR_META_EP(a->meta) && b->port == a->port;
}

static void shared_client(struct worker *t, struct world *w)
{
	uint8_t flags = client_flags[rnd(t, sizeof(client_flags))];
	uint16_t ep = 0, port = 0;
	struct seen b, a;
	bool before, after;
	enum got got;

	before = look_forward(w, &b);
	got = run(t, w, false, flags, &ep, &port);
	after = look_forward(w, &a);
	if (got == GOT_FORWARD && PATH_EP_SERVICE(ep) != w->svc)
		violation("endpoint of another service", w);
	if (got == GOT_FORWARD && w->mode->rewrites && (port < PORT_LO || port > PORT_HI))
		violation("port out of range", w);
	if (got != GOT_FORWARD || !lived(before, after, &b, &a))
		return;
	if (ep != RR_META_EP(b.meta) || (w->mode->rewrites && port != b.port))
		violation("client's packet did not follow its entry", w);
}

static void shared_server(struct worker *t, struct world *w)
{
	uint8_t flags = server_flags[rnd(t, sizeof(server_flags))];
	uint16_t ep = 0, port = 0;
	struct seen f, b, a;
	bool before, after;

	if (!look_forward(w, &f))
		return;
	w->ep = RR_META_EP(f.meta);
	w->lport = f.port;
	before = look_reverse(w, &b);
	if (run(t, w, true, flags, &ep, &port) != GOT_REPLY)
		return;
	after = look_reverse(w, &a);
	if (lived(before, after, &b, &a) && port != b.port)
		violation("reply did not follow its entry", w);
}

static void shared_step(struct worker *t)
{
	struct world w = origin[shared[rnd(t, shareds)]];

	w.cport = (uint16_t)(SHARED_FIRST + rnd(t, SHARED));
	if (w.mode->replies && rnd(t, 2))
		shared_server(t, &w);
	else
		shared_client(t, &w);
}

static void *hammer(void *arg)
{
	struct worker *t = arg;

	pin(t->id);
	while (!stop) {
		for (int i = 0; i < 64; i++) {
			if (rnd(t, 2))
				guarded_step(t, &t->flow[rnd(t, PATH_SERVICES)]);
			else
				shared_step(t);
		}
	}
	return NULL;
}

/* ---- the controller's part ---- */

static void find_twins(uint8_t af)
{
	struct world w = { .af = af };

	for (uint32_t i = 0; i < seen_slots(&rig, af); i++) {
		for (uint32_t j = i + 1; j < seen_slots(&rig, af); j++) {
			if (seen_twins(&rig, af, i, j))
				violation("two live entries of one key", &w);
		}
	}
}

static void *controller(void *arg)
{
	struct worker *t = arg;

	pin(t->id);
	while (!stop) {
		for (int i = 0; i < 20; i++) {
			find_twins(RR_AF_INET);
			find_twins(RR_AF_INET6);
		}
		path_sweep(&sweep, RR_AF_INET, rnd(t, 4) == 0);
		path_sweep(&sweep, RR_AF_INET6, rnd(t, 4) == 0);
		usleep(200);
	}
	return NULL;
}

/* ---- the books ---- */

static uint64_t live_established(uint16_t ep)
{
	uint8_t af = path_worlds[PATH_EP_SERVICE(ep)].client;
	uint64_t n = 0;

	for (uint32_t i = 0; i < seen_slots(&rig, af); i++) {
		const __u64 *key, *addr;
		uint64_t m = seen_slot(&rig, af, i, &key, &addr)->meta;

		n += RR_META_STATE(m) == RR_FLOW_EST && RR_META_EP(m) == ep &&
		     !(RR_KEY_TAG(*key) & RR_TAG_REV);
	}
	return n;
}

/* Exactly the tickets k < n with k mod 3 = slot. */
static uint64_t share(uint64_t n, uint32_t slot)
{
	return n / PATH_EPS + (n % PATH_EPS > slot);
}

static void balance(const struct rig_counts *was, const struct rig_counts *is, uint64_t packets)
{
	uint64_t sum = 0, conns, ticket, lost, full, no_port;

	for (int v = 0; v < RR_V_MAX; v++)
		sum += is->verdict[v] - was->verdict[v];
	assert_int_equal(sum, packets);
	full = is->verdict[RR_V_TABLE_FULL] - was->verdict[RR_V_TABLE_FULL];
	no_port = is->verdict[RR_V_NO_PORT] - was->verdict[RR_V_NO_PORT];
	lost = 0;
	for (uint32_t svc = 0; svc < PATH_ALL; svc++) {
		conns = is->svc[svc].conns - was->svc[svc].conns;
		ticket = rig.cursors[svc].ticket;
		if (!origin[svc].mode->pair)
			assert_int_equal(conns, ticket); /* nothing can fail after the ticket */
		lost += ticket - conns;
		for (uint16_t i = 0; i < PATH_EPS; i++) {
			uint16_t ep = PATH_EP(svc, i);

			conns = is->ep[ep].conns - was->ep[ep].conns;
			if (!origin[svc].mode->pair)
				assert_int_equal(conns, share(ticket, i));
			assert_true(conns <= share(ticket, i));
			assert_int_equal((is->ep[ep].established - was->ep[ep].established) +
						 (is->ep[ep].reopened - was->ep[ep].reopened) -
						 (is->ep[ep].closed - was->ep[ep].closed) -
						 sweep.swept[ep],
					 live_established(ep));
		}
	}
	assert_in_range(lost, no_port, no_port + full);
}

static uint32_t thread_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 4 ? 4 : n > MAX_THREADS ? MAX_THREADS : (uint32_t)n;
}

static void prepare(void)
{
	for (uint32_t svc = 0; svc < PATH_ALL; svc++)
		path_world(&origin[svc], &rig, svc);
	for (uint32_t svc = 0; svc < PATH_ALL; svc++) {
		struct rr_service *s = &rig.services[svc];

		for (uint16_t i = 0; i < 2 && origin[svc].mode->replies; i++)
			rig_port_sets(&rig, PATH_EP(svc, i), (uint16_t)(svc * 2 + i + 1));
		s->t_syn = s->t_fin2 = s->t_rst = SHORT;
		if (svc < PATH_SERVICES && origin[svc].mode->replies)
			continue; /* guarded alone, and there the endpoint's FIN is yet to come */
		s->t_fin1 = SHORT;
		shared[shareds++] = svc;
	}
}

static void start(struct worker *t, uint32_t id, void *(*fn)(void *))
{
	memset(t, 0, sizeof(*t));
	t->id = id;
	t->rng = 0x9e3779b97f4a7c15ull * (id + 1);
	for (uint32_t svc = 0; svc < PATH_SERVICES; svc++) {
		t->flow[svc].w = origin[svc];
		t->flow[svc].w.cport = (uint16_t)(1000 + id);
	}
	if (pthread_create(&t->thread, NULL, fn, t))
		abort();
}

static void test_hammer(void **state)
{
	static struct worker worker[MAX_THREADS + 1];
	uint32_t n = thread_count();
	struct rig_counts was, is;
	uint64_t packets = 0, established = 0;

	(void)state;
	prepare();
	rig_count(&rig, &was);
	for (uint32_t i = 0; i < n; i++)
		start(&worker[i], i, hammer);
	start(&worker[n], n, controller);
	sleep(SECONDS);
	stop = true;
	for (uint32_t i = 0; i <= n; i++) {
		pthread_join(worker[i].thread, NULL);
		packets += worker[i].packets;
		established += worker[i].established;
	}
	rig_count(&rig, &is);
	printf("# %u threads, %llu packets, %llu guarded flows, %llu expired, %llu killed, %llu "
	       "races\n",
	       n, (unsigned long long)packets, (unsigned long long)established,
	       (unsigned long long)sweep.expired, (unsigned long long)sweep.killed,
	       (unsigned long long)(is.verdict[RR_V_FLOW_RACE] - was.verdict[RR_V_FLOW_RACE]));
	if (wrongs)
		fail_msg("%u violations; the first: %s", wrongs, wrong);
	find_twins(RR_AF_INET);
	find_twins(RR_AF_INET6);
	assert_int_equal(wrongs, 0);
	assert_true(established > 100 && sweep.expired && sweep.killed);
	balance(&was, &is, packets);
}

int main(void)
{
	static const struct rig_opts opts = {
		.flow4_sets = SETS4,
		.flow6_sets = SETS6,
		.port_lo = PORT_LO,
		.port_hi = PORT_HI,
		.port_sets = PATH_ALL * 2,
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hammer),
	};

	path_use(&rig, &opts);
	return cmocka_run_group_tests_name("race", tests, path_setup, path_teardown);
}
