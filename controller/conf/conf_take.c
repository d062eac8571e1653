/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_take.c - the parser's hands: takes values and keywords off the tokens, says what is wrong
 * with them, and finds the next statement after an error. Knows rows and blocks, not what any of
 * them means.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"
#include "util/suggest.h"

void parser_advance(struct parser *p)
{
	p->tok = lex_next(&p->lex);
}

bool parser_at_value(const struct parser *p)
{
	return p->tok.kind == TOK_WORD || p->tok.kind == TOK_STRING;
}

void parser_newlines(struct parser *p)
{
	while (p->tok.kind == TOK_NEWLINE)
		parser_advance(p);
}

bool parser_at_end(const struct parser *p)
{
	return p->tok.kind == TOK_NEWLINE || p->tok.kind == TOK_SEMICOLON ||
	       p->tok.kind == TOK_CLOSE || p->tok.kind == TOK_EOF;
}

/*
 * To the end of the statement that went wrong, over its block if it has one. Always ends before a
 * CLOSE that is not its.
 */
void parser_recover(struct parser *p)
{
	size_t depth = 0;

	for (;; parser_advance(p)) {
		if (p->tok.kind == TOK_NEWLINE && depth == 0) {
			parser_newlines(p);
			if (p->tok.kind != TOK_OPEN)
				return;
		}
		switch (p->tok.kind) {
		case TOK_EOF:
			return;
		case TOK_SEMICOLON:
			if (depth == 0)
				return;
			break;
		case TOK_OPEN:
			depth++;
			break;
		case TOK_CLOSE:
			if (depth == 0)
				return;
			if (--depth == 0) {
				parser_advance(p);
				return;
			}
			break;
		default:
			break;
		}
	}
}

/*
 * Room for one more of n elements; capacity is the power of two at or above n. Zeroes the new one.
 */
void *parser_grow(struct parser *p, void *array, size_t n, size_t size)
{
	char *a = array;

	if ((n & (n - 1)) == 0) {
		a = realloc(array, (n ? 2 * n : 1) * size);
		if (!a) {
			p->oom = true;
			return NULL;
		}
	}
	memset(a + n * size, 0, size);
	return a;
}

/* ---- values ---- */

static const char *form_hint(enum row_form form)
{
	if (form == FORM_FILE)
		return "an absolute path";
	return form == FORM_NAME || form == FORM_IFNAME ? "a name" : "a text";
}

static const char *kind_hint(const struct conf_row *row)
{
	switch (row->kind) {
	case KIND_DURATION:
		return "a duration such as 500ms, 2s or 15m";
	case KIND_COUNT:
		return "a number";
	case KIND_PERCENT:
		return "a percentage such as 10%";
	case KIND_PORT:
		return "a port number";
	case KIND_PORTS:
		return "a range such as 1024-32767";
	case KIND_STATUS:
		return "a status or a range such as 200-399";
	case KIND_ADDR:
		return "an address and port such as 10.0.0.1:443 or [2001:db8::1]:443";
	case KIND_IP:
		return "an address without a port";
	case KIND_STRING:
		return form_hint(row->form);
	default:
		return "a name";
	}
}

/* Reports that the value of `row` is missing at the current token. */
static void take_nothing(struct parser *p, const struct conf_row *row, struct span key)
{
	const struct conf_row *shape = row->head ? row->head : row;
	struct strbuf list = { 0 };

	if (p->tok.kind == TOK_BAD)
		return;
	if (shape->words)
		words_list(shape->words, &list);
	report_error(&p->report, key, "'%s' needs a value: %s (%s)", row->word,
		     shape->words ? strbuf_str(&list) : kind_hint(shape), row->help);
	strbuf_free(&list);
}

/* The current token as text in buf, or an error. Does not advance. */
bool take_text(struct parser *p, const struct conf_row *row, struct span key, char *buf, size_t len)
{
	if (!parser_at_value(p)) {
		take_nothing(p, row, key);
		return false;
	}
	if (!token_text(&p->report, &p->tok, buf, len)) {
		report_error(&p->report, p->tok.at, "%s is too long: %zu bytes", row->word,
			     p->tok.at.len);
		return false;
	}
	return true;
}

bool take_value(struct parser *p, const struct conf_row *row, void *base, struct span key,
		struct span *value)
{
	char text[512], why[WHY_LEN];

	if (!take_text(p, row, key, text, sizeof(text)))
		return false;
	if (!value_set(row, base, text, why)) {
		report_error(&p->report, p->tok.at, "%s", why);
		return false;
	}
	*value = p->tok.at;
	parser_advance(p);
	return true;
}

/* ---- keywords ---- */

/* The name of another block that has this keyword ("" = top level), or NULL. */
static const char *block_of(const char *word, const struct conf_block *but)
{
	for (size_t i = 0; conf_blocks[i]; i++) {
		if (conf_blocks[i] != but && row_find(conf_blocks[i], word))
			return conf_blocks[i]->name;
	}
	return NULL;
}

static void keyword_unknown(struct parser *p, const struct conf_block *b, const char *word)
{
	struct suggest near = { .word = word };
	const char *in = *b->name ? " in " : "", *other;
	char quote[QUOTE_LEN];

	token_quote(&p->report, &p->tok, quote);
	for (size_t i = 0; i < b->rows; i++)
		suggest_offer(&near, b->row[i].word);
	other = block_of(word, b);
	if (other && !*other)
		report_error(&p->report, p->tok.at,
			     "unknown option '%s'%s%s (it belongs outside: is a '}' missing?)",
			     quote, in, b->name);
	else if (other)
		report_error(&p->report, p->tok.at, "unknown option '%s'%s%s (it belongs in %s)",
			     quote, in, b->name, other);
	else if (suggest_best(&near))
		report_error(&p->report, p->tok.at, "unknown option '%s'%s%s (did you mean '%s'?)",
			     quote, in, b->name, suggest_best(&near));
	else
		report_error(&p->report, p->tok.at, "unknown option '%s'%s%s", quote, in, b->name);
}

/* The row of the keyword that stands here, not advanced; NULL after an error. */
const struct conf_row *take_keyword(struct parser *p, const struct conf_block *b, struct span *seen)
{
	const struct conf_row *row;
	char word[64] = "", quote[QUOTE_LEN];

	if (p->tok.kind != TOK_WORD) {
		if (p->tok.kind != TOK_BAD)
			report_error(&p->report, p->tok.at, "a keyword is expected, not '%s'",
				     token_quote(&p->report, &p->tok, quote));
		return NULL;
	}
	if (!token_text(&p->report, &p->tok, word, sizeof(word)))
		word[0] = 0;
	row = row_find(b, word);
	if (!row) {
		keyword_unknown(p, b, word);
		return NULL;
	}
	seen += row - b->row;
	if (seen->len && !row->list) {
		report_error(&p->report, p->tok.at, "duplicate '%s'%s%s (first on line %u)", word,
			     *b->name ? " in " : "", b->name, seen->line);
		return NULL;
	}
	*seen = p->tok.at;
	return row;
}

void take_end(struct parser *p, const struct conf_row *row)
{
	char quote[QUOTE_LEN];

	if (parser_at_end(p))
		return;
	if (p->tok.kind != TOK_BAD)
		report_error(&p->report, p->tok.at,
			     "unexpected '%s' after %s: a ';' or a new line ends it",
			     token_quote(&p->report, &p->tok, quote), row->word);
	parser_recover(p);
}
