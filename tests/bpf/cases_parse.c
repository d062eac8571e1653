/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cases_parse.c - packets for a service that are broken, odd, tagged, optioned or extended:
 * judged only because they are ours; what is forwarded keeps tags, options, extension headers and
 * padding.
 */
#include "path.h"

#define PARSE_BREAK(why, ...) \
	{ \
		.name = why, .on = ON_ALL, .have = HAVE_EST, \
		.pkt = { .flags = PKT_ACK, __VA_ARGS__ }, .verdict = RR_V_MALFORMED, \
		.state = RR_FLOW_EST \
	}
#define PARSE_FLAGS(why, f) \
	{ .name = why, \
	  .on = ON_ALL, \
	  .pkt = { .flags = f, .seq = 5 }, \
	  .verdict = RR_V_BAD_FLAGS, \
	  .state = PATH_NONE }, \
	{ \
		.name = why ", established", .on = ON_ALL, .have = HAVE_EST, \
		.pkt = { .flags = f, .seq = 5 }, .verdict = RR_V_BAD_FLAGS, .state = RR_FLOW_EST \
	}
#define PARSE_ODD(why, services, ...) \
	{ .name = why ", SYN", \
	  .on = services, \
	  .pkt = { .flags = PKT_SYN, __VA_ARGS__ }, \
	  .verdict = RR_V_FORWARD, \
	  .state = RR_FLOW_SYN, \
	  .conns = 1 }, \
		{ .name = why ", data", \
		  .on = services, \
		  .have = HAVE_EST, \
		  .pkt = { .flags = PKT_PSH | PKT_ACK, .payload = 99, __VA_ARGS__ }, \
		  .verdict = RR_V_FORWARD, \
		  .state = RR_FLOW_EST }, \
	{ \
		.name = why ", reply", .on = services, .have = HAVE_EST, .rev = true, \
		.pkt = { .flags = PKT_PSH | PKT_ACK, .payload = 101, __VA_ARGS__ }, \
		.verdict = RR_V_REPLY \
	}
#define PARSE_VLAN(why, c, e) \
	{ .name = "VLAN, " why ", SYN", \
	  .on = ON_ALL, \
	  .client_vlan = c, \
	  .ep_vlan = e, \
	  .pkt = { .flags = PKT_SYN }, \
	  .verdict = RR_V_FORWARD, \
	  .state = RR_FLOW_SYN, \
	  .conns = 1 }, \
		{ .name = "VLAN, " why ", data", \
		  .on = ON_ALL, \
		  .have = HAVE_EST, \
		  .client_vlan = c, \
		  .ep_vlan = e, \
		  .pkt = { .flags = PKT_ACK, .payload = 200 }, \
		  .verdict = RR_V_FORWARD }, \
	{ \
		.name = "VLAN, " why ", reply", .on = ON_NAT, .have = HAVE_EST, .rev = true, \
		.client_vlan = c, .ep_vlan = e, .pkt = { .flags = PKT_ACK, .payload = 201 }, \
		.verdict = RR_V_REPLY \
	}
#define PARSE_PASS(why, services, v, ...) \
	{ \
		.name = why, .on = services, .have = HAVE_EST, \
		.pkt = { .flags = PKT_ACK, __VA_ARGS__ }, .verdict = v \
	}
#define PARSE_TTL(why, services, t, v) \
	{ \
		.name = why, .on = services, .have = HAVE_EST, \
		.pkt = { .flags = PKT_ACK, .ttl = t }, .verdict = v \
	}

