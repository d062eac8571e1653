/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * budget.h - what the packet path costs the kernel that loads it, function by function.
 */
#ifndef LIB_BUDGET_H
#define LIB_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_FUNCTIONS 64u
#define BUDGET_NAME 48u

struct budget_row {
	char name[BUDGET_NAME];
	uint32_t verified; /* instructions that the verifier walked through, repetitions counted */
	uint32_t stack; /* bytes of its own frame */
	uint32_t xlated; /* instructions that the kernel keeps */
	uint32_t jited; /* bytes of machine code; 0 where the kernel does not tell */
};

struct budget {
	char kernel[16]; /* "6.12" */
	char compiler[64]; /* of the object: "clang version 14.0.6" */
	struct budget_row row[BUDGET_FUNCTIONS]; /* [0]: the program itself */
	bool calls[BUDGET_FUNCTIONS][BUDGET_FUNCTIONS];
	uint32_t n;
	uint32_t processed; /* instructions verified, as the kernel sums them up */
};

/* Loads the program once and measures it. Aborts with a message where that cannot be done. */
void budget_measure(struct budget *b);
/* All functions together; `stack` is that of the deepest chain of calls, as the verifier rounds. */
struct budget_row budget_sum(const struct budget *b);

#endif
