/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_dp_change.c - maps of another version: kept, made anew with their contents, refused where
 * flows would be lost; starts that were cut short; old programs that still run.
 *
 * Another version is made by renaming pins: what stood there under our version is then, for the
 * next start, what another build has left. Two maps of a really different layout come from
 * past.bpf.o.
 */
#include <errno.h>
#include <net/if.h>
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

#include "lib/netbox.h"
#include "sys/dp.h"

#define DIR "/sys/fs/bpf/rrlb-dp"
#define IF "dp0"
#define SETS 64u

static const struct dp_conf conf = {
	.dir = DIR,
	.flow4_sets = SETS,
	.flow6_sets = SETS,
	.port_lo = 1024,
	.port_hi = 32767,
};

static const char *const ifnames[] = { IF };

static struct dp *open_with(bool replace)
{
	struct dp_conf c = conf;
	struct dp *dp;
	bool adopted;
	int rc;

	c.replace_maps = replace;
	rc = dp_open(&dp, &c, ifnames, 1, &adopted);
	if (rc)
		print_error("%s\n", dp_error(dp));
	assert_int_equal(rc, 0);
	assert_true(adopted);
	return dp;
}

/* Our pins, set up as a controller does, with marks in many maps. */
static void start_first(void)
{
	struct dp *dp;
	bool adopted;
	struct rr_control *c;

	assert_int_equal(dp_open(&dp, &conf, ifnames, 1, &adopted), 0);
	assert_false(adopted);
	c = dp_mem(dp, RR_MAP_CONTROL, NULL);
	c->abi_version = RR_VERSION_CONTROL;
	c->hash_seed = 77;
	dp_ports(dp, &c->port_lo, &c->port_hi);
	((struct rr_cursor *)dp_elem(dp, RR_MAP_CURSORS, 3))->ticket = 1234;
	((struct rr_endpoint *)dp_elem(dp, RR_MAP_ENDPOINTS, 5))->hop = 99;
	((struct rr_swept *)dp_elem(dp, RR_MAP_EP_SWEPT, 5))->closed = 11;
	dp_close(dp);
}

static uint32_t map_id(const char *pin)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_obj_get(pin);

	if (fd < 0)
		return 0;
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	close(fd);
	return info.id;
}

#define STRING_(x) #x
#define STRING(x) STRING_(x)

/* DIR/<map>_v<its version>, by map */
static const char *const pin_of[] = {
#define PIN(id, name, mm, version, ...) DIR "/" #name "_v" STRING(version),
	RR_MAPS(PIN)
#undef PIN
};

static uint32_t our_id(enum rr_map map)
{
	return map_id(pin_of[map]);
}

/* Version 9 of a map: the pin gets this name. */
static const char *past_pin(enum rr_map map)
{
	static char path[128];
	const char *v = strrchr(pin_of[map], '_');

	snprintf(path, sizeof(path), "%.*s_v9", (int)(v - pin_of[map]), pin_of[map]);
	return path;
}

static void make_past(enum rr_map map)
{
	assert_int_equal(rename(pin_of[map], past_pin(map)), 0);
}

