/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cases_pair.c - what belongs together: an entry names its partner by slot, and what lives there
 * by now is believed only when it says the same; the record is believed in the life of its entry;
 * a flow keeps the listener that it was opened through; the endpoint says by which mode it is
 * reached.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "path.h"

#define STRANGER_PORT 40001
#define OTHER_LISTENER 7
#define OTHER_PORT 8443

/* Another client's flow of the same service, established. */
static struct world stranger(const struct world *w)
{
	struct world s = *w;

	s.cport = STRANGER_PORT;
	s.ep = s.lport = 0;
	path_reach(&s, HAVE_EST);
	return s;
}

/* Whatever happened to the flow under test, nothing happened to the stranger's. */
static void stranger_lives(struct world *w)
{
	struct world s = *w;
	const struct rr_flow *f, *r;

	s.cport = STRANGER_PORT;
	f = path_flow_of(&s, NULL);
	assert_non_null(f);
	assert_int_equal(RR_META_STATE(f->meta), RR_FLOW_EST);
	s.ep = RR_META_EP(f->meta);
	s.lport = pkt_be16(f->port);
	r = path_reverse_of(&s, NULL);
	assert_non_null(r);
	assert_int_equal(RR_META_STATE(r->meta), RR_FLOW_EST);
}

/* The forward entry's link is stale: a stranger's reverse entry lives in that slot. */
static void link_to_stranger(struct world *w)
{
	struct world s = stranger(w);
	uint32_t slot = 0;

	path_reverse_of(&s, &slot);
	path_flow_of(w, NULL)->slot = slot;
}

/* The link names an entry that is no reverse entry at all: the forward entry itself. */
static void link_to_itself(struct world *w)
{
	uint32_t slot = 0;

	path_flow_of(w, &slot)->slot = slot;
}

static void link_past_the_table(struct world *w)
{
	path_flow_of(w, NULL)->slot = 0xffffffff;
}

/* The record names a slot in which a stranger's forward entry lives by now. */
static void record_of_stranger(struct world *w)
{
	struct world s = stranger(w);
	uint32_t slot = 0;

	path_flow_of(&s, &slot);
	path_record_of(w)->forward = slot;
}

static void record_past_the_table(struct world *w)
{
	path_record_of(w)->forward = 0xffffffff;
}

/* What stands in the record was written for the slot's life before. */
static void record_of_other_life(struct world *w)
{
	path_record_of(w)->gen--;
}

/* The service listens on another port now; flows that are open were opened through the old one. */
static void listens_elsewhere(struct world *w)
{
	rig_listener_retire(w->rig, w->listener);
	rig_listener(w->rig, OTHER_LISTENER, w->svc, w->af, w->addr, OTHER_PORT);
}

static void service_mode_changes(struct world *w)
{
	uint8_t *mode = &w->rig->services[w->svc].mode;

	*mode = *mode == RR_MODE_NAT ? RR_MODE_DSR : RR_MODE_NAT;
}

static void mode_past_the_table(struct world *w)
{
	w->rig->endpoints[w->ep].mode = RR_MODE_MAX;
}

/* Nothing reads it in this mode; least of all does it say which mode it is. */
static void port_without_need(struct world *w)
{
	path_flow_of(w, NULL)->port = pkt_be16(20000);
}

/* Hop ids have 16 bits. */
static void highest_hop(struct world *w)
{
	struct rr_flow *r = path_reverse_of(w, NULL);
	uint64_t m = r->meta;

	w->rig->hops[RR_MAX_HOPS - 1] = w->rig->hops[RR_META_VIA(m)];
	w->rig->hops[RR_META_VIA(m)] = 0;
	r->meta = RR_META_MAKE(RR_META_GEN(m), RR_META_STATE(m), RR_META_FLAGS(m), RR_META_EP(m),
			       RR_MAX_HOPS - 1);
}

/* The address table says that replies to our address have no entries in this family's table. */
static void local_of_other_table(struct world *w)
{
	struct rr_vip *v = &w->rig->vips[0].e[0];

	for (uint32_t i = 0; i < 2 * RR_VIP_BUCKETS * RR_VIP_WAYS; i++) {
		if (v[i].kind >> 32 == RR_VIP_LOCAL)
			v[i].tables ^= RR_VIP_FLOWS4 | RR_VIP_FLOWS6;
	}
}

#define STALE(why, h, p, f, v, n, ...) \
	{ \
		.name = why, .on = ON_NAT, .have = h, .prepare = p, .pkt = { .flags = f }, \
		.verdict = v, .state = PATH_NONE, .closed = n, __VA_ARGS__ \
	}
#define STALE_REV(why, h, p, f, ...) \
	{ \
		.name = why, .on = ON_NAT, .have = h, .prepare = p, .rev = true, \
		.pkt = { .flags = f }, .verdict = RR_V_ORPHAN, __VA_ARGS__ \
	}
