/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state.h - overrides that survive a restart. Written beside the loop, which waits for no disk.
 */
#ifndef RRLBD_STATE_H
#define RRLBD_STATE_H

#include "daemon/daemon.h"

const char *state_path(const struct daemon *d);
/*
 * Into the model. A file that cannot be used is no error: it is kept under another name. 0 or
 * -ENOMEM.
 */
int state_load(struct daemon *d);
/* From now on it is written; with the privileges that the process has now. 0 or -errno. */
int state_open(struct daemon *d);
/*
 * Begins to write what the model holds, when it differs from what is there; d->saving tells how
 * that goes. While a write is under way, another one is due after it. 0 or -ENOMEM.
 */
int state_save(struct daemon *d);
bool state_saving(const struct daemon *d); /* a write is under way */
/* Waits for writes that are under way or due. False = the last failed or took longer than that. */
bool state_flush(struct daemon *d, mono_t patience);
void state_free(struct daemon *d); /* what load and save remember */

#endif
