/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_map.c - reads and writes the maps.
 *
 * Arrays are mapped into the process: a store is what a packet sees next, and a walk costs no
 * system call. The kernel rounds every element up to 8 bytes, so elements are addressed by the
 * stride kept here, through dp_elem().
 *
 * Per-CPU counters are summed over all possible CPUs, in batches: one system call for BATCH
 * elements.
 *
 * The clock: jiffies are read by a two-instruction program run on demand (no other interface tells
 * the low bits). HZ is the resolution of the coarse clocks, which the kernel defines as one tick.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/bpf.h>

#include "sys/dp_int.h"

#define BATCH 256u

static const bool mapped[RR_MAP_MAX] = {
#define DP_MAPPED(id, name, mm, ...) mm,
	RR_MAPS(DP_MAPPED)
#undef DP_MAPPED
};

int dp_map_hold(struct dp *dp, int map, int fd)
{
	struct bpf_map_info info;
	int rc = dp_map_info(fd, &info);

	if (rc)
		return rc;
	dp->map_fd[map] = fd;
	dp->map_id[map] = info.id;
	dp->max[map] = info.max_entries;
	dp->stride[map] = (info.value_size + 7) & ~7u;
	return 0;
}

int dp_map_open(struct dp *dp)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *mem;
	size_t len;

	for (int i = 0; i < RR_MAP_MAX; i++) {
		if (!mapped[i])
			continue;
		len = ((size_t)dp->max[i] * dp->stride[i] + page - 1) & ~(page - 1);
		mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, dp->map_fd[i], 0);
		if (mem == MAP_FAILED)
			return dp_fail(dp, -errno, "cannot map the memory of %s (%zu bytes)",
				       dp_map_names[i], len);
		dp->mem[i] = mem;
		dp->mem_len[i] = len;
	}
	return 0;
}

void dp_ports(const struct dp *dp, uint16_t *lo, uint16_t *hi)
{
	*lo = dp->port_lo;
	*hi = dp->port_hi;
}

void dp_map_close(struct dp *dp)
{
	for (int i = 0; i < RR_MAP_MAX; i++) {
		if (dp->mem[i])
			munmap(dp->mem[i], dp->mem_len[i]);
		if (dp->map_fd[i] >= 0)
			close(dp->map_fd[i]);
	}
	if (dp->clock_fd >= 0)
		close(dp->clock_fd);
}

void *dp_mem(struct dp *dp, enum rr_map map, uint32_t *max)
{
	if (max)
		*max = dp->max[map];
	return dp->mem[map];
}

void *dp_elem(struct dp *dp, enum rr_map map, uint32_t i)
{
	if (!dp->mem[map] || i >= dp->max[map])
		return NULL;
	return (char *)dp->mem[map] + (size_t)i * dp->stride[map];
}

int dp_set(struct dp *dp, enum rr_map map, uint32_t key, const void *value)
{
	if (bpf_map_update_elem(dp->map_fd[map], &key, value, BPF_ANY))
		return dp_say(dp, -errno, "map %s, element %u: %s", dp_map_names[map], key,
			      strerror(errno));
	return 0;
}

int dp_del(struct dp *dp, enum rr_map map, uint32_t key)
{
	if (bpf_map_delete_elem(dp->map_fd[map], &key) && errno != ENOENT)
		return dp_say(dp, -errno, "map %s, element %u: %s", dp_map_names[map], key,
			      strerror(errno));
	return 0;
}

/* ---- per-CPU counters ------------------------------------------------------------------------ */

/* Adds up `n` elements of `cpus` values each; a value is `words` 64-bit words. */
static void sum_values(uint64_t *out, const uint64_t *values, uint32_t n, uint32_t cpus,
		       uint32_t words)
{
	memset(out, 0, (size_t)n * words * sizeof(*out));
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t c = 0; c < cpus; c++)
			for (uint32_t w = 0; w < words; w++)
				out[(size_t)i * words + w] += *values++;
}

static int read_single(struct dp *dp, enum rr_map map, uint32_t first, uint32_t n, uint64_t *values)
{
	size_t words = (size_t)dp->cpus * (dp->stride[map] / 8);
	uint32_t key;

	for (uint32_t i = 0; i < n; i++) {
		key = first + i;
		if (bpf_map_lookup_elem(dp->map_fd[map], &key, values + i * words))
			return -errno;
	}
	return 0;
}

