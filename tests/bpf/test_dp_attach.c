/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_dp_attach.c - the ways onto an interface: link, `ip link ... pinned`, `ip link ... obj`;
 * replacing in place; what is refused; leaving nothing behind. Each test has a fresh veth pair.
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

#include "lib/loaded.h"
#include "lib/netbox.h"
#include "rr_flow.h"
#include "sys/dp.h"

#define DIR LOADED_DIR
#define IF LOADED_IF

static uint32_t link_id(const char *path)
{
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_obj_get(path);

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	close(fd);
	return info.id;
}

/* Somebody else's program, directly on the interface. */
static uint32_t occupy(void)
{
	assert_int_equal(netbox_sh("ip link set dev " IF " xdp obj %s sec xdp",
				   netbox_build("tests/bpf/pass.bpf.o")),
			 0);
	return loaded_running();
}

static void test_link(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = loaded_new();
	uint32_t first = loaded_own_id(dp), link;

	(void)state;
	loaded_attach(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st);
	assert_true(st.attached && st.native);
	assert_int_equal(st.how, DP_ATTACH_LINK);
	assert_int_equal(st.prog_id, first);
	assert_string_equal(st.text, "");
	assert_int_equal(loaded_running(), first);
	link = link_id(DIR "/link_" IF);
	loaded_attach(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st); /* again: nothing to do */
	assert_int_equal(loaded_running(), first);
	dp_close(dp);
	assert_int_equal(loaded_running(), first); /* closing never detaches */

	dp = loaded_new();
	assert_int_equal(dp_attach_status(dp, IF, &st), 0);
	assert_true(st.attached);
	assert_int_equal(st.prog_id, first);
	loaded_attach(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st);
	assert_int_not_equal(st.prog_id, first);
	assert_int_equal(st.prog_id, loaded_own_id(dp));
	assert_int_equal(loaded_running(), st.prog_id);
	assert_int_equal(link_id(DIR "/link_" IF), link);
	loaded_detach(dp);
	assert_int_equal(loaded_running(), 0);
	assert_int_equal(access(DIR "/link_" IF, F_OK), -1);
	loaded_detach(dp); /* nothing there: fine */
	dp_close(dp);
}

/* An interface that went away and came back, and a VLAN's dotted name. */
static void test_link_stale(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = loaded_new();

	(void)state;
	loaded_attach(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st);
	assert_int_equal(netbox_sh("ip link del " IF), 0);
	assert_int_equal(dp_attach_status(dp, IF, &st), -ENODEV);
	assert_non_null(strstr(dp_error(dp), IF ": no such interface"));
	loaded_setup(state);
	loaded_attach(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st);
	assert_int_equal(loaded_running(), loaded_own_id(dp));
	assert_int_equal(netbox_sh("ip link del " IF), 0);
	assert_int_equal(dp_detach(dp, IF), 0);
	assert_int_equal(access(DIR "/link_" IF, F_OK), -1);
	loaded_setup(state);
	assert_int_equal(netbox_sh("ip link set " IF " down; ip link set " IF " name dp0.7"), 0);
	assert_int_equal(dp_attach(dp, "dp0.7", DP_ATTACH_LINK, DP_XDP_AUTO, &st), 0);
	assert_int_equal(access(DIR "/link_dp0:7", F_OK), 0);
	/* renamed away: the pin of a live link is not taken for a new interface of that name */
	assert_int_equal(
		netbox_sh(
			"ip link set dp0.7 name dpx && ip link add dp0.7 type veth peer name dp2"),
		0);
	assert_int_equal(dp_attach(dp, "dp0.7", DP_ATTACH_LINK, DP_XDP_AUTO, &st), -EEXIST);
	assert_non_null(strstr(dp_error(dp), "holds another interface"));
	assert_int_equal(netbox_sh("ip link del dp0.7; ip link set dpx name " IF), 0);
	dp_close(dp);
}

