/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * start.h - the steps that take over the packet path, in the order in which main.c calls them. Each
 * returns 0 or -errno, after it has logged why.
 */
#ifndef RRLBD_START_H
#define RRLBD_START_H

#include "rrlbd/options.h"

/* Opens or makes the maps and loads the program; attaches nothing. */
int start_dp(struct daemon *d, const struct options *o);
/* The model as it was: from the maps, the state file and the configuration, in this order. */
int start_model(struct daemon *d);
/* Next hops and interfaces, the first push, and at last the program on every interface. */
int start_paths(struct daemon *d);
/* Closes and frees what has been opened, however far a start came; `d` itself stays. */
void start_undo(struct daemon *d);

#endif