#define GOES_ON(why, services, p, r, f, v, st, n) \
	{ \
		.name = why, .on = services, .have = HAVE_EST, .prepare = p, .rev = r, \
		.pkt = { .flags = f }, .verdict = v, .state = st, .closed = n \
	}

static const struct path_case cases[] = {
	STALE("ACK, link to a stranger", HAVE_SYNACK, link_to_stranger, PKT_ACK, RR_V_RESET, 0,
	      .after = stranger_lives),
	STALE("FIN, link to a stranger", HAVE_EST, link_to_stranger, PKT_FIN | PKT_ACK, RR_V_RESET,
	      1, .after = stranger_lives),
	STALE("RST, link to a stranger, is answered with silence", HAVE_EST, link_to_stranger,
	      PKT_RST, RR_V_RST_SILENT, 1, .after = stranger_lives),
	STALE("FIN, link to itself", HAVE_EST, link_to_itself, PKT_FIN | PKT_ACK, RR_V_RESET, 1),
	STALE("FIN, link past the table", HAVE_EST, link_past_the_table, PKT_FIN | PKT_ACK,
	      RR_V_RESET, 1),
	{ .name = "SYN again, link to a stranger",
	  .on = ON_NAT,
	  .have = HAVE_SYN,
	  .prepare = link_to_stranger,
	  .pkt = { .flags = PKT_SYN },
	  .verdict = RR_V_FORWARD,
	  .state = RR_FLOW_SYN,
	  .conns = 1,
	  .slot = 2,
	  .after = stranger_lives },
	STALE_REV("SYN-ACK, record names a stranger", HAVE_SYN, record_of_stranger,
		  PKT_SYN | PKT_ACK, .after = stranger_lives),
	STALE_REV("FIN, record names a stranger", HAVE_EST, record_of_stranger, PKT_FIN | PKT_ACK,
		  .after = stranger_lives),
	STALE_REV("RST, record names a stranger", HAVE_EST, record_of_stranger, PKT_RST,
		  .after = stranger_lives),
	STALE_REV("RST, record names no slot", HAVE_EST, record_past_the_table, PKT_RST),
	STALE_REV("SYN-ACK, record of another life", HAVE_SYN, record_of_other_life,
		  PKT_SYN | PKT_ACK),
	STALE_REV("FIN, record of another life", HAVE_EST, record_of_other_life, PKT_FIN | PKT_ACK),
	{ .name = "ACK, record of another life",
	  .on = ON_NAT,
	  .have = HAVE_SYNACK,
	  .prepare = record_of_other_life,
	  .pkt = { .flags = PKT_ACK },
	  .verdict = RR_V_FORWARD,
	  .state = RR_FLOW_SYNACK },
	GOES_ON("data, record of another life", ON_NAT, record_of_other_life, false, PKT_ACK,
		RR_V_FORWARD, RR_FLOW_EST, 0),
	GOES_ON("endpoint's data, record of another life", ON_NAT, record_of_other_life, true,
		PKT_ACK, RR_V_REPLY, RR_FLOW_EST, 0),
	GOES_ON("reply, the service listens elsewhere", ON_NAT, listens_elsewhere, true, PKT_ACK,
		RR_V_REPLY, RR_FLOW_EST, 0),
	GOES_ON("FIN of the endpoint, the service listens elsewhere", ON_NAT, listens_elsewhere,
		true, PKT_FIN | PKT_ACK, RR_V_REPLY, RR_FLOW_FIN1, 1),
	GOES_ON("client's data to where nobody listens any more", ON_ALL, listens_elsewhere, false,
		PKT_ACK, RR_V_NOT_OURS, RR_FLOW_EST, 0),
	GOES_ON("data, the service has another mode", ON_ALL, service_mode_changes, false, PKT_ACK,
		RR_V_FORWARD, RR_FLOW_EST, 0),
	GOES_ON("FIN, the service has another mode", ON_ALL, service_mode_changes, false,
		PKT_FIN | PKT_ACK, RR_V_FORWARD, RR_FLOW_FIN1, 1),
	GOES_ON("data, the endpoint's mode is past the table", ON_ALL, mode_past_the_table, false,
		PKT_ACK, RR_V_NO_HOP, RR_FLOW_EST, 0),
	GOES_ON("data, a port in an entry that needs none", ON_DSR, port_without_need, false,
		PKT_ACK, RR_V_FORWARD, RR_FLOW_EST, 0),
	GOES_ON("FIN, a port in an entry that needs none", ON_DSR, port_without_need, false,
		PKT_FIN | PKT_ACK, RR_V_FORWARD, RR_FLOW_FIN1, 1),
	GOES_ON("reply by the highest hop id", ON_NAT, highest_hop, true, PKT_ACK, RR_V_REPLY,
		RR_FLOW_EST, 0),
	GOES_ON("reply, entries are in the other table", ON_NAT, local_of_other_table, true,
		PKT_ACK, RR_V_NOT_OURS, RR_FLOW_EST, 0),
};

const struct path_table path_pair = PATH_TABLE(cases);
