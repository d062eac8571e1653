/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * golden_conf.c - tests/golden/conf/NAME.conf against NAME.ok (its canonical print) or NAME.err
 * (the exact messages), and NAME.full where there is one (the print with every default), one test a
 * file. What is printed must parse back to an equal configuration and print to itself. The shipped
 * example must parse, and every keyword with its values and default must stand in the manual page.
 *
 * `golden_conf --update` writes these files anew; the difference is for a person to review.
 * Runs from the top of the tree.
 */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_int.h"
#include "rr_pair.h"
#include "util/units.h"

#define DIR_NAME "tests/golden/conf"
#define EXAMPLE "scripts/rrlbd.conf.example"
#define MANUAL "controller/man/rrlbd.conf.5"
#define MANUAL_DAEMON "controller/man/rrlbd.8"
#define MAX_FILES 256

static bool update;

/* The whole file, NUL added behind it; NULL when it cannot be read. */
static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	struct strbuf sb = { 0 };
	char buf[4096];
	size_t n;

	if (!f)
		return NULL;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		strbuf_add(&sb, buf, n);
	fclose(f);
	*len = sb.len;
	return strbuf_take(&sb);
}

static void rewrite(const char *path, const char *other, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	unlink(other);
}

/* `print` is a text of `c`: it must parse to an equal configuration, and print to itself. */
static void must_read_back(const struct conf *c, const char *print,
			   char *(*text_of)(const struct conf *))
{
	struct conf_errors err;
	struct conf *again = conf_parse(print, strlen(print), &err);
	char *second;

	if (!again)
		fail_msg("%u:%u: %s in\n%s", err.e[0].line, err.e[0].col, err.e[0].text, print);
	assert_true(conf_equal(c, again));
	second = text_of(again);
	assert_string_equal(print, second);
	free(second);
	conf_free(again);
}

/* Parses `text`; *print is its canonical form or its messages, *full the form with all defaults. */
static bool outcome(const char *name, const char *text, size_t len, char **print, char **full)
{
	struct conf_errors err;
	struct conf *c = conf_parse(text, len, &err);

	*full = NULL;
	if (!c) {
		assert_true(err.n > 0);
		*print = conf_errors_format(name, text, len, &err);
		return false;
	}
	assert_int_equal(err.n, 0);
	*print = conf_print(c);
	*full = conf_print_full(c);
	must_read_back(c, *print, conf_print);
	must_read_back(c, *full, conf_print_full);
	conf_free(c);
	return true;
}

/* NAME.full, for the files that have one. */
static void full_pair(const char *name, const char *full)
{
	char path[512], *want;
	size_t n;

	snprintf(path, sizeof(path), DIR_NAME "/%s.full", name);
	if (!full || access(path, F_OK))
		return;
	if (update)
		rewrite(path, "", full);
	want = slurp(path, &n);
	assert_string_equal(full, want);
	free(want);
}

static void test_pair(void **state)
{
	const char *name = *state;
	char path[512], ok[512], bad[512], *text, *print, *full, *want;
	size_t len, n;
	bool good;

	snprintf(path, sizeof(path), DIR_NAME "/%s.conf", name);
	snprintf(ok, sizeof(ok), DIR_NAME "/%s.ok", name);
	snprintf(bad, sizeof(bad), DIR_NAME "/%s.err", name);
	text = slurp(path, &len);
	assert_non_null(text);
	snprintf(path, sizeof(path), "%s.conf", name);
	good = outcome(path, text, len, &print, &full);
	if (update)
		rewrite(good ? ok : bad, good ? bad : ok, print);
	want = slurp(good ? ok : bad, &n);
	if (!want)
		fail_msg("%s: %s is missing; the outcome is:\n%s", name, good ? ok : bad, print);
	assert_int_not_equal(access(good ? bad : ok, F_OK), 0);
	assert_string_equal(print, want);
	full_pair(name, full);
	free(want);
	free(print);
	free(full);
	free(text);
}

static void test_example(void **state)
{
	char *text, *print, *full;
	size_t len;

	(void)state;
	text = slurp(EXAMPLE, &len);
	assert_non_null(text);
	if (!outcome("rrlbd.conf.example", text, len, &print, &full))
		fail_msg("%s", print);
	free(print);
	free(full);
	free(text);
}

/* ---- the manual ---- */

/*
 * The rest of the page from this block's list on, or NULL. Blocks are sections or subsections named
 * as in .Ss.
 */
static const char *manual_block(const char *page, const char *name)
{
	char mark[64];
	const char *at;

	snprintf(mark, sizeof(mark), ".\\\" block: %s\n", *name ? name : "top");
	at = strstr(page, mark);
	return at ? at + strlen(mark) : NULL;
}

