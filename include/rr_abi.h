/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rr_abi.h - what the packet path and the controller agree on: map values, limits, flag bits.
 *
 * Data only; included by bpf/ (clang, target bpf) and by controller/ (gcc). Every struct spells out
 * its padding and asserts its size. Addresses and ports are in network byte order exactly as they
 * stand in a packet; everything else is in host order. Only little-endian hosts are supported.
 *
 * Time: `jiffies` fields hold the low 32 bits of bpf_jiffies64(), compared by signed difference; one
 * tick is 1/HZ s and the controller learns HZ from the kernel (sys/dp.h, dp_clock()).
 *
 * Every map has a layout version of its own (RR_MAPS below), which is part of the name of its pin.
 * A change of layout raises it: an upgrade makes only that map anew and keeps all others with their
 * contents.
 */
#ifndef RR_ABI_H
#define RR_ABI_H

#include <linux/types.h>

#include "rr_policy.h"

#define RR_BPFFS_DIR "/sys/fs/bpf/rrlb" /* pins: DIR/<map>_v<its version>, DIR/rr_xdp_v1 */
#define RR_PROG_NAME "rr_xdp"
/*
 * Operators type this name (`ip link set ... xdp pinned`), and it stands in their scripts. It names
 * the program and no layout: the program brings its maps along, whatever their versions are. So it
 * stays as it is for good.
 */
#define RR_PROG_PIN "rr_xdp_v1"

/* ---- limits ------------------------------------------------------------------------------------ */
#define RR_MAX_SERVICES 256u /* service ids 0..255 */
#define RR_MAX_ENDPOINTS 8192u /* endpoint ids 1..8191; 0 means "none" */
#define RR_MAX_SVC_ENDPOINTS 1024u
#define RR_MAX_SLOTS 4096u /* rotation slots of one service (a power of two) */
#define RR_MAX_LOCALS 256u /* local (source) addresses of nat mode, ids 0..255 */
#define RR_MAX_IFACES 15u /* interfaces, slots 0..14: a hop word has four bits for slot + 1 */
#define RR_MAX_HOPS \
	4096u /* learned next hops towards clients (a power of two); id 0 means "none" */
#define RR_MAX_STEPS 8u /* endpoints stepped over for one new connection */
#define RR_VIP_BUCKETS 512u /* buckets of one copy of the address table (a power of two) */
#define RR_VIP_WAYS 4u
#define RR_FLOW4_WAYS 4u /* entries of one set: 4 x 32 B = two adjacent cache lines */
#define RR_FLOW6_WAYS 4u /* 4 x 64 B */
#define RR_FLOW4_SETS_DEFAULT (1u << 18)
#define RR_FLOW6_SETS_DEFAULT (1u << 16)
#define RR_PORT_LO_DEFAULT 1024u /* nat local ports, inclusive; below Linux's ephemeral range */
#define RR_PORT_HI_DEFAULT 32767u

/* ---- small enumerations (values are ABI) ------------------------------------------------------- */
enum rr_mode { RR_MODE_NAT = 0, RR_MODE_DSR = 1 };
enum rr_family { RR_AF_NONE = 0, RR_AF_INET = 4, RR_AF_INET6 = 6 };

/* An address as it stands in the packet; IPv4 in a[0..3], the rest zero. */
struct rr_addr {
	__u8 a[16];
};

/*
 * Next hop: MAC, VLAN and interface packed in one word, so that one aligned store changes it whole.
 * bits 0-47 MAC (byte 0 of the MAC in bits 0-7), 48-59 VLAN id (0 = untagged), 60-63 interface slot + 1.
 * 0 = unresolved.
 */
#define RR_HOP_SLOT(w) ((__u32)((w) >> 60) - 1u)
#define RR_HOP_VLAN(w) ((__u16)((w) >> 48) & 0xfffu)
#define RR_HOP_MAC_MASK 0x0000ffffffffffffull
#define RR_HOP_MAKE_VLAN(slot, mac48, vlan) \
	((((__u64)(slot) + 1) << 60) | ((__u64)((vlan)&0xfffu) << 48) | ((mac48)&RR_HOP_MAC_MASK))
