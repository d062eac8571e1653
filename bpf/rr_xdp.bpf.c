/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rr_xdp.bpf.c - the packet path on one screen: parse, service, flow, pick, forward, account.
 *
 * Each step is a header of its own and returns a verdict (RR_V_GO = next step). An established
 * packet takes the fast path: one bucket of the address table, one flow entry, rewrite, send.
 * Everything that changes a flow (SYN, FIN, RST, half-open, closing) goes through client.h or
 * server.h first and joins the same forward step. Nothing is judged before it is known to be
 * ours: what is not, passes untouched.
 */
#include "base.h"

#include "account.h"
#include "client.h"
#include "conn.h"
#include "flow.h"
#include "forward.h"
#include "icmp.h"
#include "judge.h"
#include "maps.h"
#include "notice.h"
#include "parse/eth.h"
#include "pkt.h"
#include "reset.h"
#include "rr_pair.h"
#include "server.h"
#include "service.h"

#define PATH_SLOW_FLAGS (TCPF_SYN | TCPF_FIN | TCPF_RST)
#define PATH_REST_SECONDS 15
/* EST or FIN1, which differ in one bit: no packet but FIN and RST changes them. */
#define PATH_IS_OPEN(meta) ((RR_META_STATE(meta) & 0xeu) == RR_FLOW_EST)
_Static_assert((RR_FLOW_EST & 1) == 0 && RR_FLOW_FIN1 == RR_FLOW_EST + 1, "PATH_IS_OPEN");
_Static_assert(2 * PATH_REST_SECONDS <= RR_IDLE_LEAST_SECONDS,
	       "a rest ends long before a flow may");

static __always_inline void path_key(const int af, const struct pkt *p, __u16 port, __u16 tag,
				     struct rr_key *k)
{
	rr_key_make(k, af, af, p->src.w0, p->src.w1, port, tag | p->l4.udp * RR_TAG_UDP);
}

/* What the slow path needs to know of the packet, in this CPU's working memory. */
static __always_inline struct conn *path_conn(struct xdp_md *ctx, const struct rr_control *c,
					      const struct pkt *p, const struct rr_key *k)
{
	const __u16 *mac = (const __u16 *)p->eth->h_source;
	const struct tcphdr *tcp = pkt_tcp(p);
	struct conn *out = map_get(scratch, 0);

	if (!out)
		return NULL;
	out->key = *k;
	out->seed = c->hash_seed;
	out->mac = mac[0] | ((__u64)mac[1] << 16) | ((__u64)mac[2] << 32);
	out->ifindex = ctx->ingress_ifindex;
	out->vlan = p->vlan;
	out->now = bpf_jiffies64();
	out->hz = c->hz;
	out->seq = bpf_ntohl(tcp->seq);
	out->ack = bpf_ntohl(tcp->ack_seq);
	out->data = p->l3_len - p->l4.off - tcp->doff * 4;
	out->flags = tcp_flags(tcp);
	out->service = p->service;
	out->endpoint = 0;
	out->local = 0;
	out->port = 0;
	return out;
}

/*
 * May this packet take the fast path by its entry? An entry that has rested may have lost its
 * partner: an expired one can be evicted, and its port given away. So the first packet after a rest
 * takes the slow path, which looks at both.
 */
static __always_inline bool path_is_fast(const struct rr_control *c, const struct flow_seen *s,
					 __u32 now)
{
	return PATH_IS_OPEN(s->h.meta) &&
	       (__s32)(now - s->seen) < (__s32)(c->hz * PATH_REST_SECONDS);
}

/* Where a client's packet goes, beside p->endpoint. */
struct path_to {
	__u32 local;
	__u16 port;
};

/* A tick's first packet of a client on a flow to `endpoint`. */
static __always_inline void path_client_touch(struct rr_flow *f, const struct pkt *p,
					      __u32 endpoint, __u32 now)
{
	const struct tcphdr *tcp = pkt_tcp(p);
	__u32 end = bpf_ntohl(tcp->seq) + p->l3_len - p->l4.off - tcp->doff * 4;

	judge_touch_client(f, now, pair_is_two(endpoint) ? bpf_ntohl(tcp->ack_seq) : end);
}

