/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rig.h - the real program, loaded with small tables of its own, and its maps in this process's
 * memory: set up services and endpoints, send one packet, see what came out and which counters
 * moved. Anything that cannot be (no root, a map that does not map) aborts with a message: a test
 * has nothing to say then.
 */
#ifndef LIB_RIG_H
#define LIB_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/pkt.h"
#include "rr_count.h"
#include "rr_flow.h"
#include "rr_pair.h"
#include "rr_table.h"
#include "rr_verdict.h"

#define RIG_ENDPOINTS 128u /* endpoint ids that rig_clear() and counts look at */
#define RIG_SERVICES 12u
/* The first listener of a service: another number, so that the two are not taken for each other. */
#define RIG_LISTENER(service) (1000u - (service))
#define RIG_IFINDEX 1u /* BPF_PROG_TEST_RUN delivers on the loopback device */
#define RIG_SEED 0x5ca1ab1e0ddba115ull
/* How long local ports rest: ticks of about a second, if jiffies are milliseconds. */
#define RIG_PORT_SHIFT 10u
#define RIG_PORT_REST 62u
#define RIG_PORT_REST_SHORT 3u
#define RIG_TIMEOUT 1000000u /* jiffies; no test is that slow */

struct bpf_program;

struct rig_opts {
	uint32_t flow4_sets, flow6_sets; /* 0: 256 */
	uint16_t port_lo, port_hi; /* 0: the object's defaults */
	uint32_t port_sets; /* of local ports; 0: 1, and no endpoint has it */
	/* Where the verifier writes about the program, which outlives the rig; NULL: nowhere. */
	char *log;
	size_t log_size;
	uint32_t log_level;
};

struct rig {
	struct rr_xdp *skel;
	int prog;
	int fd[RR_MAP_MAX];
	void *mem[RR_MAP_MAX]; /* NULL where a map cannot be mapped */
	uint32_t entries[RR_MAP_MAX];
	struct rig_opts opts;
	/* the same, typed */
	struct rr_control *control;
	struct rr_vip_bucket *vips;
	struct rr_listener *listeners;
	struct rr_service *services;
	struct rr_cursor *cursors;
	struct rr_rotation *rotations;
	struct rr_endpoint *endpoints;
	struct rr_local *locals;
	uint64_t *hops;
	struct rr_set4 *flows4;
	struct rr_set6 *flows6;
	struct rr_pair *pairs4, *pairs6;
	struct rr_port_line *ports;
};

/* Counters, summed over CPUs. */
struct rig_counts {
	uint64_t verdict[RR_V_MAX];
	struct rr_stats ep[RIG_ENDPOINTS];
	struct rr_stats svc[RIG_SERVICES];
};

void rig_open(struct rig *r, const struct rig_opts *opts);
void rig_close(struct rig *r);
struct bpf_program *rig_program(const struct rig *r);
/* Name and version of the compiler that made the object, out of its debug information. */
void rig_compiler(char *out, size_t size);
/* Empties tables and flows; counters go on. `control` is enabled, RSTs are not limited. */
void rig_clear(struct rig *r);

struct rr_iface *rig_iface_at(
	struct rig *r, uint32_t slot); /* array elements lie 8-byte aligned: 16 apart, not 12 */
void rig_iface(struct rig *r, uint32_t slot, uint32_t ifindex, const uint8_t mac[6]);
void rig_local(struct rig *r, uint32_t id, uint8_t af, struct rr_addr addr);
/* Listens on one address and port: listener RIG_LISTENER(id). */
void rig_service(struct rig *r, uint32_t id, uint8_t mode, uint8_t af, struct rr_addr addr,
		 uint16_t port);
/* One more address and port of a service. */
void rig_listener(struct rig *r, uint32_t id, uint32_t service, uint8_t af, struct rr_addr addr,
		  uint16_t port);
/* Clients do not reach it any more; its row stays, for the flows that were opened through it. */
void rig_listener_retire(struct rig *r, uint32_t id);
/*
 * Next hop: interface slot 0, MAC `mac`. Source address: locals[local], whose family is the
 * endpoint's.
 */
void rig_endpoint(struct rig *r, uint32_t id, uint32_t service, struct rr_addr addr, uint16_t port,
		  const uint8_t mac[6], uint32_t local);
/* Sets of local ports first, first + 1, ... for its local addresses. */
void rig_port_sets(struct rig *r, uint32_t endpoint, uint16_t first);
/* Ports of the range, and the word of one (host order) in a set. */
uint32_t rig_ports(const struct rig *r);
uint32_t *rig_port_word(const struct rig *r, uint32_t set, uint16_t port);
/* Fills the spare copy and switches. */
void rig_rotation(struct rig *r, uint32_t service, const uint16_t *slots, uint32_t n);
uint64_t rig_hop(uint32_t slot, const uint8_t mac[6]);

/* Runs one frame; returns the XDP action. */
uint32_t rig_run(const struct rig *r, const uint8_t *in, uint32_t len, struct pkt_frame *out);
void rig_verdicts(const struct rig *r, uint64_t sum[RR_V_MAX]);
void rig_count(const struct rig *r, struct rig_counts *c);

/*
 * A live entry, looked for in all sets; NULL = none. `slot` (may be NULL): set * ways + way. More
 * than one aborts.
 */
struct rr_flow *rig_flow(const struct rig *r, uint8_t af, const struct rr_addr *addr, uint16_t port,
			 uint16_t tag, uint32_t *slot);
uint32_t rig_live(const struct rig *r, uint8_t af); /* live entries of this family */
struct rr_pair *rig_pair(const struct rig *r, uint8_t af, uint32_t slot);

#endif
