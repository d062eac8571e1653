/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_find.c - decides where every map comes from.
 *
 * Candidates are the pinned maps, of whatever version, and the maps of the rr_xdp programs that
 * run: the pinned one, and those on the given interfaces, plain (`ip link ... xdp obj`) or in a
 * dispatcher. A program counts only when it shares a map with what was found before it, so that a
 * half-made folder is completed with the right maps and never with strangers'.
 *
 * For each map of this build:
 *   1. a candidate of our version is kept, with its contents;
 *   2. else it is made anew, and a candidate of another version is its predecessor, whose contents
 *      it takes over (dp_carry.c), or, in the flow tables, whose flows are lost: that is refused
 *      unless it was asked for.
 * Where both are there, an upgrade (or a step back) was cut short, or an old program still runs.
 * The pinned program decides: putting it there was the step that made the change hold, and what it
 * does not use is a leftover. Without it, what runs decides.
 *
 * A kept map must have the shape that this build gives it. Only tables of a program that runs on an
 * interface and is not the pinned one may differ in size: it was started by hand with the object's
 * defaults, and its flows are worth more than the configured size; dp_note() says so.
 */
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/dp_int.h"

#define PROGS (RR_MAX_IFACES + 1)
#define CANDS (4 * RR_MAP_MAX)

/* A map that was found. prog: index of the program that has it, -1 = it is pinned. */
struct cand {
	int map, fd, prog;
	uint32_t version, id;
};

struct find {
	struct dp_prog prog[PROGS];
	char where[PROGS][64]; /* what it is called in sentences */
	bool running[PROGS], pinned[PROGS];
	int progs;
	struct cand cand[CANDS];
	int cands;
};

/* ---- candidates ------------------------------------------------------------------------------ */

/* Takes fd over. The same map, found again, adds nothing. */
static int cand_add(struct find *f, int map, uint32_t version, int fd, int prog)
{
	struct bpf_map_info info;
	int rc = dp_map_info(fd, &info);

	for (int i = 0; i < f->cands && !rc; i++) {
		if (f->cand[i].id == info.id)
			rc = -EEXIST;
	}
	if (!rc && f->cands == CANDS)
		rc = -E2BIG;
	if (rc) {
		close(fd);
		return rc == -EEXIST ? 0 : rc;
	}
	f->cand[f->cands++] = (struct cand){
		.map = map, .fd = fd, .prog = prog, .version = version, .id = info.id
	};
	return 0;
}

/* bpf() describes any kind of object through the same call; only the file's name tells which. */
static bool is_map(int fd)
{
	char path[64], kind[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, kind, sizeof(kind) - 1);
	kind[n > 0 ? n : 0] = 0;
	return !strcmp(kind, "anon_inode:bpf-map");
}

static int pin_found(struct dp *dp, const char *path, const char *name, uint32_t version, void *arg)
{
	const int map = dp_map_named(name);
	int fd, rc;

	if (map < 0)
		return 0;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return dp_fail(dp, -errno, "cannot open pin %s", path);
	if (!is_map(fd)) {
		close(fd);
		return dp_say(dp, -EEXIST, "%s is not a BPF map: remove it, then start again",
			      path);
	}
	rc = cand_add(arg, map, version, fd, -1);
	return rc ? dp_fail(dp, rc, "pin %s", path) : 0;
}

/* Whether it belongs to what was found so far, which may be nothing. */
static bool prog_belongs(const struct find *f, const struct dp_prog *p)
{
	bool none = !f->cands && !f->progs;

	for (int i = 0; i < f->cands; i++) {
		if (dp_prog_uses(p, f->cand[i].id))
			return true;
	}
	for (int i = 0; i < f->progs; i++) {
		for (uint32_t k = 0; k < f->prog[i].maps; k++) {
			if (dp_prog_uses(p, f->prog[i].map_ids[k]))
				return true;
		}
	}
	return none;
}

