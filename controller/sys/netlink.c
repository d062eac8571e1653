/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netlink.c - the sockets to the kernel's routing tables: requests, and what has changed.
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
#include <stdlib.h>
#include <sys/socket.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "sys/netlink_int.h"

#define WATCH_BUFFER (4 << 20)
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

int nl_ask(struct nl *nl, struct nl_msg *msg, void (*take)(struct nlmsghdr *, void *), void *arg)
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
