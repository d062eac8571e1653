/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sweep.h - the walk over the flow tables: expiry, orphans, drift, occupancy; listing and killing
 * flows.
 */
#ifndef COLLECT_SWEEP_H
#define COLLECT_SWEEP_H

#include "daemon/daemon.h"

struct flow_info {
	struct addr client;
	struct addr service; /* what the client connected to: may be an address of the past */
	struct addr endpoint;
	struct addr local; /* family 0 where the mode needs none */
	uint32_t service_id, endpoint_id;
	enum rr_flow_state state;
	uint32_t idle_ms, age_ms;
	uint64_t ticket;
};

struct flow_filter {
	uint32_t service; /* UINT32_MAX = any */
	uint32_t endpoint; /* 0 = any */
	struct addr client; /* family 0 = any; port 0 = any port */
	int state; /* -1 = any */
};

/*
 * Calls `cb` for every flow that passes, until it returns false. Returns the number of flows seen.
 */
size_t sweep_flows(struct daemon *d, const struct flow_filter *f,
		   bool (*cb)(const struct flow_info *fi, void *arg), void *arg);
/* Marks matching flows KILLED (both sides get RST on their next packet). Returns how many. */
size_t sweep_kill(struct daemon *d, const struct flow_filter *f, size_t max);
/* Once a second; a walk goes on by itself in slices. */
void sweep_run(struct daemon *d);
/* Marks the flows of endpoints that model_kills() named, SWEEP_KILL_RATE a second. */
void sweep_kills(struct daemon *d);
int sweep_open(struct daemon *d); /* 0 or -errno */
void sweep_close(struct daemon *d);

#endif
