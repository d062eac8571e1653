/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench.c - speed of the packet path, side by side in one run: the path itself, a floor (the same
 * without a flow lookup) and a baseline (the same over an LRU hash), for established flows, new
 * connections and live frames.
 *
 * Rounds of all programs are interleaved, so that a slow moment of the machine meets all of them;
 * the first round warms up and is dropped. What the packet generator costs is measured in the same
 * round and taken off.
 *
 *   bench [--quick] [--json] [--rounds N] [--cpu N] [--only TEXT] [--object FILE]
 * Exit: 0, 1 when a limit is missed (never with --quick), 2 when it could not measure.
 */
#include "bpf/bench.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLOW_COUNTS 4
#define ROWS_MAX 40
#define LIVE_LEAST 0.75
#define GOOD_LEAST 0.95 /* of the packets must have taken the path that the row is about */

/*
 * Katran's medians on such a machine (README): established, hot and at a million flows; new; new
 * with eviction.
 */
#define KATRAN_HOT4 112.0
#define KATRAN_HOT6 117.0
#define KATRAN_MANY 496.0
#define KATRAN_NEW 525.0
#define KATRAN_EVICT 1067.0

static struct {
	struct bench_conf conf;
	uint32_t flows[FLOW_COUNTS];
	bool quick, json;
	const char *only;
	struct bench_row row[ROWS_MAX];
	uint32_t rows;
	struct live_result live[FLOW_COUNTS];
	uint32_t lives;
} run;

void die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "bench: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

/* ---- rows ---- */

static bool wanted(const char *name)
{
	return !run.only || strstr(name, run.only);
}

static struct bench_row *new_row(const char *name, enum bench_kind kind, uint32_t flows)
{
	struct bench_row *r = &run.row[run.rows++];

	if (run.rows == ROWS_MAX)
		die("too many rows");
	r->name = name;
	r->kind = kind;
	r->flows = flows;
	r->rounds = run.conf.rounds;
	return r;
}

static double measure(struct bench *b, struct bench_row *r, enum bench_impl impl, uint32_t repeat)
{
	double good, ns = bench_run(b, impl, r->kind, r->flows, repeat, &good);

	if (impl != IMPL_GEN && good < GOOD_LEAST)
		die("%s, %u flows, program %d: only %.1f %% of the packets were forwarded", r->name,
		    r->flows, impl, good * 100);
	return ns;
}

static void keep(struct bench_row *r, uint32_t round, const double *ns)
{
	if (!round) /* warm-up */
		return;
	r->ns[IMPL_GEN][round - 1] = ns[IMPL_GEN];
	for (enum bench_impl i = IMPL_GEN + 1; i < IMPL_MAX; i++)
		r->ns[i][round - 1] = ns[i] ? ns[i] - ns[IMPL_GEN] : 0;
}

static void done(struct bench_row *r)
{
	if (run.quick) /* too short to judge */
		r->floor_max = r->lru_max = r->katran_max = 0;
	if (!run.json)
		table_row(r);
}

/* ---- established flows ---- */

static void known_row(struct bench *b, const char *name, enum bench_kind kind, int count)
{
	bool v6 = kind == KIND_CLIENT6 || kind == KIND_SERVER6;
	bool client = kind != KIND_SERVER4 && kind != KIND_SERVER6;
	struct bench_row *r = new_row(name, kind, run.flows[count]);
	double ns[IMPL_MAX];

	if (count <= 1) {
		r->floor_max = v6 ? 2.2 : 2.0;
		r->katran = client ? (v6 ? KATRAN_HOT6 : KATRAN_HOT4) : 0;
		r->katran_max = 1.0 / 3;
	} else if (count == 3) {
		r->lru_max = 0.5;
		r->katran = client && !v6 ? KATRAN_MANY : 0;
		r->katran_max = 0.5;
	}
	for (uint32_t round = 0; round <= r->rounds; round++) {
		for (enum bench_impl i = 0; i < IMPL_MAX; i++)
			ns[i] = measure(b, r, i, run.conf.repeat);
		keep(r, round, ns);
	}
	done(r);
}