#define RR_HOP_MAKE(slot, mac48) RR_HOP_MAKE_VLAN(slot, mac48, 0)

/* ---- map `control`: one element, written by push, read by the packet path ------------------------ */
struct rr_control {
	/* The version of this map, RR_VERSION_CONTROL, once a controller has set the maps up; 0 before. */
	__u32 abi_version;
	__u32 enabled; /* 0: pass every packet untouched */
	__u64 hash_seed; /* secret; set once when the maps are created, kept while flows live */
	__u64 vip_active; /* bit 0: active copy of `vips`; bits 32-63: seed of its hash */
	__u32 rst_rate; /* RSTs a second that one CPU may send; 0 = none */
	__u32 hz; /* jiffies a second */
	__u32 flow4_sets; /* as loaded: a restarted controller checks them */
	__u32 flow6_sets;
	__u16 port_lo; /* nat local ports, host order, inclusive (copy of the load-time knobs) */
	__u16 port_hi;
	__u32 pad;
	__u64 start_ns; /* CLOCK_BOOTTIME when the maps were created */
	__u64 pad1;
};
_Static_assert(sizeof(struct rr_control) == 64, "rr_control");

/* ---- map `vips`: (address, port, protocol) -> service, and (local address) -> local id ----------- */
/*
 * 2 copies x RR_VIP_BUCKETS buckets; bucket of copy c is element c * RR_VIP_BUCKETS + h, where
 * h = rr_vip_hash(a0, a1, kind, vip_seed) & (RR_VIP_BUCKETS - 1) (include/rr_hash.h). The controller fills
 * the spare copy under a seed for which no bucket overflows and switches with one store to `vip_active`.
 */
enum rr_vip_type { RR_VIP_NONE = 0, RR_VIP_SERVICE = 1, RR_VIP_LOCAL = 2 };

struct rr_vip {
	__u64 a0, a1; /* address: v4 in the low 32 bits of a0 (as loaded from the packet), a1 = 0 */
	__u64 kind; /* port(network order, 16; 0 for LOCAL) | proto << 16 | family << 24 | type << 32 */
	__u32 id; /* service id or local id */
	__u32 pad;
};
_Static_assert(sizeof(struct rr_vip) == 32, "rr_vip");
#define RR_VIP_KIND(port_be, proto, family, type) \
	((__u64)(__u16)(port_be) | ((__u64)(proto) << 16) | ((__u64)(family) << 24) | \
	 ((__u64)(type) << 32))

struct rr_vip_bucket {
	struct rr_vip e[RR_VIP_WAYS];
};
_Static_assert(sizeof(struct rr_vip_bucket) == 128, "rr_vip_bucket");

/* ---- map `services`: element = service id -------------------------------------------------------- */
#define RR_SVC_PRESENT 1u
#define RR_SVC_PAUSED 2u /* takes no new connection (overflow rule); its flows go on */

struct rr_service {
	struct rr_addr addr;
	__u16 port; /* network order */
	__u8 proto; /* IPPROTO_TCP */
	__u8 family;
	__u8 mode; /* enum rr_mode */
	__u8 on_unknown; /* enum rr_unknown: mid-flow packet without a flow */
	__u8 overflow; /* enum rr_overflow: no endpoint takes the new connection */
	__u8 pad0;
	__u32 flags; /* RR_SVC_* */
	__u32 rotation; /* one store switches: bit 31 = active copy of `rotations`, bits 0-30 = slots L */
	/* timeouts in jiffies since the flow's last packet, by flow state */
	__u32 t_syn; /* half-open */
	__u32 t_est; /* established idle */
	__u32 t_fin1; /* one FIN seen */
	__u32 t_fin2; /* both FINs seen */
	__u32 t_rst; /* RST seen */
	__u32 pad1[3];
};
_Static_assert(sizeof(struct rr_service) == 64, "rr_service");
#define RR_ROT_COPY(r) ((r) >> 31)
#define RR_ROT_LEN(r) ((r)&0x7fffffffu)
#define RR_ROT_MAKE(copy, len) (((__u32)(copy) << 31) | (len))

