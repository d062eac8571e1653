/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_attach.c - puts our program on an interface, replaces it there, takes it away.
 *
 * First look, then act: dp_look() says who has the interface. Empty: attach as asked. Ours, however
 * it came there: replaced in place by the way it came, because changing the way would leave a gap
 * without a program:
 *   pinned link          bpf_link_update
 *   netlink (ip link)    XDP_FLAGS_REPLACE with the program that is expected there
 *   libxdp's dispatcher  a new dispatcher with the new program, then one without the old
 * Anybody else's program is never replaced: the error names it.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_link.h>

#include "sys/dp_int.h"
#include "sys/priv.h"

#define JUMBO 3498u /* more does not fit one page with XDP's headroom */

/* ---- status ---------------------------------------------------------------------------------- */

static void status(const struct dp_seen *seen, const char *ifname, struct dp_iface_status *st)
{
	char text[sizeof(st->text)];

	snprintf(text, sizeof(text), "%s", st->text);
	memset(st, 0, sizeof(*st));
	memcpy(st->text, text, sizeof(st->text));
	snprintf(st->name, sizeof(st->name), "%s", ifname);
	st->ifindex = (uint32_t)seen->ifindex;
	st->attached = seen->ours;
	st->native = seen->native;
	st->prog_id = seen->ours ? seen->our_id : 0;
	if (seen->kind == DP_SEEN_LINK)
		st->how = DP_ATTACH_LINK;
	else if (seen->kind == DP_SEEN_DISPATCHER)
		st->how = DP_ATTACH_DISPATCHER;
	else
		st->how = DP_ATTACH_EXTERNAL;
}

static int refuse(struct dp *dp, const char *ifname, const struct dp_seen *seen)
{
	if (seen->kind == DP_SEEN_FOREIGN_MAPS)
		return dp_say(dp, -EBUSY,
			      "%s: program %s (id %u) runs there over other maps than those in %s: "
			      "detach it (ip link set dev %s xdp off), or use its maps by removing "
			      "%s first",
			      ifname, seen->name, seen->prog_id, dp->dir, ifname, dp->dir);
	if (seen->kind == DP_SEEN_DISPATCHER)
		return dp_say(dp, -EBUSY,
			      "%s: shared by other programs through %s (id %u): choose `attach "
			      "dispatcher`, or remove them",
			      ifname, seen->name, seen->prog_id);
	return dp_say(dp, -EBUSY,
		      "%s: occupied by XDP program %s (id %u), which is not ours: detach it first "
		      "(ip link set dev %s xdp off)",
		      ifname, seen->name[0] ? seen->name : "(no permission to examine it)",
		      seen->prog_id, ifname);
}

/* ---- attaching to an empty interface --------------------------------------------------------- */

static uint32_t iface_mtu(const char *ifname)
{
	struct ifreq r = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return 0;
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
	err = ioctl(fd, SIOCGIFMTU, &r);
	close(fd);
	return err ? 0 : (uint32_t)r.ifr_mtu;
}

/*
 * The driver's own words. Creating a link does not return them, the netlink way does, so it is
 * tried too; should it succeed, it is taken back at once.
 */
static const char *driver_says(struct dp *dp, int ifindex)
{
	if (*dp_heard())
		return dp_heard();
	dp_listen();
	if (!bpf_xdp_attach(ifindex, dp->prog_fd, XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST,
			    NULL))
		bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, NULL);
	return dp_heard();
}

/*
 * Why the driver did not take the program, as a sentence; `why` is its short form for a status
 * line.
 */
static int explain(struct dp *dp, const char *ifname, int ifindex, int err, char *why, size_t len)
{
	const char *says = driver_says(dp, ifindex);
	uint32_t mtu = iface_mtu(ifname);

	if (err == -EOPNOTSUPP)
		snprintf(why, len, "the driver has no native XDP");
	else if (mtu > JUMBO)
		snprintf(why, len, "%s at MTU %u", *says ? says : strerror(-err), mtu);
	else
		snprintf(why, len, "%s", *says ? says : strerror(-err));
	if (mtu > JUMBO && err != -EOPNOTSUPP)
		return dp_say(dp, err,
			      "%s: the driver refuses native XDP with jumbo frames, MTU %u (%s): "
			      "set the MTU to %u or less, also on a veth's peer, or `xdp generic`",
			      ifname, mtu, *says ? says : strerror(-err), JUMBO);
	return dp_say(
		dp, err,
		"%s: native XDP refused (%s): `xdp generic` works with every driver, but slowly",
		ifname, why);
}

static int attach_once(struct dp *dp, const char *ifname, int ifindex, enum dp_attach how,
		       bool native)
{
	dp_listen();
	if (how == DP_ATTACH_LINK)
		return dp_link_create(dp, ifname, ifindex, native);
	return dp_dispatch_attach(dp, ifname, ifindex, native);
}

