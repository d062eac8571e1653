/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * daemon.h - the one context of rrlbd. Each field names its only writer; everybody may read.
 *
 * The parts stand around it in folders that depend on each other in one direction: daemon (this,
 * the clock of the turn, push), collect (facts into the model), serve (the view to readers),
 * rrlbd (the order of things).
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "daemon/ask.h"
#include "daemon/facts.h"
#include "model/model.h"
#include "model/plan.h"
#include "model/view.h"
#include "rr_table.h"
#include "sys/dp.h"
#include "sys/netlink.h"

struct loop;
struct control;
struct checks;
struct nexthop;
struct snapshot;
struct state_file;
struct state_rest;
struct sweep;
struct trust;
struct turn;

struct daemon {
	/* main.c, before anything else runs: */
	const char *conf_path;
	const char *socket; /* --socket overrides conf->socket; NULL */
	const char *state; /* --state overrides conf->state_file; NULL */
	struct loop *loop;
	struct model *model; /* its own writer: who calls it */
	struct dp *dp;
	bool adopted; /* maps that already ran were taken over */
	mono_t started;
	bool stopping; /* no turn but the one that answers */

	/* reload.c; the first by main.c: */
	struct conf *conf; /* in force */
	uint64_t conf_generation;
	mono_t conf_at;
	bool conf_ok; /* the last reload succeeded */
	char conf_error[256]; /* first line of why not */

	/* turn.c: */
	struct turn *turn; /* its own */
	mono_t tick_at; /* when the model next wants to run */

	/* state.c: */
	struct state_file *state_file; /* its own */
	struct saving saving;
	struct state_rest *rest; /* what the state file holds beyond the model's rows */

	/* Whoever asks puts in at the end; ask.c takes out. */
	struct ask_list asks;

	/* push.c; the first by main.c: */
	struct plan *have; /* what the maps hold */
	uint32_t hz;
	uint64_t push_total, push_errors; /* turn.c counts those that found no memory */
	bool push_retry; /* the last push stopped half way: turn.c clears it every second */

	/* counters.c; the memory by main.c, ep_lag by sweep.c: */
	struct counters *counters;

	/* sweep.c: */
	struct sweep *sweep; /* its own */
	struct occupancy occupancy;

	/*
	 * iface.c: by interface slot. A slot stays with its name over reloads and restarts,
	 * because learned next hops hold it; so there may be holes (name ""), and `ifaces` is one
	 * more than the last slot in use.
	 */
	struct dp_iface_status iface[RR_MAX_IFACES];
	size_t ifaces;
	enum iface_use iface_use[RR_MAX_IFACES];
	mono_t iface_retry[RR_MAX_IFACES]; /* attaching failed: try again then; 0 = no need */
	char pins_error[256]; /* why pins cannot be kept; "" = they are there */
	bool attach_open; /* main.c: the first push is done, programs may be attached */

	/* nexthop.c: */
	struct nexthop *nexthop; /* its own */
	struct nl *nl;

	/* checks.c: */
	struct checks *checks; /* its own */

	/* trust.c: */
	struct trust *trust; /* its own */

	/* control.c: */
	struct control *control; /* serve's own */
	uint64_t events_told; /* number of the event that is expected next (events.c) */

	/* snapshot.c: */
	struct snapshot *snapshot; /* of this batch; NULL = nobody has asked yet */
	uint64_t snapshots; /* made so far */
};

/* now.c: the time of this batch of events; the same until the batch ends. Monotonic. */
mono_t daemon_now(const struct daemon *d);

#endif
