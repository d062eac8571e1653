/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_object.c - the BPF object: the embedded bytes or a file, opened the same way.
 *
 * Decides which knobs and table sizes the object is loaded with, and whether a map that exists
 * already is the one that this object would create. Knobs are `const volatile` variables in
 * .rodata; they are found by name in the object's BTF, so a bare object given with --object needs
 * no generated header.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>

#include "sys/dp_int.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "rr_xdp.skel.h"
#pragma GCC diagnostic pop

static const char *object_name(const struct dp *dp)
{
	return dp->object ? dp->object : "built-in rr_xdp";
}

static struct bpf_map *object_rodata(struct bpf_object *obj)
{
	struct bpf_map *map;
	const char *name;
	size_t n;

	bpf_object__for_each_map(map, obj)
	{
		name = bpf_map__name(map);
		n = strlen(name);
		if (n >= 7 && !strcmp(name + n - 7, ".rodata"))
			return map;
	}
	return NULL;
}

/* Where a knob lies in .rodata: its offset, or -ENOENT. */
static int knob_offset(struct bpf_object *obj, const char *name, size_t size)
{
	return dp_btf_var(bpf_object__btf(obj), name, size);
}

static int knob_set(struct dp *dp, struct bpf_object *obj, const char *name, const void *value,
		    size_t size)
{
	struct bpf_map *map = object_rodata(obj);
	int off = map ? knob_offset(obj, name, size) : -ENOENT, err;
	const void *now;
	size_t len = 0;
	char *data;

	if (off < 0)
		return dp_say(dp, -EINVAL,
			      "%s: no %zu-byte knob %s: not an rr_xdp object of this version",
			      object_name(dp), size, name);
	now = bpf_map__initial_value(map, &len);
	if (!now || (size_t)off + size > len)
		return dp_say(dp, -EINVAL, "%s: knob %s lies outside .rodata", object_name(dp),
			      name);
	data = malloc(len);
	if (!data)
		return dp_say(dp, -ENOMEM, "out of memory");
	memcpy(data, now, len);
	memcpy(data + off, value, size);
	err = bpf_map__set_initial_value(map, data, len);
	free(data);
	return err ? dp_fail(dp, err, "%s: knob %s", object_name(dp), name) : 0;
}

static int object_knobs(struct dp *dp, struct bpf_object *obj)
{
	int err = knob_set(dp, obj, "rr_flow4_sets", &dp->flow4_sets, sizeof(dp->flow4_sets));

	if (!err)
		err = knob_set(dp, obj, "rr_flow6_sets", &dp->flow6_sets, sizeof(dp->flow6_sets));
	if (!err)
		err = knob_set(dp, obj, "rr_port_lo", &dp->port_lo, sizeof(dp->port_lo));
	if (!err)
		err = knob_set(dp, obj, "rr_port_hi", &dp->port_hi, sizeof(dp->port_hi));
	return err;
}

/*
 * The port range of flow tables that a controller has set up becomes ours: replies to a flow on a
 * port outside the range would be taken for the host's own.
 */
static void ports_adopt(struct dp *dp, struct bpf_object *obj)
{
	struct rr_control c;

	if (dp->prog_fd >= 0 || dp->map_fd[RR_MAP_FLOWS4] < 0 || !dp_control_read(dp, obj, &c))
		return;
	if (!c.port_lo || c.port_lo > c.port_hi ||
	    (c.port_lo == dp->port_lo && c.port_hi == dp->port_hi))
		return;
	dp_add_note(dp, "local ports %u-%u are in use instead of the configured %u-%u", c.port_lo,
		    c.port_hi, dp->port_lo, dp->port_hi);
	dp->port_lo = c.port_lo;
	dp->port_hi = c.port_hi;
}

/* The object says which layouts it was built for; one that does not is older than that. */
static int object_version(struct dp *dp, struct bpf_object *obj, int m)
{
	struct bpf_map *rodata = object_rodata(obj);
	uint32_t version = DP_VERSION_UNSAID;
	char name[BPF_OBJ_NAME_LEN + 16];
	const char *data;
	size_t len = 0;
	int off;

	snprintf(name, sizeof(name), DP_VERSION_VAR "%s", dp_map_names[m]);
	off = knob_offset(obj, name, sizeof(version));
	data = rodata ? bpf_map__initial_value(rodata, &len) : NULL;
	if (off >= 0 && data && (size_t)off + sizeof(version) <= len)
		memcpy(&version, data + off, sizeof(version));
	if (version == dp_map_versions[m])
		return 0;
	return dp_say(dp, -EINVAL,
		      "%s: map %s has layout version %u, this rrlbd works with version %u",
		      object_name(dp), dp_map_names[m], version, dp_map_versions[m]);
}

