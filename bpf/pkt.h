/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pkt.h - struct pkt, the descriptor that every step reads and fills. It lives in the one program
 * frame; the slow path gets a struct conn instead (conn.h), which holds no packet pointer.
 */
#ifndef RR_BPF_PKT_H
#define RR_BPF_PKT_H

#include <linux/if_ether.h>
#include <linux/tcp.h>

#include "base.h"

/* Words of an address, as loaded from the packet: IPv4 in the low half of w0, w1 = 0. */
struct pkt_addr {
	__u64 w0, w1;
};

/* The transport header: what TCP and UDP have in common, both ports in its first four bytes. */
struct l4 {
	void *head; /* struct tcphdr: parse() checks the ports, parse_check() the rest */
	__u16 sport, dport; /* network order */
	__u16 off; /* bytes from pkt.l3 */
	__u8 proto; /* IPPROTO_TCP: what parse() lets through */
	__u8 udp; /* 1: RR_TAG_UDP in the tags of its flow's keys */
};

struct pkt {
	/* parse */
	struct ethhdr *eth;
	void *l3; /* struct iphdr or struct ipv6hdr */
	void *end;
	struct l4 l4;
	struct pkt_addr src, dst;
	__u16 l3_len; /* L3 bytes that the header claims */
	__u16 vlan; /* id in the outer tag, 0 = untagged */
	__u8 af; /* enum rr_family */
	__u8 frag; /* first fragment of several */
	/* service, flow, pick */
	__u16 service;
	__u16 endpoint;
	/* forward */
	union {
		__u16 action; /* XDP_TX or XDP_REDIRECT, for class SEND */
		__u16 mtu; /* of the way out, for TOO_BIG */
	};
	__u32 bytes; /* of the frame as it came */
};

#ifdef __bpf__
/*
 * Bounds of the frame. In assembly, because a compiler that sees two 32-bit loads may spill them as
 * 32-bit values, which the verifier does not take for a packet pointer any more.
 */
static __always_inline void *pkt_data(const struct xdp_md *ctx)
{
	void *p;

	asm volatile("%0 = *(u32 *)(%1 + %2)"
		     : "=r"(p)
		     : "r"(ctx), "i"(offsetof(struct xdp_md, data)));
	return p;
}

static __always_inline void *pkt_end(const struct xdp_md *ctx)
{
	void *p;

	asm volatile("%0 = *(u32 *)(%1 + %2)"
		     : "=r"(p)
		     : "r"(ctx), "i"(offsetof(struct xdp_md, data_end)));
	return p;
}
#endif

/*
 * Keeps the descriptor in memory. In registers, every early return would have to carry all its
 * fields to the one exit.
 */
static __always_inline void pkt_init(struct pkt *p, __u32 bytes)
{
	p->bytes = bytes;
	p->service = 0;
	p->endpoint = 0;
	p->action = 0;
	asm volatile("" : : "r"(p) : "memory");
}

/*
 * Returns n unchanged, but the verifier forgets its value: states that differ only in n are
 * pruned, and what follows is verified once instead of once for each way to get here. `any` may
 * be any number.
 */
static __always_inline __u64 pkt_blur(__u64 n, __u64 any)
{
#ifdef __bpf__
	asm volatile("%0 ^= %1\n\t%0 ^= %1" : "+r"(n) : "r"(any));
#else
	(void)any;
#endif
	return n;
}

#define TCPF_FIN 0x01
#define TCPF_SYN 0x02
#define TCPF_RST 0x04
#define TCPF_ACK 0x10

/* The TCP header, whole once parse_check() has passed. */
static __always_inline struct tcphdr *pkt_tcp(const struct pkt *p)
{
	return p->l4.head;
}

/* The flag byte of a TCP header (RFC 9293 3.1), FIN in bit 0. */
static __always_inline __u8 tcp_flags(const struct tcphdr *tcp)
{
	return ((const __u8 *)tcp)[13];
}

#endif
