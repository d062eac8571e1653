/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_load.c - brings the packet path into the kernel over the maps that are there.
 *
 * Order: the folder is opened and locked, every map is found or to be made (dp_find.c), what that
 * changes is said or refused (dp_change.c); then the program is loaded over kept and new maps, the
 * new ones take over contents, maps are pinned, and last the program, under a spare name that is
 * renamed over the old one. Up to that rename the old program, its pin and its maps are as they
 * were, and a start that is cut short leaves pins that the next one takes for leftovers. From the
 * rename on the new maps are in force; what is missing (attaching, tidying up) the next start does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/dp_int.h"

/* ---- load and pin ---------------------------------------------------------------------------- */

static int maps_reuse(struct dp *dp, struct bpf_object *obj)
{
	for (int m = 0; m < RR_MAP_MAX; m++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, dp_map_names[m]);
		int rc = dp->map_fd[m] < 0 ? 0 : bpf_map__reuse_fd(map, dp->map_fd[m]);

		if (rc)
			return dp_fail(dp, rc, "map %s cannot be used", dp_map_names[m]);
	}
	return 0;
}

/* The maps that loading has made. */
static int maps_take(struct dp *dp, struct bpf_object *obj)
{
	for (int m = 0; m < RR_MAP_MAX; m++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, dp_map_names[m]);
		int fd, rc;

		if (dp->map_fd[m] >= 0)
			continue;
		fd = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 3);
		rc = fd < 0 ? -errno : dp_map_hold(dp, m, fd);
		if (rc)
			return dp_fail(dp, rc, "map %s", dp_map_names[m]);
	}
	return 0;
}

static int object_load(struct dp *dp, struct bpf_object *obj)
{
	struct dp_prog p;
	int rc = dp_object_sizes(dp, obj);

	if (!rc)
		rc = maps_reuse(dp, obj);
	if (rc)
		return rc;
	dp_listen();
	rc = bpf_object__load(obj);
	if (rc)
		return dp_fail(dp, rc, "the kernel refuses to load %s",
			       dp->object ? dp->object : RR_PROG_NAME);
	dp->prog_fd = bpf_program__fd(bpf_object__find_program_by_name(obj, RR_PROG_NAME));
	if (!dp_prog_read(dp->prog_fd, &p))
		dp->prog_id = p.id;
	return maps_take(dp, obj);
}

/* A pin of this name that is another map is the leftover of a start that was cut short. */
static int pin_maps(struct dp *dp)
{
	char path[PATH_MAX];
	struct bpf_map_info info;

	for (int m = 0; m < RR_MAP_MAX; m++) {
		int fd, rc = dp_map_path(dp, path, sizeof(path), m);
		bool there;

		if (rc)
			return rc;
		fd = bpf_obj_get(path);
		there = fd >= 0 && !dp_map_info(fd, &info) && info.id == dp->map_id[m];
		if (fd >= 0)
			close(fd);
		rc = there ? 0 : dp_pin_replace(dp, dp->map_fd[m], path);
		if (rc)
			return rc;
	}
	return 0;
}

static int pin_prog(struct dp *dp)
{
	char path[PATH_MAX];
	int rc = dp_pin_path(dp, path, sizeof(path), RR_PROG_PIN);

	return rc ? rc : dp_pin_replace(dp, dp->prog_fd, path);
}

int dp_pin_all(struct dp *dp)
{
	int rc = pin_maps(dp);

	return rc ? rc : pin_prog(dp);
}

/* ---- open, close ----------------------------------------------------------------------------- */

static struct dp *dp_new(const struct dp_conf *c)
{
	struct dp *dp = calloc(1, sizeof(*dp));

