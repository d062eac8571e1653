/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state.h - overrides that survive a restart. Written to a temporary file and renamed.
 */
#ifndef RRLBD_STATE_H
#define RRLBD_STATE_H

#include "daemon/daemon.h"

const char *state_path(const struct daemon *d);
int state_load(struct daemon *d); /* 0 or -errno */
int state_save(struct daemon *d); /* writes only when it differs from what is there */

#endif
