/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * drain.c - decides when an endpoint that takes no new connections is free of old ones.
 *
 * Done when two consecutive walks at least 2 s apart have found no established flow: one walk may
 * run just before a handshake completes that began before the drain. Closing flows do not count,
 * or every drain would last for the close timeouts. What happens at the deadline (reset, keep,
 * forget) is the caller's.
 */
#include "core/drain.h"

void drain_start(struct drain *d, mono_t limit, mono_t now)
{
	if (!drain_running(d)) {
		d->since = now;
		d->quiet_set = false;
	}
	d->state = DRAIN_RUNNING;
	d->until = mono_add(now, limit);
}

void drain_stop(struct drain *d)
{
	*d = (struct drain){ .state = DRAIN_OFF, .until = MONO_NEVER };
}

void drain_finish(struct drain *d)
{
	d->state = DRAIN_DONE;
}

bool drain_running(const struct drain *d)
{
	return d->state == DRAIN_RUNNING || d->state == DRAIN_OVERDUE;
}

enum drain_change drain_walk(struct drain *d, uint64_t established, mono_t now)
{
	if (!drain_running(d))
		return DRAIN_SAME;
	if (established) {
		d->quiet_set = false;
		return DRAIN_SAME;
	}
	if (!d->quiet_set) {
		d->quiet = now;
		d->quiet_set = true;
		return DRAIN_SAME;
	}
	if (mono_cmp(mono_sub(now, d->quiet), MONO_S(DRAIN_QUIET_S)) < 0)
		return DRAIN_SAME;
	drain_finish(d);
	return DRAIN_FINISHED;
}

enum drain_change drain_tick(struct drain *d, mono_t now)
{
	if (d->state != DRAIN_RUNNING || mono_cmp(now, d->until) < 0)
		return DRAIN_SAME;
	d->state = DRAIN_OVERDUE;
	return DRAIN_EXPIRED;
}

mono_t drain_next(const struct drain *d)
{
	return d->state == DRAIN_RUNNING ? d->until : MONO_NEVER;
}
