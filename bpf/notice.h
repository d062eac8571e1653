/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * notice.h - tells the sender of a packet why it went no further, by an ICMP error of our own: too
 * big for its way out (RFC 1191, RFC 8201), or its TTL has expired (RFC 792, RFC 4443 3.3). The
 * frame goes back on the way that it came, its packet behind the new headers. The error comes from
 * the address that the packet was sent to: that one the sender knows.
 *
 * Rate limited by a budget of each kind. Nobody fragments: a packet that allows it (IPv4 without
 * DF) and is too big is dropped without a word, as RFC 1191 tells only those who ask.
 */
#ifndef RR_BPF_NOTICE_H
#define RR_BPF_NOTICE_H

#include <linux/if_ether.h>
#include <linux/in.h>

#include "base.h"
#include "budget.h"
#include "csum.h"
#include "maps.h"
#include "parse/icmp.h"
#include "pkt.h"
#include "rr_table.h"
#include "rr_verdict.h"

#define NOTICE_TTL 64
#define NOTICE_MAX4 576 /* bytes of an error: RFC 1812 4.3.2.3 */
#define NOTICE_MAX6 1280 /* RFC 4443 2.4 (c) */
#define NOTICE_CHUNK 512 /* what bpf_csum_diff() takes at once */
#define NOTICE_CHUNKS 3
#define NOTICE_LINK 22 /* Ethernet and two tags */

/* Working memory of one notice. */
struct notice {
	union icmp_ip was, ip; /* the packet's, the error's */
	struct icmp_head head;
	__u8 link[NOTICE_LINK + 2]; /* the first bytes of the frame */
	__u8 sum[NOTICE_CHUNK];
};

/* key 0; value: this CPU's ICMP error in the making. writer, reader: path */
RR_PERCPU(notice_scratch, struct notice, 1);

static __always_inline void notice_head(const int af, struct notice *n, enum rr_verdict why,
					__u32 mtu)
{
	bool big = why == RR_V_TOO_BIG;

	n->head.checksum = 0;
	n->head.rest = big ? bpf_htonl(mtu) : 0;
	if (af == RR_AF_INET) {
		n->head.type = big ? ICMP4_UNREACHABLE : ICMP4_TIME_EXCEEDED;
		n->head.code = big ? ICMP4_FRAG_NEEDED : 0;
	} else {
		n->head.type = big ? ICMP6_TOO_BIG : ICMP6_TIME_EXCEEDED;
		n->head.code = 0;
	}
}

static __always_inline __u64 notice_words(__u64 two)
{
	return (two & 0xffffffff) + (two >> 32);
}

/* The error's IP header, for `len` bytes of ICMP; returns the sum of its pseudo header. */
static __always_inline __u64 notice_ip(const int af, struct notice *n, __u32 len)
{
	__u32 *w = (__u32 *)&n->ip;
	__u64 *a = n->ip.words;

	if (af == RR_AF_INET) {
		w[0] = bpf_htonl(0x45000000u | (sizeof(struct iphdr) + len));
		w[1] = bpf_htonl(0x00004000u); /* no id, don't fragment */
		w[2] = bpf_htonl(((__u32)NOTICE_TTL << 24) | (IPPROTO_ICMP << 16));
		w[3] = n->was.v4.daddr;
		w[4] = n->was.v4.saddr;
		n->ip.v4.check = ~csum_fold((__u64)w[0] + w[1] + w[2] + w[3] + w[4]);
		return 0;
	}
	w[0] = bpf_htonl(0x60000000u);
	w[1] = bpf_htonl((len << 16) | (IPPROTO_ICMPV6 << 8) | NOTICE_TTL);
	a[1] = n->was.words[3];
	a[2] = n->was.words[4];
	a[3] = n->was.words[1];
	a[4] = n->was.words[2];
	return notice_words(a[1]) + notice_words(a[2]) + notice_words(a[3]) + notice_words(a[4]) +
	       (__u64)bpf_htonl(IPPROTO_ICMPV6) + bpf_htonl(len);
}

/* Adds the sum of `len` bytes, a multiple of 4, of the frame from `at` on. */
static __always_inline bool notice_sum(struct xdp_md *ctx, struct notice *n, __u32 at, __u32 len,
				       __u64 *sum)
{
	for (int i = 0; i < NOTICE_CHUNKS && len; i++) {
		__u32 size = len < NOTICE_CHUNK ? len : NOTICE_CHUNK;
		__s64 part;

		/* 1 to NOTICE_CHUNK: so that the verifier of Linux 6.1 sees it as well. */
		size = ((pkt_blur(size, at) - 1) & (NOTICE_CHUNK - 1)) + 1;
		if (bpf_xdp_load_bytes(ctx, at, n->sum, size))
			return false;
		part = bpf_csum_diff(NULL, 0, (__be32 *)n->sum, size, 0);
		if (part < 0)
			return false;
		*sum += part;
		at += size;
		len -= size;
	}
	return !len;
}

