/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_parse.c - tokens -> struct conf, by the keyword tables.
 *
 *	block     = { statement }                   until '}' or the end of the file
 *	statement = keyword values ( ';' | newline | before '}' )
 *	          | keyword values '{' block '}'    the '{' may stand on a later line
 *
 * Recursive descent of fixed depth: an input cannot nest deeper than the tables do. An error is reported where it
 * is, and parsing goes on at the next statement (with the whole block of an unknown or broken statement
 * skipped), so that one run shows up to 20 of them. Rules across statements are conf_check.c's.
 * The parser owns the unfinished struct conf and the positions; both are freed here on every way out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"

static bool statement(struct parser *p, const struct conf_row *row, void *base,
		      struct stmt_pos *pos);

/* Statements until the CLOSE of `open`, which is taken, or the end of the file. */
static void statements(struct parser *p, const struct conf_block *b, void *base,
		       struct stmt_pos *pos, const struct span *open)
{
	const struct conf_row *row;

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
			row = take_keyword(p, b, pos);
			if (!row) {
				parser_recover(p);
				continue;
			}
			parser_advance(p);
			if (!statement(p, row, base, &pos[row - b->row]))
				parser_recover(p);
			else if (row->kind < KIND_BLOCK)
				take_end(p, row);
		}
	}
	if (open && !p->oom)
		report_error(&p->report, *open, "this '{' of %s is never closed", b->name);
}

/* '{' statements '}'. False, and nothing taken but newlines, when there is no '{' here or on a later line. */
static bool block(struct parser *p, const struct conf_block *b, void *base, struct stmt_pos *pos)
{
	struct span open;

	parser_newlines(p);
	if (p->tok.kind != TOK_OPEN)
		return false;
	open = p->tok.at;
	parser_advance(p);
	statements(p, b, base, pos, &open);
	return true;
}

/* A block that must be there. */
static bool block_required(struct parser *p, const struct conf_block *b, void *base,
			   struct stmt_pos *pos, struct span key)
{
	size_t before = p->report.total;

	if (parser_at_end(p) || p->tok.kind == TOK_OPEN) {
		if (block(p, b, base, pos))
			return true;
		report_error(&p->report, key, "'%s' needs a block: '{' and '}'", b->name);
		return true; /* what follows is a statement of its own */
	}
	if (p->report.total == before && p->tok.kind != TOK_BAD)
		report_error(&p->report, p->tok.at, "'{' is expected after %s", b->name);
	return false;
}

/* ---- statements with a shape of their own ---- */

static bool interface_name(struct parser *p, const char *name)
{
	struct conf *c = p->conf;
	size_t i;

	if (!*name || strlen(name) >= sizeof(c->iface->name) || strpbrk(name, "/ \t:") ||
	    !strcmp(name, ".") || !strcmp(name, "..")) {
		report_error(&p->report, p->tok.at,
			     "this is not an interface name: 1 to 15 bytes, no / or :");
		return false;
	}
	for (i = 0; i < c->ifaces; i++) {
		if (!strcmp(c->iface[i].name, name)) {
			report_error(&p->report, p->tok.at,
				     "duplicate interface '%s' (first on line %u)", name,
				     p->iface_line[i]);
			return false;
		}
	}
	if (c->ifaces == CONF_MAX_IFACES) {
		report_error(&p->report, p->tok.at, "more than %d interfaces", CONF_MAX_IFACES);
		return false;
	}
	return true;
}

static bool interface_statement(struct parser *p, const struct conf_row *row, struct stmt_pos *pos)
{
	struct stmt_pos seen[CONF_MAX_ROWS] = { 0 };
	struct conf_iface *iface;
	char name[64];

	if (!take_text(p, row, pos->key, name, sizeof(name)) || !interface_name(p, name))
		return false;
	iface = parser_grow(p, p->conf->iface, p->conf->ifaces, sizeof(*iface));
	if (!iface)
		return false;
	p->conf->iface = iface;
	p->iface_line[p->conf->ifaces] = p->tok.at.line;
	iface += p->conf->ifaces++;
	block_defaults(row->block, iface);
	snprintf(iface->name, sizeof(iface->name), "%.15s", name);
	parser_advance(p);
	if (p->tok.kind == TOK_NEWLINE || p->tok.kind == TOK_OPEN)
		block(p, row->block, iface, seen);
	else
		take_end(p, row);
	return true;
}

