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
struct loop;
struct loop_timer;
struct control;
struct checks;
struct nexthop;
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
	const char *socket; /* --socket overrides conf->socket; NULL */
	const char *state; /* --state overrides conf->state_file; NULL */
	struct loop *loop;
	struct event_base *base; /* the loop's */
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
	mono_t saved_at;
	bool save_pending;
	bool stopping;
};

/* loop (sys/loop.c wraps libevent; the clock is read there once per turn) */
mono_t daemon_now(const struct daemon *d);
/* lock.c: one instance per bpffs folder and per socket; refused with -EBUSY and the other's pid in *who. */
int lock_take(const char *path, int *fd, long *who);
/* mkdir -p of the folder that `file` is in. */
int lock_folder(const char *file);

/* turn.c: model_tick, plan, diff, push when dirty; arms the next timer. Called after every batch of events. */
void daemon_turn(struct daemon *d);
int turn_open(struct daemon *d);

/* reload.c: read, parse, check, apply, push; keeps the old on any error. 0, or -errno with `*report` = malloc'ed
 * text for people (formatted errors). `text` NULL = read conf_path. */
int daemon_reload(struct daemon *d, const char *text, bool reset, uint32_t uid, char **report);
/* Reads a whole file, NUL-terminated; malloc'ed. 0 or -errno. */
int reload_file(const char *path, char **text, size_t *len);

/* iface.c: which interface has which slot; attaching. */
void iface_adopt(struct daemon *d); /* slots as the running maps have them */
int iface_assign(struct daemon *d, const struct conf *c); /* slots for the names of c; -ENOSPC */
/* Attaches what is not yet. `old` given: only interfaces that it does not have, and the first failure ends it. */
int iface_attach(struct daemon *d, const struct conf *c, const struct conf *old, char *err,
		 size_t errlen);
void iface_undo(struct daemon *d); /* detaches and forgets what iface_assign() added */
void iface_settle(struct daemon *d, const struct conf *c); /* c is in force now */
void iface_refresh(struct daemon *d); /* links -> model; attaches what came back */
void iface_status(struct daemon *d); /* is our program still where it was? */
int iface_slot(const struct daemon *d, uint32_t ifindex); /* -1 = none of ours */

/* push.c: the only writer of maps. */
int push_plan(struct daemon *d, struct plan *want); /* takes `want` over: it becomes d->have */
int push_control(
	struct daemon *d); /* first set-up: seed, hz, knobs; later: the knobs that may change */
int push_read(struct daemon *d, struct plan *have); /* what the maps hold now */
void push_swept(struct daemon *d, uint32_t endpoint, uint64_t closed, uint64_t drift); /* adds */

/* collect.c */
int collect_read(struct daemon *d); /* on demand */
int collect_period(
	struct daemon *d); /* once a second: what was read last becomes the base of rates */

/* sweep.c: one walk over the mapped tables. */
struct flow_info {
	struct addr client, service, endpoint, local; /* local family 0 in dsr */
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
/* Return false from the callback to stop. Returns the number of flows seen. */
size_t sweep_flows(struct daemon *d, const struct flow_filter *f,
		   bool (*cb)(const struct flow_info *fi, void *arg), void *arg);
/* Marks matching flows KILLED (both sides get RST on their next packet). Returns how many. */
size_t sweep_kill(struct daemon *d, const struct flow_filter *f, size_t max);
/* Expiry, orphans, drift, occupancy, model_flows(). Once a second; goes on by itself in slices. */
void sweep_run(struct daemon *d);
/* Marks the flows of endpoints that model_kills() named, SWEEP_KILL_RATE a second. */
void sweep_kills(struct daemon *d);
int sweep_open(struct daemon *d);
void sweep_close(struct daemon *d);

/* checks.c: starts due probes, gives results to the model. */
struct checks_stats {
	uint64_t started, ended, local_errors;
	size_t inflight;
	mono_t lag, lag_max; /* how late probes start: last, worst */
};
int checks_open(struct daemon *d);
/* false = the budget is used up and more may be due. */
bool checks_run(struct daemon *d);
void checks_stats(const struct daemon *d, struct checks_stats *st);
void checks_close(struct daemon *d);

/* nexthop.c: interfaces and next hops from netlink into the model. */
int nexthop_open(struct daemon *d);
void nexthop_resolve(struct daemon *d); /* now */
void nexthop_second(
	struct daemon
		*d); /* once a second: what is unresolved or has not been looked at for long */
void nexthop_new(struct daemon *d); /* endpoints that were never looked at */
void nexthop_close(struct daemon *d);

/* state.c: overrides that survive a restart. Written to a temporary file and renamed. */
const char *state_path(const struct daemon *d);
int state_load(struct daemon *d);
int state_save(struct daemon *d); /* writes only when it differs from what is there */

/* control.c: the control socket. */
int control_open(struct daemon *d);
void control_close(struct daemon *d);
/* Gives new model events to `events -f` followers and to the log; keeps the last MODEL_EVENTS. */
void control_events(struct daemon *d);

#endif
