/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * turn.c - what happens after every batch of events: what was asked for is done, time passes in
 * the model, due probes start, and if anything changed that the packet path should know, one plan
 * is made and pushed before the process sleeps. Only then, with everything in the maps and in the
 * state file (or a word about why not), who asked for a change is answered. Nobody else calls the
 * turn: what happens in a batch is gathered, however much it is, and costs one push and one save.
 *
 * Once a second come the things that need no hurry: counters, the walk over the flow tables, next
 * hops, interfaces.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/checks.h"
#include "collect/counters.h"
#include "collect/iface.h"
#include "collect/nexthop.h"
#include "collect/sweep.h"
#include "collect/trust.h"
#include "daemon/daemon.h"
#include "daemon/push.h"
#include "rrlbd/ask.h"
#include "rrlbd/state.h"
#include "rrlbd/turn.h"
#include "serve/control.h"
#include "serve/snapshot.h"
#include "sys/loop.h"
#include "util/log.h"

#define SECOND MONO_S(1)
#define TURN_GAP MONO_MS(1)
#define STARVED_GAP MONO_MS(5) /* until the budget of probes has something again */
#define SAVE_GAP MONO_S(1) /* the state file is written at most this often */

struct turn {
	struct loop_timer *tick, *second; /* the model's next time; once a second */
	mono_t saved_at;
	bool save_pending; /* what the state file holds may have changed since saved_at */
};

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

/* Something waits to be written: a change, or what could not be written. */
static bool save_waits(const struct daemon *d)
{
	const struct turn *t = d->turn;

	return (t->save_pending || d->saving.rc) &&
	       mono_cmp(daemon_now(d), mono_add(t->saved_at, SAVE_GAP)) >= 0;
}

/*
 * Operator settings must survive whatever happens next, so their way to the disk begins with the
 * turn that made them, and who made them is answered when they are there. What changes by itself
 * (who is up) is written less often. While a write is under way, an asker's change is due in the
 * next one, and the end of the first brings us here again.
 */
static void turn_save(struct daemon *d, bool asked)
{
	struct turn *t = d->turn;
	bool owed = d->saving.due > d->saving.ended && !state_saving(d);

	if (!d->state_file || (!asked && !owed && (state_saving(d) || !save_waits(d))))
		return;
	t->save_pending = false;
	t->saved_at = daemon_now(d);
	if (state_save(d)) {
		log_errx("state: out of memory");
		t->save_pending = true;
	}
}

/*
 * Probes that could not start stay due, so the model's next time may be in the past: never sooner
 * than `gap`.
 */
static void turn_arm(struct daemon *d, mono_t gap)
{
	mono_t soonest = mono_add(daemon_now(d), gap);

	loop_timer_at(d->turn->tick, mono_cmp(d->tick_at, soonest) < 0 ? soonest : d->tick_at);
}

/*
 * What the model now wants goes to the maps. A failed push is tried again by the second's timer,
 * not by every event.
 */
static void turn_plan(struct daemon *d)
{
	d->tick_at = model_tick(d->model, daemon_now(d));
	if (!model_dirty(d->model) || d->push_retry)
		return;
	d->turn->save_pending = true;
	nexthop_new(d);
	turn_push(d);
}

/*
 * When we are to stop, only who has asked for a change still gets what he asked for and his
 * answer; no probe starts. Readers of this turn see what it has made: the snapshot of the batch
 * before it is forgotten, and at the end this turn's own.
 */
void daemon_turn(struct daemon *d)
{
	bool asked = control_asked(d), all;

	if (d->stopping && !asked)
		return;
	ask_run(d);
	turn_plan(d);
	sweep_kills(d);
	all = d->stopping || checks_run(d);
	snapshot_forget(d);
	control_events(d);
	turn_save(d, asked);
	control_turn(d);
	snapshot_forget(d);
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

	loop_timer_at(d->turn->second, mono_add(daemon_now(d), SECOND));
	d->push_retry = false;
	iface_pins(d);
	iface_status(d);
	nexthop_second(d);
	trust_second(d);
	collect_period(d);
	sweep_run(d);
}

int turn_open(struct daemon *d)
{
	struct turn *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	d->turn = t;
	rc = loop_timer(d->loop, &t->tick, tick_fire, d);
	if (!rc)
		rc = loop_timer(d->loop, &t->second, second_fire, d);
	if (!rc)
		loop_timer_at(t->second, daemon_now(d));
	return rc;
}

void turn_close(struct daemon *d)
{
	if (!d->turn)
		return;
	loop_timer_free(d->turn->tick);
	loop_timer_free(d->turn->second);
	free(d->turn);
	d->turn = NULL;
}
