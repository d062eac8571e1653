/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cases_judge.c - what a packet may do to a flow that its numbers do not fit, and how a flow comes
 * back that only seemed to be over: near is 1 MiB behind to 63 MiB ahead of what the other side
 * last acknowledged, exact while half-open. What fails goes on and changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "path.h"

#define BEHIND (1u << 20)
#define AHEAD (63u << 20)
#define UNIT (1u << 16) /* numbers are kept without their lower half */
#define FAR (1u << 29)
#define CLIENT_NEXT (PATH_ISN_CLIENT + 1)
#define SERVER_NEXT (PATH_ISN_SERVER + 1)
#define ISN_OTHER 0x12345678u

static void age(struct world *w, uint32_t forward, uint32_t reverse)
{
	path_flow_of(w, NULL)->seen -= forward;
	if (w->mode->pair)
		path_reverse_of(w, NULL)->seen -= reverse;
}

static void packet(struct world *w, bool rev, struct pkt_spec s)
{
	path_packet(w, rev, &s, &s);
	path_run(w, &s, rev ? RR_V_REPLY : RR_V_FORWARD, 0);
}

/* So long ago that a packet which counts would be seen to have set the time. */
static void aged(struct world *w)
{
	age(w, 10, 10);
}

static void nothing_moved(struct world *w)
{
	uint32_t opened = path_record_of(w)->opened;

	assert_true((int32_t)(path_flow_of(w, NULL)->seen - opened) < 0);
	if (w->mode->pair)
		assert_true((int32_t)(path_reverse_of(w, NULL)->seen - opened) < 0);
}

static void client_resets(struct world *w)
{
	packet(w, false, (struct pkt_spec){ .flags = PKT_RST });
}

static void server_resets(struct world *w)
{
	packet(w, true, (struct pkt_spec){ .flags = PKT_RST });
}

static void client_resets_2s(struct world *w)
{
	client_resets(w);
	age(w, 2 * w->rig->control->hz, 2 * w->rig->control->hz);
}

static void server_resets_2s(struct world *w)
{
	server_resets(w);
	age(w, 2 * w->rig->control->hz, 2 * w->rig->control->hz);
}

/* A RST long after the last data: it is the RST's age that counts. */
static void client_resets_late(struct world *w)
{
	age(w, 0, 2 * w->rig->control->hz);
	client_resets(w);
}

static void half_closed_reset(struct world *w)
{
	packet(w, false, (struct pkt_spec){ .flags = PKT_FIN | PKT_ACK });
	server_resets(w);
}

static void both_closed_reset(struct world *w)
{
	packet(w, false, (struct pkt_spec){ .flags = PKT_FIN | PKT_ACK });
	packet(w, true, (struct pkt_spec){ .flags = PKT_FIN | PKT_ACK });
	client_resets(w);
}

/* The endpoint has sent a lot, and the client has acknowledged it in steps. */
static void client_acks(struct world *w)
{
	for (uint32_t i = 1; i <= 4; i++) {
		age(w, 1, 1);
		packet(w, false,
		       (struct pkt_spec){ .flags = PKT_ACK, .ack = SERVER_NEXT + i * (60u << 20) });
	}
}

/* A stranger acknowledges what was never sent: the number stays where it is. */
static void stranger_acks(struct world *w)
{
	age(w, 1, 1);
	packet(w, false, (struct pkt_spec){ .flags = PKT_ACK, .ack = SERVER_NEXT + FAR });
}

/* In the same tick as the packet before: nothing is stored. */
static void server_acks(struct world *w)
{
	for (uint32_t i = 1; i <= 4; i++) {
		age(w, 1, 1);
		packet(w, true,
		       (struct pkt_spec){ .flags = PKT_ACK, .ack = CLIENT_NEXT + i * (FAR / 4) });
	}
}

/* dsr: the end of the client's own packets. */
static void client_sends(struct world *w)
{
	for (uint32_t i = 1; i <= 4; i++) {
		age(w, 1, 1);
		packet(w, false,
		       (struct pkt_spec){ .flags = PKT_ACK, .seq = CLIENT_NEXT + i * (60u << 20) });
	}
}

static void reused(struct world *w)
{
	const struct rr_pair *pair = path_record_of(w);

	assert_int_equal(pair->isn_client, 5000);
	assert_int_equal(pair->isn_server, ISN_OTHER);
	packet(w, true, (struct pkt_spec){ .flags = PKT_RST, .seq = ISN_OTHER + 1 });
	assert_int_equal(RR_META_STATE(path_flow_of(w, NULL)->meta), RR_FLOW_RST);
}

