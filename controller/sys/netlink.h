/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netlink.h - links, routes and neighbours from the kernel (libnl-3, libnl-route-3), resolved and
 * watched. No libnl type shows. The caller polls nl_fd() for reading and calls nl_read(); callbacks
 * run inside it.
 */
#ifndef SYS_NETLINK_H
#define SYS_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "util/addr.h"

struct nl;

struct nl_link {
	uint32_t ifindex; /* 0 = no such interface */
	uint8_t mac[6];
	uint32_t mtu;
	bool up; /* administratively up and running */
	char name[16];
};

struct nl_hop {
	uint32_t ifindex;
	uint8_t mac[6];
	bool resolved; /* mac is valid (REACHABLE, STALE, DELAY, PROBE or PERMANENT) */
	struct addr src; /* source address that the kernel would use; family 0 = none */
	/* the neighbour: gateway, or the destination itself; family 0 = unreachable */
	struct addr gw;
};

/*
 * Something changed: a link, a route or a neighbour. The caller resolves again (coalesced by
 * itself).
 */
typedef void (*nl_changed)(void *arg);

int nl_open(struct nl **nl, nl_changed cb, void *arg);
void nl_shut(struct nl *nl); /* not nl_close: libnl exports that name */
int nl_fd(const struct nl *nl);
int nl_read(struct nl *nl);
int nl_link_get(struct nl *nl, const char *name, struct nl_link *l); /* -ENODEV */
/*
 * Is interface `ifindex` a VLAN (802.1Q) on top of another? Its parent and id; -ENODEV when it is
 * none.
 */
int nl_vlan_get(struct nl *nl, uint32_t ifindex, uint32_t *parent, uint16_t *vlan);
/*
 * Route and neighbour lookup for one destination, no packet sent. `resolved` false = neighbour
 * unknown so far.
 */
int nl_hop_get(struct nl *nl, const struct addr *to, struct nl_hop *hop);
/*
 * Ask the kernel to resolve a neighbour: creates an entry in state NUD_PROBE-like (RTM_NEWNEIGH
 * with NTF_USE).
 */
int nl_hop_solicit(struct nl *nl, const struct nl_hop *hop);

#endif
