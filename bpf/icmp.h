/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * icmp.h - ICMP errors about connections of ours: a router or a peer speaks of a packet that we
 * have sent on, and whoever sent it to us must hear of it. The connection is found by the packet
 * that is quoted. A mode that rewrites packets rewrites the error back (RFC 5508 4.2): the quoted
 * packet becomes what its sender sent, and the error comes from the address that its sender knows,
 * since routers beyond mean nothing to it. Other modes hand it on.
 *
 * An error changes no state, whatever it says: anybody can send one, and the endpoints judge by the
 * sequence number that is quoted (RFC 5927). What fits no live connection is the host's. The
 * checksum is changed by difference, so a wrong one stays wrong, and the receiver drops it.
 */
#ifndef RR_BPF_ICMP_H
#define RR_BPF_ICMP_H

#include <linux/in.h>

#include "base.h"
#include "config.h"
#include "conn.h"
#include "csum.h"
#include "flow.h"
#include "forward.h"
#include "maps.h"
#include "pair.h"
#include "parse/icmp.h"
#include "pkt.h"
#include "rr_mode.h"
#include "rr_pair.h"
#include "rr_table.h"
#include "rr_verdict.h"
#include "service.h"

#define ICMP_ACTION_SHIFT 8 /* the XDP action above the verdict, in what icmp_error4() returns */

/* Where an error goes, and what the quoted packet was before we rewrote it. */
struct icmp_to {
	__u64 hop; /* 0 = nowhere */
	struct pkt_addr src, dst; /* of the quoted packet */
	__u16 sport, dport;
	__u8 rewrite;
	__u8 pad[3];
};

/* Working memory of one error. */
struct icmp_work {
	struct icmp i;
	struct icmp_to to;
};

/* key 0; value: this CPU's ICMP error. writer, reader: path */
RR_PERCPU(icmp_scratch, struct icmp_work, 1);

static __always_inline struct pkt_addr icmp_words(const int af, const void *addr)
{
	const __u64 *w = addr;
	struct pkt_addr a = { w[0], w[1] };

	if (af == RR_AF_INET)
		a = (struct pkt_addr){ *(const __u32 *)addr, 0 };
	return a;
}

/* The quoted packet went to an endpoint: its client is told. */
static __always_inline bool icmp_to_client(const int af, const struct rr_control *c,
					   struct conn *conn, struct icmp_work *w)
{
	struct pkt_addr local = icmp_src(af, &w->i.inner), peer = icmp_dst(af, &w->i.inner);
	__u16 port = bpf_ntohs(w->i.tcp.source);
	const struct rr_listener *l;
	const __u64 *hop;
	__u64 row;

	if (port < rr_port_lo || port > rr_port_hi ||
	    !service_lookup(af, c, &local, RR_VIP_KIND(0, IPPROTO_TCP, af, RR_VIP_LOCAL), &row))
		return false;
	rr_key_make(&conn->key, af, af, peer.w0, peer.w1, w->i.tcp.source,
		    rr_tag_reverse(SERVICE_ID(row), 0));
	if (!flow_look(af, &conn->key, conn->seed, &conn->r) || !pair_forward(af, conn))
		return false;
	l = map_get(listeners, conn->r.h.listener);
	hop = map_get(hops, RR_META_VIA(conn->r.h.meta));
	if (!l || !hop)
		return false;
	conn->endpoint = RR_META_EP(conn->r.h.meta);
	w->to.hop = *hop;
	w->to.src = icmp_words(af, conn->r.h.peer);
	w->to.dst = icmp_words(af, &l->addr);
	w->to.sport = conn->r.h.port;
	w->to.dport = l->port;
	w->to.rewrite = 1;
	return true;
}