/* Where the entry of a keyword ends: at the next entry or list end. */
static char *manual_entry(const char *block, const char *word)
{
	const char *end = strstr(block, ".\\\" block: "), *at, *stop;
	char mark[64];
	size_t n = (size_t)snprintf(mark, sizeof(mark), ".It Ic %s", word);

	for (at = strstr(block, mark); at; at = strstr(at + 1, mark)) {
		if (end && at > end)
			return NULL;
		if (at[n] == '\n' || at[n] == ' ')
			break;
	}
	if (!at)
		return NULL;
	stop = strstr(at + 1, "\n.It Ic ");
	if (!stop || (end && stop > end))
		stop = end ? end : at + strlen(at);
	return strndup(at, (size_t)(stop - at));
}

/* The entry must have this text; words may be parted by a line end. */
static void entry_has(const char *entry, const struct conf_block *b, const char *word,
		      const char *want)
{
	char *flat = strdup(entry);

	assert_non_null(flat);
	for (char *p = flat; *p; p++) {
		if (*p == '\n')
			*p = ' ';
	}
	if (!strstr(flat, want))
		fail_msg("%s: entry of '%s' in block '%s' does not say \"%s\"", MANUAL, word,
			 b->name, want);
	free(flat);
}

/* One end of a row's range, as a message would print it. */
static void bound_print(const struct conf_row *row, int64_t bound, struct strbuf *sb)
{
	char buf[UNITS_STRLEN];

	if (row->kind == KIND_DURATION)
		strbuf_puts(sb, units_dur_print(MONO_US(bound), buf, sizeof(buf)));
	else
		strbuf_printf(sb, "%lld%s", (long long)bound, row->kind == KIND_PERCENT ? "%" : "");
}

/* What limits the value behind a keyword: "10ms to 1h", "at most 255 bytes"; "" = nothing. */
static void limit_print(const struct conf_row *row, struct strbuf *sb)
{
	switch (row->kind) {
	case KIND_DURATION:
	case KIND_COUNT:
	case KIND_PERCENT:
	case KIND_PORT:
	case KIND_PORTS:
	case KIND_STATUS:
		bound_print(row, row->lo, sb);
		strbuf_puts(sb, " to ");
		bound_print(row, row->hi, sb);
		break;
	case KIND_STRING:
		strbuf_printf(sb, "t most %lld bytes", (long long)row->hi - 1);
		break;
	default:
		break;
	}
}

/* Words, default and limits of the value behind the keyword. */
static void value_in_manual(const char *entry, const struct conf_block *b,
			    const struct conf_row *row)
{
	struct strbuf limit = { 0 };
	char want[128];

	if (row->dflt) {
		snprintf(want, sizeof(want), "Default: %s.", row->dflt);
		entry_has(entry, b, row->word, want);
	}
	for (const struct word *n = row->words; n && n->word; n++) {
		snprintf(want, sizeof(want), "Cm %s", n->word);
		entry_has(entry, b, row->word, want);
	}
	limit_print(row, &limit);
	entry_has(entry, b, row->word, strbuf_str(&limit));
	strbuf_free(&limit);
}

static void row_in_manual(const char *page, const struct conf_block *b, const struct conf_row *row)
{
	const char *block = manual_block(page, b->name);
	char want[64], *entry;

	if (!block)
		fail_msg("%s: no block '%s'", MANUAL, b->name);
	entry = manual_entry(block, row->word);
	if (!entry)
		fail_msg("%s: '%s' in block '%s' has no entry", MANUAL, row->word, b->name);
	value_in_manual(entry, b, row->head ? row->head : row);
	if (row->list) {
		snprintf(want, sizeof(want), "here may be %zu", row->list->max);
		entry_has(entry, b, row->word, want);
	}
	free(entry);
}

/* Every entry of a block's list is a keyword of the block. */
static void entries_in_table(const char *page, const struct conf_block *b)
{
	const char *block = manual_block(page, b->name), *end;
	char word[32];

	assert_non_null(block);
	end = strstr(block, ".\\\" block: ");
	for (const char *at = strstr(block, "\n.It Ic "); at && (!end || at < end);
	     at = strstr(at + 1, "\n.It Ic ")) {
		assert_int_equal(sscanf(at, "\n.It Ic %31s", word), 1);
		if (!row_find(b, word))
			fail_msg("%s: '%s' is not a keyword of '%s'", MANUAL, word, b->name);
	}
}

