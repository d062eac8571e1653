/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * eth.h - bytes -> struct pkt: Ethernet with its tags, and from there on ip.h and l4.h. No map, no
 * helper: these headers compile natively for unit tests and fuzzers.
 *
 * Contract: every step bounds-checks, advances, and returns RR_V_GO or the verdict. parse() finds
 * addresses and ports and judges nothing: whatever it cannot read that far is somebody else's and
 * passes. Only when the packet turned out to be ours does parse_check() judge its lengths and
 * flags, so a broken packet for the host itself is never ours to drop.
 */
#ifndef RR_BPF_PARSE_ETH_H
#define RR_BPF_PARSE_ETH_H

#include <linux/if_ether.h>

#include "base.h"
#include "parse/ip.h"
#include "pkt.h"
#include "rr_verdict.h"

#define PARSE_VLAN_MAX 2 /* 802.1Q and 802.1ad, kept as they are */

struct parse_vlan {
	__be16 tci;
	__be16 type;
};

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

#endif
