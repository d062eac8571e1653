/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rr_table.h - the tables that the controller fills and the packet path reads: who is a service,
 * where its endpoints are, by which way. And the list of all maps.
 *
 * Data only; included by bpf/ (clang, target bpf) and by controller/ (gcc). Every struct spells
 * out its padding and asserts its size. Addresses and ports are in network byte order exactly as
 * they stand in a packet; everything else is in host order. Only little-endian hosts are
 * supported.
 *
 * Time: `jiffies` fields hold the low 32 bits of bpf_jiffies64(), compared by signed difference;
 * one tick is 1/HZ s and the controller learns HZ from the kernel (sys/dp.h, dp_clock()).
 *
 * Every map has a layout version of its own (RR_MAPS below), which is part of the name of its pin.
 * A change of layout raises it: an upgrade makes only that map anew and keeps all others with their
 * contents.
 */
#ifndef RR_TABLE_H
#define RR_TABLE_H

#include <linux/types.h>

#include "rr_mode.h"
#include "rr_policy.h"
#include "rr_port.h"

#define RR_BPFFS_DIR "/sys/fs/bpf/rrlb" /* pins: DIR/<map>_v<its version>, DIR/rr_xdp_v1 */
#define RR_PROG_NAME "rr_xdp"
/*
 * Operators type this name (`ip link set ... xdp pinned`), and it stands in their scripts. It names
 * the program and no layout: the program brings its maps along, whatever their versions are. So it
 * stays as it is for good.
 */
#define RR_PROG_PIN "rr_xdp_v1"

/* ---- limits ---------------------------------------------------------------------------------- */
#define RR_MAX_SERVICES 256u /* service ids 0..255 */
#define RR_MAX_LISTENERS 1024u /* listener ids 0..1023: ten bits of a key's tag */
#define RR_MAX_ENDPOINTS 8192u /* endpoint ids 1..8191; 0 means "none" */
#define RR_MAX_SVC_ENDPOINTS 1024u
#define RR_MAX_SLOTS 4096u /* rotation slots of one service (a power of two) */
#define RR_MAX_LOCALS \
	256u /* local (source) addresses of nat mode, ids 0..255: eight bits of a tag */
#define RR_MAX_IFACES 15u /* interfaces, slots 0..14: a hop word has four bits for slot + 1 */
#define RR_MAX_HOPS \
	65536u /* learned next hops towards clients (a power of two); id 0 means "none" */
#define RR_MAX_STEPS 8u /* endpoints stepped over for one new connection */
/*
 * Buckets of one copy of the address table (a power of two): room for every listener and local
 * address.
 */
#define RR_VIP_BUCKETS 2048u
#define RR_VIP_WAYS 4u
#define RR_PORT_LO_DEFAULT 1024u /* nat local ports, inclusive; below Linux's ephemeral range */
#define RR_PORT_HI_DEFAULT 32767u

/* ---- small enumerations (values are ABI) ----------------------------------------------------- */
enum rr_family { RR_AF_NONE = 0, RR_AF_INET = 4, RR_AF_INET6 = 6 };

/* An address as it stands in the packet; IPv4 in a[0..3], the rest zero. */
struct rr_addr {
	__u8 a[16];
};

/*
 * Next hop: MAC, VLAN and interface packed in one word, so that one aligned store changes it
 * whole. bits 0-47 MAC (byte 0 of the MAC in bits 0-7), 48-59 VLAN id (0 = untagged), 60-63
 * interface slot + 1.
 * 0 = unresolved.
 */
#define RR_HOP_SLOT(w) ((__u32)((w) >> 60) - 1u)
#define RR_HOP_VLAN(w) ((__u16)((w) >> 48) & 0xfffu)
#define RR_HOP_MAC_MASK 0x0000ffffffffffffull
#define RR_HOP_MAKE_VLAN(slot, mac48, vlan) \
	((((__u64)(slot) + 1) << 60) | ((__u64)((vlan)&0xfffu) << 48) | ((mac48)&RR_HOP_MAC_MASK))
#define RR_HOP_MAKE(slot, mac48) RR_HOP_MAKE_VLAN(slot, mac48, 0)

