/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_dp_past.c - connections counted in flow tables by their layout version.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "lib/netbox.h"
#include "rr_flow.h"
#include "sys/dp_int.h"

/* States of a table: three are connections (handshake begun, established, one FIN). */
static const uint8_t states[] = {
	RR_FLOW_EMPTY, RR_FLOW_CLAIMED, RR_FLOW_SYN, RR_FLOW_EST,    RR_FLOW_FIN1,
	RR_FLOW_FIN2,  RR_FLOW_RST,	RR_FLOW_EST, RR_FLOW_KILLED,
};
#define REVERSE 7 /* the entry that is the other half of one of them */

static uint64_t counted(int map, uint32_t version, uint32_t size, const void *set)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "past", 4, size, 8, &opts);
	uint64_t flows = 100;
	uint32_t key = 5;
	int rc;

	assert_true(fd >= 0);
	assert_int_equal(bpf_map_update_elem(fd, &key, set, BPF_ANY), 0);
	rc = dp_past_flows(map, version, fd, &flows);
	close(fd);
	if (rc)
		print_error("version %u of map %d has no row in dp_past.c\n", version, map);
	assert_int_equal(rc, 0);
	return flows - 100; /* it adds */
}

/* Today's layout: whoever raises RR_FLOWS_VERSION finds here that dp_past.c wants its rows. */
static void test_today(void **state)
{
	struct rr_flow4 f4[sizeof(states)] = { 0 };
	struct rr_flow6 f6[sizeof(states)] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(states); i++) {
		const uint64_t key = RR_KEY_MAKE(1, 2, i == REVERSE ? RR_TAG_REV : 0);

		f4[i].key = f6[i].key = key;
		f4[i].f.meta = f6[i].f.meta = RR_META_MAKE(9, states[i], 1, 3, 4);
	}
	assert_int_equal(counted(RR_MAP_FLOWS4, RR_VERSION_FLOWS4, sizeof(f4), f4), 3);
	assert_int_equal(counted(RR_MAP_FLOWS6, RR_VERSION_FLOWS6, sizeof(f6), f6), 3);
}

/* The first layout, in numbers: entries of 32 and 64 bytes, key first, state in bits 16-23 of a
 * word at byte 8 or 24, reverse keys have bit 63. */
static void test_first(void **state)
{
	uint64_t f4[9][4] = { 0 }, f6[9][8] = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 9; i++) {
		const uint64_t meta = 0x0004000301000009 | i << 16;

		f4[i][0] = f6[i][0] = i == 4 ? 1ull << 63 : 12345;
		f4[i][1] = f6[i][3] = meta;
	}
	assert_int_equal(counted(RR_MAP_FLOWS4, 1, sizeof(f4), f4), 3);
	assert_int_equal(counted(RR_MAP_FLOWS6, 1, sizeof(f6), f6), 3);
}

static void test_unknown(void **state)
{
	uint64_t flows = 7;

	(void)state;
	assert_int_equal(dp_past_flows(RR_MAP_FLOWS4, 9999, -1, &flows), -ENODATA);
	assert_int_equal(dp_past_flows(RR_MAP_SERVICES, 1, -1, &flows), -ENODATA);
	assert_int_equal(flows, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_today),
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_unknown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!netbox_enter())
		return 0;
	return cmocka_run_group_tests_name("dp_past", tests, NULL, NULL);
}