static void test_generic(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = loaded_new();

	(void)state;
	loaded_attach(dp, DP_ATTACH_LINK, DP_XDP_GENERIC, &st);
	assert_true(st.attached);
	assert_false(st.native);
	assert_string_equal(st.text, "");
	loaded_attach(dp, DP_ATTACH_LINK, DP_XDP_NATIVE, &st);
	assert_false(st.native);
	assert_non_null(strstr(st.text, "stays generic until detached"));
	loaded_detach(dp);
	assert_int_equal(loaded_running(), 0);
	dp_close(dp);
}

/* A veth whose peer has a jumbo MTU refuses native XDP. */
static void test_jumbo(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = loaded_new();

	(void)state;
	assert_int_equal(netbox_sh("ip link set " IF " mtu 9000; ip link set dp1 mtu 9000"), 0);
	loaded_attach_fails(dp, DP_ATTACH_LINK, DP_XDP_NATIVE, -ERANGE,
			    IF ": the driver refuses native XDP with jumbo frames, MTU 9000 (");
	assert_non_null(
		strstr(dp_error(dp), "Peer MTU is too large to set XDP): set the MTU to 3498"));
	assert_int_equal(loaded_running(), 0);
	loaded_attach(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st);
	assert_true(st.attached);
	assert_false(st.native);
	assert_non_null(strstr(st.text, "native refused ("));
	assert_non_null(
		strstr(st.text, "Peer MTU is too large to set XDP at MTU 9000), generic instead"));
	loaded_detach(dp);
	dp_close(dp);
}

/* A driver without native XDP. */
static void test_no_native(void **state)
{
	struct dp_iface_status st;
	bool share_ok = loaded_can_share();
	struct dp *dp = loaded_new();

	(void)state;
	assert_int_equal(netbox_sh("ip link del " IF "; ip link add " IF
				   " type vxlan id 7 dev lo dstport 4789 && ip link set " IF " up"),
			 0);
	loaded_attach_fails(dp, DP_ATTACH_LINK, DP_XDP_NATIVE, -EOPNOTSUPP,
			    "the driver has no native XDP");
	loaded_attach(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st);
	assert_false(st.native);
	assert_string_equal(st.text,
			    "native refused (the driver has no native XDP), generic instead");
	loaded_detach(dp);
	loaded_attach(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_false(st.native);
	assert_int_equal(st.how, share_ok ? DP_ATTACH_DISPATCHER : DP_ATTACH_LINK);
	assert_non_null(strstr(st.text, "generic instead"));
	loaded_detach(dp);
	assert_int_equal(loaded_running(), 0);
	dp_close(dp);
}

static void test_foreign(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = loaded_new();
	uint32_t other = occupy();
	char words[64];

	(void)state;
	snprintf(words, sizeof(words), "occupied by XDP program other_pass (id %u)", other);
	loaded_attach_fails(dp, DP_ATTACH_LINK, DP_XDP_AUTO, -EBUSY, words);
	loaded_attach_fails(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, -EBUSY, words);
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st), 0);
	assert_false(st.attached);
	assert_non_null(strstr(st.text, "occupied by other_pass"));
	assert_int_equal(dp_detach(dp, IF), -EBUSY);
	assert_int_equal(loaded_running(), other);
	dp_close(dp);
}

static void test_external_pinned(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = loaded_new();
	uint32_t first;

	(void)state;
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st), 0);
	assert_false(st.attached);
	assert_non_null(strstr(st.text, "ip link set dev " IF " xdp pinned " DIR "/rr_xdp_v1"));
	assert_int_equal(netbox_sh("ip link set dev " IF " xdp pinned " DIR "/rr_xdp_v1"), 0);
	loaded_attach(dp, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st);
	assert_true(st.attached && st.native);
	assert_int_equal(st.how, DP_ATTACH_EXTERNAL);
	assert_int_equal(st.prog_id, loaded_own_id(dp));
	assert_string_equal(st.text, "");
	first = loaded_running();
	dp_close(dp);

	dp = loaded_new();
	loaded_attach(dp, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st); /* only looks */
	assert_true(st.attached);
	assert_int_equal(st.prog_id, first);
	assert_non_null(strstr(st.text, "over our maps; the pinned one is"));
	loaded_attach(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st); /* replaces in place */
	assert_int_equal(st.how, DP_ATTACH_EXTERNAL);
	assert_int_equal(loaded_running(), loaded_own_id(dp));
	assert_non_null(strstr(st.text, "stays attached as external"));
	loaded_detach(dp);
	assert_int_equal(loaded_running(), 0);
	dp_close(dp);
}

