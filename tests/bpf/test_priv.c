/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_priv.c - after dropping privileges, what must go on working does, and what should not, does
 * not. Each case runs in a child: dropping is for good. The child leaves by _exit, since a process
 * that may not be traced has no leak check.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cap-ng.h>

#include "lib/loaded.h"
#include "lib/netbox.h"
#include "sys/dp.h"
#include "sys/netlink.h"
#include "sys/priv.h"

#define DIR LOADED_DIR

/* In the child: says which line failed by its exit status. */
#define NEED(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "# line %d: %s\n", __LINE__, #cond); \
			_exit(1); \
		} \
	} while (0)

static void in_child(void (*body)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void drop(bool reserve)
{
	char err[128];

	if (priv_drop(reserve, err, sizeof(err))) {
		fprintf(stderr, "# %s\n", err);
		_exit(1);
	}
}

static bool has(capng_type_t set, unsigned int cap)
{
	capng_get_caps_process();
	return capng_have_capability(set, cap);
}

static void sets_body(void)
{
	struct rlimit core;

	drop(false);
	NEED(has(CAPNG_EFFECTIVE, CAP_NET_ADMIN));
	NEED(has(CAPNG_EFFECTIVE, CAP_BPF));
	NEED(has(CAPNG_EFFECTIVE, CAP_PERFMON));
	NEED(!has(CAPNG_PERMITTED, CAP_SYS_ADMIN));
	NEED(!has(CAPNG_PERMITTED, CAP_DAC_OVERRIDE));
	NEED(!has(CAPNG_PERMITTED, CAP_NET_RAW));
	NEED(!has(CAPNG_BOUNDING_SET, CAP_SYS_ADMIN));
	NEED(!has(CAPNG_BOUNDING_SET, CAP_SETUID));
	NEED(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	NEED(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	NEED(!getrlimit(RLIMIT_CORE, &core) && core.rlim_cur == 0 && core.rlim_max == 0);
	priv_raise(); /* no reserve: nothing to raise */
	NEED(!has(CAPNG_EFFECTIVE, CAP_SYS_ADMIN));
	priv_lower();
	NEED(open("/etc/shadow-of-nobody", O_RDONLY) < 0);
}

static void test_sets(void **state)
{
	(void)state;
	in_child(sets_body);
}

static void reserve_body(void)
{
	drop(true);
	NEED(!has(CAPNG_EFFECTIVE, CAP_SYS_ADMIN));
	NEED(has(CAPNG_PERMITTED, CAP_SYS_ADMIN));
	priv_raise();
	priv_raise();
	NEED(has(CAPNG_EFFECTIVE, CAP_SYS_ADMIN));
	priv_lower();
	NEED(has(CAPNG_EFFECTIVE, CAP_SYS_ADMIN));
	priv_lower();
	NEED(!has(CAPNG_EFFECTIVE, CAP_SYS_ADMIN));
	NEED(has(CAPNG_EFFECTIVE, CAP_BPF));
}

static void test_reserve(void **state)
{
	(void)state;
	in_child(reserve_body);
}

/* Files of others stay closed, root's own stay open. */
static void files_body(void)
{
	char path[] = "/tmp/rrlb-priv-XXXXXX";
	int fd = mkstemp(path);

	NEED(fd >= 0 && !fchown(fd, 65534, 65534) && !fchmod(fd, 0600));
	close(fd);
	drop(false);
	NEED(open(path, O_RDONLY) < 0 && errno == EACCES);
	fd = open("/tmp/rrlb-priv-own", O_RDWR | O_CREAT | O_TRUNC, 0600);
	NEED(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
	unlink("/tmp/rrlb-priv-own");
}

static void test_files(void **state)
{
	(void)state;
	in_child(files_body);
	netbox_sh("rm -f /tmp/rrlb-priv-??????");
}

static void link_body(void)
{
	static const char *const ifnames[] = { "dp0" };
	struct dp_iface_status st;
	uint32_t jiffies, hz, first, id, insns, one = 1;
	uint64_t verdicts[RR_V_MAX];
	struct dp *dp;
	bool adopted;

	NEED(!dp_open(&dp, &loaded_conf, ifnames, 1, &adopted));
	NEED(!dp_attach(dp, "dp0", DP_ATTACH_LINK, DP_XDP_AUTO, &st));
	first = st.prog_id;
	drop(false);
	/* the running daemon */
	NEED(!dp_clock(dp, &jiffies, &hz));
	NEED(!dp_sum(dp, RR_MAP_VERDICTS, 0, RR_V_MAX, verdicts));
	NEED(!dp_set(dp, RR_MAP_TX_PORTS, 0, &one) && !dp_del(dp, RR_MAP_TX_PORTS, 0));
	NEED(!dp_attach_status(dp, "dp0", &st) && st.attached && st.prog_id == first);
	/* another interface by reload */
	NEED(!dp_attach(dp, "dp1", DP_ATTACH_LINK, DP_XDP_AUTO, &st) && st.attached && st.native);
	NEED(!dp_detach(dp, "dp1"));
	dp_close(dp);
	/* program reload: adopt, load, pin, replace */
	NEED(!dp_open(&dp, &loaded_conf, ifnames, 1, &adopted));
	NEED(!dp_attach(dp, "dp0", DP_ATTACH_LINK, DP_XDP_AUTO, &st) && st.attached);
	NEED(!dp_prog_id(dp, &id, &insns) && st.prog_id == id && id != first);
	NEED(!dp_detach(dp, "dp0") && !dp_unpin(dp));
	dp_close(dp);
	NEED(access(DIR, F_OK));
}

static void test_link(void **state)
{
	(void)state;
	in_child(link_body);
}

/*
 * A program of somebody else cannot be examined any more: it counts as foreign and is left alone.
 */
static void foreign_body(void)
{
	struct dp_iface_status st;
	struct dp *dp;
	bool adopted;

	NEED(!dp_open(&dp, &loaded_conf, NULL, 0, &adopted));
	NEED(!netbox_sh("ip link set dev dp0 xdp obj %s sec xdp",
			netbox_build("tests/bpf/pass.bpf.o")));
	drop(false);
	NEED(dp_attach(dp, "dp0", DP_ATTACH_LINK, DP_XDP_AUTO, &st) == -EBUSY);
	NEED(strstr(dp_error(dp), "no permission to examine it"));
	NEED(!dp_attach_status(dp, "dp0", &st) && !st.attached);
	NEED(!dp_unpin(dp));
	dp_close(dp);
}

static void test_foreign(void **state)
{
	(void)state;
	in_child(foreign_body);
	netbox_sh("ip link set dev dp0 xdp off");
}

/*
 * The reserve is what lets a netlink-attached program of an older start be replaced and examined.
 */
static void external_body(void)
{
	struct dp_iface_status st;
	struct dp *dp;
	bool adopted;

	NEED(!dp_open(&dp, &loaded_conf, NULL, 0, &adopted));
	NEED(!netbox_sh("ip link set dev dp0 xdp pinned " DIR "/rr_xdp_v1"));
	dp_close(dp);
	NEED(!dp_open(&dp, &loaded_conf, NULL, 0, &adopted));
	drop(true);
	NEED(!dp_attach(dp, "dp0", DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st) && st.attached);
	NEED(!dp_attach(dp, "dp0", DP_ATTACH_LINK, DP_XDP_AUTO, &st) && st.attached);
	NEED(!dp_detach(dp, "dp0") && !dp_unpin(dp));
	dp_close(dp);
}

static void test_external(void **state)
{
	(void)state;
	in_child(external_body);
}

/* A bare object that runs is known from the start: told, and detached, without the reserve. */
static void object_body(void)
{
	static const char *const ifnames[] = { "dp0" };
	struct dp_iface_status st;
	uint32_t id;
	struct dp *dp;
	bool adopted;

	NEED(!netbox_sh("ip link set dev dp0 xdp obj %s sec xdp", netbox_build("rr_xdp.bpf.o")));
	NEED(!dp_open(&dp, &loaded_conf, ifnames, 1, &adopted));
	NEED(!dp_attach(dp, "dp0", DP_ATTACH_EXTERNAL, DP_XDP_AUTO, &st) && st.attached);
	id = st.prog_id;
	drop(false);
	NEED(!dp_attach_status(dp, "dp0", &st) && st.attached && st.prog_id == id);
	NEED(!dp_detach(dp, "dp0") && !dp_unpin(dp));
	NEED(!dp_attach_status(dp, "dp0", &st) && !st.attached);
	dp_close(dp);
}

static void test_object(void **state)
{
	(void)state;
	in_child(object_body);
}

static void dispatcher_body(void)
{
	struct dp_iface_status st;
	uint32_t first;
	struct dp *dp;
	bool adopted;

	NEED(!dp_open(&dp, &loaded_conf, NULL, 0, &adopted));
	NEED(!dp_attach(dp, "dp0", DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st) && st.attached);
	if (st.how != DP_ATTACH_DISPATCHER) { /* it takes no program that changes packets */
		NEED(!dp_detach(dp, "dp0") && !dp_unpin(dp));
		_exit(0);
	}
	first = st.prog_id;
	dp_close(dp);
	NEED(!dp_open(&dp, &loaded_conf, NULL, 0, &adopted));
	drop(true);
	NEED(!dp_attach_status(dp, "dp0", &st) && st.attached && st.prog_id == first);
	NEED(!dp_attach(dp, "dp0", DP_ATTACH_DISPATCHER, DP_XDP_AUTO, &st) && st.attached);
	NEED(st.how == DP_ATTACH_DISPATCHER && st.prog_id != first);
	NEED(!dp_detach(dp, "dp0") && !dp_unpin(dp));
	NEED(!dp_attach_status(dp, "dp0", &st) && !st.attached);
	dp_close(dp);
}

static void test_dispatcher(void **state)
{
	(void)state;
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_EXT, NULL) != 1)
		skip();
	in_child(dispatcher_body);
}

static void no_change(void *arg)
{
	(void)arg;
}

static void netlink_body(void)
{
	struct addr to = { .family = 4, .ip = { 198, 18, 2, 2 } };
	struct nl_link l;
	struct nl_hop h;
	struct nl *nl;

	drop(false);
	NEED(!nl_open(&nl, no_change, NULL));
	NEED(!nl_link_get(nl, "dp0", &l) && l.ifindex);
	NEED(!nl_hop_get(nl, &to, &h) && h.gw.family == 4);
	NEED(!nl_hop_solicit(nl, &h));
	nl_shut(nl);
}

static void test_netlink(void **state)
{
	(void)state;
	in_child(netlink_body);
}

static int group_setup(void **state)
{
	(void)state;
	return netbox_sh("ip link add dp0 type veth peer name dp1 && ip link set dp1 up && ip link "
			 "set dp0 up && "
			 "ip addr add 198.18.2.1/24 dev dp0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),	cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_files),	cmocka_unit_test(test_link),
		cmocka_unit_test(test_foreign), cmocka_unit_test(test_external),
		cmocka_unit_test(test_object),	cmocka_unit_test(test_dispatcher),
		cmocka_unit_test(test_netlink),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!netbox_enter())
		return 0;
	return cmocka_run_group_tests_name("priv", tests, group_setup, NULL);
}
