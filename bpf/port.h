/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * port.h - the local port of a connection whose source address is ours: which one it gets, and what
 * is noted when it is given up. The reverse entry, whose key it is part of, holds it.
 *
 * With a set (rr_port.h) the longest unused comes first: each draw is the next place in the set's
 * order, for all CPUs by one atomic add, and what is in use or has to rest is passed over. Where
 * none has rested: a port whose mark outlived its connection, then the one that has rested for the
 * longest, then that of the oldest half-open flow of all tries. Without a set: by hash.
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
#include "rr_port.h"
#include "rr_verdict.h"
#include "slot.h"

#define PORT_TRIES 32 /* entries looked at for one connection */
#define PORT_CLOSED_TRY 4 /* by hash: from this try on a closed flow's port may be taken over */
#define PORT_DRAWS 256 /* of 20 in use for one free, all miss once in 500,000 times */
#define PORT_AGAIN 8 /* drawn ports that turn out to be taken */
#define PORT_MARK_TRIES 4 /* marks that are doubted before a resting port is used */

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

/* Keeps in mind the flow c->r, which sits on the wanted port, if it is the oldest half-open one. */
static __always_inline void port_note_half_open(struct conn *c, __u32 score)
{
	if (score <= SLOT_CLOSED || score >= c->half_open.rank)
		return;
	c->half_open.rank = score;
	c->half_open.local = c->local;
	c->half_open.port = c->port;
}

