/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_check.c - the rules that need more than one statement, after all of them are read.
 *
 * A service that has errors already is left alone: half-read, it would only break more rules. Every message
 * points at the statement to change and says what would be right.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"
#include "util/units.h"

static const struct stmt_pos *option_pos(const struct service_pos *pos, const char *word)
{
	return &pos->option[row_find(&conf_service_block, word) - conf_service_block.row];
}

/* Where a health option stands; when it is left at its default, where `health` or the service stands. */
static struct span health_at(const struct service_pos *pos, const char *word)
{
	const struct stmt_pos *at =
		&pos->health[row_find(&conf_health_block, word) - conf_health_block.row];
	const struct stmt_pos *health = option_pos(pos, "health");

	if (at->key.len)
		return at->value.len ? at->value : at->key;
	return health->key.len ? health->key : pos->name;
}

/* ---- addresses ---- */

static bool addr_check(struct parser *p, const char *word, const struct addr *a, struct span at)
{
	const char *why = addr_unusable(a);
	char buf[ADDR_STRLEN];

	if (why)
		report_error(&p->report, at, "%s %s is %s", word, addr_print(a, buf, sizeof(buf)),
			     why);
	return !why;
}

/* An address and where it stands, for finding the ones that stand twice. */
struct placed {
	struct addr addr;
	struct span at;
	const struct conf_service *service;
};

static int placed_cmp(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int d = addr_cmp(&x->addr, &y->addr);

	return d ? d : (x->at.off > y->at.off) - (x->at.off < y->at.off);
}

/* Sorts the list; reports every address that stood before. Returns how many different ones there are. */
static size_t placed_unique(struct parser *p, const char *word, struct placed *list, size_t n)
{
	char buf[ADDR_STRLEN];
	size_t i, first = 0, unique = n ? 1 : 0;

	qsort(list, n, sizeof(*list), placed_cmp);
	for (i = 1; i < n; i++) {
		if (!addr_equal(&list[i].addr, &list[first].addr)) {
			first = i;
			unique++;
			continue;
		}
		if (word)
			report_error(
				&p->report, list[i].at, "duplicate %s %s (first on line %u%s%s)",
				word, addr_print(&list[i].addr, buf, sizeof(buf)),
				list[first].at.line,
				list[first].service != list[i].service ? ", service " : "",
				list[first].service != list[i].service ? list[first].service->name
								       : "");
	}
	return unique;
}

static struct placed *placed_new(struct parser *p, size_t n)
{
	struct placed *list = calloc(n ? n : 1, sizeof(*list));

	if (!list)
		p->oom = true;
	return list;
}

/* ---- one service ---- */

static void endpoints_check(struct parser *p, const struct conf_service *s,
			    const struct service_pos *pos)
{
	struct placed *list = placed_new(p, s->endpoints);
	char why[WHY_LEN];

	if (!list)
		return;
	for (size_t i = 0; i < s->endpoints; i++) {
		const struct conf_endpoint *e = &s->endpoint[i];

		list[i] = (struct placed){ e->addr, pos->endpoint[i], s };
		if (conf_endpoint_valid(s, &e->addr, e->weight, why, sizeof(why)))
			report_error(&p->report, pos->endpoint[i], "%s", why);
	}
	placed_unique(p, "endpoint", list, s->endpoints);
	free(list);
}

static void local_check(struct parser *p, const struct conf_service *s, const struct addr *a,
			struct span at)
{
	char why[WHY_LEN];

	if (!addr_check(p, "local-address", a, at) || a->family == s->listen.family)
		return;
	families_why("local-address", a, s->listen.family, why, sizeof(why));
	report_error(&p->report, at, "%s", why);
}

