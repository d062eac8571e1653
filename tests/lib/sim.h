/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sim.h - virtual time: a model, the maps behind it, and endpoints that answer probes as the
 * story says.
 */
#ifndef LIB_SIM_H
#define LIB_SIM_H

#include "lib/fixture.h"

#define SIM_IDS 256 /* endpoint ids that a story may use */

enum sim_kind {
	SIM_OK,
	SIM_REFUSED, /* answers at once */
	SIM_BLACK_HOLE, /* the probe's timeout passes */
};

struct sim {
	struct model *m;
	struct fx_maps x;
	mono_t now, next_walk;
	enum sim_kind kind[SIM_IDS];
	uint32_t established[SIM_IDS], flows[SIM_IDS];
	mono_t ends[SIM_IDS]; /* of the probe in flight; us = 0: none */
	size_t probes[SIM_IDS];
};

/* Starts at `now` with every endpoint of `c` probed and up, unless `cold`. */
void sim_start(struct sim *s, const struct conf *c, mono_t now, bool cold);
/*
 * Lets virtual time pass as the daemon's loop would: tick, probes, a walk every second, a push
 * when dirty.
 */
void sim_run(struct sim *s, mono_t until);
/* Runs until the endpoint has this state or `limit` has passed; returns how long it took. */
mono_t sim_until(struct sim *s, const char *service, const char *addr, enum ep_state st,
		 mono_t limit);
/* The controller dies and starts again with the maps and the saved rows. */
void sim_restart(struct sim *s, const struct conf *c);
void sim_end(struct sim *s);

#endif
