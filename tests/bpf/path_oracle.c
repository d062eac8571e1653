/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * path_oracle.c - one packet through the program, and the oracle that says what must come out for
 * a verdict. The oracle builds the expected frame from the world and from the description of the
 * frame that went in, with checksums from scratch; it knows nothing of how the packet path
 * rewrites.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <linux/bpf.h>

#include <cmocka.h>

#include "path.h"

const char *path_verdict_name(enum rr_verdict v)
{
	static const char *const name[] = { "go",
#define NAME(id, name, class, help) [RR_V_##id] = #name,
					    RR_VERDICTS(NAME)
#undef NAME
	};

	return v < RR_V_MAX ? name[v] : "?";
}

/* New connection or known one: where the flow table says it goes. */
static void learn(struct world *w, const struct pkt_spec *in)
{
	struct rr_flow *f = path_flow_of(w, NULL);

	if (!f) {
		fail_msg("%s", "a forwarded packet without a flow");
		return;
	}
	w->ep = RR_META_EP(f->meta);
	w->lport = pkt_be16(f->port);
	if ((in->flags & (PKT_SYN | PKT_ACK)) == PKT_SYN && (path_record_of(w)->tries & 0xf) == 1) {
		memcpy(w->hop_mac, in->smac, 6);
		w->hop_vlan = in->vlans ? in->vlan[0] & 0xfff : 0;
	}
}

/*
 * The outer tag is that of the way out; its priority bits stay, an inner tag is none of our
 * business.
 */
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
	if (!w->mode->rewrites)
		return;
	out->af = w->row->endpoint;
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
	out->af = w->row->client;
	out->src = w->addr;
	out->dst = path_client_addr(w->svc);
	out->sport = w->port;
	out->dport = w->cport;
	out->ttl = ttl_after(in);
}

/*
 * RFC 9293 3.10.7.1: with ACK, the RST's number is the acknowledged one; without, it acknowledges
 * all of the segment.
 */
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

/*
 * The quoted packet is what its sender sent, and the error comes from where the sender sent it to;
 * without rewriting only the frame is another. A quote from our source address is one that went to
 * the endpoint.
 */
static void expect_icmp(struct world *w, const struct pkt_spec *in, struct pkt_spec *out,
			struct pkt_spec *quote)
{
	const struct rr_endpoint *e = &w->rig->endpoints[w->ep];
	struct rr_addr local = path_local_addr(w->svc);

	memcpy(out->smac, path_iface_mac, 6);
	*quote = *in->quote;
	out->quote = quote;
	if (memcmp(&in->quote->src, &local, sizeof(local)) == 0) {
		memcpy(out->dmac, w->hop_mac, 6);
		expect_vlan(out, w->hop_vlan);
		quote->src = path_client_addr(w->svc);
		quote->sport = w->cport;
		quote->dst = w->addr;
		quote->dport = w->port;
	} else {
		path_ep_mac(w->ep, out->dmac);
		expect_vlan(out, RR_HOP_VLAN(e->hop));
		if (!w->mode->rewrites)
			return;
		quote->src = e->addr;
		quote->sport = pkt_be16(e->port);
		quote->dst = local;
		quote->dport = w->lport;
	}
	out->ttl = ttl_after(in);
	out->src = quote->dst;
	out->dst = quote->src;
}

/*
 * An error of our own, from where the packet was sent to, with as many whole words of it as the
 * RFCs let it have.
 */
static void expect_notice(const struct world *w, const struct pkt_spec *in, enum rr_verdict v,
			  struct pkt_spec *out)
{
	bool v4 = in->af == RR_AF_INET, big = v == RR_V_TOO_BIG_TOLD;
	uint32_t len = w->in.len - w->in.l3 - in->pad, most = v4 ? 576 - 28 : 1280 - 48;

	memset(out, 0, sizeof(*out));
	memcpy(out->dmac, in->smac, 6);
	memcpy(out->smac, in->dmac, 6);
	out->vlans = in->vlans;
	memcpy(out->vlan, in->vlan, sizeof(out->vlan));
	out->af = in->af;
	out->src = in->dst;
	out->dst = in->src;
	out->frag = v4 ? 0x4000 : 0;
	out->bare = true;
	out->proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	out->icmp_type = v4 ? big ? 3 : 11 : big ? 2 : 3;
	out->icmp_code = v4 && big ? 4 : 0;
	out->icmp_rest = big ? rig_iface_at(w->rig, 0)->mtu : 0;
	out->quote = in;
	out->quote_len = (uint16_t)((len < most ? len : most) & ~3u);
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
	struct pkt_spec out = *in, quote;

	if (v == RR_V_FORWARD)
		expect_forward(w, in, &out);
	else if (v == RR_V_REPLY)
		expect_reply(w, in, &out);
	else if (v == RR_V_RESET || v == RR_V_REFUSE || v == RR_V_BAD_HANDSHAKE)
		expect_reset(in, &out);
	else if (v == RR_V_TTL_TOLD || v == RR_V_TOO_BIG_TOLD)
		expect_notice(w, in, v, &out);
	else if (v == RR_V_ICMP_ERROR)
		expect_icmp(w, in, &out, &quote);
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
