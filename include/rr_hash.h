/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rr_hash.h - the hashes that kernel and controller must compute alike: flow sets, address table,
 * nat ports.
 *
 * Seeded multiply-xorshift (the finalizer of MurmurHash3, A. Appleby, public domain description)
 * over 64-bit words. The seed is secret (getrandom at map creation), so that clients cannot aim at
 * one set.
 */
#ifndef RR_HASH_H
#define RR_HASH_H

#include <linux/types.h>

#define RR_HASH_M1 0xff51afd7ed558ccdull
#define RR_HASH_M2 0xc4ceb9fe1a85ec53ull

static inline __attribute__((always_inline)) __u64 rr_mix(__u64 x)
{
	x ^= x >> 33;
	x *= RR_HASH_M1;
	x ^= x >> 33;
	x *= RR_HASH_M2;
	x ^= x >> 33;
	return x;
}

/* flows4: hash of a key. Candidate sets: low 32 bits and high 32 bits, masked with sets - 1. */
static inline __attribute__((always_inline)) __u64 rr_hash4(__u64 key, __u64 seed)
{
	return rr_mix(key ^ seed);
}

/* flows6: the same over key word and address. */
static inline __attribute__((always_inline)) __u64 rr_hash6(__u64 key, __u64 a0, __u64 a1,
							    __u64 seed)
{
	return rr_mix((rr_mix((a0 ^ seed) * RR_HASH_M2 + a1) + key) ^ (seed >> 7));
}

/* Second candidate set; never equal to the first when there are at least two sets. */
static inline __attribute__((always_inline)) __u32 rr_set_a(__u64 h, __u32 sets)
{
	return (__u32)h & (sets - 1);
}

static inline __attribute__((always_inline)) __u32 rr_set_b(__u64 h, __u32 sets)
{
	__u32 a = (__u32)h & (sets - 1), b = (__u32)(h >> 32) & (sets - 1);

	return b == a ? (b ^ 1) & (sets - 1) : b;
}

/* vips: bucket hash; `kind` as in struct rr_vip, seed = bits 32-63 of rr_control.vip_active. */
static inline __attribute__((always_inline)) __u32 rr_vip_hash(__u64 a0, __u64 a1, __u64 kind,
							       __u32 seed)
{
	__u64 x = (a0 ^ ((__u64)seed << 17)) * RR_HASH_M1 + (a1 ^ kind) * RR_HASH_M2;

	/*
	 * two rounds: after one, addresses that differ in their last byte share a few buckets under
	 * any seed
	 */
	x = (x ^ (x >> 32)) * RR_HASH_M2;
	return (__u32)((x ^ (x >> 29)) * RR_HASH_M1 >> 32);
}

#endif
