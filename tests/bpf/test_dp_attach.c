/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_dp_attach.c - the ways onto an interface: link, dispatcher, `ip link ... pinned`, `ip link
 * ... obj`; replacing in place; what is refused; leaving nothing behind. Each test has a fresh veth
 * pair.
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
#include <xdp/libxdp.h>

#include "lib/netbox.h"
#include "rr_flow.h"
#include "sys/dp.h"

#define DIR "/sys/fs/bpf/rrlb-dp"
#define IF "dp0"

static const struct dp_conf conf = {
	.dir = DIR,
	.flow4_sets = 64,
	.flow6_sets = 64,
	.port_lo = 1024,
	.port_hi = 32767,
};

static struct dp *open_ok(bool *adopted)
{
	static const char *const ifnames[] = { IF };
	struct dp *dp;
	int err = dp_open(&dp, &conf, ifnames, 1, adopted);

	if (err)
		print_error("%s\n", dp_error(dp));
	assert_int_equal(err, 0);
	return dp;
}

static struct dp *open_new(void)
{
	bool adopted;
	struct dp *dp = open_ok(&adopted);
	struct rr_control *c = dp_mem(dp, RR_MAP_CONTROL, NULL);

	c->abi_version = RR_VERSION_CONTROL;
	return dp;
}

static void attach_ok(struct dp *dp, enum dp_attach how, enum dp_xdp mode,
		      struct dp_iface_status *st)
{
	int err = dp_attach(dp, IF, how, mode, st);

	if (err)
		print_error("%s\n", dp_error(dp));
	assert_int_equal(err, 0);
	assert_string_equal(st->name, IF);
	assert_int_equal(st->ifindex, if_nametoindex(IF));
}

static void attach_fails(struct dp *dp, enum dp_attach how, enum dp_xdp mode, int err,
			 const char *words)
{
	struct dp_iface_status st;

	assert_int_equal(dp_attach(dp, IF, how, mode, &st), err);
	if (!strstr(dp_error(dp), words))
		print_error("\"%s\" lacks \"%s\"\n", dp_error(dp), words);
	assert_non_null(strstr(dp_error(dp), words));
	assert_false(st.attached);
}

static void detach_ok(struct dp *dp)
{
	int err = dp_detach(dp, IF);

	if (err)
		print_error("%s\n", dp_error(dp));
	assert_int_equal(err, 0);
}

/* The program that the kernel says runs on the interface; 0 = none. */
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

/*
 * Sharing needs extension programs, which a kernel may lack or forbid, and a dispatcher that takes
 * ours: tried.
 */
