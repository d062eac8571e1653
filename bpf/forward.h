/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * forward.h - rewrite and send. A mode is a row of forward_client() and a function; an egress is a hop word
 * (interface slot, VLAN and MAC): the outer VLAN tag stays, changes, comes or goes as the hop says.
 */
#ifndef RR_FORWARD_H
#define RR_FORWARD_H

#define FORWARD_TAG_LEN 4

/* Ethernet addresses as words: what moves when a tag comes or goes. */
struct forward_macs {
	__u32 w[3];
};

static __always_inline __u32 forward_tags(const struct pkt *p)
{
	__u32 l3_off = p->l3 - (void *)p->eth;

	return (l3_off - sizeof(struct ethhdr)) / FORWARD_TAG_LEN;
}

/*
 * The frame leaves in another VLAN than it came in: rewrites, adds or removes its tag. A hop names one VLAN, so a
 * frame with two tags cannot change its. Packet pointers are void afterwards.
 */
static __always_inline bool forward_retag(struct xdp_md *ctx, __u32 tags, __u16 vlan)
{
	int move = !vlan ? FORWARD_TAG_LEN : !tags ? -FORWARD_TAG_LEN : 0;
	struct forward_macs *macs = pkt_data(ctx), keep;
	__be16 *tag;

	if (tags > 1 || (void *)(macs + 1) > pkt_end(ctx))
		return false;
	keep = *macs;
	if (move && bpf_xdp_adjust_head(ctx, move))
		return false;
	macs = pkt_data(ctx);
	tag = (__be16 *)(macs + 1);
	if ((void *)(tag + 2) > pkt_end(ctx))
		return false;
	*macs = keep;
	if (!vlan)
		return true;
	if (!tags)
		tag[0] = bpf_htons(ETH_P_8021Q);
	tag[1] = (tags ? tag[1] & bpf_htons(0xf000) : 0) | bpf_htons(vlan);
	return true;
}

/*
 * Ethernet addresses and the way out: XDP_TX on the interface it came in by, redirect otherwise. `fate` is the
 * verdict of a frame that goes.
 */
static __always_inline enum rr_verdict forward_send(struct xdp_md *ctx, struct pkt *p, __u64 hop,
						    enum rr_verdict fate)
{
	__u32 slot = RR_HOP_SLOT(hop);
	const struct rr_iface *iface = map_get(ifaces, slot);
	__u16 *dst = (__u16 *)p->eth->h_dest, *src = (__u16 *)p->eth->h_source;

	if (!hop || !iface || !iface->ifindex)
		return RR_V_NO_HOP;
	dst[0] = hop;
	dst[1] = hop >> 16;
	dst[2] = hop >> 32;
	src[0] = *(const __u16 *)&iface->mac[0];
	src[1] = *(const __u16 *)&iface->mac[2];
	src[2] = *(const __u16 *)&iface->mac[4];
	if (RR_HOP_VLAN(hop) != p->vlan && !forward_retag(ctx, forward_tags(p), RR_HOP_VLAN(hop)))
		return RR_V_TX_FAILED;
	p->action = XDP_TX;
	if (iface->ifindex != ctx->ingress_ifindex)
		p->action = bpf_redirect_map(&tx_ports, slot, 0);
	return p->action == XDP_ABORTED ? RR_V_TX_FAILED : fate;
}

/* The TTL that routing costs. It is the caller's last check before the packet is written. */
static __always_inline bool forward_ttl(const int af, const struct pkt *p)
{
	if (af == RR_AF_INET)
		return ((struct iphdr *)p->l3)->ttl > 1;
	return ((struct ipv6hdr *)p->l3)->hop_limit > 1;
}

static __always_inline void forward_ports(struct pkt *p, __u64 diff, __u16 sport, __u16 dport)
{
	__u32 *ports = (__u32 *)&p->tcp->source, is = sport | ((__u32)dport << 16);

	diff += csum_swap32(*ports, is);
	*ports = is;
	p->tcp->check = csum_apply(p->tcp->check, diff);
}

/* New addresses and ports, TTL - 1, both checksums by difference. */
static __always_inline void forward_rewrite4(struct pkt *p, __u32 saddr, __u32 daddr, __u16 sport,
					     __u16 dport)
{
	struct iphdr *ip = p->l3;
	__u64 diff = csum_swap32(ip->saddr, saddr) + csum_swap32(ip->daddr, daddr);
	__u16 *ttl = (__u16 *)&ip->ttl, was = *ttl; /* TTL is the low byte of its word */

	*ttl = was - 1;
	ip->check = csum_apply(ip->check, diff + (__u16)~was + (__u16)(was - 1));
	ip->saddr = saddr;
	ip->daddr = daddr;
	forward_ports(p, diff, sport, dport);
}

static __always_inline void forward_rewrite6(struct pkt *p, const __u64 *saddr, const __u64 *daddr,
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
	forward_ports(p, diff, sport, dport);
}

/* Client to endpoint in nat: local address and port as source, the endpoint as destination. */
static __always_inline enum rr_verdict forward_nat(const int af, struct xdp_md *ctx, struct pkt *p,
						   const struct rr_endpoint *ep, __u32 local,
						   __u16 port)
{
	const struct rr_local *l = map_get(locals, local);
	__u64 hop = *(const volatile __u64 *)&ep->hop;

	if (!l || !hop)
		return RR_V_NO_HOP;
	if (!forward_ttl(af, p))
		return RR_V_TTL;
	if (af == RR_AF_INET)
		forward_rewrite4(p, *(const __u32 *)&l->addr, *(const __u32 *)&ep->addr, port,
				 ep->port);
	else
		forward_rewrite6(p, (const __u64 *)&l->addr, (const __u64 *)&ep->addr, port,
				 ep->port);
	return forward_send(ctx, p, hop, RR_V_FORWARD);
}

/*
 * Client to endpoint. `port` 0 says dsr: the frame is only given to the endpoint's MAC, the IP packet stays
 * as it is (L2 direct server return; the endpoint holds the service address).
 */
static __always_inline enum rr_verdict forward_client(const int af, struct xdp_md *ctx,
						      struct pkt *p, __u32 local, __u16 port)
{
	const struct rr_endpoint *ep = map_get(endpoints, p->endpoint);

	if (!ep)
		return RR_V_NO_HOP;
	if (!(ep->flags & RR_EP_PRESENT) || (ep->flags & RR_EP_GONE))
		return tcp_flags(p->tcp) & TCPF_RST ? RR_V_RST_SILENT : RR_V_RESET;
	if (port)
		return forward_nat(af, ctx, p, ep, local, port);
	return forward_send(ctx, p, *(const volatile __u64 *)&ep->hop, RR_V_FORWARD);
}

/* Endpoint to client in nat: the service as source, by the hop that the client's SYN came in by. */
static __always_inline enum rr_verdict forward_server(const int af, struct xdp_md *ctx,
						      struct pkt *p, const struct fsnap *r)
{
	const struct rr_service *svc = map_get(services, p->service);
	const __u64 *hop = map_get(hops, RR_META_VIA(r->meta));
	__u64 client[2] = { r->peer0, r->peer1 };

	if (!svc || !hop || !*hop)
		return RR_V_NO_HOP;
	if (!forward_ttl(af, p))
		return RR_V_TTL;
	if (af == RR_AF_INET)
		forward_rewrite4(p, *(const __u32 *)&svc->addr, r->peer0, svc->port, r->port);
	else
		forward_rewrite6(p, (const __u64 *)&svc->addr, client, svc->port, r->port);
	return forward_send(ctx, p, *hop, RR_V_REPLY);
}

#endif