/* ---- map `control`: one element, written by push, read by the packet path -------------------- */
struct rr_control {
	/*
	 * The version of this map, RR_VERSION_CONTROL, once a controller has set the maps up; 0
	 * before.
	 */
	__u32 abi_version;
	__u32 enabled; /* 0: pass every packet untouched */
	__u64 hash_seed; /* secret; set once when the maps are created, kept while flows live */
	__u64 vip_active; /* bit 0: active copy of `vips`; bits 32-63: seed of its hash */
	/* answers (RST, ICMP error) a second that one CPU may send of each kind; 0 = none */
	__u32 rst_rate;
	__u32 hz; /* jiffies a second */
	__u32 flow4_sets; /* as loaded: a restarted controller checks them */
	__u32 flow6_sets;
	__u16 port_lo; /* nat local ports, host order, inclusive (copy of the load-time knobs) */
	__u16 port_hi;
	__u32 heartbeat; /* jiffies of the controller's last turn; not written yet: 0 */
	__u64 start_ns; /* CLOCK_BOOTTIME when the maps were created */
	/* local ports (rr_port.h): how long they rest, in ticks of 2^port_shift jiffies */
	__u16 port_rest; /* the endpoint may be in TIME_WAIT */
	__u16 port_rest_short; /* it is not; at most port_rest */
	__u8 port_shift;
	__u8 pad[3];
};
_Static_assert(sizeof(struct rr_control) == 64, "rr_control");

/* ---- map `vips`: (address, port, protocol) -> listener, and (local address) -> local id ------ */
/*
 * 2 copies x RR_VIP_BUCKETS buckets; bucket of copy c is element c * RR_VIP_BUCKETS + h, where
 * h = rr_vip_hash(a0, a1, kind, vip_seed) & (RR_VIP_BUCKETS - 1) (include/rr_hash.h). The
 * controller fills the spare copy under a seed for which no bucket overflows and switches with
 * one store to `vip_active`.
 */
enum rr_vip_type { RR_VIP_NONE = 0, RR_VIP_LISTENER = 1, RR_VIP_LOCAL = 2 };

/*
 * In which flow tables the reverse entries of a local address lie: a pair of mixed families' is
 * in flows6.
 */
#define RR_VIP_FLOWS4 1u
#define RR_VIP_FLOWS6 2u

struct rr_vip {
	__u64 a0, a1; /* address: v4 in the low 32 bits of a0 (as loaded from the packet), a1 = 0 */
	/* port (network order, 16 bits; 0 for LOCAL) | proto << 16 | family << 24 | type << 32 */
	__u64 kind;
	__u16 id; /* listener id or local id */
	__u16 service; /* LISTENER: whose it is; else 0 */
	__u16 tables; /* LOCAL: RR_VIP_FLOWS4 | RR_VIP_FLOWS6; else 0 */
	__u16 pad;
};
_Static_assert(sizeof(struct rr_vip) == 32, "rr_vip");
#define RR_VIP_KIND(port_be, proto, family, type) \
	((__u64)(__u16)(port_be) | ((__u64)(proto) << 16) | ((__u64)(family) << 24) | \
	 ((__u64)(type) << 32))
#define RR_VIP_TYPE(kind) ((__u32)((kind) >> 32))

struct rr_vip_bucket {
	struct rr_vip e[RR_VIP_WAYS];
};
_Static_assert(sizeof(struct rr_vip_bucket) == 128, "rr_vip_bucket");

/* ---- map `listeners`: element = listener id -------------------------------------------------- */
/*
 * What clients connect to. An address that a service does not listen on any more keeps its row,
 * without an entry in `vips`, while flows may live that were opened through it: their replies
 * leave from where their SYN went to.
 */
#define RR_LISTENER_PRESENT 1u

struct rr_listener {
	struct rr_addr addr;
	__u16 port; /* network order */
	__u8 family; /* of its clients */
	__u8 proto; /* IPPROTO_TCP */
	__u16 service;
	__u16 flags; /* RR_LISTENER_* */
	__u32 pad[2];
};
_Static_assert(sizeof(struct rr_listener) == 32, "rr_listener");

/* ---- map `services`: element = service id ---------------------------------------------------- */
#define RR_SVC_PRESENT 1u
#define RR_SVC_PAUSED 2u /* takes no new connection (overflow rule); its flows go on */

