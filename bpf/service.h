/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * service.h - whose is the packet? One bucket of the address table tells a service (address, port, protocol)
 * or a local address of ours. The controller chose the seed so that no bucket overflows: one look is enough.
 */
#ifndef RR_SERVICE_H
#define RR_SERVICE_H

#define SERVICE_NONE 0xffffffffu

/* Id of the entry for (address, kind) in the active copy, or SERVICE_NONE. */
static __always_inline __u32 service_lookup(const struct rr_control *c, const struct pkt_addr *a,
					    __u64 kind)
{
	__u64 active = *(const volatile __u64 *)&c->vip_active;
	__u32 index = rr_vip_hash(a->w0, a->w1, kind, active >> 32) & (RR_VIP_BUCKETS - 1);
	const struct rr_vip_bucket *b = map_get(vips, index + (active & 1) * RR_VIP_BUCKETS);

	if (!b)
		return SERVICE_NONE;
#pragma unroll
	for (__u32 i = 0; i < RR_VIP_WAYS; i++) {
		const struct rr_vip *e = &b->e[i];

		if (e->kind == kind && e->a0 == a->w0 && e->a1 == a->w1)
			return e->id;
	}
	return SERVICE_NONE;
}

static __always_inline __u32 service_find(const struct rr_control *c, const struct pkt *p)
{
	return service_lookup(c, &p->dst,
			      RR_VIP_KIND(p->dport, IPPROTO_TCP, p->af, RR_VIP_SERVICE));
}

/* Local id if the packet is addressed to one of our source addresses, in the range of nat ports. */
static __always_inline __u32 service_local(const struct rr_control *c, const struct pkt *p)
{
	__u16 port = bpf_ntohs(p->dport);

	if (port < rr_port_lo || port > rr_port_hi)
		return SERVICE_NONE;
	return service_lookup(c, &p->dst, RR_VIP_KIND(0, IPPROTO_TCP, p->af, RR_VIP_LOCAL));
}

#endif
