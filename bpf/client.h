/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * client.h - one packet from a client that the fast path does not take: SYN, FIN, RST, anything
 * on a flow that is half-open, closing, killed or long silent, and what belongs to no flow.
 *
 * States (rr_flow.h): SYN -> SYNACK (the endpoint answered) -> EST (the client's ACK fits the
 * answer) -> FIN1 -> FIN2, or RST, which packets can disprove. In modes that do not see the
 * endpoint's half the client's ACK promotes.
 *
 * What does not fit goes on to the endpoint and changes nothing here, not even the flow's age: the
 * endpoint answers it or drops it, and what it answers is judged again (RFC 9293 3.10.7, RFC 5961).
 */
#ifndef RR_BPF_CLIENT_H
#define RR_BPF_CLIENT_H

#include "base.h"
#include "conn.h"
#include "flow.h"
#include "judge.h"
#include "maps.h"
#include "open.h"
#include "pair.h"
#include "pick.h"
#include "pkt.h"
#include "port.h"
#include "rr_flow.h"
#include "rr_pair.h"
#include "rr_verdict.h"
#include "slot.h"

#define CLIENT_ACK_WINDOW 65536 /* a first ACK may cover early server data up to this */
/* Bytes that may be in flight before a first ACK arrives, where only the client's half is seen. */
#define CLIENT_SEQ_WINDOW 262144
#define CLIENT_ATTEMPT_SECONDS 3 /* a SYN this soon after its RST is the same attempt */

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

/* Jiffies since the last packet of either side that counted. */
static __always_inline __u32 client_silence(const struct conn *c)
{
	__u32 age = c->now - c->s.seen, other = c->now - c->r.seen;

	return c->two && other < age ? other : age;
}

/* Is this SYN the one that was reset a moment ago, sent again? */
static __always_inline bool client_is_same(const int af, const struct conn *c)
{
	const struct rr_pair *pair = pair_record(af, c);

	return pair && pair->isn_client == c->seq &&
	       client_silence(c) <= CLIENT_ATTEMPT_SECONDS * c->hz;
}

/*
 * Is this SYN a new connection although its tuple has an entry? Never while the flow is open on
 * either side, whatever its endpoint's flags say: the endpoint challenges such a SYN, or takes it.
 */
static __always_inline bool client_starts_anew(const int af, const struct conn *c,
					       const struct rr_service *svc)
{
	const struct rr_endpoint *ep = map_get(endpoints, RR_META_EP(c->s.h.meta));
	__u32 state = RR_META_STATE(c->s.h.meta);

	if (slot_score(svc, c->s.h.meta, c->now - c->s.seen) == SLOT_EXPIRED)
		return true;
	if (state == RR_FLOW_EST || state == RR_FLOW_FIN1)
		return false;
	if (state == RR_FLOW_FIN2 || state == RR_FLOW_KILLED || !ep || !pick_takes_new(ep))
		return true;
	return state == RR_FLOW_RST && !client_is_same(af, c);
}

/* The client's packet counts: its time, and its number. */
static __always_inline void client_touch(const int af, const struct conn *c)
{
	struct rr_flow *f = flow_at(af, c->s.h.slot);

	if (f && (!c->two || c->flags & TCPF_ACK))
		judge_touch_client(f, c->now, c->two ? c->ack : c->seq + c->data);
	else if (f)
		*(volatile __u32 *)&f->seen = c->now;
}

/* The SYN of a half-open flow comes again, perhaps as another attempt, perhaps without its data. */
static __always_inline void client_syn_again(const int af, struct conn *c)
{
	struct rr_pair *pair = pair_record(af, c);
	__u32 state = RR_META_STATE(c->s.h.meta);

	if (!pair || (state >= RR_FLOW_EST && state != RR_FLOW_RST))
		return;
	client_touch(af, c);
	if (state == RR_FLOW_RST &&
	    (RR_META_FLAGS(c->s.h.meta) & RR_FLOW_F_RSTS || !pair_reopen(af, c, 0)))
		return;
	pair->isn_client = c->seq;
	if ((pair->tries & 0xf) < 0xf)
		pair->tries++;
	if (c->data > pair->syn_data) /* either may be answered */
		pair->syn_data = c->data;
}

/* Does this packet, no SYN and no RST, complete the handshake? */
static __always_inline bool client_fits(const struct conn *c, const struct rr_pair *pair)
{
	if (!(c->flags & TCPF_ACK) || c->flags & TCPF_SYN)
		return false;
	if (!c->two)
		return c->seq - (pair->isn_client + 1) <= CLIENT_SEQ_WINDOW;
	return RR_META_STATE(c->s.h.meta) == RR_FLOW_SYNACK &&
	       c->ack - (pair->isn_server + 1) <= CLIENT_ACK_WINDOW;
}

