/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_load.c - brings the packet path into the kernel, or finds it there.
 *
 * Owns the pin folder. It is locked (flock) while a controller has it open, so two never write the same maps. Every map
 * comes from the first of these that has it:
 *   1. its pin, DIR/<map>_v<ABI>;
 *   2. the map of that name of a running rr_xdp: the pinned program, or one found on the given interfaces, plain
 *      (`ip link ... xdp obj`) or in a dispatcher. When some maps are pinned, only a program that shares one of
 *      them counts, so a half-made folder is completed with the right maps and never with strangers;
 *   3. a new map.
 * Maps of another layout or size are refused. Only tables of a program that runs on an interface and is not the pinned
 * one may differ in size: it was started by hand with the object's defaults, and its flows are worth more than the
 * configured size; dp_note() says so.
 *
 * Order: maps are pinned before the program, the program under a spare name that is renamed over the old one. A crash at
 * any point leaves pins which the next start completes by the same three rules.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include "sys/dp_int.h"

#define BPFFS_DEFAULT "/sys/fs/bpf"
#define LOCK_TRIES 20 /* x 50 ms: a predecessor that is just leaving */

static int pin_path(struct dp *dp, char *buf, size_t len, const char *name)
{
	int n = snprintf(buf, len, "%s/%s", dp->dir, name);

	if (n < 0 || (size_t)n >= len)
		return dp_say(dp, -ENAMETOOLONG, "%s: name too long", dp->dir);
	return 0;
}

static int map_path(struct dp *dp, char *buf, size_t len, int map)
{
	char name[BPF_OBJ_NAME_LEN + 16];

	snprintf(name, sizeof(name), "%s_v%u", dp_map_names[map], dp_map_versions[map]);
	return pin_path(dp, buf, len, name);
}

/* ---- folder -------------------------------------------------------------------------------------- */

static bool on_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

