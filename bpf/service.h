/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * service.h - whose is the packet? One bucket of the address table tells a listener (address, port,
 * protocol) and its service, or a local address of ours. The controller chose the seed so that no
 * bucket overflows: one look is enough.
 */
#ifndef RR_BPF_SERVICE_H
#define RR_BPF_SERVICE_H

#include <linux/in.h>

#include "base.h"
#include "config.h"
#include "maps.h"
#include "pkt.h"
#include "rr_hash.h"
#include "rr_table.h"

/*
 * What a row says, its last eight bytes as one word: one load, and to the verifier a number
 * whichever way of the bucket it stood in.
 */
_Static_assert(offsetof(struct rr_vip, id) == 24, "the last word of a row");
#define SERVICE_ID(row) ((__u32)(row)&0xffff)
#define SERVICE_OF(row) ((__u32)(row) >> 16)
#define SERVICE_TABLES(row) ((__u32)((row) >> 32) & 0xffff)

/*
 * Is this the row of (address, kind)? The kind says the family, so an IPv4 row has no second
 * word.
 */
static __always_inline bool service_match(const int af, const struct rr_vip *e,
					  const struct pkt_addr *a, __u64 kind)
{
	return e->kind == kind && e->a0 == a->w0 && (af == RR_AF_INET || e->a1 == a->w1);
}

/* The row of (address, kind) in the active copy. */
static __always_inline bool service_lookup(const int af, const struct rr_control *c,
					   const struct pkt_addr *a, __u64 kind, __u64 *row)
{
	__u64 active = *(const volatile __u64 *)&c->vip_active, a1 = af == RR_AF_INET ? 0 : a->w1;
	__u32 index = rr_vip_hash(a->w0, a1, kind, active >> 32) & (RR_VIP_BUCKETS - 1);
	const struct rr_vip_bucket *b = map_get(vips, index + (active & 1) * RR_VIP_BUCKETS);

	if (!b)
		return false;
#pragma unroll
	for (__u32 i = 0; i < RR_VIP_WAYS; i++) {
		if (service_match(af, &b->e[i], a, kind)) {
			*row = *(const __u64 *)&b->e[i].id;
			return true;
		}
	}
	return false;
}

/* Listener and service of a packet to one of our services: SERVICE_ID, SERVICE_OF. */
static __always_inline bool service_find(const int af, const struct rr_control *c,
					 const struct pkt *p, __u64 *row)
{
	__u64 kind = RR_VIP_KIND(p->l4.dport, p->l4.proto, af, RR_VIP_LISTENER);

	return service_lookup(af, c, &p->dst, kind, row);
}

/*
 * Local id (SERVICE_ID) if the packet is addressed to one of our source addresses, in the range of
 * nat ports, and replies of its family may have entries in the table of `af`.
 */
static __always_inline bool service_local(const int af, const struct rr_control *c,
					  const struct pkt *p, __u64 *row)
{
	__u64 kind = RR_VIP_KIND(0, p->l4.proto, af, RR_VIP_LOCAL);
	__u16 port = bpf_ntohs(p->l4.dport);

	if (port < rr_port_lo || port > rr_port_hi)
		return false;
	return service_lookup(af, c, &p->dst, kind, row) &&
	       (SERVICE_TABLES(*row) & (af == RR_AF_INET ? RR_VIP_FLOWS4 : RR_VIP_FLOWS6));
}

#endif