static __always_inline void client_fin(const int af, struct conn *c)
{
	pair_fin_client(af, c);
	pair_move(af, c, RR_FLOW_FIN1, RR_FLOW_F_FIN_CLIENT);
}

/* The handshake is complete: from now on both sides have a number. */
static __always_inline enum rr_verdict client_promote(const int af, struct conn *c)
{
	struct rr_flow *f = flow_at(af, c->s.h.slot);

	if (!f || !pair_move(af, c, RR_FLOW_EST, 0))
		return RR_V_FLOW_RACE;
	f->seen = c->now;
	f->ack = judge_upper(c->two ? c->ack : c->seq + c->data);
	if (c->flags & TCPF_FIN)
		client_fin(af, c);
	return RR_V_GO;
}

/*
 * A client packet on a half-open flow. What does not fit is the endpoint's to answer where its
 * answer comes back through us; elsewhere it gets RST, or the client would hang in silence.
 */
static __always_inline enum rr_verdict client_half(const int af, struct conn *c)
{
	const struct rr_pair *pair = pair_record(af, c);

	if (c->flags & TCPF_RST) {
		if (pair && c->seq - (pair->isn_client + 1) <= pair->syn_data) {
			client_touch(af, c);
			pair_move(af, c, RR_FLOW_RST, 0);
		}
		return RR_V_GO;
	}
	if (pair && client_fits(c, pair))
		return client_promote(af, c);
	return c->two ? RR_V_GO : RR_V_BAD_HANDSHAKE;
}

static __always_inline enum rr_verdict client_killed(const int af, struct conn *c)
{
	flow_move(af, &c->s, RR_FLOW_KILLED, RR_FLOW_F_TOLD);
	return c->flags & TCPF_RST ? RR_V_RST_SILENT : RR_V_RESET;
}

/* Does a packet that is no RST disprove the accepted one? At once if its own side sent that. */
static __always_inline bool client_disproves(const struct conn *c)
{
	return RR_META_FLAGS(c->s.h.meta) & RR_FLOW_F_RST_CLIENT || c->now - c->r.seen > c->hz;
}

/*
 * A packet other than a SYN on a flow that was established. One that would bring the flow back when
 * its slot has just been given away goes nowhere: forwarded, it would make both sides believe in a
 * connection that has no entry. The client sends it again and learns what has become of it.
 */
static __always_inline enum rr_verdict client_open(const int af, struct conn *c)
{
	if (c->flags & (TCPF_RST | TCPF_FIN) && !judge_near(c->seq, c->two ? c->r.ack : c->s.ack))
		return RR_V_GO;
	client_touch(af, c);
	if (c->flags & TCPF_RST) {
		pair_move(af, c, RR_FLOW_RST, RR_FLOW_F_RST_CLIENT);
		return RR_V_GO;
	}
	if (pair_is_claimed_over(c) && client_disproves(c) && !pair_reopen(af, c, RR_FLOW_F_RSTS))
		return RR_V_FLOW_RACE;
	if (c->flags & TCPF_FIN)
		client_fin(af, c);
	return RR_V_GO;
}

/* What a packet other than a SYN does to the flow that it belongs to. */
static __always_inline enum rr_verdict client_follow(const int af, struct conn *c)
{
	__u32 state = RR_META_STATE(c->s.h.meta);

	if (state == RR_FLOW_KILLED)
		return client_killed(af, c);
	if (state < RR_FLOW_EST)
		return client_half(af, c);
	return client_open(af, c);
}

/* The packet goes where its entry says. */
static __always_inline enum rr_verdict client_known(struct conn *c)
{
	c->endpoint = RR_META_EP(c->s.h.meta);
	c->local = RR_META_VIA(c->s.h.meta);
	c->port = c->s.h.port;
	return RR_V_GO;
}

/* A SYN on a live entry follows it and draws no ticket. */
static __always_inline enum rr_verdict client_syn(const int af, struct conn *c,
						  const struct rr_service *svc)
{
	if (client_starts_anew(af, c, svc))
		return port_end(af, c) ? open_conn(af, c, svc) : RR_V_FLOW_RACE;
	client_syn_again(af, c);
	return client_known(c);
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
	port_rest(af, c);
	return v ? v : client_known(c);
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
