/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cases_close.c - how connections end: FIN of each side, RST of each side, endpoint gone, flow
 * killed. An established flow is counted as closed once, whoever ends it.
 */
#include "path.h"

static void gone(struct world *w)
{
	w->rig->endpoints[w->ep].flags |= RR_EP_GONE;
}

static void absent(struct world *w)
{
	w->rig->endpoints[w->ep].flags = 0;
}

/* Killed, and the client was answered. */
static void told(struct world *w)
{
	path_client(w, PKT_ACK, RR_V_RESET);
}

#define CLOSE(why, services, h, f, st, ...) \
	{ \
		.name = why, .on = services, .have = h, .pkt = { .flags = f }, \
		.verdict = RR_V_FORWARD, .state = st, __VA_ARGS__ \
	}
#define CLOSE_REV(why, h, f, st, ...) \
	{ \
		.name = why, .on = ON_NAT, .have = h, .rev = true, .pkt = { .flags = f }, \
		.verdict = RR_V_REPLY, .state = st, __VA_ARGS__ \
	}
#define DEAD(why, services, h, p, f, v) \
	{ \
		.name = why, .on = services, .have = h, .prepare = p, .pkt = { .flags = f }, \
		.verdict = v \
	}
#define DEAD_REV(why, f, v) \
	{ \
		.name = why, .on = ON_NAT, .have = HAVE_KILLED, .prepare = told, .rev = true, \
		.pkt = { .flags = f }, .verdict = v, .state = RR_FLOW_KILLED \
	}

static const struct path_case cases[] = {
	CLOSE("client's FIN", ON_ALL, HAVE_EST, PKT_FIN | PKT_ACK, RR_FLOW_FIN1, .closed = 1),
	CLOSE("client's FIN again", ON_ALL, HAVE_FIN_CLIENT, PKT_FIN | PKT_ACK, RR_FLOW_FIN1),
	CLOSE("client's FIN after the endpoint's", ON_NAT, HAVE_FIN_SERVER, PKT_FIN | PKT_ACK,
	      RR_FLOW_FIN2),
	CLOSE("client's FIN with data", ON_ALL, HAVE_EST, PKT_FIN | PKT_PSH | PKT_ACK, RR_FLOW_FIN1,
	      .closed = 1, .pkt.payload = 31),
	CLOSE("FIN completes the handshake and ends it", ON_ALL, HAVE_SYNACK, PKT_FIN | PKT_ACK,
	      RR_FLOW_FIN1, .established = 1, .closed = 1),
	CLOSE("last ACK", ON_NAT, HAVE_FIN2, PKT_ACK, RR_FLOW_FIN2),
	CLOSE("data after own FIN", ON_ALL, HAVE_FIN_CLIENT, PKT_ACK, RR_FLOW_FIN1),
	CLOSE("data after the endpoint's FIN", ON_NAT, HAVE_FIN_SERVER, PKT_PSH | PKT_ACK,
	      RR_FLOW_FIN1),
	CLOSE_REV("endpoint's FIN", HAVE_EST, PKT_FIN | PKT_ACK, RR_FLOW_FIN1, .closed = 1),
	CLOSE_REV("endpoint's FIN again", HAVE_FIN_SERVER, PKT_FIN | PKT_ACK, RR_FLOW_FIN1),
	CLOSE_REV("endpoint's FIN after the client's", HAVE_FIN_CLIENT, PKT_FIN | PKT_ACK,
		  RR_FLOW_FIN2),
	CLOSE_REV("endpoint's data after the client's FIN", HAVE_FIN_CLIENT, PKT_PSH | PKT_ACK,
		  RR_FLOW_FIN1),
	CLOSE_REV("endpoint's last ACK", HAVE_FIN2, PKT_ACK, RR_FLOW_FIN2),
	CLOSE("client's RST", ON_ALL, HAVE_EST, PKT_RST, RR_FLOW_RST, .closed = 1),
	CLOSE("client's RST with ACK", ON_ALL, HAVE_EST, PKT_RST | PKT_ACK, RR_FLOW_RST,
	      .closed = 1),
	CLOSE("client's RST again", ON_ALL, HAVE_RST, PKT_RST, RR_FLOW_RST),
	CLOSE("client's RST, half-open", ON_ALL, HAVE_SYN, PKT_RST, RR_FLOW_RST),
	CLOSE("client's RST after the SYN-ACK", ON_NAT, HAVE_SYNACK, PKT_RST, RR_FLOW_RST),
	CLOSE("client's RST after FIN", ON_ALL, HAVE_FIN_CLIENT, PKT_RST, RR_FLOW_RST),
	CLOSE("client's data after its RST", ON_ALL, HAVE_RST, PKT_ACK, RR_FLOW_EST, .reopened = 1),
	CLOSE("client's FIN after its RST", ON_ALL, HAVE_RST, PKT_FIN | PKT_ACK, RR_FLOW_FIN1,
	      .reopened = 1, .closed = 1),
	CLOSE_REV("endpoint's RST", HAVE_EST, PKT_RST, RR_FLOW_RST, .closed = 1),
	CLOSE_REV("endpoint refuses", HAVE_SYN, PKT_RST | PKT_ACK, RR_FLOW_RST),
	CLOSE_REV("endpoint's RST after both FINs", HAVE_FIN2, PKT_RST, RR_FLOW_RST),
	CLOSE_REV("endpoint's data after RST", HAVE_RST, PKT_ACK, RR_FLOW_RST),
	DEAD("endpoint gone", ON_ALL, HAVE_EST, gone, PKT_ACK, RR_V_RESET),
	DEAD("endpoint gone, data", ON_ALL, HAVE_EST, gone, PKT_PSH | PKT_ACK, RR_V_RESET),
	DEAD("endpoint gone, RST is not answered", ON_ALL, HAVE_RST, gone, PKT_RST,
	     RR_V_RST_SILENT),
	DEAD("endpoint absent", ON_ALL, HAVE_EST, absent, PKT_ACK, RR_V_RESET),
	DEAD("killed", ON_ALL, HAVE_KILLED, NULL, PKT_ACK, RR_V_RESET),
	DEAD("killed, FIN", ON_ALL, HAVE_KILLED, NULL, PKT_FIN | PKT_ACK, RR_V_RESET),
	DEAD("killed, RST is not answered", ON_ALL, HAVE_KILLED, NULL, PKT_RST, RR_V_RST_SILENT),
	CLOSE_REV("killed, endpoint's data to a waiting client", HAVE_KILLED, PKT_PSH | PKT_ACK,
		  RR_FLOW_KILLED, .pkt.payload = 9),
	CLOSE_REV("killed, endpoint's RST to a waiting client", HAVE_KILLED, PKT_RST,
		  RR_FLOW_KILLED),
	DEAD_REV("killed, endpoint's data", PKT_ACK, RR_V_RESET),
	DEAD_REV("killed, endpoint's FIN", PKT_FIN | PKT_ACK, RR_V_RESET),
	DEAD_REV("killed, endpoint's RST is not answered", PKT_RST, RR_V_RST_SILENT),
};

const struct path_table path_close = PATH_TABLE(cases);