static void test_external_obj(void **state)
{
	struct dp_iface_status st;
	struct rr_cursor *cursor;
	struct dp *dp;
	uint32_t first, f4, f6;
	bool adopted;

	(void)state;
	assert_int_equal(netbox_sh("ip link set dev " IF " xdp obj %s sec xdp",
				   netbox_build("rr_xdp.bpf.o")),
			 0);
	first = loaded_running();
	dp = loaded_open(IF, &adopted);
	assert_false(adopted); /* its maps, which no controller has set up */
	assert_non_null(strstr(dp_note(dp), "maps taken over from rr_xdp id"));
	dp_sizes(dp, &f4, &f6);
	assert_int_equal(f4, RR_FLOW4_SETS_DEFAULT);
	assert_int_equal(f6, RR_FLOW6_SETS_DEFAULT);
	assert_non_null(strstr(dp_note(dp), "instead of the configured 64 and 32"));
	loaded_attach(dp, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st);
	assert_true(st.attached);
	assert_int_equal(st.prog_id, first);
	((struct rr_control *)dp_mem(dp, RR_MAP_CONTROL, NULL))->abi_version = RR_VERSION_CONTROL;
	cursor = dp_elem(dp, RR_MAP_CURSORS, 1);
	cursor->ticket = 42;
	dp_close(dp);

	dp = loaded_open(IF, &adopted); /* restart: the pins have its sizes, and it still runs */
	assert_true(adopted);
	cursor = dp_elem(dp, RR_MAP_CURSORS, 1);
	assert_int_equal(cursor->ticket, 42);
	loaded_attach(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_int_equal(loaded_running(), loaded_own_id(dp));
	assert_int_equal(dp_unpin(dp), 0);
	loaded_detach(dp);
	dp_close(dp);
	assert_int_equal(loaded_running(), 0);
}

/* A bare object attached while other maps are pinned: named, never replaced. */
static void test_other_maps(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = loaded_new();
	uint32_t other;

	(void)state;
	assert_int_equal(netbox_sh("ip link set dev " IF " xdp obj %s sec xdp",
				   netbox_build("rr_xdp.bpf.o")),
			 0);
	other = loaded_running();
	loaded_attach_fails(dp, DP_ATTACH_LINK, DP_XDP_AUTO, -EBUSY,
			    "runs there over other maps than those in " DIR);
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st), 0);
	assert_false(st.attached);
	assert_non_null(strstr(st.text, "over maps of its own"));
	assert_int_equal(loaded_running(), other);
	dp_close(dp);
	dp = loaded_new(); /* the pins win, their sizes stay */
	assert_string_equal(dp_note(dp), "");
	dp_close(dp);
}

/* Link, dispatcher, netlink: after detach and unpin nothing is left of any. */
static void test_nothing_left(void **state)
{
	static const enum dp_attach ways[] = { DP_ATTACH_LINK, DP_ATTACH_DISPATCHER };
	struct dp_iface_status st;
	struct dp *dp;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		dp = loaded_new();
		loaded_attach(dp, ways[i], DP_XDP_AUTO, &st);
		loaded_detach(dp);
		assert_int_equal(dp_unpin(dp), 0);
		dp_close(dp);
		assert_int_equal(loaded_running(), 0);
		assert_int_equal(access(DIR, F_OK), -1);
		assert_int_equal(netbox_sh("! ls /sys/fs/bpf/xdp 2>/dev/null | grep -q dispatch"),
				 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_link, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_link_stale, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_generic, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_jumbo, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_no_native, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_foreign, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_external_pinned, loaded_setup,
						loaded_teardown),
		cmocka_unit_test_setup_teardown(test_external_obj, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_other_maps, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_nothing_left, loaded_setup, loaded_teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!netbox_enter())
		return 0;
	return cmocka_run_group_tests_name("dp_attach", tests, NULL, NULL);
}
