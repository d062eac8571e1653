/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * drain.h - deadline and live flows -> draining or drained.
 */
#ifndef CORE_DRAIN_H
#define CORE_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "util/clock.h"

#define DRAIN_QUIET_S 2 /* two walks this far apart must find nothing established */

enum drain_state {
	DRAIN_OFF,
	DRAIN_RUNNING,
	DRAIN_OVERDUE /* deadline passed, flows left */,
	DRAIN_DONE
};
enum drain_change { DRAIN_SAME, DRAIN_EXPIRED, DRAIN_FINISHED };

struct drain {
	enum drain_state state;
	mono_t since;
	mono_t until; /* deadline; MONO_NEVER = none */
	mono_t quiet; /* first walk that found nothing */
	bool quiet_set;
};

/* (Re)starts with a deadline `limit` from now. A running drain only gets the new deadline. */
void drain_start(struct drain *d, mono_t limit, mono_t now);
void drain_stop(struct drain *d);
/* The drain ends now, whatever flows are left. */
void drain_finish(struct drain *d);
/* A walk over the flow table has found `established` flows. */
enum drain_change drain_walk(struct drain *d, uint64_t established, mono_t now);
/* Time passes: EXPIRED once, when the deadline goes by with the drain not done. */
enum drain_change drain_tick(struct drain *d, mono_t now);
/* Draining or overdue. */
bool drain_running(const struct drain *d);
mono_t drain_next(const struct drain *d);

#endif
