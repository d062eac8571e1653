/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * plan_int.h - the way from one plan to another while it is worked out; private to plan_diff.c,
 * plan_vip.c and plan_ops.c.
 *
 * plan_diff.c owns the order of all steps. The address table is filled twice when rows must go
 * before elements are written and others may come only after: plan_vip.c decides that, and
 * plan_diff.c says when.
 */
#ifndef MODEL_PLAN_INT_H
#define MODEL_PLAN_INT_H

#include "model/plan.h"

struct diff {
	const struct plan *have;
	struct plan *want;
	struct plan_ops *ops;
	int rc; /* first error: -ENOMEM, -ENOSPC; steps after it mean nothing */
	bool named[RR_MAX_ENDPOINTS]; /* a rotation of `want` holds it */
	bool stopped[RR_MAX_SERVICES]; /* its rotation was switched to length 0 */

	struct rr_vip_bucket *bucket; /* scratch of the search for a seed */
	uint64_t vip_active; /* after the steps so far */
	bool vip_gone; /* a row of `have` must go before elements are written */
	bool vip_local; /* a local address is new */
	bool vip_late; /* a row comes when elements are complete, or goes at leisure: a last fill */
};

/* plan_ops.c: adds one step. Without memory d->rc is set and the step is lost. */
void step_add(struct diff *d, struct plan_op op);
void table_fill(struct diff *d, enum plan_table t, uint32_t id, uint32_t copy, uint64_t value);
void table_switch(struct diff *d, enum plan_table t, uint32_t id, uint64_t word);

/* plan_vip.c: what is said before elements change, and after. */
void vip_first(struct diff *d);
void vip_second(struct diff *d);

#endif
