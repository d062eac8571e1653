/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * icmp.h - an ICMP error (RFC 792, RFC 4443) and the packet that it quotes. All of it is copied out
 * of the frame by offset: this is cold, and a copy needs no proof for each of the many places where
 * the quoted TCP header can stand.
 *
 * What a quoted packet must hold is its IP header and eight bytes of TCP: the ports. Eighteen bytes
 * have the checksum as well.
 */
#ifndef RR_BPF_PARSE_ICMP_H
#define RR_BPF_PARSE_ICMP_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include "base.h"
#include "parse/ip.h"
#include "pkt.h"

#define ICMP_HEAD 8 /* bytes before the quoted packet, in both families */
#define ICMP_PORTS 8 /* quoted bytes of TCP that an error has at least (RFC 792) */
#define ICMP_SUMMED 18 /* with so many its checksum is there */

/* What speaks of a packet: RFC 792, RFC 4443 2.1. (linux/icmp.h needs a C library.) */
enum icmp4_type { ICMP4_UNREACHABLE = 3, ICMP4_TIME_EXCEEDED = 11, ICMP4_PARAMETER = 12 };
#define ICMP4_FRAG_NEEDED 4 /* a code of ICMP4_UNREACHABLE */
enum icmp6_type { ICMP6_UNREACHABLE = 1, ICMP6_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAMETER };

struct icmp_head {
	__u8 type, code;
	__u16 checksum;
	__be32 rest; /* of frag-needed and packet-too-big: the MTU */
};

union icmp_ip {
	struct iphdr v4;
	struct ipv6hdr v6;
	__u64 words[5];
};

struct icmp {
	union icmp_ip outer, inner;
	struct icmp_head head;
	struct tcphdr tcp; /* quoted: the first ICMP_PORTS or ICMP_SUMMED bytes */
	__u32 l3, l4, quote, ports; /* offsets in the frame: IP, ICMP, quoted IP, quoted TCP */
	__u32 end; /* of the packet, by its IP header */
	__u32 summed; /* ICMP_SUMMED bytes of TCP are quoted */
};

static __always_inline __u32 icmp_ip_len(const int af)
{
	return af == RR_AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

static __always_inline bool icmp_is_error(const int af, __u8 type)
{
	if (af == RR_AF_INET)
		return type == ICMP4_UNREACHABLE || type == ICMP4_TIME_EXCEEDED ||
		       type == ICMP4_PARAMETER;
	return type >= ICMP6_UNREACHABLE && type <= ICMP6_PARAMETER;
}

static __always_inline struct pkt_addr icmp_src(const int af, const union icmp_ip *ip)
{
	struct pkt_addr a = { ip->words[1], ip->words[2] };

	if (af == RR_AF_INET)
		a = (struct pkt_addr){ ip->v4.saddr, 0 };
	return a;
}

static __always_inline struct pkt_addr icmp_dst(const int af, const union icmp_ip *ip)
{
	struct pkt_addr a = { ip->words[3], ip->words[4] };

	if (af == RR_AF_INET)
		a = (struct pkt_addr){ ip->v4.daddr, 0 };
	return a;
}

static __always_inline bool icmp_outer(const int af, struct icmp *i)
{
	const struct iphdr *ip = &i->outer.v4;

	if (af == RR_AF_INET) {
		i->l4 = i->l3 + ip->ihl * 4;
		i->end = i->l3 + bpf_ntohs(ip->tot_len);
		return !(ip->frag_off & bpf_htons(0x3fff));
	}
	i->l4 = i->l3 + sizeof(struct ipv6hdr);
	i->end = i->l4 + bpf_ntohs(i->outer.v6.payload_len);
	return i->outer.v6.nexthdr == IPPROTO_ICMPV6;
}

/* Quoted extension headers, up to TCP: the least of each kind is 8 octets (RFC 8200 4). */
static __always_inline bool icmp_ext6(struct xdp_md *ctx, struct icmp *i)
{
	__u8 next = i->inner.v6.nexthdr;
	struct parse_frag ext;

	for (int n = 0; n < PARSE_EXT_MAX && next != IPPROTO_TCP; n++) {
		__u32 len = sizeof(ext);

		if (bpf_xdp_load_bytes(ctx, i->ports, &ext, sizeof(ext)))
			return false;
		if (next == IPPROTO_FRAGMENT) {
			if (ext.off & bpf_htons(0xfff8))
				return false;
		} else if (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING ||
			   next == IPPROTO_DSTOPTS) {
			len += ext.reserved * 8;
		} else {
			return false;
		}
		next = ext.next;
		i->ports += len;
	}
	return next == IPPROTO_TCP;
}

static __always_inline bool icmp_inner(const int af, struct xdp_md *ctx, struct icmp *i)
{
	const struct iphdr *ip = &i->inner.v4;

	if (af == RR_AF_INET) {
		i->ports = i->quote + ip->ihl * 4;
		return ip->version == 4 && ip->ihl >= 5 && ip->protocol == IPPROTO_TCP &&
		       !(ip->frag_off & bpf_htons(0x1fff));
	}
	i->ports = i->quote + sizeof(struct ipv6hdr);
	return i->inner.v6.version == 6 && icmp_ext6(ctx, i);
}

/* Fills *i for the packet at i->l3. false: no error about a TCP packet, or cut short. */
static __always_inline bool icmp_parse(const int af, struct xdp_md *ctx, struct icmp *i)
{
	if (bpf_xdp_load_bytes(ctx, i->l3, &i->outer, icmp_ip_len(af)) || !icmp_outer(af, i) ||
	    bpf_xdp_load_bytes(ctx, i->l4, &i->head, ICMP_HEAD) || !icmp_is_error(af, i->head.type))
		return false;
	i->quote = i->l4 + ICMP_HEAD;
	if (bpf_xdp_load_bytes(ctx, i->quote, &i->inner, icmp_ip_len(af)) ||
	    !icmp_inner(af, ctx, i) || i->ports + ICMP_PORTS > i->end)
		return false;
	i->summed = i->ports + ICMP_SUMMED <= i->end;
	return i->summed ? !bpf_xdp_load_bytes(ctx, i->ports, &i->tcp, ICMP_SUMMED)
			 : !bpf_xdp_load_bytes(ctx, i->ports, &i->tcp, ICMP_PORTS);
}

#endif
