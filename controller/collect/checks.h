/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * checks.h - starts due probes, gives results to the model.
 */
#ifndef COLLECT_CHECKS_H
#define COLLECT_CHECKS_H

#include "daemon/daemon.h"

struct checks_stats {
	uint64_t started, ended, local_errors;
	uint64_t stalls; /* times that probes in flight were not looked at in time */
	size_t inflight;
	mono_t lag, lag_max; /* how late probes start: now, at worst */
	mono_t late_since; /* they are so late that it matters, since; 0 = they are not */
};

int checks_open(struct daemon *d); /* 0 or -errno */
/* false = the budget is used up and more may be due. */
bool checks_run(struct daemon *d);
void checks_stats(const struct daemon *d, struct checks_stats *st);
void checks_close(struct daemon *d);

#endif
