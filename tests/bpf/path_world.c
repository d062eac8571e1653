/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * path_world.c - the world of the packet tests: addresses, services, the usual packets, and the oracle that says what must come
 * out for a verdict. The oracle builds the expected frame from the description of the one that went in, with
 * checksums from scratch; it knows nothing of how the packet path rewrites.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include <cmocka.h>

#include "path.h"

#define SERVICE_PORT 443
#define ENDPOINT_PORT 8443

const uint8_t path_iface_mac[6] = { 0x02, 0, 0, 0, 0xff, 0x01 };
const uint8_t path_client_mac[6] = { 0x02, 0, 0, 0, 0xc1, 0x01 };

static const char *const service_addr[PATH_ALL] = {
	"192.0.2.10", "2001:db8::10", "192.0.2.20", "2001:db8::20", "192.0.2.30", "2001:db8::30"
};

struct rr_addr path_service_addr(uint32_t svc)
{
	return pkt_addr(service_addr[svc]);
}

struct rr_addr path_client_addr(uint32_t svc)
{
	return pkt_addr(svc & 1 ? "2001:db8:c:0:ffff:fffe::7" : "198.51.100.7");
}

struct rr_addr path_local_addr(uint32_t svc)
{
	return pkt_addr(svc & 1 ? "2001:db8::1" : "192.0.2.1");
}

struct rr_addr path_ep_addr(uint16_t ep)
{
	char text[64];

	snprintf(text, sizeof(text), ep / 10 & 1 ? "fd00::a:%x" : "10.0.0.%u", ep);
	return pkt_addr(text);
}

void path_ep_mac(uint16_t ep, uint8_t mac[6])
{
	const uint8_t m[6] = { 0x02, 0, 0, 0, 0xee, (uint8_t)ep };

	memcpy(mac, m, 6);
}

const char *path_verdict_name(enum rr_verdict v)
{
	static const char *const name[] = { "go",
#define NAME(id, name, class, help) [RR_V_##id] = #name,
					    RR_VERDICTS(NAME)
#undef NAME
	};

	return v < RR_V_MAX ? name[v] : "?";
}

static void world_service(struct rig *r, uint32_t svc)
{
	uint16_t slots[PATH_EPS];
	uint8_t mac[6];

	rig_service(r, svc, svc & 2 ? RR_MODE_DSR : RR_MODE_NAT, svc & 1 ? RR_AF_INET6 : RR_AF_INET,
		    path_service_addr(svc), SERVICE_PORT);
	for (uint16_t i = 0; i < PATH_EPS; i++) {
		slots[i] = PATH_EP(svc, i);
		path_ep_mac(slots[i], mac);
		rig_endpoint(r, slots[i], svc, path_ep_addr(slots[i]), ENDPOINT_PORT, mac, svc & 1);
	}
	rig_rotation(r, svc, slots, PATH_EPS);
}

