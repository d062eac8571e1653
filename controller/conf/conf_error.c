/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_error.c - collects errors and shows them: file:line:col, the line, the underlined place.
 *
 * A column is a character (a UTF-8 sequence; a byte that is not UTF-8 counts as one), from 1. The
 * caret line repeats the tabs of the line above it, so it lines up whatever the reader's tab stops
 * are. A long line is shown as a window around the place. Bytes that could disturb a terminal are
 * shown as '?'. What a message quotes of the input is cut to 40 bytes, between characters.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"

#define SHOW_MAX 120 /* columns of a line shown whole */
#define SHOW_LEAD 40 /* columns before the place, of a longer line */

size_t utf8_len(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n;
	uint32_t c;

	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	n = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (len < n)
		return 0;
	c = u[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3fu);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) ||
	    (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

/* A byte that is not UTF-8 is a column of its own, so columns count also in a broken file. */
static size_t step(const char *s, size_t len)
{
	size_t n = utf8_len(s, len);

	return n ? n : 1;
}

static size_t columns(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i += step(s + i, len - i))
		n++;
	return n;
}

static size_t line_start(const char *text, size_t off)
{
	while (off && text[off - 1] != '\n')
		off--;
	return off;
}

/* Bytes until the newline, without the CR of a CRLF. */
static size_t line_length(const char *text, size_t len, size_t start)
{
	const char *nl = memchr(text + start, '\n', len - start);
	size_t n = nl ? (size_t)(nl - text) - start : len - start;

	return n && text[start + n - 1] == '\r' ? n - 1 : n;
}

void report_error(struct report *r, struct span at, const char *fmt, ...)
{
	size_t start, end, limit;
	struct conf_error *e;
	va_list ap;

	r->total++;
	if (r->err->n == CONF_MAX_ERRORS) {
		r->err->more = true;
		return;
	}
	e = &r->err->e[r->err->n++];
	start = line_start(r->text, at.off);
	limit = start + line_length(r->text, r->len, start);
	end = at.off + at.len < limit ? at.off + at.len : limit;
	e->line = at.line;
	e->col = (uint32_t)columns(r->text + start, at.off - start) + 1;
	e->len = end > at.off ? (uint32_t)columns(r->text + at.off, end - at.off) : 1;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
}

static int error_cmp(const void *a, const void *b)
{
	const struct conf_error *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->col > y->col) - (x->col < y->col);
}

void report_sort(struct conf_errors *err)
{
	qsort(err->e, err->n, sizeof(err->e[0]), error_cmp);
}

const char *value_shown(const char *text, char *buf)
{
	size_t n = strlen(text);

	if (n <= 40)
		return text;
	for (n = 40; n && ((unsigned char)text[n] & 0xc0) == 0x80;)
		n--;
	snprintf(buf, QUOTE_LEN, "%.*s...", (int)n, text);
	return buf;
}

bool value_wrong(char *why, const char *text, const char *what)
{
	char buf[QUOTE_LEN];

	snprintf(why, WHY_LEN, "'%s' is not %s", value_shown(text, buf), what);
	return false;
}

/* Offset of line number `line`, or len when there is no such line. */
static size_t line_find(const char *text, size_t len, uint32_t line)
{
	size_t off = 0;
	const char *nl;

	for (; line > 1; line--) {
		nl = memchr(text + off, '\n', len - off);
		if (!nl)
			return len;
		off = (size_t)(nl - text) + 1;
	}
	return off;
}

static void char_print(const char *s, size_t n, size_t valid, struct strbuf *sb)
{
	unsigned char c = (unsigned char)*s;

	if (valid == 0 || (c < ' ' && c != '\t') || c == 0x7f)
		strbuf_putc(sb, '?');
	else
		strbuf_add(sb, s, n);
}

struct window {
	size_t from, to; /* columns shown, from 1, `to` excluded */
	size_t total;
};

/* Minified or generated lines are long: what is far from the place is not shown. */
static struct window window_of(size_t total, const struct conf_error *e)
{
	struct window w = { 1, total + 1, total };

	if (total <= SHOW_MAX)
		return w;
	if (e->col > SHOW_LEAD)
		w.from = e->col - SHOW_LEAD;
	if (w.from + SHOW_MAX < w.to)
		w.to = w.from + SHOW_MAX;
	return w;
}

static void source_print(const char *line, size_t len, struct window w, struct strbuf *sb)
{
	size_t col = 1, n;

	if (w.from > 1)
		strbuf_puts(sb, "...");
	for (size_t i = 0; i < len; i += n, col++) {
		n = step(line + i, len - i);
		if (col >= w.from && col < w.to)
			char_print(line + i, n, utf8_len(line + i, len - i), sb);
	}
	strbuf_puts(sb, w.to <= w.total ? "...\n" : "\n");
}

static void caret_print(const char *line, size_t len, struct window w, const struct conf_error *e,
			struct strbuf *sb)
{
	size_t col = 1, i, end = (size_t)e->col + e->len;

	if (w.from > 1)
		strbuf_puts(sb, "   ");
	for (i = 0; i < len && col < e->col; i += step(line + i, len - i), col++) {
		if (col >= w.from)
			strbuf_putc(sb, line[i] == '\t' ? '\t' : ' ');
	}
	strbuf_putc(sb, '^');
	if (end > w.to)
		end = w.to;
	if (end > (size_t)e->col + 1)
		strbuf_fill(sb, '~', end - e->col - 1);
	strbuf_putc(sb, '\n');
}

static void error_print(const char *text, size_t len, const struct conf_error *e, struct strbuf *sb)
{
	size_t start = line_find(text, len, e->line);
	size_t n = start < len ? line_length(text, len, start) : 0;
	struct window w = window_of(columns(text + start, n), e);

	source_print(text + start, n, w, sb);
	caret_print(text + start, n, w, e, sb);
}

char *conf_errors_format(const char *name, const char *text, size_t len,
			 const struct conf_errors *err)
{
	struct strbuf sb = { 0 };

	if (len >= 3 && !memcmp(text, BYTE_ORDER_MARK, 3))
		text += 3, len -= 3;
	for (size_t i = 0; i < err->n; i++) {
		strbuf_printf(&sb, "%s:%u:%u: error: %s\n", name, err->e[i].line, err->e[i].col,
			      err->e[i].text);
		error_print(text, len, &err->e[i], &sb);
	}
	if (err->more)
		strbuf_printf(&sb, "%s: more errors follow these %d\n", name, CONF_MAX_ERRORS);
	return strbuf_take(&sb);
}
