/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_parse.c - tokens -> struct conf, by the keyword tables.
 *
 *	block     = { statement }                   until '}' or the end of the file
 *	statement = keyword [ value ] [ body ] ( ';' | newline | before '}' )
 *	body      = '{' block '}'                   the '{' may stand on a later line
 *	          | { keyword value }               on the line, for a block of that kind
 *
 * Recursive descent of fixed depth: an input cannot nest deeper than the tables do. An error is
 * reported where it is, and parsing goes on at the next statement (with the whole block of an
 * unknown or broken statement skipped), so that one run shows up to 20 of them. Rules across
 * statements are conf_check.c's. The parser owns the unfinished struct conf and the marks; both are
 * freed here on every way out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"

/* A block that is being read. */
struct frame {
	const struct conf_row *owner; /* its keyword; NULL = the file */
	const struct conf_block *block;
	void *base; /* the struct that it fills */
	size_t mark;
	struct span seen[CONF_MAX_ROWS]; /* keywords, by row */
};

static bool statement(struct parser *p, struct frame *f, const struct conf_row *row,
		      struct span key);

/* ---- statements and bodies ---- */

/* One statement, or the separators before it. */
static void statement_or_error(struct parser *p, struct frame *f)
{
	const struct conf_row *row = take_keyword(p, f->block, f->seen);
	struct span key = p->tok.at;

	if (!row) {
		parser_recover(p);
		return;
	}
	parser_advance(p);
	if (!statement(p, f, row, key))
		parser_recover(p);
}

/* Statements until the CLOSE of `open`, which is taken, or the end of the file. */
static void statements(struct parser *p, struct frame *f, const struct span *open)
{
	while (!p->oom && p->tok.kind != TOK_EOF) {
		if (p->tok.kind == TOK_NEWLINE || p->tok.kind == TOK_SEMICOLON) {
			parser_advance(p);
		} else if (p->tok.kind == TOK_CLOSE) {
			struct span at = p->tok.at;

			parser_advance(p);
			if (open)
				return;
			report_error(&p->report, at, "this '}' closes nothing");
		} else {
			statement_or_error(p, f);
		}
	}
	if (open && !p->oom)
		report_error(&p->report, *open, "this '{' of %s is never closed", f->block->name);
}

/*
 * '{' statements '}'. False, and nothing taken but newlines, when there is no '{' here or on a
 * later line.
 */
static bool braces(struct parser *p, struct frame *f)
{
	struct span open;

	parser_newlines(p);
	if (p->tok.kind != TOK_OPEN)
		return false;
	open = p->tok.at;
	parser_advance(p);
	statements(p, f, &open);
	return true;
}

static bool braces_required(struct parser *p, struct frame *f, struct span key)
{
	const char *name = f->block->name;

	if (parser_at_end(p) || p->tok.kind == TOK_OPEN) {
		if (!braces(p, f)) /* what follows is a statement of its own */
			report_error(&p->report, key, "'%s' needs a block: '{' and '}'", name);
		return true;
	}
	if (p->tok.kind != TOK_BAD)
		report_error(&p->report, p->tok.at, "'{' is expected after %s", name);
	return false;
}

static void braces_optional(struct parser *p, struct frame *f)
{
	if (p->tok.kind == TOK_NEWLINE || p->tok.kind == TOK_OPEN)
		braces(p, f);
	else
		take_end(p, f->owner);
}

/* Options on the line of their block's keyword. */
static bool line_options(struct parser *p, struct frame *f)
{
	struct span value;

	while (!parser_at_end(p)) {
		const struct conf_row *row = take_keyword(p, f->block, f->seen);
		struct span key = p->tok.at;

		if (!row)
			return false;
		parser_advance(p);
		if (!take_value(p, row, f->base, key, &value))
			return false;
	}
	return true;
}

/* What can be said only when the whole block is read. */
static void block_close(struct parser *p, struct frame *f)
{
	const struct conf_block *b = f->block;
	char why[WHY_LEN];

	for (size_t i = 0; i < b->rows; i++) {
		const struct conf_row *row = &b->row[i];
		bool given = f->seen[i].len != 0;

		if (given && !row_applies(f->owner, row, f->base))
			report_error(&p->report, f->seen[i], "'%s' does not apply to %s %s",
				     row->word, b->name, head_word(f->owner, f->base));
		if (!given && row->when && f->seen[row_find(b, row->when) - b->row].len)
			value_set(row, f->base, row->dflt_when, why);
	}
	block_settle(b, f->base);
}

static bool body(struct parser *p, struct frame *f, struct span key)
{
	size_t before = p->report.total;
	bool ok = true;

	switch (f->owner->body) {
	case BODY_BRACES:
		ok = braces_required(p, f, key);
		break;
	case BODY_OPTIONAL:
		braces_optional(p, f);
		break;
	case BODY_LINE:
		ok = line_options(p, f);
		break;
	case BODY_NONE:
		take_end(p, f->owner);
		break;
	}
	block_close(p, f);
	p->mark[f->mark].bad = p->report.total > before;
	return ok;
}

/* ---- the elements of a list ---- */