static bool can_share(void)
{
	struct dp_iface_status st;
	struct dp *dp = open_new();

	attach_ok(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	detach_ok(dp);
	assert_int_equal(dp_unpin(dp), 0);
	dp_close(dp);
	return st.how == DP_ATTACH_DISPATCHER;
}

/* Somebody else's program, directly on the interface. */
static uint32_t occupy(void)
{
	assert_int_equal(netbox_sh("ip link set dev " IF " xdp obj %s sec xdp",
				   netbox_build("tests/bpf/pass.bpf.o")),
			 0);
	return running();
}

static int setup(void **state)
{
	(void)state;
	return netbox_sh("ip link add " IF
			 " type veth peer name dp1 && ip link set dp1 up && ip link set " IF " up");
}

static int teardown(void **state)
{
	(void)state;
	return netbox_sh("ip link del " IF " 2>/dev/null; rm -rf " DIR);
}

static void test_link(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = open_new();
	uint32_t first = own_id(dp), link;

	(void)state;
	attach_ok(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st);
	assert_true(st.attached && st.native);
	assert_int_equal(st.how, DP_ATTACH_LINK);
	assert_int_equal(st.prog_id, first);
	assert_string_equal(st.text, "");
	assert_int_equal(running(), first);
	link = link_id(DIR "/link_" IF);
	attach_ok(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st); /* again: nothing to do */
	assert_int_equal(running(), first);
	dp_close(dp);
	assert_int_equal(running(), first); /* closing never detaches */

	dp = open_new();
	assert_int_equal(dp_attach_status(dp, IF, &st), 0);
	assert_true(st.attached);
	assert_int_equal(st.prog_id, first);
	attach_ok(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st);
	assert_int_not_equal(st.prog_id, first);
	assert_int_equal(st.prog_id, own_id(dp));
	assert_int_equal(running(), st.prog_id);
	assert_int_equal(link_id(DIR "/link_" IF), link);
	detach_ok(dp);
	assert_int_equal(running(), 0);
	assert_int_equal(access(DIR "/link_" IF, F_OK), -1);
	detach_ok(dp); /* nothing there: fine */
	dp_close(dp);
}

/* An interface that went away and came back, and a VLAN's dotted name. */
static void test_link_stale(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = open_new();

	(void)state;
	attach_ok(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st);
	assert_int_equal(netbox_sh("ip link del " IF), 0);
	assert_int_equal(dp_attach_status(dp, IF, &st), -ENODEV);
	assert_non_null(strstr(dp_error(dp), IF ": no such interface"));
	setup(state);
	attach_ok(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st);
	assert_int_equal(running(), own_id(dp));
	assert_int_equal(netbox_sh("ip link del " IF), 0);
	assert_int_equal(dp_detach(dp, IF), 0);
	assert_int_equal(access(DIR "/link_" IF, F_OK), -1);
	setup(state);
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
	struct dp *dp = open_new();

	(void)state;
	attach_ok(dp, DP_ATTACH_LINK, DP_XDP_GENERIC, &st);
	assert_true(st.attached);
	assert_false(st.native);
	assert_string_equal(st.text, "");
	attach_ok(dp, DP_ATTACH_LINK, DP_XDP_NATIVE, &st);
	assert_false(st.native);
	assert_non_null(strstr(st.text, "stays generic until detached"));
	detach_ok(dp);
	assert_int_equal(running(), 0);
	dp_close(dp);
}

/* A veth whose peer has a jumbo MTU refuses native XDP. */
static void test_jumbo(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = open_new();

	(void)state;
	assert_int_equal(netbox_sh("ip link set " IF " mtu 9000; ip link set dp1 mtu 9000"), 0);
	attach_fails(dp, DP_ATTACH_LINK, DP_XDP_NATIVE, -ERANGE,
		     IF ": the driver refuses native XDP with jumbo frames, MTU 9000 (");
	assert_non_null(
		strstr(dp_error(dp), "Peer MTU is too large to set XDP): set the MTU to 3498"));
	assert_int_equal(running(), 0);
	attach_ok(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st);
	assert_true(st.attached);
	assert_false(st.native);
	assert_non_null(strstr(st.text, "native refused ("));
	assert_non_null(
		strstr(st.text, "Peer MTU is too large to set XDP at MTU 9000), generic instead"));
	detach_ok(dp);
	dp_close(dp);
}

/* A driver without native XDP. */
static void test_no_native(void **state)
{
	struct dp_iface_status st;
	bool share_ok = can_share();
	struct dp *dp = open_new();

	(void)state;
	assert_int_equal(netbox_sh("ip link del " IF "; ip link add " IF
				   " type vxlan id 7 dev lo dstport 4789 && ip link set " IF " up"),
			 0);
	attach_fails(dp, DP_ATTACH_LINK, DP_XDP_NATIVE, -EOPNOTSUPP,
		     "the driver has no native XDP");
	attach_ok(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st);
	assert_false(st.native);
	assert_string_equal(st.text,
			    "native refused (the driver has no native XDP), generic instead");
	detach_ok(dp);
	attach_ok(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_false(st.native);
	assert_int_equal(st.how, share_ok ? DP_ATTACH_DISPATCHER : DP_ATTACH_LINK);
	assert_non_null(strstr(st.text, "generic instead"));
	detach_ok(dp);
	assert_int_equal(running(), 0);
	dp_close(dp);
}

static void test_foreign(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = open_new();
	uint32_t other = occupy();
	char words[64];

	(void)state;
	snprintf(words, sizeof(words), "occupied by XDP program other_pass (id %u)", other);
	attach_fails(dp, DP_ATTACH_LINK, DP_XDP_AUTO, -EBUSY, words);
	attach_fails(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, -EBUSY, words);
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st), 0);
	assert_false(st.attached);
	assert_non_null(strstr(st.text, "occupied by other_pass"));
	assert_int_equal(dp_detach(dp, IF), -EBUSY);
	assert_int_equal(running(), other);
	dp_close(dp);
}

