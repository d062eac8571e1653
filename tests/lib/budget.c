/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * budget.c - loads the packet path with the verifier's full log and reads from it, and from what
 * the kernel tells of the loaded program, what each function costs.
 *
 * The verifier sums up instructions for the whole program only ("processed N insns"). A
 * function's share is counted in the log of level 2: one line for each instruction walked
 * through, or one "safe" where a known state ended the walk at an instruction that was counted
 * already. Functions of global linkage are verified alone, between "Validating" and "is safe for
 * any args"; all other lines are the program's. The shares must add up to the kernel's sum, which
 * the test checks. Stack depths come from the line "stack depth A+B+...", in the order of the
 * functions.
 */
#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "lib/budget.h"
#include "lib/rig.h"

#define LOG_SIZE (512u << 20) /* only what the kernel writes becomes memory */
#define LOG_LEVEL (2u | 4u) /* every instruction, and statistics */

/* ---- the log ---- */

static bool counted(const char *line, size_t len)
{
	size_t digits = 0;

	while (digits < len && isdigit((unsigned char)line[digits]))
		digits++;
	if (digits && len > digits + 2 && memcmp(line + digits, ": (", 3) == 0)
		return true;
	return len > 6 && memcmp(line + len - 6, ": safe", 6) == 0;
}

static uint32_t function_of(const struct budget *b, const char *name)
{
	size_t len = strcspn(name, "(");

	for (uint32_t i = 0; i < b->n; i++) {
		if (strlen(b->row[i].name) == len && memcmp(b->row[i].name, name, len) == 0)
			return i;
	}
	errx(1, "the verifier's log names a function %.*s", (int)len, name);
}

static void depths(struct budget *b, const char *list)
{
	char *end;

	for (uint32_t i = 0; i < b->n; i++, list = end + (*end == '+')) {
		b->row[i].stack = (uint32_t)strtoul(list, &end, 10);
		if (end == list)
			errx(1, "%u functions, but the verifier tells stack depths of %u", b->n, i);
	}
}

static void read_log(struct budget *b, const char *log)
{
	uint32_t now = 0;

	for (const char *line = log, *end; *line; line = end + (*end == '\n')) {
		end = line + strcspn(line, "\n");
		if (counted(line, (size_t)(end - line)))
			b->row[now].verified++;
		else if (strncmp(line, "Validating ", 11) == 0)
			now = function_of(b, line + 11);
		else if (strncmp(line, "Func#", 5) == 0 &&
			 memmem(line, (size_t)(end - line), "safe for any args", 17))
			now = 0;
		else if (strncmp(line, "stack depth ", 12) == 0)
			depths(b, line + 12);
		else if (strncmp(line, "processed ", 10) == 0)
			b->processed = (uint32_t)strtoul(line + 10, NULL, 10);
	}
}

/* ---- the loaded program ---- */

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool is_call(const struct bpf_insn *in)
{
	return in->code == (BPF_JMP | BPF_CALL) && in->src_reg == BPF_PSEUDO_CALL;
}

/* The functions lie one after the other; a call's `imm` leads to the first instruction of one. */
static uint32_t starts(const struct bpf_insn *in, uint32_t n, uint32_t start[BUDGET_FUNCTIONS])
{
	uint32_t found = 1;

	start[0] = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t to = i + 1 + (uint32_t)in[i].imm, k = 0;

		if (!is_call(&in[i]))
			continue;
		while (k < found && start[k] != to)
			k++;
		if (k < found)
			continue;
		if (found == BUDGET_FUNCTIONS)
			errx(1, "more than %u functions", found);
		start[found++] = to;
	}
	qsort(start, found, sizeof(*start), by_number);
	return found;
}

static uint32_t at(const uint32_t *start, uint32_t n, uint32_t insn)
{
	while (start[n - 1] > insn)
		n--;
	return n - 1;
}

static void read_calls(struct budget *b, const struct bpf_program *prog)
{
	uint32_t start[BUDGET_FUNCTIONS], n = (uint32_t)bpf_program__insn_cnt(prog);
	const struct bpf_insn *in = bpf_program__insns(prog);

	if (starts(in, n, start) != b->n)
		errx(1, "the object and the kernel do not have the same functions");
	for (uint32_t i = 0; i < n; i++) {
		if (is_call(&in[i]))
			b->calls[at(start, b->n, i)][at(start, b->n, i + 1 + (uint32_t)in[i].imm)] =
				true;
	}
}

/* Names, and sizes after the verifier's rewriting and after translation. */
static void read_info(struct budget *b, int fd)
{
	struct bpf_func_info func[BUDGET_FUNCTIONS] = { 0 };
	uint32_t jited[BUDGET_FUNCTIONS] = { 0 };
	struct bpf_prog_info info = { .func_info = (uintptr_t)func,
				      .nr_func_info = BUDGET_FUNCTIONS,
				      .func_info_rec_size = sizeof(func[0]),
				      .jited_func_lens = (uintptr_t)jited,
				      .nr_jited_func_lens = BUDGET_FUNCTIONS };
	uint32_t size = sizeof(info), all;
	struct btf *btf;

	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.nr_func_info > BUDGET_FUNCTIONS)
		err(1, "ask the kernel about the program");
	btf = btf__load_from_kernel_by_id(info.btf_id);
	if (!btf)
		err(1, "read the program's types");
	all = info.xlated_prog_len / (uint32_t)sizeof(struct bpf_insn);
	b->n = info.nr_func_info;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct btf_type *t = btf__type_by_id(btf, func[i].type_id);
		uint32_t end = i + 1 < b->n ? func[i + 1].insn_off : all;

		snprintf(b->row[i].name, BUDGET_NAME, "%s", btf__name_by_offset(btf, t->name_off));
		b->row[i].xlated = end - func[i].insn_off;
		b->row[i].jited = i < info.nr_jited_func_lens ? jited[i] : 0;
	}
	btf__free(btf);
}

static void read_kernel(struct budget *b)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	uname(&u);
	sscanf(u.release, "%u.%u", &major, &minor);
	snprintf(b->kernel, sizeof(b->kernel), "%u.%u", major, minor);
}

void budget_measure(struct budget *b)
{
	char *log = mmap(NULL, LOG_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const struct rig_opts opts = { .log = log, .log_size = LOG_SIZE, .log_level = LOG_LEVEL };
	struct rig r;

	if (log == MAP_FAILED)
		err(1, "room for the verifier's log");
	memset(b, 0, sizeof(*b));
	read_kernel(b);
	rig_open(&r, &opts);
	rig_compiler(b->compiler, sizeof(b->compiler));
	read_info(b, r.prog);
	read_calls(b, rig_program(&r));
	read_log(b, log);
	rig_close(&r);
	munmap(log, LOG_SIZE);
}

/* ---- sums ---- */

/*
 * A frame takes a multiple of 32 bytes, at least one, whatever the kernel: newer ones round less.
 */
static uint32_t chain_from(const struct budget *b, uint32_t f)
{
	uint32_t own = (b->row[f].stack + 31) / 32 * 32, most = 0;

	for (uint32_t to = 0; to < b->n; to++) {
		uint32_t below = b->calls[f][to] ? chain_from(b, to) : 0;

		most = below > most ? below : most;
	}
	return (own ? own : 32) + most;
}

struct budget_row budget_sum(const struct budget *b)
{
	struct budget_row sum = { .name = "all", .stack = chain_from(b, 0) };

	for (uint32_t i = 0; i < b->n; i++) {
		sum.verified += b->row[i].verified;
		sum.xlated += b->row[i].xlated;
		sum.jited += b->row[i].jited;
	}
	return sum;
}
