/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_gen.h - the synthetic flows of the bench: what packet generator (bench_gen.bpf.c) and
 * table filler (bench_fill.c) must agree on. Flow i has a client, an endpoint, a local address
 * and a local port; each is computed from i, so a packet of a random flow costs the generator no
 * memory access.
 */
#ifndef BENCH_GEN_H
#define BENCH_GEN_H

#include <linux/types.h>

#define BENCH_ENDPOINTS 64u /* of each service; a power of two */
#define BENCH_LOCALS 4u /* source addresses of each family; a power of two */
#define BENCH_PORTS 31744u /* those of the object as it is built */
#define BENCH_PORT_SETS (2 * BENCH_ENDPOINTS * BENCH_LOCALS)
#define BENCH_FRAME 128u /* bytes on the wire */
#define BENCH_PORT_LO 1024u
#define BENCH_PORT_BE 0xbb01 /* 443 in network order: services and endpoints */

enum bench_service { BENCH_NAT4 = 0, BENCH_NAT6 = 1, BENCH_DSR4 = 2, BENCH_SERVICES };

/* The parts of a frame that do not depend on the flow, in the words that the generator stores. */
struct bench_gen {
	__u64 rng; /* state of the flow picker */
	__u32 next; /* next fresh client, for new connections */
	__u32 flows; /* packets are of flows 0 .. flows - 1 */
	__u32 jiffies; /* written by bench_clock */
	__u32 eth[3];
	__u32 eth_type; /* low 16 bits */
	__u32 ip[3]; /* IPv4: up to the addresses; IPv6: two words */
	__u32 addr4; /* service address */
	__u32 tcp[4]; /* from the sequence number on */
	__u32 pad;
	__u64 addr6[2];
};
_Static_assert(sizeof(struct bench_gen) == 88, "bench_gen");

#define BENCH_ADDR4(a, b, c, d) ((a) | ((b) << 8) | ((c) << 16) | ((__u32)(d) << 24))

static inline __attribute__((always_inline)) __u32 bench_client4(__u32 i)
{
	return i * 0x9e3779b1u; /* odd, so different for every i */
}

static inline __attribute__((always_inline)) __u64 bench_client6(__u32 i, int word)
{
	return word ? (__u64)i << 32 : 0x00000000b80d0120ull;
}

static inline __attribute__((always_inline)) __u16 bench_client_port(__u32 i)
{
	return (__u16)(i * 0x85ebca6bu >> 16) |
	       0x0004; /* low byte in memory first: never below 1024 */
}

static inline __attribute__((always_inline)) __u32 bench_endpoint(enum bench_service s, __u32 i)
{
	return 1 + s * BENCH_ENDPOINTS + (i & (BENCH_ENDPOINTS - 1));
}

static inline __attribute__((always_inline)) __u32 bench_listener(enum bench_service s)
{
	return s + 3;
}

static inline __attribute__((always_inline)) __u32 bench_endpoint4(__u32 id)
{
	return BENCH_ADDR4(10u, 1u, 0u, id);
}

static inline __attribute__((always_inline)) __u64 bench_endpoint6(__u32 id, int word)
{
	return word ? (__u64)id << 56 : 0x00000000000000fdull;
}

/* number of the local address within its family */
static inline __attribute__((always_inline)) __u32 bench_local(__u32 i)
{
	return i / BENCH_ENDPOINTS & (BENCH_LOCALS - 1);
}

static inline __attribute__((always_inline)) __u32 bench_local4(__u32 n)
{
	return BENCH_ADDR4(10u, 9u, 0u, 1 + n);
}

static inline __attribute__((always_inline)) __u64 bench_local6(__u32 n, int word)
{
	return word ? (__u64)(1 + n) << 56 : 0x00000000000009fdull;
}

static inline __attribute__((always_inline)) __u16 bench_local_port(__u32 i)
{
	__u16 port = BENCH_PORT_LO + i / (BENCH_ENDPOINTS * BENCH_LOCALS);

	return (__u16)(port << 8 | port >> 8);
}

/* ---- the baseline's table: BPF_MAP_TYPE_LRU_HASH, the packet's five-tuple as key ------------- */
struct bench_lru_key {
	__u64 src[2], dst[2];
	__u16 sport, dport; /* network order */
	__u8 proto;
	__u8 pad[3];
};
_Static_assert(sizeof(struct bench_lru_key) == 40, "bench_lru_key");

struct bench_lru_value {
	__u64 meta; /* RR_META_* */
	__u32 seen;
	__u16 port, listener;
	__u64 peer[2];
};
_Static_assert(sizeof(struct bench_lru_value) == 32, "bench_lru_value");

#endif
