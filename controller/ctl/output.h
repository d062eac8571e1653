/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output.h - the three ways to show an answer: text for people, JSON and tab-separated values for
 * programs. A command describes what it shows by columns and never prints data itself.
 */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "api/api.h"
#include "util/strbuf.h"

/* Of a number with a fraction, for programs: 0.333333, not 0.33333299999999999. */
#define OUTPUT_DIGITS 12

enum col_kind {
	COL_STR, /* "-" when empty or null */
	COL_STATE, /* coloured by what it says */
	COL_INT,
	COL_REAL, /* one digit behind the point */
	COL_SHARE, /* 0.204 -> 20.4% */
	COL_MS, /* 80000 -> 1m20s */
	COL_DUR, /* milliseconds, exact: 300ms, 15m */
	COL_US, /* 6900 -> 6.9ms */
	COL_BOOL, /* yes, no */
};

struct column {
	const char *title; /* for people; NULL = programs only */
	/* member, "probe.tls_us" goes down; also the name for programs. NULL ends the list */
	const char *key;
	enum col_kind kind;
};

enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_DIM, TONE_BOLD };

struct output {
	const struct output_ops *ops;
	bool color, pretty, quiet;
	bool headless; /* tables go on from an earlier one: no line of names */
};

struct output_ops {
	const char *name;
	/* The whole answer, or one line of a stream; also errors, with data or without. */
	void (*answer)(struct output *o, enum api_code code, const char *error, json_t *data);
	void (*table)(struct output *o, const struct column *c, const json_t *rows);
	void (*record)(struct output *o, const struct column *c, const json_t *row);
	void (*line)(struct output *o, enum tone tone, const char *text); /* for people only */
	void (*raw)(struct output *o, const char *text); /* files, differences: as they are */
};

extern const struct output_ops output_text, output_json, output_tsv;

/* Down the dots of a key; NULL when something is missing. */
const json_t *value_of(const json_t *row, const char *key);
/* One value for people, added to sb. */
void value_print(struct strbuf *sb, enum col_kind kind, const json_t *v);
void put_age(struct strbuf *sb, json_int_t ms); /* 42s, 1m20s, 3d02h */
const char *tone_on(const struct output *o, enum tone tone); /* "" without colours */
const char *tone_off(const struct output *o);
enum tone state_tone(const char *word);

#endif
