/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * counters.c - reads the packet path's counters: per endpoint, per service, per verdict, summed
 * over CPUs.
 *
 * Counters only grow; whoever wants a rate takes the difference to `*_prev` over (at - prev_at).
 * The base of rates moves once a second, so a reading on demand never shortens the window to
 * nothing.
 */
#include <string.h>

#include "collect/counters.h"
#include "daemon/daemon.h"
#include "daemon/push.h"
#include "sys/loop.h"
#include "util/log.h"

static uint64_t swept_closed(struct daemon *d, uint32_t ep)
{
	const struct rr_swept *s = dp_mem(d->dp, RR_MAP_EP_SWEPT, NULL);

	return s[ep].closed;
}

/*
 * The CPUs are read one after the other, so a close can be seen without its open: never below
 * zero.
 */
static void collect_active(struct daemon *d, struct counters *c)
{
	for (uint32_t i = 0; i < RR_MAX_ENDPOINTS; i++) {
		uint64_t opened = c->ep[i].established + c->ep[i].reopened + c->ep_lag[i];
		uint64_t closed = c->ep[i].closed + swept_closed(d, i);

		c->ep_active[i] = opened > closed ? opened - closed : 0;
	}
}

/*
 * Endpoint ids that were ever used: reading all 8192 would cost a millisecond. What the sweep
 * closed tells of those that are free again when we start.
 */
static uint32_t collect_top(struct daemon *d)
{
	uint32_t n = RR_MAX_ENDPOINTS;

	while (n > 1 && !d->have->endpoint[n - 1].flags && !d->counters->ep[n - 1].packets[0] &&
	       !swept_closed(d, n - 1))
		n--;
	return n;
}

struct growth {
	mono_t before, at; /* of the reading before, which is 0 for the first, and of this one */
	uint64_t *seen; /* by id */
	mono_t *grew;
};

static void growth_note(const struct growth *g, uint32_t id, uint64_t packets)
{
	if (packets > g->seen[id] && g->before.us)
		g->grew[id] = g->at;
	g->seen[id] = packets;
}

/*
 * A counter's growth is only seen here, where each reading passes once: whoever is told "last
 * packet" gets this time.
 */
static void collect_growth(struct counters *c, mono_t at, uint32_t eps)
{
	struct growth ep = { c->at, at, c->ep_packets, c->ep_grew };
	struct growth svc = { c->at, at, c->svc_packets, c->svc_grew };
	struct growth verdict = { c->at, at, c->verdict_packets, c->verdict_grew };

	for (uint32_t i = 0; i < eps; i++)
		growth_note(&ep, i, c->ep[i].packets[RR_DIR_FWD] + c->ep[i].packets[RR_DIR_REV]);
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++)
		growth_note(&svc, i, c->svc[i].packets[RR_DIR_FWD] + c->svc[i].packets[RR_DIR_REV]);
	for (uint32_t i = 0; i < RR_V_MAX; i++)
		growth_note(&verdict, i, c->verdict[i]);
}

int collect_read(struct daemon *d)
{
	struct counters *c = d->counters;
	uint32_t eps = collect_top(d);
	mono_t at;
	int rc = dp_sum(d->dp, RR_MAP_EP_STATS, 0, eps, c->ep);

	if (!rc)
		rc = dp_sum(d->dp, RR_MAP_SVC_STATS, 0, RR_MAX_SERVICES, c->svc);
	if (!rc)
		rc = dp_sum(d->dp, RR_MAP_VERDICTS, 0, RR_V_MAX, c->verdict);
	if (rc) {
		log_errx("counters: %s", dp_error(d->dp));
		return rc;
	}
	at = loop_clock();
	collect_growth(c, at, eps);
	c->at = at;
	collect_active(d, c);
	return 0;
}

int collect_period(struct daemon *d)
{
	struct counters *c = d->counters;

	memcpy(c->ep_prev, c->ep, sizeof(c->ep_prev));
	memcpy(c->svc_prev, c->svc, sizeof(c->svc_prev));
	c->prev_at = c->at;
	return collect_read(d);
}

/* So that neither what is shown nor a rate is another's. */
static void fresh_endpoint(struct daemon *d, uint32_t id)
{
	struct counters *c = d->counters;

	if (push_zero_endpoint(d, id))
		log_errx("counters of endpoint id %u go on where its last use ended: %s", id,
			 dp_error(d->dp));
	memset(&c->ep[id], 0, sizeof(c->ep[id]));
	memset(&c->ep_prev[id], 0, sizeof(c->ep_prev[id]));
	c->ep_active[id] = 0;
	c->ep_lag[id] = 0;
	c->ep_packets[id] = 0;
	c->ep_grew[id] = MONO_US(0);
}

static void fresh_service(struct daemon *d, uint32_t id)
{
	struct counters *c = d->counters;

	if (push_zero_service(d, id))
		log_errx("counters of service id %u go on where its last use ended: %s", id,
			 dp_error(d->dp));
	memset(&c->svc[id], 0, sizeof(c->svc[id]));
	memset(&c->svc_prev[id], 0, sizeof(c->svc_prev[id]));
	c->svc_packets[id] = 0;
	c->svc_grew[id] = MONO_US(0);
}

void collect_fresh(struct daemon *d)
{
	uint32_t id[64];
	size_t n;

	while ((n = model_fresh(d->model, FRESH_SERVICE, id, 64))) {
		for (size_t i = 0; i < n; i++)
			fresh_service(d, id[i]);
	}
	while ((n = model_fresh(d->model, FRESH_ENDPOINT, id, 64))) {
		for (size_t i = 0; i < n; i++)
			fresh_endpoint(d, id[i]);
	}
}
