/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * csum.h - incremental Internet checksum arithmetic (RFC 1624, equation 3: HC' = ~(~HC + ~m + m')).
 * Sums are 64-bit accumulators of 32-bit words as loaded from memory: one's complement addition is
 * independent of byte order (RFC 1071 2 B). No map, no helper.
 */
#ifndef RR_BPF_CSUM_H
#define RR_BPF_CSUM_H

#include "base.h"

/* Sum of replacing `was` by `is`; add it to an accumulator. */
static __always_inline __u64 csum_swap32(__u32 was, __u32 is)
{
	return (__u64)(__u32)~was + is;
}

static __always_inline __u64 csum_swap64(__u64 was, __u64 is)
{
	return csum_swap32((__u32)was, (__u32)is) +
	       csum_swap32((__u32)(was >> 32), (__u32)(is >> 32));
}

/* 64-bit accumulator -> 16 bits with end-around carries. */
static __always_inline __u16 csum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* A checksum field after the changes in `diff`. */
static __always_inline __u16 csum_apply(__u16 check, __u64 diff)
{
	return ~csum_fold((__u64)(__u16)~check + diff);
}

#endif
