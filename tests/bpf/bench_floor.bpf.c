/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_floor.bpf.c - the floor: the packet path without a flow lookup. Endpoint, port and client are taken from the hash
 * of the flow's key, so parse, address table, rewrite and counters cost what they cost in the product.
 */
#include "bpf/bench_path.h"

static __always_inline bool bench_find(const int af, const struct xdp_md *ctx,
				       const struct rr_control *c, const struct pkt *p, __u32 tag,
				       struct fsnap *s)
{
	bool rev = tag & RR_KEY_REV;
	__u32 service = rev ? (af == RR_AF_INET ? BENCH_NAT4 : BENCH_NAT6) : tag;
	struct fkey k = {
		.key = RR_KEY4(af == RR_AF_INET ? p->src.w0 : 0, rev ? p->dport : p->sport, tag),
		.a0 = p->src.w0,
		.a1 = p->src.w1,
	};
	__u64 h = flow_hash(af, &k, c->hash_seed);
	__u32 via = rev ? 1 : af == RR_AF_INET ? 0 : BENCH_LOCALS;

	(void)ctx;
	s->meta = RR_META_MAKE(0, RR_FLOW_EST, 0, bench_endpoint(service, h), via);
	s->port = service == BENCH_DSR4 ? 0 : (h >> 32) | 1;
	s->service = service;
	s->peer0 = h;
	s->peer1 = h;
	return true;
}

SEC("xdp")
int bench_floor(struct xdp_md *ctx)
{
	return bench_path(ctx);
}

char _license[] SEC("license") = "Dual BSD/GPL";
