/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cases_notice.c - ICMP errors that the packet path makes: what does not fit into its way out, and
 * what has come too far. On both sides, whatever stands before the packet.
 */
#include "path.h"

#define MTU 1000u
#define IP_TCP(af) ((af) == RR_AF_INET ? 40u : 60u)
#define BIG 1100 /* bytes of data: too many */

static void narrow(struct world *w)
{
	rig_iface_at(w->rig, 0)->mtu = MTU;
}

static void no_answers(struct world *w)
{
	narrow(w);
	w->rig->control->rst_rate = 0;
}

/* A flood of the other kinds has used its budgets up. */
static void others_flooded(struct world *w)
{
	struct pkt_spec stray = { .flags = PKT_ACK, .sport = 50000 }, s;

	narrow(w);
	w->rig->control->rst_rate = 1;
	path_packet(w, false, &stray, &s);
	path_run(w, &s, RR_V_RESET, 0);
	path_run(w, &s, RR_V_RST_LIMITED, 0);
}

static void dont_fragment(struct world *w, struct pkt_spec *s)
{
	(void)w;
	if (s->af == RR_AF_INET)
		s->frag = 0x4000;
}

/* So much data that the packet is `more` bytes larger than the MTU. */
static void sized(struct pkt_spec *s, int more)
{
	s->payload = (uint16_t)((int)(MTU - IP_TCP(s->af)) + more);
	dont_fragment(NULL, s);
}

static void just_fits(struct world *w, struct pkt_spec *s)
{
	(void)w;
	sized(s, 0);
}

static void one_too_many(struct world *w, struct pkt_spec *s)
{
	(void)w;
	sized(s, 1);
}

#define BOTH(why, on_client, prep, fn, v, ...) \
	{ .name = why, \
	  .on = on_client, \
	  .have = HAVE_EST, \
	  .prepare = prep, \
	  .pkt = { .flags = PKT_ACK, __VA_ARGS__ }, \
	  .shape = fn, \
	  .verdict = v, \
	  .state = RR_FLOW_EST }, \
	{ \
		.name = why ", reply", .on = on_client, .have = HAVE_EST, .rev = true, \
		.prepare = prep, .pkt = { .flags = PKT_ACK, __VA_ARGS__ }, .shape = fn, \
		.verdict = (v) == RR_V_FORWARD ? RR_V_REPLY : (v), .state = RR_FLOW_EST \
	}

static const struct path_case cases[] = {
	BOTH("as large as the way out", ON_ALL, narrow, just_fits, RR_V_FORWARD, .seq = 0),
	BOTH("a byte too large", ON_ALL, narrow, one_too_many, RR_V_TOO_BIG_TOLD, .seq = 0),
	BOTH("too large", ON_ALL, narrow, dont_fragment, RR_V_TOO_BIG_TOLD, .payload = BIG),
	BOTH("too large by far", ON_ALL, narrow, dont_fragment, RR_V_TOO_BIG_TOLD, .payload = 1700),
	BOTH("too large, padded", ON_ALL, narrow, dont_fragment, RR_V_TOO_BIG_TOLD, .payload = BIG,
	     .pad = 7),
	BOTH("too large, tagged", ON_ALL, narrow, dont_fragment, RR_V_TOO_BIG_TOLD, .payload = BIG,
	     .vlans = 1, .vlan = { 0x2123 }),
	BOTH("too large, two tags", ON_ALL, narrow, dont_fragment, RR_V_TOO_BIG_TOLD,
	     .payload = BIG, .vlans = 2, .vlan = { 0x2123, 7 }),
	BOTH("too large, IPv4 options", ON_V4, narrow, dont_fragment, RR_V_TOO_BIG_TOLD,
	     .payload = BIG, .ip_options = PKT_NOPS, .ip_options_len = 8),
	BOTH("too large, extension headers", ON_V6, narrow, dont_fragment, RR_V_TOO_BIG_TOLD,
	     .payload = BIG, .ext = { 0, 60 }, .exts = 2),
	BOTH("too large, may be fragmented", ON_V4, narrow, NULL, RR_V_TOO_BIG, .payload = BIG),
	BOTH("too large, answers switched off", ON_ALL, no_answers, dont_fragment, RR_V_TOO_BIG,
	     .payload = BIG),
	BOTH("too large, RSTs used up", ON_ALL, others_flooded, dont_fragment, RR_V_TOO_BIG_TOLD,
	     .payload = BIG),
	BOTH("TTL 1, answers switched off", ON_NAT, no_answers, NULL, RR_V_TTL, .ttl = 1),
	BOTH("TTL 1, RSTs used up", ON_NAT, others_flooded, NULL, RR_V_TTL_TOLD, .ttl = 1),
	BOTH("TTL 1, two bytes of data", ON_NAT, NULL, NULL, RR_V_TTL_TOLD, .ttl = 1, .payload = 2),
	BOTH("TTL 1, tagged", ON_NAT, NULL, NULL, RR_V_TTL_TOLD, .ttl = 1, .vlans = 1,
	     .vlan = { 9 }),
	BOTH("TTL 1 and too large", ON_NAT, narrow, dont_fragment, RR_V_TOO_BIG_TOLD, .ttl = 1,
	     .payload = BIG),
};

const struct path_table path_notice = PATH_TABLE(cases);
