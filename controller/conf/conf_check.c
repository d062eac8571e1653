/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_check.c - the rules that need more than one statement, after all of them are read.
 *
 * A service that has errors already is left alone: half-read, it would only break more rules. Every
 * message points at the statement to change and says what would be right.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"
#include "util/units.h"

/* Where the value of an option stands, or its keyword when it has none; key.len 0 = not given. */
static struct span given_at(const struct parser *p, size_t block, const char *word)
{
	size_t m = mark_next(p, block, word, 0);

	if (!m)
		return (struct span){ 0 };
	return p->mark[m].value.len ? p->mark[m].value : p->mark[m].key;
}

/*
 * Where a health option stands; when it is left at its default, where `health` or the service does.
 */
static struct span health_at(const struct parser *p, size_t service, const char *word)
{
	size_t health = mark_next(p, service, "health", 0);
	struct span at = health ? given_at(p, health, word) : (struct span){ 0 };

	if (at.len)
		return at;
	return health ? p->mark[health].key : p->mark[service].value;
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

/*
 * Sorts the list; reports every address that stood before. Returns how many different ones there
 * are.
 */
static size_t placed_unique(struct parser *p, const char *word, struct placed *list, size_t n)
{
	char buf[ADDR_STRLEN];
	size_t first = 0, unique = n ? 1 : 0;

	qsort(list, n, sizeof(*list), placed_cmp);
	for (size_t i = 1; i < n; i++) {
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

/* At least one element, so that NULL means one thing only. The caller frees it. */
static struct placed *placed_new(struct parser *p, size_t n)
{
	struct placed *list = calloc(n ? n : 1, sizeof(*list));

	if (!list)
		p->oom = true;
	return list;
}

/* ---- one service: `at` is its mark ---- */

static void endpoints_check(struct parser *p, const struct conf_service *s, size_t at)
{
	struct placed *list = placed_new(p, s->endpoints);
	char why[WHY_LEN];
	size_t n = 0;

	for (size_t m = mark_next(p, at, "endpoint", 0); list && m;
	     m = mark_next(p, at, "endpoint", m + 1)) {
		const struct conf_endpoint *e = &s->endpoint[p->mark[m].elem];

		list[n++] = (struct placed){ e->addr, p->mark[m].value, s };
		if (conf_endpoint_valid(s, &e->addr, e->weight, why, sizeof(why)))
			report_error(&p->report, p->mark[m].value, "%s", why);
	}
	if (list)
		placed_unique(p, "endpoint", list, n);
	free(list);
}

static void local_check(struct parser *p, const struct conf_service *s, const struct placed *l)
{
	char why[WHY_LEN];

	if (!addr_check(p, "local-address", &l->addr, l->at) || l->addr.family == s->listen.family)
		return;
	families_why("local-address", &l->addr, s->listen.family, why, sizeof(why));
	report_error(&p->report, l->at, "%s", why);
}

/* Names the modes that use local addresses, as the table has them. */
static void locals_useless(struct parser *p, const struct conf_service *s, struct span at)
{
	struct word modes[RR_MODE_MAX + 1] = { { NULL, 0 } };
	struct strbuf list = { 0 };
	size_t n = 0;

	for (const struct word *w = conf_mode_words; w->word; w++) {
		if (rr_mode_has((unsigned int)w->value, RR_MODE_NEEDS_LOCAL))
			modes[n++] = *w;
	}
	words_list(modes, &list);
	report_error(&p->report, at, "local-address is for mode %s: %s keeps the client's address",
		     strbuf_str(&list), word_of(conf_mode_words, (int)s->mode));
	strbuf_free(&list);
}

static void locals_check(struct parser *p, const struct conf_service *s, size_t at)
{
	size_t m = mark_next(p, at, "local-address", 0), n = 0;
	struct placed list[CONF_MAX_LOCALS];

	if (m && !rr_mode_has(s->mode, RR_MODE_NEEDS_LOCAL)) {
		locals_useless(p, s, p->mark[m].key);
		return;
	}
	for (; m; m = mark_next(p, at, "local-address", m + 1)) {
		list[n] = (struct placed){ s->local[p->mark[m].elem], p->mark[m].value, s };
		local_check(p, s, &list[n++]);
	}
	placed_unique(p, "local-address", list, n);
}

static void health_check(struct parser *p, const struct conf_health *h, size_t at)
{
	size_t block = mark_next(p, at, "health", 0);
	bool given = block && mark_next(p, block, "timeout", 0);
	char timeout[UNITS_STRLEN], interval[UNITS_STRLEN];

	if (h->type == PROBE_NONE || mono_cmp(h->timeout, h->interval) <= 0)
		return;
	report_error(&p->report, health_at(p, at, given ? "timeout" : "interval"),
		     "timeout %s%s must not be longer than interval %s",
		     units_dur_print(h->timeout, timeout, sizeof(timeout)),
		     given ? "" : " (the default)",
		     units_dur_print(h->interval, interval, sizeof(interval)));
}

static void service_check(struct parser *p, const struct conf_service *s, size_t at)
{
	size_t listen = mark_next(p, at, "listen", 0);
	struct span name = p->mark[at].value;

	if (!listen) {
		report_error(&p->report, name, "service %s has no 'listen ADDRESS:PORT'", s->name);
		return;
	}
	if (s->endpoints == 0)
		report_error(&p->report, name, "service %s has no 'endpoint ADDRESS:PORT'",
			     s->name);
	if (!addr_check(p, "listen", &s->listen, p->mark[listen].value))
		return;
	endpoints_check(p, s, at);
	locals_check(p, s, at);
	health_check(p, &s->health, at);
}

/* ---- all of them ---- */

static size_t service_next(const struct parser *p, size_t from)
{
	return mark_next(p, 0, "service", from);
}

static void listens_check(struct parser *p)
{
	struct placed *list = placed_new(p, p->conf->services);
	size_t n = 0;

	for (size_t m = service_next(p, 0); list && m; m = service_next(p, m + 1)) {
		const struct conf_service *s = &p->conf->service[p->mark[m].elem];

		if (s->listen.family)
			list[n++] = (struct placed){ s->listen, given_at(p, m, "listen"), s };
	}
	if (list)
		placed_unique(p, "listen", list, n);
	free(list);
}

/* How many ids local addresses will need: services that use the same one share it. */
static size_t locals_count(struct parser *p)
{
	struct placed *list = placed_new(p, p->conf->services * CONF_MAX_LOCALS);
	size_t n = 0;

	for (size_t i = 0; list && i < p->conf->services; i++) {
		for (size_t k = 0; k < p->conf->service[i].locals; k++)
			list[n++].addr = p->conf->service[i].local[k];
	}
	if (list)
		n = placed_unique(p, NULL, list, n);
	free(list);
	return n;
}

static void totals_check(struct parser *p)
{
	size_t endpoints = 0, last = 0;

	for (size_t m = service_next(p, 0); m; m = service_next(p, m + 1)) {
		last = m;
		endpoints += p->conf->service[p->mark[m].elem].endpoints;
		if (endpoints <= CONF_MAX_ALL_ENDPOINTS)
			continue;
		report_error(&p->report, p->mark[m].value,
			     "more than %d endpoints in all services together",
			     CONF_MAX_ALL_ENDPOINTS);
		break;
	}
	if (last && locals_count(p) > CONF_MAX_ALL_LOCALS)
		report_error(&p->report, p->mark[last].value,
			     "more than %d different local addresses in all services together",
			     CONF_MAX_ALL_LOCALS);
}

void conf_check(struct parser *p)
{
	struct span start = { 0, 1, 1 };

	for (size_t m = service_next(p, 0); m && !p->oom; m = service_next(p, m + 1)) {
		if (!p->mark[m].bad)
			service_check(p, &p->conf->service[p->mark[m].elem], m);
	}
	listens_check(p);
	totals_check(p);
	if (p->report.total == 0 && p->conf->ifaces == 0)
		report_error(&p->report, start,
			     "no interface is given: 'interface NAME' is needed at least once");
}
