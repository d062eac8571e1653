/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_text_diff.c - a difference is right when applying it to the one text gives the other; and it
 * is shortest when it has no more changed lines than a longest common subsequence leaves, found
 * here by the plain quadratic table.
 */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/strbuf.h"
#include "util/text_diff.h"

#define LINES 24 /* of one letter each: text[2 * i] is line i */

static void diff_is(const char *a, const char *b, const char *want)
{
	char *diff = text_diff(a, b, "a", "b");

	assert_non_null(diff);
	assert_string_equal(diff, want);
	free(diff);
}

static void examples(void **state)
{
	(void)state;
	diff_is("", "", "");
	diff_is("a\nb\n", "a\nb\n", "");
	diff_is("", "a\n", "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+a\n");
	diff_is("a\n", "", "--- a\n+++ b\n@@ -1,1 +0,0 @@\n-a\n");
	diff_is("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\nx\n6\n",
		"--- a\n+++ b\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+x\n 6\n");
	diff_is("a", "a\n",
		"--- a\n+++ b\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
}

/* Applies a difference of texts of one-letter lines; counts the changed lines. */
static char *apply(const char *a, const char *diff, size_t *changed)
{
	struct strbuf sb = { 0 };
	size_t at = 0, from;
	const char *p = strchr(strchr(diff, '\n') + 1, '\n') + 1;

	for (*changed = 0; *p; p = strchr(p, '\n') + 1) {
		if (*p == '@') {
			unsigned int line, n;

			assert_int_equal(sscanf(p, "@@ -%u,%u", &line, &n), 2);
			from = n ? line - 1 : line;
			strbuf_add(&sb, a + 2 * at, 2 * (from - at));
			at = from;
			continue;
		}
		if (*p != '+') {
			assert_int_equal(p[1], a[2 * at]);
			at++;
		}
		if (*p != '-')
			strbuf_add(&sb, p + 1, 2);
		*changed += *p != ' ';
	}
	strbuf_puts(&sb, a + 2 * at);
	return strbuf_take(&sb);
}

static size_t lcs(const char *a, const char *b)
{
	size_t n = strlen(a) / 2, m = strlen(b) / 2, i, j, t[LINES + 1][LINES + 1] = { { 0 } };

	for (i = 1; i <= n; i++) {
		for (j = 1; j <= m; j++) {
			t[i][j] = t[i - 1][j] > t[i][j - 1] ? t[i - 1][j] : t[i][j - 1];
			if (a[2 * i - 2] == b[2 * j - 2] && t[i - 1][j - 1] + 1 > t[i][j])
				t[i][j] = t[i - 1][j - 1] + 1;
		}
	}
	return t[n][m];
}

static void random_text(char *text)
{
	int i, n = rand() % (LINES + 1);

	for (i = 0; i < n; i++) {
		text[2 * i] = (char)('a' + rand() % 4);
		text[2 * i + 1] = '\n';
	}
	text[2 * n] = '\0';
}

static void random_texts(void **state)
{
	char a[2 * LINES + 1], b[2 * LINES + 1], *diff, *got;
	size_t changed;

	(void)state;
	srand(7);
	for (size_t i = 0; i < 20000; i++) {
		random_text(a);
		random_text(b);
		diff = text_diff(a, b, "a", "b");
		assert_non_null(diff);
		assert_int_equal(!*diff, !strcmp(a, b));
		if (*diff) {
			got = apply(a, diff, &changed);
			assert_string_equal(got, b);
			assert_int_equal(changed, (strlen(a) + strlen(b)) / 2 - 2 * lcs(a, b));
			free(got);
		}
		free(diff);
	}
}

/* Beyond the bound on edits: still right, only not short. */
static void far_apart(void **state)
{
	struct strbuf a = { 0 }, b = { 0 };
	char *diff, *p;
	size_t minus = 0, plus = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		strbuf_printf(&a, "a%d\n", i);
		strbuf_printf(&b, "b%d\n", i);
	}
	diff = text_diff(strbuf_str(&a), strbuf_str(&b), "a", "b");
	assert_non_null(diff);
	for (p = diff; *p; p = strchr(p, '\n') + 1) {
		minus += *p == '-';
		plus += *p == '+';
	}
	assert_int_equal(minus, 3001);
	assert_int_equal(plus, 3001);
	free(diff);
	strbuf_free(&a);
	strbuf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),
		cmocka_unit_test(random_texts),
		cmocka_unit_test(far_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
