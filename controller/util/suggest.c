/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * suggest.c - the nearest keyword by edit distance (optimal string alignment: a swap of two
 * neighbouring letters, the commonest slip of all, counts once). ASCII case does not count, nor
 * does '_' for '-'.
 *
 * Near enough is one slip in a word of up to 3 letters, else one in three letters: "timout" finds
 * "timeout", "foo" finds nothing. Three rows of the matrix suffice; words longer than a row are
 * never near.
 */
#include "util/suggest.h"

#include <string.h>

#define ROW 48 /* longest word compared */

static char fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '_' ? '-' : c;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

size_t suggest_distance(const char *a, const char *b)
{
	size_t rows[3][ROW + 1], *older = rows[0], *old = rows[1], *row = rows[2], *swap;
	size_t n = strlen(a), m = strlen(b);

	if (n > ROW || m > ROW)
		return SUGGEST_FAR;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		swap = older, older = old, old = row, row = swap;
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			char x = fold(a[i - 1]), y = fold(b[j - 1]);

			row[j] = min3(old[j] + 1, row[j - 1] + 1, old[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == fold(b[j - 2]) && fold(a[i - 2]) == y)
				row[j] = min3(row[j], row[j], older[j - 2] + 1);
		}
	}
	return row[m];
}

void suggest_offer(struct suggest *s, const char *candidate)
{
	size_t d = suggest_distance(s->word, candidate);

	if (s->best && d >= s->distance)
		return;
	s->best = candidate;
	s->distance = d;
}

const char *suggest_best(const struct suggest *s)
{
	size_t len = strlen(s->word);
	size_t near = len / 3 ? len / 3 : 1;

	if (!s->best || s->distance > near || s->distance >= strlen(s->best))
		return NULL;
	return s->best;
}
