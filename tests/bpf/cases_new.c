/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cases_new.c - new connections: who gets them, which SYN is one and which is not, and when there
 * is nobody to take it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/bpf.h>

#include <cmocka.h>

#include "path.h"

static struct rr_endpoint *ep(struct world *w, uint32_t slot)
{
	return &w->rig->endpoints[PATH_EP(w->svc, slot)];
}

static void ep0_out(struct world *w)
{
	ep(w, 0)->flags |= RR_EP_NO_NEW;
}

static void ep0_gone(struct world *w)
{
	ep(w, 0)->flags |= RR_EP_GONE;
}

static void ep0_absent(struct world *w)
{
	ep(w, 0)->flags = 0;
}

static void ep0_no_hop(struct world *w)
{
	ep(w, 0)->hop = 0;
}

static void ep01_out(struct world *w)
{
	ep(w, 0)->flags |= RR_EP_NO_NEW;
	ep(w, 1)->flags |= RR_EP_NO_NEW;
}

static void all_out(struct world *w)
{
	for (uint32_t i = 0; i < PATH_EPS; i++)
		ep(w, i)->flags |= RR_EP_NO_NEW;
}

static void all_out_drop(struct world *w)
{
	all_out(w);
	w->rig->services[w->svc].overflow = RR_OVERFLOW_DROP;
}

static void all_no_hop(struct world *w)
{
	for (uint32_t i = 0; i < PATH_EPS; i++)
		ep(w, i)->hop = 0;
}

static void paused(struct world *w)
{
	w->rig->services[w->svc].flags |= RR_SVC_PAUSED;
}

static void empty_rotation(struct world *w)
{
	rig_rotation(w->rig, w->svc, NULL, 0);
}

static void slot_of_nobody(struct world *w)
{
	uint16_t slots[] = { 0, PATH_EP(w->svc, 1) };

	rig_rotation(w->rig, w->svc, slots, 2);
}

/* `n` endpoints that are out, then the one that takes all. */
static void rotation_out(struct world *w, uint32_t n)
{
	uint16_t slots[16];

	ep0_out(w);
	for (uint32_t i = 0; i < n; i++)
		slots[i] = PATH_EP(w->svc, 0);
	slots[n] = PATH_EP(w->svc, 2);
	rig_rotation(w->rig, w->svc, slots, n + 1);
}

static void eight_out(struct world *w)
{
	rotation_out(w, RR_MAX_STEPS);
}

static void nine_out(struct world *w)
{
	rotation_out(w, RR_MAX_STEPS + 1);
}

/* The walk goes round the end of the rotation. */
static void last_out(struct world *w)
{
	w->rig->cursors[w->svc].ticket = 3 * 1000 + 2;
	ep(w, 2)->flags |= RR_EP_NO_NEW;
}

/* mod 3 = 2; the low half alone would be 1 */
static void cursor_high(struct world *w)
{
	w->rig->cursors[w->svc].ticket = 0x0000000100000001ull;
}

static void other_client(struct world *w)
{
	w->cport++;
	path_client(w, PKT_SYN, RR_V_FORWARD);
	w->cport--;
	w->ep = 0;
	memset(w->hop_mac, 0, 6);
}

static void switched(struct world *w)
{
	uint16_t slots[] = { PATH_EP(w->svc, 2), PATH_EP(w->svc, 1) };

	other_client(w);
	rig_rotation(w->rig, w->svc, slots, 2);
}

static void foreign_iface(struct world *w)
{
	rig_iface_at(w->rig, 0)->ifindex = 99;
}

static void no_local(struct world *w)
{
	for (uint32_t i = 0; i < PATH_EPS; i++)
		ep(w, i)->local_count = 0;
}

static void timeouts_short(struct world *w)
{
	struct rr_flow *f = path_flow_of(w, NULL);

	f->seen -= RIG_TIMEOUT + 2;
}

/* As if `seconds` had passed since the flow's last packets. */
static void passed(struct world *w, uint32_t seconds)
{
	path_flow_of(w, NULL)->seen -= seconds * w->rig->control->hz;
	if (w->mode->pair)
		path_reverse_of(w, NULL)->seen -= seconds * w->rig->control->hz;
}

static void seconds_4(struct world *w)
{
	passed(w, 4);
}