static void make_flows_past(void)
{
	static const enum rr_map maps[] = {
#define FLOWS(id) RR_MAP_##id,
#define SETUP(id)
#define COUNTS(id)
#define OF_FLOWS(id, name, mm, version, kind) kind(id)
		RR_MAPS(OF_FLOWS)
#undef OF_FLOWS
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		make_past(maps[i]);
}

static void noted(const struct dp *dp, const char *words)
{
	if (!strstr(dp_note(dp), words))
		print_error("\"%s\" lacks \"%s\"\n", dp_note(dp), words);
	assert_non_null(strstr(dp_note(dp), words));
}

static void fill_counts(const char *pin, uint32_t element, uint64_t value)
{
	const int cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc((size_t)cpus * 8, sizeof(*values));
	int fd = bpf_obj_get(pin);

	assert_non_null(values);
	assert_true(fd >= 0);
	for (int i = 0; i < cpus * 8; i++)
		values[i] = value;
	assert_int_equal(bpf_map_update_elem(fd, &element, values, BPF_ANY), 0);
	close(fd);
	free(values);
}

static uint64_t count_of(struct dp *dp, uint32_t element)
{
	struct rr_stats s;

	assert_int_equal(dp_sum(dp, RR_MAP_EP_STATS, element, 1, &s), 0);
	return s.conns / (uint64_t)libbpf_num_possible_cpus();
}

static int setup(void **state)
{
	(void)state;
	return netbox_sh("ip link add " IF " type veth peer name dp1 && ip link set " IF
			 " up && ip link set dp1 up");
}

static int cleanup(void **state)
{
	(void)state;
	return netbox_sh("ip link del " IF "; rm -rf " DIR);
}

/* ---- kept and made anew ---------------------------------------------------------------------- */

static void test_counter(void **state)
{
	uint32_t id[RR_MAP_MAX];
	struct dp *dp;

	(void)state;
	start_first();
	for (int m = 0; m < RR_MAP_MAX; m++)
		id[m] = our_id((enum rr_map)m);
	fill_counts(pin_of[RR_MAP_EP_STATS], 5, 4321);
	make_past(RR_MAP_EP_STATS);
	dp = open_with(false);
	noted(dp, "counters made anew with the counts of the old");
	noted(dp, ": ep_stats 9->");
	assert_null(strstr(dp_note(dp), "flows"));
	assert_null(strstr(dp_note(dp), "maps made"));
	for (int m = 0; m < RR_MAP_MAX; m++) {
		if (m == RR_MAP_EP_STATS)
			assert_int_not_equal(our_id((enum rr_map)m), id[m]);
		else
			assert_int_equal(our_id((enum rr_map)m), id[m]);
	}
	assert_int_equal(count_of(dp, 5), 4321);
	assert_int_equal(count_of(dp, 6), 0);
	assert_int_equal(map_id(past_pin(RR_MAP_EP_STATS)), id[RR_MAP_EP_STATS]);
	assert_int_equal(dp_settle(dp), 0);
	assert_string_equal(dp_note(dp), "");
	assert_int_equal(map_id(past_pin(RR_MAP_EP_STATS)), 0);
	dp_close(dp);
	dp = open_with(false);
	assert_string_equal(dp_note(dp), "");
	assert_int_equal(count_of(dp, 5), 4321);
	dp_close(dp);
}

/* `control` decides which programs are ours and how entries are found. */
static void test_control(void **state)
{
	struct rr_control *c;
	uint32_t flows;
	struct dp *dp;

	(void)state;
	start_first();
	flows = our_id(RR_MAP_FLOWS4);
	make_past(RR_MAP_CONTROL);
	make_past(RR_MAP_VIPS);
	dp = open_with(false);
	noted(dp, "maps made anew with the contents of the old: control 9->");
	c = dp_mem(dp, RR_MAP_CONTROL, NULL);
	assert_int_equal(c->hash_seed, 77);
	assert_int_equal(c->abi_version, RR_VERSION_CONTROL);
	assert_int_equal(c->port_hi, conf.port_hi);
	assert_int_equal(our_id(RR_MAP_FLOWS4), flows);
	dp_close(dp);
}

/* The ports of flows that go on, when the map that says them is replaced. */
static void test_control_ports(void **state)
{
	struct dp_conf c = conf;
	struct dp *dp;
	bool adopted;
	uint16_t lo, hi;

	(void)state;
	start_first();
	make_past(RR_MAP_CONTROL);
	c.port_lo = 20000;
	assert_int_equal(dp_open(&dp, &c, ifnames, 1, &adopted), 0);
	dp_ports(dp, &lo, &hi);
	assert_int_equal(lo, 1024);
	noted(dp, "local ports 1024-32767 are in use instead of the configured 20000-32767");
	dp_close(dp);
}

static void test_new_map(void **state)
{
	struct dp *dp;
	uint32_t flows;

	(void)state;
	start_first();
	flows = our_id(RR_MAP_FLOWS6);
	/* no program may bring it back */
	assert_int_equal(unlink(DIR "/" RR_PROG_PIN) | unlink(pin_of[RR_MAP_BUCKETS]), 0);
	dp = open_with(false);
	assert_string_equal(dp_note(dp), "maps made: buckets");
	assert_int_equal(our_id(RR_MAP_FLOWS6), flows);
	dp_close(dp);
}

/* What another build has left, and this one does not know. */
static void test_unknown_map(void **state)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "spare", 4, 8, 1, NULL);
	struct dp *dp;

	(void)state;
	start_first();
	assert_int_equal(bpf_obj_pin(fd, DIR "/spare_v1"), 0);
	close(fd);
	dp = open_with(false);
	assert_string_equal(dp_note(dp), "");
	assert_int_not_equal(map_id(DIR "/spare_v1"), 0);
	assert_int_equal(dp_settle(dp), 0);
	assert_int_equal(map_id(DIR "/spare_v1"), 0);
	assert_int_not_equal(our_id(RR_MAP_CONTROL), 0);
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
	assert_int_equal(unlink(pin_of[map]), 0);
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
	start_first();
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
	dp = open_with(false);
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

static void fails(const struct dp_conf *c, const char *words)
{
	struct dp *dp;
	bool adopted;

	assert_int_equal(dp_open(&dp, c, ifnames, 1, &adopted), -EEXIST);
	if (!strstr(dp_error(dp), words))
		print_error("\"%s\" lacks \"%s\"\n", dp_error(dp), words);
	assert_non_null(strstr(dp_error(dp), words));
	dp_close(dp);
}

