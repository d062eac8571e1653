/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * plan.h - the exact map contents that the model wants, and the ordered steps from one plan to
 * another.
 *
 * A plan is plain data in ABI structs. plan_diff() orders its operations so that stopping after any
 * one of them leaves a correct packet path (design 8.5): what is pointed at is written before what
 * points at it; tables are filled in their spare copy and switched with one store; an endpoint
 * leaves every rotation before it is marked gone, and is marked NO_NEW before its slots go; a
 * listener and its service are complete before the address table has a row for them.
 */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rr_table.h"

#define PLAN_VIPS (RR_MAX_LISTENERS + RR_MAX_LOCALS)

struct plan {
	/* `rotation` says copy and length of what is, or 0 */
	struct rr_service service[RR_MAX_SERVICES];
	uint16_t *slot[RR_MAX_SERVICES]; /* RR_ROT_LEN entries, malloc'ed; NULL = none */
	struct rr_listener listener[RR_MAX_LISTENERS];
	/*
	 * By listener id: the address table has a row for it. Without one it is there for its flows
	 * only.
	 */
	bool listening[RR_MAX_LISTENERS];
	struct rr_endpoint endpoint[RR_MAX_ENDPOINTS];
	struct rr_local local[RR_MAX_LOCALS];
	uint8_t local_tables[RR_MAX_LOCALS]; /* RR_VIP_FLOWS*, beyond that of its own family */
	struct rr_iface iface[RR_MAX_IFACES];
	struct rr_vip vip[PLAN_VIPS]; /* sorted; derived from listener[] and local[] */
	size_t vips;
	uint64_t vip_active; /* as rr_control.vip_active: of the plan that is in the maps */
	/*
	 * Set by plan_diff(): rows that wait for the second of two fills, and the seed of the first
	 * (0 = one fill does). plan_vip_place() leaves them out under that seed.
	 */
	bool vip_held[PLAN_VIPS];
	uint32_t vip_interim;
	bool enabled;
};

/*
 * A table that packets read while it changes exists twice: PLAN_TABLE_FILL writes the copy that
 * nobody reads, and PLAN_TABLE_SWITCH stores the one word that says which copy is read. The
 * meaning of the word is the table's own.
 *   ROTATION  the slots of service `id`; word = rr_service.rotation
 *   ADDRESS   the one table of addresses, id 0, filled under the seed `value`;
 *             word = rr_control.vip_active
 * Row: id, what the log calls it.
 */
/* clang-format off */
#define PLAN_TABLES(X)           \
	X(ROTATION, "rotation")  \
	X(ADDRESS, "address")
/* clang-format on */

enum plan_table {
#define X(id, word) TABLE_##id,
	PLAN_TABLES(X)
#undef X
		PLAN_TABLE_COUNT
};

enum plan_op_kind {
	PLAN_IFACE, /* write iface[id] and tx_ports[id] */
	PLAN_LOCAL, /* write local[id] */
	PLAN_LISTENER_WRITE, /* write listener[id] */
	/*
	 * write the endpoint element whole (no rotation names it and it has no flow, or only hop
	 * and locals change)
	 */
	PLAN_EP_WRITE,
	PLAN_EP_HOP, /* one store: hop */
	PLAN_EP_FLAGS, /* one store: flags */
	PLAN_SVC_WRITE, /* write the service element except `rotation` */
	PLAN_SVC_FLAGS, /* one store: flags */
	PLAN_TABLE_FILL, /* fill copy `copy` of `table` `id` with the plan's contents */
	PLAN_TABLE_SWITCH, /* one store: the word of `table` `id` = value */
	PLAN_ENABLE, /* one store: control.enabled = value */
};

struct plan_op {
	enum plan_op_kind kind;
	enum plan_table table; /* of FILL and SWITCH */
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
/*
 * Steps from `have` (what the maps hold) to `want`; fills want->service[].rotation and
 * want->vip_active with the words that the maps will hold when all steps are done. 0 or -ENOMEM,
 * -ENOSPC (no seed fits).
 */
int plan_diff(const struct plan *have, struct plan *want, struct plan_ops *ops);
void plan_ops_free(struct plan_ops *ops);
/*
 * The buckets of one copy of `vips` under a seed. false when a bucket overflows. Used by diff,
 * push and tests.
 */
bool plan_vip_place(const struct plan *p, uint32_t seed,
		    struct rr_vip_bucket bucket[RR_VIP_BUCKETS]);
/* Derives vip[] from listener[], listening[], local[] and local_tables[]. */
void plan_vips(struct plan *p);
/*
 * The other way, for a plan that is read back: vip[], listening[] and local_tables[] from the copy
 * in force.
 */
void plan_vips_read(struct plan *p, const struct rr_vip_bucket bucket[RR_VIP_BUCKETS]);

/*
 * Plain arrays in the shape of the maps, and one step applied to them: what push does, for tests
 * and dry runs.
 */
struct plan_image {
	struct rr_service service[RR_MAX_SERVICES];
	struct rr_rotation rotation[RR_MAX_SERVICES * 2]; /* service id * 2 + copy */
	struct rr_listener listener[RR_MAX_LISTENERS];
	struct rr_endpoint endpoint[RR_MAX_ENDPOINTS];
	struct rr_local local[RR_MAX_LOCALS];
	struct rr_iface iface[RR_MAX_IFACES];
	struct rr_vip_bucket vip[2][RR_VIP_BUCKETS];
	uint64_t vip_active;
	bool enabled;
};
void plan_image_apply(struct plan_image *img, const struct plan *want, const struct plan_op *op);
/* The word that packets find the live copy of a table by. */
uint64_t plan_image_word(const struct plan_image *img, enum plan_table t, uint32_t id);
/* Which copy a table's word names: 0 or 1. */
uint32_t plan_table_copy(enum plan_table t, uint64_t word);
/* What the log calls a step: "endpoint-hop", "rotation-fill". Writes `buf` and returns it. */
const char *plan_op_name(const struct plan_op *op, char *buf, size_t len);

#endif