static int prog_maps(struct find *f, int prog)
{
	const struct dp_prog *p = &f->prog[prog];
	struct bpf_map_info info;
	int rc = 0;

	for (uint32_t i = 0; i < p->maps && !rc; i++) {
		int fd = bpf_map_get_fd_by_id(p->map_ids[i]), map;

		if (fd < 0)
			continue;
		map = dp_map_info(fd, &info) ? -1 : dp_map_named(info.name);
		if (map >= 0)
			rc = cand_add(f, map, dp_prog_version(p, info.name), fd, prog);
		else
			close(fd);
	}
	return rc;
}

static int prog_add(struct find *f, const struct dp_prog *p, const char *ifname)
{
	int i = f->progs;

	if (i == PROGS || !prog_belongs(f, p))
		return 0;
	f->prog[i] = *p;
	f->running[i] = ifname;
	f->pinned[i] = !ifname;
	if (ifname)
		snprintf(f->where[i], sizeof(f->where[i]), "rr_xdp id %u on %s", p->id, ifname);
	else
		snprintf(f->where[i], sizeof(f->where[i]), "the pinned program");
	f->progs++;
	return prog_maps(f, i);
}

static int prog_pinned(struct dp *dp, struct find *f)
{
	char path[PATH_MAX];
	struct dp_prog p;
	int fd, rc = dp_pin_path(dp, path, sizeof(path), RR_PROG_PIN);

	if (rc)
		return rc;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	rc = dp_prog_read(fd, &p);
	close(fd);
	return rc ? 0 : prog_add(f, &p, NULL);
}

/* The program on an interface, or ours in its dispatcher: libxdp, asked about a lone one, never
 * closes it. */
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

static int prog_running(struct find *f, const char *ifname)
{
	struct dp_prog p;
	int fd = iface_prog(ifname), rc;

	if (fd < 0)
		return 0;
	rc = dp_prog_read(fd, &p);
	close(fd);
	if (rc || strcmp(p.name, RR_PROG_NAME))
		return 0;
	for (int i = 0; i < f->progs; i++) {
		if (f->prog[i].id == p.id) {
			f->running[i] = true;
			return 0;
		}
	}
	return prog_add(f, &p, ifname);
}

static int find_all(struct dp *dp, struct find *f, const char *const *ifnames, size_t n)
{
	int rc = dp_pins(dp, pin_found, f);

	if (!rc)
		rc = prog_pinned(dp, f);
	for (size_t i = 0; i < n && !rc; i++)
		rc = prog_running(f, ifnames[i]);
	return rc;
}

/* ---- choice ---------------------------------------------------------------------------------- */

/* What the pinned program uses holds; what else runs comes next. */
static int cand_rank(const struct find *f, const struct cand *c)
{
	int rank = 0;

	for (int i = 0; i < f->progs; i++) {
		if (dp_prog_uses(&f->prog[i], c->id))
			rank |= (f->pinned[i] ? 2 : 0) | (f->running[i] ? 1 : 0);
	}
	return rank;
}

/*
 * Whether packets have met this map: a program runs with it, the pinned one perhaps only waiting.
 */
static bool cand_runs(const struct find *f, const struct cand *c)
{
	uint32_t waiting = 0;

	if (cand_rank(f, c) & 1)
		return true;
	for (int i = 0; i < f->progs; i++) {
		if (f->pinned[i])
			waiting = f->prog[i].id;
	}
	return dp_map_user(c->id, waiting);
}

static void map_keep(struct dp *dp, int m, struct cand *c)
{
	dp_map_hold(dp, m, c->fd);
	c->fd = -1;
}

static void map_choose(struct dp *dp, struct find *f, int m)
{
	struct cand *mine = NULL, *other = NULL;

	for (int i = 0; i < f->cands; i++) {
		struct cand *c = &f->cand[i];

		if (c->map != m)
			continue;
		if (c->version == dp_map_versions[m])
			mine = mine ? mine : c;
		else if (!other || cand_rank(f, c) > cand_rank(f, other))
			other = c;
	}
	if (mine && other && cand_rank(f, other) > cand_rank(f, mine))
		mine = NULL;
	if (other) {
		dp->old[m].replaced = !mine || !cand_runs(f, mine);
		dp->old[m].fd = other->fd;
		dp->old[m].id = other->id;
		dp->old[m].version = other->version;
		other->fd = -1;
	}
	if (mine)
		map_keep(dp, m, mine);
}