/* Points out `health` options that this type of probe does not have. */
static void health_types(struct parser *p, const struct conf_service *s,
			 const struct stmt_pos *seen)
{
	const struct conf_block *b = &conf_health_block;
	size_t i;

	for (i = 0; i < b->rows; i++) {
		if (!seen[i].key.len || b->row[i].types & 1u << s->health.type)
			continue;
		report_error(&p->report, seen[i].key, "'%s' does not apply to health %s",
			     b->row[i].word, word_of(probe_type_words, (int)s->health.type));
	}
}

static bool health_statement(struct parser *p, const struct conf_row *row, struct conf_service *s,
			     struct stmt_pos *pos)
{
	struct stmt_pos *seen = p->service[p->conf->services - 1].health;
	const struct conf_block *b = row->block;
	size_t verify = (size_t)(row_find(b, "verify") - b->row);

	if (!take_value(p, row, s, pos))
		return false;
	if (p->tok.kind != TOK_NEWLINE && p->tok.kind != TOK_OPEN) {
		take_end(p, row);
		return true;
	}
	if (!block(p, b, &s->health, seen))
		return true;
	health_types(p, s, seen);
	if (s->health.ca[0] && !seen[verify].key.len)
		s->health.verify = PROBE_VERIFY_FULL;
	return true;
}

static bool local_statement(struct parser *p, const struct conf_row *row, struct conf_service *s,
			    struct stmt_pos *pos)
{
	char text[128], why[WHY_LEN];
	struct addr a;

	if (!take_text(p, row, pos->key, text, sizeof(text)))
		return false;
	if (addr_parse(&a, text, false)) {
		addr_why(text, false, why);
		report_error(&p->report, p->tok.at, "%s", why);
		return false;
	}
	if (a.port) {
		report_error(&p->report, p->tok.at,
			     "local-address takes an address without a port");
		return false;
	}
	if (s->locals == CONF_MAX_LOCALS) {
		report_error(&p->report, p->tok.at, "more than %d local addresses",
			     CONF_MAX_LOCALS);
		return false;
	}
	p->service[p->conf->services - 1].local[s->locals] = p->tok.at;
	s->local[s->locals++] = a;
	parser_advance(p);
	take_end(p, row);
	return true;
}

/* The options behind an endpoint's address, on its line. */
static bool endpoint_options(struct parser *p, const struct conf_block *b, struct conf_endpoint *e)
{
	struct stmt_pos seen[CONF_MAX_ROWS] = { 0 };
	const struct conf_row *row;

	while (!parser_at_end(p)) {
		row = take_keyword(p, b, seen);
		if (!row)
			return false;
		parser_advance(p);
		if (!take_value(p, row, e, &seen[row - b->row]))
			return false;
	}
	return true;
}

static bool endpoint_add(struct parser *p, struct conf_service *s, const struct conf_endpoint *e)
{
	struct service_pos *sp = &p->service[p->conf->services - 1];
	struct conf_endpoint *list;
	struct span *at;

	if (s->endpoints == CONF_MAX_ENDPOINTS) {
		report_error(&p->report, p->tok.at, "more than %d endpoints in a service",
			     CONF_MAX_ENDPOINTS);
		return false;
	}
	list = parser_grow(p, s->endpoint, s->endpoints, sizeof(*list));
	if (list)
		s->endpoint = list;
	at = list ? parser_grow(p, sp->endpoint, s->endpoints, sizeof(*at)) : NULL;
	if (!at)
		return false;
	sp->endpoint = at;
	sp->endpoint[s->endpoints] = p->tok.at;
	s->endpoint[s->endpoints++] = *e;
	return true;
}

static bool endpoint_statement(struct parser *p, const struct conf_row *row, struct conf_service *s,
			       struct stmt_pos *pos)
{
	struct conf_endpoint e = { .line = p->tok.at.line };
	char text[300], why[WHY_LEN];

