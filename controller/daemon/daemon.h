/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * daemon.h - the one context of rrlbd. Each field names its only writer; everybody may read.
 *
 * The parts stand around it in folders that depend on each other in one direction: daemon (this, the clock of the
 * turn, push), collect (facts into the model), serve (the view to readers), rrlbd (the order of things).
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "model/model.h"
#include "model/plan.h"
#include "model/view.h"
#include "rr_abi.h"
#include "rr_verdict.h"
#include "sys/dp.h"
#include "sys/netlink.h"

struct loop;
struct loop_timer;
struct control;
struct checks;
struct nexthop;
struct state_rest;
struct sweep;

/* collect.c: what the packet path has counted, read once a second and on demand. */
struct counters {
	mono_t at, prev_at;
	struct rr_stats ep[RR_MAX_ENDPOINTS], svc[RR_MAX_SERVICES];
	struct rr_stats ep_prev[RR_MAX_ENDPOINTS],
		svc_prev[RR_MAX_SERVICES]; /* one period earlier, for rates */
	uint64_t verdict[RR_V_MAX];
	uint64_t ep_active[RR_MAX_ENDPOINTS]; /* established - closed - swept + lag */
	uint64_t ep_lag[RR_MAX_ENDPOINTS]; /* closes counted too many: no counter may go back */
};

/* sweep.c: occupancy found by the last walk over the flow tables. */
struct occupancy {
	uint64_t entries, capacity; /* both families, forward and reverse */
	uint32_t load4, load6; /* percent of each table */
	uint64_t by_state[RR_FLOW_STATES]; /* forward entries */
	uint64_t expired_total, orphans_total, drift_total;
};

/* What a slot is used for: LINGER = no longer configured, but our program still runs there. */
enum iface_use { IFACE_FREE, IFACE_NEW, IFACE_CONF, IFACE_LINGER };

struct daemon {
	const char *conf_path;
	const char *object; /* --object FILE, or NULL */
	const char *bpffs; /* --bpffs DIR */
	bool replace_maps; /* --replace-maps: flow tables of another layout may go */
	const char *socket; /* --socket overrides conf->socket; NULL */
	const char *state; /* --state overrides conf->state_file; NULL */
	struct loop *loop;
	struct loop_timer *tick, *second, *slice; /* model; once a second; rest of a walk */
	mono_t tick_at; /* when the model next wants to run */
	struct conf *conf; /* in force */
	char *conf_text; /* its text, for diff and undo */
	uint64_t conf_generation;
	mono_t conf_at;
	bool conf_ok; /* the last reload succeeded */
	char conf_error[256]; /* first line of why not */
	struct model *model;
	struct dp *dp;
	bool adopted;
	struct nl *nl;
	struct plan *have; /* what the maps hold */
	struct counters *counters;
	struct occupancy occupancy;
	/* By interface slot. A slot stays with its name over reloads and restarts, because learned next hops hold it;
	 * so there may be holes (name ""), and `ifaces` is one more than the last slot in use. */
	struct dp_iface_status iface[RR_MAX_IFACES];
	size_t ifaces;
	enum iface_use iface_use[RR_MAX_IFACES];
	mono_t iface_retry[RR_MAX_IFACES]; /* attaching failed: try again then; 0 = no need */
	bool attach_open; /* the first push is done: programs may be attached */
	struct nexthop *nexthop;
	struct sweep *sweep;
	struct checks *checks;
	struct control *control;
	uint32_t hz;
	mono_t started;
	uint64_t push_total, push_errors;
	bool push_retry; /* the last push stopped half way: try again next second */
	char *saved; /* text of the state file as last written */
	struct state_rest *rest; /* what the state file holds beyond the model's rows; state.c */
	mono_t saved_at;
	bool save_pending;
	bool stopping;
};

/* now.c: the time of this batch of events; the same until the batch ends. Monotonic. */
mono_t daemon_now(const struct daemon *d);

#endif
