/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cases_icmp.c - ICMP errors about packets of ours, from both sides, with all that may stand
 * between the error and the eight bytes of TCP that it quotes; and the ones that are the host's.
 */
#include <string.h>

#include "path.h"

#define QUOTE_IP(af) ((af) == RR_AF_INET ? 20u : 40u)

/* What IPv4 and IPv6 call the same: type, code, and whether the rest is an MTU. */
static const struct {
	uint8_t type4, code4, type6, code6;
	uint32_t rest;
} errors[] = {
	{ 3, 1, 1, 3, 0 }, /* host or address unreachable */
	{ 3, 4, 2, 0, 1400 }, /* fragmentation needed, packet too big */
	{ 3, 3, 1, 4, 0 }, /* port unreachable */
	{ 11, 0, 3, 0, 0 }, /* time exceeded */
	{ 12, 0, 4, 0, 0x14000000 }, /* parameter problem */
};
enum { UNREACHABLE, TOO_BIG, PORT_UNREACHABLE, TIME_EXCEEDED, PARAMETER };

static struct pkt_spec quoted;

/* The quoted packet: from the service to the client, or from our address to the endpoint. */
static void quote_of(struct world *w, bool to_endpoint)
{
	memset(&quoted, 0, sizeof(quoted));
	quoted.af = to_endpoint ? w->row->endpoint : w->row->client;
	quoted.ttl = 17;
	quoted.flags = PKT_PSH | PKT_ACK;
	quoted.seq = 0x12345678;
	quoted.ack = 0x9abcdef0;
	quoted.payload = 600;
	if (to_endpoint) {
		quoted.src = path_local_addr(w->svc);
		quoted.dst = w->rig->endpoints[w->ep].addr;
		quoted.sport = w->lport;
		quoted.dport = pkt_be16(w->rig->endpoints[w->ep].port);
	} else {
		quoted.src = w->addr;
		quoted.dst = path_client_addr(w->svc);
		quoted.sport = w->port;
		quoted.dport = w->cport;
	}
}

static void router(struct pkt_spec *s)
{
	s->src = pkt_addr(s->af == RR_AF_INET ? "203.0.113.9" : "2001:db8:9::9");
}

/* The error itself: `s->icmp_rest` picks the kind, `s->quote_len` of a row counts bytes of TCP. */
static void error_about(struct world *w, struct pkt_spec *s, bool to_endpoint)
{
	bool v4 = s->af == RR_AF_INET;
	uint32_t kind = s->icmp_rest;

	quote_of(w, to_endpoint);
	s->proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	s->icmp_type = v4 ? errors[kind].type4 : errors[kind].type6;
	s->icmp_code = v4 ? errors[kind].code4 : errors[kind].code6;
	s->icmp_rest = errors[kind].rest;
	s->quote = &quoted;
	s->dst = quoted.src;
	if (s->quote_len)
		s->quote_len = (uint16_t)(s->quote_len + QUOTE_IP(s->af));
	router(s);
}

static void about_reply(struct world *w, struct pkt_spec *s)
{
	error_about(w, s, false);
}

static void about_request(struct world *w, struct pkt_spec *s)
{
	error_about(w, s, true);
}

static void about_any(struct world *w, struct pkt_spec *s)
{
	error_about(w, s, w->mode->replies);
}

static void about_options(struct world *w, struct pkt_spec *s)
{
	about_any(w, s);
	if (s->af == RR_AF_INET) {
		quoted.ip_options = PKT_NOPS PKT_NOPS PKT_NOPS PKT_NOPS PKT_NOPS;
		quoted.ip_options_len = 40;
		s->quote_len = 20 + 40 + 8;
	} else {
		memcpy(quoted.ext, "\xff\x3c\x2b\x3c", 4);
		quoted.exts = 4;
		s->quote_len = 40 + 16 + 3 * 8 + 8;
	}
}

static void about_first_fragment(struct world *w, struct pkt_spec *s)
{
	about_any(w, s);
	quoted.frag = s->af == RR_AF_INET ? 0x2000 : 1;
	quoted.frag_header = true;
}

static void about_later_fragment(struct world *w, struct pkt_spec *s)
{
	about_any(w, s);
	quoted.frag = 0x0008;
	quoted.frag_header = true;
}

static void about_udp(struct world *w, struct pkt_spec *s)
{
	about_any(w, s);
	quoted.proto = IPPROTO_UDP;
}

static void about_another(struct world *w, struct pkt_spec *s)
{
	about_any(w, s);
	quoted.dport ^= 1;
}

static void about_other_ports(struct world *w, struct pkt_spec *s)
{
	about_any(w, s);
	quoted.sport ^= 1;
}

static void to_another(struct world *w, struct pkt_spec *s)
{
	about_any(w, s);
	s->dst.a[3] ^= 1;
}

static void echo(struct world *w, struct pkt_spec *s)
{
	about_any(w, s);
	s->icmp_type = s->af == RR_AF_INET ? 8 : 128;
}

static void redirect(struct world *w, struct pkt_spec *s)
{
	about_any(w, s);
	s->icmp_type = s->af == RR_AF_INET ? 5 : 137;
}

/* From the endpoint itself, as a firewall there refuses. */
static void from_endpoint(struct world *w, struct pkt_spec *s)
{
	about_request(w, s);
	s->src = w->rig->endpoints[w->ep].addr;
}

