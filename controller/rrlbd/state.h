/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state.h - overrides that survive a restart. Written to a temporary file and renamed.
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
int state_save(struct daemon *d); /* writes only when it differs from what is there */
void state_free(struct daemon *d); /* what load and save remember */

#endif
