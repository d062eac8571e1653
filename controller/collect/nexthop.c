/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nexthop.c - by which interface and to which MAC an endpoint's packets leave.
 *
 * The kernel's routes and neighbours decide; this only asks and translates. Asked again whenever
 * netlink says that something changed (bursts coalesced: never busier than a twentieth of the
 * time), every second while an endpoint has no next hop, and every 30 s anyway.
 *
 * The packets themselves bypass the kernel, so its neighbour entries are not kept fresh by them
 * and may be dropped for want of use. Hence: an unknown neighbour is solicited, and a next hop
 * that was good is kept for HOLD while the same neighbour is being asked for again.
 *
 * dsr rewrites only the MAC, so its endpoint must be on the link: a gateway would route the
 * packet, still addressed to the service, back to us. Such an endpoint has no next hop, and an
 * event says why.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/iface.h"
#include "collect/nexthop.h"
#include "daemon/daemon.h"
#include "sys/loop.h"
#include "util/log.h"

#define REFRESH MONO_S(30)
#define HOLD MONO_S(5)
#define GAP MONO_MS(100)
#define GAP_COSTS 20

enum hop_problem { HOP_FINE, HOP_UNRESOLVED, HOP_NO_ROUTE, HOP_FOREIGN, HOP_GATEWAY };

enum hop_which { HOPS_ALL, HOPS_DUE, HOPS_NEW };

struct hop_row {
	struct addr to; /* whose row this is: ids are used again */
	struct nl_hop hop; /* the last good one */
	uint64_t word;
	mono_t looked; /* 0 = never */
	mono_t lost; /* since when the neighbour is unknown; 0 = it is known */
	enum hop_problem problem;
};

struct nexthop {
	struct loop_timer *timer;
	mono_t done, cost; /* of the last full look */
	struct hop_row row[RR_MAX_ENDPOINTS];
	/* of the present look: */
	uint32_t id[RR_MAX_ENDPOINTS];
	struct addr addr[RR_MAX_ENDPOINTS];
	const struct view_service *service[RR_MAX_ENDPOINTS]; /* of each endpoint id */
};

static bool same_ip(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, sizeof(a->ip));
}

/*
 * Where frames to a hop leave: a slot, and the tag that they carry there. slot -1 = by no
 * interface of ours.
 */
struct hop_out {
	int slot;
	uint16_t vlan;
};

/*
 * A route by a VLAN interface leaves by its parent, tagged: the packet path sees the wire, below
 * the VLAN.
 */
static struct hop_out hop_out(struct daemon *d, uint32_t ifindex)
{
	struct hop_out out = { iface_slot(d, ifindex), 0 };
	uint32_t parent;

	if (out.slot < 0 && ifindex && !nl_vlan_get(d->nl, ifindex, &parent, &out.vlan))
		out.slot = iface_slot(d, parent);
	return out;
}

static uint64_t hop_word(struct hop_out out, const uint8_t mac[6])
{
	uint64_t w = 0;

	for (int i = 0; i < 6; i++)
		w |= (uint64_t)mac[i] << (8 * i);
	return RR_HOP_MAKE_VLAN((uint64_t)out.slot, w, (uint64_t)out.vlan);
}

static enum hop_problem hop_judge(const struct addr *to, bool on_link, const struct nl_hop *hop,
				  struct hop_out out)
{
	if (!hop->gw.family)
		return HOP_NO_ROUTE;
	if (out.slot < 0)
		return HOP_FOREIGN;
	if (on_link && !same_ip(&hop->gw, to))
		return HOP_GATEWAY;
	return hop->resolved ? HOP_FINE : HOP_UNRESOLVED;
}

static void hop_event(struct daemon *d, const struct addr *to, const struct view_service *s,
		      const struct hop_row *r, const struct nl_hop *hop)
{
	struct model_event ev = { .kind = EVENT_HOP_NO_ROUTE, .uid = EVENT_NOBODY, .address = *to };
	char buf[ADDR_STRLEN];

	if (s)
		snprintf(ev.service, sizeof(ev.service), "%s", s->name);
	if (r->problem == HOP_FOREIGN) {
		ev.kind = EVENT_HOP_FOREIGN;
		if (!if_indextoname(hop->ifindex, ev.name))
			snprintf(ev.name, sizeof(ev.name), "an interface");
	} else if (r->problem == HOP_GATEWAY) {
		ev.kind = EVENT_HOP_GATEWAY;
		snprintf(ev.name, sizeof(ev.name), "%s", addr_print(&hop->gw, buf, sizeof(buf)));
	}
	model_event_note(d->model, &ev, daemon_now(d));
}

/* An unknown neighbour: asks for it; the old hop stays for a while if it is the same neighbour. */
static uint64_t hop_hold(struct daemon *d, struct hop_row *r, const struct nl_hop *hop)
{
	mono_t now = daemon_now(d);

	nl_hop_solicit(d->nl, hop);
	if (!r->word || r->hop.ifindex != hop->ifindex || !same_ip(&r->hop.gw, &hop->gw))
		return 0;
	if (!r->lost.us)
		r->lost = now;
	return mono_cmp(now, mono_add(r->lost, HOLD)) < 0 ? r->word : 0;
}

/*
 * The first look at an endpoint whose next hop the maps already hold: as if we had found it
 * ourselves.
 */
static void hop_adopt(struct daemon *d, uint32_t id, struct hop_row *r, const struct nl_hop *hop,
		      struct hop_out out)
{
	uint64_t word = d->have->endpoint[id].hop;

