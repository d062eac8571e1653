/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * text_diff.c - a shortest edit script by lines (E. Myers, "An O(ND) Difference Algorithm", 1986),
 * as a unified diff.
 *
 * The greedy form: for d = 0, 1, 2 ... edits, the furthest point reached on each diagonal k = x -
 * y; every row of furthest points is kept and walked back to mark the lines that go and the lines
 * that come. Memory is d*d/2 words, so beyond EDITS_MAX edits the texts count as entirely
 * different: still a correct difference, only not a short one.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/strbuf.h"
#include "util/text_diff.h"

#define EDITS_MAX 2000
#define AROUND 3

struct lines {
	const char **at; /* n + 1 pointers; a line ends where the next begins */
	size_t n;
	bool *edited; /* goes (in a), comes (in b) */
};

static int lines_split(struct lines *l, const char *text)
{
	const char *p = text;
	size_t n = 0;

	for (; *p; n++)
		p = strchrnul(p, '\n'), p += *p != '\0';
	l->at = calloc(n + 1, sizeof(*l->at));
	l->edited = calloc(n + 1, sizeof(*l->edited));
	if (!l->at || !l->edited)
		return -1;
	for (p = text, l->n = 0; l->n < n; l->n++) {
		l->at[l->n] = p;
		p = strchrnul(p, '\n');
		p += *p != '\0';
	}
	l->at[n] = p;
	return 0;
}

static void lines_free(struct lines *l)
{
	free(l->at);
	free(l->edited);
}

static bool same(const struct lines *a, size_t i, const struct lines *b, size_t j)
{
	size_t n = (size_t)(a->at[i + 1] - a->at[i]);

	return n == (size_t)(b->at[j + 1] - b->at[j]) && !memcmp(a->at[i], b->at[j], n);
}

/* Row d holds diagonals -d..d; row[d][k + d] is the furthest x there. */
static long step(long *const *row, const struct lines *a, const struct lines *b, long d, long k)
{
	long x, y;

	if (d == 0)
		x = 0;
	else if (k == -d || (k != d && row[d - 1][k - 1 + d - 1] < row[d - 1][k + 1 + d - 1]))
		x = row[d - 1][k + 1 + d - 1];
	else
		x = row[d - 1][k - 1 + d - 1] + 1;
	y = x - k;
	while (x < (long)a->n && y >= 0 && y < (long)b->n && same(a, (size_t)x, b, (size_t)y))
		x++, y++;
	row[d][k + d] = x;
	return x;
}

/*
 * Inner diagonals of row d - 1 exist only for |k| <= d - 1: step() never reads outside, see its
 * conditions.
 */
static void walk_back(long *const *row, struct lines *a, struct lines *b, long d)
{
	long x = (long)a->n, y = (long)b->n, px, py;

	for (; d > 0; d--) {
		const long k = x - y;

		if (k == -d || (k != d && row[d - 1][k - 1 + d - 1] < row[d - 1][k + 1 + d - 1])) {
			px = row[d - 1][k + 1 + d - 1];
			py = px - (k + 1);
			b->edited[py] = true;
		} else {
			px = row[d - 1][k - 1 + d - 1];
			py = px - (k - 1);
			a->edited[px] = true;
		}
		x = px;
		y = py;
	}
}

static void mark_all(struct lines *a, struct lines *b)
{
	memset(a->edited, 1, a->n * sizeof(bool));
	memset(b->edited, 1, b->n * sizeof(bool));
}

