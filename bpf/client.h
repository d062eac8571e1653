/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * client.h - one packet from a client that the fast path does not take: SYN, FIN, RST, anything
 * on a flow that is half-open, closing, killed or long silent, and what belongs to no flow.
 *
 * States (rr_flow.h): SYN -> SYNACK (the endpoint answered) -> EST (the client's ACK fits the
 * answer) -> FIN1 -> FIN2, or RST. In modes that do not see the endpoint's half the client's ACK
 * promotes, and its FIN closes.
 */
#ifndef RR_BPF_CLIENT_H
#define RR_BPF_CLIENT_H

#include "base.h"
#include "conn.h"
#include "flow.h"
#include "maps.h"
#include "open.h"
#include "pair.h"
#include "pick.h"
#include "pkt.h"
#include "rr_flow.h"
#include "rr_pair.h"
#include "rr_verdict.h"
#include "slot.h"

#define CLIENT_ACK_WINDOW 65536 /* a first ACK may cover early server data up to this */

/* A client packet that belongs to no flow and opens none. */
static __always_inline enum rr_verdict client_unknown(const struct conn *c,
						      const struct rr_service *svc)
{
	if (svc->on_unknown == RR_UNKNOWN_PASS)
		return RR_V_UNKNOWN_PASS;
	if (svc->on_unknown == RR_UNKNOWN_DROP)
		return RR_V_UNKNOWN_DROP;
	return c->flags & TCPF_RST ? RR_V_RST_SILENT : RR_V_RESET;
}

/*
 * Is this SYN a new connection although its tuple has an entry? (closing, expired, endpoint is
 * out)
 */
static __always_inline bool client_starts_anew(const struct conn *c, const struct rr_service *svc)
{
	const struct rr_endpoint *ep = map_get(endpoints, RR_META_EP(c->s.h.meta));

	return RR_META_STATE(c->s.h.meta) >= RR_FLOW_FIN1 || !ep || !pick_takes_new(ep) ||
	       slot_score(svc, c->s.h.meta, c->now - c->s.seen) <= SLOT_CLOSED;
}

/* The SYN of a half-open flow comes again, perhaps as another attempt, perhaps without its data. */
static __always_inline void client_syn_again(const int af, const struct conn *c)
{
	struct rr_pair *pair = pair_record(af, c);

	if (!pair || RR_META_STATE(c->s.h.meta) >= RR_FLOW_EST)
		return;
	pair->isn_client = c->seq;
	if ((pair->tries & 0xf) < 0xf)
		pair->tries++;
	if (c->data > pair->syn_data) /* either may be answered */
		pair->syn_data = c->data;
}

/* The client's ACK while half-open: does it complete a handshake that the endpoint answered? */
static __always_inline enum rr_verdict client_promote(const int af, struct conn *c)
{
	const struct rr_pair *pair = pair_record(af, c);
	__u64 meta = c->s.h.meta;

	if (!(c->flags & TCPF_ACK))
		return RR_V_BAD_HANDSHAKE;
	if (c->two && (RR_META_STATE(meta) != RR_FLOW_SYNACK || !pair ||
		       c->ack - (pair->isn_server + 1) > CLIENT_ACK_WINDOW))
		return RR_V_BAD_HANDSHAKE;
	if (!pair_move(af, c, RR_FLOW_EST, 0))
		return RR_V_FLOW_RACE;
	c->s.h.meta = RR_META_MAKE(RR_META_GEN(meta), RR_FLOW_EST, RR_META_FLAGS(meta),
				   RR_META_EP(meta), RR_META_VIA(meta));
	return RR_V_GO;
}

/* What a packet other than a SYN does to the flow that it belongs to. */
static __always_inline enum rr_verdict client_follow(const int af, struct conn *c)
{
	__u32 state = RR_META_STATE(c->s.h.meta);
	enum rr_verdict v = RR_V_GO;

	if (state == RR_FLOW_KILLED) {
		flow_move(af, &c->s, RR_FLOW_KILLED, RR_FLOW_F_TOLD);
		return c->flags & TCPF_RST ? RR_V_RST_SILENT : RR_V_RESET;
	}
	if (c->flags & TCPF_RST)
		pair_move(af, c, RR_FLOW_RST, 0);
	else if (state < RR_FLOW_EST)
		v = client_promote(af, c);
	if (!v && (c->flags & TCPF_FIN))
		pair_move(af, c, RR_FLOW_FIN1, RR_FLOW_F_FIN_CLIENT);
	return v;
}

/* The packet goes where its entry says. */
static __always_inline enum rr_verdict client_known(const int af, struct conn *c)
{
	flow_touch_slot(af, &c->s, c->now);
	c->endpoint = RR_META_EP(c->s.h.meta);
	c->local = RR_META_VIA(c->s.h.meta);
	c->port = c->s.h.port;
	return RR_V_GO;
}

/* A SYN on a live entry is a retransmission: it follows the entry and draws no ticket. */
static __always_inline enum rr_verdict client_syn(const int af, struct conn *c,
						  const struct rr_service *svc)
{
	if (client_starts_anew(c, svc))
		return pair_end(af, c) ? open_conn(af, c, svc) : RR_V_FLOW_RACE;
	client_syn_again(af, c);
	return client_known(af, c);
}

/* The forward entry of the packet, c->s; one that has lost its partner ends here. */
static __always_inline bool client_look(const int af, struct conn *c)
{
	if (!flow_look(af, &c->key, c->seed, &c->s))
		return false;
	c->two = pair_is_two(RR_META_EP(c->s.h.meta));
	if (!pair_is_broken(af, c))
		return true;
	pair_end(af, c);
	return false;
}

/* GO: endpoint, local and port say where to. */
static __always_inline int client_packet(const int af, struct conn *c)
{
	const struct rr_service *svc = map_get(services, c->service);
	bool syn = conn_is_syn(c);
	enum rr_verdict v;

	if (!svc)
		return RR_V_NOT_OURS;
	if (syn)
		open_warm(af, c, svc);
	if (!client_look(af, c))
		return syn ? open_conn(af, c, svc) : client_unknown(c, svc);
	if (syn)
		return client_syn(af, c, svc);
	v = client_follow(af, c);
	return v ? v : client_known(af, c);
}

__noinline int client4(struct conn *c)
{
	return c ? client_packet(RR_AF_INET, c) : RR_V_MALFORMED;
}

__noinline int client6(struct conn *c)
{
	return c ? client_packet(RR_AF_INET6, c) : RR_V_MALFORMED;
}

#endif
