/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * parse.h - bytes -> struct pkt. No map, no helper: the same header compiles natively for unit tests and fuzzers.
 *
 * Contract: every step bounds-checks, advances, and returns RR_V_GO or the verdict. parse() finds addresses
 * and ports and judges nothing: whatever it cannot read that far is somebody else's and passes. Only when
 * the packet turned out to be ours does parse_check() judge its lengths and flags, so a broken packet for
 * the host itself is never ours to drop.
 */
#ifndef RR_PARSE_H
#define RR_PARSE_H

#define PARSE_VLAN_MAX 2 /* 802.1Q and 802.1ad, kept as they are */
#define PARSE_EXT_MAX 4 /* IPv6 extension headers before TCP */
#define PARSE_L3_MASK 0x1f /* no less than the greatest offset of an IP header: two tags */
#define PARSE_L4_MASK 0x3fff /* the same for TCP in IP: 40 + PARSE_EXT_MAX * 2048 */

struct parse_vlan {
	__be16 tci;
	__be16 type;
};

struct parse_ext { /* RFC 8200 4.3: the layout that all skippable extension headers share */
	__u8 next;
	__u8 len; /* 8-octet units, not counting the first */
};

struct parse_frag { /* RFC 8200 4.5 */
	__u8 next;
	__u8 reserved;
	__be16 off; /* offset << 3 | more */
	__be32 id;
};

/*
 * IP header and TCP by offset, whatever tags, options and extension headers came before: from here on the verifier walks
 * one way (and must be shown the IP header once more: parse_again()). Then the ports.
 */
static __always_inline enum rr_verdict parse_ports(struct pkt *p, __u32 l4_off)
{
	__u64 any = p->src.w0, l3_off = p->l3 - (void *)p->eth;
	struct tcphdr *tcp;

	p->l3 = (void *)p->eth + (pkt_blur(l3_off, any) & PARSE_L3_MASK);
	p->l4_off = pkt_blur(l4_off, any) & PARSE_L4_MASK;
	tcp = p->l3 + p->l4_off;
	if ((void *)tcp + 4 > p->end)
		return RR_V_NOT_OURS;
	p->tcp = tcp;
	p->sport = tcp->source;
	p->dport = tcp->dest;
	return RR_V_GO;
}

/* The IP header is whole, as parse() has seen: for the verifier, where the family is a constant. */
static __always_inline bool parse_again(const int af, const struct pkt *p)
{
	return p->l3 + (af == RR_AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) <= p->end;
}

static __always_inline enum rr_verdict parse_ip4(struct pkt *p)
{
	struct iphdr *ip = p->l3;
	__u16 frag;

	if ((void *)(ip + 1) > p->end)
		return RR_V_NOT_OURS;
	if (ip->protocol != IPPROTO_TCP || ip->version != 4 || ip->ihl < 5)
		return RR_V_NOT_OURS;
	frag = bpf_ntohs(ip->frag_off);
	if (frag & 0x1fff) /* no ports in it: the host's */
		return RR_V_NOT_OURS;
	p->frag = (frag & 0x2000) != 0;
	p->af = RR_AF_INET;
	p->src.w0 = ip->saddr;
	p->src.w1 = 0;
	p->dst.w0 = ip->daddr;
	p->dst.w1 = 0;
	p->l3_len = bpf_ntohs(ip->tot_len);
	return parse_ports(p, ip->ihl * 4);
}

/* Skips extension headers up to TCP; *l4 = its place. */
static __always_inline enum rr_verdict parse_ext6(struct pkt *p, void **l4, __u8 next)
{
	void *at = *l4;

	for (int i = 0; i < PARSE_EXT_MAX; i++) {
		struct parse_ext *ext = at;
		struct parse_frag *frag = at;

		if (next == IPPROTO_TCP)
			break;
		if ((void *)(frag + 1) > p->end) /* 8 octets: the least of each kind */
			return RR_V_NOT_OURS;
		if (next == IPPROTO_FRAGMENT) {
			if (frag->off & bpf_htons(0xfff8))
				return RR_V_NOT_OURS;
			p->frag = (frag->off & bpf_htons(1)) != 0;
			next = frag->next;
			at += sizeof(*frag);
		} else if (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING ||
			   next == IPPROTO_DSTOPTS) {
			next = ext->next;
			at += (ext->len + 1) * 8;
		} else {
			return RR_V_NOT_OURS;
		}
	}
	*l4 = at;
	return next == IPPROTO_TCP ? RR_V_GO : RR_V_NOT_OURS;
}

static __always_inline enum rr_verdict parse_ip6(struct pkt *p)
{
	struct ipv6hdr *ip = p->l3;
	void *l4 = ip + 1;
	const __u64 *a;
	enum rr_verdict v;

	if (l4 > p->end)
		return RR_V_NOT_OURS;
	if (ip->version != 6)
		return RR_V_NOT_OURS;
	p->frag = 0;
	if (ip->nexthdr != IPPROTO_TCP) {
		v = parse_ext6(p, &l4, ip->nexthdr);
		if (v)
			return v;
	}
	a = (const __u64 *)&ip->saddr;
	p->af = RR_AF_INET6;
	p->src.w0 = a[0];
	p->src.w1 = a[1];
	p->dst.w0 = a[2];
	p->dst.w1 = a[3];
	p->l3_len = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	return parse_ports(p, l4 - p->l3);
}

/* Ethernet with up to two tags, then IPv4 or IPv6, then the ports of TCP. */
static __always_inline enum rr_verdict parse(struct pkt *p, void *data, void *end)
{
	struct ethhdr *eth = data;
	void *l3 = eth + 1;
	__be16 type;

	if (l3 > end)
		return RR_V_NOT_IP;
	type = eth->h_proto;
	p->vlan = 0;
#pragma unroll
	for (int i = 0; i < PARSE_VLAN_MAX; i++) {
		struct parse_vlan *tag = l3;

		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 1) > end)
			return RR_V_NOT_IP;
		if (i == 0)
			p->vlan = bpf_ntohs(tag->tci) & 0xfff;
		type = tag->type;
		l3 = tag + 1;
	}
	p->eth = eth;
	p->l3 = l3;
	p->end = end;
	if (type == bpf_htons(ETH_P_IP))
		return parse_ip4(p);
	if (type == bpf_htons(ETH_P_IPV6))
		return parse_ip6(p);
	return RR_V_NOT_IP;
}

/*
 * The packet is for a service or from an endpoint: is it whole and sane? After RR_V_GO the full TCP header may be read.
 * Impossible flags (RFC 9293, RFC 3128): none at all, SYN+FIN, SYN+RST.
 */
static __always_inline enum rr_verdict parse_check(const struct pkt *p)
{
	struct tcphdr *tcp = p->tcp;
	__u32 head;
	__u8 flags;

	if ((void *)(tcp + 1) > p->end)
		return RR_V_MALFORMED;
	head = p->l4_off + tcp->doff * 4;
	if (tcp->doff < 5 || p->l3_len < head || p->l3 + p->l3_len > p->end)
		return RR_V_MALFORMED;
	if (p->frag)
		return RR_V_FRAGMENT;
	flags = tcp_flags(tcp);
	if (!(flags & (TCPF_SYN | TCPF_ACK | TCPF_RST | TCPF_FIN)))
		return RR_V_BAD_FLAGS;
	if ((flags & TCPF_SYN) && (flags & (TCPF_FIN | TCPF_RST)))
		return RR_V_BAD_FLAGS;
	return RR_V_GO;
}

#endif
