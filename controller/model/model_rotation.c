/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_rotation.c - decides when a service's rotation is made anew, and from what: the effective
 * weights of its available endpoints, nothing else.
 *
 * Urgent: an endpoint is no longer or again available, or somebody has asked for a weight. The
 * rotation is made in the same turn. Lazy: factors of weights have moved by themselves (latency,
 * slow start, groups). The first such change is followed at once, then at most one a second for
 * each service; an urgent one in between takes the waiting ones with it. So a factor that moves
 * with every answer costs one table a second, and an endpoint that is down none of this delay.
 */
#include <stdlib.h>

#include "core/rotation.h"
#include "model/model_int.h"

_Static_assert(ROTATION_MAX == RR_MAX_SLOTS, "a rotation must fit its map element");

void rotation_urgent(struct model *m, struct svc *s, mono_t now)
{
	s->rot_stale = true;
	s->rot_lazy = false;
	s->rot_at = now;
	m->dirty = m->restless = true;
}

mono_t rotation_tick(struct model *m, struct svc *s, mono_t now)
{
	mono_t due = mono_add(s->rot_at, MODEL_LAZY_GAP);

	if (!s->rot_lazy)
		return MONO_NEVER;
	if (mono_cmp(now, due) < 0)
		return due;
	rotation_urgent(m, s, now);
	return MONO_NEVER;
}

void model_factor(struct model *m, uint32_t endpoint, enum weight_factor f, uint32_t value)
{
	struct ep *e = ep_by_id(m, endpoint);
	uint32_t was = e ? weight_effective(&e->weight) : 0;

	if (!e)
		return;
	m->restless = true;
	weight_set_factor(&e->weight, f, value);
	if (e->state == EPS_UP && weight_effective(&e->weight) != was)
		e->svc->rot_lazy = true;
}

static int id_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/*
 * The order of slots depends on ids and weights alone, not on the order of the file: ties go by id.
 */
uint32_t svc_rotation(struct svc *s)
{
	uint32_t pair[ROTATION_MAX][2], weight[ROTATION_MAX];
	size_t n = 0;

	if (!s->rot_stale)
		return s->slots;
	for (const struct ep *e = s->first; e && n < ROTATION_MAX; e = e->next) {
		if (e->state != EPS_UP)
			continue;
		pair[n][0] = e->id;
		pair[n++][1] = weight_effective(&e->weight);
	}
	qsort(pair, n, sizeof(pair[0]), id_cmp);
	for (size_t i = 0; i < n; i++)
		weight[i] = pair[i][1];
	s->slots = (uint32_t)rotation_build(weight, n, s->slot);
	for (size_t k = 0; k < s->slots; k++)
		s->slot[k] = (uint16_t)pair[s->slot[k]][0];
	s->rot_stale = false;
	return s->slots;
}
