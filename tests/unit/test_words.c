/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_words.c - every table of choices: words are found back, none stands twice, and what is not
 * in a table leaves the value alone.
 */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "conf/conf.h"
#include "util/words.h"

static const struct word *const tables[] = {
	ep_admin_words,	    dp_attach_words,	 dp_xdp_words,	      probe_type_words,
	probe_verify_words, health_begin_words,	 conf_mode_words,     conf_balance_words,
	conf_unknown_words, conf_overflow_words, conf_deadline_words, problem_level_words,
};

static void test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		int value = -7;

		assert_non_null(tables[i][0].word);
		for (const struct word *w = tables[i]; w->word; w++) {
			assert_true(word_find(tables[i], w->word, &value));
			assert_int_equal(value, w->value);
			assert_string_equal(word_of(tables[i], w->value), w->word);
		}
		value = -7;
		assert_false(word_find(tables[i], "", &value));
		assert_false(word_find(tables[i], "unknown", &value));
		assert_int_equal(value, -7);
		assert_string_equal(word_of(tables[i], -7), "unknown");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
