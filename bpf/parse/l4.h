/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * l4.h - the transport header: where it is, its ports, and, once the packet is known to be ours,
 * whether it is whole and sane.
 */
#ifndef RR_BPF_PARSE_L4_H
#define RR_BPF_PARSE_L4_H

#include <linux/in.h>

#include "base.h"
#include "pkt.h"
#include "rr_verdict.h"

#define PARSE_L3_MASK 0x1f /* no less than the greatest offset of an IP header: two tags */
#define PARSE_L4_MASK 0x3fff /* the same for TCP in IP: 40 + PARSE_EXT_MAX * 2048 */

/*
 * IP header and TCP by offset, whatever tags, options and extension headers came before: from
 * here on the verifier walks one way (and must be shown the IP header once more: parse_again()).
 * Then the ports. `off` = bytes from the IP header.
 */
static __always_inline enum rr_verdict parse_ports(struct pkt *p, __u32 off)
{
	__u64 any = p->src.w0, l3_off = p->l3 - (void *)p->eth;
	struct tcphdr *tcp;

	p->l3 = (void *)p->eth + (pkt_blur(l3_off, any) & PARSE_L3_MASK);
	off = pkt_blur(off, any) & PARSE_L4_MASK;
	tcp = p->l3 + off;
	p->l4.off = off;
	if ((void *)tcp + 4 > p->end)
		return RR_V_NOT_OURS;
	p->l4.head = tcp;
	p->l4.proto = IPPROTO_TCP;
	p->l4.udp = 0;
	p->l4.sport = tcp->source;
	p->l4.dport = tcp->dest;
	return RR_V_GO;
}

/*
 * The packet is for a service or from an endpoint: is it whole and sane? After RR_V_GO the full TCP
 * header may be read. Impossible flags (RFC 9293, RFC 3128): none at all, SYN+FIN, SYN+RST.
 */
static __always_inline enum rr_verdict parse_check(const struct pkt *p)
{
	struct tcphdr *tcp = pkt_tcp(p);
	__u32 head;
	__u8 flags;

	if ((void *)(tcp + 1) > p->end)
		return RR_V_MALFORMED;
	head = p->l4.off + tcp->doff * 4;
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
