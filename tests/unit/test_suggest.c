/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_suggest.c - distances, and which slips are near enough to be offered. */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "util/suggest.h"

static void test_distance(void **state)
{
	static const struct {
		const char *a, *b;
		size_t d;
	} t[] = {
		{ "", "", 0 },
		{ "abc", "abc", 0 },
		{ "", "abc", 3 },
		{ "interval", "intervall", 1 },
		{ "weight", "wieght", 1 }, /* a swap is one */
		{ "ab", "ba", 1 },
		{ "kitten", "sitting", 3 },
		{ "on_unknown", "ON-Unknown", 0 },
		{ "flaw", "lawn", 2 },
	};
	char longer[60];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(suggest_distance(t[i].a, t[i].b), t[i].d);
		assert_int_equal(suggest_distance(t[i].b, t[i].a), t[i].d);
	}
	memset(longer, 'x', sizeof(longer));
	longer[48] = 0;
	assert_int_equal(suggest_distance(longer, longer), 0);
	assert_int_equal(suggest_distance(longer, ""), 48);
	longer[48] = 'x';
	longer[49] = 0;
	assert_int_equal(suggest_distance(longer, longer), SUGGEST_FAR);
}

static const char *nearest(const char *word)
{
	static const char *const words[] = { "interval",      "timeout",      "rise", "fall",
					     "nat",	      "dsr",	      "port", "path",
					     "fast-interval", "down-interval" };
	struct suggest s = { .word = word };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		suggest_offer(&s, words[i]);
	return suggest_best(&s);
}

static void test_nearest(void **state)
{
	(void)state;
	assert_string_equal(nearest("timout"), "timeout");
	assert_string_equal(nearest("Timeout"), "timeout");
	assert_string_equal(nearest("natt"), "nat");
	assert_string_equal(nearest("drs"), "dsr");
	assert_string_equal(nearest("pth"), "path");
	assert_string_equal(nearest("fastinterval"), "fast-interval");
	assert_string_equal(nearest("interval"), "interval");
	assert_null(nearest("foo"));
	assert_null(nearest(""));
	assert_null(nearest("x"));
	assert_null(nearest("listen"));
	assert_null(nearest("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			    "xxxxxxxxxx"));
}

static void test_nothing_offered(void **state)
{
	struct suggest s = { .word = "x" };

	(void)state;
	assert_null(suggest_best(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_nothing_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
