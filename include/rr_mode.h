/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rr_mode.h - the forwarding modes, one row each, and what follows from each of them.
 *
 * X(ID, word, needs_local, has_reverse, may_change_port, on_link, sees_both, outer_bytes, help)
 *   word             as in the configuration, rrctl, JSON and the manual
 *   needs_local      packets leave with a source address of ours: the service needs local addresses
 *   has_reverse      a connection has a second entry, found by the endpoint's replies
 *   may_change_port  the endpoint's port may differ from the service's
 *   on_link          the endpoint must be a neighbour: the frame is given to its MAC
 *   sees_both        replies come through us: handshake, load and latency are seen from both sides
 *   outer_bytes      bytes that the mode puts before the packet: what it takes off the path's MTU
 *
 * The value of a row is ABI (rr_endpoint.mode): rows are added at the end. Whoever asks "is it
 * dsr" asks for a property instead, so that a new mode is a row here and a file in bpf/forward/.
 */
#ifndef RR_MODE_H
#define RR_MODE_H

#define RR_MODES(X) \
	X(NAT, nat, 1, 1, 1, 0, 1, 0, \
	  "source and destination are rewritten: works with any endpoint") \
	X(DSR, dsr, 0, 0, 0, 1, 0, 0, \
	  "only the MAC is rewritten: the endpoint holds the service address and answers " \
	  "directly")

enum rr_mode {
#define RR_MODE_ID(id, word, local, reverse, port, link, both, outer, help) RR_MODE_##id,
	RR_MODES(RR_MODE_ID)
#undef RR_MODE_ID
		RR_MODE_MAX
};

/* The properties of a mode as bits. A mode past the table has none. */
enum rr_mode_bits {
	RR_MODE_NEEDS_LOCAL = 1,
	RR_MODE_HAS_REVERSE = 2,
	RR_MODE_MAY_CHANGE_PORT = 4,
	RR_MODE_ON_LINK = 8,
	RR_MODE_SEES_BOTH = 16,
};

static inline __attribute__((always_inline)) unsigned int rr_mode_bits(unsigned int mode)
{
	switch (mode) {
#define RR_MODE_CASE(id, word, local, reverse, port, link, both, outer, help) \
	case RR_MODE_##id: \
		return (local)*RR_MODE_NEEDS_LOCAL | (reverse)*RR_MODE_HAS_REVERSE | \
		       (port)*RR_MODE_MAY_CHANGE_PORT | (link)*RR_MODE_ON_LINK | \
		       (both)*RR_MODE_SEES_BOTH;
		RR_MODES(RR_MODE_CASE)
#undef RR_MODE_CASE
	default:
		return 0;
	}
}

static inline __attribute__((always_inline)) int rr_mode_has(unsigned int mode, unsigned int bit)
{
	return (rr_mode_bits(mode) & bit) != 0;
}

#endif
