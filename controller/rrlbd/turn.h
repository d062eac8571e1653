/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * turn.h - what happens after every batch of events.
 */
#ifndef RRLBD_TURN_H
#define RRLBD_TURN_H

#include "daemon/daemon.h"

/* model_tick, plan, diff, push when dirty; arms the next timer. */
void daemon_turn(struct daemon *d);
int turn_open(struct daemon *d); /* 0 or -errno */

#endif