/* An established flow's packet that changes nothing: its entry is all that is looked at. */
static __always_inline bool path_client_fast(const int af, const struct rr_control *c,
					     struct pkt *p, const struct rr_key *k,
					     struct path_to *to)
{
	__u32 now = bpf_jiffies64();
	struct flow_seen s;
	struct rr_flow *f;

	if (tcp_flags(pkt_tcp(p)) & PATH_SLOW_FLAGS)
		return false;
	f = flow_find(af, k, c->hash_seed, &s);
	if (!f || !path_is_fast(c, &s, now))
		return false;
	p->endpoint = RR_META_EP(s.h.meta);
	if (s.seen != now)
		path_client_touch(f, p, p->endpoint, now);
	to->local = RR_META_VIA(s.h.meta);
	to->port = s.h.port;
	return true;
}

static __always_inline enum rr_verdict path_client_slow(const int af, struct xdp_md *ctx,
							const struct rr_control *c, struct pkt *p,
							const struct rr_key *k, struct path_to *to)
{
	struct conn *conn = path_conn(ctx, c, p, k);
	enum rr_verdict v;

	if (!conn)
		return RR_V_TABLE_FULL;
	conn->listener = RR_TAG_LISTENER(RR_KEY_TAG(k->key));
	conn->last_ttl = !nat_ttl(af, p);
	v = af == RR_AF_INET ? client4(conn) : client6(conn);
	p->endpoint = conn->endpoint;
	to->local = conn->local;
	to->port = conn->port;
	return v;
}

/* A packet of a client to the listener and service of `row`. */
static __always_inline enum rr_verdict path_client(const int af, struct xdp_md *ctx,
						   const struct rr_control *c, struct pkt *p,
						   __u64 row)
{
	enum rr_verdict v = parse_check(p);
	struct path_to to;
	struct rr_key k;

	if (v)
		return v;
	p->service = SERVICE_OF(row);
	path_key(af, p, p->l4.sport, rr_tag_forward(SERVICE_ID(row), 0), &k);
	if (!path_client_fast(af, c, p, &k, &to)) {
		v = path_client_slow(af, ctx, c, p, &k, &to);
		if (v)
			return v;
	}
	return forward_client(af, ctx, p, to.local, to.port);
}

static __always_inline enum rr_verdict path_server_slow(const int af, struct xdp_md *ctx,
							const struct rr_control *c,
							const struct pkt *p, const struct rr_key *k,
							__u32 slot)
{
	struct conn *conn = path_conn(ctx, c, p, k);

	if (!conn)
		return RR_V_TABLE_FULL;
	conn->slot = slot;
	return af == RR_AF_INET ? server4(conn) : server6(conn);
}

/* Did the endpoint of this entry send the packet? Address and local port are in the key. */
static __always_inline bool path_is_reply(const struct pkt *p, __u32 endpoint)
{
	const struct rr_endpoint *ep = map_get(endpoints, endpoint);

	return ep && ep->port == p->l4.sport;
}

/* A packet to local address `local`: GO when it is no reply of an endpoint. */
static __always_inline enum rr_verdict path_server(const int af, struct xdp_md *ctx,
						   const struct rr_control *c, struct pkt *p,
						   __u32 local)
{
	struct flow_seen r;
	struct rr_flow *f;
	enum rr_verdict v;
	struct rr_key k;
	__u32 now;

	path_key(af, p, p->l4.dport, rr_tag_reverse(local, 0), &k);
	f = flow_find(af, &k, c->hash_seed, &r);
	if (!f || !path_is_reply(p, RR_META_EP(r.h.meta)))
		return RR_V_GO;
	v = parse_check(p);
	if (v)
		return v;
	p->endpoint = RR_META_EP(r.h.meta);
	now = bpf_jiffies64();
	if (!(tcp_flags(pkt_tcp(p)) & PATH_SLOW_FLAGS) && path_is_fast(c, &r, now)) {
		if (r.seen != now)
			judge_touch_server(f, now, bpf_ntohl(pkt_tcp(p)->ack_seq));
	} else {
		v = path_server_slow(af, ctx, c, p, &k, r.h.slot);
		if (v)
			return v;
	}
	return forward_server(af, ctx, p, &r);
}

