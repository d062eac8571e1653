/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_prog.c - programs and maps as the kernel describes them: which maps a program uses, which
 * layout they have, whether the program is ours, who uses a map.
 *
 * A program is ours when it is called rr_xdp and uses our `control` map, or the one that ours
 * replaces: all programs of one folder share it, whatever else differs between them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "sys/dp_int.h"

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

bool dp_prog_uses(const struct dp_prog *p, uint32_t map_id)
{
	for (uint32_t i = 0; i < p->maps; i++) {
		if (map_id && p->map_ids[i] == map_id)
			return true;
	}
	return false;
}

bool dp_prog_ours(const struct dp *dp, const struct dp_prog *p)
{
	return !strcmp(p->name, RR_PROG_NAME) && (dp_prog_uses(p, dp->map_id[RR_MAP_CONTROL]) ||
						  dp_prog_uses(p, dp->old[RR_MAP_CONTROL].id));
}

bool dp_prog_older(const struct dp *dp, const struct dp_prog *p)
{
	for (int m = 0; m < RR_MAP_MAX; m++) {
		if (dp_prog_uses(p, dp->old[m].id))
			return true;
	}
	return false;
}

int dp_map_info(int fd, struct bpf_map_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &len) ? -errno : 0;
}

/* ---- layout versions ------------------------------------------------------------------------- */

int dp_btf_var(const struct btf *btf, const char *name, size_t size)
{
	const struct btf_type *sec, *var;
	const struct btf_var_secinfo *vi;
	int id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -ENOENT;

	if (id < 0)
		return -ENOENT;
	sec = btf__type_by_id(btf, (uint32_t)id);
	vi = btf_var_secinfos(sec);
	for (int i = 0; i < btf_vlen(sec); i++) {
		var = btf__type_by_id(btf, vi[i].type);
		if (vi[i].size == size && !strcmp(btf__name_by_offset(btf, var->name_off), name))
			return (int)vi[i].offset;
	}
	return -ENOENT;
}

/* The program's constants: fd of the map, or -ENOENT. */
static int rodata_open(const struct dp_prog *p, struct bpf_map_info *info)
{
	for (uint32_t i = 0; i < p->maps; i++) {
		int fd = bpf_map_get_fd_by_id(p->map_ids[i]);
		const char *dot;

		if (fd < 0)
			continue;
		dot = dp_map_info(fd, info) ? NULL : strchr(info->name, '.');
		if (dot && !strcmp(dot, ".rodata"))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

static uint32_t rodata_word(int fd, const struct bpf_map_info *info, int off)
{
	char data[4096];
	uint32_t zero = 0, word;

	if (off < 0 || info->value_size > sizeof(data) || (size_t)off + 4 > info->value_size ||
	    bpf_map_lookup_elem(fd, &zero, data))
		return DP_VERSION_UNSAID;
	memcpy(&word, data + off, sizeof(word));
	return word;
}

uint32_t dp_prog_version(const struct dp_prog *p, const char *map)
{
	uint32_t version = DP_VERSION_UNSAID;
	char name[BPF_OBJ_NAME_LEN + 16];
	struct bpf_map_info info;
	struct btf *btf;
	int fd = rodata_open(p, &info);

	if (fd < 0)
		return version;
	snprintf(name, sizeof(name), DP_VERSION_VAR "%s", map);
	btf = btf__load_from_kernel_by_id(info.btf_id);
	if (btf)
		version = rodata_word(fd, &info, dp_btf_var(btf, name, sizeof(version)));
	btf__free(btf);
	close(fd);
	return version;
}

/* ---- who uses a map -------------------------------------------------------------------------- */

uint32_t dp_map_user(uint32_t map_id, uint32_t except)
{
	struct dp_prog p;
	uint32_t id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		int fd = bpf_prog_get_fd_by_id(id);
		bool uses;

		if (fd < 0 && errno == EPERM)
			return DP_USER_UNKNOWN;
		if (fd < 0)
			continue;
		uses = !dp_prog_read(fd, &p) && dp_prog_uses(&p, map_id);
		close(fd);
		if (uses && id != except)
			return id;
	}
	return errno == EPERM ? DP_USER_UNKNOWN : 0;
}
