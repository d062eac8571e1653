/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hop.h - next hops towards clients, learned from their SYNs: replies leave the way that the SYN
 * came.
 */
#ifndef RR_BPF_HOP_H
#define RR_BPF_HOP_H

#include "base.h"
#include "maps.h"
#include "rr_hash.h"
#include "rr_table.h"

#define HOP_TRIES 8

/* Slot of an interface; RR_MAX_IFACES = not one of ours. */
static __always_inline __u32 hop_iface(__u32 ifindex)
{
	for (__u32 slot = 0; slot < RR_MAX_IFACES; slot++) {
		const struct rr_iface *iface = map_get(ifaces, slot);

		if (iface && iface->ifindex == ifindex)
			return slot;
	}
	return RR_MAX_IFACES;
}

/*
 * Id of the hop (ingress interface, VLAN, source MAC), inserted when it is new. The word is its own
 * key: one compare-and-swap inserts it. 0 = not our interface, or the table is full around it.
 */
__noinline int hop_learn(__u64 mac, __u32 ifindex, __u32 vlan)
{
	__u32 slot = hop_iface(ifindex), at;
	__u64 word = RR_HOP_MAKE_VLAN(slot, mac, vlan);

	if (slot == RR_MAX_IFACES)
		return 0;
	at = rr_mix(word);
	for (int i = 0; i < HOP_TRIES; i++) {
		__u32 id = (at + i) & (RR_MAX_HOPS - 1);
		__u64 *hop = map_get(hops, id), was;

		if (!hop || !id)
			continue;
		was = *(volatile __u64 *)hop;
		if (!was)
			was = __sync_val_compare_and_swap(hop, 0, word);
		if (was == word || !was)
			return id;
	}
	return 0;
}

#endif
