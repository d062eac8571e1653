/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * server.h - one packet from an endpoint that the fast path does not take: SYN-ACK, FIN, RST,
 * anything on a flow that is half-open, closing, killed or long silent.
 */
#ifndef RR_BPF_SERVER_H
#define RR_BPF_SERVER_H

#include "base.h"
#include "conn.h"
#include "flow.h"
#include "pair.h"
#include "pkt.h"
#include "rr_flow.h"
#include "rr_pair.h"
#include "rr_verdict.h"

/*
 * The endpoint's SYN-ACK: its number is stored before the state says that it is there. It may cover
 * data of the SYN. The last one counts: an endpoint that forgot its half of the connection (full
 * queue, SYN cookie of another minute) answers the client's next SYN by another number, and the
 * client may never have seen the first.
 */
static __always_inline void server_answer(const int af, struct conn *c)
{
	struct rr_pair *pair = pair_of(af, &c->r);

	if (!pair || RR_META_STATE(c->s.h.meta) >= RR_FLOW_EST ||
	    c->ack - (pair->isn_client + 1) > pair->syn_data)
		return;
	pair->isn_server = c->seq;
	pair_move(af, c, RR_FLOW_SYNACK, 0);
}

/*
 * A killed flow's packets go on until the client has sent one and was reset by it: it may be
 * waiting and send nothing. From then on the endpoint is reset as well.
 */
static __always_inline enum rr_verdict server_killed(const struct conn *c)
{
	if (!(RR_META_FLAGS(c->s.h.meta) & RR_FLOW_F_TOLD))
		return RR_V_GO;
	return c->flags & TCPF_RST ? RR_V_RST_SILENT : RR_V_RESET;
}

/* c->r = the reverse entry that the fast path has found, if it still lives there. */
static __always_inline bool server_look(const int af, struct conn *c)
{
	return flow_look_slot(af, c->slot, &c->r) && c->r.h.key == c->key.key &&
	       c->r.h.addr[0] == c->key.a[0] && c->r.h.addr[1] == c->key.a[1];
}

static __always_inline int server_packet(const int af, struct conn *c)
{
	if (!server_look(af, c) || !pair_forward(af, c))
		return RR_V_ORPHAN;
	c->two = 1;
	c->listener = c->r.h.listener;
	c->service = slot_service(c->listener);
	if (RR_META_STATE(c->s.h.meta) == RR_FLOW_KILLED)
		return server_killed(c);
	flow_touch_slot(af, &c->r, c->now);
	if (c->flags & TCPF_RST)
		pair_move(af, c, RR_FLOW_RST, 0);
	else if (c->flags & TCPF_FIN)
		pair_move(af, c, RR_FLOW_FIN1, RR_FLOW_F_FIN_SERVER);
	else if (conn_is_answer(c))
		server_answer(af, c);
	return RR_V_GO;
}

/* Global, for the verifier: see flow.h. */
__noinline int server4(struct conn *c)
{
	return c ? server_packet(RR_AF_INET, c) : RR_V_MALFORMED;
}

__noinline int server6(struct conn *c)
{
	return c ? server_packet(RR_AF_INET6, c) : RR_V_MALFORMED;
}

#endif
