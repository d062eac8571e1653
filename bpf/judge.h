/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * judge.h - does a number fit a connection? The endpoints judge what a packet means, we only
 * follow: what they would throw away must not end a flow here (RFC 5961). So each entry keeps the
 * upper half of what its side last acknowledged, and a RST or FIN counts only when its number is
 * near what the OTHER side has acknowledged; a blind one is so in 1 of 64 tries.
 *
 * The number is stored with `seen`, on the same line and once a tick: a tick is too short for a
 * side to get 63 MiB ahead. The endpoint's is always believed. The client's address is anybody's,
 * so its number moves only to what is near the stored one. Where the endpoint's half is not seen,
 * the forward entry keeps the end of the client's own packets instead.
 */
#ifndef RR_BPF_JUDGE_H
#define RR_BPF_JUDGE_H

#include "base.h"
#include "flow.h"
#include "rr_flow.h"

#define JUDGE_BEHIND 16u /* 1 MiB in units of 64 KiB: what is sent again */
#define JUDGE_SPAN 1024u /* 64 MiB with it: 1/64 of all numbers */

/* The number of a sequence space (host order) that an entry keeps. */
static __always_inline __u16 judge_upper(__u32 number)
{
	return number >> 16;
}

/* Is a sequence number (host order) at most 1 MiB behind and 63 MiB ahead of a stored one? */
static __always_inline bool judge_near(__u32 number, __u16 stored)
{
	return (__u16)(judge_upper(number) - stored + JUDGE_BEHIND) < JUDGE_SPAN;
}

/* The time of an endpoint's packet, and what it acknowledges. */
static __always_inline void judge_touch_server(struct rr_flow *f, __u32 now, __u32 ack)
{
	*(volatile __u32 *)&f->seen = now;
	*(volatile __u16 *)&f->ack = judge_upper(ack);
}

/* The time of a client's packet, and the number that judges by it. */
static __always_inline void judge_touch_client(struct rr_flow *f, __u32 now, __u32 number)
{
	*(volatile __u32 *)&f->seen = now;
	if (judge_near(number, *(volatile __u16 *)&f->ack))
		*(volatile __u16 *)&f->ack = judge_upper(number);
}

#endif
