/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_int.h - the inside of struct model, private to this folder.
 *
 * Endpoints, services and local addresses live in arrays indexed by their ABI id, so that no
 * change of the model can fail half way for want of memory; calloc() makes the untouched part
 * free of cost.
 */
#ifndef MODEL_MODEL_INT_H
#define MODEL_MODEL_INT_H

#include "core/drain.h"
#include "core/health.h"
#include "core/heap.h"
#include "model/model.h"
#include "model/want.h"
#include "rr_table.h"

#define MODEL_QUARANTINE_S 3600 /* an id of something gone is not used again before this */

struct svc;

struct ep {
	uint32_t id; /* 0 = this element is free */
	struct svc *svc;
	/* in the service's list: order of configuration, then added, then leaving */
	struct ep *next;
	struct addr addr;

	enum ep_member member;
	enum ep_admin admin;
	enum reason admin_why; /* OPERATOR or CONFIG */
	uint32_t admin_uid;
	enum ep_state state; /* displayed; EPS_UP = available */
	mono_t since; /* of `state` */
	unsigned int origin; /* set of enum origin; 0 = nobody wants it any more */
	bool was_active; /* ... and it was in the running rotation */
	struct weight weight;
	bool weight_set;

	struct health health;
	enum reason reason; /* of the health state */
	int err;
	char text[96];
	mono_t heard; /* last result that counted, or when checks began */
	mono_t local_since; /* no probe could be sent since; 0 = the last one could */

	uint32_t target; /* whose results it gets; 0 = none */
	uint32_t next_member; /* of the same target: endpoint id; 0 = the last */
	mono_t next_probe, last_start; /* next_probe NEVER while in flight */
	uint64_t probe_seq; /* probes that were started for it */
	uint64_t check_seq; /* the probe that was asked for: check_now until it has ended */
	bool in_flight, check_now;
	struct model_probe last; /* the last that ended, as it ended; endpoint is its target */
	uint64_t last_seq; /* which one that was; 0 = none */
	mono_t probe_took, probe_connect, probe_tls, probe_at;
	uint64_t probes_ok, probes_failed;

	struct drain drain;
	bool kill; /* for model_kills() */
	bool fresh; /* for model_fresh() */
	mono_t gone_at;
	uint32_t established, flows, open; /* of the last walk */
	bool clean_set;
	mono_t clean; /* first walk after GONE that found no flow at all */

	uint64_t hop;
	bool hop_seen; /* has had one: losing or getting it back is news */
	struct addr src; /* what the kernel would use; family 0 = not known */
	uint16_t local_first, local_count;
	uint16_t port_set[RR_EP_PORT_SETS]; /* of each local address; 0 = none, then all are */
};

/* What clients connect to, or did: model_listener.c. */
struct lsn {
	struct svc *svc; /* NULL = this element is free */
	struct lsn *next; /* of the service */
	struct addr addr;
	bool active; /* takes new connections */
	bool listed; /* the last plan had a row for it */
	bool clean_set;
	mono_t clean; /* first walk after it left the table that found no flow of it */
};

struct svc {
	bool used;
	/* not in the configuration: id kept until its endpoints are out of quarantine */
	bool removed;
	uint32_t id;
	char name[CONF_NAME_MAX];
	struct addr listen; /* as configured, or as it was last */
	struct lsn *listener;
	enum rr_mode mode;
	const struct conf_service *conf; /* in model->conf; NULL when removed */
	bool paused;
	bool fresh; /* for model_fresh() */
	mono_t t_idle;
	uint16_t kind; /* of its probes: index of model->kind; 0 = there are none */
	/* what the map holds while removed: timeouts for the walk, no flags */
	struct rr_service tomb;
	struct ep *first;
	/* memo of the rotation, see svc_rotation() */
	bool rot_stale;
	bool rot_lazy; /* factors have moved since; to be followed MODEL_LAZY_GAP after rot_at */
	mono_t rot_at; /* when it was last found stale */
	uint32_t slots;
	uint16_t slot[RR_MAX_SLOTS]; /* endpoint ids */
};

/* What a probe asks and expects. Services that agree in it share targets. Index 0 is never used. */
struct probe_kind {
	bool used;
	struct conf_health health;
};

#define MODEL_KINDS (2 * RR_MAX_SERVICES + 1) /* the old and the new ones of a reload */

/*
 * One thing that is probed: an address and a kind. All endpoints that are of this address and kind
 * are its members, of whatever service, and get the results of its probes.
 */
struct target {
	bool used;
	uint16_t kind;
	struct addr to; /* with the port that is probed */
	uint32_t member; /* the first: endpoint id */
	uint32_t chain; /* the next of the same bucket */
	bool in_flight;
	uint32_t run; /* of the probe in flight: no two have had the same */
	mono_t stalled; /* how long the loop did not look while it was in flight */
};

