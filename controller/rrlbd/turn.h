/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * turn.h - what happens after every batch of events.
 */
#ifndef RRLBD_TURN_H
#define RRLBD_TURN_H

#include "daemon/daemon.h"

int turn_open(struct daemon *d); /* 0 or -errno */
void turn_close(struct daemon *d);
/*
 * What was asked for; model, plan, push; save; answers. Arms the next timer. After every batch,
 * and at the start.
 */
void daemon_turn(struct daemon *d);

#endif
