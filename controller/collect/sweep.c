/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sweep.c - once a second: walks the flow tables (walk.c), counts what was closed, reconciles the
 * counters (drift.c), tells the model how many flows each endpoint has, and kills flows that must
 * go.
 *
 * A walk is done in slices of at most SLICE; between two slices the loop runs, so that a flag flip
 * never waits for it. Kills are marks; they are given out at SWEEP_KILL_RATE a second, because
 * clients that are reset all at once also reconnect all at once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/counters.h"
#include "collect/sweep.h"
#include "daemon/daemon.h"
#include "daemon/push.h"
#include "flow/drift.h"
#include "flow/walk.h"
#include "sys/loop.h"
#include "util/log.h"

#define SLICE MONO_US(500)
#define SLICE_SETS 256 /* between two looks at the clock */
#define SWEEP_KILL_RATE 1000

struct sweep {
	struct loop_timer *slice; /* goes on with a walk */
	struct walk walk;
	struct drift drift[RR_MAX_ENDPOINTS];
	bool walking;
	bool kill[RR_MAX_ENDPOINTS];
	uint32_t kills; /* endpoints with kill set */
	uint32_t kill_budget; /* left of this second */
};

static void sweep_closed(void *arg, uint32_t endpoint)
{
	push_swept(arg, endpoint, 1, 0);
}

static struct walk_tables sweep_tables(struct daemon *d)
{
	const struct rr_control *c = dp_mem(d->dp, RR_MAP_CONTROL, NULL);
	struct walk_tables t = {
		.pair4 = dp_mem(d->dp, RR_MAP_PAIRS4, NULL),
		.pair6 = dp_mem(d->dp, RR_MAP_PAIRS6, NULL),
		.listener = dp_mem(d->dp, RR_MAP_LISTENERS, NULL),
		.service = dp_mem(d->dp, RR_MAP_SERVICES, NULL),
		.endpoint = dp_mem(d->dp, RR_MAP_ENDPOINTS, NULL),
		.control = c,
		.port = dp_mem(d->dp, RR_MAP_PORTS, NULL),
		.seed = c->hash_seed,
		.hz = d->hz,
	};

	dp_mem(d->dp, RR_MAP_PORTS, &t.port_lines);
	t.set4 = dp_mem(d->dp, RR_MAP_FLOWS4, &t.sets4);
	t.set6 = dp_mem(d->dp, RR_MAP_FLOWS6, &t.sets6);
	return t;
}

static void sweep_drift(struct daemon *d, uint32_t ep)
{
	const struct rr_swept *swept = dp_mem(d->dp, RR_MAP_EP_SWEPT, NULL);
	struct counters *c = d->counters;
	uint64_t closed = c->ep[ep].closed + swept[ep].closed, more = 0;
	uint64_t opened = c->ep[ep].established + c->ep[ep].reopened + c->ep_lag[ep];
	int64_t counted = (int64_t)(opened - closed), diff;

	diff = drift_observe(&d->sweep->drift[ep], counted, d->sweep->walk.established[ep],
			     opened + c->ep[ep].conns + closed);
	if (!diff)
		return;
	drift_book(diff, &more, &c->ep_lag[ep]);
	push_swept(d, ep, more, (uint64_t)llabs(diff));
	d->occupancy.drift_total += (uint64_t)llabs(diff);
	log_info("endpoint %u: active count was %+lld off, corrected", ep, (long long)diff);
}

static void sweep_finish(struct daemon *d)
{
	struct walk *w = &d->sweep->walk;
	struct occupancy *o = &d->occupancy;

	d->sweep->walking = false;
	o->entries = w->entries[0] + w->entries[1];
	o->capacity = walk_capacity(&w->t);
	o->load4 = walk_percent(w, 0);
	o->load6 = walk_percent(w, 1);
	memcpy(o->by_state, w->by_state, sizeof(o->by_state));
	o->expired_total += w->expired;
	o->orphans_total += w->orphans + w->leaked;
	if (!collect_read(d)) {
		for (uint32_t i = 1; i < RR_MAX_ENDPOINTS; i++)
			sweep_drift(d, i);
	}
	model_flows(d->model, w->established, w->all, RR_MAX_ENDPOINTS, daemon_now(d));
	model_ports(d->model, w->open, RR_MAX_ENDPOINTS);
	model_listener_flows(d->model, w->listener, RR_MAX_LISTENERS, daemon_now(d));
}

static void sweep_slice(void *arg)
{
	struct daemon *d = arg;
	mono_t end = mono_add(loop_clock(), SLICE);
	bool done;

	do
		done = walk_step(&d->sweep->walk, SLICE_SETS);
	while (!done && mono_cmp(loop_clock(), end) < 0);
	if (done)
		sweep_finish(d);
	else
		loop_timer_at(d->sweep->slice, daemon_now(d));
}

void sweep_run(struct daemon *d)
{
	uint32_t jiffies, hz;

	d->sweep->kill_budget = SWEEP_KILL_RATE;
	sweep_kills(d);
	if (d->sweep->walking)
		return;
	if (dp_clock(d->dp, &jiffies, &hz)) {
		log_errx("clock: %s", dp_error(d->dp));
		return;
	}
	walk_begin(&d->sweep->walk, jiffies);
	d->sweep->walking = true;
	sweep_slice(d);
}

static void kills_take(struct daemon *d)
{
	uint32_t ids[64];
	size_t n;

	while ((n = model_kills(d->model, ids, 64))) {
		for (size_t i = 0; i < n; i++) {
			uint32_t id = ids[i] & (RR_MAX_ENDPOINTS - 1);

			d->sweep->kills += !d->sweep->kill[id];
			d->sweep->kill[id] = true;
		}
	}
}