#define NUMBER(why, services, r, f, n, st, v, ...) \
	{ \
		.name = why, .on = services, .have = HAVE_EST, .rev = r, .prepare = aged, \
		.pkt = { .flags = f, .seq = n }, .verdict = v, .state = st, __VA_ARGS__ \
	}
#define FITS(why, services, f, n, st) \
	NUMBER(why, services, false, f, n, st, RR_V_FORWARD, .closed = 1)
#define FITS_REV(why, f, n, st) NUMBER(why, ON_NAT, true, f, n, st, RR_V_REPLY, .closed = 1)
#define STRAY(why, services, f, n) \
	NUMBER(why, services, false, f, n, RR_FLOW_EST, RR_V_FORWARD, .after = nothing_moved)
#define STRAY_REV(why, f, n) \
	NUMBER(why, ON_NAT, true, f, n, RR_FLOW_EST, RR_V_REPLY, .after = nothing_moved)
#define AT(why, services, h, p, r, f, n, st, ...) \
	{ \
		.name = why, .on = services, .have = h, .prepare = p, .rev = r, \
		.pkt = { .flags = f, .seq = n }, .verdict = (r) ? RR_V_REPLY : RR_V_FORWARD, \
		.state = st, __VA_ARGS__ \
	}
#define HALF(why, services, h, f, n, st) AT(why, services, h, NULL, false, f, n, st)
#define HALF_REV(why, h, st, ...) \
	{ \
		.name = why, .on = ON_NAT, .have = h, .rev = true, .pkt = { __VA_ARGS__ }, \
		.verdict = RR_V_REPLY, .state = st \
	}
#define BACK(why, services, p, r, f, st, ...) \
	AT(why, services, HAVE_EST, p, r, f, 0, st, __VA_ARGS__)
#define UNFIT(why, n) \
	{ \
		.name = why, .on = ON_DSR, .have = HAVE_SYN, \
		.pkt = { .flags = PKT_ACK, .seq = n }, .verdict = RR_V_BAD_HANDSHAKE, \
		.state = RR_FLOW_SYN \
	}

