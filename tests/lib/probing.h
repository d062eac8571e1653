/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probing.h - one real probe from start to end, in a loop of its own. For tests of sys/probe.
 */
#ifndef TESTS_LIB_PROBING_H
#define TESTS_LIB_PROBING_H

#include "sys/loop.h"
#include "sys/probe.h"

#define PROBING_TAG 42
#define PROBING_TIMEOUT MONO_S(4) /* where the answer comes: room for a busy machine */
#define PROBING_SHORT MONO_MS(300) /* where it does not */

struct probing {
	struct loop *loop;
	struct loop_timer *guard; /* ends the loop */
	struct probes *ps;
	struct probe_result r; /* of the last */
	int results;
};

void probing_open(struct probing *w);
/* Until one more result is there, or `limit` has passed. */
void probing_run(struct probing *w, mono_t limit);
void probing_close(struct probing *w);

struct probe_result probe_once(const struct probe_target *t);
/* To a server on 127.0.0.1: ep.example, TLS 1.2, nothing verified. */
struct probe_target probe_target_local(enum probe_type type, uint16_t port);
/* The reason, and `text` (NULL = whatever) somewhere in the detail. */
void probe_expect(const struct probe_target *t, enum reason why, const char *text);

#endif
