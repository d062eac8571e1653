/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_past.c - flow tables of past layouts: how many connections would end with them.
 *
 * Nothing of an old table is used; it is only counted, so that an upgrade that costs flows says how
 * many. What it takes to find the state of an entry is a row here for each version that there was,
 * today's included: whoever raises RR_FLOWS_VERSION adds the rows of the new layout. Numbers, not
 * structs: the structs will have changed. A version without a row has an unknown number of flows.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "sys/dp_int.h"

/* An entry is a connection when it is a client's (the reverse one is not counted) and in one of
 * `states`: handshake begun, established, or one side's FIN seen. Offsets and sizes in bytes. */
static const struct past {
	enum rr_map map;
	uint32_t version;
	uint32_t stride; /* from one entry to the next */
	uint32_t key, meta; /* 64-bit words in the entry */
	uint64_t reverse; /* bits that mark a reverse entry's key */
	uint32_t state_shift;
	uint64_t state_mask;
	uint32_t states; /* bit = state */
} past[] = {
	{ RR_MAP_FLOWS4, 1, 32, 0, 8, 1ull << 63, 16, 0xff, 0x3c },
	{ RR_MAP_FLOWS6, 1, 64, 0, 24, 1ull << 63, 16, 0xff, 0x3c },
	{ RR_MAP_FLOWS4, 2, 32, 0, 8, 1ull << 63, 16, 0xf, 0x3c },
	{ RR_MAP_FLOWS6, 2, 64, 0, 24, 1ull << 63, 16, 0xf, 0x3c },
};

static const struct past *past_find(int map, uint32_t version)
{
	for (size_t i = 0; i < sizeof(past) / sizeof(past[0]); i++) {
		if ((int)past[i].map == map && past[i].version == version)
			return &past[i];
	}
	return NULL;
}

static uint64_t word_at(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static bool is_flow(const struct past *p, const char *entry)
{
	const uint64_t state = (word_at(entry + p->meta) >> p->state_shift) & p->state_mask;

	return state < 32 && (p->states >> state & 1) && !(word_at(entry + p->key) & p->reverse);
}

int dp_past_flows(int map, uint32_t version, int fd, uint64_t *flows)
{
	const struct past *p = past_find(map, version);
	struct bpf_map_info info;
	size_t len;
	char *mem;

	if (!p || dp_map_info(fd, &info) || info.value_size % p->stride)
		return -ENODATA;
	len = (size_t)info.max_entries * info.value_size;
	mem = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	for (size_t off = 0; off < len; off += p->stride)
		*flows += is_flow(p, mem + off);
	munmap(mem, len);
	return 0;
}
