/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * plan_diff.c - the ordered steps from what the maps hold to what they shall hold, such that
 * stopping after any one of them leaves a correct packet path.
 *
 * Order, and why:
 *  1. flags that stop new connections (NO_NEW, PAUSED): removals take effect with the first
 *     stores of a push
 *  2. interfaces, new local addresses: pointed at by what follows
 *  3. first fill of the address table, if a row must go or a local address is new: rows of removed
 *  services, and
 *     of listeners that become others, leave before their elements change; rows of local addresses
 *     are there before
 *     a connection can use them (its replies would not be recognised). Rows of new listeners are
 *     held back.
 *  4. rotations and elements of removed services: nothing reaches them any more
 *  5. endpoints that the new rotations name: complete before they do; flags that let connections
 *     in again
 *  6. rotations: filled in the spare copy, then the service element, then the switch
 *  7. listeners, then the last fill of the address table: new addresses become reachable, complete;
 *  those that
 *     a service has left go in the same store
 *  8. all other endpoints (no rotation names them any more); endpoints, local addresses and
 *  listeners that are freed
 *  9. enabled
 * An endpoint element that gets another identity while a rotation names it (ids are quarantined,
 * so only a foreign `have` can ask for it) first has that rotation switched to length 0.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/plan_int.h"

static void step(struct diff *d, enum plan_op_kind kind, uint32_t id, uint64_t value)
{
	step_add(d, (struct plan_op){ .kind = kind, .id = id, .value = value });
}

/* ---- endpoints ---- */

static bool ep_same(const struct rr_endpoint *a, const struct rr_endpoint *b)
{
	return !memcmp(&a->addr, &b->addr, sizeof(a->addr)) && a->port == b->port &&
	       a->family == b->family && a->mode == b->mode && a->service == b->service;
}

/* Flags after step 1: an endpoint that shall not stay as it is takes nothing new from here on. */
static uint32_t ep_stopped(const struct rr_endpoint *have, const struct rr_endpoint *want)
{
	bool stays = (want->flags & RR_EP_PRESENT) &&
		     !(want->flags & (RR_EP_NO_NEW | RR_EP_GONE)) && ep_same(have, want);

	return (have->flags & RR_EP_PRESENT) && !stays ? have->flags | RR_EP_NO_NEW : have->flags;
}

static void ep_stop(struct diff *d)
{
	for (uint32_t i = 1; i < RR_MAX_ENDPOINTS; i++) {
		uint32_t flags = ep_stopped(&d->have->endpoint[i], &d->want->endpoint[i]);

		if (flags != d->have->endpoint[i].flags)
			step(d, PLAN_EP_FLAGS, i, flags);
	}
}

/* The least write: one store when only the hop or the flags differ. */
static void ep_update(struct diff *d, uint32_t id)
{
	const struct rr_endpoint *want = &d->want->endpoint[id];
	struct rr_endpoint now = d->have->endpoint[id];
	uint64_t hop = now.hop;

	now.flags = ep_stopped(&d->have->endpoint[id], want);
	if (!memcmp(&now, want, sizeof(now)))
		return;
	now.hop = want->hop;
	now.flags = want->flags;
	if (memcmp(&now, want, sizeof(now))) {
		step(d, PLAN_EP_WRITE, id, 0);
		return;
	}
	if (hop != want->hop)
		step(d, PLAN_EP_HOP, id, want->hop);
	if (ep_stopped(&d->have->endpoint[id], want) != want->flags)
		step(d, PLAN_EP_FLAGS, id, want->flags);
}

static void ep_update_all(struct diff *d, bool named)
{
	for (uint32_t i = 1; i < RR_MAX_ENDPOINTS; i++) {
		if (d->named[i] == named)
			ep_update(d, i);
	}
}

static void ep_named(struct diff *d)
{
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		uint32_t len = d->want->slot[i] ? RR_ROT_LEN(d->want->service[i].rotation) : 0;

		for (uint32_t k = 0; k < len; k++)
			d->named[d->want->slot[i][k] & (RR_MAX_ENDPOINTS - 1)] = true;
	}
}

/* ---- services ---- */

static uint32_t svc_stopped_flags(const struct rr_service *have, const struct rr_service *want)
{
	bool both = have->flags & want->flags & RR_SVC_PRESENT;

	return both ? have->flags | (want->flags & RR_SVC_PAUSED) : have->flags;
}

static void svc_stop(struct diff *d)
{
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		uint32_t flags = svc_stopped_flags(&d->have->service[i], &d->want->service[i]);

		if (flags != d->have->service[i].flags)
			step(d, PLAN_SVC_FLAGS, i, flags);
	}
}

static void svc_write(struct diff *d, uint32_t id)
{
	const struct rr_service *want = &d->want->service[id];
	struct rr_service now = d->have->service[id];

	now.flags = svc_stopped_flags(&now, want);
	now.rotation = want->rotation;
	if (!memcmp(&now, want, sizeof(now)))
		return;
	now.flags = want->flags;
	if (memcmp(&now, want, sizeof(now)))
		step(d, PLAN_SVC_WRITE, id, 0);
	else
		step(d, PLAN_SVC_FLAGS, id, want->flags);
}

