/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netlink_link.c - interfaces as the kernel has them: index, MAC, MTU, whether frames pass, and of
 * a VLAN the interface below. Asked each time, never kept.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>

#include "sys/netlink_int.h"

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
	err = nl_ask(nl, msg, take_link, l);
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
	err = nl_ask(nl, msg, take_vlan, &v);
	if (err)
		return err;
	if (!v.parent)
		return -ENODEV;
	*parent = v.parent;
	*vlan = v.id;
	return 0;
}