#define MODEL_BUCKETS 4096u
#define MODEL_CANCELS 1024u

struct loc {
	struct addr addr; /* family 0 = free; port 0 */
	mono_t used; /* last time that an endpoint had it */
	struct addr
		/*
		 * what the maps may still hold here: the id is not to be given another address;
		 * family 0 = none
		 */
		held;
	uint8_t tables; /* RR_VIP_FLOWS*: where reverse entries of its flows may lie */
	bool in_plan; /* an endpoint had it in the last plan: freed by a later one only */
};

/* A set of local ports: model_port.c. */
struct pset {
	struct addr addr; /* of the endpoint, port 0; family 0 = never given away */
	uint16_t local;
	uint16_t users; /* endpoints that name it */
	uint64_t left; /* when the last of them let go, in m->port_left */
	double open; /* flows of the last walk that hold one of its ports */
};

struct model {
	struct conf *conf; /* in force; NULL before the first model_apply() */
	struct svc svc[RR_MAX_SERVICES];
	uint8_t order[RR_MAX_SERVICES]; /* service ids in order of configuration */
	size_t services;
	struct ep ep[RR_MAX_ENDPOINTS]; /* [0] is never used */
	uint32_t ep_end; /* highest id ever used + 1 */
	uint32_t ep_cursor; /* where the search for a free id goes on: reuse as late as possible */
	struct lsn listener[RR_MAX_LISTENERS];
	uint32_t listener_cursor; /* where the search for a free id goes on */
	struct loc local[RR_MAX_LOCALS];
	struct pset port_set[RR_PORT_SETS_MAX + 1]; /* [0] is never used */
	uint64_t port_left; /* sets let go so far */
	struct rr_iface iface[RR_MAX_IFACES];
	char iface_name[RR_MAX_IFACES][16]; /* "" = not told */
	struct probe_kind kind[MODEL_KINDS];
	struct target target[RR_MAX_ENDPOINTS]; /* [0] is never used */
	size_t targets;
	uint32_t bucket[MODEL_BUCKETS]; /* by address and kind: the first target */
	struct heap due; /* targets by the time of their next probe */
	uint32_t due_id[RR_MAX_ENDPOINTS], due_place[RR_MAX_ENDPOINTS];
	mono_t due_at[RR_MAX_ENDPOINTS];
	uint32_t run; /* the last that was given */
	/* Probes that nobody waits for any more; of more than this the newest are not told. */
	struct model_run cancel[MODEL_CANCELS];
	size_t cancels;
	uint64_t voids;
	mono_t calm_until; /* nothing but probes is to be done before, unless `restless` */
	bool restless;
	bool killing; /* some endpoint has `kill` set */
	uint32_t hz;
	bool dirty;
	struct model_saved *over; /* operator overrides, sorted by service and address */
	size_t overs, over_cap;
	struct want want[RR_MAX_SVC_ENDPOINTS]; /* scratch: of the service that is looked at */
	struct model_event event[MODEL_EVENTS]; /* ring; oldest is dropped */
	uint64_t event_seq; /* next to be written */
	uint64_t event_taken;
	/*
	 * Events of one kind and service that nobody has taken yet: how many, and the MORE that
	 * counts those beyond EVENT_SINGLE.
	 */
	struct {
		const struct svc *svc;
		uint64_t first, more; /* numbers of events */
		uint32_t n;
	} mass[EVENT_MAX];
	struct model_event spare; /* takes the facts of one that is only counted */
};

/* model.c */
struct svc *svc_find(const struct model *m, const char *name); /* in the configuration */
struct ep *ep_find(const struct svc *s, const struct addr *a); /* of any membership */
/*
 * The same for a whole list in about the order of the service's: looks from *hint on first, and
 * leaves it behind what was found.
 */
struct ep *ep_find_near(const struct svc *s, const struct addr *a, const struct ep **hint);
struct ep *ep_by_id(const struct model *m, uint32_t id); /* NULL when free */

bool ep_checked(const struct ep *e); /* are there probes for it now */

/* model_state.c */
size_t svc_available(const struct svc *s);
/* Recomputes the displayed state; stamps it and marks what follows from it when it changed. */
void ep_refresh(struct model *m, struct ep *e, mono_t now);

/* model_rotation.c */
/* Availability or a weight that somebody asked for has changed: a new rotation in this turn. */
void rotation_urgent(struct model *m, struct svc *s, mono_t now);
/* Follows lazy changes that are due; when it next wants to look. */
mono_t rotation_tick(struct model *m, struct svc *s, mono_t now);
uint32_t svc_rotation(struct svc *s); /* brings the memo up to date; returns its length */

