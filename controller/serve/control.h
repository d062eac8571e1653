/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control.h - the control socket, as the rest of rrlbd sees it. call.h is its inside.
 */
#ifndef SERVE_CONTROL_H
#define SERVE_CONTROL_H

#include <stdbool.h>

struct daemon;

int control_open(struct daemon *d); /* 0 or -errno */
void control_close(struct daemon *d);
/* Somebody has asked for a change and is answered by control_turn(). */
bool control_asked(const struct daemon *d);
/* Gives new model events to `events -f` followers and to the log; keeps the last MODEL_EVENTS. */
void control_events(struct daemon *d);
/*
 * Last in a turn, when all is pushed and saved: answers who has asked for a change, looks after
 * who waits.
 */
void control_turn(struct daemon *d);

#endif
