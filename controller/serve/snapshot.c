/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * snapshot.c - takes the picture that readers see, and keeps it until the turn says that it is old.
 *
 * This is the only place where serve reads the daemon's inside, so what a reader can see is what
 * is copied here. Only what is small or changes is copied: the view by view_build(), the counters
 * of the ids in it. The configuration is shared, because it is never changed, only replaced; it
 * lives until the last that shares it lets go.
 *
 * The batch's snapshot is held by the daemon (d->snapshot) and by the readers that use it just
 * now. snapshot_forget() takes away the daemon's hold: an unused one is freed at once, a used one
 * when its last reader gives it back.
 */
#include <stdlib.h>
#include <string.h>

#include "collect/counters.h"
#include "collect/trust.h"
#include "daemon/daemon.h"
#include "serve/snapshot.h"

#define SAVE_SLOW MONO_S(3)

static double rate(const struct counters *c, const struct rr_stats *now,
		   const struct rr_stats *then)
{
	int64_t us = mono_sub(c->at, c->prev_at).us;

	if (!c->prev_at.us || us <= 0 || now->conns < then->conns)
		return 0;
	return (double)(now->conns - then->conns) * 1e6 / (double)us;
}

static void count_endpoint(struct snapshot *s, uint32_t id)
{
	const struct counters *c = s->from->counters;

	if (id >= s->eps)
		return;
	s->ep[id] = (struct snap_count){
		.stats = c->ep[id],
		.active = c->ep_active[id],
		.cps = rate(c, &c->ep[id], &c->ep_prev[id]),
		.packet_at = c->ep_grew[id],
	};
}

static void count_service(struct snapshot *s, const struct view_service *svc)
{
	const struct counters *c = s->from->counters;
	uint32_t id = svc->id;

	if (id < s->svcs) {
		s->svc[id] = (struct snap_count){
			.stats = c->svc[id],
			.cps = rate(c, &c->svc[id], &c->svc_prev[id]),
			.packet_at = c->svc_grew[id],
		};
	}
	for (size_t i = 0; i < svc->endpoints; i++)
		count_endpoint(s, svc->endpoint[i].id);
}

static void take_counts(struct snapshot *s)
{
	const struct counters *c = s->from->counters;

	for (size_t i = 0; i < s->view->services; i++)
		count_service(s, &s->view->service[i]);
	for (size_t i = 0; i < RR_V_MAX; i++)
		s->verdict[i] = (struct snap_verdict){ c->verdict[i], c->verdict_grew[i] };
}

/* Ids are indexes: the tables reach up to the greatest in the view. */
static bool make_tables(struct snapshot *s)
{
	const struct view *v = s->view;

	for (size_t i = 0; i < v->services; i++) {
		const struct view_service *svc = &v->service[i];

		if (svc->id >= s->svcs && svc->id < RR_MAX_SERVICES)
			s->svcs = svc->id + 1;
		for (size_t k = 0; k < svc->endpoints; k++) {
			uint32_t id = svc->endpoint[k].id;

			if (id >= s->eps && id < RR_MAX_ENDPOINTS)
				s->eps = id + 1;
		}
	}
	s->ep = calloc(s->eps + 1, sizeof(*s->ep));
	s->svc = calloc(s->svcs + 1, sizeof(*s->svc));
	return s->ep && s->svc;
}

/* The model gives an interface that is down the index 0, too; that is what the maps hold. */
static void take_ifaces(struct snapshot *s, const struct daemon *d)
{
	for (size_t i = 0; i < d->ifaces; i++) {
		s->iface[i].st = d->iface[i];
		s->iface[i].use = d->iface_use[i];
		s->iface[i].down =
			d->iface_use[i] == IFACE_CONF && d->have && !d->have->iface[i].ifindex;
	}
}

static void take_config(struct snapshot *s, const struct daemon *d)
{
	struct snap_config *c = &s->config;

	c->file = d->conf_path ? d->conf_path : "";
	c->conf = s->shared = d->conf ? conf_share(d->conf) : NULL;
	c->generation = d->conf_generation;
	c->at = d->conf_at;
	c->ok = d->conf_ok;
	memcpy(c->error, d->conf_error, sizeof(c->error));
}

