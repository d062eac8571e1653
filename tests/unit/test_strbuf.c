/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_strbuf.c - the growing string: contents, the limit, and that failure is sticky and told
 * once.
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

static void test_build(void **state)
{
	struct strbuf sb = { 0 };
	char *s;

	(void)state;
	assert_string_equal(strbuf_str(&sb), "");
	strbuf_puts(&sb, "ab");
	strbuf_putc(&sb, 'c');
	strbuf_add(&sb, "dXX", 1);
	strbuf_add(&sb, "", 0);
	strbuf_fill(&sb, '-', 3);
	strbuf_printf(&sb, "%d/%s", 42, "x");
	assert_string_equal(strbuf_str(&sb), "abcd---42/x");
	assert_int_equal(sb.len, 11);
	strbuf_truncate(&sb, 100);
	assert_int_equal(sb.len, 11);
	strbuf_truncate(&sb, 4);
	strbuf_puts(&sb, "!");
	s = strbuf_take(&sb);
	assert_string_equal(s, "abcd!");
	free(s);
	assert_int_equal(sb.len, 0);
	assert_string_equal(strbuf_str(&sb), "");
}

/* Every length around the growth steps, against a plain array. */
static void test_growth(void **state)
{
	struct strbuf sb = { 0 };
	char want[700];

	(void)state;
	for (size_t i = 0; i < sizeof(want) - 1; i++) {
		want[i] = (char)('a' + i % 26);
		want[i + 1] = 0;
		if (i % 2)
			strbuf_putc(&sb, want[i]);
		else
			strbuf_printf(&sb, "%c", want[i]);
		assert_int_equal(sb.len, i + 1);
		assert_string_equal(strbuf_str(&sb), want);
	}
	strbuf_free(&sb);
	strbuf_printf(&sb, "%5000s", "x");
	assert_int_equal(sb.len, 5000);
	strbuf_free(&sb);
}

static void test_nul_bytes(void **state)
{
	struct strbuf sb = { 0 };

	(void)state;
	strbuf_add(&sb, "a\0b", 3);
	assert_int_equal(sb.len, 3);
	assert_memory_equal(sb.s, "a\0b", 4);
	strbuf_free(&sb);
}

static void test_empty_take(void **state)
{
	struct strbuf sb = { 0 };
	char *s = strbuf_take(&sb);

	(void)state;
	assert_non_null(s);
	assert_string_equal(s, "");
	free(s);
}

static void test_limit(void **state)
{
	struct strbuf sb = { .max = 5 };

	(void)state;
	strbuf_puts(&sb, "12345");
	assert_false(sb.failed);
	strbuf_putc(&sb, '6');
	assert_true(sb.failed);
	strbuf_truncate(&sb, 0);
	strbuf_puts(&sb, "x"); /* failure stays, also when it would fit now */
	strbuf_printf(&sb, "%d", 1);
	strbuf_fill(&sb, 'y', 1);
	assert_int_equal(sb.len, 0);
	assert_null(strbuf_take(&sb));
	assert_false(sb.failed);
	strbuf_puts(&sb, "again"); /* the buffer is usable, the limit stands */
	assert_string_equal(strbuf_str(&sb), "again");
	strbuf_putc(&sb, '!');
	assert_null(strbuf_take(&sb));
}

/* A length that no allocation can satisfy fails without being tried. */
static void test_overflow(void **state)
{
	struct strbuf sb = { 0 };

	(void)state;
	strbuf_puts(&sb, "abc");
	strbuf_fill(&sb, 'x', SIZE_MAX);
	assert_true(sb.failed);
	assert_int_equal(sb.len, 3);
	assert_null(strbuf_take(&sb));
	strbuf_fill(&sb, 'x', SIZE_MAX / 2);
	assert_true(sb.failed);
	strbuf_free(&sb);
	assert_false(sb.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),	  cmocka_unit_test(test_growth),
		cmocka_unit_test(test_nul_bytes), cmocka_unit_test(test_empty_take),
		cmocka_unit_test(test_limit),	  cmocka_unit_test(test_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