struct rr_service {
	__u32 flags; /* RR_SVC_* */
	/* one store switches: bit 31 = active copy of `rotations`, bits 0-30 = slots L */
	__u32 rotation;
	/* enum rr_mode of its endpoints: what a SYN must know before an endpoint is picked */
	__u8 mode;
	__u8 on_unknown; /* enum rr_unknown: mid-flow packet without a flow */
	__u8 overflow; /* enum rr_overflow: no endpoint takes the new connection */
	__u8 pad0;
	/* timeouts in jiffies since the flow's last packet, by flow state */
	__u32 t_syn; /* half-open */
	__u32 t_est; /* established idle */
	__u32 t_fin1; /* one FIN seen */
	__u32 t_fin2; /* both FINs seen */
	__u32 t_rst; /* RST seen */
	__u32 t_claim; /* a second: how long packets may take to disprove a RST */
	__u32 pad1[7];
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

/* ---- map `endpoints`: element = endpoint id -------------------------------------------------- */
#define RR_EP_PRESENT 1u
#define RR_EP_NO_NEW \
	2u /* ejected, down, drained, in maintenance, full: new connections step over it */
#define RR_EP_GONE 4u /* removed for good: its flows are answered with RST */

struct rr_endpoint {
	struct rr_addr addr;
	__u16 port; /* network order */
	__u8 family;
	__u8 mode; /* enum rr_mode: how packets get there */
	__u32 flags; /* RR_EP_*: one store takes effect at once */
	__u64 hop; /* RR_HOP_MAKE; 0 = next hop not resolved */
	__u16 service;
	__u16 local_first; /* its source addresses are locals[local_first .. + local_count - 1] */
	__u16 local_count;
	__u16 pad1;
	/* Sets of local ports, for locals[local_first + k]; the first 0 = it has none. */
	__u16 port_set[RR_EP_PORT_SETS];
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
	__u16 mtu; /* bytes of an IP packet; 0 = not known, or no limit */
	__u32 pad;
};
_Static_assert(sizeof(struct rr_iface) == 16, "rr_iface");

/*
 * map `hops`: element = hop id; a hop word as above. The packet path inserts by compare-and-swap
 * the hop by which a client's SYN arrived; nobody removes.
 */

/* map `ports`: what was last known of each local port: rr_port.h. */

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
 * Flows also hold ids of `listeners`, `endpoints` and `locals`: these are SETUP, because the ids
 * are the elements' indexes and stay as they are.
 */
#define RR_FLOWS_VERSION 2
#define RR_VIPS_VERSION 3
#define RR_ROTATIONS_VERSION 3

#define RR_MAPS(X) \
	X(CONTROL, control, 1, RR_VIPS_VERSION, SETUP) \
	X(VIPS, vips, 1, RR_VIPS_VERSION, SETUP) \
	X(LISTENERS, listeners, 1, 1, SETUP) \
	X(SERVICES, services, 1, RR_ROTATIONS_VERSION, SETUP) \
	X(CURSORS, cursors, 1, 1, COUNTS) \
	X(ROTATIONS, rotations, 1, RR_ROTATIONS_VERSION, SETUP) \
	X(ENDPOINTS, endpoints, 1, 3, SETUP) \
	X(LOCALS, locals, 1, 1, SETUP) \
	X(IFACES, ifaces, 1, 2, SETUP) \
	X(TX_PORTS, tx_ports, 0, 1, SETUP) \
	X(HOPS, hops, 1, RR_FLOWS_VERSION, FLOWS) \
	X(FLOWS4, flows4, 1, RR_FLOWS_VERSION, FLOWS) \
	X(FLOWS6, flows6, 1, RR_FLOWS_VERSION, FLOWS) \
	X(PAIRS4, pairs4, 1, RR_FLOWS_VERSION, FLOWS) \
	X(PAIRS6, pairs6, 1, RR_FLOWS_VERSION, FLOWS) \
	X(PORTS, ports, 1, 2, COUNTS) \
	X(EP_STATS, ep_stats, 0, 2, COUNTS) \
	X(SVC_STATS, svc_stats, 0, 2, COUNTS) \
	X(EP_SWEPT, ep_swept, 1, 1, COUNTS) \
	X(EP_LIVE, ep_live, 1, 1, COUNTS) \
	X(VERDICTS, verdicts, 0, 3, COUNTS) \
	X(BUCKETS, buckets, 0, 2, COUNTS)

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