/* map `cursors`: element = service id; padded to a line of its own. Never reset. */
struct rr_cursor {
	__u64 ticket; /* next ticket; the packet path adds, nobody else writes */
	__u64 pad[7];
};
_Static_assert(sizeof(struct rr_cursor) == 64, "rr_cursor");

/* map `rotations`: element = service id * 2 + copy. Slots 0..L-1 hold endpoint ids. */
struct rr_rotation {
	__u16 slot[RR_MAX_SLOTS];
};
_Static_assert(sizeof(struct rr_rotation) == 8192, "rr_rotation");

/* ---- map `endpoints`: element = endpoint id ------------------------------------------------------ */
#define RR_EP_PRESENT 1u
#define RR_EP_NO_NEW \
	2u /* ejected, down, drained, in maintenance, full: new connections step over it */
#define RR_EP_GONE 4u /* removed for good: its flows are answered with RST */

struct rr_endpoint {
	struct rr_addr addr;
	__u16 port; /* network order */
	__u8 family;
	__u8 pad0;
	__u32 flags; /* RR_EP_*: one store takes effect at once */
	__u64 hop; /* RR_HOP_MAKE; 0 = next hop not resolved */
	__u16 service;
	__u16 local_first; /* nat: its source addresses are locals[local_first .. + local_count - 1] */
	__u16 local_count;
	__u16 pad1;
	__u32 pad2[6];
};
_Static_assert(sizeof(struct rr_endpoint) == 64, "rr_endpoint");

/* map `locals`: element = local id */
struct rr_local {
	struct rr_addr addr;
	__u8 family; /* 0 = unused */
	__u8 pad[15];
};
_Static_assert(sizeof(struct rr_local) == 32, "rr_local");

/* map `ifaces`: element = interface slot; the devmap `tx_ports` has the same slots */
struct rr_iface {
	__u32 ifindex; /* 0 = unused */
	__u8 mac[6];
	__u16 pad;
};
_Static_assert(sizeof(struct rr_iface) == 12, "rr_iface");

/* map `hops`: element = hop id; a hop word as above. The packet path inserts by compare-and-swap the hop
 * by which a client's SYN arrived; nobody removes. */

/* ---- maps `flows4`, `flows6`: sets of flow entries ----------------------------------------------- */
/*
 * Protocol between CPUs and controller (model-checked by tests/spin/flow.pml, hammered by tests/bpf):
 *  - `meta` is the owner word. A slot is taken only by compare-and-swap of `meta` from a value that was
 *    judged free or evictable to {state CLAIMED, gen + 1}; a live established entry is never judged so.
 *  - The owner writes key and fields, then publishes by storing `meta` with the final state.
 *  - A reader loads meta, key, fields, meta again, and believes them only if both meta have the same gen
 *    and a live state. State changes are compare-and-swap on `meta`, so they never hit a new owner.
 *  - After writing the key and before publishing, the owner scans the key's other candidate slots; if any
 *    non-empty slot has the same key, it gives its own slot back: at most one published entry a key.
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
	X(RST, rst, "RST seen: closed") \
	X(KILLED, killed, \
	  "by an operator or a drain deadline: the next packet of each side is answered with RST")

enum rr_flow_state {
#define RR_FLOW_STATE_ID(id, word, help) RR_FLOW_##id,
	FLOW_STATES(RR_FLOW_STATE_ID)
#undef RR_FLOW_STATE_ID
		RR_FLOW_STATES
};
#define RR_FLOW_F_FIN_CLIENT 1u
#define RR_FLOW_F_FIN_SERVER 2u
#define RR_FLOW_F_TOLD 4u /* killed, and the client was answered with RST */

/*
 * meta: bits 0-15 gen, 16-23 state, 24-31 flags, 32-47 endpoint id, 48-63 via.
 * via: forward entry = local id (nat); reverse entry = hop id towards the client.
 */
