/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * loaded.c - the packet path loaded and attached as a controller does it.
 */
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/libbpf.h>

#include "lib/loaded.h"
#include "lib/netbox.h"

#define IF LOADED_IF

const struct dp_conf loaded_conf = {
	.dir = LOADED_DIR,
	.flow4_sets = LOADED_SETS,
	.flow6_sets = LOADED_SETS / 2,
	.port_lo = 1024,
	.port_hi = 32767,
};

int loaded_setup(void **state)
{
	(void)state;
	return netbox_sh("ip link add " IF
			 " type veth peer name dp1 && ip link set dp1 up && ip link set " IF " up");
}

int loaded_teardown(void **state)
{
	(void)state;
	return netbox_sh("ip link del " IF " 2>/dev/null; rm -rf " LOADED_DIR);
}

struct dp *loaded_open(const char *ifname, bool *adopted)
{
	const char *const ifnames[] = { ifname };
	struct dp *dp;
	int rc = dp_open(&dp, &loaded_conf, ifnames, ifname != NULL, adopted);

	if (rc)
		print_error("%s\n", dp_error(dp));
	assert_int_equal(rc, 0);
	return dp;
}

struct dp *loaded_new(void)
{
	bool adopted;
	struct dp *dp = loaded_open(IF, &adopted);
	struct rr_control *c = dp_mem(dp, RR_MAP_CONTROL, NULL);

	c->abi_version = RR_VERSION_CONTROL;
	return dp;
}

static void says(const struct dp *dp, const char *words)
{
	if (!strstr(dp_error(dp), words))
		print_error("\"%s\" lacks \"%s\"\n", dp_error(dp), words);
	assert_non_null(strstr(dp_error(dp), words));
}

void loaded_refused(const struct dp_conf *c, const char *ifname, int err, const char *words)
{
	const char *const ifnames[] = { ifname };
	struct dp *dp;
	bool adopted;

	assert_int_equal(dp_open(&dp, c, ifnames, ifname != NULL, &adopted), err);
	assert_non_null(dp);
	says(dp, words);
	dp_close(dp);
}

void loaded_attach(struct dp *dp, enum dp_attach how, enum dp_xdp mode, struct dp_iface_status *st)
{
	int err = dp_attach(dp, IF, how, mode, st);

	if (err)
		print_error("%s\n", dp_error(dp));
	assert_int_equal(err, 0);
	assert_string_equal(st->name, IF);
	assert_int_equal(st->ifindex, if_nametoindex(IF));
}

void loaded_attach_fails(struct dp *dp, enum dp_attach how, enum dp_xdp mode, int err,
			 const char *words)
{
	struct dp_iface_status st;

	assert_int_equal(dp_attach(dp, IF, how, mode, &st), err);
	says(dp, words);
	assert_false(st.attached);
}

void loaded_detach(struct dp *dp)
{
	int err = dp_detach(dp, IF);

	if (err)
		print_error("%s\n", dp_error(dp));
	assert_int_equal(err, 0);
}

uint32_t loaded_running(void)
{
	uint32_t id = 0;

	assert_int_equal(bpf_xdp_query_id((int)if_nametoindex(IF), 0, &id), 0);
	return id;
}

uint32_t loaded_own_id(struct dp *dp)
{
	uint32_t id, insns;

	assert_int_equal(dp_prog_id(dp, &id, &insns), 0);
	return id;
}

bool loaded_can_share(void)
{
	struct dp_iface_status st;
	struct dp *dp = loaded_new();

	loaded_attach(dp, DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st);
	loaded_detach(dp);
	assert_int_equal(dp_unpin(dp), 0);
	dp_close(dp);
	return st.how == DP_ATTACH_DISPATCHER;
}