static void test_external_pinned(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = open_new();
	uint32_t first;

	(void)state;
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st), 0);
	assert_false(st.attached);
	assert_non_null(strstr(st.text, "ip link set dev " IF " xdp pinned " DIR "/rr_xdp_v1"));
	assert_int_equal(netbox_sh("ip link set dev " IF " xdp pinned " DIR "/rr_xdp_v1"), 0);
	attach_ok(dp, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st);
	assert_true(st.attached && st.native);
	assert_int_equal(st.how, DP_ATTACH_EXTERNAL);
	assert_int_equal(st.prog_id, own_id(dp));
	assert_string_equal(st.text, "");
	first = running();
	dp_close(dp);

	dp = open_new();
	attach_ok(dp, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st); /* only looks */
	assert_true(st.attached);
	assert_int_equal(st.prog_id, first);
	assert_non_null(strstr(st.text, "over our maps; the pinned one is"));
	attach_ok(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st); /* replaces in place */
	assert_int_equal(st.how, DP_ATTACH_EXTERNAL);
	assert_int_equal(running(), own_id(dp));
	assert_non_null(strstr(st.text, "stays attached as external"));
	detach_ok(dp);
	assert_int_equal(running(), 0);
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
	first = running();
	dp = open_ok(&adopted);
	assert_false(adopted); /* its maps, which no controller has set up */
	assert_non_null(strstr(dp_note(dp), "maps taken over from rr_xdp id"));
	dp_sizes(dp, &f4, &f6);
	assert_int_equal(f4, RR_FLOW4_SETS_DEFAULT);
	assert_int_equal(f6, RR_FLOW6_SETS_DEFAULT);
	assert_non_null(strstr(dp_note(dp), "instead of the configured 64 and 64"));
	attach_ok(dp, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st);
	assert_true(st.attached);
	assert_int_equal(st.prog_id, first);
	((struct rr_control *)dp_mem(dp, RR_MAP_CONTROL, NULL))->abi_version = RR_VERSION_CONTROL;
	cursor = dp_elem(dp, RR_MAP_CURSORS, 1);
	cursor->ticket = 42;
	dp_close(dp);

	dp = open_ok(&adopted); /* restart: the pins have its sizes, and it still runs */
	assert_true(adopted);
	cursor = dp_elem(dp, RR_MAP_CURSORS, 1);
	assert_int_equal(cursor->ticket, 42);
	attach_ok(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_int_equal(running(), own_id(dp));
	assert_int_equal(dp_unpin(dp), 0);
	detach_ok(dp);
	dp_close(dp);
	assert_int_equal(running(), 0);
}

/* A bare object attached while other maps are pinned: named, never replaced. */
static void test_other_maps(void **state)
{
	struct dp_iface_status st;
	struct dp *dp = open_new();
	uint32_t other;

	(void)state;
	assert_int_equal(netbox_sh("ip link set dev " IF " xdp obj %s sec xdp",
				   netbox_build("rr_xdp.bpf.o")),
			 0);
	other = running();
	attach_fails(dp, DP_ATTACH_LINK, DP_XDP_AUTO, -EBUSY,
		     "runs there over other maps than those in " DIR);
	assert_int_equal(dp_attach(dp, IF, DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st), 0);
	assert_false(st.attached);
	assert_non_null(strstr(st.text, "over maps of its own"));
	assert_int_equal(running(), other);
	dp_close(dp);
	dp = open_new(); /* the pins win, their sizes stay */
	assert_string_equal(dp_note(dp), "");
	dp_close(dp);
}

/* Names of the programs in the dispatcher, in order. */
static int dispatched(char names[8][16])
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex((int)if_nametoindex(IF));
	struct xdp_program *p = NULL;
	int n = 0;

	if (libxdp_get_error(mp))
		return 0;
	while (n < 8 && (p = xdp_multiprog__next_prog(p, mp)))
		snprintf(names[n++], 16, "%s", xdp_program__name(p));
	xdp_multiprog__close(mp);
	return n;
}

static struct xdp_program *share(void)
{
	struct xdp_program *p =
		xdp_program__open_file(netbox_build("tests/bpf/pass.bpf.o"), "xdp", NULL);

	assert_int_equal(libxdp_get_error(p), 0);
	assert_int_equal(xdp_program__attach(p, (int)if_nametoindex(IF), XDP_MODE_NATIVE, 0), 0);
	return p;
}