	if (r->looked.us || !word || out.slot != (int)RR_HOP_SLOT(word) ||
	    out.vlan != RR_HOP_VLAN(word))
		return;
	r->hop = *hop;
	r->word = word;
}

/*
 * The kernel could not answer, for want of memory for instance: what was known holds for a while,
 * and is asked again.
 */
static bool hop_unanswered(struct daemon *d, struct hop_row *r)
{
	mono_t now = daemon_now(d);

	if (!r->word)
		return false;
	if (!r->lost.us)
		r->lost = now;
	if (mono_cmp(now, mono_add(r->lost, HOLD)) >= 0)
		return false;
	r->problem = HOP_UNRESOLVED;
	r->looked = now;
	return true;
}

static void hop_look(struct daemon *d, uint32_t id, const struct addr *to)
{
	const struct view_service *s = d->nexthop->service[id];
	struct hop_row *r = &d->nexthop->row[id];
	enum hop_problem was = r->problem;
	struct nl_hop hop = { 0 };
	struct hop_out out;

	if (nl_hop_get(d->nl, to, &hop)) {
		if (hop_unanswered(d, r))
			return;
		memset(&hop, 0, sizeof(hop));
	}
	out = hop_out(d, hop.ifindex);
	hop_adopt(d, id, r, &hop, out);
	r->to = *to;
	r->problem = hop_judge(to, s && rr_mode_has(s->mode, RR_MODE_ON_LINK), &hop, out);
	if (r->problem == HOP_FINE) {
		r->hop = hop;
		r->lost = MONO_US(0);
		r->word = hop_word(out, hop.mac);
	} else {
		r->word = r->problem == HOP_UNRESOLVED ? hop_hold(d, r, &hop) : 0;
	}
	if (r->problem > HOP_UNRESOLVED && r->problem != was)
		hop_event(d, to, s, r, &hop);
	r->looked = daemon_now(d);
	model_nexthop(d->model, id, r->word, &hop.src, r->looked);
}

static struct view *services_of(struct daemon *d)
{
	struct view *v = view_build(d->model, daemon_now(d));

	memset(d->nexthop->service, 0, sizeof(d->nexthop->service));
	for (size_t i = 0; v && i < v->services; i++) {
		for (size_t k = 0; k < v->service[i].endpoints; k++) {
			uint32_t id = v->service[i].endpoint[k].id & (RR_MAX_ENDPOINTS - 1);

			d->nexthop->service[id] = &v->service[i];
		}
	}
	return v;
}

static bool hop_due(const struct daemon *d, size_t i, enum hop_which which)
{
	const struct nexthop *n = d->nexthop;
	const struct hop_row *r = &n->row[n->id[i]];

	if (which == HOPS_ALL || !r->looked.us)
		return true;
	return which == HOPS_DUE && (r->problem != HOP_FINE ||
				     mono_cmp(daemon_now(d), mono_add(r->looked, REFRESH)) >= 0);
}

static void hops_look(struct daemon *d, enum hop_which which)
{
	struct nexthop *n = d->nexthop;
	size_t count = model_endpoints(d->model, n->id, n->addr, RR_MAX_ENDPOINTS), i, due = 0;
	struct view *v;

	for (i = 0; i < count; i++) {
		if (!addr_equal(&n->row[n->id[i]].to, &n->addr[i]))
			memset(&n->row[n->id[i]], 0, sizeof(n->row[0]));
		due += hop_due(d, i, which);
	}
	if (!due)
		return;
	v = services_of(d);
	for (i = 0; v && i < count; i++) {
		if (hop_due(d, i, which))
			hop_look(d, n->id[i], &n->addr[i]);
	}
	view_free(v);
}

void nexthop_resolve(struct daemon *d)
{
	mono_t start = loop_clock();

	iface_refresh(d);
	hops_look(d, HOPS_ALL);
	d->nexthop->done = loop_clock();
	d->nexthop->cost = mono_sub(d->nexthop->done, start);
}

void nexthop_second(struct daemon *d)
{
	iface_refresh(d);
	hops_look(d, HOPS_DUE);
}

void nexthop_new(struct daemon *d)
{
	hops_look(d, HOPS_NEW);
}

static void resolve_fire(void *arg)
{
	nexthop_resolve(arg);
}

/* At once when the last look is long enough ago, else as soon as it is. */
static void hops_changed(void *arg)
{
	struct daemon *d = arg;
	mono_t gap = MONO_US(d->nexthop->cost.us * GAP_COSTS);

	if (mono_cmp(gap, GAP) < 0)
		gap = GAP;
	loop_timer_at(d->nexthop->timer, mono_add(d->nexthop->done, gap));
}

static void nl_ready(void *arg)
{
	struct daemon *d = arg;
	int rc = nl_read(d->nl);

	if (rc)
		log_errx("netlink: %s", strerror(-rc));
}

int nexthop_open(struct daemon *d)
{
	int rc;

	d->nexthop = calloc(1, sizeof(*d->nexthop));
	if (!d->nexthop)
		return -ENOMEM;
	rc = loop_timer(d->loop, &d->nexthop->timer, resolve_fire, d);
	if (!rc)
		rc = nl_open(&d->nl, hops_changed, d);
	if (!rc)
		rc = loop_reader(d->loop, NULL, nl_fd(d->nl), nl_ready, d);
	return rc;
}

void nexthop_close(struct daemon *d)
{
	nl_shut(d->nl);
	d->nl = NULL;
	free(d->nexthop);
	d->nexthop = NULL;
}
