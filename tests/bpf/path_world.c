/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * path_world.c - the worlds of the packet tests: which services there are, their addresses and
 * endpoints, the flow of the client under test, and the usual packets of both sides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "path.h"

#define ENDPOINT_PORT 8443

const uint8_t path_iface_mac[6] = { 0x02, 0, 0, 0, 0xff, 0x01 };
const uint8_t path_client_mac[6] = { 0x02, 0, 0, 0, 0xc1, 0x01 };

const struct path_world path_worlds[PATH_ALL] = {
#define ROW(id, name, mode, client, endpoint, proto, address) \
	[id] = { name, RR_MODE_##mode, RR_AF_##client, RR_AF_##endpoint, IPPROTO_##proto, address },
	PATH_WORLDS(ROW) PATH_TWINS(ROW)
#undef ROW
};

const struct path_mode path_modes[] = {
	[RR_MODE_NAT] = { .rewrites = true, .replies = true, .pair = true },
	[RR_MODE_DSR] = { 0 },
};

_Static_assert(PATH_ALL <= RIG_SERVICES, "each world is a service");
_Static_assert(PATH_EP(PATH_ALL, 0) <= RIG_ENDPOINTS, "and has endpoints of its own");

bool path_tried(const struct path_on *on, uint32_t svc)
{
	const struct path_world *row = &path_worlds[svc];

	return (!on->modes || on->modes >> row->mode & 1) &&
	       (!on->clients || on->clients >> row->client & 1) &&
	       (!on->endpoints || on->endpoints >> row->endpoint & 1) &&
	       (on->proto ? on->proto : IPPROTO_TCP) == row->proto;
}

struct rr_addr path_service_addr(uint32_t svc)
{
	return pkt_addr(path_worlds[svc].address);
}

struct rr_addr path_client_addr(uint32_t svc)
{
	return pkt_addr(path_worlds[svc].client == RR_AF_INET6 ? "2001:db8:c:0:ffff:fffe::7"
							       : "198.51.100.7");
}

struct rr_addr path_local_addr(uint32_t svc)
{
	return pkt_addr(path_worlds[svc].endpoint == RR_AF_INET6 ? "2001:db8::1" : "192.0.2.1");
}

uint8_t path_ep_family(uint16_t ep)
{
	return path_worlds[PATH_EP_SERVICE(ep)].endpoint;
}

struct rr_addr path_ep_addr(uint16_t ep)
{
	char text[64];

	snprintf(text, sizeof(text), path_ep_family(ep) == RR_AF_INET6 ? "fd00::a:%x" : "10.0.0.%u",
		 ep);
	return pkt_addr(text);
}

void path_ep_mac(uint16_t ep, uint8_t mac[6])
{
	const uint8_t m[6] = { 0x02, 0, 0, 0, 0xee, (uint8_t)ep };

	memcpy(mac, m, 6);
}

static void world_service(struct rig *r, uint32_t svc)
{
	const struct path_world *row = &path_worlds[svc];
	uint16_t slots[PATH_EPS];
	uint8_t mac[6];

	rig_service(r, svc, row->mode, row->client, path_service_addr(svc), PATH_PORT);
	for (uint16_t i = 0; i < PATH_EPS; i++) {
		slots[i] = PATH_EP(svc, i);
		path_ep_mac(slots[i], mac);
		rig_endpoint(r, slots[i], svc, path_ep_addr(slots[i]), ENDPOINT_PORT, mac,
			     row->endpoint == RR_AF_INET6);
	}
	rig_rotation(r, svc, slots, PATH_EPS);
}

void path_world_is(struct world *w, uint32_t svc)
{
	memset(w, 0, sizeof(*w));
	w->svc = svc;
	w->row = &path_worlds[svc];
	w->mode = &path_modes[w->row->mode];
	w->af = w->row->client;
	w->addr = path_service_addr(svc);
	w->port = PATH_PORT;
	w->listener = RIG_LISTENER(svc);
	w->cport = 40000;
	memcpy(w->cmac, path_client_mac, 6);
}

void path_next_client(struct world *w, uint16_t port)
{
	w->cport = port;
	w->ep = 0;
	w->lport = 0;
}

void path_world(struct world *w, struct rig *r, uint32_t svc)
{
	path_world_is(w, svc);
	w->rig = r;
	rig_clear(r);
	rig_iface(r, 0, RIG_IFINDEX, path_iface_mac);
	rig_local(r, 0, RR_AF_INET, path_local_addr(NAT4));
	rig_local(r, 1, RR_AF_INET6, path_local_addr(NAT6));
	for (uint32_t s = 0; s < PATH_ALL; s++)
		world_service(r, s);
}

void path_vlans(struct world *w, uint16_t client, uint16_t endpoints)
{
	w->cvlan = client;
	w->evlan = endpoints;
	for (uint32_t i = 0; i < PATH_EPS; i++) {
		struct rr_endpoint *e = &w->rig->endpoints[PATH_EP(w->svc, i)];

		e->hop = RR_HOP_MAKE_VLAN(RR_HOP_SLOT(e->hop), e->hop, endpoints);
	}
}

uint16_t path_forward_tag(const struct world *w)
{
	return rr_tag_forward(w->listener, w->row->proto == IPPROTO_UDP);
}

uint16_t path_reverse_tag(const struct world *w)
{
	return rr_tag_reverse(w->rig->endpoints[w->ep].local_first, w->row->proto == IPPROTO_UDP);
}

struct rr_flow *path_flow_of(const struct world *w, uint32_t *slot)
{
	struct rr_addr a = path_client_addr(w->svc);

	return rig_flow(w->rig, w->af, &a, w->cport, path_forward_tag(w), slot);
}

struct rr_flow *path_reverse_of(const struct world *w, uint32_t *slot)
{
	return rig_flow(w->rig, w->row->endpoint, &w->rig->endpoints[w->ep].addr, w->lport,
			path_reverse_tag(w), slot);
}

struct rr_pair *path_record_of(const struct world *w)
{
	uint32_t slot = 0;
	const struct rr_flow *f =
		w->mode->pair ? path_reverse_of(w, &slot) : path_flow_of(w, &slot);
	uint8_t table = w->mode->pair ? w->row->endpoint : w->af;
	struct rr_pair *pair = rig_pair(w->rig, table, slot);

	assert_non_null(f);
	assert_int_equal(pair->gen, RR_META_GEN(f->meta));
	return pair;
}

/* ---- the usual packets ---- */

static bool mac_is_zero(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return memcmp(mac, zero, 6) == 0;
}

static bool addr_is_zero(const struct rr_addr *a)
{
	static const struct rr_addr zero;

	return memcmp(a, &zero, sizeof(zero)) == 0;
}

static void usual_tag(struct pkt_spec *s, uint16_t tag)
{
	if (!tag || s->vlans)
		return;
	s->vlans = 1;
	s->vlan[0] = tag;
}

static void usual_client(const struct world *w, struct pkt_spec *s)
{
	if (mac_is_zero(s->smac))
		memcpy(s->smac, w->cmac, 6);
	if (addr_is_zero(&s->src))
		s->src = path_client_addr(w->svc);
	if (addr_is_zero(&s->dst))
		s->dst = w->addr;
	s->sport = s->sport ? s->sport : w->cport;
	s->dport = s->dport ? s->dport : w->port;
	if (!s->seq)
		s->seq = PATH_ISN_CLIENT + !(s->flags & PKT_SYN);
	if (!s->ack && (s->flags & PKT_ACK))
		s->ack = PATH_ISN_SERVER + 1;
}

static void usual_server(const struct world *w, struct pkt_spec *s)
{
	uint16_t ep = w->ep ? w->ep : PATH_EP(w->svc, 0);

	if (mac_is_zero(s->smac))
		path_ep_mac(ep, s->smac);
	if (addr_is_zero(&s->src))
		s->src = w->rig->endpoints[ep].addr;
	if (addr_is_zero(&s->dst))
		s->dst = path_local_addr(w->svc);
	s->sport = s->sport ? s->sport : pkt_be16(w->rig->endpoints[ep].port);
	s->dport = s->dport ? s->dport : w->lport ? w->lport : 20000;
	if (!s->seq)
		s->seq = PATH_ISN_SERVER + !(s->flags & PKT_SYN);
	if (!s->ack && (s->flags & PKT_ACK))
		s->ack = PATH_ISN_CLIENT + 1;
}

void path_packet(const struct world *w, bool rev, const struct pkt_spec *diff, struct pkt_spec *out)
{
	*out = *diff;
	out->af = rev ? w->row->endpoint : w->row->client;
	if (!out->proto)
		out->proto = w->row->proto;
	if (mac_is_zero(out->dmac))
		memcpy(out->dmac, path_iface_mac, 6);
	if ((out->flags & PKT_SYN) && !out->options_len && !out->doff) {
		out->options = PKT_SYN_OPTIONS;
		out->options_len = PKT_SYN_OPTIONS_LEN;
	}
	usual_tag(out, rev ? w->evlan : w->cvlan);
	if (rev)
		usual_server(w, out);
	else
		usual_client(w, out);
}
