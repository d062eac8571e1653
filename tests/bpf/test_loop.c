/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_loop.c - watches and timers come and go: many of them, and freed inside their own and
 * inside others' callbacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sys/loop.h"

#define MANY 1000

struct bell {
	struct loop *loop;
	struct loop_watch *watch;
	struct bell *other; /* freed by the first callback */
	int fd;
	int rings;
};

static void none(void *arg)
{
	(void)arg;
}

static void stop(void *arg)
{
	loop_stop(arg);
}

/* Runs the loop until nothing has come for a while. */
static void run_for(struct loop *l, mono_t how_long)
{
	struct loop_timer *t;

	assert_int_equal(loop_timer(l, &t, stop, l), 0);
	loop_timer_at(t, mono_add(loop_clock(), how_long));
	assert_int_equal(loop_run(l, none, NULL), 0);
	loop_timer_free(t);
}

static void bell_drop(struct bell *b)
{
	loop_watch_free(b->watch);
	b->watch = NULL;
	close(b->fd);
	b->fd = -1;
}

static void bell_rings(void *arg)
{
	struct bell *b = arg;
	uint64_t n;

	b->rings++;
	assert_int_equal(read(b->fd, &n, sizeof(n)), sizeof(n));
	if (b->other)
		bell_drop(b->other);
}

static void bell_rings_once(void *arg)
{
	bell_rings(arg);
	bell_drop(arg);
}

static void bell_hang(struct bell *b, struct loop *l, loop_fn fn, unsigned int ringing)
{
	*b = (struct bell){ .loop = l, .fd = eventfd(ringing, EFD_CLOEXEC | EFD_NONBLOCK) };
	assert_true(b->fd >= 0);
	assert_int_equal(loop_reader(l, &b->watch, b->fd, fn, b), 0);
}

static void test_many(void **state)
{
	static struct bell b[MANY];
	struct rlimit rl;
	struct loop *l;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
	assert_int_equal(loop_open(&l), 0);
	for (size_t i = 0; i < MANY; i++)
		bell_hang(&b[i], l, bell_rings, 1);
	/* every other one is gone before anything ran */
	for (size_t i = 0; i < MANY; i += 2)
		bell_drop(&b[i]);
	run_for(l, MONO_MS(100));
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(b[i].rings, i % 2);
	/* what is left is the loop's to free */
	loop_close(l);
	for (size_t i = 1; i < MANY; i += 2)
		close(b[i].fd);
}

static void test_freed_by_itself(void **state)
{
	static struct bell b[MANY];
	struct loop *l;

	(void)state;
	assert_int_equal(loop_open(&l), 0);
	for (size_t i = 0; i < MANY; i++)
		bell_hang(&b[i], l, bell_rings_once, 2);
	run_for(l, MONO_MS(100));
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(b[i].rings, 1);
		assert_null(b[i].watch);
	}
	loop_close(l);
}

/* Both are ready in one batch; whoever comes first frees the other, whose callback must not run. */
static void test_freed_by_another(void **state)
{
	struct bell b[2];
	struct loop *l;

	(void)state;
	assert_int_equal(loop_open(&l), 0);
	bell_hang(&b[0], l, bell_rings, 1);
	bell_hang(&b[1], l, bell_rings, 1);
	b[0].other = &b[1];
	b[1].other = &b[0];
	run_for(l, MONO_MS(50));
	assert_int_equal(b[0].rings + b[1].rings, 1);
	assert_true(!b[0].watch != !b[1].watch);
	for (size_t i = 0; i < 2; i++) {
		if (b[i].watch)
			bell_drop(&b[i]);
	}
	loop_close(l);
}

static void bell_hangs_another(void *arg)
{
	struct bell *b = arg;

	bell_rings(b);
	bell_hang(b + 1, b->loop, bell_rings, 1);
	bell_drop(b);
}

/* A watch that is made inside a callback is heard in the next batch. */
static void test_made_inside(void **state)
{
	struct bell b[2];
	struct loop *l;

	(void)state;
	assert_int_equal(loop_open(&l), 0);
	bell_hang(&b[0], l, bell_hangs_another, 1);
	run_for(l, MONO_MS(50));
	assert_int_equal(b[1].rings, 1);
	bell_drop(&b[1]);
	loop_close(l);
}