/* The quoted packet went to a client: the endpoint is told. */
static __always_inline bool icmp_to_endpoint(const int af, const struct rr_control *c,
					     struct conn *conn, struct icmp_work *w)
{
	struct pkt_addr vip = icmp_src(af, &w->i.inner), client = icmp_dst(af, &w->i.inner);
	__u64 kind = RR_VIP_KIND(w->i.tcp.source, IPPROTO_TCP, af, RR_VIP_LISTENER), row;
	const struct rr_endpoint *ep;
	const struct rr_local *l;

	if (!service_lookup(af, c, &vip, kind, &row))
		return false;
	rr_key_make(&conn->key, af, af, client.w0, client.w1, w->i.tcp.dest,
		    rr_tag_forward(SERVICE_ID(row), 0));
	if (!flow_look(af, &conn->key, conn->seed, &conn->s))
		return false;
	conn->endpoint = RR_META_EP(conn->s.h.meta);
	conn->two = pair_is_two(conn->endpoint);
	ep = map_get(endpoints, conn->endpoint);
	l = map_get(locals, RR_META_VIA(conn->s.h.meta));
	if (pair_is_broken(af, conn) || !ep || !l)
		return false;
	w->to.hop = ep->hop;
	w->to.src = icmp_words(af, &ep->addr);
	w->to.dst = icmp_words(af, &l->addr);
	w->to.sport = ep->port;
	w->to.dport = conn->s.h.port;
	w->to.rewrite = rr_mode_has(ep->mode, RR_MODE_NEEDS_LOCAL);
	return true;
}

/* Is the quoted packet one of a live connection, from and to the ends that it had on that side? */
static __always_inline bool icmp_find(const int af, const struct rr_control *c, struct conn *conn,
				      struct icmp_work *w)
{
	struct pkt_addr src = icmp_src(af, &w->i.inner), dst = icmp_dst(af, &w->i.outer);
	const struct rr_endpoint *ep;

	if (src.w0 != dst.w0 || src.w1 != dst.w1) /* an error goes to whoever sent the packet */
		return false;
	conn->seed = c->hash_seed;
	if (icmp_to_client(af, c, conn, w)) {
		ep = map_get(endpoints, conn->endpoint);
		if (!ep || ep->port != w->i.tcp.dest)
			return false;
	} else if (!icmp_to_endpoint(af, c, conn, w)) {
		return false;
	}
	return RR_META_STATE(conn->s.h.meta) < RR_FLOW_KILLED;
}

static __always_inline __u64 icmp_swap16(__u16 *at, __u16 is)
{
	__u16 was = *at;

	*at = is;
	return (__u64)(__u16)~was + is;
}

/* Addresses of an IP header: returns their difference. */
static __always_inline __u64 icmp_swap(const int af, union icmp_ip *ip, const struct pkt_addr *src,
				       const struct pkt_addr *dst)
{
	__u64 diff;

	if (af == RR_AF_INET) {
		diff = csum_swap32(ip->v4.saddr, src->w0) + csum_swap32(ip->v4.daddr, dst->w0);
		ip->v4.saddr = src->w0;
		ip->v4.daddr = dst->w0;
		return diff;
	}
	diff = csum_swap64(ip->words[1], src->w0) + csum_swap64(ip->words[2], src->w1) +
	       csum_swap64(ip->words[3], dst->w0) + csum_swap64(ip->words[4], dst->w1);
	ip->words[1] = src->w0;
	ip->words[2] = src->w1;
	ip->words[3] = dst->w0;
	ip->words[4] = dst->w1;
	return diff;
}

/* The quoted packet as its sender sent it; returns what that changes in the sum of the error. */
static __always_inline __u64 icmp_rewrite_inner(const int af, struct icmp *i,
						const struct icmp_to *to)
{
	__u64 addrs = icmp_swap(af, &i->inner, &to->src, &to->dst), ports, sum = addrs;

	if (af == RR_AF_INET)
		sum += icmp_swap16(&i->inner.v4.check, csum_apply(i->inner.v4.check, addrs));
	ports = icmp_swap16(&i->tcp.source, to->sport) + icmp_swap16(&i->tcp.dest, to->dport);
	if (i->summed)
		sum += icmp_swap16(&i->tcp.check, csum_apply(i->tcp.check, addrs + ports));
	return sum + ports;
}