/* A write that takes longer than a healthy disk ever does. */
static bool unsaved_long(const struct daemon *d)
{
	return d->saving.begun_at.us && d->saving.due > d->saving.ended &&
	       mono_cmp(daemon_now(d), mono_add(d->saving.begun_at, SAVE_SLOW)) >= 0;
}

static void take_rest(struct snapshot *s, const struct daemon *d)
{
	s->occupancy = d->occupancy;
	if (d->checks)
		checks_stats(d, &s->probes);
	s->cas = trust_problems(d, s->ca, SNAP_CAS);
	s->started = d->started;
	s->pushes = d->push_total;
	s->push_errors = d->push_errors;
	s->adopted = d->adopted;
	s->unpushed = d->push_retry;
	memcpy(s->pins_error, d->pins_error, sizeof(s->pins_error));
	s->saving = d->saving;
	s->unsaved = d->saving.rc || unsaved_long(d);
}

static void snapshot_free(struct snapshot *s)
{
	struct view *v = (struct view *)(uintptr_t)s->view; /* const for readers only */

	view_free(v);
	conf_free(s->shared);
	free(s->ep);
	free(s->svc);
	free(s);
}

static struct snapshot *snapshot_make(struct daemon *d)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->from = d;
	s->now = daemon_now(d);
	s->view = view_build(d->model, s->now);
	if (!s->view || !make_tables(s)) {
		snapshot_free(s);
		return NULL;
	}
	take_config(s, d);
	take_ifaces(s, d);
	take_rest(s, d);
	take_counts(s);
	d->snapshots++;
	return s;
}

struct snapshot *snapshot_get(struct daemon *d)
{
	if (!d->snapshot) {
		d->snapshot = snapshot_make(d);
		if (!d->snapshot)
			return NULL;
		d->snapshot->holders = 1;
	}
	d->snapshot->holders++;
	return d->snapshot;
}

void snapshot_put(struct snapshot *s)
{
	if (s && --s->holders == 0)
		snapshot_free(s);
}

void snapshot_forget(struct daemon *d)
{
	snapshot_put(d->snapshot);
	d->snapshot = NULL;
}

void snapshot_count(struct snapshot *s)
{
	if (s->counted)
		return;
	s->counted = true;
	if (!collect_read(s->from))
		take_counts(s);
}

static const struct snap_count nothing;

const struct snap_count *snapshot_endpoint(const struct snapshot *s, const struct view_endpoint *e)
{
	return e->id < s->eps ? &s->ep[e->id] : &nothing;
}

const struct snap_count *snapshot_service(const struct snapshot *s, const struct view_service *svc)
{
	return svc->id < s->svcs ? &s->svc[svc->id] : &nothing;
}

bool snapshot_table(const struct snapshot *s, const struct view_service *svc, struct snap_table *t)
{
	struct dp *dp = s->from->dp;
	const struct rr_service *services = dp_mem(dp, RR_MAP_SERVICES, NULL);
	const struct rr_cursor *cursors = dp_mem(dp, RR_MAP_CURSORS, NULL);
	const struct rr_rotation *rotations = dp_mem(dp, RR_MAP_ROTATIONS, NULL);
	uint32_t word;

	memset(t, 0, sizeof(*t));
	if (!services || !cursors || !rotations || svc->id >= RR_MAX_SERVICES)
		return false;
	word = __atomic_load_n(&services[svc->id].rotation, __ATOMIC_ACQUIRE);
	t->copy = RR_ROT_COPY(word);
	t->len = RR_ROT_LEN(word) <= RR_MAX_SLOTS ? RR_ROT_LEN(word) : 0;
	t->ticket = __atomic_load_n(&cursors[svc->id].ticket, __ATOMIC_RELAXED);
	t->slot = rotations[svc->id * 2 + t->copy].slot;
	return true;
}

void snapshot_program(const struct snapshot *s, uint32_t *id, uint32_t *insns)
{
	*id = *insns = 0;
	dp_prog_id(s->from->dp, id, insns);
}
