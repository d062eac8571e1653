/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_value.c - one value of a keyword row: text -> field, field -> text, field == field.
 *
 * value_print() writes what value_set() reads back to the same field, for every value that value_set() can
 * produce; the round trip of the whole configuration rests on it. Owns nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf_int.h"
#include "util/suggest.h"
#include "util/units.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
#define DIGITS "0123456789"

static void *field(const struct conf_row *row, void *base)
{
	return (char *)base + row->off;
}

static const void *field_const(const struct conf_row *row, const void *base)
{
	return (const char *)base + row->off;
}

/* Text of the input inside a message: at most 40 bytes, cut between characters. */
static const char *shown(const char *text, char *buf)
{
	size_t n = strlen(text);

	if (n <= 40)
		return text;
	for (n = 40; n && ((unsigned char)text[n] & 0xc0) == 0x80;)
		n--;
	snprintf(buf, QUOTE_LEN, "%.*s...", (int)n, text);
	return buf;
}

static bool wrong(char *why, const char *text, const char *what)
{
	char buf[QUOTE_LEN];

	snprintf(why, WHY_LEN, "'%s' is not %s", shown(text, buf), what);
	return false;
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
			 shown(text, buf), row->word, suggest_best(&near), strbuf_str(&list));
	else
		snprintf(why, WHY_LEN, "'%s' is not a value of %s: %s", shown(text, buf), row->word,
			 strbuf_str(&list));
	strbuf_free(&list);
	return false;
}

/* ---- numbers ---- */

static bool duration_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	char buf[QUOTE_LEN], lo[UNITS_STRLEN], hi[UNITS_STRLEN];
	mono_t d;
	int err;

	if (*text && strspn(text, DIGITS) == strlen(text)) {
		snprintf(why, WHY_LEN, "'%s' has no unit: us, ms, s, m, h or d", shown(text, buf));
		return false;
	}
	err = units_dur_parse(&d, text);
	if (err == -EINVAL)
		return wrong(why, text, "a duration such as 500ms, 2s or 15m");
	if (err || d.us < row->lo || d.us > row->hi) {
		snprintf(why, WHY_LEN, "%s %s is out of range: %s to %s", row->word,
			 shown(text, buf), units_dur_print(MONO_US(row->lo), lo, sizeof(lo)),
			 units_dur_print(MONO_US(row->hi), hi, sizeof(hi)));
		return false;
	}
	memcpy(at, &d, sizeof(d));
	return true;
}

static bool in_range(const struct conf_row *row, const char *text, uint64_t n, int err, char *why)
{
	const char *unit = row->kind == KIND_PERCENT ? "%" : "";
	char buf[QUOTE_LEN];

	if (!err && n >= (uint64_t)row->lo && n <= (uint64_t)row->hi)
		return true;
	snprintf(why, WHY_LEN, "%s %s is out of range: %lld%s to %lld%s", row->word,
		 shown(text, buf), (long long)row->lo, unit, (long long)row->hi, unit);
	return false;
}

static bool count_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	uint32_t value;
	uint64_t n = 0;
	int err;

	err = units_count_parse(&n, text);
	if (err == -EINVAL)
		return wrong(why, text, "a whole number");
	if (!in_range(row, text, n, err, why))
		return false;
	value = (uint32_t)n;
	memcpy(at, &value, sizeof(value));
	return true;
}

static bool percent_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	uint32_t value = 0;
	int err;

	err = units_percent_parse(&value, text);
	if (err == -EINVAL)
		return wrong(why, text, "a percentage such as 10%");
	if (!in_range(row, text, value, err, why))
		return false;
	memcpy(at, &value, sizeof(value));
	return true;
}

/* Digits at *text, moved past; more than 9 of them are too many for any field here. */
static bool plain(const char **text, uint32_t *n)
{
	size_t digits = strspn(*text, DIGITS);

	if (digits == 0 || digits > 9)
		return false;
	for (*n = 0; digits; digits--)
		*n = *n * 10 + (uint32_t)(*(*text)++ - '0');
	return true;
}

static bool port_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	const char *p = text;
	uint16_t port;
	uint32_t n = 0;

	if (!*text || strspn(text, DIGITS) != strlen(text))
		return wrong(why, text, "a port number");
	if (!in_range(row, text, plain(&p, &n) ? n : UINT32_MAX, 0, why))
		return false;
	port = (uint16_t)n;
	memcpy(at, &port, sizeof(port));
	return true;
}