static void locals_check(struct parser *p, const struct conf_service *s,
			 const struct service_pos *pos)
{
	struct placed list[CONF_MAX_LOCALS];
	size_t i;

	if (s->locals && s->mode == CONF_MODE_DSR) {
		report_error(&p->report, option_pos(pos, "local-address")->key,
			     "local-address is for mode nat: dsr keeps the client's address");
		return;
	}
	for (i = 0; i < s->locals; i++) {
		list[i] = (struct placed){ s->local[i], pos->local[i], s };
		local_check(p, s, &s->local[i], pos->local[i]);
	}
	placed_unique(p, "local-address", list, s->locals);
}

static void health_check(struct parser *p, const struct conf_health *h,
			 const struct service_pos *pos)
{
	size_t row = (size_t)(row_find(&conf_health_block, "timeout") - conf_health_block.row);
	char timeout[UNITS_STRLEN], interval[UNITS_STRLEN];
	bool given = pos->health[row].key.len != 0;

	if (h->type == PROBE_NONE || mono_cmp(h->timeout, h->interval) <= 0)
		return;
	report_error(&p->report, health_at(pos, given ? "timeout" : "interval"),
		     "timeout %s%s must not be longer than interval %s",
		     units_dur_print(h->timeout, timeout, sizeof(timeout)),
		     given ? "" : " (the default)",
		     units_dur_print(h->interval, interval, sizeof(interval)));
}

static void service_check(struct parser *p, const struct conf_service *s,
			  const struct service_pos *pos)
{
	const struct stmt_pos *listen = option_pos(pos, "listen");

	if (!listen->key.len) {
		report_error(&p->report, pos->name, "service %s has no 'listen ADDRESS:PORT'",
			     s->name);
		return;
	}
	if (s->endpoints == 0)
		report_error(&p->report, pos->name, "service %s has no 'endpoint ADDRESS:PORT'",
			     s->name);
	if (!addr_check(p, "listen", &s->listen, listen->value))
		return;
	endpoints_check(p, s, pos);
	locals_check(p, s, pos);
	health_check(p, &s->health, pos);
}

/* ---- all of them ---- */

static void listens_check(struct parser *p)
{
	struct placed *list = placed_new(p, p->conf->services);
	size_t i, n = 0;

	for (i = 0; list && i < p->conf->services; i++) {
		const struct conf_service *s = &p->conf->service[i];

		if (s->listen.family)
			list[n++] =
				(struct placed){ s->listen,
						 option_pos(&p->service[i], "listen")->value, s };
	}
	if (list)
		placed_unique(p, "listen", list, n);
	free(list);
}

static size_t locals_count(struct parser *p)
{
	struct placed *list = placed_new(p, p->conf->services * CONF_MAX_LOCALS);
	size_t i, j, n = 0;

	for (i = 0; list && i < p->conf->services; i++) {
		for (j = 0; j < p->conf->service[i].locals; j++)
			list[n++].addr = p->conf->service[i].local[j];
	}
	if (list)
		n = placed_unique(p, NULL, list, n);
	free(list);
	return n;
}

static void totals_check(struct parser *p)
{
	size_t i, endpoints = 0;

	for (i = 0; i < p->conf->services; i++) {
		endpoints += p->conf->service[i].endpoints;
		if (endpoints > CONF_MAX_ALL_ENDPOINTS) {
			report_error(&p->report, p->service[i].name,
				     "more than %d endpoints in all services together",
				     CONF_MAX_ALL_ENDPOINTS);
			break;
		}
	}
	if (p->conf->services && locals_count(p) > CONF_MAX_ALL_LOCALS)
		report_error(&p->report, p->service[p->conf->services - 1].name,
			     "more than %d different local addresses in all services together",
			     CONF_MAX_ALL_LOCALS);
}

void conf_check(struct parser *p)
{
	struct span start = { 0, 1, 1 };
	size_t i;

	for (i = 0; i < p->conf->services && !p->oom; i++) {
		if (!p->service[i].bad)
			service_check(p, &p->conf->service[i], &p->service[i]);
	}
	listens_check(p);
	totals_check(p);
	if (p->report.total == 0 && p->conf->ifaces == 0)
		report_error(&p->report, start,
			     "no interface is given: 'interface NAME' is needed at least once");
}
