/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rr_port.h - the use of local ports (nat mode), said once for the packet path, the controller's
 * walk and the tests: the word of a port, the clock that it is written by, and the order in which
 * ports are handed out.
 *
 * A set is the ports of one (endpoint address, local address): an endpoint's port is not part of
 * what its replies are found by. A port that comes back while the endpoint keeps the last
 * connection in TIME_WAIT is refused there (RFC 9293 3.10.7.4, RFC 7323 5.3), so the one that has
 * been unused for the longest comes first, and none before it has rested.
 *
 * The flow table is the authority: a port is in use while a reverse entry has it. The word is a
 * note about that, written by whoever opens or closes, and it may be wrong: a port whose word says
 * free and is not costs one more try, and one whose word says in use and is not is found when no
 * other is left. Rules of the note, which tests/spin/port.pml checks:
 *  - the owner of a new reverse entry stores {IN_USE, gen of the entry} before it publishes the
 *    forward entry;
 *  - who closes changes it by compare-and-swap from {IN_USE, the gen of the life that it ended} to
 *    {time, acknowledgement}, so that a late one never touches the next life.
 */
#ifndef RR_PORT_H
#define RR_PORT_H

#include <linux/types.h>

#define RR_PORT_INLINE static inline __attribute__((always_inline))

/* ---- map `ports`: element = a line of a set -------------------------------------------------- */
/*
 * Set n (from 1; 0 = none) begins at element (n - 1) * RR_PORT_LINES(ports of the range). Its first
 * line holds the cursor, the others a word for each port. A word: bits 0-14 time of the last close,
 * 15 in use, 16-31 upper half of the endpoint's last acknowledgement or, in use, the gen of the
 * reverse entry. 0 = never used.
 */
#define RR_PORT_LINE 16u
#define RR_PORT_LINES(ports) (1u + ((ports) + RR_PORT_LINE - 1u) / RR_PORT_LINE)
#define RR_PORT_CURSOR 0u /* word of a set's first line: draws so far */
#define RR_PORT_SETS_DEFAULT 256u
#define RR_PORT_SETS_MAX 4096u
#define RR_EP_PORT_SETS 12u /* local addresses of an endpoint that has sets */

struct rr_port_line {
	__u32 word[RR_PORT_LINE];
};
_Static_assert(sizeof(struct rr_port_line) == 64, "rr_port_line");

#define RR_PORT_IN_USE 0x8000u
#define RR_PORT_TIME 0x7fffu
#define RR_PORT_HIGH(w) ((__u16)((w) >> 16))
#define RR_PORT_USED(gen) (RR_PORT_IN_USE | ((__u32)(__u16)(gen) << 16))

/* ---- time ------------------------------------------------------------------------------------ */
/*
 * Ticks of 2^shift jiffies, a second or a little more: a shift instead of a division, and the wrap
 * of 32-bit jiffies is a wrap of these as well. 15 bits are nine hours; a port that was closed a
 * whole round ago looks as if it had to rest, which does no harm.
 */
RR_PORT_INLINE __u32 rr_port_time(__u32 jiffies, __u32 shift)
{
	return (jiffies >> (shift & 31)) & RR_PORT_TIME;
}

/* The least shift whose tick is a second or more. */
RR_PORT_INLINE __u32 rr_port_shift(__u32 hz)
{
	__u32 shift = 0;

	while (shift < 16 && (1u << shift) < hz)
		shift++;
	return shift;
}

/* Ticks that are `jiffies` long for sure, whatever part of the first one has passed. */
RR_PORT_INLINE __u32 rr_port_ticks(__u32 jiffies, __u32 shift)
{
	return (jiffies >> shift) + ((jiffies & ((1u << shift) - 1)) ? 2 : 1);
}

/* Ticks since the port was closed; not of one that is in use. */
RR_PORT_INLINE __u32 rr_port_age(__u32 word, __u32 time)
{
	return (time - word) & RR_PORT_TIME;
}

/* The word of a port closed at `time`, never that of a port never used. */
RR_PORT_INLINE __u32 rr_port_closed(__u32 time, __u16 ack)
{
	__u32 word = (time & RR_PORT_TIME) | ((__u32)ack << 16);

	return word ? word : 1;
}

/* ---- order ----------------------------------------------------------------------------------- */

/* The smallest power of two that is not below `ports`, less 1. ports: 1..65536. */
RR_PORT_INLINE __u32 rr_port_mask(__u32 ports)
{
	__u32 m = ports - 1;

	m |= m >> 1;
	m |= m >> 2;
	m |= m >> 4;
	return m | m >> 8;
}

/*
 * Draw number n -> place in the range, under a secret key (RFC 6056 3.3: ports must not be
 * guessed). One to one on 0..mask: each step (xor, odd multiple, xor of higher bits) can be undone.
 * Whatever comes out beyond the range is drawn over; in mask + 1 draws each port comes once. Draws
 * in a row stay in one line of words, so that most find it in the cache; the lines are scattered.
 */
RR_PORT_INLINE __u32 rr_port_place(__u32 n, __u64 key, __u32 mask)
{
	__u32 lines = mask / RR_PORT_LINE, x = (n / RR_PORT_LINE ^ (__u32)key) & lines;

	x = (x * ((__u32)(key >> 32) | 1)) & lines;
	x ^= x >> 3;
	x = (x * ((__u32)(key >> 13) | 1)) & lines;
	x ^= x >> 5;
	return x * RR_PORT_LINE + ((n ^ (__u32)(key >> 59)) & mask & (RR_PORT_LINE - 1));
}

#endif