/* Errors that another mode does not cure. */
static bool is_final(int err)
{
	return err == -EPERM || err == -EACCES || err == -EBUSY || err == -EEXIST ||
	       err == -ENODEV || err == -ENAMETOOLONG || err == -ENOENT;
}

static void add_text(struct dp_iface_status *st, const char *fmt, ...)
{
	size_t n = strlen(st->text);
	va_list ap;

	if (n)
		n += (size_t)snprintf(st->text + n, sizeof(st->text) - n, "; ");
	va_start(ap, fmt);
	vsnprintf(st->text + n, sizeof(st->text) - n, fmt, ap);
	va_end(ap);
}

/*
 * A dispatcher that does not take the program (one made for older kernels may not let extensions
 * change packets) is no reason to stay off an empty interface: the link is tried, and what it says
 * is about the driver alone.
 */
static int attach_mode(struct dp *dp, const char *ifname, int ifindex, enum dp_attach how,
		       bool native, struct dp_iface_status *st)
{
	char why[96];
	int err = attach_once(dp, ifname, ifindex, how, native);

	if (how == DP_ATTACH_LINK || !err || is_final(err))
		return err;
	snprintf(why, sizeof(why), "%.95s", *dp_heard() ? dp_heard() : strerror(-err));
	err = attach_once(dp, ifname, ifindex, DP_ATTACH_LINK, native);
	if (!err)
		add_text(st, "dispatcher refused (%s), link instead", why);
	return err;
}

static int attach_fresh(struct dp *dp, const char *ifname, int ifindex, enum dp_attach how,
			enum dp_xdp mode, struct dp_iface_status *st)
{
	char why[96];
	int err;

	if (how == DP_ATTACH_DISPATCHER && !dp_dispatch_possible()) {
		how = DP_ATTACH_LINK;
		add_text(st, "this kernel allows no dispatcher (extension programs), link instead");
	}
	if (mode == DP_XDP_GENERIC)
		return attach_mode(dp, ifname, ifindex, how, false, st);
	err = attach_mode(dp, ifname, ifindex, how, true, st);
	if (!err || is_final(err))
		return err;
	explain(dp, ifname, ifindex, err, why, sizeof(why));
	if (mode == DP_XDP_NATIVE)
		return err;
	add_text(st, "native refused (%s), generic instead", why);
	return attach_mode(dp, ifname, ifindex, how, false, st);
}

/* ---- replacing ours -------------------------------------------------------------------------- */

static int plain_replace(struct dp *dp, const char *ifname, const struct dp_seen *seen)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	int old, err;

	if (seen->prog_id == dp->prog_id)
		return 0;
	old = dp_prog_open(dp, seen->prog_id);
	if (old < 0)
		return dp_fail(dp, old, "%s: cannot open program id %u", ifname, seen->prog_id);
	opts.old_prog_fd = old;
	err = bpf_xdp_attach(seen->ifindex, dp->prog_fd,
			     XDP_FLAGS_REPLACE |
				     (seen->native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE),
			     &opts);
	close(old);
	if (!err)
		dp_forget(dp, seen->prog_id);
	return err ? dp_fail(dp, err, "%s: cannot replace program id %u", ifname, seen->prog_id)
		   : 0;
}

static int dispatch_replace(struct dp *dp, const char *ifname, const struct dp_seen *seen)
{
	for (size_t i = 0; i < RR_MAX_IFACES && seen->ours; i++)
		if (dp->ext_id[i] == seen->our_id)
			return 0;
	return dp_dispatch_attach(dp, ifname, seen->ifindex, seen->native);
}

static int attach_over(struct dp *dp, const char *ifname, const struct dp_seen *seen,
		       enum dp_attach how)
{
	dp_listen();
	switch (seen->kind) {
	case DP_SEEN_LINK:
		return dp_link_replace(dp, ifname);
	case DP_SEEN_PLAIN:
		return plain_replace(dp, ifname, seen);
	case DP_SEEN_DISPATCHER:
		if (seen->ours || how == DP_ATTACH_DISPATCHER)
			return dispatch_replace(dp, ifname, seen);
		return refuse(dp, ifname, seen);
	default:
		return refuse(dp, ifname, seen);
	}
}

/* Says what differs from what was asked; it stays so, since changing it would leave a gap. */
static void note_kept(const struct dp_seen *seen, enum dp_attach how, enum dp_xdp mode,
		      struct dp_iface_status *st)
{
	static const char *const ways[] = { "dispatcher", "link", "external" };

