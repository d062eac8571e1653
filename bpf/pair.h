/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pair.h - the two entries of a connection and the record that they share: finding one from the
 * other, changing both, ending both (I5 of flow.h). Modes without a reverse entry have a forward
 * entry alone, and the record at its slot. Counts what a change of state means for the endpoint.
 */
#ifndef RR_BPF_PAIR_H
#define RR_BPF_PAIR_H

#include "account.h"
#include "base.h"
#include "conn.h"
#include "flow.h"
#include "judge.h"
#include "maps.h"
#include "rr_mode.h"
#include "rr_pair.h"
#include "slot.h"

/* Does a connection to this endpoint have a reverse entry? */
static __always_inline bool pair_is_two(__u32 endpoint)
{
	const struct rr_endpoint *ep = map_get(endpoints, endpoint);

	return ep && rr_mode_has(ep->mode, RR_MODE_HAS_REVERSE);
}

/* ---- the record ---- */

static __always_inline struct rr_pair *pair_at(const int af, __u32 slot)
{
	return af == RR_AF_INET ? map_get(pairs4, slot) : map_get(pairs6, slot);
}

/* The record of an entry, of the life in which it was read. */
static __always_inline struct rr_pair *pair_of(const int af, const struct flow_seen *s)
{
	struct rr_pair *pair = pair_at(af, s->h.slot);

	return pair && pair->gen == RR_META_GEN(s->h.meta) ? pair : NULL;
}

/* The record of the connection whose entries c->s and c->r are. */
static __always_inline struct rr_pair *pair_record(const int af, const struct conn *c)
{
	return pair_of(af, c->two ? &c->r : &c->s);
}

/* What only SYN, FIN and RST need: written while the slot that it belongs to is still owned. */
static __always_inline void pair_write(const int af, const struct conn *c, const struct slot *own)
{
	struct rr_pair *pair = pair_at(af, own->at);

	if (!pair)
		return;
	pair->gen = RR_META_GEN(own->meta);
	pair->forward = c->own.at;
	pair->ticket_lo = c->pick.ticket;
	pair->ticket_hi = c->pick.ticket >> 32;
	pair->tries = 1;
	pair->opened = c->now;
	pair->isn_client = c->seq;
	pair->isn_server = 0;
	pair->syn_data = c->data;
}

/* ---- from one to the other ---- */

/* c->r = the reverse entry of forward entry c->s, if it is still its own. */
static __always_inline bool pair_reverse(const int af, struct conn *c)
{
	return flow_look_slot(af, c->s.h.link, &c->r) && rr_pair_is(&c->s.h, &c->r.h, 0);
}

/* c->s = the forward entry of reverse entry c->r, if each names the other. */
static __always_inline bool pair_forward(const int af, struct conn *c)
{
	const struct rr_pair *pair = pair_of(af, &c->r);

	return pair && flow_look_slot(af, pair->forward, &c->s) && c->s.h.link == c->r.h.slot &&
	       rr_pair_is(&c->s.h, &c->r.h, 0);
}

/*
 * Has forward entry c->s lost its reverse one (evicted, expired, or its port given to another
 * connection)? Then replies cannot come back and its packets could reach a stranger.
 */
static __always_inline bool pair_is_broken(const int af, struct conn *c)
{
	return c->two && !pair_reverse(af, c);
}

/* Was an established flow reset, and nothing has come yet that disproves it? */
static __always_inline bool pair_is_claimed_over(const struct conn *c)
{
	return RR_META_STATE(c->s.h.meta) == RR_FLOW_RST &&
	       RR_META_FLAGS(c->s.h.meta) & RR_FLOW_F_RSTS;
}

/* ---- changes ---- */

/* The forward entry leaves EST exactly once: whoever moved it counts. */
static __always_inline void pair_count_close(__u64 was, __u32 service)
{
	if (RR_META_STATE(was) == RR_FLOW_EST)
		account_closed(service, RR_META_EP(was));
}

/* slot_take(), and the count that an established flow, long expired, is owed when its slot goes. */
static __always_inline enum rr_verdict pair_take(const int af, const struct conn *c,
						 const struct rr_key *k, struct slot *own)
{
	enum rr_verdict v = af == RR_AF_INET ? slot_take4(k, c->seed, c->now, own)
					     : slot_take6(k, c->seed, c->now, own);

	if (!v && own->closed)
		account_closed(own->service, RR_META_EP(own->was));
	return v;
}

