/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reset.h - answers a packet with RST, on the way that it came (RFC 9293 3.10.7.1): the frame is
 * cut to bare headers and turned round. Rate limited (budget.h), so that we are no amplifier and no
 * load.
 */
#ifndef RR_BPF_RESET_H
#define RR_BPF_RESET_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include "base.h"
#include "budget.h"
#include "csum.h"
#include "pkt.h"
#include "rr_table.h"
#include "rr_verdict.h"

#define RESET_TTL 64

/* What the RST says, taken from the packet before it is overwritten. */
struct reset {
	struct pkt_addr src, dst; /* of the RST */
	__u16 sport, dport;
	__be32 seq, ack;
	__u8 flags;
};

static __always_inline void reset_read(const struct pkt *p, struct reset *r)
{
	const struct tcphdr *tcp = pkt_tcp(p);
	__u8 flags = tcp_flags(tcp);
	__u32 len = p->l3_len - p->l4.off - tcp->doff * 4;

	r->src = p->dst;
	r->dst = p->src;
	r->sport = p->l4.dport;
	r->dport = p->l4.sport;
	if (flags & TCPF_ACK) {
		r->seq = tcp->ack_seq;
		r->ack = 0;
		r->flags = TCPF_RST;
		return;
	}
	len += ((flags & TCPF_SYN) != 0) + ((flags & TCPF_FIN) != 0);
	r->seq = 0;
	r->ack = bpf_htonl(bpf_ntohl(tcp->seq) + len);
	r->flags = TCPF_RST | TCPF_ACK;
}

/* The 20-byte TCP header with its checksum; `sum` = that of the pseudo header. */
static __always_inline void reset_tcp(void *at, const struct reset *r, __u64 sum)
{
	__u32 *w = at;

	w[0] = r->sport | ((__u32)r->dport << 16);
	w[1] = r->seq;
	w[2] = r->ack;
	w[3] = bpf_htonl(0x50000000u | ((__u32)r->flags << 16));
	w[4] = 0;
	sum += (__u64)w[0] + w[1] + w[2] + w[3];
	((struct tcphdr *)at)->check = ~csum_fold(sum);
}

static __always_inline void reset_ip4(struct iphdr *ip, const struct reset *r)
{
	__u32 *w = (__u32 *)ip;
	__u64 sum;

	w[0] = bpf_htonl(0x45000000u | (sizeof(*ip) + sizeof(struct tcphdr)));
	w[1] = bpf_htonl(0x00004000u); /* no id, don't fragment */
	w[2] = bpf_htonl(((__u32)RESET_TTL << 24) | (IPPROTO_TCP << 16));
	w[3] = r->src.w0;
	w[4] = r->dst.w0;
	sum = (__u64)w[0] + w[1] + w[2] + w[3] + w[4];
	ip->check = ~csum_fold(sum);
	sum = (__u64)w[3] + w[4] + bpf_htonl((IPPROTO_TCP << 16) | sizeof(struct tcphdr));
	reset_tcp(ip + 1, r, sum);
}

static __always_inline void reset_ip6(struct ipv6hdr *ip, const struct reset *r)
{
	__u32 *w = (__u32 *)ip;
	__u64 *a = (__u64 *)&ip->saddr, sum;

	w[0] = bpf_htonl(0x60000000u);
	w[1] = bpf_htonl((sizeof(struct tcphdr) << 16) | (IPPROTO_TCP << 8) | RESET_TTL);
	a[0] = r->src.w0;
	a[1] = r->src.w1;
	a[2] = r->dst.w0;
	a[3] = r->dst.w1;
	sum = (a[0] & 0xffffffff) + (a[0] >> 32) + (a[1] & 0xffffffff) + (a[1] >> 32);
	sum += (a[2] & 0xffffffff) + (a[2] >> 32) + (a[3] & 0xffffffff) + (a[3] >> 32);
	sum += bpf_htonl(IPPROTO_TCP) + (__u64)bpf_htonl(sizeof(struct tcphdr));
	reset_tcp(ip + 1, r, sum);
}

static __always_inline void reset_turn(struct ethhdr *eth)
{
	__u16 *d = (__u16 *)eth->h_dest, *s = (__u16 *)eth->h_source;
	__u16 d0 = d[0], d1 = d[1], d2 = d[2];

	d[0] = s[0];
	d[1] = s[1];
	d[2] = s[2];
	s[0] = d0;
	s[1] = d1;
	s[2] = d2;
}

/* `why`: RESET or REFUSE, returned when the RST is on its way. parse_check() has passed. */
static __always_inline enum rr_verdict reset_send(const int af, struct xdp_md *ctx,
						  const struct rr_control *c, struct pkt *p,
						  enum rr_verdict why)
{
	__u32 head = af == RR_AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	__u32 l3_off = p->l3 - (void *)p->eth, frame = p->end - (void *)p->eth;
	struct reset r;
	void *data, *end, *l3;

	if (!budget_take(c, why))
		return RR_V_RST_LIMITED;
	reset_read(p, &r);
	l3_off &= 31;
	if (bpf_xdp_adjust_tail(ctx, (int)(l3_off + head + sizeof(struct tcphdr) - frame)))
		return RR_V_TX_FAILED;
	data = pkt_data(ctx);
	end = pkt_end(ctx);
	l3 = data + l3_off;
	if (data + sizeof(struct ethhdr) > end || l3 + head + sizeof(struct tcphdr) > end)
		return RR_V_TX_FAILED;
	reset_turn(data);
	if (af == RR_AF_INET)
		reset_ip4(l3, &r);
	else
		reset_ip6(l3, &r);
	p->action = XDP_TX;
	return why;
}

#endif
