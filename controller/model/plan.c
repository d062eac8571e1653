/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * plan.c - the exact map contents that the model wants, element by element.
 *
 * An endpoint that is not available has RR_EP_NO_NEW, so the flag takes effect before any rotation
 * is rebuilt; a gone one keeps PRESENT and gets RR_EP_GONE. A removed service's element keeps its
 * timeouts without flags: it is PRESENT exactly when the address table has a row that names it.
 * With no endpoint available a rotation has length 0.
 */
#include "model/plan.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_int.h"

struct plan *plan_new(void)
{
	return calloc(1, sizeof(struct plan));
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++)
		free(p->slot[i]);
	free(p);
}

static struct rr_addr abi_addr(const struct addr *a)
{
	struct rr_addr r = { { 0 } };

	memcpy(r.a, a->ip, a->family == 4 ? 4 : 16);
	return r;
}

/* Rounded up, so that a timeout is never shorter than asked for; 0 becomes one tick. */
static uint32_t jiffies(mono_t t, uint32_t hz)
{
	uint64_t us = t.us <= 0 ? 0 : t.us > 1000000000000000 ? 1000000000000000 : (uint64_t)t.us;
	uint64_t j = (us * hz + 999999) / 1000000;

	return j > INT32_MAX ? INT32_MAX : j ? (uint32_t)j : 1;
}

void svc_element(const struct model *m, const struct svc *s, struct rr_service *r)
{
	const struct conf_service *c = s->conf;

	if (!c) {
		*r = s->tomb;
		return;
	}
	*r = (struct rr_service){
		.mode = (uint8_t)s->mode,
		.on_unknown = (uint8_t)c->on_unknown,
		.overflow = (uint8_t)c->overflow,
		.flags = RR_SVC_PRESENT | (s->paused ? RR_SVC_PAUSED : 0),
		.t_syn = jiffies(c->t_syn, m->hz),
		.t_est = jiffies(c->t_idle, m->hz),
		/* Half-closed is open, where both halves are seen. */
		.t_fin1 = jiffies(rr_mode_has(s->mode, RR_MODE_SEES_BOTH) ? c->t_idle : c->t_fin1,
				  m->hz),
		.t_fin2 = jiffies(c->t_fin2, m->hz),
		.t_rst = jiffies(c->t_rst, m->hz),
		.t_claim = m->hz,
	};
}

static void ep_element(const struct ep *e, struct rr_endpoint *r)
{
	*r = (struct rr_endpoint){
		.addr = abi_addr(&e->addr),
		.port = htons(e->addr.port),
		.family = e->addr.family == 4 ? RR_AF_INET : RR_AF_INET6,
		.mode = (uint8_t)e->svc->mode,
		.flags = RR_EP_PRESENT,
		.hop = e->hop,
		.service = (uint16_t)e->svc->id,
		.local_first = e->local_first,
		.local_count = e->local_count,
	};
	memcpy(r->port_set, e->port_set, sizeof(r->port_set));
	if (e->state != EPS_UP)
		r->flags |= RR_EP_NO_NEW;
	if (e->member == EP_GONE)
		r->flags |= RR_EP_GONE;
}

static void build_listeners(const struct model *m, struct plan *p)
{
	for (uint32_t i = 0; i < RR_MAX_LISTENERS; i++) {
		const struct lsn *l = &m->listener[i];

		if (!l->svc)
			continue;
		p->listening[i] = l->active;
		p->listener[i] = (struct rr_listener){
			.addr = abi_addr(&l->addr),
			.port = htons(l->addr.port),
			.family = l->addr.family == 4 ? RR_AF_INET : RR_AF_INET6,
			.proto = IPPROTO_TCP,
			.service = (uint16_t)l->svc->id,
			.flags = RR_LISTENER_PRESENT,
		};
	}
}

static int build_service(const struct model *m, struct svc *s, struct plan *p)
{
	uint32_t slots;

	svc_element(m, s, &p->service[s->id]);
	if (!s->conf)
		return 0;
	slots = svc_rotation(s);
	if (!slots)
		return 0;
	p->slot[s->id] = malloc(slots * sizeof(uint16_t));
	if (!p->slot[s->id])
		return -ENOMEM;
	memcpy(p->slot[s->id], s->slot, slots * sizeof(uint16_t));
	p->service[s->id].rotation = RR_ROT_MAKE(0, slots);
	return 0;
}

static void plan_clear(struct plan *p)
{
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++)
		free(p->slot[i]);
	memset(p, 0, sizeof(*p));
}

int plan_build(const struct model *m, struct plan *p)
{
	plan_clear(p);
	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++) {
		/* the memo of the rotation is brought up to date: no visible change of the model */
		struct svc *s = (struct svc *)(uintptr_t)&m->svc[i];
		int rc = s->used ? build_service(m, s, p) : 0;

		if (rc)
			return rc;
	}
	for (uint32_t i = 1; i < m->ep_end; i++) {
		if (m->ep[i].id)
			ep_element(&m->ep[i], &p->endpoint[i]);
	}
	build_listeners(m, p);
	locals_tables(m, p->local_tables);
	for (uint32_t i = 0; i < RR_MAX_LOCALS; i++) {
		const struct addr *a = &m->local[i].addr;

		if (!a->family)
			continue;
		p->local[i].addr = abi_addr(a);
		p->local[i].family = a->family == 4 ? RR_AF_INET : RR_AF_INET6;
	}
	memcpy(p->iface, m->iface, sizeof(p->iface));
	plan_vips(p);
	p->enabled = true;
	return 0;
}