	block_defaults(row->block, &e);
	if (!take_text(p, row, pos->key, text, sizeof(text)))
		return false;
	if (addr_parse(&e.addr, text, true)) {
		addr_why(text, true, why);
		report_error(&p->report, p->tok.at, "%s", why);
		return false;
	}
	if (!endpoint_add(p, s, &e))
		return false;
	parser_advance(p);
	/* weight 0 = none given: service_statement() fills in the service's, which may follow below */
	return endpoint_options(p, row->block, &s->endpoint[s->endpoints - 1]);
}

static bool service_name(struct parser *p, const char *name)
{
	const struct conf_service *same;

	if (!value_is_name(name) || strlen(name) >= CONF_NAME_MAX) {
		report_error(&p->report, p->tok.at,
			     "this is not a service name: 1 to %d letters, digits, - _ .",
			     CONF_NAME_MAX - 1);
		return false;
	}
	same = conf_service_find(p->conf, name);
	if (same) {
		report_error(&p->report, p->tok.at, "duplicate service '%s' (first on line %u)",
			     name, same->line);
		return false;
	}
	if (p->conf->services == CONF_MAX_SERVICES) {
		report_error(&p->report, p->tok.at, "more than %d services", CONF_MAX_SERVICES);
		return false;
	}
	return true;
}

/* An empty service at the end of the list, and its positions. */
static struct conf_service *service_add(struct parser *p, const char *name)
{
	struct conf *c = p->conf;
	struct conf_service *s = parser_grow(p, c->service, c->services, sizeof(*s));
	struct service_pos *pos;

	if (!s)
		return NULL;
	c->service = s;
	pos = parser_grow(p, p->service, c->services, sizeof(*pos));
	if (!pos)
		return NULL;
	p->service = pos;
	pos += c->services;
	s += c->services++;
	conf_service_init(s);
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->line = p->tok.at.line;
	pos->name = p->tok.at;
	return s;
}

static bool service_statement(struct parser *p, const struct conf_row *row, struct stmt_pos *pos)
{
	size_t before, i;
	struct conf_service *s;
	char name[CONF_NAME_MAX];
	bool ok;

	if (!parser_at_value(p)) {
		take_nothing(p, row, pos->key);
		return false;
	}
	if (!token_text(&p->report, &p->tok, name, sizeof(name)))
		name[0] = 0;
	if (!service_name(p, name))
		return false;
	s = service_add(p, name);
	if (!s)
		return false;
	before = p->report.total;
	parser_advance(p);
	ok = block_required(p, row->block, s, p->service[p->conf->services - 1].option, pos->key);
	for (i = 0; i < s->endpoints; i++) {
		if (s->endpoint[i].weight == 0)
			s->endpoint[i].weight = s->weight_default;
	}
	p->service[p->conf->services - 1].bad = p->report.total > before;
	return ok;
}

/* The keyword is taken; `base` is the struct that its block fills. False: an error, recover. */
static bool statement(struct parser *p, const struct conf_row *row, void *base,
		      struct stmt_pos *pos)
{
	struct stmt_pos seen[CONF_MAX_ROWS] = { 0 };

	switch (row->kind) {
	case KIND_BLOCK:
		return block_required(p, row->block, base, seen, pos->key);
	case KIND_INTERFACE:
		return interface_statement(p, row, pos);
	case KIND_SERVICE:
		return service_statement(p, row, pos);
	case KIND_HEALTH:
		return health_statement(p, row, base, pos);
	case KIND_ENDPOINT:
		return endpoint_statement(p, row, base, pos);
	case KIND_LOCAL:
		return local_statement(p, row, base, pos);
	default:
		return take_value(p, row, base, pos);
	}
}

/* ---- the whole text ---- */

static void parse_text(struct parser *p)
{
	struct stmt_pos seen[CONF_MAX_ROWS] = { 0 };

	parser_advance(p);
	statements(p, &conf_main_block, p->conf, seen, NULL);
	if (!p->oom)
		conf_check(p);
}

static void positions_free(struct parser *p)
{
	size_t i;

	for (i = 0; p->service && i < p->conf->services; i++)
		free(p->service[i].endpoint);
	free(p->service);
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
	if (p.conf)
		positions_free(&p);
	report_sort(err);
	if (p.report.total) {
		conf_free(p.conf);
		return NULL;
	}
	return p.conf;
}
