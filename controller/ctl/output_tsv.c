/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output_tsv.c - tab-separated values for scripts: a line of column names, then the rows; a single
 * object is one line "name TAB value" per member. Values are as in JSON: no units, no rounding.
 * Tabs and line ends in strings become spaces, so that every row is one line; null is empty.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ctl/output.h"

static void put_value(const json_t *v)
{
	const char *s;
	char *text;

	if (json_is_string(v)) {
		for (s = json_string_value(v); *s; s++)
			putchar((unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s);
		return;
	}
	if (!v || json_is_null(v))
		return;
	text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(OUTPUT_DIGITS));
	fputs(text ? text : "", stdout);
	free(text);
}

/* Every column, also those that people do not see: a line of a file has room for all. */
static void tsv_table(struct output *o, const struct column *c, const json_t *rows)
{
	json_t *row;
	size_t i;

	if (o->quiet)
		return;
	for (size_t j = 0; c[j].key && !o->headless; j++)
		printf("%s%s", j ? "\t" : "", c[j].key);
	if (!o->headless)
		putchar('\n');
	json_array_foreach(rows, i, row)
	{
		for (size_t j = 0; c[j].key; j++) {
			if (j)
				putchar('\t');
			put_value(value_of(row, c[j].key));
		}
		putchar('\n');
	}
}

static void tsv_record(struct output *o, const struct column *c, const json_t *row)
{
	for (; c->key && !o->quiet; c++) {
		printf("%s\t", c->key);
		put_value(value_of(row, c->key));
		putchar('\n');
	}
}

static void tsv_line(struct output *o, enum tone tone, const char *text)
{
	(void)o;
	(void)tone;
	(void)text;
}

static void tsv_raw(struct output *o, const char *text)
{
	if (!o->quiet)
		fputs(text, stdout);
}

/* Errors as for people, on standard error: there is no place for them among rows. */
static void tsv_answer(struct output *o, enum api_code code, const char *error, json_t *data)
{
	output_text.answer(o, code, error, data);
}

const struct output_ops output_tsv = {
	.name = "tsv",
	.answer = tsv_answer,
	.table = tsv_table,
	.record = tsv_record,
	.line = tsv_line,
	.raw = tsv_raw,
};
