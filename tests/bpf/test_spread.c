/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_spread.c - the shares of a weighted rotation over all CPUs at once. Nothing is refused, so
 * connection k of all threads together goes to slot k mod L: each endpoint's count is exact, not
 * about right.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <cmocka.h>

#include "path.h"

#define MAX_THREADS 16u
#define SPREAD 2000u /* connections a thread */
#define SLOTS 7u

struct worker {
	pthread_t thread;
	uint32_t id, sent;
	struct world w;
};

static struct rig rig;

static uint32_t thread_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 4 ? 4 : n > (long)MAX_THREADS ? MAX_THREADS : (uint32_t)n;
}

static void pin(uint32_t id)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(id % (uint32_t)sysconf(_SC_NPROCESSORS_ONLN), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		abort();
}

/* Two threads may want one slot at once; that SYN is dropped and the client resends it. */
static uint32_t send_syn(const uint8_t *b, uint32_t len)
{
	struct pkt_frame out;

	for (int i = 0; i < 3; i++) {
		if (rig_run(&rig, b, len, &out) == XDP_TX)
			return 1;
	}
	return 0;
}

static void *spread(void *arg)
{
	const struct pkt_spec diff = { .flags = PKT_SYN };
	struct worker *t = arg;
	struct pkt_frame in;
	struct pkt_spec s;

	pin(t->id);
	for (uint32_t i = 0; i < SPREAD; i++) {
		path_packet(&t->w, false, &diff, &s);
		s.src.a[t->w.af == RR_AF_INET ? 2 : 14] = (uint8_t)t->id;
		s.sport = (uint16_t)(1024 + i);
		pkt_build(&s, &in);
		t->sent += send_syn(in.b, in.len);
	}
	return NULL;
}

static void run_all(uint32_t svc, uint32_t n)
{
	static struct worker worker[MAX_THREADS];

	for (uint32_t i = 0; i < n; i++) {
		worker[i] = (struct worker){ .id = i };
		path_world_is(&worker[i].w, svc);
		worker[i].w.rig = &rig;
		assert_int_equal(pthread_create(&worker[i].thread, NULL, spread, &worker[i]), 0);
	}
	for (uint32_t i = 0; i < n; i++) {
		pthread_join(worker[i].thread, NULL);
		assert_int_equal(worker[i].sent, SPREAD);
	}
}

static void test_spread(void **state)
{
	uint32_t svc = (uint32_t)(uintptr_t)*state, n = thread_count();
	const uint16_t a = PATH_EP(svc, 0), slot[SLOTS] = { a, a + 1, a, a + 2, a, a + 1, a };
	uint64_t want[PATH_EPS] = { 0 }, sent = (uint64_t)n * SPREAD;
	struct rig_counts was, is;
	struct world w;

	path_world(&w, &rig, svc);
	rig_rotation(&rig, svc, slot, SLOTS);
	rig_count(&rig, &was);
	run_all(svc, n);
	rig_count(&rig, &is);
	assert_int_equal(rig.cursors[svc].ticket, sent);
	for (uint64_t k = 0; k < sent; k++)
		want[slot[k % SLOTS] - a]++;
	for (uint32_t i = 0; i < PATH_EPS; i++)
		assert_int_equal(is.ep[a + i].conns - was.ep[a + i].conns, want[i]);
	assert_int_equal(is.svc[svc].conns - was.svc[svc].conns, sent);
}

int main(void)
{
	static const struct rig_opts large = { .flow4_sets = 1 << 15, .flow6_sets = 1 << 15 };
	static const struct path_test tests[] = {
		PATH_TEST(test_spread, ON_ALL),
	};

	path_use(&rig, &large);
	return path_group("spread", tests, sizeof(tests) / sizeof(tests[0]));
}
