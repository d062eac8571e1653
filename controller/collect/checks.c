/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * checks.c - between model and probes: whom the model finds due is probed, what the probe found
 * goes to the model.
 *
 * Budget: PROBE_MAX_INFLIGHT at once, CHECKS_RATE starts a second with bursts of CHECKS_BURST.
 * Who is over the budget stays due in the model and is only late; lateness is measured and never
 * held against an endpoint.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/checks.h"
#include "daemon/daemon.h"
#include "sys/loop.h"
#include "sys/probe.h"
#include "util/log.h"

#define CHECKS_RATE 2000
#define CHECKS_BURST 200

struct checks {
	struct probes *probes;
	double tokens;
	mono_t filled;
	struct checks_stats stats;
};

static void check_target(struct probe_target *t, const struct addr *to, const struct conf_health *h)
{
	*t = (struct probe_target){
		.type = h->type,
		.to = *to,
		.timeout = h->timeout,
		.sni = h->sni,
		.verify = h->verify,
		.ca = h->ca,
		.alpn = h->alpn,
		.tls_min = h->tls_min,
		.path = h->path,
		.host = h->host,
		.expect = h->expect,
		.status_lo = h->status_lo,
		.status_hi = h->status_hi,
	};
	if (h->port)
		t->to.port = h->port;
}

static void check_result(struct daemon *d, uint32_t id, const struct probe_result *r)
{
	struct model_probe p = {
		.endpoint = id,
		.ok = r->why == REASON_PASS,
		.why = r->why,
		.err = r->err,
		.took = r->took,
		.connect = r->connect,
		.tls = r->tls,
	};

	memcpy(p.text, r->text, sizeof(p.text));
	p.text[sizeof(p.text) - 1] = '\0';
	d->checks->stats.ended++;
	if (r->why == REASON_LOCAL_ERROR) {
		d->checks->stats.local_errors++;
		log_errx("probe of endpoint %u could not be sent: %s (%s)", id, r->text,
			 strerror(r->err));
	}
	log_debug("probe of endpoint %u: %s %s, %lld us", id, reason_name(r->why), r->text,
		  (long long)r->took.us);
	model_probe_result(d->model, &p, daemon_now(d));
}

static void check_done(void *arg, uint64_t tag, const struct probe_result *r)
{
	check_result(arg, (uint32_t)tag, r);
}

static void check_start(struct daemon *d, uint32_t id)
{
	struct probe_result failed = { .why = REASON_LOCAL_ERROR };
	const struct conf_health *h;
	struct probe_target t;
	struct addr to;
	int rc = -ENOENT;

	d->checks->stats.started++;
	if (model_probe_target(d->model, id, &to, &h)) {
		check_target(&t, &to, h);
		rc = probe_start(d->checks->probes, id, &t);
	}
	if (!rc)
		return;
	failed.err = -rc;
	check_result(d, id, &failed);
}

/* How many probes may start now. */
static size_t checks_budget(struct daemon *d)
{
	struct checks *c = d->checks;
	mono_t now = daemon_now(d);
	size_t room = PROBE_MAX_INFLIGHT - probes_inflight(c->probes);

	c->tokens += (double)mono_sub(now, c->filled).us * CHECKS_RATE / 1e6;
	c->filled = now;
	if (c->tokens > CHECKS_BURST)
		c->tokens = CHECKS_BURST;
	return c->tokens < (double)room ? (size_t)c->tokens : room;
}

static void checks_late(struct daemon *d)
{
	struct checks_stats *st = &d->checks->stats;
	mono_t lag = mono_sub(daemon_now(d), d->tick_at);

	if (mono_is_never(d->tick_at) || lag.us < 0)
		lag = MONO_US(0);
	st->lag = lag;
	if (mono_cmp(lag, st->lag_max) > 0)
		st->lag_max = lag;
}

bool checks_run(struct daemon *d)
{
	uint32_t id[CHECKS_BURST];
	size_t budget = checks_budget(d), n;

	if (!budget)
		return false;
	n = model_due(d->model, id, budget, daemon_now(d));
	if (n)
		checks_late(d);
	d->checks->tokens -= (double)n;
	for (size_t i = 0; i < n; i++)
		check_start(d, id[i]);
	return n < budget;
}

void checks_stats(const struct daemon *d, struct checks_stats *st)
{
	*st = d->checks->stats;
	st->inflight = probes_inflight(d->checks->probes);
}

int checks_open(struct daemon *d)
{
	d->checks = calloc(1, sizeof(*d->checks));
	if (!d->checks)
		return -ENOMEM;
	d->checks->filled = daemon_now(d);
	d->checks->tokens = CHECKS_BURST;
	return probes_open(&d->checks->probes, d->loop, check_done, d);
}

void checks_close(struct daemon *d)
{
	if (!d->checks)
		return;
	probes_close(d->checks->probes);
	free(d->checks);
	d->checks = NULL;
}
