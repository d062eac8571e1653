/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * facts.h - what collect has found out, as plain data: written by its files, copied into the
 * snapshot by serve.
 */
#ifndef DAEMON_FACTS_H
#define DAEMON_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "rr_count.h"
#include "rr_flow.h"
#include "rr_table.h"
#include "rr_verdict.h"
#include "util/clock.h"

/*
 * counters.c: what the packet path has counted, summed over CPUs; read once a second and on
 * demand.
 */
struct counters {
	mono_t at, prev_at;
	struct rr_stats ep[RR_MAX_ENDPOINTS], svc[RR_MAX_SERVICES];
	/* One period earlier, for rates. */
	struct rr_stats ep_prev[RR_MAX_ENDPOINTS], svc_prev[RR_MAX_SERVICES];
	uint64_t verdict[RR_V_MAX];
	/*
	 * When the last reading was that had more packets than the one before it; 0 = none yet.
	 * The count of that reading is kept beside it. The first reading is the past: it is a
	 * start, not a growth.
	 */
	mono_t ep_grew[RR_MAX_ENDPOINTS], svc_grew[RR_MAX_SERVICES], verdict_grew[RR_V_MAX];
	uint64_t ep_packets[RR_MAX_ENDPOINTS], svc_packets[RR_MAX_SERVICES],
		verdict_packets[RR_V_MAX];
	uint64_t ep_active[RR_MAX_ENDPOINTS]; /* established + reopened - closed - swept + lag */
	uint64_t ep_lag[RR_MAX_ENDPOINTS]; /* closes counted too many: no counter may go back */
};

/* sweep.c: occupancy found by the last walk over the flow tables. */
struct occupancy {
	uint64_t entries, capacity; /* both families, forward and reverse */
	uint32_t load4, load6; /* percent of each table */
	uint64_t by_state[RR_FLOW_STATES]; /* forward entries */
	uint64_t expired_total, orphans_total, drift_total;
};

/* trust.c: what is wrong with a file of certificate authorities. */
struct trust_fact {
	char file[256]; /* "" = the system's */
	bool unread; /* else: it is not any more what is in memory */
	int err;
	char why[320]; /* when it could not be read */
	mono_t since;
};

/*
 * state.c: how writing the state file goes. Writes are numbered from 1 in the order in which they
 * begin, and take their time.
 */
struct saving {
	uint64_t due; /* the write that has all that was asked for so far; 0 = none is needed */
	uint64_t ended; /* the last that has ended, well or not */
	int rc; /* how: 0 or -errno */
	mono_t begun_at; /* when the one under way has begun */
	mono_t since; /* what should be in the file is not, since then; 0 = it is */
};

/*
 * iface.c: what a slot is used for. LINGER = no longer configured, but our program still runs
 * there.
 */
enum iface_use { IFACE_FREE, IFACE_NEW, IFACE_CONF, IFACE_LINGER };

#endif
