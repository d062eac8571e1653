/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_value.c - one value of a keyword row: text -> field, field -> text, field == field. Words
 * are read here, numbers in conf_number.c, strings and addresses in conf_text.c.
 *
 * value_print() writes what value_set() reads back to the same field, for every value that
 * value_set() can produce; the round trip of the whole configuration rests on it. Owns nothing.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf_int.h"
#include "util/suggest.h"
#include "util/units.h"

static void *field(const struct conf_row *row, void *base)
{
	return (char *)base + row->off;
}

static const void *field_const(const struct conf_row *row, const void *base)
{
	return (const char *)base + row->off;
}

/* ---- words ---- */

void words_list(const struct word *words, struct strbuf *sb)
{
	for (const struct word *w = words; w->word; w++) {
		if (w > words)
			strbuf_puts(sb, w[1].word ? ", " : " or ");
		strbuf_puts(sb, w->word);
	}
}

/* Always lists the words: who mistypes one often does not know the others. */
static bool enum_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	struct suggest near = { .word = text };
	struct strbuf list = { 0 };
	char buf[QUOTE_LEN];
	int value;

	if (word_find(row->words, text, &value)) {
		memcpy(at, &value, sizeof(value));
		return true;
	}
	for (const struct word *w = row->words; w->word; w++)
		suggest_offer(&near, w->word);
	words_list(row->words, &list);
	if (suggest_best(&near))
		snprintf(why, WHY_LEN, "'%s' is not a value of %s (did you mean '%s'?): %s",
			 value_shown(text, buf), row->word, suggest_best(&near), strbuf_str(&list));
	else
		snprintf(why, WHY_LEN, "'%s' is not a value of %s: %s", value_shown(text, buf),
			 row->word, strbuf_str(&list));
	strbuf_free(&list);
	return false;
}

/* ---- by kind ---- */

bool value_set(const struct conf_row *row, void *base, const char *text, char *why)
{
	void *at = field(row, base);

	switch (row->kind) {
	case KIND_ENUM:
		return enum_set(row, at, text, why);
	case KIND_STRING:
		return string_set(row, at, text, why);
	case KIND_ADDR:
	case KIND_IP:
		return addr_set(row, at, text, why);
	default:
		return number_set(row, at, text, why);
	}
}

size_t value_size(const struct conf_row *row)
{
	switch (row->kind) {
	case KIND_DURATION:
		return sizeof(mono_t);
	case KIND_COUNT:
	case KIND_PERCENT:
		return sizeof(uint32_t);
	case KIND_PORT:
		return sizeof(uint16_t);
	case KIND_PORTS:
		return 2 * sizeof(uint16_t);
	case KIND_STATUS:
		return 2 * sizeof(uint32_t);
	case KIND_ENUM:
		return sizeof(int);
	case KIND_STRING:
		return (size_t)row->hi;
	case KIND_ADDR:
	case KIND_IP:
		return sizeof(struct addr);
	default:
		return 0;
	}
}

bool value_equal(const struct conf_row *row, const void *a, const void *b)
{
	const void *x = field_const(row, a), *y = field_const(row, b);

	if (row->kind == KIND_STRING)
		return !strcmp(x, y);
	if (row->kind == KIND_ADDR || row->kind == KIND_IP)
		return addr_equal(x, y);
	return !memcmp(x, y, value_size(row));
}

void value_print(const struct conf_row *row, const void *base, struct strbuf *sb)
{
	const void *at = field_const(row, base);
	char buf[ADDR_STRLEN];
	mono_t d;
	int value;

	switch (row->kind) {
	case KIND_DURATION:
		memcpy(&d, at, sizeof(d));
		strbuf_puts(sb, units_dur_print(d, buf, sizeof(buf)));
		break;
	case KIND_ENUM:
		memcpy(&value, at, sizeof(value));
		strbuf_puts(sb, word_of(row->words, value));
		break;
	case KIND_STRING:
		string_print(at, sb);
		break;
	case KIND_ADDR:
	case KIND_IP:
		strbuf_puts(sb, addr_print(at, buf, sizeof(buf)));
		break;
	default:
		number_print(row, at, sb);
	}
}
