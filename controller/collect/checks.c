/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * checks.c - between model and probes: what the model finds due is probed, what the probe found
 * goes to the model, and what nobody waits for any more is ended.
 *
 * Budget: PROBE_MAX_INFLIGHT at once, and CONF_PROBE_RATE units of work a second with bursts of
 * CHECKS_BURST, where a handshake costs more than a connect (conf_probe_cost()): about one core.
 * Over the budget the model's order decides, the longest due first, so that all are late alike.
 * How late that is is measured, shown, and never held against an endpoint.
 *
 * What fails because nobody looked is not a failure of the endpoint. While probes are in flight a
 * timer beats every BEAT; what passes between two looks beyond that is told to the model as a
 * stall. The clock goes on while the host sleeps (CLOCK_BOOTTIME).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/checks.h"
#include "collect/trust.h"
#include "daemon/daemon.h"
#include "sys/loop.h"
#include "sys/probe.h"
#include "util/log.h"

#define CHECKS_BURST 250
#define BEAT MONO_MS(100)
#define STALL_LEAST MONO_MS(50) /* less is the ordinary run of things */
#define LATE_LEAST MONO_MS(500) /* from here on it is worth a line */

struct checks {
	struct probes *probes;
	struct loop_timer *beat;
	double tokens;
	mono_t filled;
	mono_t looked; /* loop_boot() when probes in flight were last looked at */
	struct checks_stats stats;
};

static uint64_t tag_of(struct model_run run)
{
	return (uint64_t)run.run << 32 | run.target;
}

static struct model_run run_of(uint64_t tag)
{
	return (struct model_run){ .target = (uint32_t)tag, .run = (uint32_t)(tag >> 32) };
}

/*
 * Comes first wherever results or the model's time are dealt with. The model knows whether a probe
 * was in flight: the one whose end is being told has left the count of sys/probe already.
 */
static void checks_look(struct daemon *d)
{
	struct checks *c = d->checks;
	mono_t at = loop_boot(), stall = mono_sub(mono_sub(at, c->looked), BEAT);

	if (mono_cmp(stall, STALL_LEAST) > 0)
		c->stats.stalls += model_stall(d->model, stall);
	c->looked = at;
}

static void check_target(struct probe_target *t, const struct addr *to, const struct conf_health *h)
{
	*t = (struct probe_target){
		.type = h->type,
		.to = *to,
		.timeout = h->timeout,
		.sni = h->sni,
		.verify = h->verify,
		.alpn = h->alpn,
		.tls_min = h->tls_min,
		.path = h->path,
		.host = h->host,
		.expect = h->expect,
		.status_lo = h->status_lo,
		.status_hi = h->status_hi,
	};
}

static void check_result(struct daemon *d, struct model_run of, const struct probe_result *r)
{
	struct model_probe p = {
		.of = of,
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
	d->checks->stats.local_errors += r->why == REASON_LOCAL_ERROR;
	log_debug("probe of target %u: %s %s%s%s, %lld us", of.target, reason_name(r->why), r->text,
		  r->err ? ": " : "", r->err ? strerror(r->err) : "", (long long)r->took.us);
	model_probe_result(d->model, &p, daemon_now(d));
}

static void check_done(void *arg, uint64_t tag, const struct probe_result *r)
{
	checks_look(arg);
	check_result(arg, run_of(tag), r);
}

/* 0, or why there will be no result: -errno, and a text. */
static int check_try(struct daemon *d, struct model_run run, const struct addr *to,
		     const struct conf_health *h, const char **text)
{
	struct probe_target t;
	int err = 0;

	check_target(&t, to, h);
	if (h->type != PROBE_TCP && h->verify != PROBE_VERIFY_NONE) {
		t.authority = trust_find(d, h, text, &err);
		if (!t.authority)
			return -err;
	}
	return probe_start(d->checks->probes, tag_of(run), &t);
}

/* How much of the budget it takes. */
static uint32_t check_start(struct daemon *d, struct model_run run)
{
	struct probe_result failed = { .why = REASON_LOCAL_ERROR };
	const struct conf_health *h;
	const char *text = "";
	struct addr to;
	int rc;

	if (!model_probe_target(d->model, run.target, &to, &h))
		return 0;
	d->checks->stats.started++;
	rc = check_try(d, run, &to, h, &text);
	if (rc) {
		failed.err = -rc;
		memccpy(failed.text, text, 0, sizeof(failed.text) - 1);
		check_result(d, run, &failed);
	}
	return conf_probe_cost(h->type);
}

/* How many probes may start now. What they cost is taken off when they have started. */
static size_t checks_budget(struct daemon *d)
{
	struct checks *c = d->checks;
	mono_t now = daemon_now(d);
	size_t room = PROBE_MAX_INFLIGHT - probes_inflight(c->probes);

	c->tokens += (double)mono_sub(now, c->filled).us * CONF_PROBE_RATE / 1e6;
	c->filled = now;
	if (c->tokens > CHECKS_BURST)
		c->tokens = CHECKS_BURST;
	if (c->tokens < 1)
		return 0;
	return c->tokens < (double)room ? (size_t)c->tokens : room;
}

static void checks_late(struct daemon *d)
{
	struct checks_stats *st = &d->checks->stats;
	bool late;

	st->lag = model_lag(d->model, daemon_now(d));
	late = mono_cmp(st->lag, LATE_LEAST) >= 0;
	if (mono_cmp(st->lag, st->lag_max) > 0)
		st->lag_max = st->lag;
	if (late && !st->late_since.us)
		st->late_since = daemon_now(d);
	if (!late)
		st->late_since = MONO_US(0);
}

static void checks_cancel(struct daemon *d)
{
	struct model_run run[64];
	size_t n;

	while ((n = model_cancels(d->model, run, sizeof(run) / sizeof(run[0])))) {
		for (size_t i = 0; i < n; i++)
			probe_cancel(d->checks->probes, tag_of(run[i]));
	}
}

bool checks_run(struct daemon *d)
{
	struct model_run run[CHECKS_BURST];
	struct checks *c = d->checks;
	size_t budget, n;

	checks_look(d);
	checks_cancel(d);
	checks_late(d);
	budget = checks_budget(d);
	n = budget ? model_due(d->model, run, budget, daemon_now(d)) : 0;
	for (size_t i = 0; i < n; i++)
		c->tokens -= check_start(d, run[i]);
	if (probes_inflight(c->probes) && !loop_timer_armed(c->beat))
		loop_timer_at(c->beat, mono_add(loop_clock(), BEAT));
	return budget && n < budget;
}

void checks_stats(const struct daemon *d, struct checks_stats *st)
{
	*st = d->checks->stats;
	st->inflight = probes_inflight(d->checks->probes);
}

/* Its only purpose is to end the wait: the turn looks. */
static void beat_fire(void *arg)
{
	(void)arg;
}

int checks_open(struct daemon *d)
{
	int rc;

	d->checks = calloc(1, sizeof(*d->checks));
	if (!d->checks)
		return -ENOMEM;
	d->checks->filled = daemon_now(d);
	d->checks->looked = loop_boot();
	d->checks->tokens = CHECKS_BURST;
	rc = loop_timer(d->loop, &d->checks->beat, beat_fire, d);
	return rc ? rc : probes_open(&d->checks->probes, d->loop, check_done, d);
}

void checks_close(struct daemon *d)
{
	if (!d->checks)
		return;
	probes_close(d->checks->probes);
	loop_timer_free(d->checks->beat);
	free(d->checks);
	d->checks = NULL;
}
