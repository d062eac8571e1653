/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_table.c - the printed table: the machine, per row minimum and median of every program,
 * ratios of medians, and whether they keep their limits. And the same as JSON.
 */
#include "bpf/bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/utsname.h>
#include <jansson.h>

static int missed;

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double stat_median(const double *v, uint32_t n)
{
	double s[BENCH_ROUNDS_MAX];

	memcpy(s, v, n * sizeof(*v));
	qsort(s, n, sizeof(*s), by_value);
	return n & 1 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
}

double stat_min(const double *v, uint32_t n)
{
	double m = v[0];

	for (uint32_t i = 1; i < n; i++)
		m = v[i] < m ? v[i] : m;
	return m;
}

/* The rest of the first line of `path` that begins with `key`. */
static const char *file_line(const char *path, const char *key, char *buf, size_t len)
{
	FILE *f = fopen(path, "r");
	const char *r = "unknown";
	char *p;

	while (f && fgets(buf, (int)len, f)) {
		if (strncmp(buf, key, strlen(key)))
			continue;
		p = buf + strlen(key);
		p += strspn(p, "\t :");
		p[strcspn(p, "\n")] = 0;
		r = p;
		break;
	}
	if (f)
		fclose(f);
	return r;
}

static json_t *machine(void)
{
	char cpu[512], spectre[512], jit[64];
	struct utsname u;

	uname(&u);
	return json_pack("{s:s, s:i, s:s, s:s, s:s}", "cpu",
			 file_line("/proc/cpuinfo", "model name", cpu, sizeof(cpu)), "cpus",
			 (int)sysconf(_SC_NPROCESSORS_ONLN), "kernel", u.release, "spectre_v2",
			 file_line("/sys/devices/system/cpu/vulnerabilities/spectre_v2", "",
				   spectre, sizeof(spectre)),
			 "jit",
			 file_line("/proc/sys/net/core/bpf_jit_enable", "", jit, sizeof(jit)));
}

void table_head(const struct bench *b)
{
	json_t *m = machine();

	printf("machine   %s, %lld CPUs, Linux %s\n", json_string_value(json_object_get(m, "cpu")),
	       json_integer_value(json_object_get(m, "cpus")),
	       json_string_value(json_object_get(m, "kernel")));
	printf("          JIT %s, Spectre v2: %s\n", json_string_value(json_object_get(m, "jit")),
	       json_string_value(json_object_get(m, "spectre_v2")));
	printf("tables    %u IPv4 and %u IPv6 entries; baseline: LRU hash of %u entries, 40-byte "
	       "key\n",
	       bench_sets(b, false) * RR_FLOW4_WAYS, bench_sets(b, true) * RR_FLOW6_WAYS,
	       bench_sets(b, false) * RR_FLOW4_WAYS);
	printf("ns a packet, net of the generator: minimum / median; ratios of medians\n\n");
	printf("%-18s %8s  %13s  %13s  %13s  %-16s %-16s %s\n", "packet", "flows", "floor",
	       "baseline", "rrlb", "to floor", "to baseline", "to Katran");
	json_decref(m);
}

/* One ratio with its limit: "1.52 <= 2.00 ok". */
static void ratio(double a, double b, double limit)
{
	char s[40];

	if (b <= 0) {
		printf(" %-16s", "-");
		return;
	}
	if (limit <= 0)
		snprintf(s, sizeof(s), "%.2f", a / b);
	else
		snprintf(s, sizeof(s), "%.2f/%.2f %s", a / b, limit,
			 a / b <= limit ? "PASS" : "FAIL");
	missed += limit > 0 && a / b > limit;
	printf(" %-16s", s);
}

static void cell(const double *v, uint32_t n)
{
	char s[32];

	snprintf(s, sizeof(s), "%.1f / %.1f", stat_min(v, n), stat_median(v, n));
	printf("  %13s", s);
}

void table_row(const struct bench_row *r)
{
	double floor = stat_median(r->ns[IMPL_FLOOR], r->rounds);
	double lru = stat_median(r->ns[IMPL_LRU], r->rounds);
	double ours = stat_median(r->ns[IMPL_OURS], r->rounds);
	bool has_floor = r->ns[IMPL_FLOOR][0] > 0;

	printf("%-18s", r->name);
	if (r->flows)
		printf(" %8u", r->flows);
	else
		printf(" %8s", "new");
	if (has_floor)
		cell(r->ns[IMPL_FLOOR], r->rounds);
	else
		printf("  %13s", "-");
	cell(r->ns[IMPL_LRU], r->rounds);
	cell(r->ns[IMPL_OURS], r->rounds);
	printf(" ");
	ratio(ours, has_floor ? floor : 0, r->floor_max);
	ratio(ours, lru, r->lru_max);
	ratio(ours, r->katran, r->katran_max);
	printf("\n");
	fflush(stdout);
}

void table_live(const struct live_result *r, uint32_t rounds, double least)
{
	double share = stat_median(r->share, rounds);

	printf("live frames %8u flows: rrlb %.2f M/s, bare reflector %.2f M/s, share %.2f",
	       r->flows, stat_median(r->ours, rounds) / 1e6, stat_median(r->bare, rounds) / 1e6,
	       share);
	if (least > 0) {
		printf(" (at least %.2f) %s", least, share >= least ? "PASS" : "FAIL");
		missed += share < least;
	}
	printf("\n");
	fflush(stdout);
}

int table_end(void)
{
	return missed;
}

/* ---- JSON ---- */

static json_t *json_stat(const double *v, uint32_t n)
{
	return json_pack("{s:f, s:f}", "min", stat_min(v, n), "median", stat_median(v, n));
}

static json_t *json_row(const struct bench_row *r)
{
	static const char *const names[IMPL_MAX] = { "generator", "floor", "baseline", "rrlb" };
	json_t *o = json_pack("{s:s, s:i}", "packet", r->name, "flows", (int)r->flows);

	for (int i = 0; i < IMPL_MAX; i++) {
		if (r->ns[i][0] > 0)
			json_object_set_new(o, names[i], json_stat(r->ns[i], r->rounds));
	}
	json_object_set_new(o, "floor_limit", json_real(r->floor_max));
	json_object_set_new(o, "baseline_limit", json_real(r->lru_max));
	json_object_set_new(o, "katran_median", json_real(r->katran));
	json_object_set_new(o, "katran_limit", json_real(r->katran_max));
	return o;
}

void json_all(FILE *out, const struct bench_row *row, uint32_t rows, const struct live_result *l,
	      uint32_t lives, uint32_t rounds)
{
	json_t *o = json_object(), *a = json_array(), *b = json_array();

	for (uint32_t i = 0; i < rows; i++)
		json_array_append_new(a, json_row(&row[i]));
	for (uint32_t i = 0; i < lives; i++)
		json_array_append_new(b, json_pack("{s:i, s:f, s:f, s:f}", "flows", (int)l[i].flows,
						   "rrlb", stat_median(l[i].ours, rounds), "bare",
						   stat_median(l[i].bare, rounds), "share",
						   stat_median(l[i].share, rounds)));
	json_object_set_new(o, "machine", machine());
	json_object_set_new(o, "packets", a);
	json_object_set_new(o, "live", b);
	json_dumpf(o, out, JSON_INDENT(2) | JSON_REAL_PRECISION(5));
	fputc('\n', out);
	json_decref(o);
}