static int folder_mount(struct dp *dp)
{
	const size_t n = strlen(BPFFS_DEFAULT);

	if (on_bpffs(BPFFS_DEFAULT) || strncmp(dp->dir, BPFFS_DEFAULT, n) ||
	    (dp->dir[n] && dp->dir[n] != '/'))
		return 0;
	if (mount("bpf", BPFFS_DEFAULT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return dp_fail(dp, -errno, "cannot mount a bpf file system on %s", BPFFS_DEFAULT);
	return 0;
}

static int folder_make(struct dp *dp)
{
	char path[PATH_MAX];
	char *p;

	snprintf(path, sizeof(path), "%s", dp->dir);
	for (p = strchr(path + 1, '/');; p = strchr(p + 1, '/')) {
		if (p)
			*p = 0;
		if (mkdir(path, 0700) && errno != EEXIST)
			return dp_fail(dp, -errno, "cannot make folder %s", path);
		if (!p)
			break;
		*p = '/';
	}
	if (!on_bpffs(dp->dir)) {
		rmdir(dp->dir);
		return dp_say(dp, -EINVAL,
			      "%s is not in a bpf file system: choose a folder under %s, or mount "
			      "one (mount -t bpf bpf ...)",
			      dp->dir, BPFFS_DEFAULT);
	}
	return 0;
}

static int folder_lock(struct dp *dp)
{
	int i;

	dp->lock_fd = open(dp->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dp->lock_fd < 0)
		return dp_fail(dp, -errno, "cannot open %s", dp->dir);
	for (i = 0; i < LOCK_TRIES; i++) {
		if (!flock(dp->lock_fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK)
			return dp_fail(dp, -errno, "cannot lock %s", dp->dir);
		usleep(50000);
	}
	return dp_say(dp, -EBUSY, "another controller runs with the maps in %s", dp->dir);
}

/* ---- programs that may hold our maps ------------------------------------------------------------- */

int dp_prog_read(int fd, struct dp_prog *p)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	memset(p, 0, sizeof(*p));
	info.nr_map_ids = DP_PROG_MAPS;
	info.map_ids = (uintptr_t)p->map_ids;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	p->id = info.id;
	p->maps = info.nr_map_ids < DP_PROG_MAPS ? info.nr_map_ids : DP_PROG_MAPS;
	p->insns = info.xlated_prog_len / 8;
	memcpy(p->name, info.name, sizeof(p->name));
	return 0;
}

int dp_prog_map(const struct dp_prog *p, const char *name)
{
	uint32_t i, len;
	int fd;

	for (i = 0; i < p->maps; i++) {
		struct bpf_map_info info = { 0 };

		fd = bpf_map_get_fd_by_id(p->map_ids[i]);
		if (fd < 0)
			continue;
		len = sizeof(info);
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, name))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

static bool prog_shares(const struct dp *dp, const struct dp_prog *p)
{
	uint32_t i;
	int m;

	for (m = 0; m < RR_MAP_MAX; m++)
		for (i = 0; i < p->maps; i++)
			if (dp->map_id[m] && dp->map_id[m] == p->map_ids[i])
				return true;
	return false;
}

/* bpf() describes any kind of object through the same call; only the file's name tells which it is. */
static bool is_map(int fd)
{
	char path[64], kind[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, kind, sizeof(kind) - 1);
	kind[n > 0 ? n : 0] = 0;
	return !strcmp(kind, "anon_inode:bpf-map");
}

static int map_hold(struct dp *dp, int m, int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	dp->map_fd[m] = fd;
	dp->map_id[m] = info.id;
	dp->max[m] = info.max_entries;
	dp->stride[m] = (info.value_size + 7) & ~7u;
	return 0;
}

static int maps_held(const struct dp *dp)
{
	int i, n = 0;

	for (i = 0; i < RR_MAP_MAX; i++)
		n += dp->map_fd[i] >= 0;
	return n;
}

/* Maps that are still missing, from a running program. `where` names it in sentences. */
static int maps_from_prog(struct dp *dp, struct bpf_object *obj, const struct dp_prog *p,
			  const char *where, bool any_size)
{
	char what[128];
	int i, fd, err;

	for (i = 0; i < RR_MAP_MAX; i++) {
		if (dp->map_fd[i] >= 0)
			continue;
		fd = dp_prog_map(p, dp_map_names[i]);
		if (fd < 0)
			continue;
		snprintf(what, sizeof(what), "map %s of %s", dp_map_names[i], where);
		err = dp_object_match(dp, obj, (enum rr_map)i, fd, what, any_size);
		if (!err)
			err = map_hold(dp, i, fd);
		if (err) {
			close(fd);
			return err;
		}
	}
	return 0;
}

/* The program on an interface, or ours in its dispatcher: libxdp, asked about a lone one, never closes it. */
static int iface_prog(const char *ifname)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	unsigned int ifindex = if_nametoindex(ifname);
	struct dp_prog p;
	uint32_t id;
	int fd;

	if (!ifindex || bpf_xdp_query((int)ifindex, 0, &q))
		return -ENOENT;
	id = q.drv_prog_id ? q.drv_prog_id : q.skb_prog_id;
	fd = id ? bpf_prog_get_fd_by_id(id) : -ENOENT;
	if (fd < 0 || dp_prog_read(fd, &p) || strncmp(p.name, "xdp_dispatcher", 14))
		return fd;
	close(fd);
	return dp_dispatch_find((int)ifindex);
}

/*
 * The rr_xdp running on an interface, unless it is the pinned one or uses none of the maps found so far. Returns
 * whether it is there.
 */
static bool running_prog(struct dp *dp, const char *ifname, struct dp_prog *p)
{
	int fd = iface_prog(ifname), err;

	if (fd < 0)
		return false;
	err = dp_prog_read(fd, p);
	close(fd);
	if (err || strcmp(p->name, RR_PROG_NAME))
		return false;
	return !maps_held(dp) || prog_shares(dp, p);
}

static uint32_t pinned_prog(struct dp *dp, struct dp_prog *p)
{
	char path[PATH_MAX];
	int fd;

	memset(p, 0, sizeof(*p));
	if (pin_path(dp, path, sizeof(path), RR_PROG_PIN))
		return 0;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	if (dp_prog_read(fd, p))
		memset(p, 0, sizeof(*p));
	close(fd);
	return p->id;
}

/* ---- the three sources of maps ------------------------------------------------------------------- */

static int maps_from_pins(struct dp *dp)
{
	char path[PATH_MAX];
	int i, fd, err;

	for (i = 0; i < RR_MAP_MAX; i++) {
		err = map_path(dp, path, sizeof(path), i);
		if (err)
			return err;
		fd = bpf_obj_get(path);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return dp_fail(dp, -errno, "cannot open pin %s", path);
		err = is_map(fd) ? map_hold(dp, i, fd) : -EINVAL;
		if (err) {
			close(fd);
			return dp_say(dp, -EEXIST,
				      "%s is not a BPF map: remove it, then start again", path);
		}
	}
	return 0;
}

static int maps_check_pins(struct dp *dp, struct bpf_object *obj, bool any_size)
{
	char path[PATH_MAX];
	int i, err;

	for (i = 0; i < RR_MAP_MAX; i++) {
		if (dp->map_fd[i] < 0)
			continue;
		err = map_path(dp, path, sizeof(path), i);
		if (!err)
			err = dp_object_match(dp, obj, (enum rr_map)i, dp->map_fd[i], path,
					      any_size);
		if (err)
			return err;
	}
	return 0;
}

static bool power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

/* Table sizes of the maps found become ours. */
static int sizes_adopt(struct dp *dp)
{
	uint32_t f4 = dp->max[RR_MAP_FLOWS4], f6 = dp->max[RR_MAP_FLOWS6];
	size_t n;

	if (dp->map_fd[RR_MAP_FLOWS4] < 0 || dp->map_fd[RR_MAP_FLOWS6] < 0)
		return 0;
	if (f4 == dp->flow4_sets && f6 == dp->flow6_sets)
		return 0;
	n = strlen(dp->note);
	snprintf(dp->note + n, sizeof(dp->note) - n,
		 "%sflow tables of %u IPv4 and %u IPv6 sets are in use instead of the configured "
		 "%u and %u",
		 n ? "; " : "", f4, f6, dp->flow4_sets, dp->flow6_sets);
	if (!power_of_two(f4) || !power_of_two(f6) || dp->max[RR_MAP_COLD4] != f4 * RR_FLOW4_WAYS ||
	    dp->max[RR_MAP_COLD6] != f6 * RR_FLOW6_WAYS)
		return dp_say(dp, -EEXIST,
			      "the maps in use have flow table sizes that do not fit each other "
			      "(%u, %u): detach the program, then start again",
			      f4, f6);
	dp->flow4_sets = f4;
	dp->flow6_sets = f6;
	return 0;
}

static int maps_find(struct dp *dp, struct bpf_object *obj, const char *const *ifnames, size_t n)
{
	struct dp_prog pinned, p;
	bool by_hand = false;
	char where[64];
	size_t i;
	int before, err = maps_from_pins(dp);

	if (err)
		return err;
	if (pinned_prog(dp, &pinned) && (!maps_held(dp) || prog_shares(dp, &pinned))) {
		err = maps_from_prog(dp, obj, &pinned, "the pinned program", true);
		if (err)
			return err;
	}
	for (i = 0; i < n; i++) {
		if (!running_prog(dp, ifnames[i], &p))
			continue;
		by_hand = by_hand || p.id != pinned.id;
		before = maps_held(dp);
		snprintf(where, sizeof(where), "rr_xdp id %u on %s", p.id, ifnames[i]);
		err = maps_from_prog(dp, obj, &p, where, true);
		if (err)
			return err;
		if (maps_held(dp) > before)
			snprintf(dp->note, sizeof(dp->note), "maps taken over from %s", where);
	}
	err = maps_check_pins(dp, obj, by_hand);
	return err ? err : sizes_adopt(dp);
}

/* ---- load and pin -------------------------------------------------------------------------------- */

static int object_load(struct dp *dp, struct bpf_object *obj)
{
	struct bpf_map *map;
	int i, fd, err = dp_object_sizes(dp, obj);

	for (i = 0; i < RR_MAP_MAX && !err; i++) {
		map = bpf_object__find_map_by_name(obj, dp_map_names[i]);
		if (dp->map_fd[i] >= 0) {
			err = bpf_map__reuse_fd(map, dp->map_fd[i]);
			if (err)
				dp_fail(dp, err, "map %s cannot be used", dp_map_names[i]);
		}
	}
	if (err)
		return err;
	dp_listen();
	err = bpf_object__load(obj);
	if (err)
		return dp_fail(dp, err, "the kernel refuses to load %s",
			       dp->object ? dp->object : RR_PROG_NAME);
	for (i = 0; i < RR_MAP_MAX; i++) {
		if (dp->map_fd[i] >= 0)
			continue;
		map = bpf_object__find_map_by_name(obj, dp_map_names[i]);
		fd = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 3);
		err = fd < 0 ? -errno : map_hold(dp, i, fd);
		if (err)
			return dp_fail(dp, err, "map %s", dp_map_names[i]);
	}
	return 0;
}

