/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_port_set.c - local ports with a set (rr_port.h): the one unused for the longest first,
 * rests, what is taken when none has rested, and how much of a range is usable. One program with
 * a small range, two local addresses and a set for each.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "path.h"

#define LO 20000
#define PORTS 1000u
#define HI (LO + PORTS - 1)
#define SET 1u /* of the first local address; the second has the next */
#define SETS 4u
#define TICK (1u << RIG_PORT_SHIFT)

static struct rig rig;

static uint32_t service_of(void **state)
{
	return (uint32_t)(uintptr_t)*state;
}

/* One endpoint, `locals` local addresses with a set each; any addresses will do. */
static void one_endpoint(struct world *w, uint32_t svc, uint16_t locals)
{
	uint16_t slot = PATH_EP(svc, 0);

	path_world(w, &rig, svc);
	rig_local(&rig, 2, w->row->endpoint, path_ep_addr(PATH_EP(svc, 1)));
	rig_local(&rig, 3, w->row->endpoint, path_ep_addr(PATH_EP(svc, 2)));
	rig.endpoints[slot].local_first = 2;
	rig.endpoints[slot].local_count = locals;
	rig_port_sets(&rig, slot, SET);
	rig_rotation(&rig, svc, &slot, 1);
}

static void next_client(struct world *w, uint16_t port)
{
	w->cport = port;
	w->ep = 0;
	w->lport = 0;
}

/* The SYN of a client, which only has to go through; its local id, and w->lport is its port. */
static uint16_t syn(struct world *w, uint16_t cport, uint32_t action)
{
	struct pkt_spec diff = { .flags = PKT_SYN }, s;
	const struct rr_flow *f;

	next_client(w, cport);
	path_packet(w, false, &diff, &s);
	pkt_build(&s, &w->in);
	assert_int_equal(rig_run(&rig, w->in.b, w->in.len, &w->out), action);
	f = path_flow_of(w, NULL);
	if (!f)
		return UINT16_MAX;
	w->ep = RR_META_EP(f->meta);
	w->lport = pkt_be16(f->port);
	return RR_META_VIA(f->meta);
}

static uint32_t word(uint32_t set, uint16_t port)
{
	return *rig_port_word(&rig, set, port);
}

/* As if `ticks` had passed: all ports were closed so much earlier, and flows are gone by now. */
static void later(uint32_t ticks)
{
	for (uint32_t set = SET; set < SET + 2; set++) {
		for (uint32_t p = LO; p <= HI; p++) {
			uint32_t *w = rig_port_word(&rig, set, (uint16_t)p);

			if (*w && !(*w & RR_PORT_IN_USE))
				*w = (*w & ~RR_PORT_TIME) | ((*w - ticks) & RR_PORT_TIME);
		}
	}
}

/* The usual packet, acknowledging `acks` more bytes, from either side; it must go through. */
static void say(struct world *w, bool rev, uint8_t flags, uint32_t acks)
{
	struct pkt_spec diff = { .flags = flags }, s;

	if (rev)
		diff.dst = rig.locals[rig.endpoints[w->ep].local_first].addr;
	path_packet(w, rev, &diff, &s);
	if (flags & PKT_ACK)
		s.ack += acks;
	pkt_build(&s, &w->in);
	assert_int_equal(rig_run(&rig, w->in.b, w->in.len, &w->out), XDP_TX);
}

static void established(struct world *w, uint16_t cport)
{
	syn(w, cport, XDP_TX);
	say(w, true, PKT_SYN | PKT_ACK, 0);
	say(w, false, PKT_ACK, 0);
	assert_int_equal(RR_META_STATE(path_flow_of(w, NULL)->meta), RR_FLOW_EST);
}

/* Ticks that the port of a flow which a packet has just closed has to rest. */
static uint32_t to_rest(const struct world *w)
{
	uint32_t time = rr_port_time(path_flow_of(w, NULL)->seen, RIG_PORT_SHIFT);
	uint32_t is = word(SET, w->lport);

	assert_false(is & RR_PORT_IN_USE);
	return RIG_PORT_REST - rr_port_age(is, time);
}