/* "lo-hi", or with `one` also a single number, which then is both. */
static bool range_parse(const struct conf_row *row, const char *text, uint32_t v[2], char *why)
{
	const char *p = text;
	bool one = row->kind == KIND_STATUS, ok;

	ok = plain(&p, &v[0]);
	v[1] = v[0];
	if (ok && (*p || !one))
		ok = *p++ == '-' && plain(&p, &v[1]) && !*p;
	if (!ok)
		return wrong(why, text,
			     one ? "a status or a range such as 200-399"
				 : "a range such as 1024-32767");
	if (!in_range(row, text, v[0], 0, why) || !in_range(row, text, v[1], 0, why))
		return false;
	if (one ? v[0] > v[1] : v[0] >= v[1]) {
		snprintf(why, WHY_LEN, "%s %u-%u: the first must be below the second", row->word,
			 v[0], v[1]);
		return false;
	}
	return true;
}

static bool range_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	uint32_t v[2] = { 0, 0 };
	uint16_t port[2];

	if (!range_parse(row, text, v, why))
		return false;
	port[0] = (uint16_t)v[0];
	port[1] = (uint16_t)v[1];
	if (row->kind == KIND_PORTS)
		memcpy(at, port, sizeof(port));
	else
		memcpy(at, v, sizeof(v));
	return true;
}

/* ---- strings ---- */

bool value_is_name(const char *text)
{
	return *text && *text != '-' && *text != '.' && strspn(text, NAME_CHARS) == strlen(text);
}

static bool is_alpn(const char *text)
{
	bool name = false;

	for (; *text; text++) {
		if (*text == ',' && !name)
			return false;
		if (*text != ',' && !strchr(NAME_CHARS "/", *text))
			return false;
		name = *text != ',';
	}
	return name;
}

static bool form_ok(enum row_form form, const char *text, char *why)
{
	switch (form) {
	case FORM_TEXT:
		return *text || wrong(why, text, "a text to look for");
	case FORM_FILE:
		return (*text == '/' && text[1]) || wrong(why, text, "an absolute path");
	case FORM_NAME:
		return value_is_name(text) || wrong(why, text, "a name: letters, digits, - _ .");
	case FORM_HOST:
		return (*text && strspn(text, NAME_CHARS "[]:") == strlen(text)) ||
		       wrong(why, text, "a host name");
	case FORM_URL_PATH:
		return (*text == '/' && !strpbrk(text, " \t#")) ||
		       wrong(why, text, "a path that begins with / and has no blanks");
	case FORM_ALPN:
		return is_alpn(text) || wrong(why, text, "a list of protocols such as h2,http/1.1");
	}
	return true;
}

static bool string_set(const struct conf_row *row, char *at, const char *text, char *why)
{
	size_t len = strlen(text);

	if (len >= (size_t)row->hi) {
		snprintf(why, WHY_LEN, "%s is too long: %zu bytes, at most %lld", row->word, len,
			 (long long)row->hi - 1);
		return false;
	}
	if (!form_ok(row->form, text, why))
		return false;
	memset(at, 0, (size_t)row->hi);
	memcpy(at, text, len);
	return true;
}

/* ---- addresses ---- */

static bool two_colons(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon && strchr(colon + 1, ':');
}

/* A letter before the port, where an IPv4 address would have none. */
static bool looks_like_name(const char *text)
{
	const char *p;

	if (*text == '[' || two_colons(text))
		return false;
	for (p = text; *p && *p != ':'; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'))
			return true;
	}
	return false;
}

/* The address is right and only what follows the last colon is wrong. */
static bool only_port_wrong(const char *text)
{
	const char *colon = strrchr(text, ':');
	struct addr a;
	char ip[64];

	if (!colon || (size_t)(colon - text) >= sizeof(ip) || (two_colons(text) && *text != '['))
		return false;
	snprintf(ip, sizeof(ip), "%.*s", (int)(colon - text), text);
	return addr_parse(&a, ip, false) == 0;
}