static void test_dispatcher(void **state)
{
	struct dp_iface_status st;
	struct xdp_program *other;
	struct dp *dp;
	char names[8][16];
	uint32_t first;

	(void)state;
	if (!can_share())
		skip();
	dp = open_new();
	attach_ok(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_true(st.attached && st.native);
	assert_int_equal(st.how, DP_ATTACH_DISPATCHER);
	first = st.prog_id;
	assert_int_not_equal(first, running()); /* ours is inside */
	other = share();
	assert_int_equal(dispatched(names), 2);
	attach_ok(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_int_equal(st.prog_id, first); /* same process: nothing to do */
	dp_close(dp);
	assert_int_equal(dispatched(names), 2);

	dp = open_new();
	attach_ok(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st); /* stays in the dispatcher, replaced */
	assert_int_equal(st.how, DP_ATTACH_DISPATCHER);
	assert_int_not_equal(st.prog_id, first);
	assert_int_equal(dispatched(names), 2);
	detach_ok(dp);
	assert_int_equal(dispatched(names), 1);
	assert_string_equal(names[0], "other_pass");
	attach_fails(dp, DP_ATTACH_LINK, DP_XDP_AUTO, -EBUSY,
		     "shared by other programs through xdp_dispatcher");
	detach_ok(dp); /* not in it: fine, and the other stays */
	assert_int_equal(dispatched(names), 1);
	attach_ok(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_int_equal(dispatched(names), 2);
	assert_int_equal(xdp_program__detach(other, (int)if_nametoindex(IF), XDP_MODE_NATIVE, 0),
			 0);
	xdp_program__close(other);
	detach_ok(dp);
	assert_int_equal(running(), 0);
	dp_close(dp);
}

/*
 * The extension works on our maps: packets counted in the dispatcher show in the maps of the
 * handle.
 */
static void test_dispatcher_maps(void **state)
{
	uint64_t before[RR_V_MAX], after[RR_V_MAX], sum[2] = { 0 };
	struct dp_iface_status st;
	struct dp *dp;
	int i;

	(void)state;
	if (!can_share())
		skip();
	dp = open_new();
	attach_ok(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_int_equal(dp_sum(dp, RR_MAP_VERDICTS, 0, RR_V_MAX, before), 0);
	((struct rr_control *)dp_mem(dp, RR_MAP_CONTROL, NULL))->enabled = 1;
	assert_int_equal(
		netbox_sh("ip addr add 198.18.7.1/24 dev dp1; ip neigh add 198.18.7.2 lladdr "
			  "02:00:00:00:00:07 dev dp1; "
			  "for i in 1 2 3; do ping -c1 -W1 198.18.7.2 >/dev/null; done; true"),
		0);
	assert_int_equal(dp_sum(dp, RR_MAP_VERDICTS, 0, RR_V_MAX, after), 0);
	for (i = 0; i < RR_V_MAX; i++) {
		sum[0] += before[i];
		sum[1] += after[i];
	}
	assert_true(sum[1] >= sum[0] + 3);
	detach_ok(dp);
	dp_close(dp);
}

/* No sharing here: an own link instead, and it is said. */
static void test_dispatcher_impossible(void **state)
{
	struct dp_iface_status st;
	struct dp *dp;

	(void)state;
	if (can_share())
		skip();
	dp = open_new();
	attach_ok(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_true(st.attached && st.native);
	assert_int_equal(st.how, DP_ATTACH_LINK);
	assert_non_null(strstr(st.text, "dispatcher"));
	assert_non_null(strstr(st.text, "link instead"));
	attach_ok(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_int_equal(running(), own_id(dp));
	detach_ok(dp);
	assert_int_equal(running(), 0);
	dp_close(dp);
}

/* An upgrade cut short between its two steps leaves two of ours: the next one takes both out. */
static void test_dispatcher_crash(void **state)
{
	struct dp_iface_status st;
	struct dp *dp, *second;
	char names[8][16];
	bool adopted;

	(void)state;
	if (!can_share())
		skip();
	dp = open_new();
	attach_ok(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	dp_close(dp);
	assert_int_equal(netbox_sh("mv " DIR " /sys/fs/bpf/hidden"), 0);
	second = open_ok(&adopted); /* the same maps, found through the dispatcher */
	assert_non_null(strstr(dp_note(second), "maps taken over"));
	attach_ok(second, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_int_equal(dispatched(names), 1);
	detach_ok(second);
	assert_int_equal(dispatched(names), 0);
	assert_int_equal(netbox_sh("rm -r /sys/fs/bpf/hidden"), 0);
	dp_close(second);
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
		dp = open_new();
		attach_ok(dp, ways[i], DP_XDP_AUTO, &st);
		detach_ok(dp);
		assert_int_equal(dp_unpin(dp), 0);
		dp_close(dp);
		assert_int_equal(running(), 0);
		assert_int_equal(access(DIR, F_OK), -1);
		assert_int_equal(netbox_sh("! ls /sys/fs/bpf/xdp 2>/dev/null | grep -q dispatch"),
				 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_generic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_jumbo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_native, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign, setup, teardown),
		cmocka_unit_test_setup_teardown(test_external_pinned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_external_obj, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_maps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dispatcher, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dispatcher_maps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dispatcher_impossible, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dispatcher_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_left, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!netbox_enter())
		return 0;
	return cmocka_run_group_tests_name("dp_attach", tests, NULL, NULL);
}
