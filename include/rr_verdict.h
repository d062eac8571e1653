/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rr_verdict.h - what the packet path can decide about a packet, one row each:
 * X(ID, name, class, help). class: PASS (to the host's stack, untouched), SEND (XDP_TX or
 * redirect), DROP. `name` is the counter's name in rrctl, JSON and the manual; `help` is its
 * sentence there. RR_V_GO (0) is not a verdict: it means "next step".
 */
#ifndef RR_VERDICT_H
#define RR_VERDICT_H

#define RR_VERDICTS(X) \
	X(DISABLED, disabled, PASS, "no controller has set the maps up yet") \
	X(NOT_IP, not_ip, PASS, "not IPv4 or IPv6, or too short to tell") \
	X(NOT_OURS, not_ours, PASS, "not for a service and not a reply of one") \
	X(FORWARD, forward, SEND, "client to endpoint") \
	X(REPLY, reply, SEND, "endpoint to client") \
	X(RESET, reset, SEND, "answered with RST: no flow, endpoint gone, or flow killed") \
	X(REFUSE, refuse, SEND, "new connection answered with RST: no endpoint takes it") \
	X(UNKNOWN_PASS, unknown_pass, PASS, "mid-flow packet without a flow, on-unknown pass") \
	X(ORPHAN, orphan, PASS, "endpoint packet whose client flow is gone; the host resets it") \
	X(UNKNOWN_DROP, unknown_drop, DROP, "mid-flow packet without a flow, on-unknown drop") \
	X(RST_LIMITED, rst_limited, DROP, "RST not sent: rate limit") \
	X(RST_SILENT, rst_silent, DROP, "RST without a flow: never answered") \
	X(MALFORMED, malformed, DROP, "for a service, but lengths or offsets do not fit") \
	X(BAD_FLAGS, bad_flags, DROP, "for a service, impossible TCP flags") \
	X(FRAGMENT, fragment, DROP, "first fragment for a service") \
	X(TTL, ttl, DROP, \
	  "TTL or hop limit expired; its sender is not told: rate limit, or an ICMP error") \
	X(NO_ENDPOINT, no_endpoint, DROP, "new connection dropped: no endpoint takes it") \
	X(TABLE_FULL, table_full, DROP, "new connection dropped: no slot may be evicted") \
	X(NO_PORT, no_port, DROP, "new connection dropped: no free local port") \
	X(NO_HOP, no_hop, DROP, "next hop not resolved") \
	X(FLOW_RACE, flow_race, DROP, "two CPUs inserted one flow at once; the client resends") \
	X(BAD_HANDSHAKE, bad_handshake, SEND, \
	  "does not fit a half-open flow whose replies are not seen: answered with RST") \
	X(TX_FAILED, tx_failed, DROP, "the frame could not be resized or sent") \
	X(ICMP_ERROR, icmp_error, SEND, \
	  "ICMP error about a connection: told to the side whose packet it quotes") \
	X(TTL_TOLD, ttl_told, SEND, "TTL or hop limit expired: answered with ICMP time exceeded") \
	X(TOO_BIG, too_big, DROP, \
	  "larger than the MTU of its way out; its sender is not told: no DF, or rate limit") \
	X(TOO_BIG_TOLD, too_big_told, SEND, \
	  "larger than the MTU of its way out: answered with ICMP too big, or frag needed")

enum rr_verdict {
	RR_V_GO = 0,
#define RR_V_ID(id, name, class, help) RR_V_##id,
	RR_VERDICTS(RR_V_ID)
#undef RR_V_ID
		RR_V_MAX
};

#endif
