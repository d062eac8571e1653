/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_print.c - struct conf -> canonical text: the order of the keyword tables, one statement a
 * line.
 *
 * conf_print() writes only what differs from its default plus what a reader must see;
 * conf_print_full() writes every option that has a default or a value. Both parse back to an equal
 * struct, so two configurations are equal exactly when their texts are, and a diff of two texts is
 * a diff of what they mean.
 */
#include <string.h>

#include "conf/conf_int.h"

struct printer {
	struct strbuf *sb;
	bool full; /* defaults as well */
};

/* A block's struct, and what is around it, which its options may inherit from. */
struct place {
	const struct conf_row *owner; /* NULL = the file */
	const struct conf_block *block;
	const void *base;
	const struct place *around;
	size_t depth;
};

static void block_print(const struct printer *p, const struct place *at);

static bool row_shown(const struct printer *p, const struct place *at, const struct conf_row *row)
{
	const struct place *out = at->around;

	if (at->owner && !row_applies(at->owner, row, at->base))
		return false;
	if (row->flags & ROW_ALWAYS || (p->full && (row->dflt || row->inherit)))
		return true;
	return !row_is_default(at->block, row, at->base, out ? out->block : NULL,
			       out ? out->base : NULL);
}

/* Plain statements that stand behind their block's head, on its line. */
static void line_print(const struct printer *p, const struct place *at)
{
	for (size_t i = 0; i < at->block->rows; i++) {
		const struct conf_row *row = &at->block->row[i];

		if (!row_shown(p, at, row))
			continue;
		strbuf_printf(p->sb, " %s ", row->word);
		value_print(row, at->base, p->sb);
	}
	strbuf_putc(p->sb, '\n');
}

/*
 * Statements in braces; none, and no braces, when there are no statements. True = there were some.
 */
static bool braces_print(const struct printer *p, const struct place *at)
{
	size_t before = p->sb->len, start;

	strbuf_puts(p->sb, " {\n");
	start = p->sb->len;
	block_print(p, at);
	if (p->sb->len == start) {
		strbuf_truncate(p->sb, before);
		return false;
	}
	strbuf_fill(p->sb, '\t', at->depth - 1);
	strbuf_puts(p->sb, "}\n");
	return true;
}

/* The keyword, its value and its statements. A block that says nothing at all is left out. */
static void inner_print(const struct printer *p, const struct place *around,
			const struct conf_row *row, const void *base)
{
	const struct place in = { row, row->block, base, around, around->depth + 1 };
	size_t before = p->sb->len;

	if (row->flags & ROW_GAP)
		strbuf_putc(p->sb, '\n');
	strbuf_fill(p->sb, '\t', around->depth);
	strbuf_puts(p->sb, row->word);
	if (row->head) {
		strbuf_putc(p->sb, ' ');
		value_print(row->head, base, p->sb);
	}
	if (row->body == BODY_LINE || row->body == BODY_NONE) {
		line_print(p, &in);
	} else if (!braces_print(p, &in)) {
		if (row->head)
			strbuf_putc(p->sb, '\n');
		else
			strbuf_truncate(p->sb, before);
	}
}

static void block_print(const struct printer *p, const struct place *at)
{
	for (size_t i = 0; i < at->block->rows; i++) {
		const struct conf_row *row = &at->block->row[i];
		size_t n = row->list ? list_count(row->list, at->base) : 0;

		if (row->kind == KIND_BLOCK && !row->list)
			inner_print(p, at, row, (const char *)at->base + row->off);
		for (size_t k = 0; k < n; k++)
			inner_print(p, at, row, list_at_const(row->list, at->base, k));
		if (row->kind == KIND_BLOCK || !row_shown(p, at, row))
			continue;
		strbuf_fill(p->sb, '\t', at->depth);
		strbuf_printf(p->sb, "%s ", row->word);
		value_print(row, at->base, p->sb);
		strbuf_putc(p->sb, '\n');
	}
}

static char *conf_text(const struct conf *c, bool full)
{
	struct strbuf sb = { 0 };
	const struct printer p = { &sb, full };
	const struct place file = { .block = &conf_main_block, .base = c };

	block_print(&p, &file);
	return strbuf_take(&sb);
}

char *conf_print(const struct conf *c)
{
	return conf_text(c, false);
}

char *conf_print_full(const struct conf *c)
{
	return conf_text(c, true);
}