static int pin_maps(struct dp *dp)
{
	char path[PATH_MAX];
	int i, err;

	for (i = 0; i < RR_MAP_MAX; i++) {
		err = map_path(dp, path, sizeof(path), i);
		if (err)
			return err;
		if (bpf_obj_pin(dp->map_fd[i], path) && errno != EEXIST)
			return dp_fail(dp, -errno, "cannot pin %s", path);
	}
	return 0;
}

/* The old program's pin is replaced in one step: no moment without a program to attach by hand. */
static int pin_prog(struct dp *dp)
{
	char path[PATH_MAX], spare[PATH_MAX + 8];
	int err = pin_path(dp, path, sizeof(path), RR_PROG_PIN);

	if (err)
		return err;
	snprintf(spare, sizeof(spare), "%s_new", path);
	if (unlink(spare) && errno != ENOENT)
		return dp_fail(dp, -errno, "cannot remove %s", spare);
	if (bpf_obj_pin(dp->prog_fd, spare))
		return dp_fail(dp, -errno, "cannot pin %s", spare);
	if (rename(spare, path)) {
		err = -errno;
		unlink(spare);
		return dp_fail(dp, err, "cannot replace %s", path);
	}
	return 0;
}

/* ---- open, close --------------------------------------------------------------------------------- */