#define RR_META_GEN(m) ((__u16)(m))
#define RR_META_STATE(m) ((__u8)((m) >> 16))
#define RR_META_FLAGS(m) ((__u8)((m) >> 24))
#define RR_META_EP(m) ((__u16)((m) >> 32))
#define RR_META_VIA(m) ((__u16)((m) >> 48))
#define RR_META_MAKE(gen, state, flags, ep, via) \
	((__u64)(__u16)(gen) | ((__u64)(__u8)(state) << 16) | ((__u64)(__u8)(flags) << 24) | \
	 ((__u64)(__u16)(ep) << 32) | ((__u64)(__u16)(via) << 48))

/* What both families share. */
struct rr_flow {
	__u64 meta;
	__u32 seen; /* jiffies of the last packet, written only when it changed */
	__u16 port; /* forward: local port (nat; 0 in dsr); reverse: client port. network order */
	__u16 service; /* service id */
	__u32 peer; /* flows4 reverse: client address (network order); else 0 */
	__u16 eport; /* reverse: the endpoint's port (network order); else 0 */
	__u16 pad;
};
_Static_assert(sizeof(struct rr_flow) == 24, "rr_flow");

/*
 * 64-bit key, bits 0-31 address | 32-47 port (network order) | 48-63 tag.
 * forward: client address, client port, service id. reverse: endpoint address, local port, RR_KEY_REV | local id.
 */
#define RR_KEY_REV 0x8000u
#define RR_KEY4(addr, port, tag) \
	((__u64)(__u32)(addr) | ((__u64)(__u16)(port) << 32) | ((__u64)(__u16)(tag) << 48))
#define RR_KEY_PORT(k) ((__u16)((k) >> 32))
#define RR_KEY_TAG(k) ((__u16)((k) >> 48))

struct rr_flow4 {
	__u64 key;
	struct rr_flow f;
};
_Static_assert(sizeof(struct rr_flow4) == 32, "rr_flow4");

