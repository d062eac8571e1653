/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_target.c - decides what is probed: each address once for each kind of probe, however many
 * services have it as an endpoint.
 *
 * A kind is what the probes of a service ask (conf_probe_same()); a copy of it is kept here, so
 * that endpoints can still be told apart while a reload goes from one configuration to the next. A
 * target is an address and a kind, found by a hash of both; its members are endpoints. It is due
 * when the first of its members is, and stands in a heap by that time.
 *
 * A member leaves when it goes, or when its address or kind is another one. When the last member
 * that a probe in flight was started for has left, the probe is cancelled; one that stays in the
 * model without it is probed anew at once.
 *
 * A target has the id of the endpoint that it was made for, when that is free: one id less to look
 * up when somebody reads a log.
 */
#include <string.h>

#include "model/model_int.h"

/* ---- kinds ---- */

uint16_t kind_of(struct model *m, const struct conf_health *h)
{
	uint16_t room = 0;

	if (h->type == PROBE_NONE)
		return 0;
	for (uint16_t k = MODEL_KINDS - 1; k > 0; k--) {
		if (!m->kind[k].used)
			room = k;
		else if (conf_probe_same(&m->kind[k].health, h))
			return k;
	}
	/* There is room: at most one kind for each service, of the old configuration and of the
	 * new. */
	m->kind[room] = (struct probe_kind){ true, *h };
	return room;
}

void kinds_sweep(struct model *m)
{
	bool used[MODEL_KINDS] = { false };

	for (uint32_t i = 0; i < RR_MAX_SERVICES; i++)
		used[m->svc[i].kind] = true;
	for (uint16_t k = 1; k < MODEL_KINDS; k++)
		m->kind[k].used &= used[k];
}

/* ---- targets ---- */

static uint32_t *target_bucket(struct model *m, const struct addr *to, uint16_t kind)
{
	uint64_t a, b;

	memcpy(&a, to->ip, sizeof(a));
	memcpy(&b, to->ip + sizeof(a), sizeof(b));
	a = health_hash(a, b) ^ ((uint64_t)to->port << 16 | kind);
	return &m->bucket[health_hash(a, to->family) % MODEL_BUCKETS];
}

static uint32_t target_find(struct model *m, const struct addr *to, uint16_t kind)
{
	uint32_t id = *target_bucket(m, to, kind);

	while (id && (m->target[id].kind != kind || !addr_equal(&m->target[id].to, to)))
		id = m->target[id].chain;
	return id;
}

/* There are never more targets than endpoints: an id is free. */
static uint32_t target_id(const struct model *m, uint32_t like)
{
	uint32_t id = like;

	while (m->target[id].used)
		id = id + 1 < RR_MAX_ENDPOINTS ? id + 1 : 1;
	return id;
}

static uint32_t target_new(struct model *m, const struct addr *to, uint16_t kind, uint32_t like)
{
	uint32_t id = target_id(m, like), *bucket = target_bucket(m, to, kind);

	m->target[id] = (struct target){ .used = true, .kind = kind, .to = *to, .chain = *bucket };
	*bucket = id;
	m->targets++;
	return id;
}

static void target_free(struct model *m, uint32_t id)
{
	struct target *t = &m->target[id];
	uint32_t *p = target_bucket(m, &t->to, t->kind);

	while (*p != id)
		p = &m->target[*p].chain;
	*p = t->chain;
	heap_set(&m->due, id, MONO_NEVER);
	m->targets--;
	memset(t, 0, sizeof(*t));
}

static void target_cancel(struct model *m, uint32_t id)
{
	struct target *t = &m->target[id];

	if (m->cancels < MODEL_CANCELS)
		m->cancel[m->cancels++] = (struct model_run){ id, t->run };
	t->in_flight = false;
}

size_t model_cancels(struct model *m, struct model_run *run, size_t max)
{
	size_t n = m->cancels < max ? m->cancels : max;

	m->cancels -= n;
	memcpy(run, m->cancel + m->cancels, n * sizeof(*run));
	return n;
}

void target_arm(struct model *m, uint32_t id)
{
	const struct target *t = &m->target[id];
	mono_t at = MONO_NEVER;

	for (uint32_t i = t->in_flight ? 0 : t->member; i; i = m->ep[i].next_member) {
		if (ep_checked(&m->ep[i]))
			at = mono_min(at, m->ep[i].next_probe);
	}
	heap_set(&m->due, id, at);
}

/* ---- members ---- */

static bool waited_for(const struct model *m, const struct target *t)
{
	for (uint32_t i = t->member; i; i = m->ep[i].next_member) {
		if (m->ep[i].in_flight)
			return true;
	}
	return false;
}

static void member_leave(struct model *m, struct ep *e, mono_t now)
{
	struct target *t = &m->target[e->target];
	uint32_t id = e->target, *p = &t->member;

	while (*p != e->id)
		p = &m->ep[*p].next_member;
	*p = e->next_member;
	e->target = e->next_member = 0;
	if (e->in_flight) {
		e->in_flight = false;
		e->next_probe = now;
	}
	if (t->in_flight && !waited_for(m, t))
		target_cancel(m, id);
	if (t->member)
		target_arm(m, id);
	else
		target_free(m, id);
}

/* At the end: who was first stays first. */
static void member_join(struct model *m, struct ep *e, const struct addr *to, uint16_t kind)
{
	uint32_t id = target_find(m, to, kind), *p;

	if (!id)
		id = target_new(m, to, kind, e->id);
	p = &m->target[id].member;
	while (*p)
		p = &m->ep[*p].next_member;
	*p = e->id;
	e->target = id;
}

void target_settle(struct model *m, struct ep *e, mono_t now)
{
	const struct target *t = &m->target[e->target];
	uint16_t kind = e->member == EP_PRESENT && e->svc->conf ? e->svc->kind : 0;
	struct addr to = e->addr;

	if (kind && m->kind[kind].health.port)
		to.port = m->kind[kind].health.port;
	if (e->target && (t->kind != kind || !addr_equal(&t->to, &to)))
		member_leave(m, e, now);
	if (!e->target && kind)
		member_join(m, e, &to, kind);
	target_arm(m, e->target);
}

bool model_probe_target(const struct model *m, uint32_t target, struct addr *to,
			const struct conf_health **h)
{
	const struct target *t = &m->target[target < RR_MAX_ENDPOINTS ? target : 0];

	if (!t->used)
		return false;
	*to = t->to;
	*h = &m->kind[t->kind].health;
	return true;
}