/* Frees a found entry; false when its life had ended already. */
static __always_inline bool pair_release(const int af, const struct flow_seen *s)
{
	struct rr_flow *f = flow_at(af, s->h.slot);

	return f && flow_release(f, s->h.meta);
}

/* Ends the connection of c->s and whatever of its reverse entry is left; false = it had ended. */
static __always_inline bool pair_end(const int af, struct conn *c)
{
	if (!pair_release(af, &c->s))
		return false;
	pair_count_close(c->s.h.meta, c->service);
	if (c->two && pair_reverse(af, c))
		pair_release(af, &c->r);
	return true;
}

/* The client's FIN goes to the endpoint: what acknowledges it is kept. */
static __always_inline void pair_fin_client(const int af, const struct conn *c)
{
	struct rr_pair *pair = pair_record(af, c);

	if (pair)
		pair->fin_client = c->seq + c->data + 1;
}

/*
 * Flags that the endpoint's FIN sets. One that does not acknowledge the client's leads to TIME_WAIT
 * over there (RFC 9293 3.6), however the connection goes on.
 */
static __always_inline __u32 pair_fin_server(const int af, const struct conn *c)
{
	const struct rr_pair *pair = pair_of(af, &c->r);

	if ((RR_META_FLAGS(c->s.h.meta) & RR_FLOW_F_FIN_CLIENT) && pair &&
	    pair->fin_client == (__u16)c->ack)
		return RR_FLOW_F_FIN_SERVER;
	return RR_FLOW_F_FIN_SERVER | RR_FLOW_F_REST;
}

/*
 * Moves both entries of the pair of c->s, the reverse one first (I5). 0 when the forward one is
 * lost. There is no promotion to EST without the reverse entry: half-open, it may be evicted at
 * any moment until it is EST itself.
 */
static __always_inline int pair_advance(const int af, struct conn *c, __u8 state, __u32 flag)
{
	__u64 was;

	if (c->two && !(pair_reverse(af, c) && flow_move(af, &c->r, state, flag)) &&
	    state == RR_FLOW_EST)
		return 0;
	was = flow_move(af, &c->s, state, flag);
	if (!was)
		return 0;
	if (state == RR_FLOW_EST && RR_META_STATE(was) < RR_FLOW_EST)
		account_established(c->service, RR_META_EP(was));
	if (state > RR_FLOW_EST)
		pair_count_close(was, c->service);
	return 1;
}

__noinline int pair_advance4(struct conn *c, __u8 state, __u32 flag)
{
	return c && pair_advance(RR_AF_INET, c, state, flag);
}

__noinline int pair_advance6(struct conn *c, __u8 state, __u32 flag)
{
	return c && pair_advance(RR_AF_INET6, c, state, flag);
}

/*
 * Brings both entries of the pair of c->s back, the reverse one first (I5), less the flags `drop`;
 * a flow that is established again counts so. 0 when either is lost.
 */
static __always_inline int pair_restore(const int af, struct conn *c, __u32 drop)
{
	__u64 was;

	if (c->two && !(pair_reverse(af, c) && flow_move_back(af, &c->r, drop)))
		return 0;
	was = flow_move_back(af, &c->s, drop);
	if (!was)
		return 0;
	if (RR_META_STATE(was) > RR_FLOW_EST &&
	    (RR_META_STATE(was) != RR_FLOW_RST || RR_META_FLAGS(was) & RR_FLOW_F_RSTS) &&
	    !(RR_META_FLAGS(was) & ~drop & RR_FLOW_F_FINS))
		account_reopened(c->service, RR_META_EP(was));
	return 1;
}

__noinline int pair_restore4(struct conn *c, __u32 drop)
{
	return c && pair_restore(RR_AF_INET, c, drop);
}

__noinline int pair_restore6(struct conn *c, __u32 drop)
{
	return c && pair_restore(RR_AF_INET6, c, drop);
}

static __always_inline bool pair_reopen(const int af, struct conn *c, __u32 drop)
{
	return af == RR_AF_INET ? pair_restore4(c, drop) : pair_restore6(c, drop);
}

static __always_inline bool pair_move(const int af, struct conn *c, __u8 state, __u32 flag)
{
	return af == RR_AF_INET ? pair_advance4(c, state, flag) : pair_advance6(c, state, flag);
}

#endif
