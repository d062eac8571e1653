/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_dp_settle.c - upgrades that were cut short, and old programs that still run: what holds, and
 * when the pins of replaced maps go.
 */
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
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

/* ---- cut short ------------------------------------------------------------------------------- */

/* Maps are pinned, the program is not yet: the old one and its maps hold. */
static void test_cut_before(void **state)
{
	uint32_t old, stale;
	struct dp *dp;
	int fd;

	(void)state;
	past_begin();
	past_fill(pin_path(DIR, RR_MAP_EP_STATS), 5, 4321);
	old = past_our_id(RR_MAP_EP_STATS);
	past_make(RR_MAP_EP_STATS);
	fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "ep_stats", 4, sizeof(struct rr_stats),
			    RR_MAX_ENDPOINTS, NULL);
	assert_int_equal(bpf_obj_pin(fd, pin_path(DIR, RR_MAP_EP_STATS)), 0);
	close(fd);
	stale = past_our_id(RR_MAP_EP_STATS);
	assert_int_equal(pin_id(past_pin(RR_MAP_EP_STATS)), old);
	dp = past_open(false);
	past_noted(dp, "ep_stats 9->");
	assert_int_equal(past_count(dp, 5), 4321);
	assert_int_not_equal(past_our_id(RR_MAP_EP_STATS), stale);
	assert_int_equal(dp_settle(dp), 0);
	assert_int_equal(pin_id(past_pin(RR_MAP_EP_STATS)), 0);
	dp_close(dp);
}

/* The program is pinned, but no packet has met it: the old one has gone on counting. */
static void test_cut_after(void **state)
{
	uint32_t made;
	struct dp *dp;

	(void)state;
	past_begin();
	past_fill(pin_path(DIR, RR_MAP_EP_STATS), 5, 4321);
	past_make(RR_MAP_EP_STATS);
	dp_close(past_open(false));
	made = past_our_id(RR_MAP_EP_STATS);
	past_fill(past_pin(RR_MAP_EP_STATS), 5, 5000);
	dp = past_open(false);
	past_noted(dp, "ep_stats 9->");
	assert_int_equal(past_our_id(RR_MAP_EP_STATS), made);
	assert_int_equal(past_count(dp, 5), 5000);
	assert_int_equal(dp_settle(dp), 0);
	dp_close(dp);
}

/* Asked for once, begun, cut short: it is completed, also when it is not asked for again. */
static void test_cut_flows(void **state)
{
	uint32_t made;
	struct dp *dp;

	(void)state;
	past_begin();
	past_make_flows();
	dp_close(past_open(true));
	made = past_our_id(RR_MAP_FLOWS4);
	dp = past_open(false);
	past_noted(dp, "flow tables made anew");
	assert_int_equal(past_our_id(RR_MAP_FLOWS4), made);
	assert_int_equal(dp_settle(dp), 0);
	assert_int_equal(pin_id(past_pin(RR_MAP_FLOWS4)), 0);
	dp_close(dp);
}

/* ---- programs that run ----------------------------------------------------------------------- */

/* Attached by link over an old `control`: known as ours, replaced; nothing stays behind. */
static void test_replace_link(void **state)
{
	struct dp_iface_status st;
	struct dp *dp;

	(void)state;
	past_begin();
	dp = past_open(false);
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_LINK, DP_XDP_AUTO, &st), 0);
	dp_close(dp);
	past_make(RR_MAP_CONTROL);
	past_make(RR_MAP_VIPS);
	dp = past_open(false);
	assert_int_not_equal(loaded_running(), loaded_own_id(dp));
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_LINK, DP_XDP_AUTO, &st), 0);
	assert_int_equal(loaded_running(), loaded_own_id(dp));
	assert_int_equal(dp_settle(dp), 0);
	assert_string_equal(dp_note(dp), "");
	assert_int_equal(pin_id(past_pin(RR_MAP_CONTROL)), 0);
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
	past_begin();
	assert_int_equal(netbox_sh("ip link set dev " IF " xdp pinned " DIR "/" RR_PROG_PIN), 0);
	first = loaded_running();
	past_make(RR_MAP_CONTROL);
	past_make(RR_MAP_VIPS);
	past_make(RR_MAP_EP_STATS);
	dp = past_open(false);
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st), 0);
	assert_true(st.attached);
	assert_non_null(strstr(st.text, "over maps of another version: ip -force link set dev " IF
					" xdp pinned " DIR "/" RR_PROG_PIN));
	assert_int_equal(dp_settle(dp), 0);
	snprintf(words, sizeof(words), "program id %u still runs with maps of another version",
		 first);
	past_noted(dp, words);
	past_noted(dp, "ep_stats_v9");
	past_noted(dp, "control_v9");
	made = past_our_id(RR_MAP_CONTROL);
	dp_close(dp);

	dp = past_open(false); /* nobody has replaced it yet */
	assert_int_equal(past_our_id(RR_MAP_CONTROL), made);
	assert_int_equal(dp_attach_status(dp, IF, &st), 0);
	assert_true(st.attached);
	assert_int_equal(netbox_sh("ip -force link set dev " IF " xdp pinned " DIR "/" RR_PROG_PIN),
			 0);
	assert_int_equal(dp_attach_status(dp, IF, &st), 0);
	assert_string_equal(st.text, "");
	dp_close(dp); /* it has kept the old program open */
	dp = past_open(false);
	assert_int_equal(dp_settle(dp), 0);
	assert_string_equal(dp_note(dp), "");
	assert_int_equal(pin_id(past_pin(RR_MAP_CONTROL)), 0);
	assert_int_equal(dp_detach(dp, IF), 0);
	dp_close(dp);
}

/* The new program runs here, an old one elsewhere: what the new one has written is not undone. */
static void test_mixed(void **state)
{
	struct dp_iface_status st;
	struct dp *dp;

	(void)state;
	past_begin();
	past_fill(pin_path(DIR, RR_MAP_EP_STATS), 5, 4321);
	assert_int_equal(netbox_sh("ip link set dev dp1 xdp pinned " DIR "/" RR_PROG_PIN), 0);
	past_make(RR_MAP_EP_STATS);
	dp = past_open(false);
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_LINK, DP_XDP_AUTO, &st), 0);
	past_fill(pin_path(DIR, RR_MAP_EP_STATS), 5, 6000);
	assert_int_equal(dp_settle(dp), 0);
	past_noted(dp, "still runs");
	dp_close(dp);
	dp = past_open(false);
	assert_string_equal(dp_note(dp), "");
	assert_int_equal(past_count(dp, 5), 6000);
	assert_int_equal(dp_attach(dp, "dp1", DP_ATTACH_LINK, DP_XDP_AUTO, &st), 0);
	assert_int_equal(dp_settle(dp), 0);
	assert_string_equal(dp_note(dp), "");
	dp_close(dp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cut_before, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_cut_after, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_cut_flows, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_replace_link, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_external, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_mixed, loaded_setup, loaded_teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!netbox_enter())
		return 0;
	return cmocka_run_group_tests_name("dp_settle", tests, NULL, NULL);
}
