/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_dispatch.c - sharing an interface with other XDP programs through libxdp's dispatcher.
 *
 * The dispatcher is a small XDP program whose slots are filled by extension programs. libxdp loads
 * ours as such an extension, so every attachment needs an object of its own, over the same maps.
 * Changing the set of programs makes a new dispatcher that replaces the old one in one step; so an
 * upgrade first adds the new program, then takes the older ones out. Between the two steps both are
 * there: the first one that owns a packet sends it, the other never sees it.
 *
 * Where the kernel has no extension programs, or forbids them, libxdp would quietly attach a lone
 * program instead; dp_dispatch_possible() lets dp_attach.c say so and use a link of its own.
 *
 * libxdp keeps its state in the bpffs (…/xdp/dispatch-*) and finds it by program id, which needs
 * CAP_SYS_ADMIN: raised here, for the length of each call, when priv_drop() was told to keep it in
 * reserve.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <xdp/libxdp.h>

#include "sys/dp_int.h"
#include "sys/priv.h"

#define DISPATCH_MAX 10 /* slots of a dispatcher */

bool dp_dispatch_possible(void)
{
	return libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_EXT, NULL) == 1;
}

static struct xdp_multiprog *multiprog_open(int ifindex)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);

	if (libxdp_get_error(mp))
		return NULL;
	if (!xdp_multiprog__is_legacy(mp))
		return mp;
	xdp_multiprog__close(mp);
	return NULL;
}

static bool slot_read(const struct xdp_program *prog, struct dp_prog *p)
{
	return xdp_program__fd(prog) >= 0 && !dp_prog_read(xdp_program__fd(prog), p);
}

static void look(struct dp *dp, const struct xdp_multiprog *mp, struct dp_seen *seen)
{
	struct xdp_program *prog = NULL;
	struct dp_prog p;

	while ((prog = xdp_multiprog__next_prog(prog, mp))) {
		if (!slot_read(prog, &p) || strcmp(p.name, RR_PROG_NAME))
			continue;
		if (!dp_prog_ours(dp, &p)) {
			seen->kind = DP_SEEN_FOREIGN_MAPS;
			continue;
		}
		seen->ours = true;
		if (p.id > seen->our_id)
			seen->our_id = p.id;
	}
	if (seen->ours)
		seen->kind = DP_SEEN_DISPATCHER;
}

int dp_dispatch_look(struct dp *dp, struct dp_seen *seen)
{
	struct xdp_multiprog *mp;

	priv_raise();
	mp = multiprog_open(seen->ifindex);
	if (mp) {
		seen->kind = DP_SEEN_DISPATCHER;
		look(dp, mp, seen);
		xdp_multiprog__close(mp);
	}
	priv_lower();
	return 0;
}

int dp_dispatch_find(int ifindex)
{
	struct xdp_multiprog *mp = multiprog_open(ifindex);
	struct xdp_program *prog = NULL;
	struct dp_prog p;
	int fd = -ENOENT;

	if (!mp)
		return -ENOENT;
	while (fd < 0 && (prog = xdp_multiprog__next_prog(prog, mp)))
		if (slot_read(prog, &p) && !strcmp(p.name, RR_PROG_NAME))
			fd = dup(xdp_program__fd(prog));
	xdp_multiprog__close(mp);
	return fd;
}

static void remember(struct dp *dp, uint32_t id)
{
	memmove(dp->ext_id + 1, dp->ext_id, sizeof(dp->ext_id) - sizeof(dp->ext_id[0]));
	dp->ext_id[0] = id;
}

/* Loads the object as an extension and puts it in; *id is the new program's. */
static int add(struct dp *dp, const char *ifname, int ifindex, bool native, uint32_t *id)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .prog_name = RR_PROG_NAME);
	struct xdp_program *prog;
	struct bpf_object *obj;
	struct dp_prog p;
	int err = dp_object_clone(dp, &obj);

	if (err)
		return err;
	opts.obj = obj;
	dp_listen();
	prog = xdp_program__create(&opts);
	err = (int)libxdp_get_error(prog);
	if (err) {
		bpf_object__close(obj);
		return dp_fail(dp, err, "%s: libxdp cannot use the program", ifname);
	}
	err = xdp_program__attach(prog, ifindex, native ? XDP_MODE_NATIVE : XDP_MODE_SKB, 0);
	if (err)
		dp_fail(dp, err, "%s: cannot attach through the dispatcher", ifname);
	else if (slot_read(prog, &p))
		*id = p.id;
	xdp_program__close(prog);
	bpf_object__close(obj);
	return err;
}

int dp_dispatch_attach(struct dp *dp, const char *ifname, int ifindex, bool native)
{
	uint32_t id = 0;
	int err;

	priv_raise();
	err = add(dp, ifname, ifindex, native, &id);
	priv_lower();
	if (err)
		return err;
	if (!id)
		return dp_say(dp, -EIO, "%s: attached, but the new program cannot be read", ifname);
	remember(dp, id);
	return dp_dispatch_detach(dp, ifname, ifindex, id);
}

/* Our programs in the dispatcher except `keep_id`. */
static size_t ours_in(struct dp *dp, const struct xdp_multiprog *mp, uint32_t keep_id,
		      struct xdp_program **progs)
{
	struct xdp_program *prog = NULL;
	struct dp_prog p;
	size_t n = 0;

	while (n < DISPATCH_MAX && (prog = xdp_multiprog__next_prog(prog, mp)))
		if (slot_read(prog, &p) && dp_prog_ours(dp, &p) && p.id != keep_id)
			progs[n++] = prog;
	return n;
}

int dp_dispatch_detach(struct dp *dp, const char *ifname, int ifindex, uint32_t keep_id)
{
	struct xdp_program *progs[DISPATCH_MAX];
	struct xdp_multiprog *mp;
	size_t n;
	int err = 0;

	dp_listen();
	priv_raise();
	mp = multiprog_open(ifindex);
	if (mp) {
		n = ours_in(dp, mp, keep_id, progs);
		if (n)
			err = xdp_program__detach_multi(progs, n, ifindex,
							xdp_multiprog__attach_mode(mp), 0);
		xdp_multiprog__close(mp);
	}
	priv_lower();
	return err ? dp_fail(dp, err, "%s: cannot take our program out of the dispatcher", ifname)
		   : 0;
}
