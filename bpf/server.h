/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * server.h - one packet from an endpoint that the fast path does not take: SYN-ACK, FIN, RST,
 * anything on a flow that is half-open, closing, killed or long silent.
 */
#ifndef RR_BPF_SERVER_H
#define RR_BPF_SERVER_H

#include "account.h"
#include "base.h"
#include "conn.h"
#include "flow.h"
#include "judge.h"
#include "pair.h"
#include "pkt.h"
#include "port.h"
#include "rr_flow.h"
#include "rr_pair.h"
#include "rr_verdict.h"

static __always_inline void server_touch(const int af, const struct conn *c)
{
	struct rr_flow *r = flow_at(af, c->r.h.slot);

	if (!r)
		return;
	*(volatile __u32 *)&r->seen = c->now;
	if (c->flags & TCPF_ACK)
		*(volatile __u16 *)&r->ack = judge_upper(c->ack);
}

/* The number of a SYN-ACK: whatever the client sends from now on acknowledges more. */
static __always_inline void server_isn(const int af, const struct conn *c, struct rr_pair *pair)
{
	struct rr_flow *f = flow_at(af, c->s.h.slot);

	pair->isn_server = c->seq;
	if (f)
		*(volatile __u16 *)&f->ack = judge_upper(c->seq + 1);
}

/*
 * The endpoint's SYN-ACK: its number is stored before the state says that it is there. It may cover
 * data of the SYN. The last one counts: an endpoint that forgot its half of the connection (full
 * queue, SYN cookie of another minute) answers the client's next SYN by another number, and the
 * client may never have seen the first.
 */
static __always_inline void server_answer(const int af, struct conn *c, struct rr_pair *pair)
{
	if (c->ack - (pair->isn_client + 1) > pair->syn_data)
		return;
	server_isn(af, c, pair);
	pair_move(af, c, RR_FLOW_SYNACK, 0);
}

/* Does an endpoint's RST fit a half-open flow? It answers the SYN, or what came then (RFC 9293). */
static __always_inline bool server_refuses(const struct conn *c, const struct rr_pair *pair)
{
	if (c->flags & TCPF_ACK && c->ack - (pair->isn_client + 1) <= pair->syn_data)
		return true;
	return RR_META_STATE(c->s.h.meta) == RR_FLOW_SYNACK && c->seq == pair->isn_server + 1;
}

/* An endpoint's packet on a half-open flow. */
static __always_inline void server_half(const int af, struct conn *c)
{
	struct rr_pair *pair = pair_of(af, &c->r);

	if (!pair || (c->flags & TCPF_RST && !server_refuses(c, pair)))
		return;
	server_touch(af, c);
	if (c->flags & TCPF_RST)
		pair_move(af, c, RR_FLOW_RST, 0);
	else if (conn_is_answer(c))
		server_answer(af, c, pair);
}

/*
 * A SYN-ACK on an established flow: the endpoint knew nothing of the old connection (it was booted
 * anew) and has taken the SYN that was let through to it. Not so when it is the handshake's own,
 * sent again.
 */
static __always_inline void server_reused(const int af, struct conn *c)
{
	struct rr_pair *pair = pair_of(af, &c->r);

	if (!pair || c->seq == pair->isn_server ||
	    !pair_reopen(af, c, RR_FLOW_F_FINS | RR_FLOW_F_RSTS | RR_FLOW_F_REST))
		return;
	pair->isn_client = c->ack - 1;
	server_isn(af, c, pair);
	account_reused(c->service, RR_META_EP(c->s.h.meta));
}

/* Does a packet that is no RST disprove the accepted one? At once if its own side sent that. */
static __always_inline bool server_disproves(const struct conn *c)
{
	return RR_META_FLAGS(c->s.h.meta) & RR_FLOW_F_RST_SERVER || c->now - c->s.seen > c->hz;
}

/* An endpoint's packet on a flow that was established: see client_open(). */
static __always_inline enum rr_verdict server_open(const int af, struct conn *c)
{
	if (c->flags & (TCPF_RST | TCPF_FIN) && !judge_near(c->seq, c->s.ack))
		return RR_V_GO;
	server_touch(af, c);
	if (c->flags & TCPF_RST) {
		pair_move(af, c, RR_FLOW_RST, RR_FLOW_F_RST_SERVER);
		return RR_V_GO;
	}
	if (pair_is_claimed_over(c) && server_disproves(c) && !pair_reopen(af, c, RR_FLOW_F_RSTS))
		return RR_V_FLOW_RACE;
	if (c->flags & TCPF_FIN)
		pair_move(af, c, RR_FLOW_FIN1, pair_fin_server(af, c));
	else if (conn_is_answer(c))
		server_reused(af, c);
	return RR_V_GO;
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
	enum rr_verdict v = RR_V_GO;

	if (!server_look(af, c) || !pair_forward(af, c))
		return RR_V_ORPHAN;
	c->two = 1;
	c->listener = c->r.h.listener;
	c->service = slot_service(c->listener);
	if (RR_META_STATE(c->s.h.meta) == RR_FLOW_KILLED)
		return server_killed(c);
	if (RR_META_STATE(c->s.h.meta) < RR_FLOW_EST)
		server_half(af, c);
	else
		v = server_open(af, c);
	port_rest(af, c);
	return v;
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
