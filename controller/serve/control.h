/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control.h - the control socket, as the rest of rrlbd sees it. call.h is its inside.
 */
#ifndef SERVE_CONTROL_H
#define SERVE_CONTROL_H

#include "daemon/daemon.h"

int control_open(struct daemon *d); /* 0 or -errno */
void control_close(struct daemon *d);
/* Gives new model events to `events -f` followers and to the log; keeps the last MODEL_EVENTS. */
void control_events(struct daemon *d);

#endif
