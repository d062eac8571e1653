/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_path.h - the packet path of rr_xdp.bpf.c with the flow step left open: floor and baseline of the bench are this
 * and a bench_find() and bench_open() of their own. Parse, address table, rewrite and counters are the product's headers.
 */
#ifndef BENCH_PATH_H
#define BENCH_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "rr_abi.h"
#include "rr_hash.h"
#include "rr_verdict.h"

#include "config.h"
#include "work.h"
#include "maps.h"
#include "pkt.h"
#include "parse.h"
#include "csum.h"
#include "service.h"
#include "flow.h"
#include "account.h"
#include "pick.h"
#include "conn.h"
#include "forward.h"

#include "bpf/bench_gen.h"

/*
 * The flow of a packet, from whichever place the program keeps it; a SYN without one makes it. `tag` as in a flow key.
 */
static __always_inline bool bench_find(const int af, const struct xdp_md *ctx,
				       const struct rr_control *c, const struct pkt *p, __u32 tag,
				       struct fsnap *s);

static __always_inline enum rr_verdict bench_client(const int af, struct xdp_md *ctx,
						    const struct rr_control *c, struct pkt *p)
{
	enum rr_verdict v = parse_check(p);
	struct fsnap s;

	if (v)
		return v;
	if (!bench_find(af, ctx, c, p, p->service, &s))
		return RR_V_UNKNOWN_DROP;
	if (RR_META_STATE(s.meta) != RR_FLOW_EST && !(tcp_flags(p->tcp) & TCPF_SYN))
		return RR_V_BAD_HANDSHAKE;
	p->endpoint = RR_META_EP(s.meta);
	return forward_client(af, ctx, p, RR_META_VIA(s.meta), s.port);
}

static __always_inline enum rr_verdict bench_server(const int af, struct xdp_md *ctx,
						    const struct rr_control *c, struct pkt *p,
						    __u32 local)
{
	enum rr_verdict v;
	struct fsnap r;

	if (!bench_find(af, ctx, c, p, RR_KEY_REV | local, &r))
		return RR_V_GO;
	v = parse_check(p);
	if (v)
		return v;
	p->service = r.service;
	p->endpoint = RR_META_EP(r.meta);
	if (RR_META_STATE(r.meta) != RR_FLOW_EST)
		return RR_V_BAD_HANDSHAKE;
	return forward_server(af, ctx, p, &r);
}

static __always_inline enum rr_verdict bench_af(const int af, struct xdp_md *ctx,
						const struct rr_control *c, struct pkt *p)
{
	enum rr_verdict v;
	__u32 local;

	if (!parse_again(af, p))
		return RR_V_NOT_OURS;
	local = service_local(c, p);
	if (local != SERVICE_NONE) {
		v = bench_server(af, ctx, c, p, local);
		if (v)
			return v;
	}
	p->service = service_find(c, p);
	if (p->service == SERVICE_NONE)
		return RR_V_NOT_OURS;
	return bench_client(af, ctx, c, p);
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
	__u32 bytes = end - data;
	struct pkt p;

	pkt_init(&p);
	return account(&p, bench_steps(ctx, &p, data, end), bytes);
}

#endif