static void lose_forward(struct world *w)
{
	path_flow_of(w, NULL)->meta = RR_META_MAKE(9, RR_FLOW_EMPTY, 0, 0, 0);
}

#define TOLD(why, h, fn, what, s, ...) \
	{ \
		.name = why, .on = ON_ALL, .have = h, .pkt = { .icmp_rest = what, __VA_ARGS__ }, \
		.shape = fn, .verdict = RR_V_ICMP_ERROR, .state = s \
	}
#define TOLD_REV(why, h, fn, what, s, ...) \
	{ \
		.name = why, .on = ON_NAT, .have = h, .rev = true, \
		.pkt = { .icmp_rest = what, __VA_ARGS__ }, .shape = fn, \
		.verdict = RR_V_ICMP_ERROR, .state = s \
	}
#define EACH(why, h, what, s, ...) \
	TOLD(why ", client's side", h, about_reply, what, s, __VA_ARGS__), \
		TOLD_REV(why ", endpoint's side", h, about_request, what, s, __VA_ARGS__)
#define HOSTS(why, h, fn, ...) \
	{ \
		.name = why, .on = ON_ALL, .have = h, .pkt = { __VA_ARGS__ }, .shape = fn, \
		.verdict = RR_V_NOT_OURS \
	}

static const struct path_case cases[] = {
	EACH("unreachable", HAVE_EST, UNREACHABLE, RR_FLOW_EST, .quote_len = 8),
	EACH("too big", HAVE_EST, TOO_BIG, RR_FLOW_EST, .quote_len = 8),
	EACH("port unreachable", HAVE_EST, PORT_UNREACHABLE, RR_FLOW_EST, .quote_len = 8),
	EACH("time exceeded", HAVE_EST, TIME_EXCEEDED, RR_FLOW_EST, .quote_len = 8),
	EACH("parameter problem", HAVE_EST, PARAMETER, RR_FLOW_EST, .quote_len = 8),
	EACH("16 quoted bytes: without checksum", HAVE_EST, TOO_BIG, RR_FLOW_EST, .quote_len = 16),
	EACH("18 quoted bytes: with checksum", HAVE_EST, TOO_BIG, RR_FLOW_EST, .quote_len = 18),
	EACH("19 quoted bytes", HAVE_EST, TOO_BIG, RR_FLOW_EST, .quote_len = 19),
	EACH("whole packet quoted", HAVE_EST, TOO_BIG, RR_FLOW_EST, .seq = 1),
	EACH("padding", HAVE_EST, TOO_BIG, RR_FLOW_EST, .quote_len = 8, .pad = 18),
	EACH("tagged", HAVE_EST, TOO_BIG, RR_FLOW_EST, .vlans = 1, .vlan = { 0x2123 }),
	EACH("half-open", HAVE_SYN, UNREACHABLE, RR_FLOW_SYN, .quote_len = 8),
	EACH("closing", HAVE_FIN_CLIENT, TOO_BIG, RR_FLOW_FIN1, .quote_len = 8),
	TOLD_REV("from the endpoint itself", HAVE_SYN, from_endpoint, UNREACHABLE, RR_FLOW_SYN,
		 .quote_len = 8),
	TOLD("quoted options or headers", HAVE_EST, about_options, TOO_BIG, RR_FLOW_EST, .seq = 1),
	TOLD("first fragment quoted", HAVE_EST, about_first_fragment, TOO_BIG, RR_FLOW_EST,
	     .seq = 1),
	{ .name = "options before the error",
	  .on = ON_V4,
	  .have = HAVE_EST,
	  .pkt = { .ip_options = PKT_NOPS, .ip_options_len = 8, .quote_len = 8 },
	  .shape = about_any,
	  .verdict = RR_V_ICMP_ERROR },
	{ .name = "TTL 1",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .pkt = { .ttl = 1, .quote_len = 8 },
	  .shape = about_any,
	  .verdict = RR_V_TTL },
	HOSTS("7 quoted bytes", HAVE_EST, about_any, .quote_len = 7),
	HOSTS("no flow", HAVE_NONE, about_reply, .quote_len = 8),
	HOSTS("killed flow", HAVE_KILLED, about_any, .quote_len = 8),
	HOSTS("later fragment quoted", HAVE_EST, about_later_fragment, .seq = 1),
	HOSTS("UDP quoted", HAVE_EST, about_udp, .quote_len = 8),
	HOSTS("another port quoted as destination", HAVE_EST, about_another, .quote_len = 8),
	HOSTS("another port quoted as source", HAVE_EST, about_other_ports, .quote_len = 8),
	HOSTS("to another address than the quoted source", HAVE_EST, to_another, .quote_len = 8),
	HOSTS("fragment of an error", HAVE_EST, about_any, .quote_len = 8, .frag = 0x2000,
	      .frag_header = true, .payload = 1),
	HOSTS("echo with a packet in it", HAVE_EST, echo, .quote_len = 8),
	HOSTS("redirect", HAVE_EST, redirect, .quote_len = 8),
	{ .name = "endpoint's side, client's flow is gone",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .prepare = lose_forward,
	  .rev = true,
	  .pkt = { .quote_len = 8 },
	  .shape = about_request,
	  .verdict = RR_V_NOT_OURS },
};

const struct path_table path_icmp = PATH_TABLE(cases);