/* The error as its receiver expects it, a hop further. In IPv6 its sum covers its addresses. */
static __always_inline void icmp_rewrite(const int af, struct icmp *i, const struct icmp_to *to)
{
	__u64 sum = icmp_rewrite_inner(af, i, to);
	__u64 outer = icmp_swap(af, &i->outer, &to->dst, &to->src);
	__u16 *ttl = (__u16 *)&i->outer.v4.ttl; /* TTL is the low byte of its word */

	if (af == RR_AF_INET) {
		outer += icmp_swap16(ttl, *ttl - 1);
		i->outer.v4.check = csum_apply(i->outer.v4.check, outer);
	} else {
		i->outer.v6.hop_limit--;
		sum += outer;
	}
	i->head.checksum = csum_apply(i->head.checksum, sum);
}

static __always_inline bool icmp_store(const int af, struct xdp_md *ctx, struct icmp *i)
{
	return !bpf_xdp_store_bytes(ctx, i->l3, &i->outer, icmp_ip_len(af)) &&
	       !bpf_xdp_store_bytes(ctx, i->l4, &i->head, ICMP_HEAD) &&
	       !bpf_xdp_store_bytes(ctx, i->quote, &i->inner, icmp_ip_len(af)) &&
	       !(i->summed ? bpf_xdp_store_bytes(ctx, i->ports, &i->tcp, ICMP_SUMMED)
			   : bpf_xdp_store_bytes(ctx, i->ports, &i->tcp, ICMP_PORTS));
}

/* Sends the frame, whose IP header is at `l3`, by `hop`: verdict and, above it, the action. */
static __always_inline int icmp_send(struct xdp_md *ctx, __u32 l3, __u16 vlan, __u64 hop)
{
	struct pkt p;
	int v;

	p.eth = pkt_data(ctx);
	if ((void *)(p.eth + 1) > pkt_end(ctx))
		return RR_V_NOT_OURS;
	p.l3 = (void *)p.eth + (l3 & PARSE_L3_MASK);
	p.vlan = vlan;
	p.action = 0;
	v = forward_send(ctx, &p, hop, RR_V_ICMP_ERROR);
	return v | p.action << ICMP_ACTION_SHIFT;
}

static __always_inline int icmp_error(const int af, struct xdp_md *ctx, __u32 l3, __u16 vlan)
{
	const struct rr_control *c = map_get(control, 0);
	struct icmp_work *w = map_get(icmp_scratch, 0);
	struct conn *conn = map_get(scratch, 0);

	if (!c || !w || !conn)
		return RR_V_NOT_OURS;
	w->i.l3 = l3;
	if (!icmp_parse(af, ctx, &w->i) || !icmp_find(af, c, conn, w))
		return RR_V_NOT_OURS;
	if (w->to.rewrite) {
		if ((af == RR_AF_INET ? w->i.outer.v4.ttl : w->i.outer.v6.hop_limit) <= 1)
			return RR_V_TTL;
		icmp_rewrite(af, &w->i, &w->to);
		if (!icmp_store(af, ctx, &w->i))
			return RR_V_TX_FAILED;
	}
	return icmp_send(ctx, l3, vlan, w->to.hop);
}

/* Global, for the verifier. `l3` = bytes before the IP header, `vlan` = id in the outer tag. */
__noinline int icmp_error4(struct xdp_md *ctx, __u32 l3, __u32 vlan)
{
	return icmp_error(RR_AF_INET, ctx, l3, vlan);
}

__noinline int icmp_error6(struct xdp_md *ctx, __u32 l3, __u32 vlan)
{
	return icmp_error(RR_AF_INET6, ctx, l3, vlan);
}

#endif
