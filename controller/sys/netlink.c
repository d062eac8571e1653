/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netlink.c - links, routes and neighbours from the kernel.
 *
 * Two sockets: `ask` for requests, answered by the kernel within the send itself, so reading never
 * waits; `watch` for notifications, non-blocking. No table is mirrored here: a lookup asks the
 * kernel's own FIB and neighbour table, so the answer is what the host itself would do (rules,
 * metrics, multipath and all) and cannot drift. A notification therefore carries no data onwards,
 * it only says "look again": one callback for everything that one nl_read() found. When the kernel
 * had to drop notifications (ENOBUFS), that is one such "look again", nothing more is lost.
 *
 * Neighbour notifications that cannot change an answer (DELAY, PROBE: the MAC stays valid and the
 * same) are not passed on: a busy host sends many of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/neighbour.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <netlink/route/link.h>

#include "sys/netlink.h"

#define WATCH_BUFFER (4 << 20)
#define NUD_USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)
#define NUD_QUIET (NUD_DELAY | NUD_PROBE)

struct nl {
	struct nl_sock *ask, *watch;
	nl_changed cb;
	void *arg;
	bool changed;
};

/* ---- requests ---- */

struct reply {
	int err; /* -errno from the kernel */
	void (*take)(struct nlmsghdr *h, void *arg);
	void *arg;
};

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct reply *r = arg;

	if (r->take)
		r->take(nlmsg_hdr(msg), r->arg);
	return NL_OK;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	struct reply *r = arg;

	(void)from;
	r->err = e->error;
	return NL_STOP;
}

/* libnl's own failures, of which only a few can happen here. */
static int nl_errno(int nlerr)
{
	switch (-nlerr) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_PERM:
		return -EPERM;
	case NLE_BAD_SOCK:
		return -ENOTSOCK;
	default:
		return -EIO;
	}
}

/*
 * Sends the request (and frees it) and hands its one answer to take(). 0 or -errno, the kernel's
 * own.
 */
static int ask(struct nl *nl, struct nl_msg *msg, void (*take)(struct nlmsghdr *, void *),
	       void *arg)
{
	struct reply r = { .take = take, .arg = arg };
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err = -ENOMEM;

	if (!msg || !cb)
		goto out;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, &r);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, &r);
	err = nl_send_auto(nl->ask, msg);
	if (err >= 0)
		err = nl_recvmsgs(nl->ask, cb);
	err = err < 0 && !r.err ? nl_errno(err) : r.err;
out:
	nl_cb_put(cb);
	nlmsg_free(msg);
	return err;
}

/* ---- links ---- */

static void take_link(struct nlmsghdr *h, void *arg)
{
	struct nlattr *tb[IFLA_MAX + 1];
	const struct ifinfomsg *ifi = nlmsg_data(h);
	struct nl_link *l = arg;

	if (h->nlmsg_type != RTM_NEWLINK || nlmsg_parse(h, sizeof(*ifi), tb, IFLA_MAX, NULL))
		return;
	l->ifindex = (uint32_t)ifi->ifi_index;
	l->up = (ifi->ifi_flags & IFF_UP) && (ifi->ifi_flags & IFF_RUNNING);
	if (tb[IFLA_IFNAME])
		nla_strlcpy(l->name, tb[IFLA_IFNAME], sizeof(l->name));
	if (tb[IFLA_MTU])
		l->mtu = nla_get_u32(tb[IFLA_MTU]);
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == 6)
		memcpy(l->mac, nla_data(tb[IFLA_ADDRESS]), 6);
}

int nl_link_get(struct nl *nl, const char *name, struct nl_link *l)
{
	struct nl_msg *msg = NULL;
	int err;

	memset(l, 0, sizeof(*l));
	if (strlen(name) >= IFNAMSIZ)
		return -ENODEV;
	err = rtnl_link_build_get_request(0, name, &msg);
	if (err)
		return err == -NLE_NOMEM ? -ENOMEM : -ENODEV;
	err = ask(nl, msg, take_link, l);
	if (err)
		return err;
	return l->ifindex ? 0 : -ENODEV;
}

struct vlan {
	uint32_t parent;
	uint16_t id;
};

static void take_vlan(struct nlmsghdr *h, void *arg)
{
	struct nlattr *tb[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1], *data[IFLA_VLAN_MAX + 1];
	struct vlan *v = arg;

	if (h->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(h, sizeof(struct ifinfomsg), tb, IFLA_MAX, NULL))
		return;
	if (!tb[IFLA_LINK] || !tb[IFLA_LINKINFO] ||
	    nla_parse_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO], NULL))
		return;
	if (!info[IFLA_INFO_KIND] || nla_strcmp(info[IFLA_INFO_KIND], "vlan") ||
	    !info[IFLA_INFO_DATA] ||
	    nla_parse_nested(data, IFLA_VLAN_MAX, info[IFLA_INFO_DATA], NULL))
		return;
	if (!data[IFLA_VLAN_ID])
		return;
	v->parent = nla_get_u32(tb[IFLA_LINK]);
	v->id = nla_get_u16(data[IFLA_VLAN_ID]);
}