static __always_inline void notice_turn(struct notice *n)
{
	__u16 *m = (__u16 *)n->link;

#pragma unroll
	for (int i = 0; i < ETH_ALEN / 2; i++) {
		__u16 was = m[i];

		m[i] = m[i + ETH_ALEN / 2];
		m[i + ETH_ALEN / 2] = was;
	}
}

/* Cuts the frame behind `quote` bytes of its packet and makes room for the headers before it. */
static __always_inline bool notice_room(const int af, struct xdp_md *ctx, __u32 l3, __u32 quote)
{
	int head = icmp_ip_len(af) + ICMP_HEAD;
	int frame = (int)(pkt_end(ctx) - pkt_data(ctx));

	return !bpf_xdp_adjust_tail(ctx, (int)(l3 + quote) - frame) &&
	       !bpf_xdp_adjust_head(ctx, -head);
}

static __always_inline bool notice_build(const int af, struct xdp_md *ctx, struct notice *n,
					 __u32 l3, __u32 quote)
{
	__u32 at = l3 + icmp_ip_len(af) + ICMP_HEAD;
	__u64 sum = notice_ip(af, n, ICMP_HEAD + quote);
	const __u32 *head = (const __u32 *)&n->head;

	if (!notice_room(af, ctx, l3, quote) || !notice_sum(ctx, n, at, quote, &sum))
		return false;
	n->head.checksum = ~csum_fold(sum + head[0] + head[1]);
	notice_turn(n);
	/* The tags that are not there are overwritten by what follows. */
	return !bpf_xdp_store_bytes(ctx, 0, n->link, NOTICE_LINK) &&
	       !bpf_xdp_store_bytes(ctx, l3, &n->ip, icmp_ip_len(af)) &&
	       !bpf_xdp_store_bytes(ctx, at - ICMP_HEAD, &n->head, ICMP_HEAD);
}

/* Must its sender hear of it? And what the packet has, in bytes to quote. */
static __always_inline __u32 notice_quote(const int af, const struct notice *n, enum rr_verdict why)
{
	__u32 most = (af == RR_AF_INET ? NOTICE_MAX4 : NOTICE_MAX6) - icmp_ip_len(af) - ICMP_HEAD;
	__u32 len;

	if (af == RR_AF_INET) {
		if (why == RR_V_TOO_BIG && !(n->was.v4.frag_off & bpf_htons(0x4000)))
			return 0;
		len = bpf_ntohs(n->was.v4.tot_len);
	} else {
		len = bpf_ntohs(n->was.v6.payload_len) + sizeof(struct ipv6hdr);
	}
	return (len < most ? len : most) & ~3u;
}

static __always_inline int notice_send(const int af, struct xdp_md *ctx, __u32 l3,
				       enum rr_verdict why, __u32 mtu)
{
	enum rr_verdict told = why == RR_V_TOO_BIG ? RR_V_TOO_BIG_TOLD : RR_V_TTL_TOLD;
	const struct rr_control *c = map_get(control, 0);
	struct notice *n = map_get(notice_scratch, 0);
	__u32 quote;

	if (!c || !n || bpf_xdp_load_bytes(ctx, 0, n->link, NOTICE_LINK) ||
	    bpf_xdp_load_bytes(ctx, l3, &n->was, icmp_ip_len(af)))
		return why;
	quote = notice_quote(af, n, why);
	if (!quote || !budget_take(c, told))
		return why;
	notice_head(af, n, why, mtu);
	return notice_build(af, ctx, n, l3, quote) ? told : RR_V_TX_FAILED;
}

/*
 * Global, for the verifier. Tells the sender of the packet at `l3` why it goes no further: `why` =
 * TTL, or TOO_BIG for a way out of `mtu` bytes. Returns the verdict, *_TOLD when the frame is its
 * answer.
 */
__noinline int notice4(struct xdp_md *ctx, __u32 l3, __u32 why, __u32 mtu)
{
	return notice_send(RR_AF_INET, ctx, l3, why, mtu);
}

__noinline int notice6(struct xdp_md *ctx, __u32 l3, __u32 why, __u32 mtu)
{
	return notice_send(RR_AF_INET6, ctx, l3, why, mtu);
}

#endif
