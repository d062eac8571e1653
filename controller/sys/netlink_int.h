/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netlink_int.h - how the files of netlink ask the kernel. Private to them; libnl's types show
 * here.
 */
#ifndef SYS_NETLINK_INT_H
#define SYS_NETLINK_INT_H

#include <linux/netlink.h>

#include "sys/netlink.h"

struct nl_msg;

/*
 * Sends the request, frees it, and hands its one answer to take(), which may be NULL. A request of
 * NULL is one that there was no memory for. 0 or -errno, the kernel's own.
 */
int nl_ask(struct nl *nl, struct nl_msg *msg, void (*take)(struct nlmsghdr *, void *), void *arg);

#endif