void path_world(struct world *w, struct rig *r, uint32_t svc)
{
	memset(w, 0, sizeof(*w));
	w->rig = r;
	w->svc = svc;
	w->af = svc & 1 ? RR_AF_INET6 : RR_AF_INET;
	w->nat = !(svc & 2);
	w->cport = 40000;
	memcpy(w->cmac, path_client_mac, 6);
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

struct rr_flow *path_flow_of(const struct world *w, uint32_t *slot)
{
	struct rr_addr a = path_client_addr(w->svc);

	return rig_flow(w->rig, w->af, &a, w->cport, (uint16_t)w->svc, slot);
}

struct rr_flow *path_reverse_of(const struct world *w)
{
	const struct rr_endpoint *e = &w->rig->endpoints[w->ep];

	return rig_flow(w->rig, w->af, &e->addr, w->lport, (uint16_t)(RR_KEY_REV | e->local_first),
			NULL);
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
		s->dst = path_service_addr(w->svc);
	s->sport = s->sport ? s->sport : w->cport;
	s->dport = s->dport ? s->dport : SERVICE_PORT;
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
	out->af = w->af;
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

/* ---- the oracle ---- */

/* New connection or known one: where the flow table says it goes. */
static void learn(struct world *w, const struct pkt_spec *in)
{
	uint32_t slot = 0;
	struct rr_flow *f = path_flow_of(w, &slot);

	if (!f) {
		fail_msg("%s", "a forwarded packet without a flow");
		return;
	}
	w->ep = RR_META_EP(f->meta);
	w->lport = pkt_be16(f->port);
	if ((in->flags & (PKT_SYN | PKT_ACK)) == PKT_SYN &&
	    rig_cold(w->rig, w->af, slot)->syn_count == 1) {
		memcpy(w->hop_mac, in->smac, 6);
		w->hop_vlan = in->vlans ? in->vlan[0] & 0xfff : 0;
	}
}

/* The outer tag is that of the way out; its priority bits stay, an inner tag is none of our business. */
static void expect_vlan(struct pkt_spec *out, uint16_t vlan)
{
	uint16_t was = out->vlans ? out->vlan[0] & 0xfff : 0;

	if (was == vlan)
		return;
	assert_true(out->vlans < 2); /* a hop names one VLAN: two tags cannot change */
	if (!vlan) {
		out->vlans--;
	} else if (out->vlans) {
		out->vlan[0] = (uint16_t)((out->vlan[0] & 0xf000) | vlan);
	} else {
		out->vlan[0] = vlan;
		out->vlans++;
	}
}

static uint8_t ttl_after(const struct pkt_spec *in)
{
	return (uint8_t)((in->ttl ? in->ttl : 64) - 1);
}

static void expect_forward(struct world *w, const struct pkt_spec *in, struct pkt_spec *out)
{
	const struct rr_endpoint *e;

	learn(w, in);
	e = &w->rig->endpoints[w->ep];
	path_ep_mac(w->ep, out->dmac);
	memcpy(out->smac, path_iface_mac, 6);
	expect_vlan(out, RR_HOP_VLAN(e->hop));
	if (!w->nat)
		return;
	out->src = path_local_addr(w->svc);
	out->dst = e->addr;
	out->sport = w->lport;
	out->dport = pkt_be16(e->port);
	out->ttl = ttl_after(in);
}

static void expect_reply(const struct world *w, const struct pkt_spec *in, struct pkt_spec *out)
{
	memcpy(out->dmac, w->hop_mac, 6);
	expect_vlan(out, w->hop_vlan);
	memcpy(out->smac, path_iface_mac, 6);
	out->src = path_service_addr(w->svc);
	out->dst = path_client_addr(w->svc);
	out->sport = SERVICE_PORT;
	out->dport = w->cport;
	out->ttl = ttl_after(in);
}

/* RFC 9293 3.10.7.1: with ACK, the RST's number is the acknowledged one; without, it acknowledges all of the segment. */
static void expect_reset(const struct pkt_spec *in, struct pkt_spec *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->dmac, in->smac, 6);
	memcpy(out->smac, in->dmac, 6);
	out->vlans = in->vlans;
	memcpy(out->vlan, in->vlan, sizeof(out->vlan));
	out->af = in->af;
	out->src = in->dst;
	out->dst = in->src;
	out->sport = in->dport;
	out->dport = in->sport;
	out->ttl = 64;
	out->frag = in->af == RR_AF_INET ? 0x4000 : 0;
	out->bare = true;
	out->flags = PKT_RST;
	if (in->flags & PKT_ACK) {
		out->seq = in->ack;
		return;
	}
	out->flags |= PKT_ACK;
	out->ack = in->seq + in->payload + !!(in->flags & PKT_SYN) + !!(in->flags & PKT_FIN);
}

static uint32_t class_action(enum rr_verdict v)
{
	static const uint32_t action[] = { 0,
#define PASS XDP_PASS
#define DROP XDP_DROP
#define SEND XDP_TX
#define ACTION(id, name, class, help) [RR_V_##id] = class,
					   RR_VERDICTS(ACTION)
#undef ACTION
#undef PASS
#undef DROP
#undef SEND
	};

	return action[v];
}

static void expect(struct world *w, const struct pkt_spec *in, enum rr_verdict v,
		   struct pkt_frame *f)
{
	struct pkt_spec out = *in;

	if (v == RR_V_FORWARD)
		expect_forward(w, in, &out);
	else if (v == RR_V_REPLY)
		expect_reply(w, in, &out);
	else if (v == RR_V_RESET || v == RR_V_REFUSE)
		expect_reset(in, &out);
	pkt_build(&out, f);
}

/* Which verdict moved, by exactly one; nothing else may. */
static enum rr_verdict moved(const uint64_t *was, const uint64_t *is)
{
	enum rr_verdict v = RR_V_GO;

	for (int i = 0; i < RR_V_MAX; i++) {
		if (is[i] == was[i])
			continue;
		if (v || is[i] != was[i] + 1)
			fail_msg("two counters moved: %s, %s", path_verdict_name(v),
				 path_verdict_name(i));
		v = i;
	}
	return v;
}

static void check_bytes(const struct pkt_frame *have, const struct pkt_frame *want)
{
	uint32_t n = have->len < want->len ? have->len : want->len;

	for (uint32_t i = 0; i < n; i++) {
		if (have->b[i] != want->b[i])
			fail_msg("byte %u (L3 at %u, L4 at %u) is %02x instead of %02x", i,
				 want->l3, want->l4, have->b[i], want->b[i]);
	}
	if (have->len != want->len)
		fail_msg("%u bytes instead of %u", have->len, want->len);
}

void path_run(struct world *w, const struct pkt_spec *s, enum rr_verdict v, uint32_t action)
{
	uint64_t was[RR_V_MAX], is[RR_V_MAX];
	enum rr_verdict got;
	struct pkt_frame want;
	const char *wrong;
	uint32_t did;

	pkt_build(s, &w->in);
	rig_verdicts(w->rig, was);
	did = rig_run(w->rig, w->in.b, w->in.len, &w->out);
	rig_verdicts(w->rig, is);
	got = moved(was, is);
	if (got != v)
		fail_msg("verdict %s instead of %s", path_verdict_name(got), path_verdict_name(v));
	if (did != (action ? action : class_action(v)))
		fail_msg("action %u", did);
	if (class_action(v) == XDP_DROP)
		return;
	expect(w, s, v, &want);
	check_bytes(&w->out, &want);
	wrong = class_action(v) == XDP_TX ? pkt_check(w->out.b, w->out.len) : NULL;
	if (wrong)
		fail_msg("%s is wrong", wrong);
}

void path_client(struct world *w, uint8_t flags, enum rr_verdict v)
{
	struct pkt_spec diff = { .flags = flags }, s;

	path_packet(w, false, &diff, &s);
	path_run(w, &s, v, 0);
}

void path_server(struct world *w, uint8_t flags, enum rr_verdict v)
{
	struct pkt_spec diff = { .flags = flags }, s;

	path_packet(w, true, &diff, &s);
	path_run(w, &s, v, 0);
}

/* ---- states and rows ---- */

static void set_state(struct rr_flow *f, uint8_t state)
{
	uint64_t m = f->meta;

	__atomic_store_n(&f->meta,
			 RR_META_MAKE(RR_META_GEN(m), state, RR_META_FLAGS(m), RR_META_EP(m),
				      RR_META_VIA(m)),
			 __ATOMIC_SEQ_CST);
}

void path_kill(struct world *w)
{
	set_state(path_flow_of(w, NULL), RR_FLOW_KILLED);
	if (w->nat)
		set_state(path_reverse_of(w), RR_FLOW_KILLED);
}

void path_reach(struct world *w, enum path_have have)
{
	if (have == HAVE_NONE)
		return;
	path_client(w, PKT_SYN, RR_V_FORWARD);
	if (have == HAVE_SYN)
		return;
	if (w->nat)
		path_server(w, PKT_SYN | PKT_ACK, RR_V_REPLY);
	if (have == HAVE_SYNACK)
		return;
	path_client(w, PKT_ACK, RR_V_FORWARD);
	if (have == HAVE_FIN_CLIENT || have == HAVE_FIN2)
		path_client(w, PKT_FIN | PKT_ACK, RR_V_FORWARD);
	if ((have == HAVE_FIN_SERVER || have == HAVE_FIN2) && w->nat)
		path_server(w, PKT_FIN | PKT_ACK, RR_V_REPLY);
	if (have == HAVE_RST)
		path_client(w, PKT_RST, RR_V_FORWARD);
	if (have == HAVE_KILLED)
		path_kill(w);
}

/* Counters of this service and its endpoints; every other one must stand still. */
static void check_counts(const struct world *w, const struct path_case *c,
			 const struct rig_counts *was, const struct rig_counts *is)
{
	bool through = c->verdict == RR_V_FORWARD || c->verdict == RR_V_REPLY;
	struct rr_stats ep = { 0 };

	for (uint32_t i = 0; i < RIG_ENDPOINTS; i++) {
		const uint64_t *a = (const uint64_t *)&was->ep[i],
			       *b = (const uint64_t *)&is->ep[i];
		uint64_t *sum = (uint64_t *)&ep;

		for (size_t n = 0; n < sizeof(ep) / sizeof(*sum); n++)
			sum[n] += b[n] - a[n];
		if (is->ep[i].packets[c->rev] != was->ep[i].packets[c->rev])
			assert_int_equal(i, w->ep);
	}
	assert_int_equal(ep.packets[c->rev], through);
	assert_int_equal(ep.packets[!c->rev], 0);
	assert_int_equal(ep.bytes[c->rev], through ? w->in.len : 0);
	assert_int_equal(ep.conns, c->conns);
	assert_int_equal(ep.established, c->established);
	assert_int_equal(ep.closed, c->closed);
	ep.refused = c->refused;
	for (size_t n = 0; n < sizeof(ep) / sizeof(uint64_t); n++) {
		const uint64_t *a = (const uint64_t *)&was->svc[w->svc],
			       *b = (const uint64_t *)&is->svc[w->svc];

		if (b[n] - a[n] != ((uint64_t *)&ep)[n])
			fail_msg("word %zu of the service's counters moved by %llu", n,
				 (unsigned long long)(b[n] - a[n]));
	}
}

static void check_state(const struct world *w, const struct path_case *c)
{
	const struct rr_flow *f = path_flow_of(w, NULL), *r;

	if (c->state == PATH_NONE) {
		assert_null(f);
		return;
	}
	assert_non_null(f);
	assert_int_equal(RR_META_STATE(f->meta), c->state);
	if (!w->nat)
		return;
	r = path_reverse_of(w);
	assert_non_null(r);
	assert_int_equal(RR_META_STATE(r->meta), c->state);
}

void path_case_run(struct rig *r, uint32_t svc, const struct path_case *c)
{
	struct rig_counts was, is;
	struct pkt_spec s;
	struct world w;
	uint64_t ticket;

	path_world(&w, r, svc);
	path_vlans(&w, c->client_vlan, c->ep_vlan);
	path_reach(&w, c->have);
	if (c->prepare)
		c->prepare(&w);
	path_packet(&w, c->rev, &c->pkt, &s);
	if (c->shape)
		c->shape(&w, &s);
	ticket = r->cursors[svc].ticket;
	rig_count(r, &was);
	path_run(&w, &s, c->verdict, c->action);
	rig_count(r, &is);
	check_counts(&w, c, &was, &is);
	assert_int_equal(r->cursors[svc].ticket - ticket, c->conns + c->tickets);
	if (c->verdict == RR_V_FORWARD)
		assert_int_equal(w.ep, PATH_EP(svc, c->slot));
	if (c->state)
		check_state(&w, c);
	if (c->after)
		c->after(&w);
}
