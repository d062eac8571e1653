/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * plan.h - the exact map contents that the model wants, and the ordered steps from one plan to another.
 *
 * A plan is plain data in ABI structs. plan_diff() orders its operations so that stopping after any one of
 * them leaves a correct packet path (design 8.5): what is pointed at is written before what points at it;
 * tables are filled in their spare copy and switched with one store; an endpoint leaves every rotation
 * before it is marked gone, and is marked NO_NEW before its slots go.
 */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rr_abi.h"

struct plan_vip {
	struct rr_addr addr;
	uint16_t port; /* network order; 0 for a local address */
	uint8_t proto;
	uint8_t family;
	uint8_t type; /* enum rr_vip_type */
	uint32_t id;
};

struct plan {
	struct rr_service
		service[RR_MAX_SERVICES]; /* `rotation` says copy and length of what is, or 0 */
	uint16_t *slot[RR_MAX_SERVICES]; /* RR_ROT_LEN entries, malloc'ed; NULL = none */
	struct rr_endpoint endpoint[RR_MAX_ENDPOINTS];
	struct rr_local local[RR_MAX_LOCALS];
	struct rr_iface iface[RR_MAX_IFACES];
	struct plan_vip vip[RR_MAX_SERVICES +
			    RR_MAX_LOCALS]; /* sorted; derived from service[] and local[] */
	size_t vips;
	uint64_t vip_active; /* as rr_control.vip_active: of the plan that is in the maps */
	/* Set by plan_diff(): rows that wait for the second of two fills, and the seed of the first (0 = one fill
	 * does). plan_vip_place() leaves them out under that seed. */
	bool vip_held[RR_MAX_SERVICES + RR_MAX_LOCALS];
	uint32_t vip_interim;
	bool enabled;
};

enum plan_op_kind {
	PLAN_IFACE, /* write iface[id] and tx_ports[id] */
	PLAN_LOCAL, /* write local[id] */
	PLAN_EP_WRITE, /* write the endpoint element whole (it is in no rotation and has no flow, or only hop/locals change) */
	PLAN_EP_HOP, /* one store: hop */
	PLAN_EP_FLAGS, /* one store: flags */
	PLAN_SVC_WRITE, /* write the service element except `rotation` */
	PLAN_SVC_FLAGS, /* one store: flags */
	PLAN_ROT_FILL, /* fill copy `copy` of rotation `id` with plan's slots */
	PLAN_ROT_SWITCH, /* one store: service.rotation = value */
	PLAN_VIP_FILL, /* fill copy `copy` of vips under seed `value` */
	PLAN_VIP_SWITCH, /* one store: control.vip_active = value */
	PLAN_ENABLE, /* one store: control.enabled = value */
};

struct plan_op {
	enum plan_op_kind kind;
	uint32_t id;
	uint32_t copy;
	uint64_t value;
};

struct plan_ops {
	struct plan_op *op;
	size_t n, cap;
};

struct model;

struct plan *plan_new(void);
void plan_free(struct plan *p);
/* What the model wants. 0 or -ENOMEM, -ENOSPC (too many services, endpoints or local addresses). */
int plan_build(const struct model *m, struct plan *p);
/* Steps from `have` (what the maps hold) to `want`; fills want->service[].rotation and want->vip_active with the
 * words that the maps will hold when all steps are done. 0 or -ENOMEM, -ENOSPC (no seed fits). */
int plan_diff(const struct plan *have, struct plan *want, struct plan_ops *ops);
void plan_ops_free(struct plan_ops *ops);
/* The buckets of one copy of `vips` under a seed. false when a bucket overflows. Used by diff, push and tests. */
bool plan_vip_place(const struct plan *p, uint32_t seed,
		    struct rr_vip_bucket bucket[RR_VIP_BUCKETS]);
/* Derives vip[] from service[] and local[]: also for a plan that was read back from the maps. */
void plan_vips(struct plan *p);

/* Plain arrays in the shape of the maps, and one step applied to them: what push does, for tests and dry runs. */
struct plan_image {
	struct rr_service service[RR_MAX_SERVICES];
	struct rr_rotation rotation[RR_MAX_SERVICES * 2]; /* service id * 2 + copy */
	struct rr_endpoint endpoint[RR_MAX_ENDPOINTS];
	struct rr_local local[RR_MAX_LOCALS];
	struct rr_iface iface[RR_MAX_IFACES];
	struct rr_vip_bucket vip[2][RR_VIP_BUCKETS];
	uint64_t vip_active;
	bool enabled;
};
void plan_image_apply(struct plan_image *img, const struct plan *want, const struct plan_op *op);
const char *plan_op_name(enum plan_op_kind k);

#endif
