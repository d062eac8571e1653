/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_look.c - who has an interface: nobody, we (and by which way), or another program.
 *
 * Reading another program by its id needs CAP_SYS_ADMIN; after privileges are dropped, what is not
 * known by the fds and pins we hold counts as foreign. So a program of ours that somebody else
 * attached is kept open once it has been seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/dp_int.h"
#include "sys/priv.h"

static bool is_our_link(const struct dp *dp, const char *ifname, const struct dp_seen *seen)
{
	struct bpf_link_info info;
	int fd = dp_link_open(dp, ifname, &info);

	if (fd < 0)
		return false;
	close(fd);
	return info.xdp.ifindex == (uint32_t)seen->ifindex && info.prog_id == seen->prog_id;
}

static void seen_as(struct dp_seen *seen, enum dp_seen_kind kind, uint32_t our_id)
{
	seen->kind = kind;
	seen->ours = our_id != 0;
	seen->our_id = our_id;
}

int dp_prog_open(const struct dp *dp, uint32_t id)
{
	int fd;

	if (id == dp->prog_id)
		return dup(dp->prog_fd);
	for (size_t i = 0; i < RR_MAX_IFACES; i++)
		if (dp->known[i].id == id)
			return dup(dp->known[i].fd);
	priv_raise();
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		fd = -errno;
	priv_lower();
	return fd;
}

void dp_forget(struct dp *dp, uint32_t id)
{
	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		if (!dp->known[i].id || (id && dp->known[i].id != id))
			continue;
		close(dp->known[i].fd);
		dp->known[i].id = 0;
	}
}

/*
 * Keeps a program of ours open that somebody else attached, so that it can still be told and
 * detached later.
 */
static void know(struct dp *dp, uint32_t id, int fd)
{
	size_t spare = RR_MAX_IFACES;

	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		if (dp->known[i].id == id)
			return;
		if (!dp->known[i].id)
			spare = i;
	}
	if (id == dp->prog_id || spare == RR_MAX_IFACES)
		return;
	dp->known[spare].fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (dp->known[spare].fd >= 0)
		dp->known[spare].id = id;
}

static int classify(struct dp *dp, const char *ifname, struct dp_seen *seen)
{
	struct dp_prog p;
	int fd, err;

	if (is_our_link(dp, ifname, seen)) {
		snprintf(seen->name, sizeof(seen->name), "%s", RR_PROG_NAME);
		seen_as(seen, DP_SEEN_LINK, seen->prog_id);
		return 0;
	}
	fd = dp_prog_open(dp, seen->prog_id);
	seen_as(seen, DP_SEEN_FOREIGN, 0);
	if (fd < 0)
		return 0;
	err = dp_prog_read(fd, &p);
	if (!err && dp_prog_ours(dp, &p)) {
		know(dp, p.id, fd);
		seen->older = dp_prog_older(dp, &p);
	}
	close(fd);
	if (err)
		return dp_fail(dp, err, "%s: cannot examine program id %u", ifname, seen->prog_id);
	memcpy(seen->name, p.name, sizeof(seen->name));
	if (dp_prog_ours(dp, &p))
		seen_as(seen, DP_SEEN_PLAIN, p.id);
	else if (!strcmp(p.name, RR_PROG_NAME))
		seen_as(seen, DP_SEEN_FOREIGN_MAPS, 0);
	else if (!strncmp(p.name, "xdp_dispatcher", 14))
		return dp_dispatch_look(dp, seen);
	return 0;
}

int dp_look(struct dp *dp, const char *ifname, struct dp_seen *seen)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	int err;

	memset(seen, 0, sizeof(*seen));
	seen->ifindex = (int)if_nametoindex(ifname);
	if (!seen->ifindex)
		return dp_say(dp, -ENODEV, "%s: no such interface", ifname);
	dp_listen();
	err = bpf_xdp_query(seen->ifindex, 0, &q);
	if (err)
		return dp_fail(dp, err, "%s: cannot ask which program runs there", ifname);
	if (q.hw_prog_id)
		seen->prog_id = q.hw_prog_id;
	else
		seen->prog_id = q.drv_prog_id ? q.drv_prog_id : q.skb_prog_id;
	seen->native = q.drv_prog_id != 0;
	return seen->prog_id ? classify(dp, ifname, seen) : 0;
}
