/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model.h - what is true now: services and endpoints, their four state dimensions (control-plane
 * 0) and ids.
 *
 * The only mutable state of the controller. Pure: every entry point takes `now`, reads no clock,
 * socket or file, and does not log; what happened is queued as struct model_event for the daemon to
 * take. Ids: a service id and an endpoint id are indexes of the ABI arrays. They stay with their
 * object for its life, are taken over from the running maps by model_adopt(), and an endpoint id is
 * not reused before max(idle timeout, 1 h) has passed since it was gone, or model_flows() has said
 * that no flow is left of it. A listener id (an address that a service is reached by) is not reused
 * before model_listener_flows() has said so.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "core/weight.h"
#include "model/event.h"
#include "util/addr.h"
#include "util/clock.h"
#include "util/reason.h"
#include "util/state.h"
#include "util/words.h"

#define MODEL_EVENTS 4096
#define MODEL_LAZY_GAP MONO_S(1) /* rotations of a service that nobody waits for */

struct model;
struct plan;

enum ep_member { EP_PRESENT, EP_LEAVING /* removed from config, draining */, EP_GONE };

/*
 * One probe of one target. A target is an address and what is asked there; endpoints of several
 * services may share it. Its id is below RR_MAX_ENDPOINTS. No two probes have the same run.
 */
struct model_run {
	uint32_t target, run;
};

/* How a probe ended. `took` is connect + tls + exchange. */
struct model_probe {
	struct model_run of;
	bool ok;
	enum reason why;
	int err; /* errno or 0 */
	mono_t took, connect, tls;
	char text[96]; /* detail: alert name, status line; "" = none */
};

/* What the operator asks (rrctl). Every verb is idempotent. */
enum model_verb {
	/* deadline (0 = service default); refused for the last available one without force */
	VERB_DRAIN,
	VERB_READY,
	VERB_MAINT, /* kill: reset its flows at once; same guard */
	VERB_WEIGHT, /* weight 1..1000, or 0 = back to the configured one */
	VERB_ADD, /* addr, weight */
	VERB_DEL, /* becomes LEAVING; same guard */
	VERB_CHECK, /* probe now */
	VERB_PAUSE,
	VERB_RESUME, /* service */
};

struct model_op {
	enum model_verb verb;
	const char *service;
	struct addr endpoint; /* family 0 = the service itself */
	uint32_t weight;
	mono_t deadline;
	bool force, kill, dry_run;
	uint32_t uid;
};

/* What became of a verb. Only MODEL_OK changed anything; the sentence for people is in `err`. */
enum model_rc {
	MODEL_OK,
	MODEL_NO_SERVICE, /* no service of that name */
	MODEL_NO_ENDPOINT, /* the service has none of that address */
	MODEL_LEAVING, /* it had: removed, draining */
	MODEL_UNNAMED, /* the verb needs an endpoint, none was given */
	MODEL_LAST, /* it is the last available one: needs force */
	MODEL_INVALID, /* an argument that can never be right here */
	MODEL_NO_ROOM, /* the service or the whole has as many endpoints as it can */
	MODEL_NO_MEMORY,
};

/* Operator overrides and states that survive reload and restart, one row per endpoint. */
struct model_saved {
	char service[CONF_NAME_MAX];
	struct addr endpoint;
	enum ep_admin admin;
	bool admin_set, added, deleted;
	uint32_t weight; /* 0 = configured */
	bool was_up;
	bool paused; /* row with endpoint.family 0: the service's own */
	bool leaving; /* removed, and it was draining: it goes on doing so */
	mono_t drain_until; /* deadline of its drain; 0 = it has none, or none that is known */
};

struct model *model_new(void);
void model_free(struct model *m);
/* hz: jiffies a second, for the timeouts in plans. Call before the first plan. */
void model_set_hz(struct model *m, uint32_t hz);
/*
 * Start over a running packet path: take ids and "was active" from what the maps hold. Before
 * model_apply().
 */
int model_adopt(struct model *m, const struct plan *have, mono_t now);
/* Saved rows: import before or after model_apply(); export allocates *rows (caller frees). */
void model_import(struct model *m, const struct model_saved *rows, size_t n, mono_t now);
int model_export(const struct model *m, struct model_saved **rows, size_t *n);
/*
 * New configuration: least change. Probes of unchanged endpoints go on, overrides survive (unless
 * reset). 0, or -ENOSPC / -ENOMEM with nothing changed.
 */
