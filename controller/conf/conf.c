/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf.c - the life of a struct conf: new, copy, compare, free. A struct conf owns its three kinds of lists
 * (interfaces, services, endpoints of a service); everything else is inline.
 *
 * Two configurations are equal when they ask for the same things in the same order; where they were written
 * (line numbers) does not count.
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
	const struct conf_row *health = row_find(&conf_service_block, "health");
	char why[WHY_LEN];

	memset(s, 0, sizeof(*s));
	block_defaults(&conf_service_block, s);
	block_defaults(&conf_health_block, &s->health);
	value_set(health, s, health->dflt, why);
}

void conf_free(struct conf *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->services; i++)
		free(c->service[i].endpoint);
	free(c->service);
	free(c->iface);
	free(c);
}

/* A copy of n elements; NULL for none and when out of memory. */
static void *list_copy(const void *list, size_t n, size_t size)
{
	void *copy = n ? calloc(n, size) : NULL;

	if (copy)
		memcpy(copy, list, n * size);
	return copy;
}

struct conf *conf_copy(const struct conf *c)
{
	struct conf *to = calloc(1, sizeof(*to));
	struct conf_service *s;

	if (!to)
		return NULL;
	*to = *c;
	to->services = 0;
	to->iface = list_copy(c->iface, c->ifaces, sizeof(*c->iface));
	to->service = list_copy(c->service, c->services, sizeof(*c->service));
	if ((c->ifaces && !to->iface) || (c->services && !to->service))
		goto fail;
	/* services counts those whose endpoints are their own, so that conf_free() frees no others */
	for (; to->services < c->services; to->services++) {
		s = &to->service[to->services];
		s->endpoint = list_copy(s->endpoint, s->endpoints, sizeof(*s->endpoint));
		if (s->endpoints && !s->endpoint)
			goto fail;
	}
	return to;
fail:
	conf_free(to);
	return NULL;
}

static bool block_equal(const struct conf_block *b, const void *x, const void *y)
{
	size_t i;

	for (i = 0; i < b->rows; i++) {
		const struct conf_row *row = &b->row[i];

		if (row->kind == KIND_BLOCK && !block_equal(row->block, x, y))
			return false;
		if ((row->kind < KIND_BLOCK || row->kind == KIND_HEALTH) && !value_equal(row, x, y))
			return false;
	}
	return true;
}

static bool service_equal(const struct conf_service *a, const struct conf_service *b)
{
	size_t i;

	if (strcmp(a->name, b->name) || !block_equal(&conf_service_block, a, b) ||
	    !block_equal(&conf_health_block, &a->health, &b->health))
		return false;
	if (a->locals != b->locals || a->endpoints != b->endpoints)
		return false;
	for (i = 0; i < a->locals; i++) {
		if (!addr_equal(&a->local[i], &b->local[i]))
			return false;
	}
	for (i = 0; i < a->endpoints; i++) {
		const struct conf_endpoint *x = &a->endpoint[i], *y = &b->endpoint[i];

		if (!addr_equal(&x->addr, &y->addr) || !block_equal(&conf_endpoint_block, x, y))
			return false;
	}
	return true;
}

bool conf_equal(const struct conf *a, const struct conf *b)
{
	size_t i;

	if (a->ifaces != b->ifaces || a->services != b->services ||
	    !block_equal(&conf_main_block, a, b))
		return false;
	for (i = 0; i < a->ifaces; i++) {
		if (strcmp(a->iface[i].name, b->iface[i].name) ||
		    !block_equal(&conf_iface_block, &a->iface[i], &b->iface[i]))
			return false;
	}
	for (i = 0; i < a->services; i++) {
		if (!service_equal(&a->service[i], &b->service[i]))
			return false;
	}
	return true;
}

const struct conf_service *conf_service_find(const struct conf *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->services; i++) {
		if (!strcmp(c->service[i].name, name))
			return &c->service[i];
	}
	return NULL;
}
