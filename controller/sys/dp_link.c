/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_link.c - bpf_links and their pins.
 *
 * A link stays while its pin DIR/link_<interface> does, or while this process keeps it open: it
 * ends neither with the process nor when somebody removes the pin. bpffs takes no dots in names, so
 * that of a VLAN interface is written with a colon, which no interface name has.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_link.h>

#include "sys/dp_int.h"

static void link_path(const struct dp *dp, const char *ifname, char *buf, size_t len)
{
	size_t n = strlen(dp->dir);
	char *p;

	snprintf(buf, len, "%s/link_%s", dp->dir, ifname);
	for (p = buf + (n < len ? n : 0); *p; p++)
		if (*p == '.')
			*p = ':';
}

/* The place of a link that is kept open, or -1. */
static int link_slot(const struct dp *dp, const char *ifname)
{
	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		if (!strcmp(dp->link[i].name, ifname))
			return (int)i;
	}
	return -1;
}

static void link_drop(struct dp *dp, const char *ifname)
{
	int i = link_slot(dp, ifname);

	if (i < 0)
		return;
	close(dp->link[i].fd);
	dp->link[i].name[0] = 0;
}

/* Takes fd over; without room for it, the pin alone holds the link. */
static void link_keep(struct dp *dp, const char *ifname, int fd)
{
	int i;

	link_drop(dp, ifname);
	i = link_slot(dp, "");
	if (i < 0) {
		close(fd);
		return;
	}
	snprintf(dp->link[i].name, sizeof(dp->link[i].name), "%s", ifname);
	dp->link[i].fd = fd;
}

void dp_link_close(struct dp *dp)
{
	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		if (dp->link[i].name[0])
			close(dp->link[i].fd);
		dp->link[i].name[0] = 0;
	}
}

int dp_link_repin(struct dp *dp)
{
	char path[PATH_MAX + 32];
	int rc = 0;

	for (size_t i = 0; i < RR_MAX_IFACES && !rc; i++) {
		if (!dp->link[i].name[0])
			continue;
		link_path(dp, dp->link[i].name, path, sizeof(path));
		if (access(path, F_OK) && bpf_obj_pin(dp->link[i].fd, path))
			rc = dp_fail(dp, -errno, "cannot pin %s", path);
	}
	return rc;
}

/*
 * The pinned link of an interface name: its fd and what it is attached to; ifindex 0 = its
 * interface is gone.
 */
int dp_link_open(const struct dp *dp, const char *ifname, struct bpf_link_info *info)
{
	char path[PATH_MAX + 32];
	uint32_t len = sizeof(*info);
	int fd;

	memset(info, 0, sizeof(*info));
	link_path(dp, ifname, path, sizeof(path));
	fd = bpf_obj_get(path);
	if (fd < 0 && link_slot(dp, ifname) >= 0)
		fd = dup(dp->link[link_slot(dp, ifname)].fd);
	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, info, &len) || info->type != BPF_LINK_TYPE_XDP) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

static int link_unpin(struct dp *dp, const char *ifname)
{
	char path[PATH_MAX + 32];

	link_drop(dp, ifname);
	link_path(dp, ifname, path, sizeof(path));
	if (unlink(path) && errno != ENOENT)
		return dp_fail(dp, -errno, "cannot remove %s", path);
	return 0;
}

/*
 * Makes room for a new pin: an old one whose interface is gone is removed, a live one is
 * somebody's.
 */
int dp_link_clear(struct dp *dp, const char *ifname)
{
	struct bpf_link_info info;
	int fd = dp_link_open(dp, ifname, &info);

	if (fd == -ENOENT)
		return 0;
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && info.xdp.ifindex)
		return dp_say(
			dp, -EEXIST,
			"%s/link_%s holds another interface (index %u, renamed or in another "
			"network namespace): use another bpffs folder there, or remove the pin",
			dp->dir, ifname, info.xdp.ifindex);
	return link_unpin(dp, ifname);
}

int dp_link_create(struct dp *dp, const char *ifname, int ifindex, bool native)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	char path[PATH_MAX + 32];
	int fd, err = dp_link_clear(dp, ifname);

	if (err)
		return err;
	fd = bpf_link_create(dp->prog_fd, ifindex, BPF_XDP, &opts);
	if (fd < 0)
		return dp_fail(dp, -errno, "%s: cannot attach", ifname);
	link_path(dp, ifname, path, sizeof(path));
	if (bpf_obj_pin(fd, path))
		err = dp_fail(dp, -errno, "cannot pin %s", path);
	if (err)
		close(fd);
	else
		link_keep(dp, ifname, fd);
	return err;
}

int dp_link_replace(struct dp *dp, const char *ifname)
{
	struct bpf_link_info info;
	int err = 0, fd = dp_link_open(dp, ifname, &info);

	if (fd < 0)
		return dp_fail(dp, fd, "%s: cannot open its pinned link", ifname);
	if (info.prog_id != dp->prog_id && bpf_link_update(fd, dp->prog_fd, NULL))
		err = dp_fail(dp, -errno, "%s: cannot replace the program of its link", ifname);
	link_keep(dp, ifname, fd);
	return err;
}

int dp_link_detach(struct dp *dp, const char *ifname)
{
	struct bpf_link_info info;
	int err = 0, fd = dp_link_open(dp, ifname, &info);

	if (fd < 0)
		return dp_fail(dp, fd, "%s: cannot open its pinned link", ifname);
	if (bpf_link_detach(fd))
		err = dp_fail(dp, -errno, "%s: cannot detach its link", ifname);
	close(fd);
	return err ? err : link_unpin(dp, ifname);
}