/* The value behind the keyword, before there is an element to put it into. */
struct head {
	_Alignas(8) char value[256];
	struct span at;
};

/* Reads the head; not advanced. */
static bool head_read(struct parser *p, const struct conf_row *row, struct span key, struct head *h)
{
	struct conf_row alone = *row->head;
	char text[300], why[WHY_LEN];

	alone.off = 0;
	h->at = p->tok.at;
	if (!take_text(p, row, key, text, sizeof(text)))
		return false;
	if (value_set(&alone, h->value, text, why))
		return true;
	if (row->list->unique)
		report_error(&p->report, h->at, "this is not %s", row->head->help);
	else
		report_error(&p->report, h->at, "%s", why);
	return false;
}

/* Is there room for an element with this head, and no other with the same? */
static bool head_fits(struct parser *p, const struct conf_row *row, const void *base,
		      const struct head *h)
{
	const struct conf_list *l = row->list;
	size_t n = list_count(l, base);

	for (size_t i = 0; l->unique && i < n; i++) {
		const char *elem = list_at_const(l, base, i);
		uint32_t line;

		if (strcmp(elem + row->head->off, h->value))
			continue;
		memcpy(&line, elem + l->line, sizeof(line));
		report_error(&p->report, h->at, "duplicate %s '%s' (first on line %u)", row->word,
			     h->value, line);
		return false;
	}
	if (n == l->max)
		report_error(&p->report, h->at, "more than %zu %s", l->max, l->noun);
	return n < l->max;
}

/* A new last element with this head and its defaults; NULL = out of memory. */
static void *list_grow(struct parser *p, const struct conf_row *row, void *base,
		       const struct head *h)
{
	const struct conf_list *l = row->list;
	size_t n = list_count(l, base);
	void *array = NULL;
	char *elem;

	if (!l->within) {
		array = parser_grow(p, n ? list_at(l, base, 0) : NULL, n, l->size);
		if (!array)
			return NULL;
	}
	list_set(l, base, array, n + 1);
	elem = list_at(l, base, n);
	block_defaults(row->block, elem);
	memcpy(elem + row->head->off, h->value, value_size(row->head));
	if (l->line != NO_LINE)
		memcpy(elem + l->line, &h->at.line, sizeof(h->at.line));
	return elem;
}

static bool element(struct parser *p, struct frame *f, const struct conf_row *row, struct span key)
{
	struct frame in = { .owner = row, .block = row->block };
	struct mark m = { .row = row, .parent = f->mark, .key = key };
	struct head h;

	memset(&h, 0, sizeof(h));
	m.elem = list_count(row->list, f->base);
	if (!head_read(p, row, key, &h) || !head_fits(p, row, f->base, &h))
		return false;
	in.base = list_grow(p, row, f->base, &h);
	m.value = h.at;
	in.mark = in.base ? mark_add(p, m) : 0;
	if (!in.mark)
		return false;
	parser_advance(p);
	return body(p, &in, key);
}

/* ---- one statement ---- */

/* The keyword is taken. False: an error, recover. */
static bool statement(struct parser *p, struct frame *f, const struct conf_row *row,
		      struct span key)
{
	struct frame in = { .owner = row, .block = row->block };
	struct span value = { 0 };

	if (row->list)
		return element(p, f, row, key);
	in.mark = mark_add(p, (struct mark){ .row = row, .parent = f->mark, .key = key });
	if (!in.mark)
		return false;
	in.base = (char *)f->base + row->off;
	if (row->kind != KIND_BLOCK) {
		if (!take_value(p, row, f->base, key, &value))
			return false;
		take_end(p, row);
	} else if (row->head && !take_value(p, row->head, in.base, key, &value)) {
		return false;
	}
	p->mark[in.mark].value = value;
	return row->kind != KIND_BLOCK || body(p, &in, key);
}

/* ---- the whole text ---- */

static void parse_text(struct parser *p)
{
	struct frame file = { .block = &conf_main_block, .base = p->conf };

	mark_add(p, (struct mark){ 0 });
	parser_advance(p);
	statements(p, &file, NULL);
	if (!p->oom)
		conf_check(p);
}

struct conf *conf_parse(const char *text, size_t len, struct conf_errors *err)
{
	struct span start = { 0, 1, 1 };
	struct parser p = { .report = { .err = err } };

	memset(err, 0, sizeof(*err));
	if (len >= 3 && !memcmp(text, BYTE_ORDER_MARK, 3))
		text += 3, len -= 3;
	p.report.text = text;
	p.report.len = len;
	p.lex = (struct lexer){ .report = &p.report, .line = 1 };
	p.conf = conf_new();
	if (len > CONF_MAX_TEXT)
		report_error(&p.report, start, "the configuration is larger than %u MiB",
			     CONF_MAX_TEXT >> 20);
	else if (p.conf)
		parse_text(&p);
	if (p.oom || !p.conf)
		report_error(&p.report, start, "out of memory");
	free(p.mark);
	report_sort(err);
	if (p.report.total) {
		conf_free(p.conf);
		return NULL;
	}
	return p.conf;
}
