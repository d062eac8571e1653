/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probing.c - one real probe from start to end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/probing.h"

static void on_done(void *arg, uint64_t tag, const struct probe_result *r)
{
	struct probing *w = arg;

	assert_int_equal(tag, PROBING_TAG);
	w->r = *r;
	w->results++;
	loop_stop(w->loop);
}

static void on_guard(void *arg)
{
	struct probing *w = arg;

	loop_stop(w->loop);
}

static void after(void *arg)
{
	(void)arg;
}

void probing_open(struct probing *w)
{
	*w = (struct probing){ .results = 0 };
	assert_int_equal(loop_open(&w->loop), 0);
	assert_int_equal(loop_timer(w->loop, &w->guard, on_guard, w), 0);
	assert_int_equal(probes_open(&w->ps, w->loop, on_done, w), 0);
}

void probing_run(struct probing *w, mono_t limit)
{
	loop_timer_at(w->guard, mono_add(loop_clock(), limit));
	assert_int_equal(loop_run(w->loop, after, NULL), 0);
}

void probing_close(struct probing *w)
{
	probes_close(w->ps);
	loop_close(w->loop);
}

struct probe_result probe_once(const struct probe_target *t)
{
	struct probing w;

	probing_open(&w);
	assert_int_equal(probe_start(w.ps, PROBING_TAG, t), 0);
	probing_run(&w, MONO_S(10));
	assert_int_equal(w.results, 1);
	assert_int_equal(probes_inflight(w.ps), 0);
	probing_close(&w);
	return w.r;
}

struct probe_target probe_target_local(enum probe_type type, uint16_t port)
{
	return (struct probe_target){
		.type = type,
		.to = { .family = 4, .port = port, .ip = { 127, 0, 0, 1 } },
		.timeout = PROBING_TIMEOUT,
		.tls_min = 12,
		.sni = "ep.example",
		.status_lo = 200,
		.status_hi = 399,
	};
}

void probe_expect(const struct probe_target *t, enum reason why, const char *text)
{
	struct probe_result r = probe_once(t);

	if (r.why != why)
		fail_msg("%s (errno %d, %s), expected %s", reason_name(r.why), r.err, r.text,
			 reason_name(why));
	if (text && !strstr(r.text, text))
		fail_msg("text '%s', expected '%s' in it", r.text, text);
}
