/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * plan_vip.c - the address table: which rows a plan has, where they lie, and how one table
 * becomes another.
 *
 * A row says whose an address is: a service's, or a local one's, to which replies come. Rows lie
 * in buckets by a hash under a seed. A bucket has few ways, so the seed is chosen such that no
 * bucket overflows: a lookup reads one bucket and never follows a chain.
 *
 * One fill is enough unless rows of services come while others go (or a local address is new):
 * rows that go must be gone before their elements change, rows that come must wait until theirs
 * are complete. Then the first fill leaves the coming ones out (`vip_held`), under a seed of its
 * own by which push knows which of the two fills it is.
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
	return memcmp(a, b, sizeof(struct plan_vip));
}

static struct plan_vip *vip_add(struct plan *p)
{
	struct plan_vip *v = &p->vip[p->vips++];

	memset(v, 0, sizeof(*v));
	return v;
}

void plan_vips(struct plan *p)
{
	p->vips = 0;
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		const struct rr_service *s = &p->service[i];
		struct plan_vip *v;

		if (!(s->flags & RR_SVC_PRESENT))
			continue;
		v = vip_add(p);
		v->addr = s->addr;
		v->port = s->port;
		v->proto = s->proto;
		v->family = s->family;
		v->type = RR_VIP_SERVICE;
		v->id = i;
	}
	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++) {
		struct plan_vip *v;

		if (!p->local[i].family)
			continue;
		v = vip_add(p);
		v->addr = p->local[i].addr;
		v->proto = IPPROTO_TCP;
		v->family = p->local[i].family;
		v->type = RR_VIP_LOCAL;
		v->id = i;
	}
	qsort(p->vip, p->vips, sizeof(p->vip[0]), vip_cmp);
	memset(p->vip_held, 0, sizeof(p->vip_held));
	p->vip_interim = 0;
}

static bool vip_place(const struct plan_vip *v, uint32_t seed, struct rr_vip_bucket *bucket)
{
	struct rr_vip r = { .kind = RR_VIP_KIND(v->port, v->proto, v->family, v->type),
			    .id = v->id };
	struct rr_vip_bucket *b;

	if (v->family == RR_AF_INET) {
		memcpy(&r.a0, v->addr.a, 4);
	} else {
		memcpy(&r.a0, v->addr.a, 8);
		memcpy(&r.a1, v->addr.a + 8, 8);
	}
	b = &bucket[rr_vip_hash(r.a0, r.a1, r.kind, seed) & (RR_VIP_BUCKETS - 1)];
	for (uint32_t w = 0; w < RR_VIP_WAYS; w++) {
		if (b->e[w].kind)
			continue;
		b->e[w] = r;
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

static bool vip_has(const struct plan_vip *v, size_t n, const struct plan_vip *key)
{
	return bsearch(key, v, n, sizeof(*v), vip_cmp) != NULL;
}

/* Moved or changed in its identity: must not be reachable while its element is written. */
static bool svc_moves(const struct rr_service *have, const struct rr_service *want)
{
	return memcmp(&have->addr, &want->addr, sizeof(have->addr)) || have->port != want->port ||
	       have->proto != want->proto || have->family != want->family ||
	       have->mode != want->mode;
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

/*
 * What the change asks for, into d->vip_*, and which rows wait for a second fill. false = no
 * memory.
 */
static bool vip_compare(struct diff *d)
{
	const struct plan *have = d->have;
	struct plan *want = d->want;
	struct plan_vip *old = malloc((have->vips + 1) * sizeof(*old));

	if (!old) {
		d->rc = -ENOMEM;
		return false;
	}
	memcpy(old, have->vip, have->vips * sizeof(*old));
	qsort(old, have->vips, sizeof(*old), vip_cmp);
	for (size_t i = 0; i < have->vips; i++)
		d->vip_gone |= !vip_has(want->vip, want->vips, &have->vip[i]);
	for (size_t i = 0; i < want->vips; i++) {
		const struct plan_vip *v = &want->vip[i];
		bool known = vip_has(old, have->vips, v);

		if (v->type == RR_VIP_LOCAL) {
			d->vip_local |= !known;
			continue;
		}
		want->vip_held[i] =
			!known || svc_moves(&have->service[v->id], &want->service[v->id]);
		d->vip_gone |= known && want->vip_held[i];
		d->vip_held |= want->vip_held[i];
	}
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
	if (!d->vip_held) {
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

	if (d->rc || !d->vip_held)
		return;
	if (vip_seed(d, d->want->vip_interim, &seed))
		vip_publish(d, seed);
}

void plan_vips_read(struct plan *p, const struct rr_vip_bucket bucket[RR_VIP_BUCKETS])
{
	p->vips = 0;
	for (uint32_t i = 0; i < RR_VIP_BUCKETS * RR_VIP_WAYS; i++) {
		const struct rr_vip *v = &bucket[i / RR_VIP_WAYS].e[i % RR_VIP_WAYS];
		struct plan_vip *to = &p->vip[p->vips];

		if (!v->kind || p->vips == sizeof(p->vip) / sizeof(p->vip[0]))
			continue;
		memset(to, 0, sizeof(*to));
		memcpy(to->addr.a, &v->a0, 8);
		memcpy(to->addr.a + 8, &v->a1, 8);
		to->port = (uint16_t)v->kind;
		to->proto = (uint8_t)(v->kind >> 16);
		to->family = (uint8_t)(v->kind >> 24);
		to->type = (uint8_t)(v->kind >> 32);
		to->id = v->id;
		p->vips++;
	}
	qsort(p->vip, p->vips, sizeof(p->vip[0]), vip_cmp);
}
