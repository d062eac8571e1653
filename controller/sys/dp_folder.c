/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_folder.c - the pin folder: mounted, made, locked; what stands in it under which name.
 *
 * A map is pinned as DIR/<map>_v<layout version>, the program as DIR/rr_xdp_v1, a link as
 * DIR/link_<interface> (dp_link.c). The folder is locked (flock) while a controller has it open, so
 * that two never write the same maps. A pin is replaced in one step: the new one is made under a
 * spare name and renamed over the old, so that there is no moment without it.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

	snprintf(path, sizeof(path), "%s", dp->dir);
	for (char *p = strchr(path + 1, '/');; p = strchr(p + 1, '/')) {
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
	dp->lock_fd = open(dp->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dp->lock_fd < 0)
		return dp_fail(dp, -errno, "cannot open %s", dp->dir);
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(dp->lock_fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK)
			return dp_fail(dp, -errno, "cannot lock %s", dp->dir);
		usleep(50000);
	}
	return dp_say(dp, -EBUSY, "another controller runs with the maps in %s", dp->dir);
}

int dp_folder_open(struct dp *dp)
{
	int rc = folder_mount(dp);

	if (!rc)
		rc = folder_make(dp);
	return rc ? rc : folder_lock(dp);
}

int dp_folder_again(struct dp *dp)
{
	int rc;

	if (!on_bpffs(dp->dir) && on_bpffs(BPFFS_DEFAULT)) {
		close(dp->lock_fd);
		dp->lock_fd = -1;
	}
	rc = folder_make(dp);
	return !rc && dp->lock_fd < 0 ? folder_lock(dp) : rc;
}

/* ---- pins ------------------------------------------------------------------------------------ */

int dp_pin_path(struct dp *dp, char *buf, size_t len, const char *name)
{
	int n = snprintf(buf, len, "%s/%s", dp->dir, name);

	if (n < 0 || (size_t)n >= len)
		return dp_say(dp, -ENAMETOOLONG, "%s: name too long", dp->dir);
	return 0;
}

int dp_map_path(struct dp *dp, char *buf, size_t len, int map)
{
	char name[BPF_OBJ_NAME_LEN + 16];

	snprintf(name, sizeof(name), "%s_v%u", dp_map_names[map], dp_map_versions[map]);
	return dp_pin_path(dp, buf, len, name);
}

int dp_pin_replace(struct dp *dp, int fd, const char *path)
{
	char spare[PATH_MAX + 8];
	int rc;

	snprintf(spare, sizeof(spare), "%s_new", path);
	if (unlink(spare) && errno != ENOENT)
		return dp_fail(dp, -errno, "cannot remove %s", spare);
	if (bpf_obj_pin(fd, spare))
		return dp_fail(dp, -errno, "cannot pin %s", spare);
	if (!rename(spare, path))
		return 0;
	rc = -errno;
	unlink(spare);
	return dp_fail(dp, rc, "cannot replace %s", path);
}

/* "services_v12" -> "services", 12. */
static bool pin_parse(const char *name, char *map, size_t len, uint32_t *version)
{
	const char *v = strrchr(name, '_');
	char *end;

	if (!v || v[1] != 'v' || !isdigit((unsigned char)v[2]) || (size_t)(v - name) >= len)
		return false;
	memcpy(map, name, (size_t)(v - name));
	map[v - name] = 0;
	*version = (uint32_t)strtoul(v + 2, &end, 10);
	return !*end && strcmp(map, RR_PROG_NAME) && strncmp(map, "link_", 5);
}

int dp_pins(struct dp *dp, dp_pin_fn *fn, void *arg)
{
	char map[BPF_OBJ_NAME_LEN], path[PATH_MAX];
	DIR *d = opendir(dp->dir);
	struct dirent *e;
	uint32_t version;
	int rc = 0;

	if (!d)
		return dp_fail(dp, -errno, "cannot open %s", dp->dir);
	while (!rc && (e = readdir(d))) {
		if (!pin_parse(e->d_name, map, sizeof(map), &version))
			continue;
		rc = dp_pin_path(dp, path, sizeof(path), e->d_name);
		if (!rc)
			rc = fn(dp, path, map, version, arg);
	}
	closedir(d);
	return rc;
}

int dp_unpin(struct dp *dp)
{
	struct dirent *e;
	int rc = 0;
	DIR *d = opendir(dp->dir);

	if (!d)
		return errno == ENOENT ? 0 : dp_fail(dp, -errno, "cannot open %s", dp->dir);
	dp_listen();
	dp->unpinned = true;
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0))
			rc = dp_fail(dp, -errno, "cannot remove %s/%s", dp->dir, e->d_name);
	}
	closedir(d);
	if (!rc && rmdir(dp->dir))
		rc = dp_fail(dp, -errno, "cannot remove %s", dp->dir);
	return rc;
}
