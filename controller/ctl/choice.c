/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * choice.c - a word that may be cut short: the names that it can be, and which one is meant. What
 * is wrong with a word is said on standard error, with the names there are. Owns nothing.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/choice.h"
#include "util/suggest.h"

void choices_add(struct choices *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++) {
		if (!strcmp(c->name[i], name))
			return;
	}
	if (c->n < CHOICES_MAX)
		c->name[c->n++] = name;
}

void choices_list(const struct choices *c, const char *prefix)
{
	size_t n = 0;

	fprintf(stderr, "rrctl: %ss:", c->what);
	for (size_t i = 0; i < c->n; i++) {
		if (!strncmp(c->name[i], prefix, strlen(prefix)))
			fprintf(stderr, "%s %s", n++ ? "," : "", c->name[i]);
	}
	fputc('\n', stderr);
}

/*
 * Says that no choice begins with the word, which one was probably meant, and what there is: who
 * mistypes a command seldom knows the others. NULL, for choices_find() to return.
 */
static const char *unknown(const struct choices *c, const char *word)
{
	struct suggest near = { .word = word };

	for (size_t i = 0; i < c->n; i++)
		suggest_offer(&near, c->name[i]);
	fprintf(stderr, "rrctl: unknown %s '%s'", c->what, word);
	if (suggest_best(&near))
		fprintf(stderr, " (did you mean '%s'?)", suggest_best(&near));
	fputc('\n', stderr);
	choices_list(c, "");
	return NULL;
}

const char *choices_find(const struct choices *c, const char *word)
{
	const char *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (!strcmp(c->name[i], word))
			return c->name[i];
		if (!strncmp(c->name[i], word, strlen(word))) {
			found = c->name[i];
			n++;
		}
	}
	if (n == 1)
		return found;
	if (!n)
		return unknown(c, word);
	fprintf(stderr, "rrctl: ambiguous %s '%s'\n", c->what, word);
	choices_list(c, word);
	return NULL;
}
