/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * heap.c - a binary heap of ids, the earliest time on top (Williams 1964). Each id knows its
 * place, so one that is moved costs log n steps, wherever it stands. Owns nothing.
 */
#include "core/heap.h"

static void heap_place(struct heap *h, uint32_t i, uint32_t id)
{
	h->id[i] = id;
	h->place[id] = i + 1;
}

static mono_t heap_time(const struct heap *h, uint32_t i)
{
	return h->at[h->id[i]];
}

static void heap_up(struct heap *h, uint32_t i)
{
	const uint32_t id = h->id[i];

	while (i && mono_cmp(h->at[id], heap_time(h, (i - 1) / 2)) < 0) {
		heap_place(h, i, h->id[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_place(h, i, id);
}

static void heap_down(struct heap *h, uint32_t i)
{
	const uint32_t id = h->id[i];

	for (uint32_t child; (child = 2 * i + 1) < h->n; i = child) {
		if (child + 1 < h->n && mono_cmp(heap_time(h, child + 1), heap_time(h, child)) < 0)
			child++;
		if (mono_cmp(heap_time(h, child), h->at[id]) >= 0)
			break;
		heap_place(h, i, h->id[child]);
	}
	heap_place(h, i, id);
}

/* The last one takes its place. */
static void heap_drop(struct heap *h, uint32_t id)
{
	const uint32_t i = h->place[id] - 1, last = h->id[--h->n];

	h->place[id] = 0;
	if (last == id)
		return;
	heap_place(h, i, last);
	heap_up(h, i);
	heap_down(h, h->place[last] - 1);
}

void heap_set(struct heap *h, uint32_t id, mono_t at)
{
	if (!id || id >= h->size)
		return;
	if (mono_is_never(at)) {
		if (h->place[id])
			heap_drop(h, id);
		return;
	}
	h->at[id] = at;
	if (!h->place[id])
		heap_place(h, h->n++, id);
	heap_up(h, h->place[id] - 1);
	heap_down(h, h->place[id] - 1);
}

uint32_t heap_first(const struct heap *h)
{
	return h->n ? h->id[0] : 0;
}

mono_t heap_next(const struct heap *h)
{
	return h->n ? heap_time(h, 0) : MONO_NEVER;
}
