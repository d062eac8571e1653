/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * drift.c - corrects the count of active flows against the table.
 *
 * active = established - closed. Too high: closes were lost (a slot evicted without being counted),
 * so `closed` grows. Too low: something was counted closed twice. `closed` is monotonic for whoever
 * reads it by difference, so it stays, and the surplus is kept as `lag`, which is subtracted when
 * active is computed; later losses eat up the lag first.
 */
#include "flow/drift.h"

int64_t drift_observe(struct drift *d, int64_t counted, uint32_t found, uint64_t traffic)
{
	int64_t diff = counted - (int64_t)found;
	int64_t proven = diff && diff == d->diff && traffic == d->traffic ? diff : 0;

	d->diff = proven ? 0 : diff;
	d->traffic = traffic;
	return proven;
}

void drift_book(int64_t diff, uint64_t *closed, uint64_t *lag)
{
	uint64_t n = diff > 0 ? (uint64_t)diff : (uint64_t)-diff, use;

	if (diff < 0) {
		*lag += n;
		return;
	}
	use = n < *lag ? n : *lag;
	*lag -= use;
	*closed += n - use;
}
