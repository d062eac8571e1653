/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ask.c - does what requests and signals have asked of the order of things: a reload, a detach.
 * It runs first in a turn, so that the plan which follows already has it.
 *
 * An ask is done also when nobody waits for it any more. One that fails leaves a report and
 * changes nothing for those that come after it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/iface.h"
#include "rrlbd/ask.h"
#include "rrlbd/reload.h"

static void ask_reload(struct daemon *d, struct ask *a)
{
	a->rc = daemon_reload(d, a->reset, a->uid, &a->report);
	a->generation = d->conf_generation;
}

/* The last failure is the report; what is detached stays so. */
static void ask_failed(struct ask *a, int rc, const char *where, const char *why)
{
	free(a->report);
	a->rc = rc;
	if (asprintf(&a->report, "%s%s%s", where, *where ? ": " : "", why) < 0)
		a->report = NULL;
}

static void ask_detach(struct daemon *d, struct ask *a)
{
	int rc;

	for (size_t i = 0; i < a->ifaces; i++) {
		rc = iface_detach(d, a->iface[i]);
		if (rc)
			ask_failed(a, rc, a->iface[i], dp_error(d->dp));
		else
			a->detached |= 1u << i;
	}
	if (a->rc || !a->unpin)
		return;
	rc = dp_unpin(d->dp);
	if (rc)
		ask_failed(a, rc, "", dp_error(d->dp));
}

void ask_run(struct daemon *d)
{
	struct ask *a;

	while ((a = TAILQ_FIRST(&d->asks))) {
		TAILQ_REMOVE(&d->asks, a, link);
		if (a->kind == ASK_RELOAD)
			ask_reload(d, a);
		else
			ask_detach(d, a);
		if (a->done)
			a->done(a, a->arg);
	}
}
