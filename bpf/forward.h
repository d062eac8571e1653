/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * forward.h - rewrite and send: the one step at the end of fast and slow path, one for each
 * direction and family. What a mode does to the packet is a file in forward/ and a case of
 * forward_client(); an egress is a hop word (interface slot, VLAN and MAC): the outer VLAN tag
 * stays, changes, comes or goes as the hop says.
 */
#ifndef RR_BPF_FORWARD_H
#define RR_BPF_FORWARD_H

#include <linux/if_ether.h>

#include "base.h"
#include "flow.h"
#include "forward/dsr.h"
#include "forward/nat.h"
#include "maps.h"
#include "pkt.h"
#include "rr_mode.h"
#include "rr_table.h"
#include "rr_verdict.h"

#define FORWARD_TAG_LEN 4

/* Ethernet addresses as words: what moves when a tag comes or goes. */
struct forward_macs {
	__u32 w[3];
};

static __always_inline __u32 forward_tags(const struct pkt *p)
{
	__u32 l3_off = p->l3 - (void *)p->eth;

	return (l3_off - sizeof(struct ethhdr)) / FORWARD_TAG_LEN;
}

/*
 * The frame leaves in another VLAN than it came in: rewrites, adds or removes its tag. A hop
 * names one VLAN, so a frame with two tags cannot change its. Packet pointers are void
 * afterwards.
 */
static __always_inline bool forward_retag(struct xdp_md *ctx, __u32 tags, __u16 vlan)
{
	int move = !vlan ? FORWARD_TAG_LEN : !tags ? -FORWARD_TAG_LEN : 0;
	struct forward_macs *macs = pkt_data(ctx), keep;
	__be16 *tag;

	if (tags > 1 || (void *)(macs + 1) > pkt_end(ctx))
		return false;
	keep = *macs;
	if (move && bpf_xdp_adjust_head(ctx, move))
		return false;
	macs = pkt_data(ctx);
	tag = (__be16 *)(macs + 1);
	if ((void *)(tag + 2) > pkt_end(ctx))
		return false;
	*macs = keep;
	if (!vlan)
		return true;
	if (!tags)
		tag[0] = bpf_htons(ETH_P_8021Q);
	tag[1] = (tags ? tag[1] & bpf_htons(0xf000) : 0) | bpf_htons(vlan);
	return true;
}

/*
 * Does the packet fit into its way out? Before it is written: its sender may have to be told. What
 * does not fit would vanish behind a redirect.
 */
static __always_inline bool forward_fits(struct pkt *p, __u64 hop)
{
	const struct rr_iface *iface = map_get(ifaces, RR_HOP_SLOT(hop));

	if (!iface || !iface->mtu || p->l3_len <= iface->mtu)
		return true;
	p->mtu = iface->mtu;
	return false;
}

/*
 * Ethernet addresses and the way out: XDP_TX on the interface it came in by, redirect otherwise.
 * `fate` is the verdict of a frame that goes.
 */
static __always_inline enum rr_verdict forward_send(struct xdp_md *ctx, struct pkt *p, __u64 hop,
						    enum rr_verdict fate)
{
	__u32 slot = RR_HOP_SLOT(hop);
	const struct rr_iface *iface = map_get(ifaces, slot);
	void *eth = p->eth;

	if (!hop || !iface || !iface->ifindex)
		return RR_V_NO_HOP;
	*(__u32 *)eth = hop;
	*(__u16 *)(eth + 4) = hop >> 32;
	*(__u32 *)(eth + ETH_ALEN) = *(const __u32 *)&iface->mac[0];
	*(__u16 *)(eth + ETH_ALEN + 4) = *(const __u16 *)&iface->mac[4];
	if (RR_HOP_VLAN(hop) != p->vlan && !forward_retag(ctx, forward_tags(p), RR_HOP_VLAN(hop)))
		return RR_V_TX_FAILED;
	p->action = XDP_TX;
	if (iface->ifindex != ctx->ingress_ifindex)
		p->action = bpf_redirect_map(&tx_ports, slot, 0);
	return p->action == XDP_ABORTED ? RR_V_TX_FAILED : fate;
}

/*
 * Client to p->endpoint, by that endpoint's mode. `local`, `port` (network order): the source
 * that the connection has been given, where its mode needs one.
 */
static __always_inline enum rr_verdict forward_client(const int af, struct xdp_md *ctx,
						      struct pkt *p, __u32 local, __u16 port)
{
	const struct rr_endpoint *ep = map_get(endpoints, p->endpoint);
	enum rr_verdict v;
	__u64 hop;

	if (!ep)
		return RR_V_NO_HOP;
	if ((ep->flags & (RR_EP_PRESENT | RR_EP_GONE)) != RR_EP_PRESENT)
		return tcp_flags(pkt_tcp(p)) & TCPF_RST ? RR_V_RST_SILENT : RR_V_RESET;
	hop = *(const volatile __u64 *)&ep->hop;
	if (!hop)
		return RR_V_NO_HOP;
	if (!forward_fits(p, hop))
		return RR_V_TOO_BIG;
	switch (ep->mode) {
	case RR_MODE_NAT:
		v = nat_client(af, p, ep, local, port);
		break;
	case RR_MODE_DSR:
		v = dsr_client();
		break;
	default:
		v = RR_V_NO_HOP;
	}
	return v ? v : forward_send(ctx, p, hop, RR_V_FORWARD);
}

/* Endpoint to client, by the hop that the client's SYN came in by. */
static __always_inline enum rr_verdict forward_server(const int af, struct xdp_md *ctx,
						      struct pkt *p, const struct flow_seen *r)
{
	const struct rr_listener *l = map_get(listeners, r->h.listener);
	const __u64 *hop = map_get(hops, RR_META_VIA(r->h.meta));
	enum rr_verdict v;

	if (!l || !hop || !*hop)
		return RR_V_NO_HOP;
	p->service = l->service;
	if (!forward_fits(p, *hop))
		return RR_V_TOO_BIG;
	v = nat_server(af, p, l, r);
	return v ? v : forward_send(ctx, p, *hop, RR_V_REPLY);
}

#endif