/* "tcp has those up to port": the keywords in the order of the manual, by type of probe. */
static void test_manual_types(void **state)
{
	static const struct {
		enum probe_type type;
		const char *last;
	} upto[] = { { PROBE_TCP, "port" },
		     { PROBE_TLS, "tls-min-version" },
		     { PROBE_HTTPS, "expect" } };
	const struct conf_block *health = row_find(&conf_service_block, "health")->block;
	char want[64], *page;
	size_t len;

	(void)state;
	page = slurp(MANUAL, &len);
	assert_non_null(page);
	for (size_t i = 0; i < sizeof(upto) / sizeof(upto[0]); i++) {
		size_t last = (size_t)(row_find(health, upto[i].last) - health->row);

		for (size_t k = 0; k < health->rows; k++)
			assert_int_equal(!!(health->row[k].types & 1u << upto[i].type), k <= last);
	}
	for (size_t i = 0; i < 2; i++) {
		snprintf(want, sizeof(want), "up to\n.Ic %s ,\n", upto[i].last);
		assert_non_null(strstr(page, want));
	}
	free(page);
}

/* Sizes that are the packet path's. */
static void test_manual_sizes(void **state)
{
	char want[160], *page;
	size_t len;

	(void)state;
	page = slurp(MANUAL, &len);
	assert_non_null(page);
	snprintf(want, sizeof(want),
		 "An IPv4 entry is %zu bytes, an IPv6 entry %zu, and each has a record of %zu "
		 "bytes beside it.",
		 sizeof(struct rr_flow4), sizeof(struct rr_flow6), sizeof(struct rr_pair));
	if (!strstr(page, want))
		fail_msg("%s does not say \"%s\"", MANUAL, want);
	free(page);
}

/* The maps whose change costs every flow. */
static void test_manual_flow_maps(void **state)
{
	char want[160] = "", *page;
	size_t len, n = 0;

	(void)state;
	page = slurp(MANUAL_DAEMON, &len);
	assert_non_null(page);
#define WANT_MAP(id, name, mm, version, kind) \
	if (RR_KIND_##kind == RR_KIND_FLOWS) \
		n += (size_t)snprintf(want + n, sizeof(want) - n, "%s " #name, n ? " ," : ".Pq");
	RR_MAPS(WANT_MAP)
#undef WANT_MAP
	if (!n || !strstr(page, want))
		fail_msg("%s does not say \"%s\"", MANUAL_DAEMON, want);
	free(page);
}

static void test_manual(void **state)
{
	size_t len;
	char *page;

	(void)state;
	page = slurp(MANUAL, &len);
	assert_non_null(page);
	for (size_t i = 0; conf_blocks[i]; i++) {
		for (size_t j = 0; j < conf_blocks[i]->rows; j++)
			row_in_manual(page, conf_blocks[i], &conf_blocks[i]->row[j]);
		entries_in_table(page, conf_blocks[i]);
	}
	free(page);
}

/* Every keyword is shown to the reader of the example: as a statement or behind a '#'. */
static void test_example_complete(void **state)
{
	size_t len;
	char *text, *at;

	(void)state;
	text = slurp(EXAMPLE, &len);
	assert_non_null(text);
	for (size_t i = 0; conf_blocks[i]; i++) {
		for (size_t j = 0; j < conf_blocks[i]->rows; j++) {
			const char *word = conf_blocks[i]->row[j].word;

			for (at = strstr(text, word); at; at = strstr(at + 1, word)) {
				if (at > text && strchr(" \t\n#", at[-1]) &&
				    strchr(" \t{", at[strlen(word)]))
					break;
			}
			if (!at)
				fail_msg("%s does not show '%s' of %s", EXAMPLE, word,
					 conf_blocks[i]->name);
		}
	}
	free(text);
}

/* ---- the list of files ---- */

static int is_conf(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && !strcmp(dot, ".conf");
}

int main(int argc, char **argv)
{
	struct CMUnitTest test[MAX_FILES + 6] = {
		cmocka_unit_test(test_example),	     cmocka_unit_test(test_example_complete),
		cmocka_unit_test(test_manual),	     cmocka_unit_test(test_manual_types),
		cmocka_unit_test(test_manual_sizes), cmocka_unit_test(test_manual_flow_maps),
	};
	struct dirent **list = NULL;
	size_t n = 6;
	int i, files, failed;

	update = argc > 1 && !strcmp(argv[1], "--update");
	files = scandir(DIR_NAME, &list, is_conf, alphasort);
	if (files < 1 || files > MAX_FILES) {
		fprintf(stderr, "%s: no files, or too many\n", DIR_NAME);
		return 1;
	}
	for (i = 0; i < files; i++) {
		*strrchr(list[i]->d_name, '.') = 0;
		test[n++] = (struct CMUnitTest){ .name = list[i]->d_name,
						 .test_func = test_pair,
						 .initial_state = list[i]->d_name };
	}
	failed = _cmocka_run_group_tests("golden conf", test, n, NULL, NULL);
	for (i = 0; i < files; i++)
		free(list[i]);
	free(list);
	return failed;
}
