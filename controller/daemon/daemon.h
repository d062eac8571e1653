/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * daemon.h - the one context of rrlbd and what its parts offer each other. Each group names its .c file.
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

struct event_base;
struct control;
struct checks;

/* collect.c: what the packet path has counted, read once a second and on demand. */
struct counters {
	mono_t at, prev_at;
	struct rr_stats ep[RR_MAX_ENDPOINTS], svc[RR_MAX_SERVICES];
	struct rr_stats ep_prev[RR_MAX_ENDPOINTS], svc_prev[RR_MAX_SERVICES]; /* one period earlier, for rates */
	uint64_t verdict[RR_V_MAX];
	uint64_t ep_active[RR_MAX_ENDPOINTS]; /* established - closed - swept */
};

/* sweep.c: occupancy found by the last walk over the flow tables. */
struct occupancy {
	uint64_t entries, capacity; /* both families, forward and reverse */
	uint64_t by_state[RR_FLOW_STATES]; /* forward entries */
	uint64_t expired_total, orphans_total, drift_total;
};

struct daemon {
	const char *conf_path;
	const char *object;   /* --object FILE, or NULL */
	const char *bpffs;    /* --bpffs DIR */
	const char *socket;   /* --socket overrides conf->socket; NULL */
	const char *state;    /* --state overrides conf->state_file; NULL */
	struct event_base *base;
	struct conf *conf;    /* in force */
	char *conf_text;      /* its text, for diff and undo */
	uint64_t conf_generation;
	mono_t conf_at;
	bool conf_ok;	      /* the last reload succeeded */
	char conf_error[256]; /* first line of why not */
	struct model *model;
	struct dp *dp;
	bool adopted;
	struct nl *nl;
	struct plan *have;    /* what the maps hold */
	struct counters *counters;
	struct occupancy occupancy;
	struct dp_iface_status iface[RR_MAX_IFACES]; /* by interface slot */
	size_t ifaces;
	struct checks *checks;
	struct control *control;
	uint32_t hz;
	mono_t started;
	uint64_t push_total, push_errors;
	bool stopping;
};

/* loop (sys/loop.c wraps libevent; the clock is read there once per turn) */
mono_t daemon_now(const struct daemon *d);
/* turn.c: model_tick, plan, diff, push when dirty; arms the next timer. Called after every batch of events. */
void daemon_turn(struct daemon *d);

/* reload.c: read, parse, check, apply, push; keeps the old on any error. 0, or -errno with `*report` = malloc'ed
 * text for people (formatted errors). `text` NULL = read conf_path. */
int daemon_reload(struct daemon *d, const char *text, bool reset, uint32_t uid, char **report);

/* push.c: the only writer of maps. */
int push_plan(struct daemon *d, struct plan *want);
int push_control(struct daemon *d);		 /* first set-up: seed, hz, knobs */
int push_read(struct daemon *d, struct plan *have); /* what the maps hold now */
void push_swept(struct daemon *d, uint32_t endpoint, uint64_t closed, uint64_t drift);

/* collect.c */
int collect_read(struct daemon *d);

/* sweep.c: one walk over the mapped tables. */
struct flow_info {
	struct addr client, service, endpoint, local; /* local family 0 in dsr */
	uint32_t service_id, endpoint_id;
	enum rr_flow_state state;
	uint32_t idle_ms, age_ms;
	uint64_t ticket;
};
struct flow_filter {
	uint32_t service;  /* UINT32_MAX = any */
	uint32_t endpoint; /* 0 = any */
	struct addr client; /* family 0 = any; port 0 = any port */
	int state;	   /* -1 = any */
};
/* Return false from the callback to stop. Returns the number of flows seen. */
size_t sweep_flows(struct daemon *d, const struct flow_filter *f, bool (*cb)(const struct flow_info *fi, void *arg), void *arg);
/* Marks matching flows KILLED (both sides get RST on their next packet). Returns how many. */
size_t sweep_kill(struct daemon *d, const struct flow_filter *f, size_t max);
/* Expiry, orphans, drift, occupancy, model_flows(). Once a second. */
void sweep_run(struct daemon *d);

/* checks.c: starts due probes, gives results to the model. */
int checks_open(struct daemon *d);
void checks_run(struct daemon *d);
void checks_close(struct daemon *d);

/* nexthop.c: interfaces and next hops from netlink into the model. */
int nexthop_open(struct daemon *d);
void nexthop_resolve(struct daemon *d);
void nexthop_close(struct daemon *d);

/* state.c: overrides that survive a restart. Written to a temporary file and renamed. */
int state_load(struct daemon *d);
int state_save(struct daemon *d);

/* control.c: the control socket. */
int control_open(struct daemon *d);
void control_close(struct daemon *d);
/* Gives new model events to `events -f` followers and to the log; keeps the last MODEL_EVENTS. */
void control_events(struct daemon *d);

#endif
