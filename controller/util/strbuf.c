/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * strbuf.c - the growing string of strbuf.h. Owns the allocation; doubles it, so n appends cost
 * O(n). Failure is sticky: a text with a hole in the middle is worse than none, so after one
 * failure nothing is added.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/strbuf.h"

/* Room for n more bytes and the NUL. */
static bool reserve(struct strbuf *sb, size_t n)
{
	size_t need, cap;
	char *s;

	if (sb->failed)
		return false;
	if (__builtin_add_overflow(sb->len, n, &need) || need > SIZE_MAX / 4 ||
	    (sb->max && need > sb->max))
		goto fail;
	if (need < sb->cap)
		return true;
	cap = sb->cap ? sb->cap : 64;
	while (cap <= need)
		cap *= 2;
	s = realloc(sb->s, cap);
	if (!s)
		goto fail;
	sb->s = s;
	sb->cap = cap;
	return true;
fail:
	sb->failed = true;
	return false;
}

void strbuf_add(struct strbuf *sb, const char *bytes, size_t n)
{
	if (!reserve(sb, n))
		return;
	if (n)
		memcpy(sb->s + sb->len, bytes, n);
	sb->len += n;
	sb->s[sb->len] = 0;
}

void strbuf_puts(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_putc(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_fill(struct strbuf *sb, char c, size_t n)
{
	if (!reserve(sb, n))
		return;
	memset(sb->s + sb->len, c, n);
	sb->len += n;
	sb->s[sb->len] = 0;
}

void strbuf_vprintf(struct strbuf *sb, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		sb->failed = true;
	else if (reserve(sb, (size_t)n)) {
		vsnprintf(sb->s + sb->len, (size_t)n + 1, fmt, again);
		sb->len += (size_t)n;
	}
	va_end(again);
}

void strbuf_printf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(sb, fmt, ap);
	va_end(ap);
}

void strbuf_truncate(struct strbuf *sb, size_t len)
{
	if (len >= sb->len)
		return;
	sb->len = len;
	sb->s[len] = 0;
}

const char *strbuf_str(const struct strbuf *sb)
{
	return sb->s ? sb->s : "";
}

char *strbuf_take(struct strbuf *sb)
{
	char *s = NULL;

	if (reserve(sb, 0)) {
		s = sb->s;
		s[sb->len] = 0;
		sb->s = NULL;
	}
	strbuf_free(sb);
	return s;
}

void strbuf_free(struct strbuf *sb)
{
	free(sb->s);
	sb->s = NULL;
	sb->len = sb->cap = 0;
	sb->failed = false;
}