static void test_flows_refused(void **state)
{
	uint32_t flows, cursors;
	struct dp *dp;

	(void)state;
	start_first();
	flows = our_id(RR_MAP_FLOWS4);
	cursors = our_id(RR_MAP_CURSORS);
	make_flows_past();
	fails(&conf, "an unknown number of flows would be lost with them: start once with "
		     "--replace-maps");
	fails(&conf, "(hops 9->");
	assert_int_equal(map_id(past_pin(RR_MAP_FLOWS4)), flows);
	assert_int_equal(our_id(RR_MAP_FLOWS4), 0);

	dp = open_with(true);
	noted(dp, "flow tables made anew, an unknown number of flows lost: hops 9->");
	assert_int_equal(our_id(RR_MAP_CURSORS), cursors);
	assert_int_equal(((struct rr_control *)dp_mem(dp, RR_MAP_CONTROL, NULL))->hash_seed, 77);
	assert_int_not_equal(our_id(RR_MAP_FLOWS4), 0);
	assert_int_not_equal(our_id(RR_MAP_FLOWS4), flows);
	assert_int_equal(dp_settle(dp), 0);
	assert_int_equal(map_id(past_pin(RR_MAP_FLOWS4)), 0);
	dp_close(dp);
	dp = open_with(false); /* once is enough */
	assert_string_equal(dp_note(dp), "");
	dp_close(dp);
}

/* Tables that no controller has set up hold no flows. */
static void test_flows_unused(void **state)
{
	struct dp *dp;
	bool adopted;

	(void)state;
	assert_int_equal(dp_open(&dp, &conf, ifnames, 1, &adopted), 0);
	dp_close(dp);
	make_flows_past();
	assert_int_equal(dp_open(&dp, &conf, ifnames, 1, &adopted), 0);
	assert_false(adopted);
	assert_string_equal(dp_note(dp), "");
	dp_close(dp);
}

/* ---- cut short ------------------------------------------------------------------------------- */

/* Maps are pinned, the program is not yet: the old one and its maps hold. */
static void test_cut_before(void **state)
{
	uint32_t old, stale;
	struct dp *dp;
	int fd;

	(void)state;
	start_first();
	fill_counts(pin_of[RR_MAP_EP_STATS], 5, 4321);
	old = our_id(RR_MAP_EP_STATS);
	make_past(RR_MAP_EP_STATS);
	fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "ep_stats", 4, sizeof(struct rr_stats),
			    RR_MAX_ENDPOINTS, NULL);
	assert_int_equal(bpf_obj_pin(fd, pin_of[RR_MAP_EP_STATS]), 0);
	close(fd);
	stale = our_id(RR_MAP_EP_STATS);
	assert_int_equal(map_id(past_pin(RR_MAP_EP_STATS)), old);
	dp = open_with(false);
	noted(dp, "ep_stats 9->");
	assert_int_equal(count_of(dp, 5), 4321);
	assert_int_not_equal(our_id(RR_MAP_EP_STATS), stale);
	assert_int_equal(dp_settle(dp), 0);
	assert_int_equal(map_id(past_pin(RR_MAP_EP_STATS)), 0);
	dp_close(dp);
}

/* The program is pinned, but no packet has met it: the old one has gone on counting. */
static void test_cut_after(void **state)
{
	uint32_t made;
	struct dp *dp;

	(void)state;
	start_first();
	fill_counts(pin_of[RR_MAP_EP_STATS], 5, 4321);
	make_past(RR_MAP_EP_STATS);
	dp_close(open_with(false));
	made = our_id(RR_MAP_EP_STATS);
	fill_counts(past_pin(RR_MAP_EP_STATS), 5, 5000);
	dp = open_with(false);
	noted(dp, "ep_stats 9->");
	assert_int_equal(our_id(RR_MAP_EP_STATS), made);
	assert_int_equal(count_of(dp, 5), 5000);
	assert_int_equal(dp_settle(dp), 0);
	dp_close(dp);
}

/* Asked for once, begun, cut short: it is completed, also when it is not asked for again. */
static void test_cut_flows(void **state)
{
	uint32_t made;
	struct dp *dp;

	(void)state;
	start_first();
	make_flows_past();
	dp_close(open_with(true));
	made = our_id(RR_MAP_FLOWS4);
	dp = open_with(false);
	noted(dp, "flow tables made anew");
	assert_int_equal(our_id(RR_MAP_FLOWS4), made);
	assert_int_equal(dp_settle(dp), 0);
	assert_int_equal(map_id(past_pin(RR_MAP_FLOWS4)), 0);
	dp_close(dp);
}

/* ---- programs that run ----------------------------------------------------------------------- */

