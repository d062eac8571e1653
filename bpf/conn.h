/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conn.h - struct conn: one packet on the slow path, and the path's working memory. Everything that
 * changes a connection works on it: new connections (open.h, port.h), handshakes, FIN and RST
 * (client.h, server.h), both entries together (pair.h).
 *
 * It holds no packet pointer - all that they need of the packet is copied into it - and lives in a
 * per-CPU map, because the chain of functions would overflow the 512 bytes of stack. A CPU runs one
 * packet at a time. The functions that take it are global: the verifier checks each once.
 */
#ifndef RR_BPF_CONN_H
#define RR_BPF_CONN_H

#include "base.h"
#include "flow.h"
#include "maps.h"
#include "pick.h"
#include "pkt.h"
#include "rr_pair.h"
#include "slot.h"

/* A local port that may be taken when none is free. */
struct conn_port {
	__u32 local;
	__u32 rank; /* of a resting port: its age + 1; of a half-open flow: its score */
	__u16 port; /* network order */
	__u16 pad[3];
};

struct conn {
	struct rr_key key; /* of the packet's own direction */
	__u64 seed; /* of the flow table's hash */
	__u64 mac; /* source MAC of the frame, as in a hop word */
	__u32 now; /* jiffies */
	__u32 hz; /* of these, a second */
	__u32 seq, ack; /* host order */
	__u32 listener; /* client's packet: what it is sent to; server's: out */
	__u32 service; /* whose that is */
	__u32 slot; /* server's packet: where the reverse entry was found */
	__u32 ifindex; /* ingress */
	__u16 vlan; /* of the frame */
	__u16 data; /* TCP payload bytes */
	__u8 flags; /* TCP */
	__u8 last_ttl; /* client's packet: the frame may not be routed any further */
	/* out, where a client's packet goes */
	__u8 two; /* the connection has a reverse entry */
	__u8 pad;
	__u16 port; /* local port, network order */
	__u16 pad1;
	__u32 local;
	__u32 endpoint; /* 0 = not known yet */
	/* working memory */
	__u32 hop; /* new connections: id of the hop that the SYN came by */
	struct flow_seen s; /* the forward entry */
	struct flow_seen r; /* the reverse one, or what sits on a wanted port */
	struct slot own; /* the forward slot being filled */
	struct slot rown; /* the reverse one */
	struct rr_key k; /* a reverse key */
	struct pick pick;
	/* what the search for a local port has come by */
	struct conn_port resting; /* rank 0: none */
	struct conn_port half_open; /* rank SLOT_KEEP: none */
	__u32 busy; /* ports that are in use */
	__u32 pad2;
};

/* key 0; value: this CPU's packet on the slow path. writer, reader: path */
RR_PERCPU(scratch, struct conn, 1);

static __always_inline bool conn_is_syn(const struct conn *c)
{
	return (c->flags & (TCPF_SYN | TCPF_ACK)) == TCPF_SYN;
}

static __always_inline bool conn_is_answer(const struct conn *c)
{
	return (c->flags & (TCPF_SYN | TCPF_ACK)) == (TCPF_SYN | TCPF_ACK);
}

#endif
