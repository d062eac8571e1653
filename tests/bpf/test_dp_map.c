/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_dp_map.c - reading and writing the maps, the clock, a packet through the loaded program.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/loaded.h"
#include "lib/netbox.h"
#include "lib/pins.h"
#include "rr_count.h"
#include "sys/dp.h"

#define DIR LOADED_DIR
#define SETS LOADED_SETS

static int cleanup(void **state)
{
	(void)state;
	return netbox_sh("rm -rf " DIR);
}

static void test_elem(void **state)
{
	struct rr_iface *iface, read;
	bool adopted;
	struct dp *dp = loaded_open(NULL, &adopted);
	uint32_t key = 3;
	int fd;

	(void)state;
	iface = dp_elem(dp, RR_MAP_IFACES, key);
	iface->ifindex = 77;
	iface->mac[5] = 9;
	fd = pin_open(pin_path(DIR, RR_MAP_IFACES));
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &read), 0);
	assert_int_equal(read.ifindex, 77);
	assert_int_equal(read.mac[5], 9);
	close(fd);
	assert_null(dp_elem(dp, RR_MAP_IFACES, RR_MAX_IFACES));
	assert_null(dp_elem(dp, RR_MAP_VERDICTS, 0));
	dp_close(dp);
}

static void test_tx_ports(void **state)
{
	uint32_t key = 2, ifindex = 1 /* lo */, read = 0;
	bool adopted;
	struct dp *dp = loaded_open(NULL, &adopted);
	int fd = pin_open(pin_path(DIR, RR_MAP_TX_PORTS));

	(void)state;
	assert_int_equal(dp_set(dp, RR_MAP_TX_PORTS, key, &ifindex), 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &read), 0);
	assert_int_equal(read, 1);
	assert_int_equal(dp_del(dp, RR_MAP_TX_PORTS, key), 0);
	assert_int_equal(dp_del(dp, RR_MAP_TX_PORTS, key), 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &read), -ENOENT);
	ifindex = 99999;
	assert_true(dp_set(dp, RR_MAP_TX_PORTS, key, &ifindex) < 0);
	close(fd);
	dp_close(dp);
}

#define WORDS (sizeof(struct rr_stats) / sizeof(uint64_t))

/* Element i, word w, CPU c holds i * 1000 + w * 10 + c. */
static void fill_stats(uint32_t n, int cpus)
{
	uint64_t *values = calloc((size_t)cpus * WORDS, sizeof(*values));
	int fd = pin_open(pin_path(DIR, RR_MAP_EP_STATS)), c, w;
	uint32_t i;

	assert_non_null(values);
	for (i = 0; i < n; i++) {
		for (c = 0; c < cpus; c++)
			for (w = 0; w < (int)WORDS; w++)
				values[(size_t)c * WORDS + (size_t)w] =
					(uint64_t)i * 1000 + (uint64_t)w * 10 + (uint64_t)c;
		assert_int_equal(bpf_map_update_elem(fd, &i, values, BPF_ANY), 0);
	}
	close(fd);
	free(values);
}

static void check_stats(struct dp *dp, uint32_t first, uint32_t n, uint64_t cpus)
{
	struct rr_stats *out = calloc(n, sizeof(*out));
	const uint64_t extra = cpus * (cpus - 1) / 2;
	uint32_t i;

	assert_int_equal(dp_sum(dp, RR_MAP_EP_STATS, first, n, out), 0);
	for (i = 0; i < n; i++) {
		assert_int_equal(out[i].packets[0], cpus * (first + i) * 1000 + extra);
		assert_int_equal(out[i].bytes[1], cpus * ((first + i) * 1000 + 30) + extra);
		assert_int_equal(out[i].refused, cpus * ((first + i) * 1000 + 70) + extra);
	}
	free(out);
}

static void test_sum(void **state)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t verdicts[RR_V_MAX];
	bool adopted;
	struct dp *dp = loaded_open(NULL, &adopted);

	(void)state;
	fill_stats(RR_MAX_ENDPOINTS, cpus);
	check_stats(dp, 0, 1, (uint64_t)cpus);
	check_stats(dp, 0, RR_MAX_ENDPOINTS, (uint64_t)cpus);
	check_stats(dp, 100, 1000, (uint64_t)cpus);
	check_stats(dp, RR_MAX_ENDPOINTS - 1, 1, (uint64_t)cpus);
	assert_int_equal(dp_sum(dp, RR_MAP_VERDICTS, 0, RR_V_MAX, verdicts), 0);
	assert_int_equal(dp_sum(dp, RR_MAP_VERDICTS, 1, RR_V_MAX, verdicts), -EINVAL);
	assert_int_equal(dp_sum(dp, RR_MAP_CONTROL, 0, 1, verdicts), -EINVAL);
	dp_close(dp);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_clock(void **state)
{
	uint32_t j0, j1, hz;
	double t0, t1, seen;
	bool adopted;
	struct dp *dp = loaded_open(NULL, &adopted);

	(void)state;
	assert_int_equal(dp_clock(dp, &j0, &hz), 0);
	t0 = now_s();
	assert_true(hz == 100 || hz == 250 || hz == 300 || hz == 1000);
	usleep(500000);
	assert_int_equal(dp_clock(dp, &j1, &hz), 0);
	t1 = now_s();
	seen = (double)(j1 - j0) / (t1 - t0);
	if (seen < hz * 0.93 || seen > hz * 1.07)
		print_error("hz %u, counted %.1f\n", hz, seen);
	assert_true(seen > hz * 0.93 && seen < hz * 1.07);
	dp_close(dp);
}

static void test_run(void **state)
{
	unsigned char in[64] = { 0 }, out[128];
	size_t len = sizeof(out);
	uint32_t action;
	bool adopted;
	struct dp *dp = loaded_open(NULL, &adopted);

	(void)state;
	in[12] = 0x08;
	in[13] = 0x06; /* ARP: never ours */
	assert_int_equal(dp_test_run(dp, in, sizeof(in), out, &len, &action), 0);
	assert_int_equal(action, 2 /* XDP_PASS */);
	assert_int_equal(len, sizeof(in));
	assert_memory_equal(in, out, sizeof(in));
	dp_close(dp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_elem, cleanup),
		cmocka_unit_test_teardown(test_tx_ports, cleanup),
		cmocka_unit_test_teardown(test_sum, cleanup),
		cmocka_unit_test_teardown(test_clock, cleanup),
		cmocka_unit_test_teardown(test_run, cleanup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!netbox_enter())
		return 0;
	return cmocka_run_group_tests_name("dp_map", tests, NULL, NULL);
}
