/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pick.h - the endpoint of a new connection. The ticket is one atomic add on the service's
 * cursor: connection k goes to slot k mod L, over all CPUs and across every rebuild of the
 * rotation, because the cursor is never reset. An endpoint that takes no new connections is
 * stepped over at once, RR_MAX_STEPS at most; soon the controller's next rotation does not hold
 * it any more.
 */
#ifndef RR_BPF_PICK_H
#define RR_BPF_PICK_H

#include "base.h"
#include "maps.h"
#include "rr_table.h"

struct pick {
	__u64 ticket;
	__u32 endpoint; /* 0 = none takes it */
};

/* Does this endpoint take new connections at this moment? */
static __always_inline bool pick_takes_new(const struct rr_endpoint *ep)
{
	return (ep->flags & (RR_EP_PRESENT | RR_EP_NO_NEW | RR_EP_GONE)) == RR_EP_PRESENT &&
	       ep->hop != 0;
}

/* The endpoint that the next ticket names, without drawing it: a guess, good for starting loads. */
static __always_inline __u32 pick_guess(const struct rr_service *svc, __u32 service)
{
	__u32 word = *(const volatile __u32 *)&svc->rotation, len = RR_ROT_LEN(word);
	const struct rr_rotation *rot = map_get(rotations, service * 2 + RR_ROT_COPY(word));
	const struct rr_cursor *cursor = map_get(cursors, service);

	if (!rot || !cursor || !len)
		return 0;
	return rot->slot[*(const volatile __u64 *)&cursor->ticket % len & (RR_MAX_SLOTS - 1)];
}

/* Draws a ticket and walks on from its slot to an endpoint that takes the connection. */
static __always_inline void pick_endpoint(const struct rr_service *svc, __u32 service,
					  struct pick *out)
{
	__u32 word = *(const volatile __u32 *)&svc->rotation, len = RR_ROT_LEN(word);
	const struct rr_rotation *rot = map_get(rotations, service * 2 + RR_ROT_COPY(word));
	struct rr_cursor *cursor = map_get(cursors, service);
	__u32 slot;

	out->endpoint = 0;
	if (!rot || !cursor || !len || (svc->flags & RR_SVC_PAUSED))
		return;
	out->ticket = __sync_fetch_and_add(&cursor->ticket, 1);
	slot = out->ticket % len;
	for (__u32 step = 0; step <= RR_MAX_STEPS; step++) {
		__u32 id = rot->slot[slot & (RR_MAX_SLOTS - 1)];
		const struct rr_endpoint *ep = map_get(endpoints, id);

		if (ep && pick_takes_new(ep)) {
			out->endpoint = id;
			return;
		}
		slot = slot + 1 < len ? slot + 1 : 0;
	}
}

#endif
