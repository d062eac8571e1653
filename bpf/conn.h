/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conn.h - the connection's life, off the fast path: new connections, handshakes, FIN and RST.
 *
 * These are global functions: the verifier checks each once, and they hold no packet pointer - all they need of
 * the packet is copied into struct conn. States (rr_abi.h): SYN -> SYNACK (the endpoint answered) -> EST (the
 * client's ACK fits the answer) -> FIN1 -> FIN2, or RST. In dsr only the client's half is seen: its ACK
 * promotes, its FIN closes.
 */
#ifndef RR_CONN_H
#define RR_CONN_H

#define CONN_PORT_TRIES 32
#define CONN_CLOSED_TRY 4 /* from this try on a closed flow's port may be taken over */
#define CONN_HALF_TRY \
	6 /* and a half-open one's: else a flood of SYNs would hold every port of an endpoint */
#define CONN_ACK_WINDOW 65536 /* a first ACK may cover early server data up to this */

/* Slot of an interface; RR_MAX_IFACES = not one of ours. */
static __always_inline __u32 conn_iface(__u32 ifindex)
{
	for (__u32 slot = 0; slot < RR_MAX_IFACES; slot++) {
		const struct rr_iface *iface = map_get(ifaces, slot);

		if (iface && iface->ifindex == ifindex)
			return slot;
	}
	return RR_MAX_IFACES;
}

/*
 * Id of the hop (ingress interface, VLAN, source MAC), inserted when it is new. The word is its own key: one
 * compare-and-swap inserts it. 0 = not our interface, or the table is full around it.
 */
__noinline int conn_hop(__u64 mac, __u32 ifindex, __u32 vlan)
{
	__u32 slot = conn_iface(ifindex), at;
	__u64 word = RR_HOP_MAKE_VLAN(slot, mac, vlan);

	if (slot == RR_MAX_IFACES)
		return 0;
	at = rr_mix(word);
	for (int i = 0; i < 8; i++) {
		__u32 id = (at + i) & (RR_MAX_HOPS - 1);
		__u64 *hop = map_get(hops, id), was;

		if (!hop || !id)
			continue;
		was = *(volatile __u64 *)hop;
		if (!was)
			was = __sync_val_compare_and_swap(hop, 0, word);
		if (was == word || !was)
			return id;
	}
	return 0;
}

/* Key of the reverse entry that belongs to endpoint, local port and local id. */
static __always_inline bool conn_reverse_key(const int af, struct fkey *k, __u32 endpoint,
					     __u16 port, __u32 local)
{
	const struct rr_endpoint *ep = map_get(endpoints, endpoint);
	const __u64 *a;

	if (!ep)
		return false;
	a = (const __u64 *)&ep->addr;
	k->a0 = a[0];
	k->a1 = a[1];
	k->key = RR_KEY4(af == RR_AF_INET ? a[0] : 0, port, RR_KEY_REV | local);
	return true;
}

static __always_inline bool conn_find(const int af, struct conn *c, const struct fkey *k,
				      struct fsnap *s)
{
	return af == RR_AF_INET ? flow_find4(k, c->seed, s) : flow_find6(k, c->seed, s);
}

static __always_inline __u64 conn_advance(const int af, const struct fsnap *s, __u8 state,
					  __u8 flag)
{
	return af == RR_AF_INET ? flow_advance4(s->slot, s->meta, state, flag)
				: flow_advance6(s->slot, s->meta, state, flag);
}

/* The forward entry leaves EST exactly once: whoever moved it counts. */
static __always_inline void conn_count_close(__u64 was, __u32 service)
{
	if (RR_META_STATE(was) == RR_FLOW_EST)
		account_closed(service, RR_META_EP(was));
}

/* c->r = the reverse entry of forward entry c->s, if it is still its own. */
static __always_inline bool conn_reverse(const int af, struct conn *c)
{
	__u64 meta = c->s.meta;

	return c->s.port &&
	       conn_reverse_key(af, &c->k, RR_META_EP(meta), c->s.port, RR_META_VIA(meta)) &&
	       conn_find(af, c, &c->k, &c->r) && RR_META_EP(c->r.meta) == RR_META_EP(meta) &&
	       c->r.port == c->client_port && c->r.service == c->service &&
	       c->r.peer0 == c->peer0 && c->r.peer1 == c->peer1;
}

/* Frees a found entry; false when its life had ended already. */
static __always_inline bool conn_release(const int af, const struct fsnap *s)
{
	struct rr_flow *f = flow_at(af, s->slot);

	return f && flow_release(f, s->meta);
}

/* Ends a pair whose client starts anew on the same tuple. */
static __always_inline bool conn_drop_pair(const int af, struct conn *c)
{
	if (!conn_release(af, &c->s))
		return false;
	conn_count_close(c->s.meta, c->service);
	if (conn_reverse(af, c))
		conn_release(af, &c->r);
	return true;
}

/*
 * Has forward entry c->s lost its reverse one (evicted, expired, or its port given to another connection)? Then replies
 * cannot come back and its packets could reach a stranger: it ends here.
 */
static __always_inline bool conn_broken(const int af, struct conn *c)
{
	if (!c->s.port || conn_reverse(af, c))
		return false;
	if (conn_release(af, &c->s))
		conn_count_close(c->s.meta, c->service);
	return true;
}

/* flow_take(), and the count that an established flow, long expired, is owed when its slot goes. */
static __always_inline enum rr_verdict conn_take(const int af, const struct conn *c,
						 const struct fkey *k, struct fslot *own)
{
	enum rr_verdict v = af == RR_AF_INET ? flow_take4(k, c->seed, c->now, own)
					     : flow_take6(k, c->seed, c->now, own);

	if (!v && own->was_forward)
		conn_count_close(own->was, own->was_service);
	return v;
}

static __always_inline void conn_fill(struct rr_flow *f, const struct conn *c, __u16 port)
{
	f->seen = c->now;
	f->port = port;
	f->service = c->service;
	f->peer = 0;
	f->eport = 0;
	f->pad = 0;
}

/* The highest flow_age_score() of a flow that has to give up its port on try `i`. */
static __always_inline __u32 conn_worst(__u32 i)
{
	return i < CONN_CLOSED_TRY ? 0 : i < CONN_HALF_TRY ? 2 : FLOW_KEEP - 1;
}

/* Takes over the slot of a flow that sits on the wanted port, if that scores `worst` or less. */
static __always_inline enum rr_verdict conn_retake(const int af, const struct conn *c, __u32 worst,
						   struct fslot *own)
{
	const struct fsnap *s = &c->r;
	struct rr_flow *f = flow_at(af, s->slot);

	if (!f || flow_age_score(s->service, s->meta, c->now - s->seen) > worst)
		return RR_V_FLOW_RACE;
	own->slot = s->slot;
	own->meta = RR_META_MAKE(RR_META_GEN(s->meta) + 1, RR_FLOW_CLAIMED, 0, 0, 0);
	return flow_cas(f, s->meta, own->meta) ? RR_V_GO : RR_V_FLOW_RACE;
}

/* Fills and publishes an owned reverse entry. */
static __always_inline enum rr_verdict conn_fill_reverse(const int af, const struct conn *c,
							 const struct fslot *own, __u16 eport)
{
	struct rr_flow *f = flow_at(af, own->slot);

	if (!f)
		return RR_V_NO_PORT;
	conn_fill(f, c, c->client_port);
	f->eport = eport;
	if (af == RR_AF_INET) {
		f->peer = (__u32)c->key.key;
	} else {
		struct rr_flow6 *e = container_of(f, struct rr_flow6, f);

		e->peer[0] = c->key.a0;
		e->peer[1] = c->key.a1;
	}
	flow_publish(f, own->meta, RR_FLOW_SYN, c->endpoint, c->hop);
	return RR_V_GO;
}

/* One try to give the connection local port `c->port`: makes the reverse entry. */
static __always_inline int conn_try_port(const int af, struct conn *c, __u32 worst)
{
	const struct rr_endpoint *ep = map_get(endpoints, c->endpoint);
	enum rr_verdict v;

	if (!ep || !conn_reverse_key(af, &c->k, c->endpoint, c->port, c->local))
		return RR_V_NO_PORT;
	if (worst && conn_find(af, c, &c->k, &c->r))
		v = conn_retake(af, c, worst, &c->rown);
	else
		v = conn_take(af, c, &c->k, &c->rown);
	return v ? v : conn_fill_reverse(af, c, &c->rown, ep->port);
}

__noinline int conn_try_port4(struct conn *c, __u32 worst)
{
	return c ? conn_try_port(RR_AF_INET, c, worst) : RR_V_NO_PORT;
}

__noinline int conn_try_port6(struct conn *c, __u32 worst)
{
	return c ? conn_try_port(RR_AF_INET6, c, worst) : RR_V_NO_PORT;
}

/* Where the walk for a local port starts: the same for guess and search. */
static __always_inline __u64 conn_port_hash(const int af, const struct conn *c)
{
	return flow_hash(af, &c->key, c->seed ^ RR_HASH_M1);
}

static __always_inline __u16 conn_port_at(__u64 h)
{
	__u32 range = (__u32)rr_port_hi - rr_port_lo + 1;

	return bpf_htons(rr_port_lo + (__u32)h % range);
}

static __always_inline __u32 conn_local_at(const struct rr_endpoint *ep, __u64 h)
{
	return (ep->local_first + (__u32)(h >> 48) % ep->local_count) & (RR_MAX_LOCALS - 1);
}

/*
 * Starts every memory access of a new connection at once: its own sets and cold record and, by the endpoint that the next
 * ticket names, the reverse entry's sets. Each would be a cache miss that waits for the one before.
 */
static __always_inline void conn_warm(const int af, struct conn *c, const struct rr_service *svc)
{
	const struct rr_endpoint *ep;
	__u64 h;
	__u32 id;

	flow_warm(af, &c->key, c->seed, true);
	if (svc->mode != RR_MODE_NAT)
		return;
	id = pick_guess(svc, c->service);
	ep = map_get(endpoints, id);
	if (!ep || !ep->local_count)
		return;
	h = conn_port_hash(af, c);
	if (conn_reverse_key(af, &c->k, id, conn_port_at(h), conn_local_at(ep, h)))
		flow_warm(af, &c->k, c->seed, false);
}

/* A local port by hash: CONN_PORT_TRIES ports of a pseudo-random walk through the range. */
static __always_inline enum rr_verdict conn_port(const int af, struct conn *c)
{
	const struct rr_endpoint *ep = map_get(endpoints, c->endpoint);
	__u64 h = conn_port_hash(af, c);
	enum rr_verdict v = RR_V_NO_PORT;

	if (!ep || !ep->local_count)
		return RR_V_NO_PORT;
	c->hop = conn_hop(c->mac, c->ifindex, c->vlan);
	if (!c->hop)
		return RR_V_NO_HOP;
	c->local = conn_local_at(ep, h);
	for (__u32 i = 0; i < CONN_PORT_TRIES; i++) {
		c->port = conn_port_at(h);
		v = af == RR_AF_INET ? conn_try_port4(c, conn_worst(i))
				     : conn_try_port6(c, conn_worst(i));
		if (!v)
			return RR_V_GO;
		h = rr_mix(h + i + 1);
	}
	return v == RR_V_TABLE_FULL ? v : RR_V_NO_PORT;
}

/* What only SYN, FIN and RST need: written while the slot is still owned. */
static __always_inline void conn_cold_open(const int af, const struct conn *c, __u32 slot,
					   __u64 ticket)
{
	struct rr_cold *cold = flow_cold(af, slot);

	if (!cold)
		return;
	cold->isn_client = c->seq;
	cold->isn_server = 0;
	cold->opened = c->now;
	cold->syn_count = 1;
	cold->syn_data = c->data;
	cold->ticket = ticket;
}

/*
 * New connection. The forward slot is owned first: a SYN that finds no room draws no ticket, and the ticket is drawn
 * once. Then endpoint, local port and reverse entry; the forward entry is published last (I5).
 */
static __always_inline enum rr_verdict conn_open(const int af, struct conn *c,
						 const struct rr_service *svc)
{
	struct fslot *own = &c->own;
	struct rr_flow *f;
	enum rr_verdict v;

	v = conn_take(af, c, &c->key, own);
	if (v)
		return v;
	f = flow_at(af, own->slot);
	if (!f)
		return RR_V_TABLE_FULL;
	pick_endpoint(svc, c->service, &c->pick);
	c->endpoint = c->pick.endpoint;
	v = c->endpoint ? RR_V_GO : RR_V_NO_ENDPOINT;
	if (!v && svc->mode == RR_MODE_NAT)
		v = conn_port(af, c);
	if (v) {
		flow_release(f, own->meta);
		return v;
	}
	conn_fill(f, c, c->port);
	conn_cold_open(af, c, own->slot, c->pick.ticket);
	flow_publish(f, own->meta, RR_FLOW_SYN, c->endpoint, c->local);
	account_conns(c->service, c->endpoint);
	return RR_V_GO;
}

/* A connection that could not be opened: counted, and answered as the service says. */
static __always_inline enum rr_verdict conn_new(const int af, struct conn *c,
						const struct rr_service *svc)
{
	enum rr_verdict v;

	if (c->last_ttl && svc->mode == RR_MODE_NAT) /* it would open a flow and go no further */
		return RR_V_TTL;
	v = conn_open(af, c, svc);
	if (v)
		account_refused(c->service);
	if (v == RR_V_NO_ENDPOINT && svc->overflow == RR_OVERFLOW_RST)
		return RR_V_REFUSE;
	return v;
}

/* A client packet that belongs to no flow and opens none. */
static __always_inline enum rr_verdict conn_unknown(const struct conn *c,
						    const struct rr_service *svc)
{
	if (svc->on_unknown == RR_UNKNOWN_PASS)
		return RR_V_UNKNOWN_PASS;
	if (svc->on_unknown == RR_UNKNOWN_DROP)
		return RR_V_UNKNOWN_DROP;
	return c->flags & TCPF_RST ? RR_V_RST_SILENT : RR_V_RESET;
}

/* Is this SYN a new connection although its tuple has an entry? (closing, expired, or its endpoint is out) */
static __always_inline bool conn_syn_is_new(const struct conn *c, const struct fsnap *s)
{
	const struct rr_endpoint *ep = map_get(endpoints, RR_META_EP(s->meta));

	return RR_META_STATE(s->meta) >= RR_FLOW_FIN1 || !ep || !pick_takes_new(ep) ||
	       flow_age_score(s->service, s->meta, c->now - s->seen) <= 2;
}

/* A SYN on a live entry is a retransmission: it follows the entry and draws no ticket. */
static __always_inline enum rr_verdict conn_client_syn(const int af, struct conn *c,
						       const struct rr_service *svc)
{
	struct rr_cold *cold;

	if (conn_syn_is_new(c, &c->s))
		return conn_drop_pair(af, c) ? conn_new(af, c, svc) : RR_V_FLOW_RACE;
	cold = flow_cold(af, c->s.slot);
	if (cold && RR_META_STATE(c->s.meta) < RR_FLOW_EST) {
		cold->isn_client = c->seq;
		cold->syn_count++;
		if (c->data >
		    cold->syn_data) /* it comes again without, and either may be answered */
			cold->syn_data = c->data;
	}
	return RR_V_GO;
}

/* Moves both entries of the pair of c->s, the reverse one first (I5). 0 when the forward one is lost. */
static __always_inline int conn_advance_pair(const int af, struct conn *c, __u8 state, __u8 flag)
{
	__u64 was;

	/* no promotion without the reverse entry: half-open, it may be evicted at any moment until it is EST */
	if (c->s.port && !(conn_reverse(af, c) && conn_advance(af, &c->r, state, flag)) &&
	    state == RR_FLOW_EST)
		return 0;
	was = conn_advance(af, &c->s, state, flag);
	if (!was)
		return 0;
	if (state == RR_FLOW_EST && RR_META_STATE(was) < RR_FLOW_EST)
		account_established(c->service, RR_META_EP(was));
	if (state > RR_FLOW_EST)
		conn_count_close(was, c->service);
	return 1;
}

__noinline int conn_pair4(struct conn *c, __u8 state, __u8 flag)
{
	return c && conn_advance_pair(RR_AF_INET, c, state, flag);
}

__noinline int conn_pair6(struct conn *c, __u8 state, __u8 flag)
{
	return c && conn_advance_pair(RR_AF_INET6, c, state, flag);
}

static __always_inline bool conn_pair(const int af, struct conn *c, __u8 state, __u8 flag)
{
	return af == RR_AF_INET ? conn_pair4(c, state, flag) : conn_pair6(c, state, flag);
}

/* The client's ACK while half-open: does it complete a handshake that the endpoint answered? */
static __always_inline enum rr_verdict conn_promote(const int af, struct conn *c,
						    const struct rr_service *svc)
{
	const struct rr_cold *cold = flow_cold(af, c->s.slot);
	__u64 meta = c->s.meta;

	if (!(c->flags & TCPF_ACK))
		return RR_V_BAD_HANDSHAKE;
	if (svc->mode == RR_MODE_NAT) {
		if (RR_META_STATE(meta) != RR_FLOW_SYNACK || !cold ||
		    c->ack - (cold->isn_server + 1) > CONN_ACK_WINDOW)
			return RR_V_BAD_HANDSHAKE;
	}
	if (!conn_pair(af, c, RR_FLOW_EST, 0))
		return RR_V_FLOW_RACE;
	c->s.meta = RR_META_MAKE(RR_META_GEN(meta), RR_FLOW_EST, RR_META_FLAGS(meta),
				 RR_META_EP(meta), RR_META_VIA(meta));
	return RR_V_GO;
}

static __always_inline void conn_touch(const int af, const struct fsnap *s, __u32 now)
{
	struct rr_flow *f = flow_at(af, s->slot);

	if (f)
		flow_touch(f, s->seen, now);
}

static __always_inline bool conn_is_syn(const struct conn *c)
{
	return (c->flags & (TCPF_SYN | TCPF_ACK)) == TCPF_SYN;
}

/* One packet from a client that the fast path does not take. GO: endpoint, local and port say where to. */
static __always_inline int conn_client(const int af, struct conn *c)
{
	const struct rr_service *svc = map_get(services, c->service);
	enum rr_verdict v = RR_V_GO;
	__u32 state;

	if (!svc)
		return RR_V_NOT_OURS;
	c->peer0 = af == RR_AF_INET ? (__u32)c->key.key : c->key.a0;
	c->peer1 = af == RR_AF_INET ? 0 : c->key.a1;
	if (conn_is_syn(c))
		conn_warm(af, c, svc);
	if (!conn_find(af, c, &c->key, &c->s) || conn_broken(af, c))
		return conn_is_syn(c) ? conn_new(af, c, svc) : conn_unknown(c, svc);
	state = RR_META_STATE(c->s.meta);
	if (conn_is_syn(c)) {
		v = conn_client_syn(af, c, svc);
		if (v || c->endpoint)
			return v;
	} else if (state == RR_FLOW_KILLED) {
		conn_advance(af, &c->s, RR_FLOW_KILLED, RR_FLOW_F_TOLD);
		return c->flags & TCPF_RST ? RR_V_RST_SILENT : RR_V_RESET;
	} else if (c->flags & TCPF_RST) {
		conn_pair(af, c, RR_FLOW_RST, 0);
	} else if (state < RR_FLOW_EST) {
		v = conn_promote(af, c, svc);
	}
	if (v)
		return v;
	if (c->flags & TCPF_FIN)
		conn_pair(af, c, RR_FLOW_FIN1, RR_FLOW_F_FIN_CLIENT);
	conn_touch(af, &c->s, c->now);
	c->endpoint = RR_META_EP(c->s.meta);
	c->local = RR_META_VIA(c->s.meta);
	c->port = c->s.port;
	return RR_V_GO;
}

/* c->s = the forward entry of reverse entry c->r, if each points to the other. */
static __always_inline bool conn_forward(const int af, struct conn *c)
{
	c->k.key = RR_KEY4(af == RR_AF_INET ? c->r.peer0 : 0, c->r.port, c->r.service);
	c->k.a0 = c->r.peer0;
	c->k.a1 = c->r.peer1;
	c->service = c->r.service & (RR_MAX_SERVICES - 1);
	c->client_port = c->r.port;
	c->peer0 = c->r.peer0;
	c->peer1 = c->r.peer1;
	return conn_find(af, c, &c->k, &c->s) && RR_META_EP(c->s.meta) == RR_META_EP(c->r.meta) &&
	       c->s.port == RR_KEY_PORT(c->key.key) &&
	       (RR_META_VIA(c->s.meta) | RR_KEY_REV) == RR_KEY_TAG(c->key.key);
}

/*
 * The endpoint's SYN-ACK: its number is stored before the state says that it is there. It may cover data of the SYN. The
 * last one counts: an endpoint that forgot its half of the connection (full queue, SYN cookie of another minute) answers
 * the client's next SYN by another number, and the client may never have seen the first.
 */
static __always_inline void conn_answer(const int af, struct conn *c)
{
	struct rr_cold *cold = flow_cold(af, c->s.slot);

	if (!cold || RR_META_STATE(c->s.meta) >= RR_FLOW_EST ||
	    c->ack - (cold->isn_client + 1) > cold->syn_data)
		return;
	cold->isn_server = c->seq;
	conn_pair(af, c, RR_FLOW_SYNACK, 0);
}

/* One packet from an endpoint that the fast path does not take. */
static __always_inline int conn_server(const int af, struct conn *c)
{
	if (!conn_find(af, c, &c->key, &c->r) || !conn_forward(af, c))
		return RR_V_ORPHAN;
	if (RR_META_STATE(c->s.meta) == RR_FLOW_KILLED) {
		/* what comes goes on until the client has answered it, and was reset: it may be waiting and send nothing */
		if (!(RR_META_FLAGS(c->s.meta) & RR_FLOW_F_TOLD))
			return RR_V_GO;
		return c->flags & TCPF_RST ? RR_V_RST_SILENT : RR_V_RESET;
	}
	conn_touch(af, &c->r, c->now);
	if (c->flags & TCPF_RST)
		conn_pair(af, c, RR_FLOW_RST, 0);
	else if (c->flags & TCPF_FIN)
		conn_pair(af, c, RR_FLOW_FIN1, RR_FLOW_F_FIN_SERVER);
	else if ((c->flags & (TCPF_SYN | TCPF_ACK)) == (TCPF_SYN | TCPF_ACK))
		conn_answer(af, c);
	return RR_V_GO;
}

/* Global functions: verified once each, called from wherever the fast path gives up. */
__noinline int conn_client4(struct conn *c)
{
	return c ? conn_client(RR_AF_INET, c) : RR_V_MALFORMED;
}

__noinline int conn_client6(struct conn *c)
{
	return c ? conn_client(RR_AF_INET6, c) : RR_V_MALFORMED;
}

__noinline int conn_server4(struct conn *c)
{
	return c ? conn_server(RR_AF_INET, c) : RR_V_MALFORMED;
}

__noinline int conn_server6(struct conn *c)
{
	return c ? conn_server(RR_AF_INET6, c) : RR_V_MALFORMED;
}

#endif