/* Takes over the slot of flow c->r, which sits on the wanted port, if it scores `worst` or less. */
static __always_inline enum rr_verdict port_retake(const int af, struct conn *c, __u32 worst)
{
	const struct flow_seen *r = &c->r;
	struct rr_flow *f = flow_at(af, r->h.slot);
	const struct rr_service *svc = map_get(services, slot_service(r->h.listener));
	__u32 score = slot_score(svc, r->h.meta, c->now - r->seen);

	if (!f || score > worst) {
		port_note_half_open(c, score);
		return RR_V_FLOW_RACE;
	}
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

/*
 * One try to give the connection local port `c->port`: makes the reverse entry, in place of one
 * that sits there and scores `worst` or less.
 */
static __always_inline int port_try(const int af, struct conn *c, __u32 worst)
{
	enum rr_verdict v;

	if (!port_key(af, &c->k, c->endpoint, c->port, c->local))
		return RR_V_NO_PORT;
	v = pair_take(af, c, &c->k, &c->rown);
	if (v == RR_V_FLOW_RACE && flow_look(af, &c->k, c->seed, &c->r))
		v = port_retake(af, c, worst);
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

static __always_inline enum rr_verdict port_attempt(const int af, struct conn *c, __u32 worst)
{
	return af == RR_AF_INET ? port_try4(c, worst) : port_try6(c, worst);
}

/* ---- the words of a set ---- */

static __always_inline __u32 port_range(void)
{
	return (__u32)rr_port_hi - rr_port_lo + 1;
}

/* NULL = there is no such set; as set 0. */
static __always_inline struct rr_port_line *port_line(__u32 set, __u32 line)
{
	return map_get(ports, (set - 1) * RR_PORT_LINES(port_range()) + line);
}

/* The word of the port `place` above the lowest; NULL = beyond the range. */
static __always_inline __u32 *port_word(__u32 set, __u32 place)
{
	struct rr_port_line *line;

	if (place >= port_range())
		return NULL;
	line = port_line(set, 1 + place / RR_PORT_LINE);
	return line ? &line->word[place % RR_PORT_LINE] : NULL;
}

/* The set of an endpoint and one of its local addresses; 0 = none. */
static __always_inline __u32 port_set(const struct rr_endpoint *ep, __u32 local)
{
	__u32 k = local - ep->local_first;

	return k < RR_EP_PORT_SETS ? ep->port_set[k] : 0;
}

static __always_inline __u32 *port_word_of(__u32 endpoint, __u32 local, __u16 port)
{
	const struct rr_endpoint *ep = map_get(endpoints, endpoint);
	__u32 set = ep ? port_set(ep, local) : 0;

	return set ? port_word(set, bpf_ntohs(port) - rr_port_lo) : NULL;
}

static __always_inline __u32 port_place(__u32 draw, __u64 seed, __u32 set)
{
	return rr_port_place(draw, (seed + set) * RR_HASH_M1, rr_port_mask(port_range()));
}

/* The new reverse entry has the port (first rule of rr_port.h). */
static __always_inline void port_mark(const struct conn *c)
{
	__u32 *word = port_word_of(c->endpoint, c->local, c->port);

	if (word)
		*(volatile __u32 *)word = RR_PORT_USED(RR_META_GEN(c->rown.meta));
}

/*
 * The connection of c->s and c->r is over, its forward entry being at `meta`, or a packet has come
 * after its end: the rest begins anew (second rule of rr_port.h).
 */
static __always_inline void port_give_up(const int af, const struct conn *c, __u64 meta)
{
	__u32 *word = port_word_of(RR_META_EP(meta), RR_META_VIA(meta), c->s.h.port), was, is;
	const struct rr_flow *r = flow_at(af, c->r.h.slot);
	const struct rr_control *ctl = map_get(control, 0);

	if (!word || !r || !ctl)
		return;
	was = *(volatile __u32 *)word;
	if ((was & RR_PORT_IN_USE) && RR_PORT_HIGH(was) != RR_META_GEN(c->r.h.meta))
		return;
	is = rr_pair_port_word(ctl, meta, c->now, r->ack);
	if (is != was)
		__sync_val_compare_and_swap(word, was, is);
}

/* Behind a packet of the connection of c->s: is it closed by now? */
static __always_inline int port_follow(const int af, const struct conn *c)
{
	const struct rr_flow *f = flow_at(af, c->s.h.slot);
	__u64 meta = f ? flow_meta(f) : 0;
	__u32 state = RR_META_STATE(meta);

	if (RR_META_GEN(meta) == RR_META_GEN(c->s.h.meta) &&
	    (state == RR_FLOW_FIN2 || state == RR_FLOW_RST))
		port_give_up(af, c, meta);
	return 0;
}

__noinline int port_follow4(struct conn *c)
{
	return c && port_follow(RR_AF_INET, c);
}

__noinline int port_follow6(struct conn *c)
{
	return c && port_follow(RR_AF_INET6, c);
}

static __always_inline void port_rest(const int af, struct conn *c)
{
	if (!c->two)
		return;
	if (af == RR_AF_INET)
		port_follow4(c);
	else
		port_follow6(c);
}

/* pair_end() for a connection whose place another one takes, closed or not. */
static __always_inline bool port_end(const int af, struct conn *c)
{
	if (!pair_end(af, c))
		return false;
	if (c->two && RR_META_STATE(c->s.h.meta) < RR_FLOW_FIN2)
		port_give_up(af, c, c->s.h.meta);
	return true;
}

/* ---- the draw ---- */

enum port_want { PORT_WANT_RESTED, PORT_WANT_BUSY };

struct port_draw {
	struct conn *c;
	const struct rr_endpoint *ep;
	__u64 seed;
	__u32 want; /* enum port_want */
	__u32 k; /* which of its local addresses is next: all take part, in turns */
	__u32 time, rest; /* ticks */
	__u32 found;
};

/* Is the port of this word the one to take? Keeps in mind which has rested for the longest. */
static __always_inline bool port_fits(struct port_draw *d, __u32 word)
{
	struct conn *c = d->c;
	__u32 age = rr_port_age(word, d->time);

	if (word & RR_PORT_IN_USE) {
		c->busy++;
		return d->want == PORT_WANT_BUSY;
	}
	if (d->want == PORT_WANT_BUSY)
		return false;
	if (!word || age >= d->rest)
		return true;
	if (age + 1 > c->resting.rank) {
		c->resting.rank = age + 1;
		c->resting.local = c->local;
		c->resting.port = c->port;
	}
	return false;
}

/* One draw; 1 = the search is over. The signature is bpf_loop()'s. */
static __noinline long port_draw_one(__u32 i, struct port_draw *d)
{
	__u32 k = d->k, set, place, *word;
	struct rr_port_line *line;
	struct conn *c = d->c;

	(void)i;
	if (k >= RR_EP_PORT_SETS)
		return 1;
	set = d->ep->port_set[k];
	d->k = k + 1 < d->ep->local_count ? k + 1 : 0;
	line = set ? port_line(set, 0) : NULL;
	if (!line)
		return 1;
	place = port_place(__sync_fetch_and_add(&line->word[RR_PORT_CURSOR], 1), d->seed, set);
	word = port_word(set, place);
	if (!word)
		return 0;
	c->local = d->ep->local_first + k;
	c->port = bpf_htons(rr_port_lo + place);
	d->found = port_fits(d, *(volatile __u32 *)word);
	return d->found;
}

/*
 * Draws until a port fits, which c->local and c->port then name; 0 = none did. The first address is
 * that of c->local.
 */
__noinline int port_draw(struct conn *c, __u32 want)
{
	const struct rr_endpoint *ep = c ? map_get(endpoints, c->endpoint) : NULL;
	const struct rr_control *ctl = map_get(control, 0);
	struct port_draw d = { .c = c, .ep = ep, .want = want };

	if (!c || !ep || !ctl)
		return 0;
	d.seed = c->seed;
	d.k = c->local - ep->local_first;
	d.time = rr_port_time(c->now, ctl->port_shift);
	d.rest = ctl->port_rest;
	if (!port_draw_one(0, &d))
		bpf_loop(PORT_DRAWS, port_draw_one, &d, 0);
	return d.found;
}

/* ---- choosing ---- */

static __always_inline enum rr_verdict port_take(const int af, struct conn *c,
						 const struct conn_port *p, __u32 worst)
{
	c->local = p->local;
	c->port = p->port;
	return port_attempt(af, c, worst);
}

/* The next rested one. More than one is drawn only if the flow table knows better than the word. */
static __always_inline enum rr_verdict port_rested(const int af, struct conn *c)
{
	enum rr_verdict v = RR_V_NO_PORT;

	for (__u32 i = 0; i < PORT_AGAIN; i++) {
		if (!port_draw(c, PORT_WANT_RESTED))
			break;
		v = port_attempt(af, c, SLOT_CLOSED);
		if (!v)
			break;
	}
	return v;
}

/*
 * One that is marked as in use and is not: its connection was evicted, or expired while no
 * controller was there. Meets the half-open flows on the way.
 */
static __always_inline enum rr_verdict port_doubted(const int af, struct conn *c)
{
	__u32 tries = c->resting.rank ? PORT_MARK_TRIES : PORT_TRIES;
	__u32 worst = c->resting.rank ? SLOT_EXPIRED : SLOT_CLOSED;

	if (!c->busy)
		return RR_V_NO_PORT;
	for (__u32 i = 0; i < PORT_TRIES; i++) {
		if (i >= tries || !port_draw(c, PORT_WANT_BUSY))
			break;
		if (!port_attempt(af, c, worst))
			return RR_V_GO;
	}
	return RR_V_NO_PORT;
}

static __always_inline enum rr_verdict port_by_age(const int af, struct conn *c)
{
	enum rr_verdict v = port_rested(af, c);

	if (!v || v == RR_V_TABLE_FULL)
		return v;
	v = port_doubted(af, c);
	if (v && c->resting.rank)
		v = port_take(af, c, &c->resting, SLOT_CLOSED);
	return v;
}

/* ---- without a set ---- */

/* Where the search for a local port starts: the same for guess and search. */
static __always_inline __u64 port_hash(const int af, const struct conn *c)
{
	return flow_hash(af, &c->key, c->seed ^ RR_HASH_M1);
}

static __always_inline __u16 port_number(__u64 h)
{
	return bpf_htons(rr_port_lo + (__u32)h % port_range());
}

static __always_inline __u32 port_local(const struct rr_endpoint *ep, __u64 h)
{
	return (ep->local_first + (__u32)(h >> 48) % ep->local_count) & (RR_MAX_LOCALS - 1);
}

/* PORT_TRIES ports of a pseudo-random walk through the range. */
static __always_inline enum rr_verdict port_by_hash(const int af, struct conn *c, __u64 h)
{
	enum rr_verdict v = RR_V_NO_PORT;

	for (__u32 i = 0; i < PORT_TRIES; i++) {
		c->port = port_number(h);
		v = port_attempt(af, c, i < PORT_CLOSED_TRY ? SLOT_FREE : SLOT_CLOSED);
		if (!v)
			return RR_V_GO;
		h = rr_mix(h + i + 1);
	}
	return v == RR_V_TABLE_FULL ? v : RR_V_NO_PORT;
}

/* ---- both ---- */

/* The port that a draw would give now, of one address of the endpoint; by hash without a set. */
static __always_inline __u16 port_guess(const struct conn *c, const struct rr_endpoint *ep, __u64 h,
					__u32 local)
{
	__u32 set = port_set(ep, local), place;
	struct rr_port_line *line;

	line = set ? port_line(set, 0) : NULL;
	if (!line)
		return port_number(h);
	place = port_place(*(volatile __u32 *)&line->word[RR_PORT_CURSOR], c->seed, set);
	line = port_line(set, 1 + place / RR_PORT_LINE);
	if (line)
		flow_touch_line(line);
	return bpf_htons(rr_port_lo + place);
}

/*
 * Starts the loads of the sets, the record and the word of the reverse entry, were it to endpoint
 * `id`.
 */
static __always_inline void port_warm(const int af, struct conn *c, __u32 id)
{
	const struct rr_endpoint *ep = map_get(endpoints, id);
	const struct rr_pair *pair;
	__u32 local;
	__u64 h;

	if (!ep || !ep->local_count)
		return;
	h = port_hash(af, c);
	local = port_local(ep, h);
	if (!port_key(af, &c->k, id, port_guess(c, ep, h, local), local))
		return;
	pair = pair_at(af, flow_warm(af, &c->k, c->seed));
	if (pair)
		flow_touch_line(pair);
}

/* A local port, and the reverse entry that holds it. */
static __always_inline enum rr_verdict port_assign(const int af, struct conn *c)
{
	const struct rr_endpoint *ep = map_get(endpoints, c->endpoint);
	__u64 h = port_hash(af, c);
	enum rr_verdict v;

	if (!ep || !ep->local_count)
		return RR_V_NO_PORT;
	c->hop = hop_learn(c->mac, c->ifindex, c->vlan);
	if (!c->hop)
		return RR_V_NO_HOP;
	c->local = port_local(ep, h);
	c->resting.rank = 0;
	c->half_open.rank = SLOT_KEEP;
	c->busy = 0;
	v = ep->port_set[0] ? port_by_age(af, c) : port_by_hash(af, c, h);
	if (v && c->half_open.rank != SLOT_KEEP)
		v = port_take(af, c, &c->half_open, SLOT_KEEP - 1);
	if (v)
		return v == RR_V_TABLE_FULL ? v : RR_V_NO_PORT;
	port_mark(c);
	return RR_V_GO;
}

#endif