/* 0, or -1 = no memory. */
static int mark(struct lines *a, struct lines *b)
{
	long found = -1, max = (long)(a->n + b->n);
	long **row = calloc(EDITS_MAX + 1, sizeof(*row));
	int rc = row ? 0 : -1;

	if (max > EDITS_MAX)
		max = EDITS_MAX;
	for (long d = 0; !rc && found < 0 && d <= max; d++) {
		row[d] = malloc((size_t)(2 * d + 1) * sizeof(long));
		if (!row[d]) {
			rc = -1;
			break;
		}
		for (long k = -d; k <= d; k += 2) {
			long x = step(row, a, b, d, k);

			if (x >= (long)a->n && x - k >= (long)b->n)
				found = d;
		}
	}
	if (!rc && found >= 0)
		walk_back(row, a, b, found);
	else if (!rc)
		mark_all(a, b);
	for (long d = 0; row && d <= max; d++)
		free(row[d]);
	free(row);
	return rc;
}

struct hunk {
	size_t a, b; /* first line */
	size_t an, bn; /* lines */
};

static void put_line(struct strbuf *sb, char sign, const struct lines *l, size_t i)
{
	size_t n = (size_t)(l->at[i + 1] - l->at[i]);

	strbuf_putc(sb, sign);
	strbuf_add(sb, l->at[i], n);
	if (!n || l->at[i][n - 1] != '\n')
		strbuf_puts(sb, "\n\\ No newline at end of file\n");
}

static void put_hunk(struct strbuf *sb, const struct lines *a, const struct lines *b,
		     const struct hunk *h)
{
	size_t i = h->a, j = h->b;

	strbuf_printf(sb, "@@ -%zu,%zu +%zu,%zu @@\n", h->an ? h->a + 1 : h->a, h->an,
		      h->bn ? h->b + 1 : h->b, h->bn);
	while (i < h->a + h->an || j < h->b + h->bn) {
		if (i < h->a + h->an && a->edited[i])
			put_line(sb, '-', a, i++);
		else if (j < h->b + h->bn && b->edited[j])
			put_line(sb, '+', b, j++);
		else
			put_line(sb, ' ', a, i++), j++;
	}
}

static bool edited_at(const struct lines *a, const struct lines *b, size_t i, size_t j)
{
	return (i < a->n && a->edited[i]) || (j < b->n && b->edited[j]);
}

/*
 * From the first edit at (i, j): takes edits, and equal lines as long as another edit follows
 * within 2 * AROUND.
 */
static void hunk_grow(struct hunk *h, const struct lines *a, const struct lines *b, size_t *i,
		      size_t *j)
{
	size_t equal = 0, before = *i < AROUND ? *i : AROUND;

	before = *j < before ? *j : before;
	h->a = *i - before;
	h->b = *j - before;
	while ((*i < a->n || *j < b->n) && equal < 2 * AROUND) {
		if (edited_at(a, b, *i, *j)) {
			*i += *i < a->n && a->edited[*i];
			if (*j < b->n && b->edited[*j])
				++*j;
			equal = 0;
		} else {
			++*i, ++*j, equal++;
		}
	}
	if (equal > AROUND) {
		*i -= equal - AROUND;
		*j -= equal - AROUND;
	}
	h->an = *i - h->a;
	h->bn = *j - h->b;
}

static void print(struct strbuf *sb, const struct lines *a, const struct lines *b)
{
	size_t i = 0, j = 0;
	struct hunk h;

	while (i < a->n || j < b->n) {
		if (!edited_at(a, b, i, j)) {
			i++, j++;
			continue;
		}
		hunk_grow(&h, a, b, &i, &j);
		put_hunk(sb, a, b, &h);
	}
}

char *text_diff(const char *a, const char *b, const char *from, const char *to)
{
	struct lines la = { 0 }, lb = { 0 };
	struct strbuf sb = { 0 };
	char *diff = NULL;

	if (!strcmp(a, b))
		return strdup("");
	if (lines_split(&la, a) || lines_split(&lb, b) || mark(&la, &lb))
		goto out;
	strbuf_printf(&sb, "--- %s\n+++ %s\n", from, to);
	print(&sb, &la, &lb);
	diff = strbuf_take(&sb);
out:
	lines_free(&la);
	lines_free(&lb);
	return diff;
}