/* A closed descriptor cannot be waited for. NULL may be freed. */
static void test_refused(void **state)
{
	struct loop_watch *w = NULL;
	struct loop *l;
	int fd[2];

	(void)state;
	assert_int_equal(loop_open(&l), 0);
	assert_int_equal(pipe(fd), 0);
	close(fd[0]);
	close(fd[1]);
	assert_int_equal(loop_reader(l, &w, fd[0], none, NULL), -EINVAL);
	assert_null(w);
	loop_watch_free(NULL);
	loop_timer_free(NULL);
	loop_close(l);
	loop_close(NULL);
}

struct ear {
	struct loop_watch *watch;
	int heard;
	bool last; /* is freed when it has heard */
};

static void hears(int sig, void *arg)
{
	struct ear *e = arg;

	assert_int_equal(sig, SIGUSR1);
	e->heard++;
	if (e->last) {
		loop_watch_free(e->watch);
		e->watch = NULL;
	}
}

static void test_signals(void **state)
{
	struct ear once = { .last = true }, always = { .heard = 0 };
	struct loop *l;

	(void)state;
	signal(SIGUSR1, SIG_IGN);
	assert_int_equal(loop_open(&l), 0);
	assert_int_equal(loop_signal(l, &once.watch, SIGUSR1, hears, &once), 0);
	assert_int_equal(loop_signal(l, &always.watch, SIGUSR1, hears, &always), 0);
	raise(SIGUSR1);
	run_for(l, MONO_MS(50));
	assert_int_equal(once.heard, 1);
	assert_int_equal(always.heard, 1);
	loop_close(l);
	/* the disposition is as it was */
	raise(SIGUSR1);
	assert_int_equal(loop_open(&l), 0);
	assert_int_equal(loop_signal(l, &always.watch, SIGUSR1, hears, &always), 0);
	raise(SIGUSR1);
	run_for(l, MONO_MS(50));
	assert_int_equal(always.heard, 2);
	loop_watch_free(always.watch);
	raise(SIGUSR1);
	loop_close(l);
	assert_int_equal(always.heard, 2);
}

struct clockwork {
	struct loop_timer *t;
	struct clockwork *other;
	int fired;
	bool armed_inside;
};

static void fires(void *arg)
{
	struct clockwork *c = arg;

	c->fired++;
	c->armed_inside = loop_timer_armed(c->t);
	if (c->other && c->other->t) {
		loop_timer_free(c->other->t);
		c->other->t = NULL;
	}
	loop_timer_free(c->t);
	c->t = NULL;
}

static void test_timers(void **state)
{
	static struct clockwork c[MANY];
	struct clockwork pair[2] = { { .other = &pair[1] }, { .other = &pair[0] } };
	struct clockwork stopped = { .fired = 0 };
	struct loop *l;

	(void)state;
	assert_int_equal(loop_open(&l), 0);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(loop_timer(l, &c[i].t, fires, &c[i]), 0);
		assert_false(loop_timer_armed(c[i].t));
		loop_timer_at(c[i].t, mono_add(loop_clock(), MONO_US((int64_t)i * 20)));
		assert_true(loop_timer_armed(c[i].t));
	}
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(loop_timer(l, &pair[i].t, fires, &pair[i]), 0);
		loop_timer_at(pair[i].t, MONO_US(0));
	}
	assert_int_equal(loop_timer(l, &stopped.t, fires, &stopped), 0);
	loop_timer_at(stopped.t, MONO_US(0));
	loop_timer_at(stopped.t, MONO_NEVER);
	assert_false(loop_timer_armed(stopped.t));
	run_for(l, MONO_MS(100));
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(c[i].fired, 1);
		assert_false(c[i].armed_inside);
	}
	assert_int_equal(pair[0].fired + pair[1].fired, 1);
	assert_int_equal(stopped.fired, 0);
	loop_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_freed_by_itself),
		cmocka_unit_test(test_freed_by_another),
		cmocka_unit_test(test_made_inside),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_timers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