int nl_vlan_get(struct nl *nl, uint32_t ifindex, uint32_t *parent, uint16_t *vlan)
{
	struct nl_msg *msg = NULL;
	struct vlan v = { 0 };
	int err = rtnl_link_build_get_request((int)ifindex, NULL, &msg);

	if (err)
		return err == -NLE_NOMEM ? -ENOMEM : -ENODEV;
	err = ask(nl, msg, take_vlan, &v);
	if (err)
		return err;
	if (!v.parent)
		return -ENODEV;
	*parent = v.parent;
	*vlan = v.id;
	return 0;
}

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
	int err = ask(nl, neigh_request(RTM_GETNEIGH, 0, hop, 0), take_neigh, hop);

	return err == -ENOENT ? 0 : err; /* not known yet */
}

int nl_hop_get(struct nl *nl, const struct addr *to, struct nl_hop *hop)
{
	struct route r = { .hop = hop };
	int err;

	memset(hop, 0, sizeof(*hop));
	if (to->family != 4 && to->family != 6)
		return -EAFNOSUPPORT;
	err = ask(nl, route_request(to), take_route, &r);
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
	return ask(nl, neigh_request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, hop, NTF_USE), NULL,
		   NULL);
}

/* ---- notifications ---- */

static bool matters(const struct nlmsghdr *h)
{
	const struct ndmsg *nd = nlmsg_data(h);

	switch (h->nlmsg_type) {
	case RTM_NEWNEIGH:
		return !nlmsg_valid_hdr(h, sizeof(*nd)) || !(nd->ndm_state & NUD_QUIET);
	case RTM_DELNEIGH:
	case RTM_NEWLINK:
	case RTM_DELLINK:
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return true;
	default:
		return false;
	}
}

static int on_notice(struct nl_msg *msg, void *arg)
{
	struct nl *nl = arg;

	nl->changed = nl->changed || matters(nlmsg_hdr(msg));
	return NL_OK;
}

int nl_read(struct nl *nl)
{
	int err;

	do {
		err = nl_recvmsgs_default(nl->watch);
		if (err == -NLE_NOMEM || err == -NLE_MSG_OVERFLOW) {
			/* the kernel dropped some (ENOBUFS): look again at everything */
			nl->changed = true;
			err = 0;
		}
	} while (err >= 0);
	if (nl->changed) {
		nl->changed = false;
		nl->cb(nl->arg);
	}
	return err == -NLE_AGAIN ? 0 : nl_errno(err);
}

int nl_fd(const struct nl *nl)
{
	return nl_socket_get_fd(nl->watch);
}

/* ---- open, close ---- */

static struct nl_sock *sock_open(void)
{
	struct nl_sock *s = nl_socket_alloc();

	if (!s)
		return NULL;
	nl_socket_disable_auto_ack(s);
	if (nl_connect(s, NETLINK_ROUTE)) {
		nl_socket_free(s);
		return NULL;
	}
	return s;
}

static int watch_open(struct nl *nl)
{
	const int size = WATCH_BUFFER;
	int err;

	nl->watch = sock_open();
	if (!nl->watch)
		return -errno;
	nl_socket_disable_seq_check(nl->watch);
	err = nl_socket_modify_cb(nl->watch, NL_CB_VALID, NL_CB_CUSTOM, on_notice, nl);
	if (!err)
		err = nl_socket_add_memberships(nl->watch, RTNLGRP_LINK, RTNLGRP_NEIGH,
						RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
						RTNLGRP_NONE);
	if (!err)
		err = nl_socket_set_nonblocking(nl->watch);
	if (err)
		return nl_errno(err);
	/*
	 * beyond the limit needs CAP_NET_ADMIN; with the default size overruns are only more
	 * frequent
	 */
	(void)setsockopt(nl_socket_get_fd(nl->watch), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			 sizeof(size));
	return 0;
}

int nl_open(struct nl **out, nl_changed cb, void *arg)
{
	struct nl *nl = calloc(1, sizeof(*nl));
	int err;

	*out = NULL;
	if (!nl)
		return -ENOMEM;
	nl->cb = cb;
	nl->arg = arg;
	nl->ask = sock_open();
	err = nl->ask ? watch_open(nl) : -errno;
	if (err) {
		nl_shut(nl);
		return err;
	}
	*out = nl;
	return 0;
}

void nl_shut(struct nl *nl)
{
	if (!nl)
		return;
	nl_socket_free(nl->ask);
	nl_socket_free(nl->watch);
	free(nl);
}
