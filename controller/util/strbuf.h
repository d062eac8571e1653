/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * strbuf.h - a growing string. Starts as all zeroes; nothing to check on the way: the first failed
 * allocation (or passing `max`) makes the buffer `failed` for good, later calls do nothing, and
 * strbuf_take() says so once.
 */
#ifndef UTIL_STRBUF_H
#define UTIL_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct strbuf {
	char *s; /* NUL-terminated once anything was added */
	size_t len; /* without the NUL */
	size_t cap;
	size_t max; /* refuse to hold more bytes than this; 0 = no limit */
	bool failed;
};

void strbuf_add(struct strbuf *sb, const char *bytes, size_t n);
void strbuf_puts(struct strbuf *sb, const char *s);
void strbuf_putc(struct strbuf *sb, char c);
void strbuf_fill(struct strbuf *sb, char c, size_t n);
void strbuf_printf(struct strbuf *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vprintf(struct strbuf *sb, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
void strbuf_truncate(struct strbuf *sb, size_t len); /* drops the end; no effect on `failed` */
const char *strbuf_str(const struct strbuf *sb); /* never NULL; valid until the next call */
/*
 * The string, to be freed by the caller, or NULL when failed; the buffer is empty again either way.
 */
char *strbuf_take(struct strbuf *sb);
void strbuf_free(struct strbuf *sb);

#endif
