/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output_json.c - the daemon's data as it came, with "schema_version" in front; with "error" and
 * "code" when it failed, also on standard output: a program reads one place. One object a line, or
 * indented with --pretty.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/api_wire.h"
#include "ctl/output.h"

/*
 * Members that this rrctl does not know are passed on as they came. A text that is not UTF-8 cannot
 * stand in JSON: api_text() mends it.
 */
static void json_answer(struct output *o, enum api_code code, const char *error, json_t *data)
{
	json_t *root = json_object(), *value;
	const char *key;
	char *text;

	json_object_set_new(root, "schema_version", json_integer(API_SCHEMA));
	if (code) {
		json_object_set_new(root, "code", json_integer(code));
		json_object_set_new(root, "error", api_text(error));
	}
	json_object_foreach(data, key, value) json_object_set(root, key, value);
	text = json_dumps(root, JSON_REAL_PRECISION(OUTPUT_DIGITS) |
					(o->pretty ? JSON_INDENT(2) : JSON_COMPACT));
	json_decref(root);
	if (text && !o->quiet)
		puts(text);
	free(text);
}

/*
 * Tables, records and lines are how a command shows its parts to people; here the whole answer has
 * been printed by json_answer().
 */
static void json_rows(struct output *o, const struct column *c, const json_t *rows)
{
	(void)o;
	(void)c;
	(void)rows;
}

static void json_line(struct output *o, enum tone tone, const char *text)
{
	(void)o;
	(void)tone;
	(void)text;
}

static void json_raw(struct output *o, const char *text)
{
	(void)o;
	(void)text;
}

const struct output_ops output_json = {
	.name = "json",
	.answer = json_answer,
	.table = json_rows,
	.record = json_rows,
	.line = json_line,
	.raw = json_raw,
};
