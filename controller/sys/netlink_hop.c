/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netlink_hop.c - the way to an address: what the kernel's FIB says of the route, and what its
 * neighbour table says of the MAC. Sends no packet, unless the kernel is asked to find a neighbour
 * (nl_hop_solicit), which it then does by itself.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "sys/netlink_int.h"

#define NUD_USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

/* ---- routes ---- */

static size_t addr_bytes(uint8_t family)
{
	return family == 6 ? 16 : 4;
}

static unsigned char addr_af(uint8_t family)
{
	return family == 6 ? AF_INET6 : AF_INET;
}

static bool addr_take(struct addr *a, int af, const void *bytes, size_t len)
{
	const uint8_t family = af == AF_INET6 ? 6 : 4;

	if ((af != AF_INET && af != AF_INET6) || len < addr_bytes(family))
		return false;
	memset(a, 0, sizeof(*a));
	a->family = family;
	memcpy(a->ip, bytes, addr_bytes(family));
	return true;
}

struct route {
	struct nl_hop *hop;
	unsigned char type;
};

/* An IPv4 route may go by an IPv6 neighbour (RTA_VIA). */
static void take_gateway(struct nlattr **tb, int af, struct nl_hop *hop)
{
	const struct rtvia *via;

	if (tb[RTA_GATEWAY]) {
		addr_take(&hop->gw, af, nla_data(tb[RTA_GATEWAY]),
			  (size_t)nla_len(tb[RTA_GATEWAY]));
	} else if (tb[RTA_VIA] && (size_t)nla_len(tb[RTA_VIA]) > sizeof(*via)) {
		via = nla_data(tb[RTA_VIA]);
		addr_take(&hop->gw, via->rtvia_family, via->rtvia_addr,
			  (size_t)nla_len(tb[RTA_VIA]) - sizeof(*via));
	}
}

static void take_route(struct nlmsghdr *h, void *arg)
{
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *rt = nlmsg_data(h);
	struct route *r = arg;

	if (h->nlmsg_type != RTM_NEWROUTE || nlmsg_parse(h, sizeof(*rt), tb, RTA_MAX, NULL))
		return;
	r->type = rt->rtm_type;
	if (tb[RTA_OIF])
		r->hop->ifindex = nla_get_u32(tb[RTA_OIF]);
	if (tb[RTA_PREFSRC])
		addr_take(&r->hop->src, rt->rtm_family, nla_data(tb[RTA_PREFSRC]),
			  (size_t)nla_len(tb[RTA_PREFSRC]));
	take_gateway(tb, rt->rtm_family, r->hop);
}

static struct nl_msg *route_request(const struct addr *to)
{
	struct rtmsg rt = {
		.rtm_family = addr_af(to->family),
		.rtm_dst_len = (unsigned char)(addr_bytes(to->family) * 8),
	};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);

	if (!msg)
		return NULL;
	if (nlmsg_append(msg, &rt, sizeof(rt), NLMSG_ALIGNTO) ||
	    nla_put(msg, RTA_DST, (int)addr_bytes(to->family), to->ip)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* What the FIB says when there is no way: all of these are "unreachable", not failures. */
static bool is_no_route(int err)
{
	return err == -ENETUNREACH || err == -EHOSTUNREACH || err == -EACCES || err == -EINVAL ||
	       err == -ENETDOWN || err == -ESRCH;
}

/* ---- neighbours ---- */

static struct nl_msg *neigh_request(int type, int flags, const struct nl_hop *hop, uint8_t ntf)
{
	struct ndmsg nd = {
		.ndm_family = addr_af(hop->gw.family),
		.ndm_ifindex = (int)hop->ifindex,
		.ndm_flags = ntf,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

	if (!msg)
		return NULL;
	if (nlmsg_append(msg, &nd, sizeof(nd), NLMSG_ALIGNTO) ||
	    nla_put(msg, NDA_DST, (int)addr_bytes(hop->gw.family), hop->gw.ip)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static void take_neigh(struct nlmsghdr *h, void *arg)
{
	struct nlattr *tb[NDA_MAX + 1];
	const struct ndmsg *nd = nlmsg_data(h);
	struct nl_hop *hop = arg;

	if (h->nlmsg_type != RTM_NEWNEIGH || nlmsg_parse(h, sizeof(*nd), tb, NDA_MAX, NULL))
		return;
	if (!(nd->ndm_state & NUD_USABLE) || !tb[NDA_LLADDR] || nla_len(tb[NDA_LLADDR]) != 6)
		return;
	memcpy(hop->mac, nla_data(tb[NDA_LLADDR]), 6);
	hop->resolved = true;
}

static int neigh_get(struct nl *nl, struct nl_hop *hop)
{
	int err = nl_ask(nl, neigh_request(RTM_GETNEIGH, 0, hop, 0), take_neigh, hop);

	return err == -ENOENT ? 0 : err; /* not known yet */
}

int nl_hop_get(struct nl *nl, const struct addr *to, struct nl_hop *hop)
{
	struct route r = { .hop = hop };
	int err;

	memset(hop, 0, sizeof(*hop));
	if (to->family != 4 && to->family != 6)
		return -EAFNOSUPPORT;
	err = nl_ask(nl, route_request(to), take_route, &r);
	if (err && !is_no_route(err))
		return err;
	if (err || r.type != RTN_UNICAST || !hop->ifindex) {
		/* no way, or this very host: no frame of ours gets there */
		memset(hop, 0, sizeof(*hop));
		return 0;
	}
	if (!hop->gw.family) {
		hop->gw = *to;
		hop->gw.port = 0;
	}
	return neigh_get(nl, hop);
}

int nl_hop_solicit(struct nl *nl, const struct nl_hop *hop)
{
	if (!hop->ifindex || !hop->gw.family)
		return -ENETUNREACH;
	return nl_ask(nl, neigh_request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, hop, NTF_USE), NULL,
		      NULL);
}
