/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fixture_maps.c - plain arrays that stand for the maps, and the rules that must hold after every
 * single step:
 *  - a row of the active address table is in the bucket where a packet looks for it, and names a
 *    listener that is PRESENT with this very address and service, which is PRESENT and complete
 *    with timeouts; or a local address that is there, with its own family's flow table
 *  - a slot of the active rotation of such a service names an endpoint that is PRESENT, not GONE,
 *    of this service and its mode, with family and address; with a next hop unless it is marked
 *    NO_NEW; and where the mode needs them with local addresses of its family, each of which the
 *    active address table knows, with every flow table that its replies may have entries in
 *  - no active copy is ever filled
 *  - a listener that is to stay has its element and is reachable throughout
 *  - a service that is to stay is reached by one listener or another, and has a rotation throughout
 *    if it has one before and after
 *  - after the last step the arrays are what was wanted
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fixture.h"
#include "rr_hash.h"
#include "rr_pair.h"

static char said[256];

#define FAIL(...) (snprintf(said, sizeof(said), __VA_ARGS__), said)

void fx_maps_init(struct fx_maps *x)
{
	memset(x, 0, sizeof(*x));
	x->have = plan_new();
	x->img = calloc(1, sizeof(*x->img));
	if (!x->have || !x->img)
		abort();
}

void fx_maps_free(struct fx_maps *x)
{
	plan_free(x->have);
	free(x->img);
}

static const struct rr_vip *find_row(const struct plan_image *img, const struct rr_addr *addr,
				     uint8_t family, uint64_t kind)
{
	uint64_t a0 = 0, a1 = 0;
	const struct rr_vip_bucket *b;
	uint32_t h;

	memcpy(&a0, addr->a, family == RR_AF_INET ? 4 : 8);
	if (family == RR_AF_INET6)
		memcpy(&a1, addr->a + 8, 8);
	h = rr_vip_hash(a0, a1, kind, (uint32_t)(img->vip_active >> 32)) & (RR_VIP_BUCKETS - 1);
	b = &img->vip[img->vip_active & 1][h];
	for (uint32_t w = 0; w < RR_VIP_WAYS; w++) {
		if (b->e[w].kind == kind && b->e[w].a0 == a0 && b->e[w].a1 == a1)
			return &b->e[w];
	}
	return NULL;
}

static const struct rr_vip *listener_row(const struct plan_image *img, const struct rr_listener *l)
{
	return find_row(img, &l->addr, l->family,
			RR_VIP_KIND(l->port, l->proto, l->family, RR_VIP_LISTENER));
}

static const struct rr_vip *local_row(const struct plan_image *img, const struct rr_local *l)
{
	return find_row(img, &l->addr, l->family, RR_VIP_KIND(0, 6, l->family, RR_VIP_LOCAL));
}

/*
 * The flow tables that hold reverse entries of connections to an endpoint through the listeners by
 * which its service is reached.
 */
static uint16_t tables_used(const struct plan_image *img, const struct rr_endpoint *e)
{
	uint16_t tables = 0;

	for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++) {
		const struct rr_listener *l = &img->listener[i];

		if (!l->flags || l->service != e->service || !listener_row(img, l))
			continue;
		tables |= rr_pair_table(l->family, e->family) == RR_AF_INET ? RR_VIP_FLOWS4
									    : RR_VIP_FLOWS6;
	}
	return tables;
}

static const char *check_locals(const struct plan_image *img, const struct rr_endpoint *e,
				uint32_t id)
{
	uint16_t tables = tables_used(img, e);

	if (!e->local_count)
		return FAIL("endpoint %u in a rotation has no local address", id);
	for (uint32_t i = e->local_first; i < (uint32_t)e->local_first + e->local_count; i++) {
		const struct rr_local *l = i < RR_MAX_LOCALS ? &img->local[i] : NULL;
		const struct rr_vip *row = l && l->family ? local_row(img, l) : NULL;

		if (!l || l->family != e->family)
			return FAIL("endpoint %u uses local %u, which is of another family or none",
				    id, i);
		if (!row || row->id != i)
			return FAIL(
				"endpoint %u uses local %u, which the address table does not know",
				id, i);
		if (tables & ~row->tables)
			return FAIL("local %u of endpoint %u has tables 0x%x, 0x%x are used", i, id,
				    row->tables, tables);
	}
	return NULL;
}

static const char *check_slot(const struct plan_image *img, uint32_t service, uint32_t id)
{
	static const struct rr_addr none;
	const struct rr_endpoint *e = id < RR_MAX_ENDPOINTS ? &img->endpoint[id] : NULL;

	if (!id || !e || !(e->flags & RR_EP_PRESENT) || (e->flags & RR_EP_GONE))
		return FAIL("rotation of %u names endpoint %u, which is not there", service, id);
	if (e->service != service)
		return FAIL("rotation of %u names endpoint %u of service %u", service, id,
			    e->service);
	if (!e->family || !memcmp(&e->addr, &none, sizeof(none)) || !e->port)
		return FAIL("endpoint %u in a rotation has no address", id);
	if (!e->hop && !(e->flags & RR_EP_NO_NEW))
		return FAIL("endpoint %u takes connections without a next hop", id);
	if (e->mode != img->service[service].mode)
		return FAIL("endpoint %u has another mode than its service", id);
	return rr_mode_has(e->mode, RR_MODE_NEEDS_LOCAL) ? check_locals(img, e, id) : NULL;
}

