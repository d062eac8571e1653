/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * loop.c - libevent in turns.
 *
 * libevent 2.1 has no hook between "all callbacks of this wait have run" and the next wait, and
 * that is exactly where a turn belongs: a change found by any callback must reach the maps before
 * the process sleeps again. So the loop runs with EVLOOP_ONCE, which returns at that point.
 *
 * The clock is read when somebody first asks within a batch and forgotten when the batch ends, so
 * that everything that happens in one batch happens at one time.
 *
 * Owns every watch and timer made through it. One that is freed is taken out of libevent at once,
 * also when it had already fired in the running batch: its callback does not run any more, so
 * owners may free inside any callback.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

#include <event2/event.h>

#include "sys/loop_int.h"

struct loop_watch {
	LIST_ENTRY(loop_watch) link;
	struct event *ev;
	loop_fn fn;
	loop_signal_fn signal;
	void *arg;
};

struct loop_timer {
	LIST_ENTRY(loop_timer) link;
	struct event *ev;
	loop_fn fn;
	void *arg;
};

struct loop {
	struct event_base *base;
	mono_t now;
	bool now_valid;
	bool stop;
	LIST_HEAD(, loop_watch) watches;
	LIST_HEAD(, loop_timer) timers;
};

static mono_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return MONO_US((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

mono_t loop_clock(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

mono_t loop_boot(void)
{
	return clock_read(CLOCK_BOOTTIME);
}

mono_t loop_now(struct loop *l)
{
	if (!l->now_valid) {
		l->now = loop_clock();
		l->now_valid = true;
	}
	return l->now;
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

static struct event_base *loop_base_new(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base;

	if (!cfg)
		return NULL;
	/* Without this, libevent rounds every timeout to the coarse clock: up to a jiffy late. */
	event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

int loop_open(struct loop **out)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->base = loop_base_new();
	if (!l->base) {
		free(l);
		return -ENOMEM;
	}
	*out = l;
	return 0;
}

void loop_close(struct loop *l)
{
	if (!l)
		return;
	while (!LIST_EMPTY(&l->watches))
		loop_watch_free(LIST_FIRST(&l->watches));
	while (!LIST_EMPTY(&l->timers))
		loop_timer_free(LIST_FIRST(&l->timers));
	event_base_free(l->base);
	free(l);
}

static void watch_fire(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *w = arg;

	if (what & EV_SIGNAL)
		w->signal((int)fd, w->arg);
	else
		w->fn(w->arg);
}

static int watch_new(struct loop *l, struct loop_watch **out, int fd, short what,
		     struct loop_watch with)
{
	struct loop_watch *w = malloc(sizeof(*w));

	if (!w)
		return -ENOMEM;
	*w = with;
	w->ev = event_new(l->base, fd, what | EV_PERSIST, watch_fire, w);
	if (!w->ev) {
		free(w);
		return -ENOMEM;
	}
	if (event_add(w->ev, NULL)) {
		event_free(w->ev);
		free(w);
		return -EINVAL;
	}
	LIST_INSERT_HEAD(&l->watches, w, link);
	if (out)
		*out = w;
	return 0;
}

int loop_signal(struct loop *l, struct loop_watch **out, int sig, loop_signal_fn fn, void *arg)
{
	return watch_new(l, out, sig, EV_SIGNAL, (struct loop_watch){ .signal = fn, .arg = arg });
}

int loop_reader(struct loop *l, struct loop_watch **out, int fd, loop_fn fn, void *arg)
{
	return watch_new(l, out, fd, EV_READ, (struct loop_watch){ .fn = fn, .arg = arg });
}

void loop_watch_free(struct loop_watch *w)
{
	if (!w)
		return;
	LIST_REMOVE(w, link);
	event_free(w->ev);
	free(w);
}

static void timer_fire(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;

	(void)fd;
	(void)what;
	t->fn(t->arg);
}

int loop_timer(struct loop *l, struct loop_timer **out, loop_fn fn, void *arg)
{
	struct loop_timer *t = malloc(sizeof(*t));

	if (!t)
		return -ENOMEM;
	*t = (struct loop_timer){ .fn = fn, .arg = arg };
	t->ev = evtimer_new(l->base, timer_fire, t);
	if (!t->ev) {
		free(t);
		return -ENOMEM;
	}
	LIST_INSERT_HEAD(&l->timers, t, link);
	*out = t;
	return 0;
}

void loop_timer_at(struct loop_timer *t, mono_t at)
{
	int64_t us = mono_is_never(at) ? -1 : mono_sub(at, loop_clock()).us;
	struct timeval tv;

	if (mono_is_never(at)) {
		event_del(t->ev);
		return;
	}
	if (us < 0)
		us = 0;
	tv = (struct timeval){ .tv_sec = us / 1000000, .tv_usec = us % 1000000 };
	event_add(t->ev, &tv);
}

void loop_timer_stop(struct loop_timer *t)
{
	event_del(t->ev);
}

bool loop_timer_armed(const struct loop_timer *t)
{
	return event_pending(t->ev, EV_TIMEOUT, NULL);
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	LIST_REMOVE(t, link);
	event_free(t->ev);
	free(t);
}

int loop_run(struct loop *l, loop_fn after, void *arg)
{
	while (!l->stop) {
		l->now_valid = false;
		if (event_base_loop(l->base, EVLOOP_ONCE) < 0)
			return -EIO;
		after(arg);
	}
	l->stop = false;
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
