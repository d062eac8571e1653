/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench.h - parts of the bench: bench_kern.c loads and runs programs, bench_fill.c fills tables,
 * bench_live.c sends live frames, bench_table.c prints, bench.c says what is measured. A failure
 * ends the program with a message: die().
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/types.h>

#include "rr_pair.h"
#include "rr_table.h"

#include "bpf/bench_gen.h"

#define BENCH_ROUNDS_MAX 64

/* Programs under test; GEN is the generator alone. */
enum bench_impl { IMPL_GEN, IMPL_FLOOR, IMPL_LRU, IMPL_OURS, IMPL_MAX };

/* What packets look like. */
enum bench_kind {
	KIND_CLIENT4,
	KIND_SERVER4,
	KIND_CLIENT6,
	KIND_SERVER6,
	KIND_DSR4,
	KIND_FRESH4,
	KIND_FRESH6,
	KIND_FRESH_DSR4,
	KIND_AGAIN4, /* SYNs of known half-open flows */
	KIND_MAX
};

struct bench_conf {
	uint32_t flows_max; /* connections that the tables must hold */
	uint32_t repeat, rounds;
	int cpu;
	const char *object; /* the packet path */
	const char *folder; /* where the bench's own objects are */
};

struct bench; /* loaded programs and mapped tables */

void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* bench_kern.c */
struct bench *bench_load(const struct bench_conf *c);
void bench_free(struct bench *b);
uint32_t bench_sets(const struct bench *b, bool v6);
void bench_ports_clear(struct bench *b);
void *bench_flows(struct bench *b, bool v6); /* the mapped flow table */
struct rr_pair *bench_pairs(struct bench *b, bool v6); /* and the records, by slot */
int bench_lru_fd(const struct bench *b);
uint64_t bench_seed(const struct bench *b);
uint32_t bench_jiffies(struct bench *b);
/* ns a packet of one run of `repeat` packets; *good = the share that was forwarded */
double bench_run(struct bench *b, enum bench_impl impl, enum bench_kind kind, uint32_t flows,
		 uint32_t repeat, double *good);
void bench_template(struct bench *b, enum bench_kind kind, uint32_t flows);
int bench_prog(const struct bench *b, const char *name); /* fd */
int bench_map(const struct bench *b, const char *name); /* fd */
void bench_ifindex(struct bench *b, uint32_t ifindex); /* the interface that frames come in by */

/* bench_fill.c */
void fill_clear(struct bench *b, bool v6);
void fill_established(struct bench *b, enum bench_service s, uint32_t flows, uint8_t state);
void fill_half_open(struct bench *b, bool v6); /* every slot */
void fill_lru_clear(struct bench *b);
void fill_lru_established(struct bench *b, enum bench_service s, uint32_t flows, uint8_t state);
void fill_lru_half_open(struct bench *b);

/* bench_live.c */
struct live_result {
	uint32_t flows;
	double ours[BENCH_ROUNDS_MAX], bare[BENCH_ROUNDS_MAX]; /* frames a second */
	double share[BENCH_ROUNDS_MAX];
};
void live_start(struct bench *b);
void live_run(struct bench *b, struct live_result *r, uint32_t frames, uint32_t rounds);
void live_stop(void);

/* bench_table.c */
struct bench_row {
	const char *name;
	enum bench_kind kind;
	uint32_t flows;
	double ns[IMPL_MAX]
		 [BENCH_ROUNDS_MAX]; /* of the generator: as it is; of the others: net of it */
	double floor_max, lru_max, katran_max; /* limits; 0 = none */
	double katran; /* its median, ns; 0 = nothing to compare with */
	uint32_t rounds;
};
double stat_min(const double *v, uint32_t n);
double stat_median(const double *v, uint32_t n);
void table_head(const struct bench *b);
void table_row(const struct bench_row *r);
void table_live(const struct live_result *r, uint32_t rounds, double least);
int table_end(void); /* missed limits */
void json_all(FILE *out, const struct bench_row *row, uint32_t rows, const struct live_result *live,
	      uint32_t lives, uint32_t rounds);

#endif
