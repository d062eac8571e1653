/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * counters.h - what the packet path has counted.
 */
#ifndef COLLECT_COUNTERS_H
#define COLLECT_COUNTERS_H

#include "daemon/daemon.h"

/* Reads them now. 0 or -errno. */
int collect_read(struct daemon *d);
/*
 * Ids that the model has given to something new start to count at 0, in the maps and here. Before
 * the plan that names them is pushed.
 */
void collect_fresh(struct daemon *d);
/* Once a second: what was read last becomes the base of rates. 0 or -errno. */
int collect_period(struct daemon *d);

#endif