struct rr_flow6 {
	__u64 key; /* RR_KEY4 with address bits 0 */
	__u64 addr[2]; /* forward: client address; reverse: endpoint address */
	struct rr_flow f;
	__u64 peer[2]; /* reverse: client address */
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

/* ---- maps `cold4`, `cold6`: element = set * WAYS + way of the FORWARD entry ----------------------- */
/* Written and read only by SYN, SYN-ACK, handshake ACK, FIN and RST packets. Sequence numbers are host order. */
struct rr_cold {
	__u32 isn_client;
	__u32 isn_server; /* valid from state SYNACK on */
	__u32 opened; /* jiffies when the entry was made */
	__u16 syn_count; /* SYNs forwarded: 1 + retransmissions */
	__u16 syn_data; /* bytes that the SYN carried (TCP Fast Open): its answer may cover them */
	__u64 ticket; /* the ticket that this connection drew */
	__u64 pad1;
};
_Static_assert(sizeof(struct rr_cold) == 32, "rr_cold");

/* ---- counters: per CPU, monotonic; active = established - closed ----------------------------------- */
enum rr_dir { RR_DIR_FWD = 0, RR_DIR_REV = 1 };

/* maps `ep_stats` (element = endpoint id) and `svc_stats` (element = service id): per-CPU */
struct rr_stats {
	__u64 packets[2]; /* [RR_DIR_FWD] client -> endpoint, [RR_DIR_REV] back */
	__u64 bytes[2]; /* frame bytes as received, Ethernet header included */
	__u64 conns; /* new connections: SYN given to the endpoint */
	__u64 established; /* handshakes completed */
	__u64 closed; /* established flows that left EST in the packet path (FIN, RST, evicted) */
	__u64 refused; /* services only: new connections refused (no endpoint, table full, no port) */
};
_Static_assert(sizeof(struct rr_stats) == 64, "rr_stats");

/* map `ep_swept`: element = endpoint id; written by the controller only: established flows that it expired
 * or killed, and drift corrections. active(ep) = sum(established) - sum(closed) - swept.closed. */
struct rr_swept {
	__u64 closed;
	__u64 drift; /* absolute sum of corrections */
};
_Static_assert(sizeof(struct rr_swept) == 16, "rr_swept");

/* map `verdicts`: per-CPU array, element = enum rr_verdict: packets (u64). See rr_verdict.h. */
/* map `buckets`: per-CPU, element 0: RST rate limit. */
struct rr_bucket {
	__u32 jiffies;
	__u32 tokens;
};
_Static_assert(sizeof(struct rr_bucket) == 8, "rr_bucket");

/*
 * Every map, one row: id, name, "1 if the controller maps it into its memory", layout version,
 * kind. Names fit BPF_OBJ_NAME_LEN.
 *
 * Whoever changes what the elements of a map mean, their size or their number raises the version of
 * its row, and of nothing else. The kind says what an upgrade does with the contents:
 *   SETUP   written by the controller alone. The new map takes over every field that has the same
 *           name in both layouts (so a field whose meaning changes gets another name).
 *   COUNTS  written by packets, too. The same, but what packets add while the programs change
 *           places is lost.
 *   FLOWS   entries, and what entries point at by number and packets hand out. A change costs every
 *           flow, so it is refused unless the operator asks for it (rrlbd --replace-maps). So
 *           that they can be counted then, a new layout gets a row in controller/sys/dp_past.c.
 * Maps that mean something only together share a version: the flow tables with their records and
 * the numbers in them; a table that exists twice, with the map whose word says which copy is in
 * force (else an old program that still runs would read the switch of a table it does not have).
 * Flows also hold ids of `services`, `endpoints` and `locals`: these are SETUP, because the ids are
 * the elements' indexes and stay as they are.
 */
#define RR_FLOWS_VERSION 1
#define RR_VIPS_VERSION 1
#define RR_ROTATIONS_VERSION 1

#define RR_MAPS(X) \
	X(CONTROL, control, 1, RR_VIPS_VERSION, SETUP) \
	X(VIPS, vips, 1, RR_VIPS_VERSION, SETUP) \
	X(SERVICES, services, 1, RR_ROTATIONS_VERSION, SETUP) \
	X(CURSORS, cursors, 1, 1, COUNTS) \
	X(ROTATIONS, rotations, 1, RR_ROTATIONS_VERSION, SETUP) \
	X(ENDPOINTS, endpoints, 1, 1, SETUP) \
	X(LOCALS, locals, 1, 1, SETUP) \
	X(IFACES, ifaces, 1, 1, SETUP) \
	X(TX_PORTS, tx_ports, 0, 1, SETUP) \
	X(HOPS, hops, 1, RR_FLOWS_VERSION, FLOWS) \
	X(FLOWS4, flows4, 1, RR_FLOWS_VERSION, FLOWS) \
	X(FLOWS6, flows6, 1, RR_FLOWS_VERSION, FLOWS) \
	X(COLD4, cold4, 1, RR_FLOWS_VERSION, FLOWS) \
	X(COLD6, cold6, 1, RR_FLOWS_VERSION, FLOWS) \
	X(EP_STATS, ep_stats, 0, 1, COUNTS) \
	X(SVC_STATS, svc_stats, 0, 1, COUNTS) \
	X(EP_SWEPT, ep_swept, 1, 1, COUNTS) \
	X(VERDICTS, verdicts, 0, 1, COUNTS) \
	X(BUCKETS, buckets, 0, 1, COUNTS)

enum rr_map {
#define RR_MAP_ID(id, ...) RR_MAP_##id,
	RR_MAPS(RR_MAP_ID)
#undef RR_MAP_ID
		RR_MAP_MAX
};

enum rr_map_kind { RR_KIND_SETUP, RR_KIND_COUNTS, RR_KIND_FLOWS };

enum rr_map_version {
#define RR_MAP_VERSION(id, name, mm, version, kind) RR_VERSION_##id = (version),
	RR_MAPS(RR_MAP_VERSION)
#undef RR_MAP_VERSION
};

#endif
