/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rr_xdp.bpf.c - the packet path on one screen: parse, service, flow, pick, forward, account.
 *
 * Each step is a header of its own and returns a verdict (RR_V_GO = next step). An established packet takes the
 * fast path: one bucket of the address table, one flow entry, rewrite, send. Everything that changes a flow
 * (SYN, FIN, RST, half-open, closing) goes through conn.h first and joins the same forward step. Nothing is
 * judged before it is known to be ours: what is not, passes untouched.
 */
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
#include "reset.h"

#define PATH_SLOW_FLAGS (TCPF_SYN | TCPF_FIN | TCPF_RST)
#define PATH_REST_SECONDS 15

/* What the slow path needs to know of the packet, in this CPU's working memory. */
static __always_inline struct conn *path_conn(struct xdp_md *ctx, const struct rr_control *c,
					      const struct pkt *p, const struct fkey *k)
{
	const __u16 *mac = (const __u16 *)p->eth->h_source;
	struct conn *out = map_get(scratch, 0);

	if (!out)
		return NULL;
	out->key = *k;
	out->seed = c->hash_seed;
	out->mac = mac[0] | ((__u64)mac[1] << 16) | ((__u64)mac[2] << 32);
	out->ifindex = ctx->ingress_ifindex;
	out->vlan = p->vlan;
	out->now = bpf_jiffies64();
	out->seq = bpf_ntohl(p->tcp->seq);
	out->ack = bpf_ntohl(p->tcp->ack_seq);
	out->data = p->l3_len - p->l4_off - p->tcp->doff * 4;
	out->flags = tcp_flags(p->tcp);
	out->service = p->service;
	out->client_port = p->sport;
	out->endpoint = 0;
	out->local = 0;
	out->port = 0;
	return out;
}

static __always_inline void path_key(const int af, const struct pkt *p, __u16 port, __u32 tag,
				     struct fkey *k)
{
	k->key = RR_KEY4(af == RR_AF_INET ? p->src.w0 : 0, port, tag);
	k->a0 = p->src.w0;
	k->a1 = p->src.w1;
}

static __always_inline bool path_may_be_fast(const struct pkt *p)
{
	return !(tcp_flags(p->tcp) & PATH_SLOW_FLAGS);
}

/*
 * An entry that has rested may have lost its partner: an expired one can be evicted, and its port given away. So the first
 * packet after a rest takes the slow path, which looks at both. The least idle timeout is twice as long.
 */
static __always_inline bool path_is_fresh(const struct rr_control *c, const struct fsnap *s,
					  __u32 now)
{
	return (__s32)(now - s->seen) < (__s32)(c->hz * PATH_REST_SECONDS);
}

/* A packet of a client to service p->service. */
static __always_inline enum rr_verdict path_client(const int af, struct xdp_md *ctx,
						   const struct rr_control *c, struct pkt *p)
{
	enum rr_verdict v = parse_check(p);
	struct rr_flow *f;
	struct conn *conn;
	struct fsnap s;
	struct fkey k;
	__u32 now;

	if (v)
		return v;
	path_key(af, p, p->sport, p->service, &k);
	if (path_may_be_fast(p)) {
		now = bpf_jiffies64();
		f = flow_find(af, &k, c->hash_seed, &s);
		if (f && RR_META_STATE(s.meta) == RR_FLOW_EST && path_is_fresh(c, &s, now)) {
			flow_touch(f, s.seen, now);
			p->endpoint = RR_META_EP(s.meta);
			return forward_client(af, ctx, p, RR_META_VIA(s.meta), s.port);
		}
	}
	conn = path_conn(ctx, c, p, &k);
	if (!conn)
		return RR_V_TABLE_FULL;
	conn->last_ttl = !forward_ttl(af, p);
	v = af == RR_AF_INET ? conn_client4(conn) : conn_client6(conn);
	if (v)
		return v;
	p->endpoint = conn->endpoint;
	return forward_client(af, ctx, p, conn->local, conn->port);
}

/* A packet to local address `local`: GO when it is no reply of an endpoint. */
static __always_inline enum rr_verdict path_server(const int af, struct xdp_md *ctx,
						   const struct rr_control *c, struct pkt *p,
						   __u32 local)
{
	struct rr_flow *f;
	struct conn *conn;
	enum rr_verdict v;
	struct fsnap r;
	struct fkey k;
	__u32 now;

	path_key(af, p, p->dport, RR_KEY_REV | local, &k);
	f = flow_find(af, &k, c->hash_seed, &r);
	if (!f || r.eport != p->sport)
		return RR_V_GO;
	v = parse_check(p);
	if (v)
		return v;
	p->service = r.service;
	p->endpoint = RR_META_EP(r.meta);
	now = bpf_jiffies64();
	if (path_may_be_fast(p) && RR_META_STATE(r.meta) == RR_FLOW_EST &&
	    path_is_fresh(c, &r, now)) {
		flow_touch(f, r.seen, now);
		return forward_server(af, ctx, p, &r);
	}
	conn = path_conn(ctx, c, p, &k);
	if (!conn)
		return RR_V_TABLE_FULL;
	v = af == RR_AF_INET ? conn_server4(conn) : conn_server6(conn);
	return v ? v : forward_server(af, ctx, p, &r);
}

static __always_inline enum rr_verdict path_ours(const int af, struct xdp_md *ctx,
						 const struct rr_control *c, struct pkt *p)
{
	enum rr_verdict v;
	__u32 local;

	if (!parse_again(af, p))
		return RR_V_NOT_OURS;
	local = service_local(c, p);
	if (local != SERVICE_NONE) {
		v = path_server(af, ctx, c, p, local);
		if (v)
			return v;
	}
	p->service = service_find(c, p);
	if (p->service == SERVICE_NONE)
		return RR_V_NOT_OURS;
	return path_client(af, ctx, c, p);
}

static __always_inline enum rr_verdict path_af(const int af, struct xdp_md *ctx,
					       const struct rr_control *c, struct pkt *p)
{
	enum rr_verdict v = path_ours(af, ctx, c, p);

	return v == RR_V_RESET || v == RR_V_REFUSE ? reset_send(af, ctx, c, p, v) : v;
}

static __always_inline enum rr_verdict path(struct xdp_md *ctx, struct pkt *p, void *data,
					    void *end)
{
	const struct rr_control *c = map_get(control, 0);
	enum rr_verdict v;

	if (!c || !c->enabled)
		return RR_V_DISABLED;
	v = parse(p, data, end);
	if (v)
		return v;
	return p->af == RR_AF_INET ? path_af(RR_AF_INET, ctx, c, p)
				   : path_af(RR_AF_INET6, ctx, c, p);
}

SEC("xdp")
int rr_xdp(struct xdp_md *ctx)
{
	void *data = pkt_data(ctx), *end = pkt_end(ctx);
	__u32 bytes = end - data;
	struct pkt p;

	pkt_init(&p);
	return account(&p, path(ctx, &p, data, end), bytes);
}

char _license[] SEC("license") = "Dual BSD/GPL";
