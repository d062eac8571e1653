/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cases_flow.c - a connection's life before its end: handshake, data both ways, and what stands
 * in the way of sending.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "path.h"

#define ISN_OTHER 0x12345678u /* of an endpoint that answers anew */

static void no_hop(struct world *w)
{
	w->rig->endpoints[w->ep].hop = 0;
}

static void no_client_hop(struct world *w)
{
	w->rig->hops[RR_META_VIA(path_reverse_of(w, NULL)->meta)] = 0;
}

static void no_iface(struct world *w)
{
	rig_iface_at(w->rig, 0)->ifindex = 0;
}

static void hop_elsewhere(struct world *w)
{
	uint8_t mac[6];

	path_ep_mac(w->ep, mac);
	w->rig->endpoints[w->ep].hop = rig_hop(7, mac);
}

/*
 * The endpoint is behind interface slot 3: frames to it are redirected. Any device will do as
 * target.
 */
static void two_arms(struct world *w)
{
	uint32_t slot = 3, ifindex = RIG_IFINDEX;
	uint8_t mac[6];

	rig_iface(w->rig, slot, 77, path_iface_mac);
	assert_int_equal(bpf_map_update_elem(w->rig->fd[RR_MAP_TX_PORTS], &slot, &ifindex, 0), 0);
	path_ep_mac(w->ep, mac);
	w->rig->endpoints[w->ep].hop = rig_hop(slot, mac);
}

static void no_local(struct world *w)
{
	w->rig->endpoints[w->ep].flags |= RR_EP_NO_NEW;
}

static void lose_reverse(struct world *w)
{
	path_reverse_of(w, NULL)->meta = RR_META_MAKE(9, RR_FLOW_EMPTY, 0, 0, 0);
}

static void steal_reverse(struct world *w)
{
	path_reverse_of(w, NULL)->port ^= 0x0100;
}

/*
 * The client moved behind another router: what it sends goes on, replies leave by the hop of its
 * SYN.
 */
static void other_mac(struct world *w, struct pkt_spec *s)
{
	(void)w;
	s->smac[0] = 2;
	s->smac[5] = 0x77;
}

static void reply_by_first_hop(struct world *w)
{
	path_server(w, PKT_ACK, RR_V_REPLY);
}

/* As if the last packet had come long ago, but not too long. */
static void aged(struct world *w)
{
	path_flow_of(w, NULL)->seen -= RIG_TIMEOUT / 2;
	if (w->mode->pair)
		path_reverse_of(w, NULL)->seen -= RIG_TIMEOUT / 2;
}

/* Was the entry's time set? The flow was opened a moment ago. */
static bool is_fresh(const struct world *w, const struct rr_flow *f)
{
	return (int32_t)(f->seen - path_record_of(w)->opened) >= 0;
}

static void client_seen(struct world *w)
{
	assert_true(is_fresh(w, path_flow_of(w, NULL)));
	if (w->mode->pair)
		assert_false(is_fresh(w, path_reverse_of(w, NULL)));
}

static void nobody_seen(struct world *w)
{
	assert_false(is_fresh(w, path_flow_of(w, NULL)));
	if (w->mode->pair)
		assert_false(is_fresh(w, path_reverse_of(w, NULL)));
}

static void endpoint_seen(struct world *w)
{
	assert_true(is_fresh(w, path_reverse_of(w, NULL)));
	assert_false(is_fresh(w, path_flow_of(w, NULL)));
}

static void answered(struct world *w)
{
	assert_int_equal(path_record_of(w)->isn_server, PATH_ISN_SERVER);
}

static void one_packet(struct world *w, bool rev, struct pkt_spec s)
{
	path_packet(w, rev, &s, &s);
	path_run(w, &s, rev ? RR_V_REPLY : RR_V_FORWARD, 0);
}

/* The client did not get the first SYN-ACK, and the endpoint has forgotten that it sent it. */
static void answer_anew(struct world *w)
{
	one_packet(w, false, (struct pkt_spec){ .flags = PKT_SYN });
	one_packet(w, true, (struct pkt_spec){ .flags = PKT_SYN | PKT_ACK, .seq = ISN_OTHER });
}

