/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * maps.h - every map that outlives a packet: key, value, who writes, who reads. "controller"
 * means its push.c (and sweep.c for the state word of flow entries); "path" means this program.
 * Arrays are mmapable, so that the controller's stores are single aligned words and its walks
 * need no system call. No map-in-map: one named array with two copies switches by one store of a
 * word.
 */
#ifndef RR_BPF_MAPS_H
#define RR_BPF_MAPS_H

#include "base.h"
#include "rr_count.h"
#include "rr_flow.h"
#include "rr_pair.h"
#include "rr_table.h"
#include "rr_verdict.h"

#define RR_ARRAY(name, vtype, n) \
	struct { \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, n); \
		__type(key, __u32); \
		__type(value, vtype); \
	} name SEC(".maps")

#define RR_PERCPU(name, vtype, n) \
	struct { \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, n); \
		__type(key, __u32); \
		__type(value, vtype); \
	} name SEC(".maps")

/* key 0; value: switch, seeds, rates. writer: controller; reader: path, every packet */
RR_ARRAY(control, struct rr_control, 1);
/*
 * key: copy * RR_VIP_BUCKETS + hash; value: bucket of addresses. writer: controller (spare copy);
 * reader: path
 */
RR_ARRAY(vips, struct rr_vip_bucket, 2 * RR_VIP_BUCKETS);
/*
 * key: listener id; value: what clients connect to. writer: controller; reader: path, every reply
 */
RR_ARRAY(listeners, struct rr_listener, RR_MAX_LISTENERS);
/* key: service id; value: its settings. writer: controller; reader: path */
RR_ARRAY(services, struct rr_service, RR_MAX_SERVICES);
/* key: service id; value: next ticket. writer: path (atomic add); reader: controller */
RR_ARRAY(cursors, struct rr_cursor, RR_MAX_SERVICES);
/*
 * key: service id * 2 + copy; value: slots. writer: controller (spare copy); reader: path, new
 * connections
 */
RR_ARRAY(rotations, struct rr_rotation, 2 * RR_MAX_SERVICES);
/*
 * key: endpoint id; value: address, mode, flags, next hop. writer: controller; reader: path, every
 * packet
 */
RR_ARRAY(endpoints, struct rr_endpoint, RR_MAX_ENDPOINTS);
/* key: local id; value: source address of nat. writer: controller; reader: path */
RR_ARRAY(locals, struct rr_local, RR_MAX_LOCALS);
/* key: interface slot; value: ifindex and MAC. writer: controller; reader: path */
RR_ARRAY(ifaces, struct rr_iface, RR_MAX_IFACES);
/*
 * key: hop id; value: hop word of a client-side next hop. writer: path (compare-and-swap); reader:
 * path
 */
RR_ARRAY(hops, __u64, RR_MAX_HOPS);
/* key: set; value: flow entries. writer: path, controller (expiry); reader: both */
RR_ARRAY(flows4, struct rr_set4, RR_FLOW4_SETS_DEFAULT);
RR_ARRAY(flows6, struct rr_set6, RR_FLOW6_SETS_DEFAULT);
/*
 * key: set * ways + way of an entry (rr_pair.h says which one); value: what only SYN, FIN and RST
 * need. writer: path; reader: path, controller
 */
RR_ARRAY(pairs4, struct rr_pair, RR_FLOW4_SETS_DEFAULT *RR_FLOW4_WAYS);
RR_ARRAY(pairs6, struct rr_pair, RR_FLOW6_SETS_DEFAULT *RR_FLOW6_WAYS);
/*
 * key: line of a set; value: words of local ports (rr_port.h). One set here, for as many as are
 * configured. writer: path, controller (expiry); reader: both
 */
RR_ARRAY(ports, struct rr_port_line, RR_PORT_LINES(RR_PORT_HI_DEFAULT - RR_PORT_LO_DEFAULT + 1));
/* key: endpoint id; value: counters. writer: path; reader: controller */
RR_PERCPU(ep_stats, struct rr_stats, RR_MAX_ENDPOINTS);
/* key: service id; value: counters. writer: path; reader: controller */
RR_PERCPU(svc_stats, struct rr_stats, RR_MAX_SERVICES);
/*
 * key: endpoint id; value: what the sweep closed. writer, reader: controller; it outlives it here
 */
RR_ARRAY(ep_swept, struct rr_swept, RR_MAX_ENDPOINTS);
/* key: endpoint id; value: what is open now. Not written yet: zero */
RR_ARRAY(ep_live, struct rr_live, RR_MAX_ENDPOINTS);
/* key: enum rr_verdict; value: packets. writer: path; reader: controller */
RR_PERCPU(verdicts, __u64, RR_V_MAX);
/* key: enum rr_verdict; value: tokens of this CPU for such answers. writer, reader: path */
RR_PERCPU(buckets, struct rr_bucket, RR_MAX_BUCKETS);
_Static_assert(RR_V_MAX <= RR_MAX_BUCKETS, "one for each verdict");

/* key: interface slot; value: ifindex, for redirects. writer: controller; reader: path */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, RR_MAX_IFACES);
	__type(key, __u32);
	__type(value, __u32);
} tx_ports SEC(".maps");

/* Which layout each map has, for controllers of another build that find this program running. */
#define MAP_VERSION(id, name, mm, version, kind) const volatile __u32 rr_version_##name = version;
RR_MAPS(MAP_VERSION)
#undef MAP_VERSION

/* map_get - the element of a named array: NULL only past its end. */
#define map_get(map, index) \
	({ \
		__u32 map_key = (index); \
		bpf_map_lookup_elem(&(map), &map_key); \
	})

#endif
