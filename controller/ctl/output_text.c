/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output_text.c - aligned columns for people. Numbers stand right, words left; the last column is
 * not padded. Widths count characters, not bytes: "µ" and "…" take one place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/output.h"

#define COLUMNS_MAX 24
#define KEY_WIDTH 18

static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Figures line up by their last digit. Ages do not: "3d02h" and "42s" have none in common. */
static bool right(enum col_kind k)
{
	return k == COL_INT || k == COL_REAL || k == COL_SHARE || k == COL_US;
}

/* One value as people read it; valid until `sb` is used again. */
static const char *cell(struct strbuf *sb, const struct column *c, const json_t *row)
{
	strbuf_truncate(sb, 0);
	value_print(sb, c->kind, value_of(row, c->key));
	return strbuf_str(sb);
}

/* The widest cell of each column, its title included; a column without a title has none. */
static void measure(const struct column *c, const json_t *rows, size_t *width)
{
	struct strbuf sb = { 0 };
	json_t *row;
	size_t j, w;

	for (size_t i = 0; c[i].key && i < COLUMNS_MAX; i++) {
		width[i] = c[i].title ? width_of(c[i].title) : 0;
		json_array_foreach(rows, j, row)
		{
			w = width_of(cell(&sb, &c[i], row));
			if (c[i].title && w > width[i])
				width[i] = w;
		}
	}
	strbuf_free(&sb);
}

static void put_cell(struct strbuf *sb, const struct column *c, const char *text, size_t width,
		     bool last)
{
	size_t pad = width - width_of(text);

	if (right(c->kind))
		strbuf_fill(sb, ' ', pad);
	strbuf_puts(sb, text);
	if (!right(c->kind) && !last)
		strbuf_fill(sb, ' ', pad);
	if (!last)
		strbuf_puts(sb, "  ");
}

/* No column behind it is shown, so nothing needs padding: lines end where their text does. */
static bool is_last(const struct column *c)
{
	for (c++; c->key; c++) {
		if (c->title)
			return false;
	}
	return true;
}

static void put_head(struct output *o, const struct column *c, const size_t *width)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; c[i].key && i < COLUMNS_MAX; i++) {
		if (c[i].title)
			put_cell(&sb, &c[i], c[i].title, width[i], is_last(&c[i]));
	}
	printf("%s%s%s\n", tone_on(o, TONE_BOLD), strbuf_str(&sb), tone_off(o));
	strbuf_free(&sb);
}

/*
 * Colour codes have no width: they are put around the padded cell, and are not part of what
 * put_cell() measures.
 */
static void put_row(struct output *o, const struct column *c, const size_t *width,
		    const json_t *row)
{
	struct strbuf sb = { 0 }, value = { 0 };
	const char *text;

	for (size_t i = 0; c[i].key && i < COLUMNS_MAX; i++) {
		if (!c[i].title)
			continue;
		text = cell(&value, &c[i], row);
		if (c[i].kind == COL_STATE)
			strbuf_puts(&sb, tone_on(o, state_tone(text)));
		put_cell(&sb, &c[i], text, width[i], is_last(&c[i]));
		if (c[i].kind == COL_STATE)
			strbuf_puts(&sb, tone_off(o));
	}
	puts(strbuf_str(&sb));
	strbuf_free(&sb);
	strbuf_free(&value);
}

/* All rows are here before the first is printed, so that columns are as wide as needed. */
static void text_table(struct output *o, const struct column *c, const json_t *rows)
{
	size_t width[COLUMNS_MAX] = { 0 }, i;
	json_t *row;

	if (o->quiet)
		return;
	measure(c, rows, width);
	if (!o->headless)
		put_head(o, c, width);
	json_array_foreach(rows, i, row) put_row(o, c, width, row);
}

/* "title   value", a line each. What the answer does not have gets no line. */
static void text_record(struct output *o, const struct column *c, const json_t *row)
{
	struct strbuf sb = { 0 };
	const char *text;

	for (; c->key && !o->quiet; c++) {
		if (!c->title || !value_of(row, c->key))
			continue;
		text = cell(&sb, c, row);
		printf("%-*s%s%s%s\n", KEY_WIDTH, c->title,
		       c->kind == COL_STATE ? tone_on(o, state_tone(text)) : "", text,
		       c->kind == COL_STATE ? tone_off(o) : "");
	}
	strbuf_free(&sb);
}

static void text_line(struct output *o, enum tone tone, const char *text)
{
	if (o->quiet)
		return;
	if (tone == TONE_PLAIN)
		puts(text);
	else
		printf("%s%s%s\n", tone_on(o, tone), text, tone_off(o));
}

static void text_raw(struct output *o, const char *text)
{
	if (!o->quiet)
		fputs(text, stdout);
}

/*
 * The parts are shown by the command itself; here only what went wrong, where it cannot get lost in
 * a pipe.
 */
static void text_answer(struct output *o, enum api_code code, const char *error, json_t *data)
{
	(void)o;
	(void)data;
	if (!code)
		return;
	fflush(stdout);
	fprintf(stderr, "rrctl: %s\n", error);
}

const struct output_ops output_text = {
	.name = "text",
	.answer = text_answer,
	.table = text_table,
	.record = text_record,
	.line = text_line,
	.raw = text_raw,
};