/* Element `first` is what follows key first - 1, and no key before the first. */
static int read_batch(struct dp *dp, enum rr_map map, uint32_t first, uint32_t n, uint64_t *values)
{
	uint32_t keys[BATCH], before = first - 1, after, count = n;

	if (bpf_map_lookup_batch(dp->map_fd[map], first ? &before : NULL, &after, keys, values,
				 &count, NULL) &&
	    errno != ENOENT)
		return read_single(dp, map, first, n, values);
	return count == n ? 0 : read_single(dp, map, first, n, values);
}

int dp_sum(struct dp *dp, enum rr_map map, uint32_t first, uint32_t n, void *out)
{
	const uint32_t words = dp->stride[map] / 8;
	uint64_t *values, *to = out;
	uint32_t step;
	int err = 0;

	if (mapped[map] || map == RR_MAP_TX_PORTS || first > dp->max[map] ||
	    n > dp->max[map] - first)
		return dp_say(dp, -EINVAL, "map %s: no per-CPU elements %u..+%u", dp_map_names[map],
			      first, n);
	values = malloc((size_t)BATCH * (size_t)dp->cpus * words * sizeof(*values));
	if (!values)
		return dp_say(dp, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < n && !err; i += step) {
		step = n - i < BATCH ? n - i : BATCH;
		err = read_batch(dp, map, first + i, step, values);
		if (err)
			dp_say(dp, err, "map %s: %s", dp_map_names[map], strerror(-err));
		else
			sum_values(to + (size_t)i * words, values, step, (uint32_t)dp->cpus, words);
	}
	free(values);
	return err;
}

int dp_zero(struct dp *dp, enum rr_map map, uint32_t key)
{
	void *zero;
	int rc;

	if (mapped[map] || map == RR_MAP_TX_PORTS || key >= dp->max[map])
		return dp_say(dp, -EINVAL, "map %s: no per-CPU element %u", dp_map_names[map], key);
	zero = calloc((size_t)dp->cpus, dp->stride[map]);
	if (!zero)
		return dp_say(dp, -ENOMEM, "out of memory");
	rc = dp_set(dp, map, key, zero);
	free(zero);
	return rc;
}

/* ---- clock ----------------------------------------------------------------------------------- */

static int clock_load(struct dp *dp)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	dp_listen();
	dp->clock_fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "rr_clock", "Dual BSD/GPL", insns,
				     sizeof(insns) / sizeof(insns[0]), NULL);
	if (dp->clock_fd < 0)
		return dp_fail(dp, -errno, "cannot load the clock program");
	return 0;
}

int dp_clock(struct dp *dp, uint32_t *jiffies, uint32_t *hz)
{
	char frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);
	struct timespec tick;
	int err = dp->clock_fd < 0 ? clock_load(dp) : 0;

	if (err)
		return err;
	if (bpf_prog_test_run_opts(dp->clock_fd, &run))
		return dp_fail(dp, -errno, "cannot read jiffies");
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || tick.tv_nsec < 100000)
		return dp_say(dp, -EIO, "cannot learn the kernel's tick length");
	*jiffies = run.retval;
	*hz = (uint32_t)((1000000000 + tick.tv_nsec / 2) / tick.tv_nsec);
	return 0;
}

/* ---- the program ----------------------------------------------------------------------------- */

int dp_test_run(struct dp *dp, const void *in, size_t inlen, void *out, size_t *outlen,
		uint32_t *action)
{
	const struct rr_iface *iface = dp_elem(dp, RR_MAP_IFACES, 0);
	struct xdp_md ctx = { .data_end = (uint32_t)inlen, .ingress_ifindex = iface->ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = in, .data_size_in = (uint32_t)inlen,
		    .data_out = out, .data_size_out = (uint32_t)*outlen, .repeat = 1);

	if (iface->ifindex) {
		run.ctx_in = &ctx;
		run.ctx_size_in = sizeof(ctx);
	}
	if (bpf_prog_test_run_opts(dp->prog_fd, &run))
		return dp_say(dp, -errno, "test run: %s", strerror(errno));
	*outlen = run.data_size_out;
	*action = run.retval;
	return 0;
}

int dp_prog_id(struct dp *dp, uint32_t *id, uint32_t *insns)
{
	struct dp_prog p;
	int err = dp_prog_read(dp->prog_fd, &p);

	if (err)
		return dp_say(dp, err, "program: %s", strerror(-err));
	*id = p.id;
	*insns = p.insns;
	return 0;
}