static const char *check_service(const struct plan_image *img, uint32_t id)
{
	const struct rr_service *s = &img->service[id];
	uint32_t len = RR_ROT_LEN(s->rotation);
	const struct rr_rotation *r = &img->rotation[id * 2 + RR_ROT_COPY(s->rotation)];

	if (!(s->flags & RR_SVC_PRESENT) || !s->t_est || !s->t_syn)
		return FAIL("address table names service %u, which is not there or not complete",
			    id);
	if (len > RR_MAX_SLOTS)
		return FAIL("rotation of %u has %u slots", id, len);
	for (uint32_t k = 0; k < len; k++) {
		const char *err = check_slot(img, id, r->slot[k]);

		if (err)
			return err;
	}
	return NULL;
}

/* The tables in which a reply may find its entry: a pair of mixed families has it in flows6. */
static const char *check_tables(const struct plan_image *img, const struct rr_vip *row)
{
	const struct rr_local *l = &img->local[row->id];
	uint16_t own = l->family == RR_AF_INET ? RR_VIP_FLOWS4 : RR_VIP_FLOWS6;

	if (!(row->tables & own) || (row->tables & ~(RR_VIP_FLOWS4 | RR_VIP_FLOWS6)))
		return FAIL("local %u has tables 0x%x", row->id, row->tables);
	return NULL;
}

static const char *check_listener(const struct plan_image *img, const struct rr_vip *row)
{
	const struct rr_listener *l;

	if (row->id >= RR_MAX_LISTENERS || row->service >= RR_MAX_SERVICES)
		return FAIL("listener id %u of service %u", row->id, row->service);
	l = &img->listener[row->id];
	if (!(l->flags & RR_LISTENER_PRESENT) || listener_row(img, l) != row)
		return FAIL("address table names listener %u, which is not there or elsewhere",
			    row->id);
	if (l->service != row->service)
		return FAIL("listener %u is of service %u, its row says %u", row->id, l->service,
			    row->service);
	return check_service(img, row->service);
}

static const char *check_row(const struct plan_image *img, const struct rr_vip *row)
{
	if (RR_VIP_TYPE(row->kind) == RR_VIP_LISTENER)
		return check_listener(img, row);
	if (RR_VIP_TYPE(row->kind) != RR_VIP_LOCAL || row->id >= RR_MAX_LOCALS)
		return FAIL("row of unknown type or id %u", row->id);
	if (!img->local[row->id].family || local_row(img, &img->local[row->id]) != row)
		return FAIL("address table names local %u, which is not there", row->id);
	return check_tables(img, row);
}

const char *fx_check(const struct plan_image *img)
{
	const struct rr_vip_bucket *b = img->vip[img->vip_active & 1];

	for (uint32_t i = 0; i < RR_VIP_BUCKETS * RR_VIP_WAYS; i++) {
		const struct rr_vip *row = &b[i / RR_VIP_WAYS].e[i % RR_VIP_WAYS];
		const char *err = row->kind ? check_row(img, row) : NULL;

		if (err)
			return err;
	}
	return NULL;
}

/* Before a step: it must not touch what packets read. */
static const char *check_fill(const struct plan_image *img, const struct plan_op *op)
{
	char buf[32];

	if (op->kind == PLAN_TABLE_FILL &&
	    op->copy == plan_table_copy(op->table, plan_image_word(img, op->table, op->id)))
		return FAIL("%s of %u fills the copy that packets read",
			    plan_op_name(op, buf, sizeof(buf)), op->id);
	return NULL;
}

static bool svc_stays(const struct rr_service *a, const struct rr_service *b)
{
	return (a->flags & b->flags & RR_SVC_PRESENT) && a->mode == b->mode;
}

/* Is the service reached, before or after, by a listener whose element stays as it is? */
static bool reached(const struct plan *p, const struct plan *other, uint32_t service)
{
	for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++) {
		const struct rr_listener *l = &p->listener[i];

		if (p->listening[i] && l->service == service &&
		    !memcmp(l, &other->listener[i], sizeof(*l)))
			return true;
	}
	return false;
}

static bool reached_now(const struct plan_image *img, uint32_t service)
{
	for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++) {
		const struct rr_listener *l = &img->listener[i];
		const struct rr_vip *row =
			l->flags && l->service == service ? listener_row(img, l) : NULL;

		if (row && row->id == i)
			return true;
	}
	return false;
}

static const char *check_listeners(const struct plan_image *img, const struct plan *have,
				   const struct plan *want)
{
	for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++) {
		const struct rr_listener *a = &have->listener[i], *b = &want->listener[i];

		if (!a->flags || memcmp(a, b, sizeof(*a)))
			continue;
		if (memcmp(&img->listener[i], a, sizeof(*a)))
			return FAIL("listener %u is not there for a moment", i);
		if (have->listening[i] && want->listening[i] &&
		    svc_stays(&have->service[a->service], &want->service[a->service]) &&
		    !listener_row(img, a))
			return FAIL("listener %u is out of reach for a moment", i);
	}
	return NULL;
}