/* Every port of the range once, then again in the same order: none before all others. */
static void test_longest_unused(void **state)
{
	static uint16_t order[PORTS];
	static uint8_t used[PORTS];
	struct world w;

	memset(used, 0, sizeof(used));
	one_endpoint(&w, service_of(state), 1);
	for (uint32_t i = 0; i < 2 * PORTS; i++) {
		assert_int_equal(syn(&w, (uint16_t)(2000 + i), XDP_TX), 2);
		if (i < PORTS) {
			assert_in_range(w.lport, LO, HI);
			assert_int_equal(used[w.lport - LO]++, 0);
			order[i] = w.lport;
		} else {
			assert_int_equal(w.lport, order[i - PORTS]);
		}
		say(&w, false, PKT_RST, 0);
		later(RIG_PORT_REST_SHORT);
	}
}

/* How long a port rests, by what ended its connection: RFC 9293 3.6, who is in TIME_WAIT. */
static void test_rest(void **state)
{
	static const struct {
		uint8_t rev[2], flags[2];
		uint32_t acks; /* what the second packet acknowledges beyond the handshake */
		uint32_t rest;
	} rows[] = {
		{ { 0 }, { PKT_RST }, 0, RIG_PORT_REST_SHORT },
		{ { 1 }, { PKT_RST }, 0, RIG_PORT_REST_SHORT },
		/* the client first, and the endpoint has seen it */
		{ { 0, 1 }, { PKT_FIN | PKT_ACK, PKT_FIN | PKT_ACK }, 1, RIG_PORT_REST_SHORT },
		/* both at once: the endpoint had not */
		{ { 0, 1 }, { PKT_FIN | PKT_ACK, PKT_FIN | PKT_ACK }, 0, RIG_PORT_REST },
		{ { 1, 0 }, { PKT_FIN | PKT_ACK, PKT_FIN | PKT_ACK }, 1, RIG_PORT_REST },
	};
	struct world w;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one_endpoint(&w, service_of(state), 1);
		established(&w, 40000);
		assert_int_equal(word(SET, w.lport),
				 RR_PORT_USED(RR_META_GEN(path_reverse_of(&w, NULL)->meta)));
		for (int k = 0; k < 2 && rows[i].flags[k]; k++)
			say(&w, rows[i].rev[k], rows[i].flags[k], k ? rows[i].acks : 0);
		assert_int_equal(to_rest(&w), rows[i].rest);
	}
}

/* A packet behind the end, such as a FIN that comes again, and the rest begins anew. */
static void test_rest_from_last_packet(void **state)
{
	struct world w;

	one_endpoint(&w, service_of(state), 1);
	established(&w, 40000);
	say(&w, true, PKT_FIN | PKT_ACK, 0);
	say(&w, false, PKT_FIN | PKT_ACK, 1);
	later(20);
	assert_int_equal(to_rest(&w), RIG_PORT_REST - 20);
	say(&w, false, PKT_ACK, 1);
	assert_int_equal(to_rest(&w), RIG_PORT_REST);
}

static void fill(uint32_t (*of)(uint32_t place, uint32_t time), uint32_t time)
{
	for (uint32_t i = 0; i < PORTS; i++)
		*rig_port_word(&rig, SET, (uint16_t)(LO + i)) = of(i, time);
}

static uint32_t all_rest(uint32_t place, uint32_t time)
{
	(void)place;
	return rr_port_closed(time - 1, 0);
}

static uint32_t all_used(uint32_t place, uint32_t time)
{
	(void)time;
	return RR_PORT_USED(place);
}

/* The time now, in ticks. */
static uint32_t now(struct world *w)
{
	syn(w, 39999, XDP_TX);
	return rr_port_time(path_flow_of(w, NULL)->seen, RIG_PORT_SHIFT);
}

