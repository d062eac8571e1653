/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * want.c - decides which endpoints a service is to have, and with what weight and admin state, from
 * all who may say so. Owns nothing and changes nothing: the difference to what there is, is made
 * in model_want.c.
 */
#include "model/want.h"

#include <stdio.h>

struct build {
	const struct want_input *in;
	struct want *want;
	size_t n, max;
};

const struct conf_endpoint *want_in_file(const struct conf_service *c, const struct addr *a)
{
	for (size_t i = 0; i < c->endpoints; i++) {
		if (addr_equal(&c->endpoint[i].addr, a))
			return &c->endpoint[i];
	}
	return NULL;
}

/* The operator's row; NULL = nobody has touched this one. */
static const struct model_saved *want_row(const struct build *b, const struct addr *a)
{
	size_t lo = 0, hi = b->in->overs;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = addr_cmp(&b->in->over[mid].endpoint, a);

		if (!c)
			return &b->in->over[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static struct want *want_find(struct build *b, const struct addr *a)
{
	for (size_t i = 0; i < b->n; i++) {
		if (addr_equal(&b->want[i].address, a))
			return &b->want[i];
	}
	return NULL;
}

/* One more, with what the operator has said about it. */
static void want_add(struct build *b, const struct want *w)
{
	const struct model_saved *o = want_row(b, &w->address);
	struct want *to = &b->want[b->n];

	if (b->n == b->max || (o && o->deleted))
		return;
	b->n++;
	*to = *w;
	if (o && o->admin_set) {
		to->admin = o->admin;
		to->admin_why = REASON_OPERATOR;
	}
	if (o && to->admin == EP_DRAIN)
		to->drain_until = o->drain_until;
	if (o && o->weight) {
		to->weight = o->weight;
		to->weight_set = w->origin != ORIGIN_OPERATOR;
	}
}

/* In the order of the file, which is also that of every list that is shown. */
static void add_configured(struct build *b)
{
	const struct conf_service *c = b->in->conf;

	for (size_t i = 0; i < c->endpoints; i++) {
		struct want w = { .address = c->endpoint[i].addr,
				  .weight = c->endpoint[i].weight,
				  .admin = c->endpoint[i].admin,
				  .admin_why = REASON_CONFIG,
				  .origin = ORIGIN_FILE,
				  .tier = 1 };

		want_add(b, &w);
	}
}

/* Not the file's, so it must be judged. */
static bool want_fits(const struct build *b, const struct addr *a, uint32_t weight)
{
	char why[160];

	return conf_endpoint_valid(b->in->conf, a, weight, why, sizeof(why)) == CONF_FAULT_NONE;
}

/* Added by hand. Once the file has it too, the file says weight and state. */
static void add_operators(struct build *b)
{
	for (size_t i = 0; i < b->in->overs; i++) {
		const struct model_saved *o = &b->in->over[i];
		struct want *known, w = { .address = o->endpoint,
					  .weight = b->in->conf->weight_default,
					  .admin = EP_READY,
					  .admin_why = REASON_CONFIG,
					  .origin = ORIGIN_OPERATOR,
					  .tier = 1 };

		if (!o->added || !want_fits(b, &o->endpoint, o->weight))
			continue;
		known = want_find(b, &o->endpoint);
		if (known)
			known->origin |= ORIGIN_OPERATOR;
		else
			want_add(b, &w);
	}
}

/* What a source says of an endpoint that others want as well is not asked for. */
static void add_found(struct build *b)
{
	for (size_t i = 0; i < b->in->founds; i++) {
		const struct want_found *f = &b->in->found[i];
		struct want *known,
			w = { .address = f->address,
			      .weight = f->weight ? f->weight : b->in->conf->weight_default,
			      .admin = f->admin,
			      .admin_why = REASON_CONFIG,
			      .origin = ORIGIN_DISCOVERED,
			      .group = f->group,
			      .tier = f->tier ? f->tier : 1 };

		if (!want_fits(b, &f->address, f->weight))
			continue;
		snprintf(w.name, sizeof(w.name), "%s", f->name);
		known = want_find(b, &f->address);
		if (known)
			known->origin |= ORIGIN_DISCOVERED;
		else
			want_add(b, &w);
	}
}

size_t want_build(const struct want_input *in, struct want *want, size_t max)
{
	struct build b = { .in = in, .want = want, .max = max };

	add_configured(&b);
	add_operators(&b);
	add_found(&b);
	return b.n;
}
