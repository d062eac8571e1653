/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_lru.bpf.c - the baseline: the packet path over a BPF_MAP_TYPE_LRU_HASH with the
 * five-tuple as a 40-byte key, as balancers with native XDP keep their flows. A nat connection is
 * two entries, forward and reverse; the map evicts by itself.
 */
#include <linux/in.h>

#include "bpf/bench_path.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 20); /* set by the bench to the number of entries of flows4 */
	__type(key, struct bench_lru_key);
	__type(value, struct bench_lru_value);
} lru SEC(".maps");

/* A free local port of the endpoint, by inserting the reverse entry. */
static __always_inline bool bench_reverse(const struct rr_endpoint *ep, __u32 local, __u64 h,
					  struct bench_lru_value *v)
{
	const struct rr_local *l = map_get(locals, local);
	__u32 range = (__u32)rr_port_hi - rr_port_lo + 1;
	struct bench_lru_key k = { .sport = ep->port, .proto = IPPROTO_TCP };

	if (!l)
		return false;
	k.src[0] = *(const __u64 *)&ep->addr.a[0];
	k.src[1] = *(const __u64 *)&ep->addr.a[8];
	k.dst[0] = *(const __u64 *)&l->addr.a[0];
	k.dst[1] = *(const __u64 *)&l->addr.a[8];
	for (int i = 0; i < PORT_TRIES; i++) {
		k.dport = bpf_htons(rr_port_lo + (__u32)h % range);
		if (!bpf_map_update_elem(&lru, &k, v, BPF_NOEXIST)) {
			v->port = k.dport;
			return true;
		}
		h = rr_mix(h + i + 1);
	}
	return false;
}

static __always_inline struct bench_lru_key lru_key(const struct pkt *p)
{
	struct bench_lru_key k = {
		.src = { p->src.w0, p->src.w1 },
		.dst = { p->dst.w0, p->dst.w1 },
		.sport = p->l4.sport,
		.dport = p->l4.dport,
		.proto = IPPROTO_TCP,
	};

	return k;
}

/* The reverse entry of a new connection, and its local port in `v`. */
static __always_inline bool open_nat(const struct xdp_md *ctx, const struct rr_control *c,
				     const struct pkt *p, __u32 endpoint, __u32 *local,
				     struct bench_lru_value *v)
{
	const struct rr_endpoint *ep = map_get(endpoints, endpoint);
	const __u16 *mac = (const __u16 *)p->eth->h_source;
	int hop = hop_learn(mac[0] | (__u64)mac[1] << 16 | (__u64)mac[2] << 32,
			    ctx->ingress_ifindex, p->vlan);
	__u64 h = rr_hash6(p->l4.sport, p->src.w0, p->src.w1, c->hash_seed);

	if (!ep)
		return false;
	*local = ep->local_first + (__u32)(h >> 48) % (ep->local_count ? ep->local_count : 1);
	v->meta = RR_META_MAKE(0, RR_FLOW_SYN, 0, endpoint, hop);
	v->port = p->l4.sport;
	v->peer[0] = p->src.w0;
	v->peer[1] = p->src.w1;
	return bench_reverse(ep, *local, h, v);
}

static __always_inline bool open_lru(const struct xdp_md *ctx, const struct rr_control *c,
				     const struct pkt *p, __u32 listener, struct flow_seen *s)
{
	const struct rr_service *svc = map_get(services, p->service);
	struct bench_lru_value v = { .seen = bpf_jiffies64(), .listener = listener };
	struct bench_lru_key k = lru_key(p);
	struct pick pick = {};
	__u32 local = 0;

	if (!svc)
		return false;
	pick_endpoint(svc, p->service, &pick);
	if (!pick.endpoint)
		return false;
	if (svc->mode == RR_MODE_NAT && !open_nat(ctx, c, p, pick.endpoint, &local, &v))
		return false;
	v.meta = RR_META_MAKE(0, RR_FLOW_SYN, 0, pick.endpoint, local);
	v.peer[0] = 0;
	v.peer[1] = 0;
	if (bpf_map_update_elem(&lru, &k, &v, BPF_NOEXIST))
		return false;
	account_conns(p->service, pick.endpoint);
	s->h.meta = v.meta;
	s->h.port = v.port;
	return true;
}

static __always_inline bool bench_find(const int af, const struct xdp_md *ctx,
				       const struct rr_control *c, struct pkt *p,
				       const struct rr_key *key, struct flow_seen *s)
{
	__u16 tag = RR_KEY_TAG(key->key);
	struct bench_lru_key k = lru_key(p);
	struct bench_lru_value *f = bpf_map_lookup_elem(&lru, &k);
	__u32 now;

	(void)af;
	if (!f)
		return !(tag & RR_TAG_REV) && (tcp_flags(pkt_tcp(p)) & TCPF_SYN) &&
		       open_lru(ctx, c, p, RR_TAG_LISTENER(tag), s);
	now = bpf_jiffies64();
	if (f->seen != now)
		f->seen = now;
	s->h.meta = f->meta;
	s->h.port = f->port;
	s->h.listener = f->listener;
	s->h.peer[0] = f->peer[0];
	s->h.peer[1] = f->peer[1];
	return true;
}

SEC("xdp")
int bench_lru(struct xdp_md *ctx)
{
	return bench_path(ctx);
}

char _license[] SEC("license") = "Dual BSD/GPL";
