/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_budget.c - what the packet path costs the verifier and the machine, against absolute
 * limits and against budget.golden: for every function on every listed kernel the instructions
 * verified, its stack frame, instructions kept and bytes of machine code. A change of more than
 * 5 % either way fails until the file is made anew with `make budget`, so that the commit shows it.
 * On a kernel or with a compiler that the file does not know only the limits hold, and the test
 * says so.
 *
 * BUDGET_PRINT=1 prints the rows for the file instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/budget.h"

#define GOLDEN "tests/bpf/budget.golden"
#define VERIFIED_MAX 400000u /* all functions; the kernel's own limit is a million */
#define CHAIN_MAX 448u /* of 512 bytes of stack */
#define SLACK 5 /* % */

static struct budget measured;
static struct budget_row sum;

/* ---- the golden file ---- */

struct golden {
	char compiler[64];
	struct budget_row row[BUDGET_FUNCTIONS]; /* of the kernel at hand */
	uint32_t n;
};

/* "KERNEL FUNCTION VERIFIED STACK XLATED JITED", "compiler TEXT" or "# ..." */
static void golden_line(struct golden *g, const char *line)
{
	struct budget_row *row = &g->row[g->n];
	char kernel[16];

	if (sscanf(line, "compiler %63[^\n]", g->compiler) == 1 || *line == '#')
		return;
	if (sscanf(line, "%15s %47s %u %u %u %u", kernel, row->name, &row->verified, &row->stack,
		   &row->xlated, &row->jited) != 6)
		fail_msg("%s: cannot read: %s", GOLDEN, line);
	if (strcmp(kernel, measured.kernel) != 0)
		return;
	assert_true(++g->n < BUDGET_FUNCTIONS);
}

static void golden_read(struct golden *g)
{
	FILE *f = fopen(GOLDEN, "r");
	char line[256];

	memset(g, 0, sizeof(*g));
	if (!f) {
		fail_msg("%s cannot be read", GOLDEN);
		return;
	}
	while (fgets(line, sizeof(line), f))
		golden_line(g, line);
	fclose(f);
}

/* Why the rows cannot be compared; NULL: they can. */
static const char *incomparable(const struct golden *g)
{
	static char why[192];

	if (strcmp(g->compiler, measured.compiler) != 0)
		snprintf(why, sizeof(why), "made by %s, the file by %s", measured.compiler,
			 g->compiler);
	else if (!g->n)
		snprintf(why, sizeof(why), "no rows for kernel %s", measured.kernel);
	else
		return NULL;
	return why;
}

/* ---- comparing ---- */

static uint32_t off(const char *function, const char *what, uint32_t is, uint32_t golden)
{
	uint64_t apart = is > golden ? is - golden : golden - is;

	if (apart * 100 <= (uint64_t)golden * SLACK)
		return 0;
	print_message("# kernel %s, %s: %s %u, was %u\n", measured.kernel, function, what, is,
		      golden);
	return 1;
}

static const struct budget_row *row_of(const struct budget_row *rows, uint32_t n, const char *name)
{
	for (uint32_t i = 0; i < n; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

static uint32_t compare(const struct budget_row *is, const struct budget_row *golden)
{
	if (!golden) {
		print_message("# kernel %s, %s: not in the file\n", measured.kernel, is->name);
		return 1;
	}
	return off(is->name, "verified instructions", is->verified, golden->verified) +
	       off(is->name, "bytes of stack", is->stack, golden->stack) +
	       off(is->name, "instructions", is->xlated, golden->xlated) +
	       off(is->name, "bytes of machine code", is->jited, golden->jited);
}

static void test_golden(void **state)
{
	struct golden g;
	const char *why;
	uint32_t wrong;

	(void)state;
	golden_read(&g);
	why = incomparable(&g);
	if (why) {
		print_message("# measured, not compared: %s\n", why);
		skip();
	}
	wrong = compare(&sum, row_of(g.row, g.n, sum.name));
	for (uint32_t i = 0; i < measured.n; i++)
		wrong += compare(&measured.row[i], row_of(g.row, g.n, measured.row[i].name));
	for (uint32_t i = 0; i < g.n; i++) {
		if (strcmp(g.row[i].name, sum.name) != 0 &&
		    !row_of(measured.row, measured.n, g.row[i].name)) {
			print_message("# %s: only in the file\n", g.row[i].name);
			wrong++;
		}
	}
	if (wrong)
		fail_msg("%u differences beyond %d %%; wanted? then `make budget`", wrong, SLACK);
}

/* ---- limits ---- */

/* Of static linkage, so verified within its callers: what bpf_loop() calls. */
static bool within(const char *function)
{
	return strcmp(function, "port_draw_one") == 0;
}

/* What is counted in the log is what the kernel counted. */
static void test_adds_up(void **state)
{
	(void)state;
	assert_true(measured.processed > 0);
	assert_int_equal(sum.verified, measured.processed);
	for (uint32_t i = 0; i < measured.n; i++) {
		assert_int_equal(measured.row[i].verified == 0, within(measured.row[i].name));
		assert_true(measured.row[i].xlated > 0);
	}
}

static void test_limits(void **state)
{
	(void)state;
	print_message("# kernel %s: %u verified, chain of %u bytes, %u instructions, %u bytes\n",
		      measured.kernel, sum.verified, sum.stack, sum.xlated, sum.jited);
	assert_in_range(sum.verified, 1, VERIFIED_MAX);
	assert_in_range(sum.stack, 1, CHAIN_MAX);
}

static void print_row(const struct budget_row *row)
{
	printf("%-6s %-16s %8u %6u %7u %7u\n", measured.kernel, row->name, row->verified,
	       row->stack, row->xlated, row->jited);
}

static int print(void)
{
	printf("compiler %s\n", measured.compiler);
	print_row(&sum);
	for (uint32_t i = 0; i < measured.n; i++)
		print_row(&measured.row[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adds_up),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_golden),
	};

	budget_measure(&measured);
	sum = budget_sum(&measured);
	if (getenv("BUDGET_PRINT"))
		return print();
	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
