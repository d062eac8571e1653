/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_dp_share.c - one interface with other programs, through libxdp's dispatcher: getting in and
 * out, being replaced in place, and what happens where no sharing is possible. Each test has a
 * fresh veth pair.
 */
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <xdp/libxdp.h>

#include "lib/loaded.h"
#include "lib/netbox.h"
#include "rr_verdict.h"

#define DIR LOADED_DIR
#define IF LOADED_IF

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
	if (!loaded_can_share())
		skip();
	dp = loaded_new();
	loaded_attach(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_true(st.attached && st.native);
	assert_int_equal(st.how, DP_ATTACH_DISPATCHER);
	first = st.prog_id;
	assert_int_not_equal(first, loaded_running()); /* ours is inside */
	other = share();
	assert_int_equal(dispatched(names), 2);
	loaded_attach(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_int_equal(st.prog_id, first); /* same process: nothing to do */
	dp_close(dp);
	assert_int_equal(dispatched(names), 2);

	dp = loaded_new();
	loaded_attach(dp, DP_ATTACH_LINK, DP_XDP_AUTO, &st); /* stays in the dispatcher, replaced */
	assert_int_equal(st.how, DP_ATTACH_DISPATCHER);
	assert_int_not_equal(st.prog_id, first);
	assert_int_equal(dispatched(names), 2);
	loaded_detach(dp);
	assert_int_equal(dispatched(names), 1);
	assert_string_equal(names[0], "other_pass");
	loaded_attach_fails(dp, DP_ATTACH_LINK, DP_XDP_AUTO, -EBUSY,
			    "shared by other programs through xdp_dispatcher");
	loaded_detach(dp); /* not in it: fine, and the other stays */
	assert_int_equal(dispatched(names), 1);
	loaded_attach(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_int_equal(dispatched(names), 2);
	assert_int_equal(xdp_program__detach(other, (int)if_nametoindex(IF), XDP_MODE_NATIVE, 0),
			 0);
	xdp_program__close(other);
	loaded_detach(dp);
	assert_int_equal(loaded_running(), 0);
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
	if (!loaded_can_share())
		skip();
	dp = loaded_new();
	loaded_attach(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
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
	loaded_detach(dp);
	dp_close(dp);
}

/* No sharing here: an own link instead, and it is said. */
static void test_dispatcher_impossible(void **state)
{
	struct dp_iface_status st;
	struct dp *dp;

	(void)state;
	if (loaded_can_share())
		skip();
	dp = loaded_new();
	loaded_attach(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_true(st.attached && st.native);
	assert_int_equal(st.how, DP_ATTACH_LINK);
	assert_non_null(strstr(st.text, "dispatcher"));
	assert_non_null(strstr(st.text, "link instead"));
	loaded_attach(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_int_equal(loaded_running(), loaded_own_id(dp));
	loaded_detach(dp);
	assert_int_equal(loaded_running(), 0);
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
	if (!loaded_can_share())
		skip();
	dp = loaded_new();
	loaded_attach(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	dp_close(dp);
	assert_int_equal(netbox_sh("mv " DIR " /sys/fs/bpf/hidden"), 0);
	second = loaded_open(IF, &adopted); /* the same maps, found through the dispatcher */
	assert_non_null(strstr(dp_note(second), "maps taken over"));
	loaded_attach(second, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	assert_int_equal(dispatched(names), 1);
	loaded_detach(second);
	assert_int_equal(dispatched(names), 0);
	assert_int_equal(netbox_sh("rm -r /sys/fs/bpf/hidden"), 0);
	dp_close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dispatcher, loaded_setup, loaded_teardown),
		cmocka_unit_test_setup_teardown(test_dispatcher_maps, loaded_setup,
						loaded_teardown),
		cmocka_unit_test_setup_teardown(test_dispatcher_impossible, loaded_setup,
						loaded_teardown),
		cmocka_unit_test_setup_teardown(test_dispatcher_crash, loaded_setup,
						loaded_teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!netbox_enter())
		return 0;
	return cmocka_run_group_tests_name("dp_share", tests, NULL, NULL);
}