/* Both have: another attempt from the same port. */
static void both_anew(struct world *w)
{
	one_packet(w, false, (struct pkt_spec){ .flags = PKT_SYN, .seq = 5000 });
	one_packet(
		w, true,
		(struct pkt_spec){ .flags = PKT_SYN | PKT_ACK, .seq = ISN_OTHER, .ack = 5000 + 1 });
}

/* TCP Fast Open: a SYN with data, then without; the endpoint's answer covers `n` bytes. */
static void fast_open(struct world *w, uint16_t n)
{
	one_packet(w, false, (struct pkt_spec){ .flags = PKT_SYN, .payload = 517 });
	one_packet(w, false, (struct pkt_spec){ .flags = PKT_SYN });
	one_packet(w, true,
		   (struct pkt_spec){ .flags = PKT_SYN | PKT_ACK, .ack = PATH_ISN_CLIENT + 1 + n });
}

static void fast_open_taken(struct world *w)
{
	fast_open(w, 517);
}

static void fast_open_not_taken(struct world *w)
{
	fast_open(w, 0);
}

static void fast_open_too_much(struct world *w)
{
	fast_open(w, 518);
}

#define AFTER(why, h, p, n) \
	{ \
		.name = why, .on = ON_NAT, .have = h, .prepare = p, \
		.pkt = { .flags = PKT_ACK, .ack = (n) + 1 }, .verdict = RR_V_FORWARD, \
		.state = RR_FLOW_EST, .established = 1 \
	}
#define ACK(why, services, h, st, ...) \
	{ \
		.name = why, .on = services, .have = h, .pkt = { .flags = PKT_ACK }, \
		.verdict = RR_V_FORWARD, .state = st, __VA_ARGS__ \
	}
/* Goes on to the endpoint, and changes nothing, not even the flow's age. */
#define BAD_ACK(why, h, f, n) \
	{ \
		.name = why, .on = ON_NAT, .have = h, .prepare = aged, \
		.pkt = { .flags = f, .ack = n }, .verdict = RR_V_FORWARD, \
		.state = (h) == HAVE_SYN ? RR_FLOW_SYN : RR_FLOW_SYNACK, .after = nobody_seen \
	}
#define SYNACK(why, h, st, ...) \
	{ \
		.name = why, .on = ON_NAT, .have = h, .rev = true, \
		.pkt = { .flags = PKT_SYN | PKT_ACK, __VA_ARGS__ }, .verdict = RR_V_REPLY, \
		.state = st \
	}
#define BROKEN(why, h, f, n) \
	{ \
		.name = why, .on = ON_NAT, .have = h, .prepare = lose_reverse, \
		.pkt = { .flags = f }, .verdict = RR_V_RESET, .state = PATH_NONE, .closed = n \
	}
#define BROKEN_SYN(why, h, p) \
	{ \
		.name = why, .on = ON_NAT, .have = h, .prepare = p, .pkt = { .flags = PKT_SYN }, \
		.verdict = RR_V_FORWARD, .state = RR_FLOW_SYN, .conns = 1, .slot = 1 \
	}
#define DATA(why, services, h, r, v, st, ...) \
	{ \
		.name = why, .on = services, .have = h, .rev = r, \
		.pkt = { .flags = PKT_PSH | PKT_ACK, __VA_ARGS__ }, .verdict = v, .state = st \
	}
#define SEEN(why, services, h, f) \
	{ \
		.name = "keeps the flow alive: " why, .on = services, .have = h, .prepare = aged, \
		.pkt = { .flags = f }, .verdict = RR_V_FORWARD, .after = client_seen \
	}
#define SEEN_REV(why, h, f) \
	{ \
		.name = "keeps the flow alive: " why, .on = ON_NAT, .have = h, .prepare = aged, \
		.rev = true, .pkt = { .flags = f }, .verdict = RR_V_REPLY, .after = endpoint_seen \
	}