static void rot_stop(struct diff *d, uint32_t id)
{
	uint32_t word = d->have->service[id].rotation;

	if (RR_ROT_LEN(word))
		table_switch(d, TABLE_ROTATION, id, RR_ROT_MAKE(RR_ROT_COPY(word), 0));
	d->stopped[id] = true;
}

/* Services that are not to be: their rows have gone already. */
static void svc_gone(struct diff *d)
{
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		if (d->want->service[i].flags & RR_SVC_PRESENT)
			continue;
		rot_stop(d, i);
		d->want->service[i].rotation =
			RR_ROT_MAKE(RR_ROT_COPY(d->have->service[i].rotation), 0);
		svc_write(d, i);
	}
}

/*
 * Rotations that name an endpoint whose element is about to become another (one that goes is
 * written later).
 */
static void rot_break(struct diff *d)
{
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		uint32_t slots = d->have->slot[i] && !d->stopped[i]
					 ? RR_ROT_LEN(d->have->service[i].rotation)
					 : 0;

		for (uint32_t k = 0; k < slots; k++) {
			uint32_t id = d->have->slot[i][k] & (RR_MAX_ENDPOINTS - 1);

			if (!d->named[id] ||
			    ep_same(&d->have->endpoint[id], &d->want->endpoint[id]))
				continue;
			rot_stop(d, i);
			break;
		}
	}
}

static bool rot_equal(const struct diff *d, uint32_t id)
{
	uint32_t len = RR_ROT_LEN(d->want->service[id].rotation);
	const uint16_t *a = d->have->slot[id], *b = d->want->slot[id];

	if (len != RR_ROT_LEN(d->have->service[id].rotation))
		return false;
	return !len || (a && b && !memcmp(a, b, len * sizeof(*a)));
}

static void rot_update(struct diff *d, uint32_t id)
{
	struct rr_service *want = &d->want->service[id];
	uint32_t word = d->have->service[id].rotation, len = RR_ROT_LEN(want->rotation);
	uint32_t spare = !RR_ROT_COPY(word);

	if (!d->stopped[id] && rot_equal(d, id)) {
		want->rotation = word;
		svc_write(d, id);
		return;
	}
	want->rotation = RR_ROT_MAKE(len ? spare : RR_ROT_COPY(word), len);
	if (len)
		table_fill(d, TABLE_ROTATION, id, spare, 0);
	svc_write(d, id);
	if (len || !d->stopped[id])
		table_switch(d, TABLE_ROTATION, id, want->rotation);
}

static void rot_update_all(struct diff *d)
{
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		if (d->want->service[i].flags & RR_SVC_PRESENT)
			rot_update(d, i);
	}
}

/* ---- listeners, local addresses and interfaces ---- */

/*
 * Those that are to be before rows of the address table name them; those that are freed when none
 * does any more.
 */
static void listeners(struct diff *d, bool present)
{
	for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++) {
		const struct rr_listener *have = &d->have->listener[i];
		const struct rr_listener *want = &d->want->listener[i];

		if (memcmp(have, want, sizeof(*have)) &&
		    !!(want->flags & RR_LISTENER_PRESENT) == present)
			step(d, PLAN_LISTENER_WRITE, i, 0);
	}
}

static void locals(struct diff *d, bool first)
{
	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++) {
		const struct rr_local *have = &d->have->local[i], *want = &d->want->local[i];

		if (memcmp(have, want, sizeof(*have)) && (!have->family) == first)
			step(d, PLAN_LOCAL, i, 0);
	}
}

static void ifaces(struct diff *d)
{
	for (uint32_t i = 0; i < RR_MAX_IFACES; i++) {
		if (memcmp(&d->have->iface[i], &d->want->iface[i], sizeof(d->want->iface[i])))
			step(d, PLAN_IFACE, i, 0);
	}
}

static void diff_run(struct diff *d)
{
	if (d->have->enabled && !d->want->enabled)
		step(d, PLAN_ENABLE, 0, 0);
	ep_stop(d);
	svc_stop(d);
	ifaces(d);
	locals(d, true);
	vip_first(d);
	if (d->rc)
		return;
	ep_named(d);
	svc_gone(d);
	rot_break(d);
	ep_update_all(d, true);
	rot_update_all(d);
	listeners(d, true);
	vip_second(d);
	ep_update_all(d, false);
	locals(d, false);
	listeners(d, false);
	if (!d->have->enabled && d->want->enabled)
		step(d, PLAN_ENABLE, 0, 1);
	d->want->vip_active = d->vip_active;
}

int plan_diff(const struct plan *have, struct plan *want, struct plan_ops *ops)
{
	struct diff *d = calloc(1, sizeof(*d));
	int rc;

	ops->n = 0;
	if (!d)
		return -ENOMEM;
	d->bucket = malloc(RR_VIP_BUCKETS * sizeof(*d->bucket));
	d->have = have;
	d->want = want;
	d->ops = ops;
	d->vip_active = have->vip_active;
	plan_vips(want);
	if (d->bucket)
		diff_run(d);
	else
		d->rc = -ENOMEM;
	rc = d->rc;
	free(d->bucket);
	free(d);
	return rc;
}