int model_apply(struct model *m, const struct conf *c, bool reset_overrides, mono_t now);
enum model_rc model_verb(struct model *m, const struct model_op *op, char *err, size_t errlen,
			 mono_t now);
/*
 * Outcomes and observations. A probe's outcome goes to all endpoints that it was started for; one
 * of a probe that is not in flight any more is ignored.
 */
void model_probe_result(struct model *m, const struct model_probe *p, mono_t now);
/* Interface slots: ifindex 0 = down or away. */
void model_iface(struct model *m, uint32_t slot, uint32_t ifindex, const uint8_t mac[6],
		 uint32_t mtu, mono_t now);
/* Whose slot it is, for events. */
void model_iface_name(struct model *m, uint32_t slot, const char *name);
/*
 * Next hop of an endpoint (RR_HOP_MAKE; 0 = none) and the source address the kernel would use
 * (family 0 = none).
 */
void model_nexthop(struct model *m, uint32_t endpoint, uint64_t hop, const struct addr *src,
		   mono_t now);
/* Result of one walk over the flow table: established flows and all flows of every endpoint id. */
void model_flows(struct model *m, const uint32_t *established, const uint32_t *all, size_t n,
		 mono_t now);

/* The same walk: flows of every endpoint id that hold a local port. */
void model_ports(struct model *m, const uint32_t *open, size_t n);

/* The same walk: all flows of every listener id. */
void model_listener_flows(struct model *m, const uint32_t *flows, size_t n, mono_t now);

/*
 * Due probes: fills up to `max` of those that should start now, the longest due first; each is then
 * "in flight" until model_probe_result() or model_cancels(). One target has one in flight at most.
 * Who is left over stays due, so that everybody waits alike.
 */
size_t model_due(struct model *m, struct model_run *run, size_t max, mono_t now);
/*
 * Takes up to `max` probes that were in flight and that nobody waits for any more: their endpoints
 * have gone or have changed. Their outcomes are ignored in any case.
 */
size_t model_cancels(struct model *m, struct model_run *run, size_t max);
/*
 * Nobody has looked at the probes in flight for so long (the process was stopped, the host slept,
 * something took its time). What fails of them now may have failed for that: once it adds up to a
 * quarter of a probe's timeout, a failure of it is void, and it is started anew.
 */
bool model_stall(struct model *m, mono_t length); /* was any in flight? */
/*
 * What to probe: address with the port to probe, and parameters (owned by the model, valid until
 * the next model_apply).
 */
bool model_probe_target(const struct model *m, uint32_t target, struct addr *to,
			const struct conf_health **h);
/* How long the target that waits longest has been due; 0 = none is. */
mono_t model_lag(const struct model *m, mono_t now);
/* Every present or leaving endpoint's id and address, for next-hop resolution. */
size_t model_endpoints(const struct model *m, uint32_t *id, struct addr *addr, size_t max);
/*
 * Endpoints whose flows must be reset now (maint --kill, drain deadline with on-deadline rst):
 * ids, cleared by the call.
 */
size_t model_kills(struct model *m, uint32_t *endpoint, size_t max);
/*
 * Ids that were given to a new service or endpoint since the last call: what the maps have counted
 * under them was another's. To be taken before the plan that shows them is pushed.
 */
enum model_fresh { FRESH_SERVICE, FRESH_ENDPOINT };
size_t model_fresh(struct model *m, enum model_fresh kind, uint32_t *id, size_t max);
/*
 * A factor of an endpoint's weight, in 1/WEIGHT_ONE, has moved by itself. Followed by a new
 * rotation at most once a second for each service; unknown endpoints are ignored.
 */
void model_factor(struct model *m, uint32_t endpoint, enum weight_factor f, uint32_t value);
/*
 * Time passes: drains, flap damping, id reuse. Returns when it next wants to run (also the
 * earliest probe).
 */
mono_t model_tick(struct model *m, mono_t now);
/* Anything changed that a new plan would show? Cleared by model_planned(). */
bool model_dirty(const struct model *m);
void model_planned(struct model *m);
#endif
