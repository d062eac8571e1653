/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * loop.h - the event loop: libevent, run one batch of events at a time, with one clock reading a
 * batch.
 *
 * A batch is what one wait returned. After its callbacks the `after` function runs once: that is
 * where the daemon gathers, plans and pushes. No libevent type shows: other files of sys/ put
 * their sockets in through loop_int.h.
 *
 * Watches and timers belong to the loop. Their number is bounded by memory alone. Each may be
 * freed at any time, also inside any callback, its own included; after that its callback does not
 * run. What is left is freed by loop_close(). One thread only.
 */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include <stdbool.h>

#include "util/clock.h"

struct loop;
struct loop_watch;
struct loop_timer;

typedef void (*loop_fn)(void *arg);
typedef void (*loop_signal_fn)(int sig, void *arg);

/* 0 or -ENOMEM. */
int loop_open(struct loop **l);
/* Not inside a callback. Accepts NULL. */
void loop_close(struct loop *l);

/* The time of this batch: read at its first use, the same until the batch ends. */
mono_t loop_now(struct loop *l);
/* The clock itself (CLOCK_MONOTONIC), for measuring how long something took. */
mono_t loop_clock(void);
/* CLOCK_BOOTTIME: it goes on while the host sleeps. Not to be mixed with the others. */
mono_t loop_boot(void);

/*
 * Call `fn` whenever the signal `sig` has come, or `fd` is readable (it is called again while
 * bytes are left, and at the end of the stream). The descriptor stays the caller's: free the watch
 * first, then close it. `w` may be NULL when the watch lives as long as the loop. 0, -ENOMEM, or
 * -EINVAL for a descriptor that cannot be waited for.
 */
int loop_signal(struct loop *l, struct loop_watch **w, int sig, loop_signal_fn fn, void *arg);
int loop_reader(struct loop *l, struct loop_watch **w, int fd, loop_fn fn, void *arg);
/* Accepts NULL. */
void loop_watch_free(struct loop_watch *w);

/* A one-shot timer, not armed yet. 0 or -ENOMEM. */
int loop_timer(struct loop *l, struct loop_timer **t, loop_fn fn, void *arg);
/* Arms it, or moves it when it is armed. A time in the past fires in the next batch; MONO_NEVER
 * stops it. */
void loop_timer_at(struct loop_timer *t, mono_t at);
void loop_timer_stop(struct loop_timer *t);
/* Will it fire, as things stand? Not inside its own callback, unless that has armed it again. */
bool loop_timer_armed(const struct loop_timer *t);
/* Accepts NULL. */
void loop_timer_free(struct loop_timer *t);

/* Runs until loop_stop(), which may have come before. `after` runs after every batch. It may run
 * again later. 0 or -EIO. */
int loop_run(struct loop *l, loop_fn after, void *arg);
/* Ends loop_run() when the running batch and its `after` are done. */
void loop_stop(struct loop *l);

#endif
