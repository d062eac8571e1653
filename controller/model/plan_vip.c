/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * plan_vip.c - the address table: which rows a plan has, where they lie, and how one table
 * becomes another.
 *
 * A row says whose an address is: a listener's, or a local one's, to which replies come. Rows lie
 * in buckets by a hash under a seed. A bucket has few ways, so the seed is chosen such that no
 * bucket overflows: a lookup reads one bucket and never follows a chain.
 *
 * One fill is enough unless rows of listeners come while others must go first (or a local address
 * is new): a row must be gone before its listener or service becomes another, and must wait until
 * both are complete. Then the first fill leaves the coming ones out (`vip_held`), under a seed of
 * its own by which push knows which of the two fills it is. A service that moves to another address
 * has a new listener and keeps the old one unchanged for its flows: one fill moves it, and there is
 * no moment in which it is reached by neither.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "model/plan_int.h"
#include "rr_hash.h"

/* How many seeds are tried before a plan is given up with -ENOSPC. */
#define VIP_SEEDS 4096u

/* ---- one table ---- */

static int vip_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct rr_vip));
}

/* A new row of that address at the end; the caller says kind, id and what hangs on it. */
static struct rr_vip *vip_add(struct plan *p, const struct rr_addr *addr, uint8_t family)
{
	struct rr_vip *v = &p->vip[p->vips++];

	memset(v, 0, sizeof(*v));
	memcpy(&v->a0, addr->a, family == RR_AF_INET ? 4 : 8);
	if (family == RR_AF_INET6)
		memcpy(&v->a1, addr->a + 8, 8);
	return v;
}

static void vip_add_listener(struct plan *p, uint32_t id)
{
	const struct rr_listener *l = &p->listener[id];
	struct rr_vip *v = vip_add(p, &l->addr, l->family);

	v->kind = RR_VIP_KIND(l->port, l->proto, l->family, RR_VIP_LISTENER);
	v->id = (uint16_t)id;
	v->service = l->service;
}

static void vip_add_local(struct plan *p, uint32_t id)
{
	const struct rr_local *l = &p->local[id];
	struct rr_vip *v = vip_add(p, &l->addr, l->family);

	v->kind = RR_VIP_KIND(0, IPPROTO_TCP, l->family, RR_VIP_LOCAL);
	v->id = (uint16_t)id;
	v->tables = p->local_tables[id] | (l->family == RR_AF_INET ? RR_VIP_FLOWS4 : RR_VIP_FLOWS6);
}

void plan_vips(struct plan *p)
{
	p->vips = 0;
	for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++) {
		if (p->listening[i] && (p->listener[i].flags & RR_LISTENER_PRESENT))
			vip_add_listener(p, i);
	}
	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++) {
		if (p->local[i].family)
			vip_add_local(p, i);
	}
	qsort(p->vip, p->vips, sizeof(p->vip[0]), vip_cmp);
	memset(p->vip_held, 0, sizeof(p->vip_held));
	p->vip_interim = 0;
}

/* A row may name anything, as it was found: ids outside the tables are left to the row alone. */
static void vip_note(struct plan *p, const struct rr_vip *v)
{
	if (RR_VIP_TYPE(v->kind) == RR_VIP_LISTENER && v->id < RR_MAX_LISTENERS)
		p->listening[v->id] = true;
	if (RR_VIP_TYPE(v->kind) == RR_VIP_LOCAL && v->id < RR_MAX_LOCALS)
		p->local_tables[v->id] = (uint8_t)v->tables;
}

void plan_vips_read(struct plan *p, const struct rr_vip_bucket bucket[RR_VIP_BUCKETS])
{
	p->vips = 0;
	memset(p->listening, 0, sizeof(p->listening));
	memset(p->local_tables, 0, sizeof(p->local_tables));
	for (uint32_t i = 0; i < RR_VIP_BUCKETS * RR_VIP_WAYS; i++) {
		const struct rr_vip *v = &bucket[i / RR_VIP_WAYS].e[i % RR_VIP_WAYS];

		if (!v->kind || p->vips == PLAN_VIPS)
			continue;
		p->vip[p->vips++] = *v;
		vip_note(p, v);
	}
	qsort(p->vip, p->vips, sizeof(p->vip[0]), vip_cmp);
}

static bool vip_place(const struct rr_vip *v, uint32_t seed, struct rr_vip_bucket *bucket)
{
	uint32_t h = rr_vip_hash(v->a0, v->a1, v->kind, seed) & (RR_VIP_BUCKETS - 1);
	struct rr_vip_bucket *b = &bucket[h];

	for (uint32_t w = 0; w < RR_VIP_WAYS; w++) {
		if (b->e[w].kind)
			continue;
		b->e[w] = *v;
		return true;
	}
	return false;
}