/* model_ep.c: one endpoint's life */
struct ep *ep_new(struct model *m, struct svc *s, const struct addr *a, mono_t now);
void ep_free(struct model *m, struct ep *e);
void ep_health_begin(struct ep *e, mono_t first_probe, mono_t now);
void ep_kill(struct model *m, struct ep *e); /* model_kills() will name it */
void ep_return(struct model *m, struct ep *e, mono_t now);
void ep_leave(struct model *m, struct ep *e, uint32_t uid, mono_t now);
void ep_gone(struct model *m, struct ep *e, enum reason why, mono_t now);
void ep_drained(struct model *m, struct ep *e, enum reason why, mono_t now);
void ep_overdue(struct model *m, struct ep *e, mono_t now);
/* `limit` = drain deadline from now, 0 = the service's. */
void ep_set_admin(struct model *m, struct ep *e, enum ep_admin a, mono_t limit, mono_t now);
void ep_set_weight(struct model *m, struct ep *e, uint32_t w, bool set, mono_t now);
struct health_conf health_conf_of(const struct conf_health *h);

/*
 * model_event.c: a new event of the ring, for the caller to add its facts to. Valid until the
 * next one is made.
 */
struct model_event *note_ep(struct model *m, const struct ep *e, enum event_kind kind,
			    enum reason why, mono_t now);
/* s NULL = about the whole. */
struct model_event *note_svc(struct model *m, const struct svc *s, enum event_kind kind,
			     enum reason why, mono_t now);

/* model_target.c */
/* The kind of these probes; 0 = they are off. Kinds of no service go with kinds_sweep(). */
uint16_t kind_of(struct model *m, const struct conf_health *h);
void kinds_sweep(struct model *m);
/*
 * Membership, and the time of the next probe, follow what the endpoint and its service are now. A
 * probe in flight that nobody waits for any more is cancelled.
 */
void target_settle(struct model *m, struct ep *e, mono_t now);
/* Members' times, or whether they are checked, have changed. 0 is fine. */
void target_arm(struct model *m, uint32_t target);

/* model_probe.c */
void note_flapping(struct model *m, const struct ep *e, bool flapping, mono_t now);

/* model_over.c */
struct model_saved *over_find(const struct model *m, const char *service, const struct addr *a);
/* All rows of a service, its own (family 0) among them: *n of them. */
const struct model_saved *over_rows(const struct model *m, const char *service, size_t *n);
struct model_saved *over_get(struct model *m, const char *service,
			     const struct addr *a); /* NULL = no memory */
void over_rename(struct model *m, const char *from, const char *to);
/*
 * Drops rows of endpoints that their service does not have any more. Those of a service that is
 * not configured stay: it may come back.
 */
void over_purge(struct model *m);
/* What only a start needs is used up: who was up, who was leaving, deadlines of drains. */
void over_started(struct model *m);
bool over_empty(const struct model_saved *o);

/* model_want.c */
/* Endpoints of a service -> what is wanted now; `uid` asked for it. */
void svc_reconcile(struct model *m, struct svc *s, uint32_t uid, mono_t now);

void svc_set_paused(struct model *m, struct svc *s, bool paused, uint32_t uid, mono_t now);

/* model_listener.c */
struct lsn *svc_listener(const struct svc *s,
			 const struct addr *a); /* NULL = none of that address */
size_t listeners_free(const struct model *m);
/* How many ids svc_listen() would take. */
size_t svc_listen_needs(const struct svc *s, const struct addr *a, size_t n);
/*
 * The service is reached by exactly these from the next plan on. Ids must be free:
 * svc_listen_needs().
 */
void svc_listen(struct model *m, struct svc *s, const struct addr *a, size_t n);
/* Makes element `id` a listener of `s`: unreachable, as found in the maps. */
void lsn_link(struct model *m, uint32_t id, struct svc *s, const struct addr *a);
void svc_listeners_drop(struct model *m, struct svc *s);
void listeners_planned(struct model *m);

/* model_local.c */
/* RR_VIP_FLOWS* by local id: tables in which replies to it may find an entry. */
void locals_tables(const struct model *m, uint8_t tables[RR_MAX_LOCALS]);
void ep_assign_locals(struct model *m, struct ep *e, mono_t now);
void ep_touch_locals(struct model *m, const struct ep *e, mono_t now);
void locals_planned(struct model *m);
mono_t locals_tick(struct model *m, mono_t now);

/* model_port.c */
/* Sets for an endpoint that has none. */
void ep_assign_ports(struct model *m, struct ep *e);
void ep_release_ports(struct model *m, struct ep *e);
/* Those that a row of the running maps names. */
void ep_adopt_ports(struct model *m, struct ep *e, const uint16_t set[RR_EP_PORT_SETS]);
uint32_t ep_port_percent(const struct model *m, const struct ep *e);

/* plan.c */
void svc_element(const struct model *m, const struct svc *s, struct rr_service *r);

#endif
