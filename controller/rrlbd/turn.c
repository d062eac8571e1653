/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * turn.c - what happens after every batch of events: time passes in the model, due probes start, and if anything changed
 * that the packet path should know, one plan is made and pushed before the process sleeps.
 *
 * Once a second come the things that need no hurry: counters, the walk over the flow tables, next hops, interfaces.
 */
#include <errno.h>
#include <string.h>

#include "collect/checks.h"
#include "collect/counters.h"
#include "collect/iface.h"
#include "collect/nexthop.h"
#include "collect/sweep.h"
#include "daemon/daemon.h"
#include "daemon/push.h"
#include "rrlbd/state.h"
#include "rrlbd/turn.h"
#include "serve/control.h"
#include "sys/loop.h"
#include "util/log.h"

#define SECOND MONO_S(1)
#define TURN_GAP MONO_MS(1)
#define STARVED_GAP MONO_MS(5) /* until the budget of probes has something again */
#define SAVE_GAP MONO_S(1) /* the state file is written at most this often */

static void turn_push(struct daemon *d)
{
	struct plan *want = plan_new();
	int rc;

	if (!want) {
		log_errx("plan: out of memory");
		d->push_retry = true;
		return;
	}
	rc = plan_build(d->model, want);
	if (rc) {
		log_errx("plan: %s", strerror(-rc));
		plan_free(want);
		d->push_errors++;
		d->push_retry = true;
		return;
	}
	collect_fresh(d);
	if (!push_plan(d, want))
		model_planned(d->model);
}

/* Operator settings must survive whatever happens next, so they go to disk with the turn that made them. */
static void turn_save(struct daemon *d)
{
	mono_t now = daemon_now(d);

	if (!d->save_pending || mono_cmp(now, mono_add(d->saved_at, SAVE_GAP)) < 0)
		return;
	d->save_pending = false;
	d->saved_at = now;
	state_save(d);
}

/* Probes that could not start stay due, so the model's next time may be in the past: never sooner than `gap`. */
static void turn_arm(struct daemon *d, mono_t gap)
{
	mono_t soonest = mono_add(daemon_now(d), gap);

	loop_timer_at(d->tick, mono_cmp(d->tick_at, soonest) < 0 ? soonest : d->tick_at);
}

void daemon_turn(struct daemon *d)
{
	bool all;

	if (d->stopping)
		return;
	d->tick_at = model_tick(d->model, daemon_now(d));
	/* A failed push is tried again by the second's timer, not by every event. */
	if (model_dirty(d->model) && !d->push_retry) {
		d->save_pending = true;
		nexthop_new(d);
		turn_push(d);
	}
	sweep_kills(d);
	all = checks_run(d);
	control_events(d);
	turn_save(d);
	turn_arm(d, all ? TURN_GAP : STARVED_GAP);
}

/* Its only purpose is to end the wait: the turn follows. */
static void tick_fire(void *arg)
{
	(void)arg;
}

static void second_fire(void *arg)
{
	struct daemon *d = arg;

	loop_timer_at(d->second, mono_add(daemon_now(d), SECOND));
	d->push_retry = false;
	iface_status(d);
	nexthop_second(d);
	collect_period(d);
	sweep_run(d);
}

int turn_open(struct daemon *d)
{
	int rc = loop_timer(d->loop, &d->tick, tick_fire, d);

	if (!rc)
		rc = loop_timer(d->loop, &d->second, second_fire, d);
	if (!rc)
		loop_timer_at(d->second, daemon_now(d));
	return rc;
}
