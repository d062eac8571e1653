/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nexthop.h - interfaces and next hops, from netlink into the model.
 */
#ifndef COLLECT_NEXTHOP_H
#define COLLECT_NEXTHOP_H

#include "daemon/daemon.h"

int nexthop_open(struct daemon *d); /* 0 or -errno */
void nexthop_resolve(struct daemon *d); /* now, everything */
/* Once a second: what is unresolved or has not been looked at for long. */
void nexthop_second(struct daemon *d);
void nexthop_new(struct daemon *d); /* endpoints that were never looked at */
void nexthop_close(struct daemon *d);

#endif
