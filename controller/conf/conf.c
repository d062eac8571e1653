/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf.c - the life of a struct conf: new, copy, compare, free. What it is made of is known to the
 * keyword tables; here is only what its owner calls.
 *
 * Two configurations are equal when they ask for the same things in the same order; where they were
 * written (line numbers) does not count.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"

struct conf *conf_new(void)
{
	struct conf *c = calloc(1, sizeof(*c));

	if (c)
		block_defaults(&conf_main_block, c);
	return c;
}

void conf_service_init(struct conf_service *s)
{
	memset(s, 0, sizeof(*s));
	block_defaults(&conf_service_block, s);
}

void conf_free(struct conf *c)
{
	if (c && c->shares) {
		c->shares--;
		return;
	}
	if (c)
		block_free_lists(&conf_main_block, c);
	free(c);
}

struct conf *conf_share(struct conf *c)
{
	c->shares++;
	return c;
}

struct conf *conf_copy(const struct conf *c)
{
	struct conf *to = calloc(1, sizeof(*to));

	if (!to)
		return NULL;
	*to = *c;
	to->shares = 0;
	if (block_copy_lists(&conf_main_block, to, c))
		return to;
	conf_free(to);
	return NULL;
}

bool conf_equal(const struct conf *a, const struct conf *b)
{
	return block_equal(&conf_main_block, a, b);
}

const struct conf_service *conf_service_find(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->services; i++) {
		if (!strcmp(c->service[i].name, name))
			return &c->service[i];
	}
	return NULL;
}