static struct dp *dp_new(const struct dp_conf *c)
{
	struct dp *dp = calloc(1, sizeof(*dp));
	size_t n;
	int i;

	if (!dp)
		return NULL;
	dp->object = c->object ? strdup(c->object) : NULL;
	if (c->object && !dp->object) {
		free(dp);
		return NULL;
	}
	snprintf(dp->dir, sizeof(dp->dir), "%s", c->dir ? c->dir : RR_BPFFS_DIR);
	for (n = strlen(dp->dir); n > 1 && dp->dir[n - 1] == '/'; n--)
		dp->dir[n - 1] = 0;
	dp->flow4_sets = c->flow4_sets;
	dp->flow6_sets = c->flow6_sets;
	dp->port_lo = c->port_lo;
	dp->port_hi = c->port_hi;
	dp->lock_fd = dp->prog_fd = dp->clock_fd = -1;
	for (i = 0; i < RR_MAP_MAX; i++)
		dp->map_fd[i] = -1;
	return dp;
}

static int conf_check(struct dp *dp)
{
	if (!power_of_two(dp->flow4_sets) || !power_of_two(dp->flow6_sets) ||
	    dp->flow4_sets > UINT32_MAX / RR_FLOW4_WAYS ||
	    dp->flow6_sets > UINT32_MAX / RR_FLOW6_WAYS)
		return dp_say(dp, -EINVAL, "flow table sizes %u and %u: must be powers of two",
			      dp->flow4_sets, dp->flow6_sets);
	if (!dp->port_lo || dp->port_lo > dp->port_hi)
		return dp_say(dp, -EINVAL, "local ports %u-%u: an empty range", dp->port_lo,
			      dp->port_hi);
	return 0;
}

