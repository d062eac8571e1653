/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state.h - the states that are shown: of an endpoint, of a service. One row each; the model
 * decides which one it is, and daemon, rrctl and the manual take word, tone and sentences from
 * here.
 */
#ifndef UTIL_STATE_H
#define UTIL_STATE_H

#include <stdbool.h>

/*
 * How a state is meant: GOOD as it should be; BUSY will change by itself; BAD needs somebody; OFF
 * was asked for.
 */
enum state_tone { STATE_GOOD, STATE_BUSY, STATE_BAD, STATE_OFF };

/*
 * Of an endpoint, the first that applies (the order of the rows is the order of the question).
 * Row: id, word, tone, takes new connections?, note (how a service's line counts it), why it has
 * no slot, sentence for the manual.
 */
/* clang-format off */
#define EP_STATES(X) \
	X(GONE, "GONE", OFF, false, "removed", "removed", \
	  "removed: packets of its connections are answered with RST, and its id rests") \
	X(MAINT, "MAINT", OFF, false, "maint", "in maintenance", \
	  "in maintenance: no new connections and no health checks") \
	X(DRAINED, "DRAINED", OFF, false, "drained", "drained", \
	  "no new connections, and no established one is left") \
	X(DRAINING, "DRAINING", OFF, false, "draining", "draining", \
	  "no new connections; the established ones go on until they end or the deadline comes") \
	X(DOWN, "DOWN", BAD, false, "down", "down", \
	  "health checks fail: no new connections") \
	X(INIT, "INIT", BUSY, false, "init", "not checked yet", \
	  "no health check has ended yet") \
	X(NO_HOP, "NO_HOP", BAD, false, "no next hop", "no next hop", \
	  "healthy, but there is no way to it: no route, no neighbour entry or no local address") \
	X(UP, "UP", GOOD, true, "", "", \
	  "takes new connections")

/* Of a service. Row: id, word, tone, sentence for the manual. */
#define SVC_STATES(X) \
	X(PAUSED, "paused", OFF, "an operator has stopped new connections") \
	X(EMPTY, "empty", BUSY, "no endpoint is configured") \
	X(DOWN, "down", BAD, "no endpoint takes new connections") \
	X(DEGRADED, "degraded", BUSY, "some endpoints are down or without a next hop") \
	X(OK, "ok", GOOD, "every endpoint that should take connections does")
/* clang-format on */

enum ep_state {
#define X(id, ...) EPS_##id,
	EP_STATES(X)
#undef X
		EPS_MAX
};

enum svc_state {
#define X(id, ...) SVCS_##id,
	SVC_STATES(X)
#undef X
		SVCS_MAX
};

/* "UP", "down"; "?" for what is no state. Static strings all. */
const char *ep_state_name(enum ep_state s);
const char *svc_state_name(enum svc_state s);
const char *ep_state_note(enum ep_state s); /* "no next hop", for "1 no next hop, 2 down" */
const char *ep_state_why(
	enum ep_state s); /* why it has no slot: "not checked yet"; "" = it may have */
bool ep_state_available(enum ep_state s);
/* The tone of a state by its word, an endpoint's or a service's; false = no state is called so. */
bool state_tone_of(const char *word, enum state_tone *tone);

#endif
