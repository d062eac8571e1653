/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * words.c - the tables of words.h, and looking into such a table. Owns only constants.
 */
#include <stddef.h>
#include <string.h>

#include "util/words.h"

const struct word ep_admin_words[] = { EP_ADMINS(WORD_ROW) WORD_END };
const struct word dp_attach_words[] = { DP_ATTACHES(WORD_ROW) WORD_END };
const struct word dp_xdp_words[] = { DP_XDPS(WORD_ROW) WORD_END };
const struct word probe_type_words[] = { PROBE_TYPES(WORD_ROW) WORD_END };
const struct word probe_verify_words[] = { PROBE_VERIFIES(WORD_ROW) WORD_END };
const struct word health_begin_words[] = { HEALTH_BEGINS(WORD_ROW) WORD_END };
const struct word problem_level_words[] = { PROBLEM_LEVELS(WORD_ROW) WORD_END };

const char *word_of(const struct word *words, int value)
{
	for (; words->word; words++) {
		if (words->value == value)
			return words->word;
	}
	return "unknown";
}

bool word_find(const struct word *words, const char *text, int *value)
{
	for (; words->word; words++) {
		if (strcmp(words->word, text))
			continue;
		*value = words->value;
		return true;
	}
	return false;
}
