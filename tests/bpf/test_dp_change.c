/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_dp_change.c - maps of another version: kept, made anew with their contents, refused where
 * flows would be lost. Two maps of a really different layout come from past.bpf.o.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/loaded.h"
#include "lib/netbox.h"
#include "lib/past.h"
#include "lib/pins.h"
#include "rr_count.h"
#include "sys/dp.h"

#define DIR LOADED_DIR
#define IF LOADED_IF

static const char *const ifnames[] = { IF };

/* ---- kept and made anew ---------------------------------------------------------------------- */

static void test_counter(void **state)
{
	uint32_t id[RR_MAP_MAX];
	struct dp *dp;

	(void)state;
	past_begin();
	for (int m = 0; m < RR_MAP_MAX; m++)
		id[m] = past_our_id((enum rr_map)m);
	past_fill(pin_path(DIR, RR_MAP_EP_STATS), 5, 4321);
	past_make(RR_MAP_EP_STATS);
	dp = past_open(false);
	past_noted(dp, "counters made anew with the counts of the old");
	past_noted(dp, ": ep_stats 9->");
	assert_null(strstr(dp_note(dp), "flows"));
	assert_null(strstr(dp_note(dp), "maps made"));
	for (int m = 0; m < RR_MAP_MAX; m++) {
		if (m == RR_MAP_EP_STATS)
			assert_int_not_equal(past_our_id((enum rr_map)m), id[m]);
		else
			assert_int_equal(past_our_id((enum rr_map)m), id[m]);
	}
	assert_int_equal(past_count(dp, 5), 4321);
	assert_int_equal(past_count(dp, 6), 0);
	assert_int_equal(pin_id(past_pin(RR_MAP_EP_STATS)), id[RR_MAP_EP_STATS]);
	assert_int_equal(dp_settle(dp), 0);
	assert_string_equal(dp_note(dp), "");
	assert_int_equal(pin_id(past_pin(RR_MAP_EP_STATS)), 0);
	dp_close(dp);
	dp = past_open(false);
	assert_string_equal(dp_note(dp), "");
	assert_int_equal(past_count(dp, 5), 4321);
	dp_close(dp);
}

/* `control` decides which programs are ours and how entries are found. */
static void test_control(void **state)
{
	struct rr_control *c;
	uint32_t flows;
	struct dp *dp;

	(void)state;
	past_begin();
	flows = past_our_id(RR_MAP_FLOWS4);
	past_make(RR_MAP_CONTROL);
	past_make(RR_MAP_VIPS);
	dp = past_open(false);
	past_noted(dp, "maps made anew with the contents of the old: control 9->");
	c = dp_mem(dp, RR_MAP_CONTROL, NULL);
	assert_int_equal(c->hash_seed, 77);
	assert_int_equal(c->abi_version, RR_VERSION_CONTROL);
	assert_int_equal(c->port_hi, loaded_conf.port_hi);
	assert_int_equal(past_our_id(RR_MAP_FLOWS4), flows);
	dp_close(dp);
}

/* The ports of flows that go on, when the map that says them is replaced. */
static void test_control_ports(void **state)
{
	struct dp_conf c = loaded_conf;
	struct dp *dp;
	bool adopted;
	uint16_t lo, hi;

	(void)state;
	past_begin();
	past_make(RR_MAP_CONTROL);
	c.port_lo = 20000;
	assert_int_equal(dp_open(&dp, &c, ifnames, 1, &adopted), 0);
	dp_ports(dp, &lo, &hi);
	assert_int_equal(lo, 1024);
	past_noted(dp, "local ports 1024-32767 are in use instead of the configured 20000-32767");
	dp_close(dp);
}

static void test_new_map(void **state)
{
	struct dp *dp;
	uint32_t flows;

	(void)state;
	past_begin();
	flows = past_our_id(RR_MAP_FLOWS6);
	/* no program may bring it back */
	assert_int_equal(unlink(DIR "/" RR_PROG_PIN) | unlink(pin_path(DIR, RR_MAP_BUCKETS)), 0);
	dp = past_open(false);
	assert_string_equal(dp_note(dp), "maps made: buckets");
	assert_int_equal(past_our_id(RR_MAP_FLOWS6), flows);
	dp_close(dp);
}

/* What another build has left, and this one does not know. */
static void test_unknown_map(void **state)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "spare", 4, 8, 1, NULL);
	struct dp *dp;

	(void)state;
	past_begin();
	assert_int_equal(bpf_obj_pin(fd, DIR "/spare_v1"), 0);
	close(fd);
	dp = past_open(false);
	assert_string_equal(dp_note(dp), "");
	assert_int_not_equal(pin_id(DIR "/spare_v1"), 0);
	assert_int_equal(dp_settle(dp), 0);
	assert_int_equal(pin_id(DIR "/spare_v1"), 0);
	assert_int_not_equal(past_our_id(RR_MAP_CONTROL), 0);
	dp_close(dp);
}

/* ---- another layout -------------------------------------------------------------------------- */

struct past_endpoint {
	uint64_t gone;
	uint16_t flags, port;
	uint8_t family, pad[3];
	uint8_t addr[16];
	uint64_t hop;
};

