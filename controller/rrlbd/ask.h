/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ask.h - does what has been asked for since the last turn.
 */
#ifndef RRLBD_ASK_H
#define RRLBD_ASK_H

#include "daemon/daemon.h"

/* Takes every ask off d->asks, in order: does it, fills in what came of it, calls its `done`. */
void ask_run(struct daemon *d);

#endif