/* Memory of maps that no controller has set up reads version 0. */
static int abi_check(struct dp *dp, bool found, bool *adopted)
{
	const struct rr_control *control = dp->mem[RR_MAP_CONTROL];
	uint32_t version = control->abi_version;

	*adopted = found && version == RR_VERSION_CONTROL;
	if (!version || version == RR_VERSION_CONTROL)
		return 0;
	return dp_say(
		dp, -EEXIST,
		"the map %s in %s says that it is of version %u, this program has version %u: "
		"detach and remove %s, then start again",
		dp_map_names[RR_MAP_CONTROL], dp->dir, version, RR_VERSION_CONTROL, dp->dir);
}

static int open_steps(struct dp *dp, const char *const *ifnames, size_t n, bool *adopted)
{
	struct dp_prog p;
	bool found;
	int err;

	err = conf_check(dp);
	if (!err)
		err = folder_mount(dp);
	if (!err)
		err = folder_make(dp);
	if (!err)
		err = folder_lock(dp);
	if (!err)
		err = dp_object_open(dp, &dp->obj);
	if (!err)
		err = maps_find(dp, dp->obj, ifnames, n);
	if (err)
		return err;
	found = maps_held(dp) > 0;
	err = object_load(dp, dp->obj);
	if (!err)
		err = dp_map_open(dp);
	if (!err)
		err = abi_check(dp, found, adopted);
	if (!err)
		err = pin_maps(dp);
	if (err)
		return err;
	dp->prog_fd = bpf_program__fd(bpf_object__find_program_by_name(dp->obj, RR_PROG_NAME));
	if (!dp_prog_read(dp->prog_fd, &p))
		dp->prog_id = p.id;
	return pin_prog(dp);
}

int dp_open(struct dp **out, const struct dp_conf *c, const char *const *ifnames, size_t n,
	    bool *adopted)
{
	struct dp *dp = dp_new(c);

	*out = dp;
	*adopted = false;
	if (!dp)
		return -ENOMEM;
	dp_listen();
	dp->cpus = libbpf_num_possible_cpus();
	if (dp->cpus <= 0)
		return dp_say(dp, -EIO, "cannot learn the number of CPUs");
	return open_steps(dp, ifnames, n, adopted);
}

void dp_close(struct dp *dp)
{
	if (!dp)
		return;
	dp_map_close(dp);
	dp_forget(dp, 0);
	bpf_object__close(dp->obj);
	if (dp->lock_fd >= 0)
		close(dp->lock_fd);
	free(dp->object);
	free(dp);
}

const char *dp_note(const struct dp *dp)
{
	return dp ? dp->note : "";
}

void dp_sizes(const struct dp *dp, uint32_t *flow4_sets, uint32_t *flow6_sets)
{
	*flow4_sets = dp->flow4_sets;
	*flow6_sets = dp->flow6_sets;
}

int dp_unpin(struct dp *dp)
{
	struct dirent *e;
	int err = 0;
	DIR *d = opendir(dp->dir);

	if (!d)
		return errno == ENOENT ? 0 : dp_fail(dp, -errno, "cannot open %s", dp->dir);
	dp_listen();
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0))
			err = dp_fail(dp, -errno, "cannot remove %s/%s", dp->dir, e->d_name);
	}
	closedir(d);
	if (!err && rmdir(dp->dir))
		err = dp_fail(dp, -errno, "cannot remove %s", dp->dir);
	return err;
}
