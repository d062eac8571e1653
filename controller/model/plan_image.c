/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * plan_image.c - what each step of plan_diff() means, on plain arrays: the reference for push,
 * and the ground on which the tests check every prefix.
 */
#include <string.h>

#include "model/plan.h"

static void write_service(struct plan_image *img, const struct plan *want, uint32_t id)
{
	uint32_t rotation = img->service[id].rotation;

	img->service[id] = want->service[id];
	img->service[id].rotation = rotation;
}

static void fill_rotation(struct plan_image *img, const struct plan *want, const struct plan_op *op)
{
	size_t slots = want->slot[op->id] ? RR_ROT_LEN(want->service[op->id].rotation) : 0;

	memcpy(img->rotation[op->id * 2 + op->copy].slot, want->slot[op->id],
	       slots * sizeof(uint16_t));
}

static void fill_table(struct plan_image *img, const struct plan *want, const struct plan_op *op)
{
	if (op->table == TABLE_ROTATION)
		fill_rotation(img, want, op);
	else
		plan_vip_place(want, (uint32_t)op->value, img->vip[op->copy]);
}

static void switch_table(struct plan_image *img, const struct plan_op *op)
{
	if (op->table == TABLE_ROTATION)
		img->service[op->id].rotation = (uint32_t)op->value;
	else
		img->vip_active = op->value;
}

uint64_t plan_image_word(const struct plan_image *img, enum plan_table t, uint32_t id)
{
	return t == TABLE_ROTATION ? img->service[id].rotation : img->vip_active;
}

void plan_image_apply(struct plan_image *img, const struct plan *want, const struct plan_op *op)
{
	switch (op->kind) {
	case PLAN_IFACE:
		img->iface[op->id] = want->iface[op->id];
		break;
	case PLAN_LOCAL:
		img->local[op->id] = want->local[op->id];
		break;
	case PLAN_LISTENER_WRITE:
		img->listener[op->id] = want->listener[op->id];
		break;
	case PLAN_EP_WRITE:
		img->endpoint[op->id] = want->endpoint[op->id];
		break;
	case PLAN_EP_HOP:
		img->endpoint[op->id].hop = op->value;
		break;
	case PLAN_EP_FLAGS:
		img->endpoint[op->id].flags = (uint32_t)op->value;
		break;
	case PLAN_SVC_WRITE:
		write_service(img, want, op->id);
		break;
	case PLAN_SVC_FLAGS:
		img->service[op->id].flags = (uint32_t)op->value;
		break;
	case PLAN_TABLE_FILL:
		fill_table(img, want, op);
		break;
	case PLAN_TABLE_SWITCH:
		switch_table(img, op);
		break;
	case PLAN_ENABLE:
		img->enabled = op->value != 0;
		break;
	}
}