/*
 * Ethernet and IP header are whole, as parse() has seen. The verifier is shown it once more, by
 * fresh pointers: those of parse() know for how many tags and extension headers they were
 * checked, and all that follows would be walked once for each number.
 */
static __always_inline bool path_anchor(const int af, struct xdp_md *ctx, struct pkt *p)
{
	p->eth = pkt_data(ctx);
	p->end = pkt_end(ctx);
	return (void *)(p->eth + 1) <= p->end && parse_again(af, p);
}

static __always_inline enum rr_verdict path_ours(const int af, struct xdp_md *ctx,
						 const struct rr_control *c, struct pkt *p)
{
	enum rr_verdict v;
	__u64 row;

	if (!path_anchor(af, ctx, p))
		return RR_V_NOT_OURS;
	if (service_local(af, c, p, &row)) {
		v = path_server(af, ctx, c, p, SERVICE_ID(row));
		if (v)
			return v;
	}
	if (!service_find(af, c, p, &row))
		return RR_V_NOT_OURS;
	return path_client(af, ctx, c, p, row);
}

/* Tells the packet's sender why it goes no further: TTL, or TOO_BIG for p->mtu. */
static __always_inline enum rr_verdict path_notice(const int af, struct xdp_md *ctx, struct pkt *p,
						   enum rr_verdict why)
{
	__u32 l3 = p->l3 - (void *)p->eth, mtu = p->mtu;

	p->action = XDP_TX;
	return af == RR_AF_INET ? notice4(ctx, l3, why, mtu) : notice6(ctx, l3, why, mtu);
}

/* Verdicts that are told to the sender by a RST. */
static __always_inline bool path_is_answered(enum rr_verdict v)
{
	return v == RR_V_RESET || v == RR_V_REFUSE || v == RR_V_BAD_HANDSHAKE;
}

static __always_inline enum rr_verdict path_af(const int af, struct xdp_md *ctx,
					       const struct rr_control *c, struct pkt *p)
{
	enum rr_verdict v = path_ours(af, ctx, c, p);

	if (v == RR_V_TTL || v == RR_V_TOO_BIG)
		return path_notice(af, ctx, p, v);
	return path_is_answered(v) ? reset_send(af, ctx, c, p, v) : v;
}

/* An ICMP message: NOT_OURS unless it is an error about one of our connections. */
static __always_inline enum rr_verdict path_icmp(struct xdp_md *ctx, struct pkt *p)
{
	__u32 l3 = p->l3 - (void *)p->eth;
	int rc =
		p->af == RR_AF_INET ? icmp_error4(ctx, l3, p->vlan) : icmp_error6(ctx, l3, p->vlan);

	p->action = rc >> ICMP_ACTION_SHIFT;
	return rc & ((1 << ICMP_ACTION_SHIFT) - 1);
}

static __always_inline enum rr_verdict path(struct xdp_md *ctx, struct pkt *p, void *data,
					    void *end)
{
	const struct rr_control *c = map_get(control, 0);
	enum rr_verdict v;

	if (!c || !c->enabled)
		return RR_V_DISABLED;
	v = parse(p, data, end);
	if (v)
		return v == RR_V_ICMP_ERROR ? path_icmp(ctx, p) : v;
	return p->af == RR_AF_INET ? path_af(RR_AF_INET, ctx, c, p)
				   : path_af(RR_AF_INET6, ctx, c, p);
}

/*
 * Gives the frame its whole depth at once, while nothing is in it. Linux 6.18 lets a state of the
 * verifier have as much stack as has been written, and gives up ("verifier bug: stack slot") when
 * two that it merges have not the same.
 */
#define PATH_FRAME 224
#define path_frame() \
	asm volatile("*(u64 *)(r10 - %0) = %1" : : "i"(PATH_FRAME), "r"(0ull) : "memory")

SEC("xdp")
int rr_xdp(struct xdp_md *ctx)
{
	void *data, *end;
	struct pkt p;

	path_frame();
	data = pkt_data(ctx);
	end = pkt_end(ctx);
	pkt_init(&p, end - data);
	return account(&p, path(ctx, &p, data, end));
}

char _license[] SEC("license") = "Dual BSD/GPL";
