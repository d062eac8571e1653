/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ip.h - IPv4 and IPv6 up to the transport header: addresses, length, options and extension
 * headers, fragments. What is not TCP, or has no ports in it, is the host's.
 */
#ifndef RR_BPF_PARSE_IP_H
#define RR_BPF_PARSE_IP_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "base.h"
#include "parse/l4.h"
#include "pkt.h"
#include "rr_table.h"
#include "rr_verdict.h"

#define PARSE_EXT_MAX 4 /* IPv6 extension headers before TCP */

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

/* The IP header is whole, as parse() has seen: for the verifier, where the family is a constant. */
static __always_inline bool parse_again(const int af, const struct pkt *p)
{
	return p->l3 + (af == RR_AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) <= p->end;
}

/* Not TCP: is it an ICMP message, perhaps an error about a connection of ours? */
static __always_inline enum rr_verdict parse_other(struct pkt *p, int af, bool icmp)
{
	p->af = af;
	return icmp ? RR_V_ICMP_ERROR : RR_V_NOT_OURS;
}

static __always_inline enum rr_verdict parse_ip4(struct pkt *p)
{
	struct iphdr *ip = p->l3;
	__u16 frag;

	if ((void *)(ip + 1) > p->end)
		return RR_V_NOT_OURS;
	if (ip->protocol != IPPROTO_TCP || ip->version != 4 || ip->ihl < 5)
		return parse_other(p, RR_AF_INET,
				   ip->protocol == IPPROTO_ICMP && ip->version == 4 &&
					   ip->ihl >= 5);
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
	if (ip->nexthdr == IPPROTO_ICMPV6)
		return parse_other(p, RR_AF_INET6, true);
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

#endif