/*
 * An endpoint that takes new connections again, before all its old ones were reset, keeps what it
 * has by now.
 */
static void kills_spare(struct daemon *d)
{
	const uint32_t out = RR_EP_NO_NEW | RR_EP_GONE;
	struct sweep *s = d->sweep;

	if (d->push_retry || model_dirty(d->model))
		return; /* the maps do not say yet what the model wants */
	for (uint32_t id = 1; s->kills && id < RR_MAX_ENDPOINTS; id++) {
		if (!s->kill[id] || (d->have->endpoint[id].flags & out))
			continue;
		s->kill[id] = false;
		s->kills--;
	}
}

/*
 * One walk for all endpoints: one for each would hold up the loop for seconds when a big service
 * goes.
 */
void sweep_kills(struct daemon *d)
{
	struct sweep *s = d->sweep;
	struct walk_match m = { .service = UINT32_MAX, .state = -1, .of = s->kill };
	struct walk_tables t;
	size_t n;

	kills_take(d);
	kills_spare(d);
	if (!s->kills || !s->kill_budget)
		return;
	t = sweep_tables(d);
	n = walk_kill(&t, &m, s->kill_budget, sweep_closed, d);
	if (n < s->kill_budget) {
		memset(s->kill, 0, sizeof(s->kill));
		s->kills = 0;
	}
	s->kill_budget -= (uint32_t)n;
}

static uint16_t swap16(uint16_t v)
{
	return (uint16_t)(v << 8 | v >> 8);
}

static struct walk_match sweep_match(const struct flow_filter *f)
{
	struct walk_match m = {
		.service = f->service,
		.endpoint = f->endpoint,
		.state = f->state,
		.af = f->client.family,
		.port = swap16(f->client.port),
	};

	memcpy(m.addr, f->client.ip, sizeof(m.addr));
	return m;
}

size_t sweep_kill(struct daemon *d, const struct flow_filter *f, size_t max)
{
	struct walk_tables t = sweep_tables(d);
	struct walk_match m = sweep_match(f);

	return max ? walk_kill(&t, &m, max, sweep_closed, d) : 0;
}

static void addr_from(struct addr *a, uint8_t family, const void *ip, uint16_t port_be)
{
	memset(a, 0, sizeof(*a));
	a->family = family;
	a->port = swap16(port_be);
	memcpy(a->ip, ip, sizeof(a->ip));
}

struct each {
	struct daemon *d;
	const struct walk_tables *t;
	uint32_t now;
	bool (*cb)(const struct flow_info *fi, void *arg);
	void *arg;
};

static uint32_t since_ms(const struct each *x, uint32_t jiffies)
{
	int32_t d = (int32_t)(x->now - jiffies);

	return d <= 0 ? 0 : (uint32_t)((uint64_t)d * 1000 / x->t->hz);
}

/* A flow idles since the last packet of either direction; what is cold lies in its record. */
static void fill_times(const struct each *x, const struct walk_entry *e, struct flow_info *fi)
{
	struct walk_entry rev;
	bool paired = walk_reverse(x->t, e, &rev);
	struct rr_pair record;

	fi->idle_ms = since_ms(x, e->seen);
	if (paired && since_ms(x, rev.seen) < fi->idle_ms)
		fi->idle_ms = since_ms(x, rev.seen);
	if (!walk_record(x->t, paired ? &rev : e, &record))
		return;
	fi->age_ms = since_ms(x, record.opened);
	fi->ticket = (uint64_t)record.ticket_hi << 32 | record.ticket_lo;
}

static bool each_flow(const struct walk_entry *e, void *arg)
{
	struct each *x = arg;
	const struct rr_half *h = &e->half;
	uint32_t ep = RR_META_EP(h->meta) & (RR_MAX_ENDPOINTS - 1);
	const struct rr_local *local = dp_mem(x->d->dp, RR_MAP_LOCALS, NULL);
	const struct rr_listener *l = &x->t->listener[h->listener];
	const struct rr_endpoint *p = &x->t->endpoint[ep];
	struct flow_info fi = {
		.service_id = e->service,
		.endpoint_id = ep,
		.state = RR_META_STATE(h->meta),
	};

	addr_from(&fi.client, (uint8_t)e->af, h->addr, RR_KEY_PORT(h->key));
	addr_from(&fi.service, l->family, &l->addr, l->port);
	addr_from(&fi.endpoint, p->family, &p->addr, p->port);
	if (rr_mode_has(p->mode, RR_MODE_NEEDS_LOCAL)) {
		local += RR_META_VIA(h->meta) & (RR_MAX_LOCALS - 1);
		addr_from(&fi.local, local->family, &local->addr, h->port);
	}
	fill_times(x, e, &fi);
	return x->cb(&fi, x->arg);
}

size_t sweep_flows(struct daemon *d, const struct flow_filter *f,
		   bool (*cb)(const struct flow_info *fi, void *arg), void *arg)
{
	struct walk_tables t = sweep_tables(d);
	struct walk_match m = sweep_match(f);
	struct each x = { .d = d, .t = &t, .cb = cb, .arg = arg };
	uint32_t hz;

	if (dp_clock(d->dp, &x.now, &hz))
		return 0;
	return walk_each(&t, &m, each_flow, &x);
}

int sweep_open(struct daemon *d)
{
	struct walk_tables t = sweep_tables(d);

	d->sweep = calloc(1, sizeof(*d->sweep));
	if (!d->sweep)
		return -ENOMEM;
	walk_init(&d->sweep->walk, &t, sweep_closed, d);
	d->occupancy.capacity = walk_capacity(&t);
	return loop_timer(d->loop, &d->sweep->slice, sweep_slice, d);
}

void sweep_close(struct daemon *d)
{
	free(d->sweep);
	d->sweep = NULL;
}
