/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_floor.bpf.c - the floor: the packet path without a flow lookup. Endpoint, port and client
 * are taken from the hash of the flow's key, so parse, address table, rewrite and counters cost
 * what they cost in the product.
 */
#include "bpf/bench_path.h"

static __always_inline bool bench_find(const int af, const struct xdp_md *ctx,
				       const struct rr_control *c, struct pkt *p,
				       const struct rr_key *k, struct flow_seen *s)
{
	bool rev = RR_KEY_TAG(k->key) & RR_TAG_REV;
	__u32 service = !rev ? p->service : af == RR_AF_INET ? BENCH_NAT4 : BENCH_NAT6;
	__u64 h = flow_hash(af, k, c->hash_seed);
	__u32 via = rev ? 1 : af == RR_AF_INET ? 0 : BENCH_LOCALS;

	(void)ctx;
	s->h.meta = RR_META_MAKE(0, RR_FLOW_EST, 0, bench_endpoint(service, h), via);
	s->h.port = h >> 32;
	s->h.listener = bench_listener(service);
	s->h.peer[0] = h;
	s->h.peer[1] = h;
	return true;
}

SEC("xdp")
int bench_floor(struct xdp_md *ctx)
{
	return bench_path(ctx);
}

char _license[] SEC("license") = "Dual BSD/GPL";
