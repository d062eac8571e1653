/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_int.h - what the files of conf share: positions and tokens, the keyword tables, the parser's
 * state. Private to this folder and to its tests.
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
#define QUOTE_LEN 48
#define WHY_LEN 200 /* as conf_error.text */
/* `text` of the input as a message shows it: at most 40 bytes; may use buf (QUOTE_LEN). */
const char *value_shown(const char *text, char *buf);
/* Fills `why` (WHY_LEN bytes) with "'TEXT' is not WHAT"; false, for the caller to return. */
bool value_wrong(char *why, const char *text, const char *what);

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
/*
 * The token as it is quoted in a message: at most 40 bytes, cut between characters. Returns buf
 * (QUOTE_LEN bytes).
 */
const char *token_quote(const struct report *r, const struct token *t, char *buf);

/* ---- keyword tables (conf_table.c) ---- */
/* What follows the keyword, and what it fills. The kind gives the unit of `lo` and `hi`. */
enum row_kind {
	KIND_DURATION, /* mono_t; microseconds */
	KIND_COUNT, /* uint32_t, "1M" allowed */
	KIND_PERCENT, /* uint32_t */
	KIND_PORT, /* uint16_t */
	KIND_PORTS, /* uint16_t[2], lo-hi */
	KIND_STATUS, /* uint32_t[2], lo-hi or one */
	KIND_ENUM, /* an enum or uint32_t, by `words` */
	KIND_STRING, /* char[hi], by `form` */
	KIND_ADDR, /* struct addr with port */
	KIND_IP, /* struct addr without port */
	/* statements of its own: `head`, `list`, `body` and `block` say which and where */
	KIND_BLOCK
};

enum row_form { FORM_TEXT, FORM_FILE, FORM_NAME, FORM_IFNAME, FORM_HOST, FORM_URL_PATH, FORM_ALPN };

/* How the statements of a KIND_BLOCK stand. */
enum row_body {
	BODY_BRACES, /* in braces, which must be there */
	BODY_OPTIONAL, /* in braces, or not at all */
	BODY_LINE, /* on the line of the keyword, without braces */
	BODY_NONE /* there are none: the head is all */
};

/*
 * Where the elements of a block that may stand more than once are kept: offsets in the struct of
 * the block around it.
 */
struct conf_list {
	size_t array; /* the first element (`within`), or a pointer to a malloc'ed array */
	size_t count; /* size_t */
	size_t size; /* of one element */
	size_t line; /* in the element: uint32_t, the line it stands on; NO_LINE = none */
	size_t max;
	const char *noun; /* "more than 15 interfaces" */
	bool within; /* the array is part of the struct */
	bool unique; /* no two heads (strings) may be the same */
};
#define NO_LINE SIZE_MAX

#define ROW_ALWAYS 1u /* printed even when it is the default */
#define ROW_GAP 2u /* printed with an empty line before it */

#define FOR_TLS (1u << PROBE_TLS | 1u << PROBE_HTTPS)
#define FOR_HTTPS (1u << PROBE_HTTPS)
#define FOR_PROBES (1u << PROBE_TCP | FOR_TLS)

/*
 * One keyword in one block. What it takes when it is left out is, in this order: the option
 * `inherit` of the block around; `dflt_when`, when the option `when` of the same block is given;
 * `dflt`; nothing (all bytes zero). A row that inherits has `lo` above 0, so that 0 means "not
 * given".
 */
struct conf_row {
	const char *word;
	enum row_kind kind;
	size_t off; /* of the field; of the block's struct in that of the block around it */
	int64_t lo, hi; /* range; size of the array for strings */
	const char *dflt; /* as it would be written */
	const char *when, *dflt_when;
	const char *inherit;
	const struct word *words;
	enum row_form form;
	unsigned int flags;
	unsigned int types; /* values of the block's head (an enum) that take it; 0 = all */
	const char *help;
	/* KIND_BLOCK only */
	const struct conf_row *head; /* the value behind the keyword; NULL = none */
	const struct conf_list *list; /* NULL = stands once, and its struct is at `off` */
	const struct conf_block *block;
	enum row_body body;
};

#define CONF_MAX_ROWS 24

struct conf_block {
	const char *name; /* as in "unknown option 'x' in health"; "" = top level */
	const struct conf_row *row;
	size_t rows;
};

extern const struct conf_block conf_main_block, conf_service_block;
extern const struct conf_block *const conf_blocks[]; /* all of them; NULL ends */

const struct conf_row *row_find(const struct conf_block *b, const char *word);

/* ---- what every block can do, by its rows (conf_block.c) ---- */
/* Every default that the rows of a block and its inner blocks have; what inherits stays zero. */
void block_defaults(const struct conf_block *b, void *base);
/* What was left out and follows from something else: `dflt_when`, and `inherit` of its elements. */
void block_settle(const struct conf_block *b, void *base);
/* Is the field what it would be if it were left out? `around` is the struct of the block around. */
bool row_is_default(const struct conf_block *b, const struct conf_row *row, const void *base,
		    const struct conf_block *outer, const void *around);
