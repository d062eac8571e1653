/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * suggest.h - "did you mean": offer every word that would have been right, ask for the nearest.
 *
 *	struct suggest s = { .word = typed };
 *	for each keyword: suggest_offer(&s, keyword);
 *	if (suggest_best(&s)) ...
 */
#ifndef UTIL_SUGGEST_H
#define UTIL_SUGGEST_H

#include <stddef.h>

struct suggest {
	const char *word;
	const char *best; /* nearest offered so far */
	size_t distance;
};

void suggest_offer(struct suggest *s, const char *candidate);
/* NULL when nothing offered is near enough to be a likely slip. */
const char *suggest_best(const struct suggest *s);
/*
 * Insertions, deletions, replacements and swaps of neighbours that turn a into b, at most
 * SUGGEST_FAR.
 */
size_t suggest_distance(const char *a, const char *b);

#define SUGGEST_FAR 64

#endif
