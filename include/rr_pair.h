/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rr_pair.h - how the two entries of a connection belong together, said once for the packet path,
 * the controller's walk and the tests: keys of both, the predicate of a pair, the timeouts by
 * state, and the cold record that they share.
 *
 * Table rule: a forward entry lies in the table of the client's family. Its reverse entry lies in
 * flows4 when client and endpoint are both IPv4, else in flows6, with IPv4 addresses mapped (RFC
 * 4291 2.5.5.2).
 */
#ifndef RR_PAIR_H
#define RR_PAIR_H

#include <linux/types.h>

#include "rr_flow.h"
#include "rr_table.h"

#define RR_INLINE static inline __attribute__((always_inline))

/* ---- keys ------------------------------------------------------------------------------------ */

struct rr_key {
	__u64 key; /* RR_KEY_MAKE; address bits 0 in flows6 */
	__u64 a[2]; /* flows6: the address; flows4: a[0] its copy, not compared */
};

/*
 * An IPv4 address (network order) as the second word of a mapped IPv6 one, as loaded from memory.
 */
RR_INLINE __u64 rr_addr_mapped(__u32 v4)
{
	return 0xffff0000ull | ((__u64)v4 << 32);
}

/* The table (RR_AF_INET: flows4) in which the reverse entry of a pair lies. */
RR_INLINE int rr_pair_table(int client_af, int endpoint_af)
{
	return client_af == RR_AF_INET && endpoint_af == RR_AF_INET ? RR_AF_INET : RR_AF_INET6;
}

/*
 * Address words a0, a1 of family `af` (IPv4 in the low half of a0) as they stand in table
 * `table`.
 */
RR_INLINE void rr_key_make(struct rr_key *k, int table, int af, __u64 a0, __u64 a1, __u16 port,
			   __u16 tag)
{
	int mapped = table == RR_AF_INET6 && af == RR_AF_INET;

	k->key = RR_KEY_MAKE(table == RR_AF_INET ? a0 : 0, port, tag);
	k->a[0] = mapped ? 0 : a0;
	k->a[1] = mapped ? rr_addr_mapped((__u32)a0) : a1;
}

RR_INLINE __u16 rr_tag_forward(__u32 listener, int udp)
{
	return (__u16)(RR_TAG_LISTENER(listener) | (udp ? RR_TAG_UDP : 0));
}

RR_INLINE __u16 rr_tag_reverse(__u32 local, int udp)
{
	return (__u16)(RR_TAG_REV | RR_TAG_LOCAL(local) | (udp ? RR_TAG_UDP : 0));
}

/* ---- the pair -------------------------------------------------------------------------------- */

/* What one entry says, as read in one life of its slot: all that the predicate needs. */
struct rr_half {
	__u64 meta, key;
	__u64 addr[2]; /* of the key, as in its table */
	__u64 peer[2]; /* reverse: the client, as in its table */
	__u32 slot; /* of the entry itself */
	__u32 link; /* forward: rr_flow.slot */
	__u16 port; /* rr_flow.port */
	__u16 listener; /* reverse: rr_flow.listener */
};

/*
 * Is `r` the reverse entry of `f`? Both name the endpoint, the local port and id, the client and
 * the listener.
 */
RR_INLINE int rr_pair_is(const struct rr_half *f, const struct rr_half *r, int mapped)
{
	__u16 ftag = RR_KEY_TAG(f->key), rtag = RR_KEY_TAG(r->key);
	__u64 p0 = mapped ? 0 : f->addr[0],
	      p1 = mapped ? rr_addr_mapped((__u32)f->addr[0]) : f->addr[1];

	return RR_META_EP(f->meta) == RR_META_EP(r->meta) && f->port == RR_KEY_PORT(r->key) &&
	       RR_KEY_PORT(f->key) == r->port && RR_TAG_LISTENER(ftag) == r->listener &&
	       rtag == rr_tag_reverse(RR_META_VIA(f->meta), ftag & RR_TAG_UDP) &&
	       p0 == r->peer[0] && p1 == r->peer[1];
}

/*
 * The least idle timeout of an established flow that a configuration can ask for. The packet path
 * relies on it: an entry whose last packet is not half as old cannot have been evicted.
 */
#define RR_IDLE_LEAST_SECONDS 30