static const struct path_case cases[] = {
	PARSE_BREAK("data offset 1", .doff = 1),
	PARSE_BREAK("data offset 4", .doff = 4),
	PARSE_BREAK("data offset 6 without options", .doff = 6),
	PARSE_BREAK("data offset 15 in the padding", .doff = 15, .pad = 40),
	PARSE_BREAK("length one more than the frame", .len_off = 1),
	PARSE_BREAK("length far beyond the frame", .len_off = 30000),
	PARSE_BREAK("length less than the headers", .len_off = -1),
	PARSE_BREAK("length less than the headers, padded", .len_off = -1, .pad = 20),
	PARSE_BREAK("length without TCP header", .len_off = -20),
	{ .name = "length 0",
	  .on = ON_V4,
	  .pkt = { .flags = PKT_SYN, .len_off = -60 },
	  .verdict = RR_V_MALFORMED },
	{ .name = "length cuts the options",
	  .on = ON_ALL,
	  .pkt = { .flags = PKT_SYN, .len_off = -4 },
	  .verdict = RR_V_MALFORMED },
	{ .name = "length that wraps around 16 bits",
	  .on = ON_V6,
	  .pkt = { .flags = PKT_SYN, .len_off = 0xffff - 40 },
	  .verdict = RR_V_MALFORMED },
	{ .name = "reply with bad offset",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .rev = true,
	  .pkt = { .flags = PKT_ACK, .doff = 4 },
	  .verdict = RR_V_MALFORMED },
	{ .name = "reply beyond the frame",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .rev = true,
	  .pkt = { .flags = PKT_ACK, .len_off = 4 },
	  .verdict = RR_V_MALFORMED },
	{ .name = "reply with impossible flags",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .rev = true,
	  .pkt = { .flags = PKT_SYN | PKT_FIN },
	  .verdict = RR_V_BAD_FLAGS },
	PARSE_FLAGS("no flag at all", 0),
	PARSE_FLAGS("PSH and URG alone", PKT_PSH | PKT_URG),
	PARSE_FLAGS("SYN and FIN", PKT_SYN | PKT_FIN),
	PARSE_FLAGS("SYN and RST", PKT_SYN | PKT_RST),
	PARSE_FLAGS("all flags", 0xff),
	PARSE_ODD("Ethernet padding", ON_ALL, .pad = 6),
	PARSE_ODD("one tag", ON_ALL, .vlans = 1, .vlan = { 0x6064 }),
	PARSE_ODD("one tag and padding", ON_ALL, .vlans = 1, .vlan = { 4094 }, .pad = 3),
	PARSE_ODD("priority tag", ON_ALL, .vlans = 1, .vlan = { 0xe000 }),
	PARSE_VLAN("both in one", 0x6064, 0x6064 & 0xfff),
	PARSE_VLAN("two VLANs", 0xa064, 0x00c8),
	PARSE_VLAN("client tagged", 0x2fff, 0),
	PARSE_VLAN("endpoint tagged", 0, 4094),
	{ .name = "two tags, the outer one is the endpoint's",
	  .on = ON_ALL,
	  .ep_vlan = 100,
	  .pkt = { .flags = PKT_SYN, .vlans = 2, .vlan = { 0x3064, 7 } },
	  .verdict = RR_V_FORWARD,
	  .conns = 1 },
	{ .name = "two tags, the endpoint has another",
	  .on = ON_ALL,
	  .ep_vlan = 101,
	  .pkt = { .flags = PKT_SYN, .vlans = 2, .vlan = { 0x3064, 7 } },
	  .verdict = RR_V_TX_FAILED,
	  .conns = 1 },
	{ .name = "two tags, the endpoint has none",
	  .on = ON_ALL,
	  .pkt = { .flags = PKT_SYN, .vlans = 2, .vlan = { 0x3064, 7 } },
	  .verdict = RR_V_TX_FAILED,
	  .conns = 1 },
	{ .name = "two tags and padding, the outer one is the endpoint's",
	  .on = ON_ALL,
	  .have = HAVE_EST,
	  .ep_vlan = 100,
	  .pkt = { .flags = PKT_ACK, .vlans = 2, .vlan = { 0x3064, 0xa0c8 }, .pad = 3 },
	  .verdict = RR_V_FORWARD },
	{ .name = "priority tag, the endpoint is in a VLAN",
	  .on = ON_ALL,
	  .ep_vlan = 100,
	  .pkt = { .flags = PKT_SYN, .vlans = 1, .vlan = { 0xe000 } },
	  .verdict = RR_V_FORWARD,
	  .conns = 1 },
	{ .name = "full frame gets a tag",
	  .on = ON_ALL,
	  .have = HAVE_EST,
	  .ep_vlan = 9,
	  .pkt = { .flags = PKT_ACK, .payload = 1400 },
	  .verdict = RR_V_FORWARD },
	PARSE_ODD("IPv4 options", ON_V4, .ip_options = PKT_NOPS, .ip_options_len = 8),
	PARSE_ODD("router alert", ON_V4, .ip_options = PKT_ROUTER_ALERT, .ip_options_len = 4),
	PARSE_ODD("all the IPv4 options that fit", ON_V4,
		  .ip_options = PKT_NOPS PKT_NOPS PKT_NOPS PKT_NOPS PKT_NOPS, .ip_options_len = 40),
	PARSE_ODD("don't fragment", ON_V4, .frag = 0x4000),
	PARSE_ODD("hop-by-hop options", ON_V6, .ext = { 0 }, .exts = 1),
	PARSE_ODD("hop-by-hop options of 16 octets", ON_V6, .ext = { 255 }, .exts = 1),
	PARSE_ODD("destination options and routing", ON_V6, .ext = { 60, 43 }, .exts = 2),
	PARSE_ODD("four extension headers", ON_V6, .ext = { 255, 60, 43, 60 }, .exts = 4,
		  .vlans = 1),
	PARSE_ODD("fragment header of a whole packet", ON_V6, .frag_header = true),
	PARSE_ODD("options before a fragment header", ON_V6, .ext = { 0, 60 }, .exts = 2,
		  .frag_header = true),
	PARSE_ODD("type of service", ON_ALL, .tos = 0xb9),
	PARSE_ODD("congestion experienced, small window", ON_ALL, .window = 1, .tos = 3),
	PARSE_TTL("TTL 1", ON_NAT, 1, RR_V_TTL_TOLD),
	{ .name = "TTL 1, SYN: opens nothing, draws no ticket",
	  .on = ON_NAT,
	  .pkt = { .flags = PKT_SYN, .ttl = 1 },
	  .verdict = RR_V_TTL_TOLD,
	  .state = PATH_NONE },
	PARSE_TTL("TTL 2", ON_NAT, 2, RR_V_FORWARD),
	PARSE_TTL("TTL 255", ON_NAT, 255, RR_V_FORWARD),
	PARSE_TTL("TTL 1 is not ours to judge in dsr", ON_DSR, 1, RR_V_FORWARD),
	{ .name = "TTL 1, reply",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .rev = true,
	  .pkt = { .flags = PKT_ACK, .ttl = 1 },
	  .verdict = RR_V_TTL_TOLD },
	{ .name = "TTL 2, reply",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .rev = true,
	  .pkt = { .flags = PKT_ACK, .ttl = 2 },
	  .verdict = RR_V_REPLY },
	PARSE_PASS("first fragment", ON_V4, RR_V_FRAGMENT, .frag = 0x2000, .payload = 8),
	PARSE_PASS("first fragment, IPv6", ON_V6, RR_V_FRAGMENT, .frag_header = true, .frag = 1,
		   .payload = 8),
	PARSE_PASS("later fragment is not told apart", ON_V4, RR_V_NOT_OURS, .frag = 0x0007,
		   .payload = 8),
	PARSE_PASS("middle fragment", ON_V4, RR_V_NOT_OURS, .frag = 0x2007, .payload = 8),
	PARSE_PASS("later fragment, IPv6", ON_V6, RR_V_NOT_OURS, .frag_header = true, .frag = 8,
		   .payload = 8),
	PARSE_PASS("five extension headers", ON_V6, RR_V_NOT_OURS, .ext = { 0, 60, 43, 60, 60 },
		   .exts = 5),
	PARSE_PASS("authentication header", ON_V6, RR_V_NOT_OURS, .ext = { 51 }, .exts = 1),
	PARSE_PASS("three tags", ON_ALL, RR_V_NOT_IP, .vlans = 2, .ethertype = 0x8100),
	{ .name = "first fragment of a reply",
	  .on = ON_NAT4,
	  .have = HAVE_EST,
	  .rev = true,
	  .pkt = { .flags = PKT_ACK, .frag = 0x2000, .payload = 8 },
	  .verdict = RR_V_FRAGMENT },
};

const struct path_table path_parse = PATH_TABLE(cases);