#define NO_WAY(why, services, p, r) \
	{ \
		.name = why, .on = services, .have = HAVE_EST, .prepare = p, .rev = r, \
		.pkt = { .flags = PKT_ACK }, .verdict = RR_V_NO_HOP \
	}

static const struct path_case cases[] = {
	{ .name = "SYN-ACK",
	  .on = ON_NAT,
	  .have = HAVE_SYN,
	  .rev = true,
	  .pkt = { .flags = PKT_SYN | PKT_ACK },
	  .verdict = RR_V_REPLY,
	  .state = RR_FLOW_SYNACK,
	  .after = answered },
	SYNACK("SYN-ACK again", HAVE_SYNACK, RR_FLOW_SYNACK),
	SYNACK("SYN-ACK again after the client's ACK", HAVE_EST, RR_FLOW_EST),
	SYNACK("SYN-ACK of another number", HAVE_SYN, RR_FLOW_SYN, .ack = 77),
	DATA("challenge ACK to a SYN", ON_NAT, HAVE_SYN, true, RR_V_REPLY, RR_FLOW_SYN),
	ACK("ACK completes the handshake", ON_NAT, HAVE_SYNACK, RR_FLOW_EST, .established = 1),
	ACK("ACK completes the half that dsr sees", ON_DSR, HAVE_SYN, RR_FLOW_EST,
	    .established = 1),
	ACK("ACK again", ON_ALL, HAVE_EST, RR_FLOW_EST),
	{ .name = "ACK with data completes the handshake",
	  .on = ON_ALL,
	  .have = HAVE_SYNACK,
	  .pkt = { .flags = PKT_PSH | PKT_ACK, .payload = 517 },
	  .verdict = RR_V_FORWARD,
	  .state = RR_FLOW_EST,
	  .established = 1 },
	{ .name = "ACK of early data completes the handshake",
	  .on = ON_NAT,
	  .have = HAVE_SYNACK,
	  .pkt = { .flags = PKT_ACK, .ack = PATH_ISN_SERVER + 1 + 65536 },
	  .verdict = RR_V_FORWARD,
	  .state = RR_FLOW_EST,
	  .established = 1 },
	AFTER("ACK of the endpoint's second answer", HAVE_SYNACK, answer_anew, ISN_OTHER),
	AFTER("ACK of the answer to another attempt", HAVE_SYNACK, both_anew, ISN_OTHER),
	AFTER("ACK after fast open", HAVE_NONE, fast_open_taken, PATH_ISN_SERVER),
	AFTER("ACK after fast open refused", HAVE_NONE, fast_open_not_taken, PATH_ISN_SERVER),
	{ .name = "answer covers more than the SYN carried",
	  .on = ON_NAT,
	  .have = HAVE_NONE,
	  .prepare = fast_open_too_much,
	  .pkt = { .flags = PKT_ACK },
	  .verdict = RR_V_FORWARD,
	  .state = RR_FLOW_SYN },
	BAD_ACK("ACK before the SYN-ACK", HAVE_SYN, PKT_ACK, PATH_ISN_SERVER + 1),
	BAD_ACK("data before the SYN-ACK", HAVE_SYN, PKT_PSH | PKT_ACK, PATH_ISN_SERVER + 1),
	BAD_ACK("FIN before the SYN-ACK", HAVE_SYN, PKT_FIN, 0),
	BAD_ACK("SYN-ACK of the client", HAVE_SYN, PKT_SYN | PKT_ACK, 5),
	BAD_ACK("ACK of the SYN-ACK less one", HAVE_SYNACK, PKT_ACK, PATH_ISN_SERVER),
	BAD_ACK("ACK too far ahead", HAVE_SYNACK, PKT_ACK, PATH_ISN_SERVER + 1 + 65537),
	BAD_ACK("FIN without ACK, half-open", HAVE_SYNACK, PKT_FIN, 0),
	BROKEN("ACK, reverse entry lost", HAVE_SYNACK, PKT_ACK, 0),
	BROKEN("FIN, reverse entry lost", HAVE_EST, PKT_FIN | PKT_ACK, 1),
	BROKEN("last ACK, reverse entry lost", HAVE_FIN2, PKT_ACK, 0),
	BROKEN_SYN("SYN again, reverse entry lost", HAVE_SYN, lose_reverse),
	BROKEN_SYN("SYN again after the SYN-ACK, reverse entry lost", HAVE_SYNACK, lose_reverse),
	BROKEN_SYN("SYN again, port given to another client", HAVE_SYN, steal_reverse),
	DATA("data to the endpoint", ON_ALL, HAVE_EST, false, RR_V_FORWARD, RR_FLOW_EST,
	     .payload = 1),
	DATA("odd data to the endpoint", ON_ALL, HAVE_EST, false, RR_V_FORWARD, RR_FLOW_EST,
	     .payload = 1333),
	DATA("data to the client", ON_NAT, HAVE_EST, true, RR_V_REPLY, RR_FLOW_EST,
	     .payload = 1448),
	DATA("data to the client, half-open", ON_NAT, HAVE_SYNACK, true, RR_V_REPLY, RR_FLOW_SYNACK,
	     .payload = 9),
	DATA("data with options", ON_ALL, HAVE_EST, false, RR_V_FORWARD, RR_FLOW_EST, .payload = 9,
	     .options = PKT_SYN_OPTIONS, .options_len = 12),
	DATA("urgent data", ON_ALL, HAVE_EST, false, RR_V_FORWARD, RR_FLOW_EST, .payload = 9,
	     .window = 0xffff),
	{ .name = "client behind another router",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .pkt = { .flags = PKT_ACK },
	  .shape = other_mac,
	  .verdict = RR_V_FORWARD,
	  .after = reply_by_first_hop },
	{ .name = "SYN again by another router",
	  .on = ON_NAT,
	  .have = HAVE_SYN,
	  .pkt = { .flags = PKT_SYN },
	  .shape = other_mac,
	  .verdict = RR_V_FORWARD,
	  .after = reply_by_first_hop },
	{ .name = "established, endpoint takes no new",
	  .on = ON_ALL,
	  .have = HAVE_EST,
	  .prepare = no_local,
	  .pkt = { .flags = PKT_ACK },
	  .verdict = RR_V_FORWARD,
	  .state = RR_FLOW_EST },
	{ .name = "half-open, endpoint takes no new",
	  .on = ON_NAT,
	  .have = HAVE_SYNACK,
	  .prepare = no_local,
	  .pkt = { .flags = PKT_ACK },
	  .verdict = RR_V_FORWARD,
	  .state = RR_FLOW_EST,
	  .established = 1 },
	SEEN("data", ON_ALL, HAVE_EST, PKT_ACK),
	SEEN("SYN again", ON_ALL, HAVE_SYN, PKT_SYN),
	SEEN("FIN again", ON_ALL, HAVE_FIN_CLIENT, PKT_FIN | PKT_ACK),
	SEEN("data after FIN", ON_ALL, HAVE_FIN_CLIENT, PKT_ACK),
	SEEN_REV("endpoint's data", HAVE_EST, PKT_ACK),
	SEEN_REV("SYN-ACK", HAVE_SYN, PKT_SYN | PKT_ACK),
	SEEN_REV("endpoint's data after FIN", HAVE_FIN_CLIENT, PKT_ACK),
	NO_WAY("next hop lost", ON_ALL, no_hop, false),
	NO_WAY("interface lost", ON_ALL, no_iface, false),
	NO_WAY("next hop on an unused slot", ON_ALL, hop_elsewhere, false),
	NO_WAY("client's next hop lost", ON_NAT, no_client_hop, true),
	NO_WAY("client's interface lost", ON_NAT, no_iface, true),
	{ .name = "endpoint behind another interface",
	  .on = ON_ALL,
	  .have = HAVE_EST,
	  .prepare = two_arms,
	  .pkt = { .flags = PKT_ACK },
	  .verdict = RR_V_FORWARD,
	  .action = XDP_REDIRECT },
};

const struct path_table path_flow = PATH_TABLE(cases);
