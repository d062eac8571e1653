/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_probe.c - what a configuration asks of the prober: which health blocks are probes of one
 * kind, and how much work a second all of them are.
 *
 * Two blocks are of one kind when the probe itself is the same: what is sent, what is expected and
 * for how long it is waited. When and how often it is sent, and what its results mean (interval,
 * rise, fall, jitter, init), is each service's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

static bool tls_same(const struct conf_health *a, const struct conf_health *b)
{
	return a->verify == b->verify && a->tls_min == b->tls_min && !strcmp(a->sni, b->sni) &&
	       !strcmp(a->ca, b->ca) && !strcmp(a->alpn, b->alpn);
}

static bool http_same(const struct conf_health *a, const struct conf_health *b)
{
	return a->status_lo == b->status_lo && a->status_hi == b->status_hi &&
	       !strcmp(a->path, b->path) && !strcmp(a->host, b->host) &&
	       !strcmp(a->expect, b->expect);
}

bool conf_probe_same(const struct conf_health *a, const struct conf_health *b)
{
	return a->type == b->type && !mono_cmp(a->timeout, b->timeout) && a->port == b->port &&
	       tls_same(a, b) && http_same(a, b);
}

uint32_t conf_probe_cost(enum probe_type type)
{
	return type == PROBE_NONE ? 0 : type == PROBE_TCP ? 1 : type == PROBE_TLS ? 3 : 4;
}

/* One endpoint of one service, as a probe. */
struct probed {
	struct addr to;
	const struct conf_health *h;
	size_t kind; /* the first service with probes of this kind */
	int64_t interval; /* us */
};

/* Of equal ones the most frequent first: that is the rhythm of all. */
static int probed_cmp(const void *a, const void *b)
{
	const struct probed *x = a, *y = b;
	int d = addr_cmp(&x->to, &y->to);

	if (!d)
		d = (x->kind > y->kind) - (x->kind < y->kind);
	return d ? d : (x->interval > y->interval) - (x->interval < y->interval);
}

static size_t kind_first(const struct conf *c, size_t service)
{
	size_t k = 0;

	while (!conf_probe_same(&c->service[k].health, &c->service[service].health))
		k++;
	return k;
}

static size_t probed_list(const struct conf *c, struct probed *list)
{
	size_t n = 0;

	for (size_t i = 0; i < c->services; i++) {
		const struct conf_service *s = &c->service[i];
		const struct conf_health *h = &s->health;
		const size_t kind = kind_first(c, i);

		for (size_t k = 0; h->type != PROBE_NONE && k < s->endpoints; k++) {
			list[n] = (struct probed){ s->endpoint[k].addr, h, kind, h->interval.us };
			if (h->port)
				list[n].to.port = h->port;
			n++;
		}
	}
	return n;
}

double conf_probe_load(const struct conf *c)
{
	struct probed *list;
	size_t n = 1;
	double load = 0;

	for (size_t i = 0; i < c->services; i++)
		n += c->service[i].endpoints;
	list = calloc(n, sizeof(*list));
	if (!list)
		return 0;
	n = probed_list(c, list);
	qsort(list, n, sizeof(*list), probed_cmp);
	for (size_t i = 0; i < n; i++) {
		if (i && list[i].kind == list[i - 1].kind &&
		    addr_equal(&list[i].to, &list[i - 1].to))
			continue;
		load += conf_probe_cost(list[i].h->type) * 1e6 / (double)list[i].interval;
	}
	free(list);
	return load;
}

bool conf_probe_warning(const struct conf *c, char *buf, size_t len)
{
	double load = conf_probe_load(c);

	if (load <= CONF_PROBE_RATE)
		return false;
	snprintf(buf, len,
		 "health checks: the intervals ask for %.0f units of probes a second, %d can be "
		 "made (tcp 1, tls %u, https %u): every probe will be late; raise interval %.1f "
		 "times",
		 load, CONF_PROBE_RATE, conf_probe_cost(PROBE_TLS), conf_probe_cost(PROBE_HTTPS),
		 load / CONF_PROBE_RATE);
	return true;
}
