/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rr_flow.h - the entries of the flow table: states, the owner word, keys and bodies.
 *
 * A connection is one entry or, where replies come through us, two: the forward entry is found by
 * the client's packets, the reverse entry by the endpoint's. rr_pair.h says how the two belong
 * together and has their cold record. Conventions (byte order, padding, time) as in rr_table.h.
 */
#ifndef RR_FLOW_H
#define RR_FLOW_H

#include <linux/types.h>

#define RR_FLOW4_WAYS 4u /* entries of one set: 4 x 32 B = two adjacent cache lines */
#define RR_FLOW6_WAYS 4u /* 4 x 64 B */
#define RR_FLOW4_SETS_DEFAULT (1u << 18)
#define RR_FLOW6_SETS_DEFAULT (1u << 16)

/* ---- maps `flows4`, `flows6`: sets of flow entries ------------------------------------------- */
/*
 * Protocol between CPUs and controller (model-checked by tests/spin/flow.pml, hammered by
 * tests/bpf):
 *  - `meta` is the owner word. A slot is taken only by compare-and-swap of `meta` from a value that
 *    was judged free or evictable to {state CLAIMED, gen + 1}; a live established entry is never
 *    judged so.
 *  - The owner writes key and fields, then publishes by storing `meta` with the final state.
 *  - A reader loads meta, key, fields, meta again, and believes them only if both meta have the
 *    same gen and a live state. State changes are compare-and-swap on `meta`, so they never hit a
 *    new owner.
 *  - After writing the key and before publishing, the owner scans the key's other candidate slots;
 *    if any non-empty slot has the same key, it gives its own slot back: at most one published
 *    entry a key.
 *  - EMPTY says the slot is free whatever the other words hold.
 */
/*
 * X(ID, word, help): `word` as in rrctl, JSON and the manual. The value of a row is ABI; at most
 * 16.
 */
#define FLOW_STATES(X) \
	X(EMPTY, none, "the slot is free") \
	X(CLAIMED, claimed, "its owner is filling it; not yet visible") \
	X(SYN, syn, "half-open: the SYN was forwarded") \
	X(SYNACK, synack, "half-open: the endpoint answered") \
	X(EST, est, "the client's ACK completed the handshake") \
	X(FIN1, fin1, "one side has sent FIN") \
	X(FIN2, fin2, "both sides have sent FIN") \
	X(RST, rst, "RST seen: closed, unless packets go on") \
	X(KILLED, killed, \
	  "by an operator or a drain deadline: the next packet of each side is answered with RST")

enum rr_flow_state {
#define RR_FLOW_STATE_ID(id, word, help) RR_FLOW_##id,
	FLOW_STATES(RR_FLOW_STATE_ID)
#undef RR_FLOW_STATE_ID
		RR_FLOW_STATES
};

/* Flags of an entry. What nothing sets yet is named, so that the layout need not change for it. */
#define RR_FLOW_F_FIN_CLIENT 0x001u
#define RR_FLOW_F_FIN_SERVER 0x002u
#define RR_FLOW_F_REST 0x004u /* the endpoint closed first: its port must rest long */
/*
 * State RST: whose RST was accepted. Until the flow has been silent for a second it is a claim,
 * which the other packets of that side disprove. Neither: it was reset half-open.
 */
#define RR_FLOW_F_RST_CLIENT 0x008u
#define RR_FLOW_F_RST_SERVER 0x010u
#define RR_FLOW_F_TOLD 0x020u /* killed, and the client was answered with RST */
#define RR_FLOW_F_SHIFT 0x040u /* not set yet: sequence numbers are translated */
#define RR_FLOW_F_TURN 0x080u /* not set yet: the pair record follows turns */
#define RR_FLOW_F_LAST_SERVER 0x100u /* not set yet: the last payload was the endpoint's */
#define RR_FLOW_F_MUXED 0x200u /* not set yet: turns cannot be told apart */
#define RR_FLOW_F_PROVEN 0x400u /* not set yet: the client's address has passed a challenge */
#define RR_FLOW_F_TOMB \
	0x800u /* not set yet: an abandoned attempt, whose late answers are stopped */