static const struct path_case cases[] = {
	FITS("RST 1 MiB behind", ON_ALL, PKT_RST, CLIENT_NEXT - BEHIND, RR_FLOW_RST),
	FITS("RST 63 MiB ahead", ON_ALL, PKT_RST, CLIENT_NEXT + AHEAD - UNIT, RR_FLOW_RST),
	STRAY("RST more than 1 MiB behind", ON_ALL, PKT_RST, CLIENT_NEXT - BEHIND - UNIT),
	STRAY("RST more than 63 MiB ahead", ON_ALL, PKT_RST, CLIENT_NEXT + AHEAD + UNIT),
	STRAY("RST and ACK far away", ON_ALL, PKT_RST | PKT_ACK, CLIENT_NEXT + FAR),
	FITS("FIN 63 MiB ahead", ON_ALL, PKT_FIN | PKT_ACK, CLIENT_NEXT + AHEAD - UNIT,
	     RR_FLOW_FIN1),
	STRAY("FIN far away", ON_ALL, PKT_FIN | PKT_ACK, CLIENT_NEXT + FAR),
	FITS_REV("endpoint's RST 1 MiB behind", PKT_RST, SERVER_NEXT - BEHIND, RR_FLOW_RST),
	FITS_REV("endpoint's RST 63 MiB ahead", PKT_RST, SERVER_NEXT + AHEAD - UNIT, RR_FLOW_RST),
	STRAY_REV("endpoint's RST more than 1 MiB behind", PKT_RST, SERVER_NEXT - BEHIND - UNIT),
	STRAY_REV("endpoint's RST far away", PKT_RST, SERVER_NEXT + FAR),
	STRAY_REV("endpoint's FIN far away", PKT_FIN | PKT_ACK, SERVER_NEXT + FAR),

	AT("RST by what the endpoint acknowledged", ON_NAT, HAVE_EST, server_acks, false, PKT_RST,
	   CLIENT_NEXT + FAR, RR_FLOW_RST, .closed = 1),
	AT("RST by what it had acknowledged long ago", ON_NAT, HAVE_EST, server_acks, false,
	   PKT_RST, CLIENT_NEXT, RR_FLOW_EST),
	AT("endpoint's RST by what the client acknowledged", ON_NAT, HAVE_EST, client_acks, true,
	   PKT_RST, SERVER_NEXT + 4 * (60u << 20), RR_FLOW_RST, .closed = 1),
	AT("endpoint's FIN, a stranger has acknowledged more", ON_NAT, HAVE_EST, stranger_acks,
	   true, PKT_FIN | PKT_ACK, SERVER_NEXT, RR_FLOW_FIN1, .closed = 1),
	AT("endpoint's RST by what a stranger acknowledged", ON_NAT, HAVE_EST, stranger_acks, true,
	   PKT_RST, SERVER_NEXT + FAR, RR_FLOW_EST),
	AT("RST by the client's own packets", ON_DSR, HAVE_EST, client_sends, false, PKT_RST,
	   CLIENT_NEXT + 4 * (60u << 20), RR_FLOW_RST, .closed = 1),

	HALF("half-open: RST one off", ON_ALL, HAVE_SYN, PKT_RST, CLIENT_NEXT + 1, RR_FLOW_SYN),
	HALF("half-open: RST one before", ON_ALL, HAVE_SYN, PKT_RST, CLIENT_NEXT - 1, RR_FLOW_SYN),
	HALF("answered: RST one off", ON_NAT, HAVE_SYNACK, PKT_RST, CLIENT_NEXT + 1,
	     RR_FLOW_SYNACK),
	HALF_REV("half-open: endpoint refuses another SYN", HAVE_SYN, RR_FLOW_SYN,
		 .flags = PKT_RST | PKT_ACK, .ack = CLIENT_NEXT + 1),
	HALF_REV("half-open: endpoint's RST without ACK", HAVE_SYN, RR_FLOW_SYN, .flags = PKT_RST),
	HALF_REV("answered: endpoint's RST", HAVE_SYNACK, RR_FLOW_RST, .flags = PKT_RST),
	HALF_REV("answered: endpoint's RST one off", HAVE_SYNACK, RR_FLOW_SYNACK, .flags = PKT_RST,
		 .seq = SERVER_NEXT + 1),
	HALF_REV("half-open: endpoint's FIN", HAVE_SYNACK, RR_FLOW_SYNACK,
		 .flags = PKT_FIN | PKT_ACK),
	UNFIT("half-open: ACK from nowhere", CLIENT_NEXT + FAR),
	UNFIT("half-open: ACK of the SYN's own number", PATH_ISN_CLIENT),

	BACK("client's RST, then its data", ON_ALL, client_resets, false, PKT_ACK, RR_FLOW_EST,
	     .reopened = 1),
	BACK("client's RST, then the endpoint's data", ON_NAT, client_resets, true, PKT_ACK,
	     RR_FLOW_RST),
	BACK("client's RST, the endpoint's data 2 s later", ON_NAT, client_resets_2s, true, PKT_ACK,
	     RR_FLOW_EST, .reopened = 1),
	BACK("client's late RST, then the endpoint's data", ON_NAT, client_resets_late, true,
	     PKT_ACK, RR_FLOW_RST),
	BACK("client's RST, the endpoint's 2 s later", ON_NAT, client_resets_2s, true, PKT_RST,
	     RR_FLOW_RST),
	BACK("client's RST twice", ON_ALL, client_resets_2s, false, PKT_RST, RR_FLOW_RST),
	BACK("endpoint's RST, then its data", ON_NAT, server_resets, true, PKT_ACK, RR_FLOW_EST,
	     .reopened = 1),
	BACK("endpoint's RST, then the client's data", ON_NAT, server_resets, false, PKT_ACK,
	     RR_FLOW_RST),
	BACK("endpoint's RST, the client's data 2 s later", ON_NAT, server_resets_2s, false,
	     PKT_ACK, RR_FLOW_EST, .reopened = 1),
	BACK("endpoint's RST, the client's FIN 2 s later", ON_NAT, server_resets_2s, false,
	     PKT_FIN | PKT_ACK, RR_FLOW_FIN1, .reopened = 1, .closed = 1),
	BACK("half-closed, endpoint's RST, its data", ON_NAT, half_closed_reset, true, PKT_ACK,
	     RR_FLOW_FIN1),
	BACK("closing, client's RST, its ACK", ON_NAT, both_closed_reset, false, PKT_ACK,
	     RR_FLOW_FIN2),

	{ .name = "SYN-ACK with other numbers: reused",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .rev = true,
	  .pkt = { .flags = PKT_SYN | PKT_ACK, .seq = ISN_OTHER, .ack = 5001 },
	  .verdict = RR_V_REPLY,
	  .state = RR_FLOW_EST,
	  .reused = 1,
	  .after = reused },
	{ .name = "SYN-ACK with other numbers, half-closed: reused",
	  .on = ON_NAT,
	  .have = HAVE_FIN_CLIENT,
	  .rev = true,
	  .pkt = { .flags = PKT_SYN | PKT_ACK, .seq = ISN_OTHER, .ack = 5001 },
	  .verdict = RR_V_REPLY,
	  .state = RR_FLOW_EST,
	  .reused = 1,
	  .reopened = 1,
	  .after = reused },
};

const struct path_table path_judge = PATH_TABLE(cases);
