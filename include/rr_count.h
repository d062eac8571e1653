/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rr_count.h - what the packet path counts. Per CPU and monotonic, unless said otherwise;
 * conventions as in rr_table.h.
 */
#ifndef RR_COUNT_H
#define RR_COUNT_H

#include <linux/types.h>

/* ---- counters: per CPU, monotonic; active = established - closed ----------------------------- */
enum rr_dir { RR_DIR_FWD = 0, RR_DIR_REV = 1 };

/* maps `ep_stats` (element = endpoint id) and `svc_stats` (element = service id): per-CPU */
struct rr_stats {
	__u64 packets[2]; /* [RR_DIR_FWD] client -> endpoint, [RR_DIR_REV] back */
	__u64 bytes[2]; /* frame bytes as received, Ethernet header included */
	__u64 conns; /* new connections: SYN given to the endpoint */
	__u64 established; /* handshakes completed */
	__u64 closed; /* established flows that left EST in the packet path (FIN, RST, evicted) */
	/* Services only: new connections refused (no endpoint, table full, no port). */
	__u64 refused;
	__u64 reopened; /* closed flows that packets showed to be open: established once more */
	/* Established flows whose endpoint answered a new SYN: no ticket, and not in `conns`. */
	__u64 reused;
};
_Static_assert(sizeof(struct rr_stats) == 80, "rr_stats");

/*
 * map `ep_swept`: element = endpoint id; written by the controller only: established flows that it
 * expired or killed, and drift corrections.
 * active(ep) = sum(established) + sum(reopened) - sum(closed) - swept.closed.
 */
struct rr_swept {
	__u64 closed;
	__u64 drift; /* absolute sum of corrections */
};
_Static_assert(sizeof(struct rr_swept) == 16, "rr_swept");

/* map `verdicts`: per-CPU array, element = enum rr_verdict: packets (u64). See rr_verdict.h. */

/*
 * map `buckets`: per-CPU, element = enum rr_verdict: the rate limit of what is answered with it. Of
 * a round size, so that a new verdict does not change it.
 */
#define RR_MAX_BUCKETS 64u
struct rr_bucket {
	__u32 jiffies;
	__u32 tokens;
};
_Static_assert(sizeof(struct rr_bucket) == 8, "rr_bucket");

/*
 * map `ep_live`: element = endpoint id; what is open now, by atomic add of all CPUs, outside the
 * endpoint's line. Not written yet: 0.
 */
struct rr_live {
	__u32 active; /* established flows */
	__u32 turns; /* of these, with an open turn */
	__u32 streaming; /* of these, with an answer on its way */
	__u32 pad;
};
_Static_assert(sizeof(struct rr_live) == 16, "rr_live");

#endif