#define RR_FLOW_F_FINS (RR_FLOW_F_FIN_CLIENT | RR_FLOW_F_FIN_SERVER)
#define RR_FLOW_F_RSTS (RR_FLOW_F_RST_CLIENT | RR_FLOW_F_RST_SERVER)

/*
 * meta, the owner word:
 *
 *   63            48 47            32 31        20 19   16 15             0
 *  +----------------+----------------+------------+-------+----------------+
 *  |      via       |  endpoint id   |   flags    | state |      gen       |
 *  +----------------+----------------+------------+-------+----------------+
 *
 * via: forward entry = local id (0 without one); reverse entry = hop id towards the client.
 */
#define RR_META_GEN(m) ((__u16)(m))
#define RR_META_STATE(m) ((__u32)((m) >> 16) & 0xfu)
#define RR_META_FLAGS(m) ((__u32)((m) >> 20) & 0xfffu)
#define RR_META_EP(m) ((__u16)((m) >> 32))
#define RR_META_VIA(m) ((__u16)((m) >> 48))
#define RR_META_MAKE(gen, state, flags, ep, via) \
	((__u64)(__u16)(gen) | ((__u64)((state)&0xfu) << 16) | ((__u64)((flags)&0xfffu) << 20) | \
	 ((__u64)(__u16)(ep) << 32) | ((__u64)(__u16)(via) << 48))

/*
 * What both families share. Forward and reverse entries use the same places for different things.
 */
struct rr_flow {
	__u64 meta;
	__u32 seen; /* jiffies of the last packet, written only when it changed */
	/*
	 * Upper half of this side's last acknowledgement, written with `seen`; forward entry of a
	 * mode that does not see the endpoint's half: of the end of the client's last packet.
	 */
	__u16 ack;
	__u16 port; /* forward: local port (0 without one); reverse: client port. network order */
	union {
		/* forward: slot (set * ways + way) of its reverse entry, and so of the record */
		__u32 slot;
		__u32 peer; /* reverse, flows4: client address (network order); flows6: 0 */
	};
	union {
		__u16 hop; /* forward: hop id of the client's last packets; not written yet: 0 */
		__u16 listener; /* reverse: what the client connected to */
	};
	__u16 pad; /* what a store that only fetches the line may write */
};
_Static_assert(sizeof(struct rr_flow) == 24, "rr_flow");

/*
 * 64-bit key: bits 0-31 address (0 in flows6) | 32-47 port (network order) | 48-63 tag.
 * forward: client address and port; tag = bits 0-9 listener id, bit 10 protocol.
 * reverse: endpoint address, local port; tag = bit 15 REV, bit 10 protocol, bits 0-7 local id.
 */
#define RR_TAG_REV 0x8000u
#define RR_TAG_UDP 0x0400u /* the protocol bit: TCP 0 */
#define RR_TAG_LISTENER(tag) ((tag)&0x3ffu)
#define RR_TAG_LOCAL(tag) ((tag)&0xffu)
#define RR_KEY_MAKE(addr, port, tag) \
	((__u64)(__u32)(addr) | ((__u64)(__u16)(port) << 32) | ((__u64)(__u16)(tag) << 48))
#define RR_KEY_PORT(k) ((__u16)((k) >> 32))
#define RR_KEY_TAG(k) ((__u16)((k) >> 48))

struct rr_flow4 {
	__u64 key;
	struct rr_flow f;
};
_Static_assert(sizeof(struct rr_flow4) == 32, "rr_flow4");

struct rr_flow6 {
	__u64 key; /* address bits 0 */
	/* forward: client address; reverse: endpoint address; IPv4 mapped (RFC 4291 2.5.5.2) */
	__u64 addr[2];
	struct rr_flow f;
	__u64 peer[2]; /* reverse: client address, an IPv4 one mapped; forward: 0, free */
};
_Static_assert(sizeof(struct rr_flow6) == 64, "rr_flow6");

struct rr_set4 {
	struct rr_flow4 e[RR_FLOW4_WAYS];
};
_Static_assert(sizeof(struct rr_set4) == 128, "rr_set4");

struct rr_set6 {
	struct rr_flow6 e[RR_FLOW6_WAYS];
};
_Static_assert(sizeof(struct rr_set6) == 256, "rr_set6");

#endif