static const char *check_steady(const struct plan_image *img, const struct plan *have,
				const struct plan *want, bool early)
{
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		const struct rr_service *a = &have->service[i], *b = &want->service[i];

		if (!svc_stays(a, b))
			continue;
		if (!early && reached(have, want, i) && !reached_now(img, i))
			return FAIL("service %u is out of reach for a moment", i);
		if (RR_ROT_LEN(a->rotation) && RR_ROT_LEN(b->rotation) &&
		    !RR_ROT_LEN(img->service[i].rotation))
			return FAIL("service %u is without a rotation for a moment", i);
	}
	return check_listeners(img, have, want);
}

static const char *check_rotations(const struct plan_image *img, const struct plan *want)
{
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		uint32_t word = want->service[i].rotation;
		const struct rr_rotation *r = &img->rotation[i * 2 + RR_ROT_COPY(word)];

		if (memcmp(&img->service[i], &want->service[i], sizeof(img->service[i])))
			return FAIL("service %u is not as wanted in the end", i);
		if (RR_ROT_LEN(word) &&
		    memcmp(r->slot, want->slot[i], RR_ROT_LEN(word) * sizeof(uint16_t)))
			return FAIL("rotation of %u is not as wanted in the end", i);
	}
	return NULL;
}

static const char *check_end(const struct plan_image *img, const struct plan *want)
{
	static struct rr_vip_bucket bucket[RR_VIP_BUCKETS];

	for (uint32_t i = 0;
	     i < RR_MAX_ENDPOINTS && memcmp(img->endpoint, want->endpoint, sizeof(img->endpoint));
	     i++) {
		if (memcmp(&img->endpoint[i], &want->endpoint[i], sizeof(img->endpoint[i])))
			return FAIL("endpoint %u is not as wanted in the end", i);
	}
	if (memcmp(img->listener, want->listener, sizeof(img->listener)))
		return FAIL("listeners are not as wanted in the end");
	if (memcmp(img->local, want->local, sizeof(img->local)))
		return FAIL("local addresses are not as wanted in the end");
	if (memcmp(img->iface, want->iface, sizeof(img->iface)))
		return FAIL("interfaces are not as wanted in the end");
	if (img->enabled != want->enabled || img->vip_active != want->vip_active)
		return FAIL("control words are not as wanted in the end");
	if (!plan_vip_place(want, (uint32_t)(want->vip_active >> 32), bucket))
		return FAIL("the chosen seed does not fit");
	if (memcmp(bucket, img->vip[want->vip_active & 1], sizeof(bucket)))
		return FAIL("the address table is not as wanted in the end");
	return check_rotations(img, want);
}

static const char *check_steps(struct fx_maps *x, struct plan *want, const struct plan_ops *ops,
			       bool steady)
{
	const char *err = NULL;
	char buf[32];

	for (size_t i = 0; i < ops->n && !err; i++) {
		err = check_fill(x->img, &ops->op[i]);
		plan_image_apply(x->img, want, &ops->op[i]);
		if (!err)
			err = fx_check(x->img);
		if (!err && steady)
			err = check_steady(x->img, x->have, want, want->vip_interim != 0);
		if (err)
			fprintf(stderr, "after step %zu of %zu (%s %u): %s\n", i + 1, ops->n,
				plan_op_name(&ops->op[i], buf, sizeof(buf)), ops->op[i].id, err);
	}
	return err ? err : check_end(x->img, want);
}

const char *fx_steps(struct fx_maps *x, struct plan *want, bool steady)
{
	struct plan_ops ops = { 0 };
	const char *err;
	int rc = plan_diff(x->have, want, &ops);

	err = rc ? FAIL("plan_diff: %d", rc) : check_steps(x, want, &ops, steady);
	x->steps += ops.n;
	x->diffs++;
	plan_ops_free(&ops);
	plan_free(x->have);
	x->have = want;
	return err;
}

struct plan *fx_plan(const struct model *m)
{
	struct plan *p = plan_new();

	if (!p || plan_build(m, p))
		abort();
	return p;
}

const char *fx_push(struct fx_maps *x, struct model *m)
{
	struct plan *want = plan_new();
	const char *err;

	if (!want)
		abort();
	if (plan_build(m, want)) {
		plan_free(want);
		return FAIL("plan_build failed");
	}
	err = fx_steps(x, want, true);
	model_planned(m);
	return err;
}

bool fx_in_rotation(const struct fx_maps *x, uint32_t service, uint32_t endpoint)
{
	uint32_t word = x->img->service[service].rotation;

	for (uint32_t k = 0; k < RR_ROT_LEN(word); k++) {
		if (x->img->rotation[service * 2 + RR_ROT_COPY(word)].slot[k] == endpoint)
			return true;
	}
	return false;
}
