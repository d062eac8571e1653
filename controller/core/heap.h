/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * heap.h - numbers ordered by a time: which is the earliest, and each may be moved at any time.
 */
#ifndef CORE_HEAP_H
#define CORE_HEAP_H

#include <stdint.h>

#include "util/clock.h"

/*
 * The arrays are the owner's, with one element for each id below `size`, zeroed at the start, so
 * that no operation can fail. Id 0 means "none" and cannot be in it.
 */
struct heap {
	uint32_t size, n;
	uint32_t *id; /* [0 .. n-1]: a binary heap */
	uint32_t *place; /* by id: index in `id` + 1; 0 = not in the heap */
	mono_t *at; /* by id */
};

/* Puts it in, or moves it. MONO_NEVER takes it out. */
void heap_set(struct heap *h, uint32_t id, mono_t at);
/* The id with the earliest time; of equal ones, any. 0 = the heap is empty. */
uint32_t heap_first(const struct heap *h);
/* Its time; MONO_NEVER when the heap is empty. */
mono_t heap_next(const struct heap *h);

#endif