/* One rested port among resting ones is found; then it is the one that has rested longest. */
static void test_resting(void **state)
{
	uint32_t time;
	struct world w;

	one_endpoint(&w, service_of(state), 1);
	time = now(&w);
	for (uint16_t k = 0; k < 20; k++) {
		fill(all_rest, time);
		*rig_port_word(&rig, SET, (uint16_t)(LO + 31 * k)) =
			rr_port_closed(time - RIG_PORT_REST, 0);
		for (uint32_t i = 0; i < PORTS; i += 10)
			*rig_port_word(&rig, SET, (uint16_t)(LO + i + 7)) =
				rr_port_closed(time - 20, 0);
		syn(&w, (uint16_t)(100 + k), XDP_TX);
		assert_true(w.lport == LO + 31 * k || (w.lport - LO) % 10 == 7);
	}
}

/* Nineteen of twenty ports are in use at random: each of the others is found. */
static void test_usable(void **state)
{
	const uint32_t left = PORTS / 20;
	uint32_t seed = 12345, is_free = 0;
	struct world w;

	one_endpoint(&w, service_of(state), 1);
	fill(all_used, 0);
	while (is_free < left) {
		uint32_t *p;

		seed = seed * 1103515245u + 12345u;
		p = rig_port_word(&rig, SET, (uint16_t)(LO + (seed >> 8) % PORTS));
		is_free += *p != 0;
		*p = 0;
	}
	for (uint32_t i = 0; i < left; i++) {
		syn(&w, (uint16_t)(2000 + i), XDP_TX);
		assert_non_null(path_reverse_of(&w, NULL));
		is_free = 0;
		for (uint32_t k = 0; k < PORTS; k++)
			is_free += !word(SET, (uint16_t)(LO + k));
		assert_int_equal(is_free, left - 1 - i);
	}
}

/* Both local addresses take part: each port of each once, and from both from the beginning. */
static void test_two_locals(void **state)
{
	static uint8_t used[2][PORTS];
	uint32_t first[2] = { 0 };
	struct world w;

	memset(used, 0, sizeof(used));
	one_endpoint(&w, service_of(state), 2);
	for (uint32_t i = 0; i < 2 * PORTS * 95 / 100; i++) {
		uint16_t local = syn(&w, (uint16_t)(2000 + i), XDP_TX);

		assert_in_range(local, 2, 3);
		assert_int_equal(used[local - 2][w.lport - LO]++, 0);
		first[local - 2] += i < 100;
	}
	assert_true(first[0] > 20 && first[1] > 20);
}

/* Marks without an entry, as an eviction leaves them, are no ports that are lost. */
static void test_mark_without_entry(void **state)
{
	struct world w;

	one_endpoint(&w, service_of(state), 1);
	fill(all_used, 0);
	for (uint16_t i = 0; i < 100; i++) {
		syn(&w, (uint16_t)(2000 + i), XDP_TX);
		assert_int_equal(word(SET, w.lport),
				 RR_PORT_USED(RR_META_GEN(path_reverse_of(&w, NULL)->meta)));
	}
}

/* And one is preferred to a port that rests. */
static void test_mark_before_resting(void **state)
{
	uint32_t time;
	struct world w;

	one_endpoint(&w, service_of(state), 1);
	time = now(&w);
	fill(all_rest, time);
	for (uint16_t p = LO; p < LO + PORTS; p += 4)
		*rig_port_word(&rig, SET, p) = RR_PORT_USED(p);
	for (uint16_t i = 0; i < 20; i++) {
		syn(&w, (uint16_t)(2000 + i), XDP_TX);
		assert_int_equal((w.lport - LO) % 4, 0);
	}
}