void addr_why(const char *text, bool need_port, char *why)
{
	char buf[QUOTE_LEN];
	const char *s = shown(text, buf);
	struct addr a;

	if (looks_like_name(text))
		snprintf(why, WHY_LEN,
			 "'%s' is a name: only addresses are taken here, names are not resolved",
			 s);
	else if (strchr(text, '%'))
		snprintf(why, WHY_LEN, "'%s' has a scope: addresses with a scope are not supported",
			 s);
	else if (only_port_wrong(text))
		snprintf(why, WHY_LEN, "'%s': a port is 1 to 65535", s);
	else if (need_port && two_colons(text) && *text != '[')
		snprintf(why, WHY_LEN,
			 "'%s': an IPv6 address and its port are written as in [2001:db8::1]:443",
			 s);
	else if (need_port && addr_parse(&a, text, false) == 0)
		snprintf(why, WHY_LEN, "'%s' has no port: write %s:443", s, s);
	else
		snprintf(why, WHY_LEN, "'%s' is not an address%s", s,
			 need_port ? " and port such as 10.0.0.1:443 or [2001:db8::1]:443" : "");
}

static bool addr_set(void *at, const char *text, char *why)
{
	struct addr a;

	if (addr_parse(&a, text, true)) {
		addr_why(text, true, why);
		return false;
	}
	memcpy(at, &a, sizeof(a));
	return true;
}

/* ---- by kind ---- */

bool value_set(const struct conf_row *row, void *base, const char *text, char *why)
{
	void *at = field(row, base);

	switch (row->kind) {
	case KIND_DURATION:
		return duration_set(row, at, text, why);
	case KIND_COUNT:
		return count_set(row, at, text, why);
	case KIND_PERCENT:
		return percent_set(row, at, text, why);
	case KIND_PORT:
		return port_set(row, at, text, why);
	case KIND_PORTS:
	case KIND_STATUS:
		return range_set(row, at, text, why);
	case KIND_ENUM:
	case KIND_HEALTH: /* the type word; the type is the first field of the block's struct */
		return enum_set(row, at, text, why);
	case KIND_STRING:
		return string_set(row, at, text, why);
	case KIND_ADDR:
		return addr_set(at, text, why);
	default:
		snprintf(why, WHY_LEN, "'%s' takes no plain value", row->word);
		return false;
	}
}

static size_t field_size(const struct conf_row *row)
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
	case KIND_HEALTH:
		return sizeof(int);
	default:
		return 0;
	}
}

bool value_equal(const struct conf_row *row, const void *a, const void *b)
{
	const void *x = field_const(row, a), *y = field_const(row, b);

	if (row->kind == KIND_STRING)
		return !strcmp(x, y);
	if (row->kind == KIND_ADDR)
		return addr_equal(x, y);
	return !memcmp(x, y, field_size(row));
}

void name_print(const char *s, struct strbuf *sb)
{
	if (*s && strspn(s, NAME_CHARS "/:,+@=[]~") == strlen(s)) {
		strbuf_puts(sb, s);
		return;
	}
	strbuf_putc(sb, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			strbuf_putc(sb, '\\');
		strbuf_putc(sb, *s);
	}
	strbuf_putc(sb, '"');
}

static void number_print(const struct conf_row *row, const void *at, struct strbuf *sb)
{
	uint32_t v[2] = { 0, 0 };
	uint16_t port[2] = { 0, 0 };

	if (row->kind == KIND_PORT || row->kind == KIND_PORTS) {
		memcpy(port, at, field_size(row));
		v[0] = port[0], v[1] = port[1];
	} else {
		memcpy(v, at, field_size(row));
	}
	strbuf_printf(sb, "%u", v[0]);
	if (row->kind == KIND_PORTS || (row->kind == KIND_STATUS && v[0] != v[1]))
		strbuf_printf(sb, "-%u", v[1]);
	if (row->kind == KIND_PERCENT)
		strbuf_putc(sb, '%');
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
	case KIND_HEALTH:
		memcpy(&value, at, sizeof(value));
		strbuf_puts(sb, word_of(row->words, value));
		break;
	case KIND_STRING:
		name_print(at, sb);
		break;
	case KIND_ADDR:
		strbuf_puts(sb, addr_print(at, buf, sizeof(buf)));
		break;
	default:
		number_print(row, at, sb);
	}
}