static void known_service(struct bench *b, enum bench_service s, enum bench_kind there,
			  enum bench_kind back, const char *const name[2])
{
	uint32_t most = run.flows[FLOW_COUNTS - 1];

	if (!wanted(name[0]) && (!name[1] || !wanted(name[1])))
		return;
	fill_established(b, s, most, RR_FLOW_EST);
	fill_lru_established(b, s, most, RR_FLOW_EST);
	for (int c = 0; c < FLOW_COUNTS && wanted(name[0]); c++)
		known_row(b, name[0], there, c);
	for (int c = 0; c < FLOW_COUNTS && name[1] && wanted(name[1]); c++)
		known_row(b, name[1], back, c);
	fill_clear(b, s == BENCH_NAT6);
	fill_lru_clear(b);
}

static void known(struct bench *b)
{
	static const char *const nat4[] = { "v4 nat, client", "v4 nat, server" };
	static const char *const nat6[] = { "v6 nat, client", "v6 nat, server" };
	static const char *const dsr4[] = { "v4 dsr, client", NULL };

	known_service(b, BENCH_NAT4, KIND_CLIENT4, KIND_SERVER4, nat4);
	known_service(b, BENCH_NAT6, KIND_CLIENT6, KIND_SERVER6, nat6);
	known_service(b, BENCH_DSR4, KIND_DSR4, KIND_MAX, dsr4);
}

/* ---- new connections ---- */

/* Tables are set up anew before every round; both programs meet the same state. */
static void new_row_run(struct bench *b, const char *name, enum bench_kind kind, bool full)
{
	bool v6 = kind == KIND_FRESH6;
	uint32_t repeat =
		run.conf.repeat < run.conf.flows_max / 8 ? run.conf.repeat : run.conf.flows_max / 8;
	struct bench_row *r;
	double ns[IMPL_MAX] = { 0 };

	if (!wanted(name))
		return;
	r = new_row(name, kind, 0);
	r->lru_max = full ? 1.0 / 3 : 0;
	r->katran = v6 ? 0 : full ? KATRAN_EVICT : KATRAN_NEW;
	r->katran_max = 1.0 / 3;
	if (full)
		fill_lru_half_open(b);
	for (uint32_t round = 0; round <= r->rounds; round++) {
		if (full)
			fill_half_open(b, v6);
		else
			fill_clear(b, v6);
		ns[IMPL_GEN] = measure(b, r, IMPL_GEN, repeat);
		ns[IMPL_LRU] = measure(b, r, IMPL_LRU, repeat);
		ns[IMPL_OURS] = measure(b, r, IMPL_OURS, repeat);
		keep(r, round, ns);
		if (!full)
			fill_lru_clear(b);
	}
	done(r);
	fill_clear(b, v6);
	fill_lru_clear(b);
}

/* Retransmitted SYNs of half-open connections: they follow their flow. */
static void again(struct bench *b, const char *name)
{
	uint32_t most = run.flows[FLOW_COUNTS - 1];
	double ns[IMPL_MAX] = { 0 };

	if (!wanted(name))
		return;
	fill_established(b, BENCH_NAT4, most, RR_FLOW_SYN);
	fill_lru_established(b, BENCH_NAT4, most, RR_FLOW_SYN);
	for (int c = 0; c < FLOW_COUNTS; c++) {
		struct bench_row *r = new_row(name, KIND_AGAIN4, run.flows[c]);

		for (uint32_t round = 0; round <= r->rounds; round++) {
			ns[IMPL_GEN] = measure(b, r, IMPL_GEN, run.conf.repeat);
			ns[IMPL_LRU] = measure(b, r, IMPL_LRU, run.conf.repeat);
			ns[IMPL_OURS] = measure(b, r, IMPL_OURS, run.conf.repeat);
			keep(r, round, ns);
		}
		done(r);
	}
	fill_clear(b, false);
	fill_lru_clear(b);
}

