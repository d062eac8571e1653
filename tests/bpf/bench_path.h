/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_path.h - the packet path of rr_xdp.bpf.c with the flow step left open: floor and baseline
 * of the bench are this and a bench_find() of their own. Parse, address table, rewrite and
 * counters are the product's headers.
 */
#ifndef BENCH_PATH_H
#define BENCH_PATH_H

#include "base.h"

#include "account.h"
#include "conn.h"
#include "flow.h"
#include "forward.h"
#include "hop.h"
#include "maps.h"
#include "parse/eth.h"
#include "pick.h"
#include "pkt.h"
#include "port.h"
#include "rr_pair.h"
#include "service.h"

#include "bpf/bench_gen.h"

/*
 * The flow of a packet, from whichever place the program keeps it; a SYN without one makes it.
 * `k` is its key in a flow table; p->service is set for a client's packet, and set here for a
 * reply.
 */
static __always_inline bool bench_find(const int af, const struct xdp_md *ctx,
				       const struct rr_control *c, struct pkt *p,
				       const struct rr_key *k, struct flow_seen *s);

static __always_inline void bench_key(const int af, const struct pkt *p, __u16 port, __u16 tag,
				      struct rr_key *k)
{
	rr_key_make(k, af, af, p->src.w0, p->src.w1, port, tag);
}

static __always_inline enum rr_verdict bench_client(const int af, struct xdp_md *ctx,
						    const struct rr_control *c, struct pkt *p,
						    __u64 row)
{
	enum rr_verdict v = parse_check(p);
	struct flow_seen s;
	struct rr_key k;

	if (v)
		return v;
	p->service = SERVICE_OF(row);
	bench_key(af, p, p->l4.sport, rr_tag_forward(SERVICE_ID(row), 0), &k);
	if (!bench_find(af, ctx, c, p, &k, &s))
		return RR_V_UNKNOWN_DROP;
	if (RR_META_STATE(s.h.meta) != RR_FLOW_EST && !(tcp_flags(pkt_tcp(p)) & TCPF_SYN))
		return RR_V_UNKNOWN_DROP;
	p->endpoint = RR_META_EP(s.h.meta);
	return forward_client(af, ctx, p, RR_META_VIA(s.h.meta), s.h.port);
}

static __always_inline enum rr_verdict bench_server(const int af, struct xdp_md *ctx,
						    const struct rr_control *c, struct pkt *p,
						    __u32 local)
{
	enum rr_verdict v;
	struct flow_seen r;
	struct rr_key k;

	bench_key(af, p, p->l4.dport, rr_tag_reverse(local, 0), &k);
	if (!bench_find(af, ctx, c, p, &k, &r))
		return RR_V_GO;
	v = parse_check(p);
	if (v)
		return v;
	p->endpoint = RR_META_EP(r.h.meta);
	if (RR_META_STATE(r.h.meta) != RR_FLOW_EST)
		return RR_V_UNKNOWN_DROP;
	return forward_server(af, ctx, p, &r);
}

static __always_inline enum rr_verdict bench_af(const int af, struct xdp_md *ctx,
						const struct rr_control *c, struct pkt *p)
{
	enum rr_verdict v;
	__u64 row;

	p->eth = pkt_data(ctx);
	p->end = pkt_end(ctx);
	if ((void *)(p->eth + 1) > p->end || !parse_again(af, p))
		return RR_V_NOT_OURS;
	if (service_local(af, c, p, &row)) {
		v = bench_server(af, ctx, c, p, SERVICE_ID(row));
		if (v)
			return v;
	}
	if (!service_find(af, c, p, &row))
		return RR_V_NOT_OURS;
	return bench_client(af, ctx, c, p, row);
}

static __always_inline enum rr_verdict bench_steps(struct xdp_md *ctx, struct pkt *p, void *data,
						   void *end)
{
	const struct rr_control *c = map_get(control, 0);
	enum rr_verdict v;

	if (!c || !c->enabled)
		return RR_V_DISABLED;
	v = parse(p, data, end);
	if (v)
		return v;
	return p->af == RR_AF_INET ? bench_af(RR_AF_INET, ctx, c, p)
				   : bench_af(RR_AF_INET6, ctx, c, p);
}

static __always_inline int bench_path(struct xdp_md *ctx)
{
	void *data = pkt_data(ctx), *end = pkt_end(ctx);
	struct pkt p;

	pkt_init(&p, end - data);
	return account(&p, bench_steps(ctx, &p, data, end));
}

#endif
