/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sim.c - the daemon's loop in virtual time, without a daemon.
 */
#include "lib/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void start_probes(struct sim *s)
{
	uint32_t due[SIM_IDS];
	size_t n = fx_due(s->m, due, SIM_IDS, s->now);

	for (size_t i = 0; i < n; i++) {
		const struct conf_health *h;
		struct addr to;

		if (!model_probe_target(s->m, due[i], &to, &h) || s->ends[due[i]].us)
			abort(); /* a probe that overlaps itself, or of nothing */
		s->ends[due[i]] = mono_add(s->now, s->kind[due[i]] == SIM_BLACK_HOLE ? h->timeout
										     : MONO_MS(1));
		s->probes[due[i]]++;
	}
}

static mono_t end_probes(struct sim *s)
{
	static const enum reason why[] = { [SIM_OK] = REASON_PASS,
					   [SIM_REFUSED] = REASON_REFUSED,
					   [SIM_BLACK_HOLE] = REASON_CONNECT_TIMEOUT };
	mono_t next = MONO_NEVER;

	for (uint32_t i = 1; i < SIM_IDS; i++) {
		if (!s->ends[i].us)
			continue;
		if (mono_cmp(s->ends[i], s->now) > 0) {
			next = mono_min(next, s->ends[i]);
			continue;
		}
		s->ends[i] = MONO_US(0);
		fx_result(s->m, i, why[s->kind[i]], s->now);
	}
	return next;
}

static void push(struct sim *s)
{
	const char *err = model_dirty(s->m) ? fx_push(&s->x, s->m) : NULL;

	if (err) {
		fprintf(stderr, "sim: %s\n", err);
		abort();
	}
}

/* One turn of the loop; returns when the next is due. */
static mono_t turn(struct sim *s)
{
	mono_t next;

	if (mono_cmp(s->now, s->next_walk) >= 0) {
		model_flows(s->m, s->established, s->flows, SIM_IDS, s->now);
		s->next_walk = mono_add(s->now, MONO_S(1));
	}
	end_probes(s);
	start_probes(s);
	next = mono_min(end_probes(s), model_tick(s->m, s->now));
	push(s);
	return mono_min(next, s->next_walk);
}

void sim_run(struct sim *s, mono_t until)
{
	while (mono_cmp(s->now, until) < 0) {
		mono_t next = turn(s);

		if (mono_cmp(next, s->now) <= 0)
			next = mono_add(s->now, MONO_US(1)); /* a daemon would turn at once */
		s->now = mono_min(next, until);
	}
	turn(s);
}

mono_t sim_until(struct sim *s, const char *service, const char *addr, enum ep_state st,
		 mono_t limit)
{
	mono_t from = s->now, end = mono_add(s->now, limit);

	while (fx_state(s->m, service, addr) != st && mono_cmp(s->now, end) < 0)
		sim_run(s, mono_add(s->now, MONO_MS(5)));
	return mono_sub(s->now, from);
}

void sim_start(struct sim *s, const struct conf *c, mono_t now, bool cold)
{
	memset(s, 0, sizeof(*s));
	fx_maps_init(&s->x);
	s->now = s->next_walk = now;
	s->m = fx_model(c, now);
	fx_hops(s->m, now);
	if (!cold)
		fx_all_up(s->m, now);
	turn(s);
}

void sim_restart(struct sim *s, const struct conf *c)
{
	struct model_saved *rows;
	size_t n;

	if (model_export(s->m, &rows, &n))
		abort();
	model_free(s->m);
	memset(s->ends, 0, sizeof(s->ends));
	s->m = model_new();
	if (!s->m || model_adopt(s->m, s->x.have, s->now))
		abort();
	model_import(s->m, rows, n, s->now);
	free(rows);
	if (model_apply(s->m, c, false, s->now))
		abort();
	turn(s);
}

void sim_end(struct sim *s)
{
	model_free(s->m);
	fx_maps_free(&s->x);
}
