/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * plan_ops.c - the list of steps that plan_diff() makes: how it grows, what a step is called, which
 * copy of a table a word means. The order of steps is plan_diff.c's, their meaning plan_image.c's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/plan_int.h"

void step_add(struct diff *d, struct plan_op op)
{
	struct plan_ops *o = d->ops;
	struct plan_op *grown;

	if (o->n == o->cap) {
		grown = realloc(o->op, (o->cap ? o->cap * 2 : 64) * sizeof(*o->op));
		if (!grown) {
			d->rc = -ENOMEM;
			return;
		}
		o->op = grown;
		o->cap = o->cap ? o->cap * 2 : 64;
	}
	o->op[o->n++] = op;
}

void table_fill(struct diff *d, enum plan_table t, uint32_t id, uint32_t copy, uint64_t value)
{
	step_add(d, (struct plan_op){ .kind = PLAN_TABLE_FILL,
				      .table = t,
				      .id = id,
				      .copy = copy,
				      .value = value });
}

void table_switch(struct diff *d, enum plan_table t, uint32_t id, uint64_t word)
{
	step_add(d, (struct plan_op){
			    .kind = PLAN_TABLE_SWITCH, .table = t, .id = id, .value = word });
}

uint32_t plan_table_copy(enum plan_table t, uint64_t word)
{
	return t == TABLE_ROTATION ? RR_ROT_COPY((uint32_t)word) : (uint32_t)(word & 1);
}

const char *plan_op_name(const struct plan_op *op, char *buf, size_t len)
{
	static const char *const name[] = {
		[PLAN_IFACE] = "iface",
		[PLAN_LOCAL] = "local",
		[PLAN_LISTENER_WRITE] = "listener",
		[PLAN_EP_WRITE] = "endpoint",
		[PLAN_EP_HOP] = "endpoint-hop",
		[PLAN_EP_FLAGS] = "endpoint-flags",
		[PLAN_SVC_WRITE] = "service",
		[PLAN_SVC_FLAGS] = "service-flags",
		[PLAN_TABLE_FILL] = "fill",
		[PLAN_TABLE_SWITCH] = "switch",
		[PLAN_ENABLE] = "enable",
	};
	static const char *const table[] = {
#define X(id, word) [TABLE_##id] = word,
		PLAN_TABLES(X)
#undef X
	};
	bool double_buffered = op->kind == PLAN_TABLE_FILL || op->kind == PLAN_TABLE_SWITCH;

	snprintf(buf, len, "%s%s%s", double_buffered ? table[op->table] : "",
		 double_buffered ? "-" : "", name[op->kind]);
	return buf;
}

void plan_ops_free(struct plan_ops *ops)
{
	free(ops->op);
	*ops = (struct plan_ops){ NULL, 0, 0 };
}