/* A live connection keeps its port, whatever the word says. */
static void test_entry_without_mark(void **state)
{
	struct world w, other;

	one_endpoint(&w, service_of(state), 1);
	established(&w, 40000);
	other = w;
	for (uint32_t i = 0; i < PORTS; i++)
		*rig_port_word(&rig, SET, (uint16_t)(LO + i)) = RR_PORT_USED(0xffff);
	*rig_port_word(&rig, SET, w.lport) = 0;
	for (uint16_t i = 0; i < 5; i++) {
		*rig_port_word(&rig, SET, w.lport) = 0;
		syn(&other, (uint16_t)(2000 + i), XDP_TX);
		assert_int_not_equal(other.lport, w.lport);
	}
	say(&w, false, PKT_ACK, 0);
	say(&w, true, PKT_ACK, 0);
}

/* Somebody else's mark is not touched by a connection that ends late. */
static void test_late_close(void **state)
{
	struct world w;

	one_endpoint(&w, service_of(state), 1);
	established(&w, 40000);
	*rig_port_word(&rig, SET, w.lport) = RR_PORT_USED(0xabcd);
	say(&w, false, PKT_RST, 0);
	assert_int_equal(word(SET, w.lport), RR_PORT_USED(0xabcd));
}

/* ---- several CPUs ---- */

#define THREADS 4u

struct opener {
	pthread_t thread;
	struct world w;
	uint32_t id;
	uint16_t port[PORTS / THREADS];
};

static void *open_many(void *arg)
{
	struct opener *o = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(o->id % (uint32_t)sysconf(_SC_NPROCESSORS_ONLN), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		abort();
	for (uint32_t i = 0; i < PORTS / THREADS; i++) {
		struct pkt_spec diff = { .flags = PKT_SYN }, s;
		const struct rr_flow *f;

		o->w.cport = (uint16_t)(1000 + o->id * PORTS + i);
		path_packet(&o->w, false, &diff, &s);
		pkt_build(&s, &o->w.in);
		rig_run(&rig, o->w.in.b, o->w.in.len, &o->w.out);
		f = path_flow_of(&o->w, NULL);
		o->port[i] = f ? pkt_be16(f->port) : 0;
	}
	return NULL;
}

/* However many draw at once: in one round each port comes once. */
static void test_cpus(void **state)
{
	static struct opener o[THREADS];
	static uint8_t used[PORTS];

	memset(used, 0, sizeof(used));
	one_endpoint(&o[0].w, service_of(state), 1);
	for (uint32_t i = 0; i < THREADS; i++) {
		o[i].w = o[0].w;
		o[i].id = i;
		assert_int_equal(pthread_create(&o[i].thread, NULL, open_many, &o[i]), 0);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(o[i].thread, NULL);
	for (uint32_t i = 0; i < THREADS; i++) {
		for (uint32_t k = 0; k < PORTS / THREADS; k++) {
			assert_in_range(o[i].port[k], LO, HI);
			assert_int_equal(used[o[i].port[k] - LO]++, 0);
		}
	}
}

int main(void)
{
	static const struct rig_opts many = { .port_lo = LO,
					      .port_hi = HI,
					      .port_sets = SETS,
					      .flow4_sets = 2048,
					      .flow6_sets = 2048 };
	static const struct path_test tests[] = {
		PATH_TEST(test_longest_unused, ON_NAT),
		PATH_TEST(test_rest, ON_NAT),
		PATH_TEST(test_rest_from_last_packet, ON_NAT),
		PATH_TEST(test_resting, ON_NAT),
		PATH_TEST(test_usable, ON_NAT),
		PATH_TEST(test_two_locals, ON_NAT),
		PATH_TEST(test_mark_without_entry, ON_NAT),
		PATH_TEST(test_mark_before_resting, ON_NAT),
		PATH_TEST(test_entry_without_mark, ON_NAT),
		PATH_TEST(test_late_close, ON_NAT),
		PATH_TEST(test_cpus, ON_NAT),
	};

	path_use(&rig, &many);
	return path_group("port sets", tests, sizeof(tests) / sizeof(tests[0]));
}
