/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * port.h - the local port of a connection whose source address is ours: found by hash, and held by
 * the reverse entry, whose key it is part of.
 */
#ifndef RR_BPF_PORT_H
#define RR_BPF_PORT_H

#include "base.h"
#include "config.h"
#include "conn.h"
#include "flow.h"
#include "hop.h"
#include "judge.h"
#include "maps.h"
#include "pair.h"
#include "rr_hash.h"
#include "rr_pair.h"
#include "rr_verdict.h"
#include "slot.h"

#define PORT_TRIES 32
#define PORT_CLOSED_TRY 4 /* from this try on a closed flow's port may be taken over */
/* And a half-open one's: else a flood of SYNs would hold every port of an endpoint. */
#define PORT_HALF_TRY 6

/* Key of the reverse entry that belongs to endpoint, local port and local id. */
static __always_inline bool port_key(const int af, struct rr_key *k, __u32 endpoint, __u16 port,
				     __u32 local)
{
	const struct rr_endpoint *ep = map_get(endpoints, endpoint);
	const __u64 *a;

	if (!ep)
		return false;
	a = (const __u64 *)&ep->addr;
	rr_key_make(k, af, af, a[0], a[1], port, rr_tag_reverse(local, 0));
	return true;
}

/* The highest score of a flow that has to give up its port on try `i`. */
static __always_inline __u32 port_worst(__u32 i)
{
	return i < PORT_CLOSED_TRY ? SLOT_FREE : i < PORT_HALF_TRY ? SLOT_CLOSED : SLOT_KEEP - 1;
}

/* Takes over the slot of flow c->r, which sits on the wanted port, if it scores `worst` or less. */
static __always_inline enum rr_verdict port_retake(const int af, struct conn *c, __u32 worst)
{
	const struct flow_seen *r = &c->r;
	struct rr_flow *f = flow_at(af, r->h.slot);
	const struct rr_service *svc = map_get(services, slot_service(r->h.listener));

	if (!f || slot_score(svc, r->h.meta, c->now - r->seen) > worst)
		return RR_V_FLOW_RACE;
	c->rown.at = r->h.slot;
	c->rown.meta = RR_META_MAKE(RR_META_GEN(r->h.meta) + 1, RR_FLOW_CLAIMED, 0, 0, 0);
	return flow_cas(f, r->h.meta, c->rown.meta) ? RR_V_GO : RR_V_FLOW_RACE;
}

/* Fills and publishes the owned reverse entry, and its record before that. */
static __always_inline enum rr_verdict port_fill(const int af, const struct conn *c)
{
	struct rr_flow *f = flow_at(af, c->rown.at);

	if (!f)
		return RR_V_NO_PORT;
	f->seen = c->now;
	f->ack = judge_upper(c->seq + 1);
	f->port = RR_KEY_PORT(c->key.key);
	f->peer = af == RR_AF_INET ? (__u32)c->key.key : 0;
	f->listener = c->listener;
	f->pad = 0;
	if (af == RR_AF_INET6) {
		struct rr_flow6 *e = container_of(f, struct rr_flow6, f);

		e->peer[0] = c->key.a[0];
		e->peer[1] = c->key.a[1];
	}
	pair_write(af, c, &c->rown);
	flow_publish(f, c->rown.meta, RR_FLOW_SYN, c->endpoint, c->hop);
	return RR_V_GO;
}

/* One try to give the connection local port `c->port`: makes the reverse entry. */
static __always_inline int port_try(const int af, struct conn *c, __u32 worst)
{
	enum rr_verdict v;

	if (!port_key(af, &c->k, c->endpoint, c->port, c->local))
		return RR_V_NO_PORT;
	if (worst && flow_look(af, &c->k, c->seed, &c->r))
		v = port_retake(af, c, worst);
	else
		v = pair_take(af, c, &c->k, &c->rown);
	return v ? v : port_fill(af, c);
}

__noinline int port_try4(struct conn *c, __u32 worst)
{
	return c ? port_try(RR_AF_INET, c, worst) : RR_V_NO_PORT;
}

__noinline int port_try6(struct conn *c, __u32 worst)
{
	return c ? port_try(RR_AF_INET6, c, worst) : RR_V_NO_PORT;
}

/* Where the walk for a local port starts: the same for guess and search. */
static __always_inline __u64 port_hash(const int af, const struct conn *c)
{
	return flow_hash(af, &c->key, c->seed ^ RR_HASH_M1);
}

static __always_inline __u16 port_number(__u64 h)
{
	__u32 range = (__u32)rr_port_hi - rr_port_lo + 1;

	return bpf_htons(rr_port_lo + (__u32)h % range);
}

static __always_inline __u32 port_local(const struct rr_endpoint *ep, __u64 h)
{
	return (ep->local_first + (__u32)(h >> 48) % ep->local_count) & (RR_MAX_LOCALS - 1);
}

/* Starts the loads of the sets and the record of the reverse entry, were it to endpoint `id`. */
static __always_inline void port_warm(const int af, struct conn *c, __u32 id)
{
	const struct rr_endpoint *ep = map_get(endpoints, id);
	const struct rr_pair *pair;
	__u64 h;

	if (!ep || !ep->local_count)
		return;
	h = port_hash(af, c);
	if (!port_key(af, &c->k, id, port_number(h), port_local(ep, h)))
		return;
	pair = pair_at(af, flow_warm(af, &c->k, c->seed));
	if (pair)
		flow_touch_line(pair);
}

/* A local port by hash: PORT_TRIES ports of a pseudo-random walk through the range. */
static __always_inline enum rr_verdict port_assign(const int af, struct conn *c)
{
	const struct rr_endpoint *ep = map_get(endpoints, c->endpoint);
	__u64 h = port_hash(af, c);
	enum rr_verdict v = RR_V_NO_PORT;

	if (!ep || !ep->local_count)
		return RR_V_NO_PORT;
	c->hop = hop_learn(c->mac, c->ifindex, c->vlan);
	if (!c->hop)
		return RR_V_NO_HOP;
	c->local = port_local(ep, h);
	for (__u32 i = 0; i < PORT_TRIES; i++) {
		c->port = port_number(h);
		v = af == RR_AF_INET ? port_try4(c, port_worst(i)) : port_try6(c, port_worst(i));
		if (!v)
			return RR_V_GO;
		h = rr_mix(h + i + 1);
	}
	return v == RR_V_TABLE_FULL ? v : RR_V_NO_PORT;
}

#endif