/* The program that a kept map was taken from, or -1. */
static int map_source(const struct dp *dp, const struct find *f, int m)
{
	for (int i = 0; i < f->cands; i++) {
		if (dp->map_fd[m] >= 0 && f->cand[i].id == dp->map_id[m])
			return f->cand[i].prog;
	}
	return -1;
}

static int map_check(struct dp *dp, struct bpf_object *obj, const struct find *f, int m,
		     bool by_hand)
{
	const int prog = map_source(dp, f, m);
	char where[PATH_MAX];
	int rc = 0;

	if (prog >= 0)
		snprintf(where, sizeof(where), "map %s of %s", dp_map_names[m], f->where[prog]);
	else
		rc = dp_map_path(dp, where, sizeof(where), m);
	return rc ? rc
		  : dp_object_match(dp, obj, (enum rr_map)m, dp->map_fd[m], where,
				    prog >= 0 || by_hand);
}

static int maps_check(struct dp *dp, struct bpf_object *obj, const struct find *f)
{
	bool by_hand = false;
	int taken = -1, rc = 0;

	for (int i = 0; i < f->progs; i++)
		by_hand = by_hand || !f->pinned[i];
	for (int m = 0; m < RR_MAP_MAX && !rc; m++) {
		const int prog = map_source(dp, f, m);

		if (dp->map_fd[m] < 0)
			continue;
		if (prog >= 0 && !f->pinned[prog])
			taken = prog;
		rc = map_check(dp, obj, f, m, by_hand);
	}
	if (!rc && taken >= 0)
		dp_add_note(dp, "maps taken over from %s", f->where[taken]);
	return rc;
}

/* Table sizes of the maps found become ours. */
static int sizes_adopt(struct dp *dp)
{
	const uint32_t f4 = dp->max[RR_MAP_FLOWS4], f6 = dp->max[RR_MAP_FLOWS6];

	if (dp->map_fd[RR_MAP_FLOWS4] < 0 || dp->map_fd[RR_MAP_FLOWS6] < 0)
		return 0;
	if (f4 == dp->flow4_sets && f6 == dp->flow6_sets)
		return 0;
	dp_add_note(dp,
		    "flow tables of %u IPv4 and %u IPv6 sets are in use instead of the configured "
		    "%u and %u",
		    f4, f6, dp->flow4_sets, dp->flow6_sets);
	if (!dp_power_of_two(f4) || !dp_power_of_two(f6) ||
	    dp->max[RR_MAP_PAIRS4] != f4 * RR_FLOW4_WAYS ||
	    dp->max[RR_MAP_PAIRS6] != f6 * RR_FLOW6_WAYS)
		return dp_say(dp, -EEXIST,
			      "the maps in use have flow table sizes that do not fit each other "
			      "(%u, %u): detach the program, then start again",
			      f4, f6);
	dp->flow4_sets = f4;
	dp->flow6_sets = f6;
	return 0;
}

int dp_find(struct dp *dp, struct bpf_object *obj, const char *const *ifnames, size_t n)
{
	struct find *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return dp_say(dp, -ENOMEM, "out of memory");
	rc = find_all(dp, f, ifnames, n);
	for (int m = 0; m < RR_MAP_MAX && !rc; m++)
		map_choose(dp, f, m);
	if (!rc)
		rc = maps_check(dp, obj, f);
	if (!rc)
		rc = sizes_adopt(dp);
	for (int i = 0; i < f->cands; i++) {
		if (f->cand[i].fd >= 0)
			close(f->cand[i].fd);
	}
	free(f);
	return rc;
}
