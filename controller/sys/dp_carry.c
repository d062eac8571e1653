/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_carry.c - the contents of a map whose layout has changed, taken over into its successor.
 *
 * The kernel keeps the type of a map's elements (BTF), so both layouts describe themselves: every
 * field that has the same name on both sides is copied, arrays element by element up to the shorter
 * one, integers in their lower bytes (hosts are little-endian); everything else starts at zero. No
 * table of past layouts is needed, and going back to an older build is the same step.
 *
 * Without type information (a devmap has none) values of equal size are copied as they are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "sys/dp_int.h"

#define DEPTH_MAX 8

/* One run of bytes that both layouts have. */
struct move {
	uint32_t from, to, size;
};

struct moves {
	struct move *v;
	size_t n, room;
};

static int moves_add(struct moves *mv, uint32_t from, uint32_t to, uint32_t size)
{
	struct move *last = mv->n ? &mv->v[mv->n - 1] : NULL, *v;

	if (last && last->from + last->size == from && last->to + last->size == to) {
		last->size += size;
		return 0;
	}
	if (mv->n == mv->room) {
		v = realloc(mv->v, (mv->room * 2 + 16) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		mv->v = v;
		mv->room = mv->room * 2 + 16;
	}
	mv->v[mv->n++] = (struct move){ .from = from, .to = to, .size = size };
	return 0;
}

/* A type within a layout: where it lies in the element. */
struct place {
	const struct btf *btf;
	uint32_t type, off;
};

static const struct btf_type *place_type(struct place *p)
{
	int id = btf__resolve_type(p->btf, p->type);

	p->type = id < 0 ? 0 : (uint32_t)id;
	return btf__type_by_id(p->btf, p->type);
}

static uint32_t place_size(const struct place *p)
{
	int64_t size = btf__resolve_size(p->btf, p->type);

	return size < 0 ? 0 : (uint32_t)size;
}

/* The member of that name, as a place of its own; type 0 = none. */
static struct place place_member(const struct place *p, const struct btf_type *t, const char *name)
{
	const struct btf_member *m = btf_members(t);

	for (uint16_t i = 0; i < btf_vlen(t); i++) {
		if (!btf_member_bitfield_size(t, i) &&
		    !strcmp(btf__name_by_offset(p->btf, m[i].name_off), name))
			return (struct place){ .btf = p->btf,
					       .type = m[i].type,
					       .off = p->off + btf_member_bit_offset(t, i) / 8 };
	}
	return (struct place){ .btf = p->btf, .type = 0, .off = 0 };
}

static int moves_type(struct moves *mv, struct place from, struct place to, int depth);

static int moves_struct(struct moves *mv, const struct place *from, const struct btf_type *ft,
			const struct place *to, const struct btf_type *tt, int depth)
{
	const struct btf_member *m = btf_members(tt);
	int rc = 0;

	for (uint16_t i = 0; i < btf_vlen(tt) && !rc; i++) {
		const char *name = btf__name_by_offset(to->btf, m[i].name_off);
		struct place f = place_member(from, ft, name), t = place_member(to, tt, name);

		if (*name && f.type && t.type)
			rc = moves_type(mv, f, t, depth - 1);
	}
	return rc;
}

static int moves_array(struct moves *mv, const struct place *from, const struct btf_array *fa,
		       const struct place *to, const struct btf_array *ta, int depth)
{
	struct place f = { .btf = from->btf, .type = fa->type, .off = from->off };
	struct place t = { .btf = to->btf, .type = ta->type, .off = to->off };
	uint32_t n = fa->nelems < ta->nelems ? fa->nelems : ta->nelems;
	int rc = 0;

	for (uint32_t i = 0; i < n && !rc; i++) {
		rc = moves_type(mv, f, t, depth - 1);
		f.off += place_size(&f);
		t.off += place_size(&t);
	}
	return rc;
}

static int moves_type(struct moves *mv, struct place from, struct place to, int depth)
{
	const struct btf_type *f = place_type(&from), *t = place_type(&to);
	uint32_t fs = place_size(&from), ts = place_size(&to);

	if (!f || !t || !depth)
		return -EINVAL;
	if (btf_is_struct(f) && btf_is_struct(t))
		return moves_struct(mv, &from, f, &to, t, depth);
	if (btf_is_array(f) && btf_is_array(t))
		return moves_array(mv, &from, btf_array(f), &to, btf_array(t), depth);
	if (btf_kind(f) != btf_kind(t))
		return 0;
	return moves_add(mv, from.off, to.off, fs < ts ? fs : ts);
}

/* The map as this build's object declares it. */
struct target {
	const struct bpf_map *map;
	const struct btf *btf;
};

static struct target target_find(struct bpf_object *obj, int map)
{
	return (struct target){ .map = bpf_object__find_map_by_name(obj, dp_map_names[map]),
				.btf = bpf_object__btf(obj) };
}

static int moves_make(struct moves *mv, const struct bpf_map_info *from, const struct target *to)
{
	struct btf *fb = from->btf_id ? btf__load_from_kernel_by_id(from->btf_id) : NULL;
	struct place f = { .btf = fb, .type = from->btf_value_type_id };
	struct place t = { .btf = to->btf, .type = bpf_map__btf_value_type_id(to->map) };
	int rc = -ENODATA;

	memset(mv, 0, sizeof(*mv));
	if (fb && to->btf && f.type && t.type)
		rc = moves_type(mv, f, t, DEPTH_MAX);
	else if (from->value_size == bpf_map__value_size(to->map))
		rc = moves_add(mv, 0, 0, from->value_size);
	btf__free(fb);
	return rc;
}

static void moves_apply(const struct moves *mv, const char *from, char *to)
{
	for (size_t i = 0; i < mv->n; i++)
		memcpy(to + mv->v[i].to, from + mv->v[i].from, mv->v[i].size);
}

/* ---- elements -------------------------------------------------------------------------------- */

/* One value in each layout, for all CPUs where the map has one for each. */
struct carry {
	struct moves moves;
	char *from, *to;
	size_t from_size, to_size; /* of one CPU */
	size_t copies;
};

static size_t value_room(uint32_t size)
{
	return (size + 7) & ~(size_t)7;
}

static void carry_close(struct carry *c)
{
	free(c->moves.v);
	free(c->from);
	free(c->to);
}

static int carry_open(struct carry *c, const struct bpf_map_info *from, const struct target *to,
		      int cpus)
{
	memset(c, 0, sizeof(*c));
	c->copies = from->type == BPF_MAP_TYPE_PERCPU_ARRAY ? (size_t)cpus : 1;
	c->from_size = value_room(from->value_size);
	c->to_size = value_room(bpf_map__value_size(to->map));
	c->from = calloc(c->copies, c->from_size);
	c->to = calloc(c->copies, c->to_size);
	if (!c->from || !c->to)
		return -ENOMEM;
	return moves_make(&c->moves, from, to);
}

/* An empty slot of a devmap cannot be read, and one whose interface is gone not be written. */
static int carry_element(struct carry *c, int from, int to, uint32_t key)
{
	if (bpf_map_lookup_elem(from, &key, c->from))
		return errno == ENOENT ? 0 : -errno;
	for (size_t i = 0; i < c->copies; i++)
		moves_apply(&c->moves, c->from + i * c->from_size, c->to + i * c->to_size);
	if (bpf_map_update_elem(to, &key, c->to, BPF_ANY) && errno != EINVAL && errno != ENODEV)
		return -errno;
	return 0;
}

static int carry_map(const struct dp *dp, struct bpf_object *obj, int map)
{
	const struct target to = target_find(obj, map);
	struct bpf_map_info from;
	struct carry c;
	uint32_t n;
	int rc = dp_map_info(dp->old[map].fd, &from);

	if (rc)
		return rc;
	if (from.type != bpf_map__type(to.map) || from.key_size != sizeof(uint32_t))
		return -EINVAL;
	rc = carry_open(&c, &from, &to, dp->cpus);
	n = from.max_entries < dp->max[map] ? from.max_entries : dp->max[map];
	for (uint32_t i = 0; i < n && !rc; i++)
		rc = carry_element(&c, dp->old[map].fd, dp->map_fd[map], i);
	carry_close(&c);
	return rc;
}

bool dp_control_read(const struct dp *dp, struct bpf_object *obj, struct rr_control *control)
{
	const struct target to = target_find(obj, RR_MAP_CONTROL);
	const int held = dp->map_fd[RR_MAP_CONTROL], old = dp->old[RR_MAP_CONTROL].fd;
	struct bpf_map_info info;
	uint32_t zero = 0;
	struct carry c;
	bool ok;

	memset(control, 0, sizeof(*control));
	if (held >= 0)
		return !bpf_map_lookup_elem(held, &zero, control) && control->abi_version;
	if (old < 0 || dp_map_info(old, &info))
		return false;
	ok = !carry_open(&c, &info, &to, 1) && !bpf_map_lookup_elem(old, &zero, c.from);
	if (ok && c.to_size >= sizeof(*control)) {
		moves_apply(&c.moves, c.from, c.to);
		memcpy(control, c.to, sizeof(*control));
	}
	carry_close(&c);
	return control->abi_version;
}

/* The new `control` has been set up when the old one had: it says so in its own version. */
static int carry_control(const struct dp *dp)
{
	const int fd = dp->map_fd[RR_MAP_CONTROL];
	struct rr_control control;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(fd, &zero, &control))
		return -errno;
	if (!control.abi_version)
		return 0;
	control.abi_version = RR_VERSION_CONTROL;
	return bpf_map_update_elem(fd, &zero, &control, BPF_ANY) ? -errno : 0;
}

int dp_carry(struct dp *dp, struct bpf_object *obj)
{
	for (int m = 0; m < RR_MAP_MAX; m++) {
		int rc;

		if (!dp->old[m].replaced || dp_map_kinds[m] == RR_KIND_FLOWS)
			continue;
		rc = carry_map(dp, obj, m);
		if (!rc && m == RR_MAP_CONTROL)
			rc = carry_control(dp);
		if (rc)
			return dp_fail(dp, rc,
				       "map %s of version %u: its contents cannot be taken over",
				       dp_map_names[m], dp->old[m].version);
	}
	return 0;
}