bool plan_vip_place(const struct plan *p, uint32_t seed,
		    struct rr_vip_bucket bucket[RR_VIP_BUCKETS])
{
	memset(bucket, 0, RR_VIP_BUCKETS * sizeof(bucket[0]));
	for (size_t i = 0; i < p->vips; i++) {
		if (p->vip_interim && seed == p->vip_interim && p->vip_held[i])
			continue;
		if (!vip_place(&p->vip[i], seed, bucket))
			return false;
	}
	return true;
}

/* ---- from one table to another ---- */

static bool vip_has(const struct rr_vip *v, size_t n, const struct rr_vip *key)
{
	return bsearch(key, v, n, sizeof(*v), vip_cmp) != NULL;
}

/*
 * Nothing that a packet reads by way of this row changes its meaning: it may be used while elements
 * are written.
 */
static bool vip_steady(const struct diff *d, const struct rr_vip *v)
{
	const struct rr_service *have, *want;

	if (v->id >= RR_MAX_LISTENERS || v->service >= RR_MAX_SERVICES)
		return false;
	have = &d->have->service[v->service];
	want = &d->want->service[v->service];
	return (have->flags & want->flags & RR_SVC_PRESENT) && have->mode == want->mode &&
	       !memcmp(&d->have->listener[v->id], &d->want->listener[v->id],
		       sizeof(struct rr_listener));
}

/* First seed that fits, from the present one on through a fixed sequence; `other` is left out. */
static bool vip_seed(struct diff *d, uint32_t other, uint32_t *seed)
{
	uint32_t s = (uint32_t)(d->have->vip_active >> 32);

	for (uint32_t k = 0; k < VIP_SEEDS; k++) {
		if (s && s != other && plan_vip_place(d->want, s, d->bucket)) {
			*seed = s;
			return true;
		}
		s = s * 1664525u + 1013904223u;
	}
	d->rc = -ENOSPC;
	return false;
}

static void vip_publish(struct diff *d, uint32_t seed)
{
	uint32_t spare = !plan_table_copy(TABLE_ADDRESS, d->vip_active);

	table_fill(d, TABLE_ADDRESS, 0, spare, seed);
	d->vip_active = (uint64_t)seed << 32 | spare;
	table_switch(d, TABLE_ADDRESS, 0, d->vip_active);
}

/* Rows that go: those of listeners whose elements stay as they are may wait for the last fill. */
static void vip_compare_have(struct diff *d)
{
	for (size_t i = 0; i < d->have->vips; i++) {
		const struct rr_vip *v = &d->have->vip[i];

		if (vip_has(d->want->vip, d->want->vips, v))
			continue;
		if (RR_VIP_TYPE(v->kind) == RR_VIP_LISTENER && vip_steady(d, v))
			d->vip_late = true;
		else
			d->vip_gone = true;
	}
}

/* Rows that come, or whose listener or service is about to be written, wait for the last fill. */
static void vip_compare_want(struct diff *d, const struct rr_vip *old)
{
	for (size_t i = 0; i < d->want->vips; i++) {
		const struct rr_vip *v = &d->want->vip[i];
		bool known = vip_has(old, d->have->vips, v), held;

		if (RR_VIP_TYPE(v->kind) == RR_VIP_LOCAL) {
			d->vip_local |= !known;
			continue;
		}
		held = !known || !vip_steady(d, v);
		d->want->vip_held[i] = held;
		d->vip_gone |= known && held;
		d->vip_late |= held;
	}
}

/*
 * What the change asks for, into d->vip_*, and which rows wait for a second fill. false = no
 * memory.
 */
static bool vip_compare(struct diff *d)
{
	const struct plan *have = d->have;
	struct rr_vip *old = malloc((have->vips + 1) * sizeof(*old));

	if (!old) {
		d->rc = -ENOMEM;
		return false;
	}
	memcpy(old, have->vip, have->vips * sizeof(*old));
	qsort(old, have->vips, sizeof(*old), vip_cmp);
	vip_compare_have(d);
	vip_compare_want(d, old);
	free(old);
	return true;
}

/*
 * Chooses the seeds of one or two fills; publishes the first if there are two, or if nothing is
 * held back.
 */
void vip_first(struct diff *d)
{
	uint32_t seed;

	if (!vip_compare(d))
		return;
	if (!d->vip_late) {
		if ((d->vip_gone || d->vip_local) && vip_seed(d, 0, &seed))
			vip_publish(d, seed);
		return;
	}
	if (!d->vip_gone && !d->vip_local)
		return;
	if (!vip_seed(d, 0, &seed))
		return;
	/*
	 * the full table fits under `seed`, so a part of it does too, under any other that fits:
	 * keep them apart
	 */
	if (vip_seed(d, seed, &d->want->vip_interim))
		vip_publish(d, d->want->vip_interim);
}

void vip_second(struct diff *d)
{
	uint32_t seed;

	if (d->rc || !d->vip_late)
		return;
	if (vip_seed(d, d->want->vip_interim, &seed))
		vip_publish(d, seed);
}