/* Elements of a map whose size the configuration says; 0 = the object's own number. */
static uint32_t configured_max(const struct dp *dp, enum rr_map map)
{
	switch (map) {
	case RR_MAP_FLOWS4:
		return dp->flow4_sets;
	case RR_MAP_PAIRS4:
		return dp->flow4_sets * RR_FLOW4_WAYS;
	case RR_MAP_FLOWS6:
		return dp->flow6_sets;
	case RR_MAP_PAIRS6:
		return dp->flow6_sets * RR_FLOW6_WAYS;
	case RR_MAP_PORTS:
		return dp->port_sets * RR_PORT_LINES(dp->port_hi - dp->port_lo + 1u);
	default:
		return 0;
	}
}

/* Knobs and table sizes from dp into an object that is not loaded yet. */
int dp_object_sizes(struct dp *dp, struct bpf_object *obj)
{
	struct bpf_map *map;
	uint32_t max;
	int err;

	ports_adopt(dp, obj);
	for (int i = 0; i < RR_MAP_MAX; i++) {
		map = bpf_object__find_map_by_name(obj, dp_map_names[i]);
		if (!map)
			return dp_say(dp, -EINVAL,
				      "%s: no map %s: not an rr_xdp object of this version",
				      object_name(dp), dp_map_names[i]);
		err = object_version(dp, obj, i);
		if (err)
			return err;
		max = configured_max(dp, (enum rr_map)i);
		if (!max)
			continue;
		err = bpf_map__set_max_entries(map, max);
		if (err)
			return dp_fail(dp, err, "%s: size of map %s", object_name(dp),
				       dp_map_names[i]);
	}
	return object_knobs(dp, obj);
}

int dp_object_open(struct dp *dp, struct bpf_object **obj)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = RR_PROG_NAME);
	const void *bytes;
	size_t len = 0;
	int err;

	dp_listen();
	if (dp->object) {
		*obj = bpf_object__open_file(dp->object, &opts);
	} else {
		bytes = rr_xdp__elf_bytes(&len);
		*obj = bpf_object__open_mem(bytes, len, &opts);
	}
	if (!*obj) {
		err = -errno;
		return dp_fail(dp, err, "%s: cannot be read as a BPF object", object_name(dp));
	}
	if (!bpf_object__find_program_by_name(*obj, RR_PROG_NAME)) {
		dp_say(dp, -EINVAL, "%s: no program named %s", object_name(dp), RR_PROG_NAME);
		err = -EINVAL;
	} else {
		err = dp_object_sizes(dp, *obj);
	}
	if (err) {
		bpf_object__close(*obj);
		*obj = NULL;
	}
	return err;
}

int dp_object_match(struct dp *dp, struct bpf_object *obj, enum rr_map map, int fd,
		    const char *where, bool any_size)
{
	const struct bpf_map *want = bpf_object__find_map_by_name(obj, dp_map_names[map]);
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info), flags;
	int err = bpf_obj_get_info_by_fd(fd, &info, &len);

	if (err)
		return dp_fail(dp, err, "%s: not a BPF map", where);
	/* the kernel adds RDONLY_PROG to every devmap */
	flags = info.map_flags &
		~(uint32_t)(info.type == BPF_MAP_TYPE_DEVMAP ? BPF_F_RDONLY_PROG : 0);
	if (info.type != bpf_map__type(want) || info.key_size != bpf_map__key_size(want) ||
	    info.value_size != bpf_map__value_size(want) || flags != bpf_map__map_flags(want))
		return dp_say(dp, -EEXIST,
			      "%s has another layout (type %u, key %u, value %u, flags 0x%x; "
			      "wanted type %u, key %u, "
			      "value %u, flags 0x%x): it was made by another version; detach and "
			      "remove %s, then start again",
			      where, info.type, info.key_size, info.value_size, flags,
			      (unsigned int)bpf_map__type(want), bpf_map__key_size(want),
			      bpf_map__value_size(want), bpf_map__map_flags(want), dp->dir);
	/*
	 * `ports` was made for the range in its maps, which becomes ours (ports_adopt()), and a set
	 * that it has no room for is as none.
	 */
	if (info.max_entries == bpf_map__max_entries(want) || map == RR_MAP_PORTS ||
	    (any_size && configured_max(dp, map)))
		return 0;
	return dp_say(dp, -EEXIST,
		      "%s holds %u elements, the configuration asks for %u: set the flow table "
		      "sizes back, or "
		      "detach and remove %s (its flows are lost), then start again",
		      where, info.max_entries, bpf_map__max_entries(want), dp->dir);
}

int dp_object_clone(struct dp *dp, struct bpf_object **obj)
{
	struct bpf_map *map;
	int i, err = dp_object_open(dp, obj);

	for (i = 0; i < RR_MAP_MAX && !err; i++) {
		map = bpf_object__find_map_by_name(*obj, dp_map_names[i]);
		err = bpf_map__reuse_fd(map, dp->map_fd[i]);
		if (err)
			dp_fail(dp, err, "map %s", dp_map_names[i]);
	}
	if (err) {
		bpf_object__close(*obj);
		*obj = NULL;
	}
	return err;
}
