/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cases_pass.c - what is not ours: it must reach the host as it came, broken or not.
 */
#include <string.h>

#include "path.h"

static void not_ip(struct world *w, struct pkt_spec *s)
{
	(void)w;
	s->af = RR_AF_NONE;
}

static void to_host(struct world *w, struct pkt_spec *s)
{
	s->dst = pkt_addr(w->af == RR_AF_INET ? "192.0.2.99" : "2001:db8::99");
}

static void to_group(struct world *w, struct pkt_spec *s)
{
	s->dst = pkt_addr(w->af == RR_AF_INET ? "224.0.0.22" : "ff02::16");
}

static void to_local(struct world *w, struct pkt_spec *s)
{
	s->dst = path_local_addr(w->svc);
}

static void from_stranger(struct world *w, struct pkt_spec *s)
{
	s->src = pkt_addr(w->af == RR_AF_INET ? "10.0.0.99" : "fd00::99");
}

static void other_family_service(struct world *w, struct pkt_spec *s)
{
	/* the first four bytes of an IPv6 address as an IPv4 one */
	memset(s->dst.a + 4, 0, 12);
	(void)w;
}

static void disable(struct world *w)
{
	w->rig->control->enabled = 0;
}

/* The controller removed the service: its row of the address table is gone. */
static void remove_service(struct world *w)
{
	memset(w->rig->vips, 0, sizeof(*w->rig->vips) * 2 * RR_VIP_BUCKETS);
}

static void lose_forward(struct world *w)
{
	path_flow_of(w, NULL)->meta = RR_META_MAKE(9, RR_FLOW_EMPTY, 0, 0, 0);
}

/* The client's entry lives, but belongs to another connection by now. */
static void forward_moved(struct world *w)
{
	path_flow_of(w, NULL)->port ^= 0x0100;
}

#define PASS_RAW(why, type, n) \
	{ \
		.name = why, .on = ON_NAT4, .pkt = { .ethertype = type, .payload = n }, \
		.shape = not_ip, .verdict = RR_V_NOT_IP \
	}
#define PASS_PROTO(why, services, p, ...) \
	{ \
		.name = why, .on = services, .pkt = { .proto = p, .payload = 32, __VA_ARGS__ }, \
		.verdict = RR_V_NOT_OURS \
	}
#define PASS_HOST(why, ...) \
	{ \
		.name = why, .on = ON_ALL, .pkt = { .flags = PKT_SYN, __VA_ARGS__ }, \
		.shape = to_host, .verdict = RR_V_NOT_OURS \
	}
#define PASS_LOCAL(why, p) \
	{ \
		.name = why, .on = ON_NAT, .have = HAVE_EST, \
		.pkt = { .flags = PKT_ACK, .dport = p }, .shape = to_local, \
		.verdict = RR_V_NOT_OURS \
	}
#define PASS_ORPHAN(why, h, f) \
	{ \
		.name = why, .on = ON_NAT, .have = h, .prepare = lose_forward, .rev = true, \
		.pkt = { .flags = f }, .verdict = RR_V_ORPHAN \
	}

