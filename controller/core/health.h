/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * health.h - probe outcomes -> up or down, and when to probe next.
 */
#ifndef CORE_HEALTH_H
#define CORE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "util/clock.h"
#include "util/reason.h"
#include "util/words.h"

#define HEALTH_FLAPS 6 /* transitions ... */
#define HEALTH_FLAP_WINDOW_S 600 /* ... in this time make an endpoint "flapping" ... */
#define HEALTH_FLAP_HOLD_S 600 /* ... for this time after the last of them */
#define HEALTH_FLAP_RISE_MAX 16u
#define HEALTH_BACKOFF_AFTER_S 300
#define HEALTH_BACKOFF_MAX_S 30

enum health_state { HEALTH_INIT, HEALTH_UP, HEALTH_DOWN };
enum health_change { HEALTH_SAME, HEALTH_WENT_UP, HEALTH_WENT_DOWN };

struct health_conf {
	mono_t interval, fast_interval, down_interval;
	uint32_t rise, fall;
	uint32_t jitter; /* percent */
	enum health_begin begin;
};

struct health {
	enum health_state state;
	uint32_t h; /* 0 .. rise + fall - 1; UP iff h >= rise (INIT: passes so far) */
	uint32_t rise, fall; /* in force: rise is larger than configured while flapping */
	bool flapping;
	mono_t flap_until;
	mono_t flap[HEALTH_FLAPS]; /* ring of the last transitions between UP and DOWN */
	uint32_t flaps; /* transitions ever; ring index = flaps % HEALTH_FLAPS */
	mono_t down_since;
	mono_t down_wait; /* back-off reached so far */
};

/*
 * Before the first result: INIT, or UP (BEGIN_UP, and health_adopt() for what already runs):
 * first result decides.
 */
void health_start(struct health *h, const struct health_conf *c);
void health_adopt(struct health *h, const struct health_conf *c);
/* Parameters have changed: the state and the distance to its edges stay. */
void health_reconf(struct health *h, const struct health_conf *c);
/* One probe has ended. A failure of reason class LOCAL is our own and changes nothing. */
enum health_change health_result(struct health *h, const struct health_conf *c, bool ok,
				 enum reason why, mono_t now);
/* Ends flap damping when its time is over. True = it ended now. */
bool health_tick(struct health *h, const struct health_conf *c, mono_t now);
/* Wait from the start of one probe to the start of the next; `rnd` = any 64 random bits. */
mono_t health_wait(const struct health *h, const struct health_conf *c, uint64_t rnd);
/*
 * How long no result is nothing to speak of: three of the longest waits that can be in this state,
 * and a probe's timeout.
 */
mono_t health_patience(const struct health *h, const struct health_conf *c, mono_t timeout);
/* Deterministic spread of first probes: 0 .. interval. */
mono_t health_offset(const struct health_conf *c, uint64_t id);
/* 64 well mixed bits of an endpoint's id and a probe's number: the same in every run. */
uint64_t health_hash(uint64_t id, uint64_t seq);
uint32_t health_max(const struct health *h); /* rise + fall - 1 */

#endif