/* In place of our map: one from past.bpf.o, pinned as version 9. */
static int past_map(struct bpf_object *obj, enum rr_map map, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(obj, name);

	assert_true(fd >= 0);
	assert_int_equal(unlink(pin_path(DIR, map)), 0);
	assert_int_equal(bpf_obj_pin(fd, past_pin(map)), 0);
	return fd;
}

static void test_fields(void **state)
{
	struct bpf_object *obj = bpf_object__open(netbox_build("tests/bpf/past.bpf.o"));
	const struct past_endpoint e = { .gone = ~0ull,
					 .flags = 3,
					 .port = 443,
					 .family = 4,
					 .addr = { 1, 2, 3, 4 },
					 .hop = 8 };
	const uint64_t stats[3] = { 100, 200, 300 };
	const int cpus = libbpf_num_possible_cpus();
	const struct rr_endpoint *now;
	uint64_t *all = calloc((size_t)cpus, sizeof(stats));
	struct rr_stats sum;
	uint32_t key = 7;
	struct dp *dp;

	(void)state;
	past_begin();
	assert_int_equal(unlink(DIR "/" RR_PROG_PIN), 0);
	assert_int_equal(bpf_object__load(obj), 0);
	assert_int_equal(bpf_map_update_elem(past_map(obj, RR_MAP_ENDPOINTS, "endpoints"), &key, &e,
					     BPF_ANY),
			 0);
	for (int i = 0; i < cpus; i++)
		memcpy(all + (size_t)i * 3, stats, sizeof(stats));
	assert_int_equal(
		bpf_map_update_elem(past_map(obj, RR_MAP_EP_STATS, "ep_stats"), &key, all, BPF_ANY),
		0);
	dp = past_open(false);
	now = dp_elem(dp, RR_MAP_ENDPOINTS, key);
	assert_int_equal(now->flags, 3);
	assert_int_equal(now->port, 443);
	assert_int_equal(now->family, 4);
	assert_memory_equal(now->addr.a, e.addr, sizeof(e.addr));
	assert_int_equal(now->hop, 8);
	assert_int_equal(now->service, 0);
	assert_int_equal(((struct rr_endpoint *)dp_elem(dp, RR_MAP_ENDPOINTS, 8))->hop, 0);
	assert_int_equal(dp_sum(dp, RR_MAP_EP_STATS, key, 1, &sum), 0);
	assert_int_equal(sum.closed, 100 * cpus);
	assert_int_equal(sum.packets[0], 200 * cpus);
	assert_int_equal(sum.packets[1], 0);
	assert_int_equal(sum.conns, 300 * cpus);
	assert_int_equal(sum.refused, 0);
	dp_close(dp);
	bpf_object__close(obj);
	free(all);
}

/* ---- flows ----------------------------------------------------------------------------------- */

static void test_flows_refused(void **state)
{
	uint32_t flows, cursors;
	struct dp *dp;

	(void)state;
	past_begin();
	flows = past_our_id(RR_MAP_FLOWS4);
	cursors = past_our_id(RR_MAP_CURSORS);
	past_make_flows();
	loaded_refused(&loaded_conf, IF, -EEXIST,
		       "an unknown number of flows would be lost with them: start once with "
		       "--replace-maps");
	loaded_refused(&loaded_conf, IF, -EEXIST, "flows4 9->");
	assert_int_equal(pin_id(past_pin(RR_MAP_FLOWS4)), flows);
	assert_int_equal(past_our_id(RR_MAP_FLOWS4), 0);

	dp = past_open(true);
	past_noted(dp, "flow tables made anew, an unknown number of flows lost: ");
	assert_int_equal(past_our_id(RR_MAP_CURSORS), cursors);
	assert_int_equal(((struct rr_control *)dp_mem(dp, RR_MAP_CONTROL, NULL))->hash_seed, 77);
	assert_int_not_equal(past_our_id(RR_MAP_FLOWS4), 0);
	assert_int_not_equal(past_our_id(RR_MAP_FLOWS4), flows);
	assert_int_equal(dp_settle(dp), 0);
	assert_int_equal(pin_id(past_pin(RR_MAP_FLOWS4)), 0);
	dp_close(dp);
	dp = past_open(false); /* once is enough */
	assert_string_equal(dp_note(dp), "");
	dp_close(dp);
}

/* Tables that no controller has set up hold no flows. */
static void test_flows_unused(void **state)
{
	struct dp *dp;
	bool adopted;

	(void)state;
	assert_int_equal(dp_open(&dp, &loaded_conf, ifnames, 1, &adopted), 0);
	dp_close(dp);
	past_make_flows();
	assert_int_equal(dp_open(&dp, &loaded_conf, ifnames, 1, &adopted), 0);
	assert_false(adopted);
	assert_string_equal(dp_note(dp), "");
	dp_close(dp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counter, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_control, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_control_ports, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_new_map, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_unknown_map, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_fields, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_flows_refused, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_flows_unused, loaded_setup, loaded_teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!netbox_enter())
		return 0;
	return cmocka_run_group_tests_name("dp_change", tests, NULL, NULL);
}