/* Does the row apply to the value that stands behind the keyword of its block? */
bool row_applies(const struct conf_row *owner, const struct conf_row *row, const void *base);
/* The word that stands behind the keyword of a block, when it is one of a table. */
const char *head_word(const struct conf_row *owner, const void *base);
bool block_equal(const struct conf_block *b, const void *x, const void *y);
/*
 * `to` holds the bytes of `from`; gives it lists of its own. False: out of memory, `to` can be
 * freed.
 */
bool block_copy_lists(const struct conf_block *b, void *to, const void *from);
void block_free_lists(const struct conf_block *b, void *base);
size_t list_count(const struct conf_list *l, const void *base);
void *list_at(const struct conf_list *l, void *base, size_t i);
const void *list_at_const(const struct conf_list *l, const void *base, size_t i);
/* The list is `array` (ignored for one that is part of the struct) with n elements. */
void list_set(const struct conf_list *l, void *base, void *array, size_t n);

/* ---- one value of a row (conf_value.c) ---- */
/* False: `why` (WHY_LEN bytes) says what is wrong with it. */
bool value_set(const struct conf_row *row, void *base, const char *text, char *why);
bool value_equal(const struct conf_row *row, const void *a, const void *b);
void value_print(const struct conf_row *row, const void *base, struct strbuf *sb);
size_t value_size(const struct conf_row *row); /* of the field, in bytes */
void words_list(const struct word *words, struct strbuf *sb); /* "a, b or c" */
/* conf_number.c */
bool number_set(const struct conf_row *row, void *at, const char *text, char *why);
void number_print(const struct conf_row *row, const void *at, struct strbuf *sb);
/* conf_text.c */
bool string_set(const struct conf_row *row, char *at, const char *text, char *why);
void string_print(const char *s, struct strbuf *sb); /* in quotes where it needs them */
bool addr_set(const struct conf_row *row, void *at, const char *text, char *why);

/* ---- the parser's state (conf_parse.c), whose marks the checks need for their messages ---- */
/*
 * One statement that was understood. The marks stand in the order of the text, so what stands
 * inside a block follows its mark. Statements on an endpoint's line leave none.
 */
struct mark {
	const struct conf_row *row;
	size_t parent; /* mark of the block it stands in; mark 0 is the file */
	size_t elem; /* of its list: which one it made */
	struct span key, value; /* value.len 0 = there is none */
	bool bad; /* errors were found inside: cross checks would only repeat them */
};

struct parser {
	struct report report;
	struct lexer lex;
	struct token tok;
	struct conf *conf;
	struct mark *mark; /* malloc'ed */
	size_t marks;
	bool oom;
};

/* conf_mark.c */
/* Index of a new mark; 0 when memory ran out (p->oom is set). */
size_t mark_add(struct parser *p, struct mark m);
/*
 * The first mark at or behind `from` of this keyword inside the block of `parent`; 0 = there is
 * none.
 */
size_t mark_next(const struct parser *p, size_t parent, const char *word, size_t from);

/* conf_take.c */
void parser_advance(struct parser *p);
void parser_newlines(struct parser *p); /* skips them */
bool parser_at_value(const struct parser *p); /* a word or a string */
bool parser_at_end(const struct parser *p); /* of a statement */
/*
 * To the end of the statement that went wrong and over its block; never past the CLOSE of the block
 * it is in.
 */
void parser_recover(struct parser *p);
/*
 * Room for one more of n elements, which is zeroed; NULL sets p->oom. Capacity is n's next power of
 * two.
 */
void *parser_grow(struct parser *p, void *array, size_t n, size_t size);
/*
 * The current token as text; not advanced. The other takes advance. False (NULL) = an error,
 * reported.
 */
bool take_text(struct parser *p, const struct conf_row *row, struct span key, char *buf,
	       size_t len);
/*
 * One value into its field; *value says where it stood. `row` is a plain one, or the head of a
 * block.
 */
bool take_value(struct parser *p, const struct conf_row *row, void *base, struct span key,
		struct span *value);
/*
 * The row of the keyword that stands here. `seen`, by row, remembers it and finds it given twice.
 * Not advanced; NULL after an error.
 */
const struct conf_row *take_keyword(struct parser *p, const struct conf_block *b,
				    struct span *seen);
void take_end(struct parser *p, const struct conf_row *row); /* the statement must end here */

/* ---- rules about addresses (conf_endpoint.c) ---- */
/* Why no host can have this address, or NULL. */
const char *addr_unusable(const struct addr *a);
/* The sentence about an address whose family is not the service's; `word` is its keyword. */
void families_why(const char *word, const struct addr *a, uint8_t family, char *why, size_t len);

/* conf_check.c */
void conf_check(struct parser *p);

#endif