/* Jiffies that a flow in `state` may idle. */
RR_INLINE __u32 rr_pair_timeout(const struct rr_service *svc, __u32 state)
{
	switch (state) {
	case RR_FLOW_EST:
		return svc->t_est;
	case RR_FLOW_FIN1:
		return svc->t_fin1;
	case RR_FLOW_FIN2:
		return svc->t_fin2;
	case RR_FLOW_SYN:
	case RR_FLOW_SYNACK:
		return svc->t_syn;
	default:
		return svc->t_rst;
	}
}

/*
 * Does the port of a flow that ends in this state, with these flags, rest only shortly? The
 * endpoint has no TIME_WAIT after a RST, nor when its FIN came last (RFC 9293 3.6).
 */
RR_INLINE int rr_pair_rests_short(__u64 meta)
{
	__u32 state = RR_META_STATE(meta);

	return state == RR_FLOW_RST ||
	       (state == RR_FLOW_FIN2 && !(RR_META_FLAGS(meta) & RR_FLOW_F_REST));
}

/*
 * The word of the port of a flow that has ended, `jiffies` being the time of its last packet. One
 * that rests shortly is dated back.
 */
RR_INLINE __u32 rr_pair_port_word(const struct rr_control *c, __u64 meta, __u32 jiffies, __u16 ack)
{
	__u32 time = rr_port_time(jiffies, c->port_shift);

	if (rr_pair_rests_short(meta))
		time -= (__u32)c->port_rest - c->port_rest_short;
	return rr_port_closed(time, ack);
}

/* ---- maps `pairs4`, `pairs6`: the cold record ------------------------------------------------ */
/*
 * Element = slot of the REVERSE entry in the table of that family; modes with one entry: of the
 * forward entry. One cache line, touched by SYN, SYN-ACK, handshake ACK, FIN and RST, by no other
 * packet. The endpoint's side finds it by its own slot, the client's by rr_flow.slot. `gen` is
 * that of the entry whose slot it is: a record of another life is not believed. Sequence numbers
 * are host order.
 */
#define RR_PAIR_OPTIONS_MAX \
	40 /* RFC 9293 3.1: a data offset of 15 words, less the fixed 20 bytes */

/* rr_pair.bits: what the SYN was like */
#define RR_PAIR_OPT_WORDS 0x0fu /* options, in 32-bit words; not written yet: 0 */
#define RR_PAIR_DATA 0x10u /* it carried data (TCP Fast Open); not written yet: 0 */
#define RR_PAIR_ECE 0x20u /* not written yet: 0 */
#define RR_PAIR_CWR 0x40u /* not written yet: 0 */

struct rr_pair {
	__u16 gen;
	__u16 window; /* of the SYN, network order; not written yet: 0 */
	__u32 forward; /* slot of the forward entry */
	__u32 ticket_lo; /* the ticket that this connection drew, 48 bits */
	__u16 ticket_hi;
	/* Bits 0-3: SYNs forwarded, 15 = more; 4-7: endpoints tried before, not written yet: 0. */
	__u8 tries;
	__u8 bits; /* RR_PAIR_* */
	__u32 opened; /* jiffies when the entry was made */
	__u32 isn_client;
	union {
		/* until the endpoint has answered; not written yet: 0 */
		__u8 options[RR_PAIR_OPTIONS_MAX];
		struct { /* from then on */
			__u32 isn_server; /* valid from state SYNACK on */
			/* Shift of sequence numbers; not written yet: 0, and so is all below. */
			__u32 delta_client;
			__u32 delta_server;
			__u32 turn_start; /* jiffies */
			__u16 turns;
			__u16 skip; /* bytes of a turn's first answer that are no answer */
			__u16 hello_left; /* bytes of the ClientHello still to come */
			__u16 wraps; /* of the byte counts */
			__u16 phases[3];
			__u8 turn_state;
			__u8 window_shift;
			/*
			 * bytes that the SYN carried, which its answer may cover; behind options
			 * of up to 32 bytes
			 */
			__u16 syn_data;
			/*
			 * lower half of the number behind the client's FIN, which the endpoint's
			 * FIN acknowledges if it closes last
			 */
			__u16 fin_client;
			__u16 pad[2];
		};
	};
};
_Static_assert(sizeof(struct rr_pair) == 64, "rr_pair");

#endif