	if (!dp)
		return NULL;
	dp->object = c->object ? strdup(c->object) : NULL;
	if (c->object && !dp->object) {
		free(dp);
		return NULL;
	}
	snprintf(dp->dir, sizeof(dp->dir), "%s", c->dir ? c->dir : RR_BPFFS_DIR);
	for (size_t n = strlen(dp->dir); n > 1 && dp->dir[n - 1] == '/'; n--)
		dp->dir[n - 1] = 0;
	dp->flow4_sets = c->flow4_sets;
	dp->flow6_sets = c->flow6_sets;
	dp->port_lo = c->port_lo;
	dp->port_hi = c->port_hi;
	dp->port_sets = c->port_sets ? c->port_sets : 1;
	dp->lock_fd = dp->prog_fd = dp->clock_fd = -1;
	dp->replace_maps = c->replace_maps;
	for (int m = 0; m < RR_MAP_MAX; m++)
		dp->map_fd[m] = dp->old[m].fd = -1;
	return dp;
}

static int conf_check(struct dp *dp)
{
	if (!dp_power_of_two(dp->flow4_sets) || !dp_power_of_two(dp->flow6_sets) ||
	    dp->flow4_sets > UINT32_MAX / RR_FLOW4_WAYS ||
	    dp->flow6_sets > UINT32_MAX / RR_FLOW6_WAYS)
		return dp_say(dp, -EINVAL, "flow table sizes %u and %u: must be powers of two",
			      dp->flow4_sets, dp->flow6_sets);
	if (!dp->port_lo || dp->port_lo > dp->port_hi)
		return dp_say(dp, -EINVAL, "local ports %u-%u: an empty range", dp->port_lo,
			      dp->port_hi);
	return 0;
}

/* Memory of maps that no controller has set up reads version 0, and so do maps just made. */
static int abi_check(struct dp *dp, bool *adopted)
{
	const struct rr_control *control = dp->mem[RR_MAP_CONTROL];
	uint32_t version = control->abi_version;

	*adopted = version == RR_VERSION_CONTROL;
	if (!version || version == RR_VERSION_CONTROL)
		return 0;
	return dp_say(
		dp, -EEXIST,
		"the map %s in %s says that it is of version %u, this program has version %u: "
		"detach and remove %s, then start again",
		dp_map_names[RR_MAP_CONTROL], dp->dir, version, RR_VERSION_CONTROL, dp->dir);
}

/* What was replaced lives on in its pin and its program; only its id is still needed. */
static void old_close(struct dp *dp)
{
	for (int m = 0; m < RR_MAP_MAX; m++) {
		if (dp->old[m].fd >= 0)
			close(dp->old[m].fd);
		dp->old[m].fd = -1;
	}
}

static int open_steps(struct dp *dp, const char *const *ifnames, size_t n, bool *adopted)
{
	int rc = conf_check(dp);

	if (!rc)
		rc = dp_folder_open(dp);
	if (!rc)
		rc = dp_object_open(dp, &dp->obj);
	if (!rc)
		rc = dp_find(dp, dp->obj, ifnames, n);
	if (!rc)
		rc = dp_change_allow(dp, dp->obj);
	if (!rc)
		rc = object_load(dp, dp->obj);
	if (!rc)
		rc = dp_carry(dp, dp->obj);
	if (!rc)
		rc = dp_map_open(dp);
	if (!rc)
		rc = abi_check(dp, adopted);
	return rc ? rc : dp_pin_all(dp);
}

int dp_open(struct dp **out, const struct dp_conf *c, const char *const *ifnames, size_t n,
	    bool *adopted)
{
	struct dp *dp = dp_new(c);
	int rc;

	*out = dp;
	*adopted = false;
	if (!dp)
		return -ENOMEM;
	dp_listen();
	dp->cpus = libbpf_num_possible_cpus();
	if (dp->cpus <= 0)
		return dp_say(dp, -EIO, "cannot learn the number of CPUs");
	rc = open_steps(dp, ifnames, n, adopted);
	old_close(dp);
	return rc;
}

void dp_close(struct dp *dp)
{
	if (!dp)
		return;
	dp_map_close(dp);
	dp_forget(dp, 0);
	dp_link_close(dp);
	bpf_object__close(dp->obj);
	if (dp->lock_fd >= 0)
		close(dp->lock_fd);
	free(dp->object);
	free(dp);
}

void dp_sizes(const struct dp *dp, uint32_t *flow4_sets, uint32_t *flow6_sets)
{
	*flow4_sets = dp->flow4_sets;
	*flow6_sets = dp->flow6_sets;
}
