/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cases_reset.c - packets of no flow, and the RSTs that answer them: numbers by RFC 9293
 * 3.10.7.1, bare headers, turned round on the way that they came, never in answer to a RST, and
 * limited in rate.
 */
#include "path.h"

static void drop(struct world *w)
{
	w->rig->services[w->svc].on_unknown = RR_UNKNOWN_DROP;
}

static void pass(struct world *w)
{
	w->rig->services[w->svc].on_unknown = RR_UNKNOWN_PASS;
}

static void no_rst(struct world *w)
{
	w->rig->control->rst_rate = 0;
}

static void no_rst_full(struct world *w)
{
	no_rst(w);
	rig_rotation(w->rig, w->svc, NULL, 0);
}

static void nobody(struct world *w)
{
	rig_rotation(w->rig, w->svc, NULL, 0);
}

static void no_hz(struct world *w)
{
	w->rig->control->hz = 0;
}

/*
 * A bucket that fills in 50 days: with the clock alone it would have no token before that. The rows
 * begin with buckets that were never used.
 */
static void rate_slow(struct world *w)
{
	w->rig->control->rst_rate = 1;
	w->rig->control->hz = 0xffffffff;
}

static void rate_huge(struct world *w)
{
	w->rig->control->rst_rate = 0xffffffff;
	w->rig->control->hz = 0xffffffff;
}

#define RESET(why, f, ...) \
	{ \
		.name = why, .on = ON_ALL, .pkt = { .flags = f, __VA_ARGS__ }, \
		.verdict = RR_V_RESET, .state = PATH_NONE \
	}
#define RESET_ON(why, services, f, ...) \
	{ \
		.name = why, .on = services, .pkt = { .flags = f, __VA_ARGS__ }, \
		.verdict = RR_V_RESET, .state = PATH_NONE \
	}
#define UNKNOWN(why, p, f, v) \
	{ \
		.name = why, .on = ON_ALL, .prepare = p, .pkt = { .flags = f, .payload = 5 }, \
		.verdict = v, .state = PATH_NONE \
	}
#define REFUSE(why, ...) \
	{ \
		.name = why, .on = ON_ALL, .prepare = nobody, \
		.pkt = { .flags = PKT_SYN, __VA_ARGS__ }, .verdict = RR_V_REFUSE, .refused = 1, \
		.state = PATH_NONE \
	}

static const struct path_case cases[] = {
	RESET("ACK of no flow", PKT_ACK),
	RESET("ACK of no flow, number 0", PKT_ACK, .seq = 0xffffffff, .ack = 0xffffffff),
	RESET("data of no flow", PKT_PSH | PKT_ACK, .payload = 1200),
	RESET("SYN-ACK of no flow", PKT_SYN | PKT_ACK),
	RESET("FIN of no flow, with ACK", PKT_FIN | PKT_ACK),
	RESET("FIN of no flow, without ACK", PKT_FIN),
	RESET("FIN with data of no flow, without ACK", PKT_FIN, .payload = 100),
	RESET("FIN without ACK, number wraps", PKT_FIN, .payload = 100, .seq = 0xfffffff0),
	RESET("padding is no data", PKT_FIN, .pad = 6),
	RESET("options are no data", PKT_FIN, .options = PKT_SYN_OPTIONS, .options_len = 20),
	RESET("one tag", PKT_ACK, .vlans = 1, .vlan = { 0x2123 }),
	RESET("two tags", PKT_ACK, .vlans = 2, .vlan = { 12, 13 }, .payload = 700),
	RESET("TTL 1 is answered", PKT_ACK, .ttl = 1),
	RESET_ON("IPv4 options are not echoed", ON_V4, PKT_FIN, .ip_options = PKT_NOPS,
		 .ip_options_len = 8, .payload = 3),
	RESET_ON("extension headers are not echoed", ON_V6, PKT_FIN, .ext = { 0, 60 }, .exts = 2,
		 .payload = 3),
	RESET_ON("type of service is not echoed", ON_ALL, PKT_ACK, .tos = 0x20),
	UNKNOWN("RST of no flow", NULL, PKT_RST, RR_V_RST_SILENT),
	UNKNOWN("RST and ACK of no flow", NULL, PKT_RST | PKT_ACK, RR_V_RST_SILENT),
	UNKNOWN("on-unknown drop", drop, PKT_ACK, RR_V_UNKNOWN_DROP),
	UNKNOWN("on-unknown drop, RST", drop, PKT_RST, RR_V_UNKNOWN_DROP),
	UNKNOWN("on-unknown pass", pass, PKT_ACK, RR_V_UNKNOWN_PASS),
	UNKNOWN("on-unknown pass, RST", pass, PKT_RST, RR_V_UNKNOWN_PASS),
	UNKNOWN("RSTs switched off", no_rst, PKT_ACK, RR_V_RST_LIMITED),
	UNKNOWN("controller did not say HZ", no_hz, PKT_ACK, RR_V_RESET),
	UNKNOWN("first RST of all, whatever the clock says", rate_slow, PKT_ACK, RR_V_RESET),
	UNKNOWN("enormous rate", rate_huge, PKT_ACK, RR_V_RESET),
	REFUSE("refused SYN", .ttl = 64),
	REFUSE("refused SYN, number wraps", .seq = 0xffffffff),
	REFUSE("refused SYN with data", .payload = 10),
	REFUSE("refused SYN, tagged", .vlans = 2, .vlan = { 5, 6 }),
	{ .name = "refused SYN, RSTs switched off",
	  .on = ON_ALL,
	  .prepare = no_rst_full,
	  .pkt = { .flags = PKT_SYN },
	  .verdict = RR_V_RST_LIMITED,
	  .refused = 1,
	  .state = PATH_NONE },
};

const struct path_table path_reset = PATH_TABLE(cases);
