/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * loop.h - the event loop: libevent, run one batch of events at a time, with one clock reading a batch.
 *
 * A batch is what one wait returned. After its callbacks the `after` function runs once: that is where the
 * daemon gathers, plans and pushes. Sockets are added by their owners with loop_base().
 */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include "util/clock.h"

struct event_base;
struct loop;
struct loop_timer;

typedef void (*loop_fn)(void *arg);
typedef void (*loop_signal_fn)(int sig, void *arg);

int loop_open(struct loop **l);
void loop_close(struct loop *l);
struct event_base *loop_base(struct loop *l);
/* The time of this batch: read at its first use, the same until the batch ends. */
mono_t loop_now(struct loop *l);
/* The clock itself, for measuring how long something took. */
mono_t loop_clock(void);
int loop_signal(struct loop *l, int sig, loop_signal_fn fn, void *arg);
/* Calls `fn` when `fd` is readable. */
int loop_reader(struct loop *l, int fd, loop_fn fn, void *arg);
/* A one-shot timer, armed by loop_timer_at(); a time in the past fires in the next batch. */
int loop_timer(struct loop *l, struct loop_timer **t, loop_fn fn, void *arg);
void loop_timer_at(struct loop_timer *t, mono_t at);
void loop_timer_stop(struct loop_timer *t);
/* Runs until loop_stop(). `after` runs after every batch. 0 or -errno. */
int loop_run(struct loop *l, loop_fn after, void *arg);
void loop_stop(struct loop *l);

#endif
