/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_lex.c - bytes -> tokens with their places.
 *
 * A word is everything up to a blank, a brace, a semicolon or a quote; '#' starts a comment only
 * where a word could start, so that "/a#b" is one word. Newlines are tokens, because they end
 * statements. CRLF counts as a newline. A byte that cannot belong to a configuration (NUL, control
 * characters, broken UTF-8) is reported here, once, and its word becomes TOK_BAD; comments may hold
 * any text but NUL.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf_int.h"

/* The byte at pos, or -1 at the end. */
static int peek(const struct lexer *l, size_t pos)
{
	return pos < l->report->len ? (unsigned char)l->report->text[pos] : -1;
}

static bool at_newline(const struct lexer *l, size_t pos)
{
	int c = peek(l, pos);

	return c == '\n' || (c == '\r' && peek(l, pos + 1) == '\n');
}

static bool ends_word(const struct lexer *l, size_t pos)
{
	int c = peek(l, pos);

	return c < 0 || c == ' ' || c == '\t' || c == ';' || c == '{' || c == '}' || c == '"' ||
	       at_newline(l, pos);
}

static void comment_skip(struct lexer *l)
{
	for (; peek(l, l->pos) >= 0 && peek(l, l->pos) != '\n'; l->pos++) {
		if (peek(l, l->pos) == 0)
			report_error(l->report, (struct span){ l->pos, 1, l->line }, "NUL byte");
	}
}

static void blanks_skip(struct lexer *l)
{
	while (peek(l, l->pos) == ' ' || peek(l, l->pos) == '\t' ||
	       (peek(l, l->pos) == '\r' && at_newline(l, l->pos)))
		l->pos++;
	if (peek(l, l->pos) == '#')
		comment_skip(l);
}

/* False: a byte of the token is not text; reported. */
static bool bytes_ok(struct lexer *l, struct span at)
{
	const char *s = l->report->text + at.off;
	size_t n;

	for (size_t i = 0; i < at.len; i += n) {
		unsigned char c = (unsigned char)s[i];
		struct span here = { at.off + i, 1, at.line };

		n = utf8_len(s + i, at.len - i);
		if (n && (c >= ' ' || c == '\t') && c != 0x7f)
			continue;
		if (n == 0)
			report_error(l->report, here, "byte 0x%02x is not UTF-8", c);
		else if (c == 0)
			report_error(l->report, here, "NUL byte");
		else
			report_error(l->report, here, "control character 0x%02x", c);
		return false;
	}
	return true;
}

static struct token word_next(struct lexer *l)
{
	struct token t = { TOK_WORD, { l->pos, 0, l->line } };

	while (!ends_word(l, l->pos))
		l->pos++;
	t.at.len = l->pos - t.at.off;
	if (!bytes_ok(l, t.at))
		t.kind = TOK_BAD;
	return t;
}

/*
 * A string ends on its line: a forgotten quote is then reported where it was forgotten, and not as
 * a hundred errors up to the next one.
 */
static struct token string_next(struct lexer *l)
{
	struct token t = { TOK_STRING, { l->pos, 0, l->line } };
	size_t bad = 0;

	for (l->pos++; peek(l, l->pos) >= 0 && peek(l, l->pos) != '"' && !at_newline(l, l->pos);
	     l->pos++) {
		int next = peek(l, l->pos + 1);

		if (peek(l, l->pos) != '\\')
			continue;
		if (next == '"' || next == '\\')
			l->pos++;
		else if (!bad)
			bad = l->pos;
	}
	t.at.len = l->pos - t.at.off;
	if (peek(l, l->pos) != '"') {
		report_error(l->report, t.at, "this string does not end on its line");
		t.kind = TOK_BAD;
		return t;
	}
	l->pos++;
	t.at.len++;
	if (!bytes_ok(l, t.at)) {
		t.kind = TOK_BAD;
	} else if (bad) {
		report_error(l->report, (struct span){ bad, 2, l->line },
			     "after a backslash in a string only \\ and \" may follow");
		t.kind = TOK_BAD;
	}
	return t;
}

struct token lex_next(struct lexer *l)
{
	struct token t;
	int c;

	blanks_skip(l);
	c = peek(l, l->pos);
	t = (struct token){ TOK_EOF, { l->pos, 1, l->line } };
	switch (c) {
	case -1:
		t.at.len = 0;
		return t;
	case '\n':
		t.kind = TOK_NEWLINE;
		l->line++;
		break;
	case ';':
		t.kind = TOK_SEMICOLON;
		break;
	case '{':
		t.kind = TOK_OPEN;
		break;
	case '}':
		t.kind = TOK_CLOSE;
		break;
	case '"':
		return string_next(l);
	default:
		return word_next(l);
	}
	l->pos++;
	return t;
}

bool token_text(const struct report *r, const struct token *t, char *buf, size_t len)
{
	size_t quote = t->kind == TOK_STRING ? 1 : 0;
	const char *s = r->text + t->at.off + quote;
	const char *end = r->text + t->at.off + t->at.len - quote;
	size_t n = 0;

	for (; s < end; s++) {
		if (quote && *s == '\\')
			s++;
		if (n + 1 >= len)
			return false;
		buf[n++] = *s;
	}
	buf[n] = 0;
	return true;
}

const char *token_quote(const struct report *r, const struct token *t, char *buf)
{
	const char *s = r->text + t->at.off;
	size_t n = 0, more;

	if (t->kind == TOK_NEWLINE || t->kind == TOK_EOF)
		return strcpy(buf, t->kind == TOK_EOF ? "end of file" : "end of line");
	while (n < t->at.len) {
		more = utf8_len(s + n, t->at.len - n);
		if (more == 0 || n + more > 40)
			break;
		n += more;
	}
	snprintf(buf, QUOTE_LEN, "%.*s%s", (int)n, s, n < t->at.len ? "..." : "");
	return buf;
}
