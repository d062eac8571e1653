/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * work.h - what the steps flow, pick and conn hand each other: plain data, no map, no helper.
 */
#ifndef RR_WORK_H
#define RR_WORK_H

struct fkey {
	__u64 key; /* RR_KEY4; address bits 0 for IPv6 */
	__u64 a0, a1; /* IPv6 address; unused for IPv4 */
};

/* A believed reading of one entry (I2). */
struct fsnap {
	__u64 meta;
	__u64 peer0, peer1; /* reverse: client address words */
	__u32 slot; /* set * ways + way */
	__u32 seen;
	__u16 port, eport, service, pad;
};

/* A slot that this CPU owns (CLAIMED). */
struct fslot {
	__u64 meta; /* the CLAIMED value */
	__u64 was; /* what it replaced */
	__u32 slot;
	__u16 was_service;
	__u16 was_forward; /* what it replaced was a forward entry */
};

struct pick {
	__u64 ticket;
	__u32 endpoint; /* 0 = none takes it */
};

/*
 * One packet on the slow path, and the path's working memory: it lives in the per-CPU map `scratch`, because the
 * chain of functions would overflow the stack. A CPU runs one packet at a time.
 */
struct conn {
	struct fkey key; /* of the packet's own direction */
	__u64 seed;
	__u64 mac; /* source MAC of the frame, as in a hop word */
	__u32 now; /* jiffies */
	__u32 seq, ack; /* host order */
	__u32 service;
	__u32 endpoint; /* forward: out */
	__u32 local; /* forward: out */
	__u32 hop; /* new connections: id of the hop that the SYN came by */
	__u32 ifindex; /* ingress */
	__u16 port; /* forward: local port, out */
	__u16 client_port; /* forward: in */
	__u16 vlan; /* of the frame */
	__u16 data; /* TCP payload bytes */
	__u8 flags; /* TCP */
	__u8 last_ttl; /* forward: the frame may not be routed any further */
	/* working memory */
	__u64 peer0, peer1; /* client address words, as in struct fsnap */
	struct fsnap s; /* the entry of `key` */
	struct fsnap r; /* its partner, or what sits on a wanted port */
	struct fslot own; /* the forward slot being filled */
	struct fslot rown; /* the reverse one */
	struct fkey k; /* of `r` */
	struct pick pick;
};

#endif
