/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * account.h - counters, and the only exit: account() counts a verdict and turns it into an XDP
 * action. Every packet leaves through it, so none is uncounted.
 */
#ifndef RR_BPF_ACCOUNT_H
#define RR_BPF_ACCOUNT_H

#include "base.h"
#include "maps.h"
#include "pkt.h"
#include "rr_count.h"
#include "rr_verdict.h"

enum account_class { ACCOUNT_PASS = XDP_PASS, ACCOUNT_DROP = XDP_DROP, ACCOUNT_SEND = 100 };

/* Class of a verdict, from its row; folded to a few compares. */
static __always_inline enum account_class account_class(enum rr_verdict v)
{
	switch (v) {
#define ACCOUNT_CASE(id, name, class, help) \
	case RR_V_##id: \
		return ACCOUNT_##class;
		RR_VERDICTS(ACCOUNT_CASE)
#undef ACCOUNT_CASE
	default:
		return ACCOUNT_DROP;
	}
}

/* A packet that went through: per endpoint and per service. */
static __always_inline void account_flow(const struct pkt *p, enum rr_dir dir)
{
	struct rr_stats *ep = map_get(ep_stats, p->endpoint);
	struct rr_stats *svc = map_get(svc_stats, p->service);

	if (!ep || !svc)
		return;
	ep->packets[dir]++;
	ep->bytes[dir] += p->bytes;
	svc->packets[dir]++;
	svc->bytes[dir] += p->bytes;
}

#define ACCOUNT_COUNTER(name) \
	static __always_inline void account_##name(__u32 service, __u32 endpoint) \
	{ \
		struct rr_stats *ep = map_get(ep_stats, endpoint); \
		struct rr_stats *svc = map_get(svc_stats, service); \
\
		if (ep) \
			ep->name++; \
		if (svc) \
			svc->name++; \
	}
ACCOUNT_COUNTER(conns)
ACCOUNT_COUNTER(established)
ACCOUNT_COUNTER(closed)
ACCOUNT_COUNTER(reopened)
ACCOUNT_COUNTER(reused)
#undef ACCOUNT_COUNTER

static __always_inline void account_refused(__u32 service)
{
	struct rr_stats *svc = map_get(svc_stats, service);

	if (svc)
		svc->refused++;
}

static __always_inline int account(const struct pkt *p, enum rr_verdict v)
{
	enum account_class class = account_class(v);
	__u64 *n = map_get(verdicts, v);

	if (n)
		(*n)++;
	if (class != ACCOUNT_SEND)
		return class;
	if (v == RR_V_FORWARD)
		account_flow(p, RR_DIR_FWD);
	else if (v == RR_V_REPLY)
		account_flow(p, RR_DIR_REV);
	return p->action;
}

#endif
