/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * choice.h - the names that a word of the command line can be.
 */
#ifndef CTL_CHOICE_H
#define CTL_CHOICE_H

#include <stddef.h>

#include "api/api.h"

#define CHOICES_MAX (API_V_MAX + 16)

struct choices {
	const char *what; /* "command", "option" */
	const char *name[CHOICES_MAX];
	size_t n;
};

/*
 * Each name once: the paths of the table repeat their first words. The names are not copied; they
 * belong to the caller and outlive the choices.
 */
void choices_add(struct choices *c, const char *name);
/* Those that begin with `prefix`, in the order of the table; "" lists all. */
void choices_list(const struct choices *c, const char *prefix);
/* The one choice that `word` is, or begins; NULL after saying why not. */
const char *choices_find(const struct choices *c, const char *word);

#endif