static void reset_half(struct world *w)
{
	path_client(w, PKT_RST, RR_V_FORWARD);
}

static void refused(struct world *w)
{
	path_server(w, PKT_RST | PKT_ACK, RR_V_REPLY);
}

static void second_try(struct world *w)
{
	assert_int_equal(path_record_of(w)->tries, 2);
}

static void record_is_right(struct world *w)
{
	const struct rr_pair *pair = path_record_of(w);
	uint64_t ticket = w->rig->cursors[w->svc].ticket - 1;
	uint32_t forward = 0, reverse = 0;

	path_flow_of(w, &forward);
	assert_int_equal(pair->forward, forward);
	if (w->mode->pair) {
		path_reverse_of(w, &reverse);
		assert_int_equal(path_flow_of(w, NULL)->slot, reverse);
	}
	assert_int_equal(pair->isn_client, PATH_ISN_CLIENT);
	assert_int_equal(pair->tries, 1);
	assert_int_equal(pair->ticket_lo, (uint32_t)ticket);
	assert_int_equal(pair->ticket_hi, (uint16_t)(ticket >> 32));
}

/* The record keeps 48 bits of it; mod 3 = 0. */
static void cursor_wide(struct world *w)
{
	w->rig->cursors[w->svc].ticket = 0x0123456789abcdefull;
}

#define NEW(why, n, ...) \
	{ \
		.name = why, .on = ON_ALL, .pkt = { .flags = PKT_SYN }, .verdict = RR_V_FORWARD, \
		.state = RR_FLOW_SYN, .conns = 1, .slot = n, __VA_ARGS__ \
	}
#define FOLLOW(why, services, h, st, ...) \
	{ \
		.name = why, .on = services, .have = h, .pkt = { .flags = PKT_SYN }, \
		.verdict = RR_V_FORWARD, .state = st, __VA_ARGS__ \
	}
#define REFUSE(why, p, v, t) \
	{ \
		.name = why, .on = ON_ALL, .prepare = p, .pkt = { .flags = PKT_SYN }, \
		.verdict = v, .refused = 1, .tickets = t, .state = PATH_NONE \
	}

