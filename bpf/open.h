/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * open.h - a new connection, in three steps. Claim: the forward slot is owned, so a SYN that
 * finds no room draws no ticket. Assign: a ticket names the endpoint, and where replies come
 * through us a local port is found and the reverse entry made. Publish: the forward entry becomes
 * visible, last of all (I5). A connection can be assigned again without its forward slot being
 * given up.
 */
#ifndef RR_BPF_OPEN_H
#define RR_BPF_OPEN_H

#include "account.h"
#include "base.h"
#include "conn.h"
#include "flow.h"
#include "judge.h"
#include "maps.h"
#include "pair.h"
#include "pick.h"
#include "port.h"
#include "rr_mode.h"
#include "rr_table.h"
#include "rr_verdict.h"

/*
 * Starts every memory access of a new connection at once: its own sets and, by the endpoint that
 * the next ticket names, the reverse entry's sets and record. Each would be a cache miss that
 * waits for the one before.
 */
static __always_inline void open_warm(const int af, struct conn *c, const struct rr_service *svc)
{
	__u32 slot = flow_warm(af, &c->key, c->seed);
	const struct rr_pair *pair;

	if (rr_mode_has(svc->mode, RR_MODE_HAS_REVERSE)) {
		port_warm(af, c, pick_guess(svc, c->service));
		return;
	}
	pair = pair_at(af, slot);
	if (pair)
		flow_touch_line(pair);
}

/* Endpoint and local port; the connection has its ticket, whatever comes of it. */
static __always_inline enum rr_verdict open_assign(const int af, struct conn *c,
						   const struct rr_service *svc)
{
	pick_endpoint(svc, c->service, &c->pick);
	c->endpoint = c->pick.endpoint;
	if (!c->endpoint)
		return RR_V_NO_ENDPOINT;
	c->two = pair_is_two(c->endpoint);
	return c->two ? port_assign(af, c) : RR_V_GO;
}

static __always_inline void open_publish(const int af, struct conn *c, struct rr_flow *f)
{
	f->seen = c->now;
	f->ack = judge_upper(c->seq + 1);
	f->port = c->port;
	f->slot = c->two ? c->rown.at : 0;
	f->hop = 0;
	f->pad = 0;
	if (!c->two)
		pair_write(af, c, &c->own);
	flow_publish(f, c->own.meta, RR_FLOW_SYN, c->endpoint, c->local);
	account_conns(c->service, c->endpoint);
}

static __always_inline enum rr_verdict open_flow(const int af, struct conn *c,
						 const struct rr_service *svc)
{
	enum rr_verdict v = pair_take(af, c, &c->key, &c->own);
	struct rr_flow *f;

	if (v)
		return v;
	f = flow_at(af, c->own.at);
	if (!f)
		return RR_V_TABLE_FULL;
	v = open_assign(af, c, svc);
	if (v)
		flow_release(f, c->own.meta);
	else
		open_publish(af, c, f);
	return v;
}

/* A connection that could not be opened is counted, and answered as the service says. */
static __always_inline enum rr_verdict open_conn(const int af, struct conn *c,
						 const struct rr_service *svc)
{
	enum rr_verdict v;

	/* A mode that rewrites would open a flow, and the packet would go no further. */
	if (c->last_ttl && rr_mode_has(svc->mode, RR_MODE_NEEDS_LOCAL))
		return RR_V_TTL;
	v = open_flow(af, c, svc);
	if (v)
		account_refused(c->service);
	if (v == RR_V_NO_ENDPOINT && svc->overflow == RR_OVERFLOW_RST)
		return RR_V_REFUSE;
	return v;
}

#endif