static uint32_t running(void)
{
	uint32_t id = 0;

	assert_int_equal(bpf_xdp_query_id((int)if_nametoindex(IF), 0, &id), 0);
	return id;
}

static uint32_t own_id(struct dp *dp)
{
	uint32_t id, insns;

	assert_int_equal(dp_prog_id(dp, &id, &insns), 0);
	return id;
}

/* Attached by link over an old `control`: known as ours, replaced; nothing stays behind. */
static void test_replace_link(void **state)
{
	struct dp_iface_status st;
	struct dp *dp;

	(void)state;
	start_first();
	dp = open_with(false);
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_LINK, DP_XDP_AUTO, &st), 0);
	dp_close(dp);
	make_past(RR_MAP_CONTROL);
	make_past(RR_MAP_VIPS);
	dp = open_with(false);
	assert_int_not_equal(running(), own_id(dp));
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_LINK, DP_XDP_AUTO, &st), 0);
	assert_int_equal(running(), own_id(dp));
	assert_int_equal(dp_settle(dp), 0);
	assert_string_equal(dp_note(dp), "");
	assert_int_equal(map_id(past_pin(RR_MAP_CONTROL)), 0);
	assert_int_equal(dp_detach(dp, IF), 0);
	dp_close(dp);
}

/*
 * Attached by hand, it stays until it is replaced by hand; so long it is ours, and its maps stay.
 */
static void test_external(void **state)
{
	struct dp_iface_status st;
	uint32_t made, first;
	char words[64];
	struct dp *dp;

	(void)state;
	start_first();
	assert_int_equal(netbox_sh("ip link set dev " IF " xdp pinned " DIR "/" RR_PROG_PIN), 0);
	first = running();
	make_past(RR_MAP_CONTROL);
	make_past(RR_MAP_VIPS);
	make_past(RR_MAP_EP_STATS);
	dp = open_with(false);
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st), 0);
	assert_true(st.attached);
	assert_non_null(strstr(st.text, "over maps of another version: ip -force link set dev " IF
					" xdp pinned " DIR "/" RR_PROG_PIN));
	assert_int_equal(dp_settle(dp), 0);
	snprintf(words, sizeof(words), "program id %u still runs with maps of another version",
		 first);
	noted(dp, words);
	noted(dp, "ep_stats_v9");
	noted(dp, "control_v9");
	made = our_id(RR_MAP_CONTROL);
	dp_close(dp);

	dp = open_with(false); /* nobody has replaced it yet */
	assert_int_equal(our_id(RR_MAP_CONTROL), made);
	assert_int_equal(dp_attach_status(dp, IF, &st), 0);
	assert_true(st.attached);
	assert_int_equal(netbox_sh("ip -force link set dev " IF " xdp pinned " DIR "/" RR_PROG_PIN),
			 0);
	assert_int_equal(dp_attach_status(dp, IF, &st), 0);
	assert_string_equal(st.text, "");
	dp_close(dp); /* it has kept the old program open */
	dp = open_with(false);
	assert_int_equal(dp_settle(dp), 0);
	assert_string_equal(dp_note(dp), "");
	assert_int_equal(map_id(past_pin(RR_MAP_CONTROL)), 0);
	assert_int_equal(dp_detach(dp, IF), 0);
	dp_close(dp);
}

/* The new program runs here, an old one elsewhere: what the new one has written is not undone. */
static void test_mixed(void **state)
{
	struct dp_iface_status st;
	struct dp *dp;

	(void)state;
	start_first();
	fill_counts(pin_of[RR_MAP_EP_STATS], 5, 4321);
	assert_int_equal(netbox_sh("ip link set dev dp1 xdp pinned " DIR "/" RR_PROG_PIN), 0);
	make_past(RR_MAP_EP_STATS);
	dp = open_with(false);
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_LINK, DP_XDP_AUTO, &st), 0);
	fill_counts(pin_of[RR_MAP_EP_STATS], 5, 6000);
	assert_int_equal(dp_settle(dp), 0);
	noted(dp, "still runs");
	dp_close(dp);
	dp = open_with(false);
	assert_string_equal(dp_note(dp), "");
	assert_int_equal(count_of(dp, 5), 6000);
	assert_int_equal(dp_attach(dp, "dp1", DP_ATTACH_LINK, DP_XDP_AUTO, &st), 0);
	assert_int_equal(dp_settle(dp), 0);
	assert_string_equal(dp_note(dp), "");
	dp_close(dp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counter, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_control, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_control_ports, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_new_map, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_unknown_map, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_fields, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_flows_refused, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_flows_unused, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_cut_before, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_cut_after, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_cut_flows, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_replace_link, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_external, setup, cleanup),
		cmocka_unit_test_setup_teardown(test_mixed, setup, cleanup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!netbox_enter())
		return 0;
	return cmocka_run_group_tests_name("dp_change", tests, NULL, NULL);
}
