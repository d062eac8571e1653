/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * events.h - one event as rrctl shows it.
 */
#ifndef SERVE_EVENTS_H
#define SERVE_EVENTS_H

#include "serve/call.h"

/* `now` makes the age, and with the clock on the wall the time of day. */
json_t *event_json(const struct model_event *ev, mono_t now);
/* Is it about this service? NULL and "" are all services. */
bool event_wanted(const struct model_event *ev, const char *service);

#endif