static const struct path_case cases[] = {
	PASS_RAW("ARP", 0x0806, 28),
	PASS_RAW("ARP, padded", 0x0806, 46),
	PASS_RAW("LLDP", 0x88cc, 46),
	PASS_RAW("802.3 length", 0x0026, 46),
	PASS_RAW("nothing after Ethernet", 0x0806, 0),
	PASS_PROTO("ICMP echo to the service", ON_V4, 1),
	PASS_PROTO("ICMPv6 echo to the service", ON_V6, 58),
	PASS_PROTO("UDP to the service", ON_ALL, 17),
	PASS_PROTO("SCTP to the service", ON_ALL, 132),
	PASS_PROTO("GRE to the service", ON_ALL, 47),
	PASS_PROTO("UDP with IPv4 options", ON_V4, 17, .ip_options = PKT_NOPS, .ip_options_len = 8),
	PASS_PROTO("UDP fragment", ON_V4, 17, .frag = 0x2000),
	PASS_PROTO("UDP later fragment", ON_V4, 17, .frag = 0x0010),
	PASS_PROTO("UDP behind extension headers", ON_V6, 17, .ext = { 0, 60 }, .exts = 2),
	PASS_PROTO("UDP first fragment, IPv6", ON_V6, 17, .frag_header = true, .frag = 1),
	{ .name = "IGMP with router alert",
	  .on = ON_NAT4,
	  .pkt = { .proto = 2,
		   .payload = 8,
		   .ttl = 1,
		   .ip_options = PKT_ROUTER_ALERT,
		   .ip_options_len = 4 },
	  .shape = to_group,
	  .verdict = RR_V_NOT_OURS },
	{ .name = "MLD with hop-by-hop options",
	  .on = ON_NAT6,
	  .pkt = { .proto = 58, .payload = 8, .ttl = 1, .ext = { 0 }, .exts = 1 },
	  .shape = to_group,
	  .verdict = RR_V_NOT_OURS },
	{ .name = "neighbour solicitation",
	  .on = ON_NAT6,
	  .pkt = { .proto = 58, .payload = 24, .ttl = 255 },
	  .shape = to_group,
	  .verdict = RR_V_NOT_OURS },
	{ .name = "TCP to another port of the service",
	  .on = ON_ALL,
	  .pkt = { .flags = PKT_SYN, .dport = 22 },
	  .verdict = RR_V_NOT_OURS },
	{ .name = "TCP to the endpoint's port of the service",
	  .on = ON_ALL,
	  .pkt = { .flags = PKT_SYN, .dport = 8443 },
	  .verdict = RR_V_NOT_OURS },
	PASS_HOST("TCP to the host", .ttl = 64),
	PASS_HOST("TCP to the host, TTL 1", .ttl = 1),
	PASS_HOST("TCP to the host, tagged", .vlans = 1, .vlan = { 7 }),
	{ .name = "TCP to the host, no flags",
	  .on = ON_ALL,
	  .pkt = { .seq = 1 },
	  .shape = to_host,
	  .verdict = RR_V_NOT_OURS },
	PASS_HOST("TCP to the host, data offset 2", .doff = 2),
	PASS_HOST("TCP to the host, longer than the frame", .len_off = 100),
	PASS_HOST("TCP to the host, shorter than its headers", .len_off = -30),
	{ .name = "TCP to the host, first fragment",
	  .on = ON_V4,
	  .pkt = { .flags = PKT_ACK, .frag = 0x2000 },
	  .shape = to_host,
	  .verdict = RR_V_NOT_OURS },
	{ .name = "TCP to the host, first fragment, IPv6",
	  .on = ON_V6,
	  .pkt = { .flags = PKT_ACK, .frag_header = true, .frag = 1 },
	  .shape = to_host,
	  .verdict = RR_V_NOT_OURS },
	{ .name = "TCP to the host, IPv4 options",
	  .on = ON_V4,
	  .pkt = { .flags = PKT_ACK, .ip_options = PKT_NOPS, .ip_options_len = 8 },
	  .shape = to_host,
	  .verdict = RR_V_NOT_OURS },
	{ .name = "address that begins like a service",
	  .on = ON_V6,
	  .pkt = { .flags = PKT_SYN },
	  .shape = other_family_service,
	  .verdict = RR_V_NOT_OURS },
	PASS_LOCAL("ssh to the source address", 22),
	PASS_LOCAL("below the nat ports", RR_PORT_LO_DEFAULT - 1),
	PASS_LOCAL("first nat port, no flow", RR_PORT_LO_DEFAULT),
	PASS_LOCAL("last nat port, no flow", RR_PORT_HI_DEFAULT),
	PASS_LOCAL("above the nat ports", RR_PORT_HI_DEFAULT + 1),
	{ .name = "endpoint's other port to a flow's port",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .rev = true,
	  .pkt = { .flags = PKT_ACK, .sport = 9999 },
	  .verdict = RR_V_NOT_OURS },
	{ .name = "stranger to a flow's port",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .rev = true,
	  .pkt = { .flags = PKT_ACK },
	  .shape = from_stranger,
	  .verdict = RR_V_NOT_OURS },
	{ .name = "endpoint to another port",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .rev = true,
	  .pkt = { .flags = PKT_ACK, .dport = 1025 },
	  .verdict = RR_V_NOT_OURS },
	{ .name = "endpoint's broken packet to another port",
	  .on = ON_NAT,
	  .have = HAVE_EST,
	  .rev = true,
	  .pkt = { .flags = PKT_ACK, .dport = 1025, .doff = 3 },
	  .verdict = RR_V_NOT_OURS },
	{ .name = "disabled",
	  .on = ON_ALL,
	  .prepare = disable,
	  .pkt = { .flags = PKT_SYN },
	  .verdict = RR_V_DISABLED,
	  .state = PATH_NONE },
	{ .name = "disabled, established",
	  .on = ON_ALL,
	  .have = HAVE_EST,
	  .prepare = disable,
	  .pkt = { .flags = PKT_ACK },
	  .verdict = RR_V_DISABLED },
	{ .name = "disabled, malformed",
	  .on = ON_ALL,
	  .prepare = disable,
	  .pkt = { .flags = PKT_SYN, .doff = 1 },
	  .verdict = RR_V_DISABLED },
	{ .name = "service removed",
	  .on = ON_ALL,
	  .have = HAVE_EST,
	  .prepare = remove_service,
	  .pkt = { .flags = PKT_ACK },
	  .verdict = RR_V_NOT_OURS },
	PASS_ORPHAN("SYN-ACK without the client's flow", HAVE_SYN, PKT_SYN | PKT_ACK),
	PASS_ORPHAN("data without the client's flow, half-open", HAVE_SYNACK, PKT_ACK),
	PASS_ORPHAN("FIN without the client's flow", HAVE_EST, PKT_FIN | PKT_ACK),
	PASS_ORPHAN("RST without the client's flow", HAVE_EST, PKT_RST),
	PASS_ORPHAN("data without the client's flow, closing", HAVE_FIN2, PKT_ACK),
	{ .name = "SYN-ACK, client's flow has another port",
	  .on = ON_NAT,
	  .have = HAVE_SYN,
	  .prepare = forward_moved,
	  .rev = true,
	  .pkt = { .flags = PKT_SYN | PKT_ACK },
	  .verdict = RR_V_ORPHAN },
};

const struct path_table path_pass = PATH_TABLE(cases);