static const struct path_case cases[] = {
	NEW("SYN", 0, .after = record_is_right),
	NEW("SYN, ticket of more than 48 bits", 0, .prepare = cursor_wide,
	    .after = record_is_right),
	NEW("SYN of a second client", 1, .prepare = other_client),
	{ .name = "SYN with data",
	  .on = ON_ALL,
	  .pkt = { .flags = PKT_SYN, .payload = 64 },
	  .verdict = RR_V_FORWARD,
	  .state = RR_FLOW_SYN,
	  .conns = 1 },
	{ .name = "SYN with ECN",
	  .on = ON_ALL,
	  .pkt = { .flags = PKT_SYN | 0xc0 },
	  .verdict = RR_V_FORWARD,
	  .state = RR_FLOW_SYN,
	  .conns = 1 },
	NEW("endpoint out: the next", 1, .prepare = ep0_out),
	NEW("endpoint gone: the next", 1, .prepare = ep0_gone),
	NEW("endpoint absent: the next", 1, .prepare = ep0_absent),
	NEW("endpoint without next hop: the next", 1, .prepare = ep0_no_hop),
	NEW("slot without endpoint: the next", 1, .prepare = slot_of_nobody),
	NEW("two endpoints out: the third", 2, .prepare = ep01_out),
	NEW("walk round the end", 0, .prepare = last_out),
	NEW("cursor past 32 bits", 2, .prepare = cursor_high),
	NEW("rotation switched: ticket 1 of two slots", 1, .prepare = switched),
	NEW("eight endpoints out: the ninth", 2, .prepare = eight_out),
	REFUSE("nine endpoints out", nine_out, RR_V_REFUSE, 1),
	REFUSE("all endpoints out", all_out, RR_V_REFUSE, 1),
	REFUSE("all endpoints out, overflow drop", all_out_drop, RR_V_NO_ENDPOINT, 1),
	REFUSE("no endpoint has a next hop", all_no_hop, RR_V_REFUSE, 1),
	REFUSE("empty rotation", empty_rotation, RR_V_REFUSE, 0),
	REFUSE("paused", paused, RR_V_REFUSE, 0),
	{ .name = "paused, retransmitted SYN",
	  .on = ON_ALL,
	  .have = HAVE_SYN,
	  .prepare = paused,
	  .pkt = { .flags = PKT_SYN },
	  .verdict = RR_V_FORWARD,
	  .state = RR_FLOW_SYN },
	{ .name = "paused, established",
	  .on = ON_ALL,
	  .have = HAVE_EST,
	  .prepare = paused,
	  .pkt = { .flags = PKT_ACK },
	  .verdict = RR_V_FORWARD,
	  .state = RR_FLOW_EST },
	{ .name = "SYN on an interface that is not ours",
	  .on = ON_NAT,
	  .prepare = foreign_iface,
	  .pkt = { .flags = PKT_SYN },
	  .verdict = RR_V_NO_HOP,
	  .refused = 1,
	  .tickets = 1,
	  .state = PATH_NONE },
	{ .name = "egress that cannot be redirected to",
	  .on = ON_DSR,
	  .prepare = foreign_iface,
	  .pkt = { .flags = PKT_SYN },
	  .verdict = RR_V_TX_FAILED,
	  .conns = 1 },
	{ .name = "endpoint without source address",
	  .on = ON_NAT,
	  .prepare = no_local,
	  .pkt = { .flags = PKT_SYN },
	  .verdict = RR_V_NO_PORT,
	  .refused = 1,
	  .tickets = 1,
	  .state = PATH_NONE },
	FOLLOW("SYN again", ON_ALL, HAVE_SYN, RR_FLOW_SYN),
	FOLLOW("SYN again after the SYN-ACK", ON_NAT, HAVE_SYNACK, RR_FLOW_SYNACK),
	FOLLOW("SYN on an established flow", ON_ALL, HAVE_EST, RR_FLOW_EST),
	FOLLOW("SYN after the client's FIN", ON_ALL, HAVE_FIN_CLIENT, RR_FLOW_FIN1),
	FOLLOW("SYN after the endpoint's FIN", ON_NAT, HAVE_FIN_SERVER, RR_FLOW_FIN1),
	{ .name = "SYN after both FINs",
	  .on = ON_NAT,
	  .have = HAVE_FIN2,
	  .pkt = { .flags = PKT_SYN },
	  .verdict = RR_V_FORWARD,
	  .state = RR_FLOW_SYN,
	  .conns = 1,
	  .slot = 1 },
	NEW("SYN after RST", 1, .have = HAVE_RST, .pkt.seq = 7),
	NEW("the same SYN long after RST", 1, .have = HAVE_RST, .prepare = seconds_4),
	NEW("the same SYN after RST, endpoint out", 1, .have = HAVE_RST, .prepare = ep0_out),
	FOLLOW("the same SYN after RST", ON_ALL, HAVE_RST, RR_FLOW_RST),
	FOLLOW("the same SYN after a half-open RST", ON_ALL, HAVE_SYN, RR_FLOW_SYN,
	       .prepare = reset_half, .after = second_try),
	FOLLOW("the same SYN after a refusal", ON_NAT, HAVE_SYN, RR_FLOW_SYN, .prepare = refused,
	       .after = second_try),
	NEW("another SYN after a half-open RST", 1, .have = HAVE_SYN, .prepare = reset_half,
	    .pkt.seq = 7),
	NEW("SYN on a killed flow", 1, .have = HAVE_KILLED),
	NEW("SYN on an expired half-open flow", 1, .have = HAVE_SYN, .prepare = timeouts_short),
	NEW("SYN on an expired established flow", 1, .have = HAVE_EST, .prepare = timeouts_short,
	    .closed = 1),
	NEW("SYN again, endpoint out", 1, .have = HAVE_SYN, .prepare = ep0_out),
	NEW("SYN again, endpoint gone", 1, .have = HAVE_SYN, .prepare = ep0_gone),
	FOLLOW("SYN on an established flow, endpoint out", ON_ALL, HAVE_EST, RR_FLOW_EST,
	       .prepare = ep0_out),
	FOLLOW("SYN on a half-closed flow, endpoint out", ON_ALL, HAVE_FIN_CLIENT, RR_FLOW_FIN1,
	       .prepare = ep0_out),
	FOLLOW("another SYN on an established flow", ON_ALL, HAVE_EST, RR_FLOW_EST, .pkt.seq = 7),
};

const struct path_table path_new = PATH_TABLE(cases);
