/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * priv.c - what the running controller may still do. Who needs what:
 *
 *   CAP_NET_ADMIN  bpf_link_create and bpf_link_update of XDP programs, XDP by netlink, loading an
 *                  XDP program, a DEVMAP, soliciting a neighbour (RTM_NEWNEIGH), receive buffers
 *                  beyond the limit
 *   CAP_BPF        bpf(2): load, test run (dp_clock), pin and open pins when unprivileged BPF is
 *                  off
 *   CAP_PERFMON    loading without the verifier's speculation barriers in the packet path, and
 *                  extension programs
 *   CAP_SYS_ADMIN  opening programs, maps and BTF by id: libxdp's dispatcher and looking at foreign
 *                  programs. Only in reserve: permitted, and made effective for single calls
 *                  (priv_raise), so that a confused call elsewhere cannot use it. Dropped for good
 *                  when no interface uses the dispatcher.
 *
 * Everything else goes, from the bounding set too, and no new privileges can come by exec. The
 * process stays uid 0 without CAP_DAC_OVERRIDE: it writes what root owns (bpffs, its state file),
 * nothing else. Memory holds the flow hash secret and TLS client state, so it is neither dumped nor
 * open to ptrace by equals.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <linux/capability.h>

#include <cap-ng.h>

#include "sys/priv.h"

static const unsigned int kept[] = { CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON };

static bool reserved;
static unsigned int depth;

static int fail(char *err, size_t len, int e, const char *what)
{
	snprintf(err, len, "dropping privileges: %s: %s", what, strerror(-e));
	return e;
}

static int no_dumps(char *err, size_t len)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none))
		return fail(err, len, -errno, "no core files");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return fail(err, len, -errno, "not dumpable");
	return 0;
}

/* The wanted sets, as far as we have them: a service manager may have given us less than root. */
static bool choose(bool reserve)
{
	const capng_type_t both = CAPNG_EFFECTIVE | CAPNG_PERMITTED;
	bool have[sizeof(kept) / sizeof(kept[0])], admin;

	capng_get_caps_process();
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		have[i] = capng_have_capability(CAPNG_PERMITTED, kept[i]);
	admin = reserve && capng_have_capability(CAPNG_PERMITTED, CAP_SYS_ADMIN);
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (have[i])
			capng_update(CAPNG_ADD, both, kept[i]);
	if (admin)
		capng_update(CAPNG_ADD, CAPNG_PERMITTED, CAP_SYS_ADMIN);
	return admin;
}

int priv_drop(bool reserve, char *err, size_t len)
{
	bool admin, bounds;
	int e = no_dumps(err, len);

	if (e)
		return e;
	capng_get_caps_process();
	bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	admin = choose(reserve);
	e = capng_apply(bounds ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS);
	if (e)
		return fail(err, len, -EPERM, "capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(err, len, -errno, "no new privileges");
	reserved = admin;
	depth = 0;
	return 0;
}

static void effective(capng_act_t act)
{
	capng_get_caps_process();
	capng_update(act, CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
	capng_apply(CAPNG_SELECT_CAPS);
}

void priv_raise(void)
{
	if (reserved && !depth++)
		effective(CAPNG_ADD);
}

void priv_lower(void)
{
	if (reserved && !--depth)
		effective(CAPNG_DROP);
}