	if (st->text[0])
		return;
	if (seen->ours && st->how != how)
		snprintf(st->text, sizeof(st->text),
			 "replaced in place, stays attached as %s until detached", ways[st->how]);
	else if ((mode == DP_XDP_NATIVE && !st->native) || (mode == DP_XDP_GENERIC && st->native))
		snprintf(st->text, sizeof(st->text), "replaced in place, stays %s until detached",
			 st->native ? "native" : "generic");
}

/* EXTERNAL: says what is there and, if it is not this program, how to change that. */
static int attach_external(struct dp *dp, const struct dp_seen *seen, struct dp_iface_status *st)
{
	if (seen->kind == DP_SEEN_NONE)
		snprintf(st->text, sizeof(st->text),
			 "nothing attached: ip link set dev %s xdp pinned %.80s/" RR_PROG_PIN,
			 st->name, dp->dir);
	else if (!seen->ours)
		snprintf(st->text, sizeof(st->text), "occupied by %s (id %u), not ours",
			 seen->name[0] ? seen->name : "a program", seen->prog_id);
	else if (seen->older)
		snprintf(st->text, sizeof(st->text),
			 "runs program id %u over maps of another version: ip -force link set dev "
			 "%s xdp pinned %.40s/" RR_PROG_PIN,
			 seen->prog_id, st->name, dp->dir);
	else if (seen->kind == DP_SEEN_PLAIN && seen->prog_id != dp->prog_id)
		snprintf(
			st->text, sizeof(st->text),
			"runs program id %u over our maps; the pinned one is id %u: ip -force link "
			"set dev %s xdp pinned %.40s/" RR_PROG_PIN,
			seen->prog_id, dp->prog_id, st->name, dp->dir);
	if (seen->kind == DP_SEEN_FOREIGN_MAPS)
		snprintf(st->text, sizeof(st->text),
			 "rr_xdp (id %u) runs there over maps of its own", seen->prog_id);
	return 0;
}

int dp_attach(struct dp *dp, const char *ifname, enum dp_attach how, enum dp_xdp mode,
	      struct dp_iface_status *st)
{
	struct dp_seen before, after;
	int err;

	memset(st, 0, sizeof(*st));
	err = dp_look(dp, ifname, &before);
	if (err)
		return err;
	status(&before, ifname, st);
	if (how == DP_ATTACH_EXTERNAL)
		return attach_external(dp, &before, st);
	if (before.kind == DP_SEEN_NONE)
		err = attach_fresh(dp, ifname, before.ifindex, how, mode, st);
	else
		err = attach_over(dp, ifname, &before, how);
	if (err)
		return err;
	err = dp_look(dp, ifname, &after);
	if (err)
		return err;
	status(&after, ifname, st);
	note_kept(&before, how, mode, st);
	return after.ours ? 0 : refuse(dp, ifname, &after);
}

int dp_attach_status(struct dp *dp, const char *ifname, struct dp_iface_status *st)
{
	struct dp_seen seen;
	int err;

	memset(st, 0, sizeof(*st));
	snprintf(st->name, sizeof(st->name), "%s", ifname);
	err = dp_look(dp, ifname, &seen);
	if (err)
		return err;
	status(&seen, ifname, st);
	return attach_external(dp, &seen, st);
}

/* ---- detaching ------------------------------------------------------------------------------- */

static int plain_detach(struct dp *dp, const char *ifname, const struct dp_seen *seen)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	int old = dp_prog_open(dp, seen->prog_id), err;

	if (old < 0)
		return dp_fail(dp, old, "%s: cannot open program id %u", ifname, seen->prog_id);
	opts.old_prog_fd = old;
	err = bpf_xdp_detach(seen->ifindex,
			     XDP_FLAGS_REPLACE |
				     (seen->native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE),
			     &opts);
	close(old);
	if (!err)
		dp_forget(dp, seen->prog_id);
	return err ? dp_fail(dp, err, "%s: cannot detach program id %u", ifname, seen->prog_id) : 0;
}

int dp_detach(struct dp *dp, const char *ifname)
{
	struct dp_seen seen;
	int err = dp_look(dp, ifname, &seen);

	if (err == -ENODEV)
		return dp_link_clear(dp, ifname);
	if (err)
		return err;
	dp_listen();
	switch (seen.kind) {
	case DP_SEEN_NONE:
		return dp_link_clear(dp, ifname);
	case DP_SEEN_LINK:
		return dp_link_detach(dp, ifname);
	case DP_SEEN_PLAIN:
		return plain_detach(dp, ifname, &seen);
	case DP_SEEN_DISPATCHER:
		return seen.ours ? dp_dispatch_detach(dp, ifname, seen.ifindex, 0) : 0;
	default:
		return refuse(dp, ifname, &seen);
	}
}