static void fresh(struct bench *b)
{
	new_row_run(b, "v4 nat, SYN, room", KIND_FRESH4, false);
	new_row_run(b, "v4 nat, SYN, full", KIND_FRESH4, true);
	new_row_run(b, "v6 nat, SYN, room", KIND_FRESH6, false);
	new_row_run(b, "v6 nat, SYN, full", KIND_FRESH6, true);
	new_row_run(b, "v4 dsr, SYN, room", KIND_FRESH_DSR4, false);
	new_row_run(b, "v4 dsr, SYN, full", KIND_FRESH_DSR4, true);
	again(b, "v4 nat, SYN again");
}

/* ---- live frames ---- */

static void live_frames(struct bench *b)
{
	if (!wanted("live frames"))
		return;
	fill_established(b, BENCH_NAT4, run.flows[FLOW_COUNTS - 1], RR_FLOW_EST);
	live_start(b);
	if (!run.json)
		printf("\n");
	for (int c = 0; c < FLOW_COUNTS; c++) {
		struct live_result *l = &run.live[run.lives++];

		l->flows = run.flows[c];
		live_run(b, l, run.conf.repeat, run.conf.rounds);
		if (!run.json)
			table_live(l, run.conf.rounds, c <= 1 && !run.quick ? LIVE_LEAST : 0);
	}
	live_stop();
}

/* ---- options ---- */

static void set_sizes(bool quick)
{
	static const uint32_t full[FLOW_COUNTS] = { 1, 1000, 100000, 1000000 };
	static const uint32_t smoke[FLOW_COUNTS] = { 1, 1000, 2000, 4000 };

	memcpy(run.flows, quick ? smoke : full, sizeof(run.flows));
	run.quick = quick;
	run.conf.flows_max = quick ? 4096 : 1u << 20;
	run.conf.repeat = quick ? 2000 : 400000;
	run.conf.rounds = quick ? 1 : 11;
}

static uint32_t number(const char *text, uint32_t most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n > most)
		die("%s: not a number up to %u", text, most);
	return (uint32_t)n;
}

static void options(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "quick", no_argument, NULL, 'q' },
		{ "json", no_argument, NULL, 'j' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "only", required_argument, NULL, 'o' },
		{ "object", required_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 },
	};
	uint32_t rounds = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c == 'q')
			run.quick = true;
		else if (c == 'j')
			run.json = true;
		else if (c == 'r')
			rounds = number(optarg, BENCH_ROUNDS_MAX);
		else if (c == 'c')
			run.conf.cpu = (int)number(optarg, CPU_SETSIZE - 1);
		else if (c == 'o')
			run.only = optarg;
		else if (c == 'b')
			run.conf.object = optarg;
		else
			exit(2);
	}
	set_sizes(run.quick);
	if (rounds)
		run.conf.rounds = rounds;
}

/* The bench's own objects are where the test objects are built; the packet path is above. */
static void find_objects(void)
{
	const char *build = getenv("RRLB_BUILD");
	static char object[4096], folder[4096];

	snprintf(object, sizeof(object), "%s/rr_xdp.bpf.o", build ? build : "build");
	snprintf(folder, sizeof(folder), "%s/tests/bpf", build ? build : "build");
	if (!run.conf.object)
		run.conf.object = object;
	run.conf.folder = folder;
}

static void pin_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot run on CPU %d: %s", cpu, strerror(errno));
}

int main(int argc, char **argv)
{
	struct bench *b;

	run.conf.cpu = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
	options(argc, argv);
	find_objects();
	pin_cpu(run.conf.cpu);
	b = bench_load(&run.conf);
	if (!run.json)
		table_head(b);
	known(b);
	fresh(b);
	live_frames(b);
	bench_free(b);
	if (run.json)
		json_all(stdout, run.row, run.rows, run.live, run.lives, run.conf.rounds);
	return !run.quick && table_end() ? 1 : 0;
}
