/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nat.h - mode nat: source and destination are rewritten, by difference in both checksums, and a
 * hop is taken off the TTL.
 */
#ifndef RR_BPF_FORWARD_NAT_H
#define RR_BPF_FORWARD_NAT_H

#include <linux/ip.h>
#include <linux/ipv6.h>

#include "base.h"
#include "csum.h"
#include "flow.h"
#include "maps.h"
#include "pkt.h"
#include "rr_table.h"
#include "rr_verdict.h"

/* The TTL that routing costs. It is the caller's last check before the packet is written. */
static __always_inline bool nat_ttl(const int af, const struct pkt *p)
{
	if (af == RR_AF_INET)
		return ((struct iphdr *)p->l3)->ttl > 1;
	return ((struct ipv6hdr *)p->l3)->hop_limit > 1;
}

static __always_inline void nat_ports(struct pkt *p, __u64 diff, __u16 sport, __u16 dport)
{
	__u32 *ports = p->l4.head, is = sport | ((__u32)dport << 16);

	diff += csum_swap32(*ports, is);
	*ports = is;
	pkt_tcp(p)->check = csum_apply(pkt_tcp(p)->check, diff);
}

/* New addresses and ports, TTL - 1, both checksums by difference. */
static __always_inline void nat_rewrite4(struct pkt *p, __u32 saddr, __u32 daddr, __u16 sport,
					 __u16 dport)
{
	struct iphdr *ip = p->l3;
	__u64 diff = csum_swap32(ip->saddr, saddr) + csum_swap32(ip->daddr, daddr);
	__u16 *ttl = (__u16 *)&ip->ttl, was = *ttl; /* TTL is the low byte of its word */

	*ttl = was - 1;
	ip->check = csum_apply(ip->check, diff + (__u16)~was + (__u16)(was - 1));
	ip->saddr = saddr;
	ip->daddr = daddr;
	nat_ports(p, diff, sport, dport);
}

static __always_inline void nat_rewrite6(struct pkt *p, const __u64 *saddr, const __u64 *daddr,
					 __u16 sport, __u16 dport)
{
	struct ipv6hdr *ip = p->l3;
	__u64 *a = (__u64 *)&ip->saddr, diff = 0;

	diff += csum_swap64(a[0], saddr[0]) + csum_swap64(a[1], saddr[1]);
	diff += csum_swap64(a[2], daddr[0]) + csum_swap64(a[3], daddr[1]);
	a[0] = saddr[0];
	a[1] = saddr[1];
	a[2] = daddr[0];
	a[3] = daddr[1];
	ip->hop_limit--;
	nat_ports(p, diff, sport, dport);
}

/* Client to endpoint: local address and port as source, the endpoint as destination. */
static __always_inline enum rr_verdict nat_client(const int af, struct pkt *p,
						  const struct rr_endpoint *ep, __u32 local,
						  __u16 port)
{
	const struct rr_local *l = map_get(locals, local);

	if (!l)
		return RR_V_NO_HOP;
	if (!nat_ttl(af, p))
		return RR_V_TTL;
	if (af == RR_AF_INET)
		nat_rewrite4(p, *(const __u32 *)&l->addr, *(const __u32 *)&ep->addr, port,
			     ep->port);
	else
		nat_rewrite6(p, (const __u64 *)&l->addr, (const __u64 *)&ep->addr, port, ep->port);
	return RR_V_GO;
}

/* Endpoint to client: what the client's SYN was sent to as source, its own end as destination. */
static __always_inline enum rr_verdict nat_server(const int af, struct pkt *p,
						  const struct rr_listener *l,
						  const struct flow_seen *r)
{
	if (!nat_ttl(af, p))
		return RR_V_TTL;
	if (af == RR_AF_INET)
		nat_rewrite4(p, *(const __u32 *)&l->addr, r->h.peer[0], l->port, r->h.port);
	else
		nat_rewrite6(p, (const __u64 *)&l->addr, r->h.peer, l->port, r->h.port);
	return RR_V_GO;
}

#endif
