/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_int.h - what the files of conf share: positions and tokens, the keyword tables, the parser's state.
 * Private to this folder and to its tests.
 */
#ifndef CONF_INT_H
#define CONF_INT_H

#include "conf/conf.h"
#include "util/strbuf.h"

/* ---- positions and errors (conf_error.c) ---- */
struct span {
	size_t off;
	size_t len; /* bytes; 0 = nothing there */
	uint32_t line;
};

struct report {
	const char *text;
	size_t len;
	struct conf_errors *err;
	size_t total; /* also those that did not fit */
};

#define CONF_MAX_TEXT (16u << 20)
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

void report_error(struct report *r, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void report_sort(struct conf_errors *err);
size_t utf8_len(const char *s, size_t len); /* of the sequence at s; 0 = not UTF-8 */

/* ---- tokens (conf_lex.c) ---- */
enum token_kind {
	TOK_EOF,
	TOK_NEWLINE,
	TOK_SEMICOLON,
	TOK_OPEN,
	TOK_CLOSE,
	TOK_WORD,
	TOK_STRING, /* the span includes the quotes */
	TOK_BAD /* already reported */
};

struct token {
	enum token_kind kind;
	struct span at;
};

struct lexer {
	struct report *report;
	size_t pos;
	uint32_t line;
};

struct token lex_next(struct lexer *l);
/* The value without quotes and escapes; false when it does not fit. */
bool token_text(const struct report *r, const struct token *t, char *buf, size_t len);
/* The token as it is quoted in a message: at most 40 bytes, cut between characters. Returns buf. */
#define QUOTE_LEN 48
const char *token_quote(const struct report *r, const struct token *t, char *buf);

/* ---- keyword tables (conf_table.c) ---- */
enum row_kind {
	KIND_DURATION, /* mono_t */
	KIND_COUNT, /* uint32_t, "1M" allowed */
	KIND_PERCENT, /* uint32_t */
	KIND_PORT, /* uint16_t */
	KIND_PORTS, /* uint16_t[2], lo-hi */
	KIND_STATUS, /* uint32_t[2], lo-hi or one */
	KIND_ENUM, /* an enum or uint32_t, by `words` */
	KIND_STRING, /* char[hi], by `form` */
	KIND_ADDR, /* struct addr with port */
	/* the rest have a parser and a printer of their own */
	KIND_BLOCK, /* `block` over the same base */
	KIND_INTERFACE,
	KIND_SERVICE,
	KIND_HEALTH,
	KIND_ENDPOINT,
	KIND_LOCAL
};

enum row_form { FORM_TEXT, FORM_FILE, FORM_NAME, FORM_HOST, FORM_URL_PATH, FORM_ALPN };

#define ROW_REPEAT 1u /* may stand more than once */
#define ROW_REQUIRED 2u /* must be given */
#define ROW_ALWAYS 4u /* printed even when it is the default */

#define FOR_TLS (1u << PROBE_TLS | 1u << PROBE_HTTPS)
#define FOR_HTTPS (1u << PROBE_HTTPS)
#define FOR_PROBES (1u << PROBE_TCP | FOR_TLS)

struct conf_row {
	const char *word;
	enum row_kind kind;
	size_t off;
	int64_t lo, hi; /* range; microseconds for durations; size of the array for strings */
	const char *dflt; /* as it would be written; NULL = all zero, nothing */
	const struct word *words;
	const struct conf_block *block;
	enum row_form form;
	unsigned int flags;
	unsigned int types; /* health types that take it; 0 = not a health option */
	const char *help;
};

#define CONF_MAX_ROWS 24

struct conf_block {
	const char *name; /* as in "unknown option 'x' in health"; "" = top level */
	const struct conf_row *row;
	size_t rows;
};

extern const struct conf_block conf_main_block, conf_iface_block, conf_control_block,
	conf_flow_block, conf_service_block, conf_health_block, conf_endpoint_block;
extern const struct conf_block *const conf_blocks[]; /* all of them; NULL ends */

const struct conf_row *row_find(const struct conf_block *b, const char *word);
void block_defaults(const struct conf_block *b, void *base);

/* ---- one value of a row (conf_value.c) ---- */
#define WHY_LEN 200 /* as conf_error.text */
/* False: `why` (WHY_LEN bytes) says what is wrong with it. */
bool value_set(const struct conf_row *row, void *base, const char *text, char *why);
bool value_equal(const struct conf_row *row, const void *a, const void *b);
void value_print(const struct conf_row *row, const void *base, struct strbuf *sb);
void name_print(const char *s, struct strbuf *sb); /* in quotes where it needs them */
bool value_is_name(const char *text); /* letters, digits, - _ . */
void addr_why(const char *text, bool need_port, char *why);
void words_list(const struct word *words, struct strbuf *sb); /* "a, b or c" */

/* ---- parser's state, which the checks need for positions (conf_parse.c, conf_check.c) ---- */
struct stmt_pos {
	struct span key, value;
};

struct service_pos {
	struct span name;
	struct stmt_pos option[CONF_MAX_ROWS]; /* by row of conf_service_block */
	struct stmt_pos health[CONF_MAX_ROWS]; /* by row of conf_health_block */
	struct span local[CONF_MAX_LOCALS];
	struct span *endpoint;
	bool bad; /* has errors already: cross checks would only repeat them */
};

struct parser {
	struct report report;
	struct lexer lex;
	struct token tok;
	struct conf *conf;
	struct service_pos *service; /* by service */
	uint32_t iface_line[CONF_MAX_IFACES];
	bool oom;
};

/* conf_take.c */
void parser_advance(struct parser *p);
void parser_newlines(struct parser *p); /* skips them */
bool parser_at_value(const struct parser *p); /* a word or a string */
bool parser_at_end(const struct parser *p); /* of a statement */
/* To the end of the statement that went wrong and over its block; never past the CLOSE of the block it is in. */
void parser_recover(struct parser *p);
/* Room for one more of n elements, which is zeroed; NULL sets p->oom. Capacity is n's next power of two. */
void *parser_grow(struct parser *p, void *array, size_t n, size_t size);
/* The current token as text; not advanced. The other takes advance. False (NULL) = an error, reported. */
bool take_text(struct parser *p, const struct conf_row *row, struct span key, char *buf,
	       size_t len);
bool take_value(struct parser *p, const struct conf_row *row, void *base, struct stmt_pos *pos);
/* The row of the keyword that stands here; `pos`, by row, remembers it and finds it given twice. Not advanced. */
const struct conf_row *take_keyword(struct parser *p, const struct conf_block *b,
				    struct stmt_pos *pos);
void take_nothing(struct parser *p, const struct conf_row *row,
		  struct span key); /* "needs a value" */
void take_end(struct parser *p, const struct conf_row *row); /* the statement must end here */

/* ---- rules about addresses (conf_endpoint.c) ---- */
/* Why no host can have this address, or NULL. */
const char *addr_unusable(const struct addr *a);
/* The sentence about an address whose family is not the service's; `word` is its keyword. */
void families_why(const char *word, const struct addr *a, uint8_t family, char *why, size_t len);

/* conf_check.c */
void conf_check(struct parser *p);

#endif
