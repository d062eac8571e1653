/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * writer.c - one thread that replaces files, and the two queues between it and the loop: jobs to
 * do, jobs that are done.
 *
 * The thread touches nothing but its jobs and the two queues, under the lock; what to write is a
 * finished text, so it never reads what the loop changes. An eventfd wakes the loop. The kernel may
 * keep the thread in a write for minutes: who closes the writer meanwhile leaves its memory to the
 * thread, because only the end of the process is to come.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "sys/writer.h"
#include "util/file.h"

#define WRITER_MODE 0600

struct job {
	STAILQ_ENTRY(job) link;
	char *path, *text;
	int rc;
};

STAILQ_HEAD(job_list, job);

struct writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more, less; /* there is a job; one has ended */
	struct job_list todo, ended; /* under the lock */
	bool closing; /* under the lock */
	unsigned int open; /* put, and not yet told of; the loop's */
	int event;
	struct loop_watch *watch;
	writer_fn done;
	void *arg;
};

static void job_free(struct job *j)
{
	free(j->path);
	free(j->text);
	free(j);
}

static void jobs_free(struct job_list *list)
{
	struct job *j;

	while ((j = STAILQ_FIRST(list))) {
		STAILQ_REMOVE_HEAD(list, link);
		job_free(j);
	}
}

static void writer_free(struct writer *w)
{
	jobs_free(&w->todo);
	jobs_free(&w->ended);
	pthread_cond_destroy(&w->more);
	pthread_cond_destroy(&w->less);
	pthread_mutex_destroy(&w->lock);
	close(w->event);
	free(w);
}

/* The next job, or NULL when it is time to go. */
static struct job *job_next(struct writer *w)
{
	struct job *j;

	while (STAILQ_EMPTY(&w->todo) && !w->closing)
		pthread_cond_wait(&w->more, &w->lock);
	if (w->closing)
		return NULL;
	j = STAILQ_FIRST(&w->todo);
	STAILQ_REMOVE_HEAD(&w->todo, link);
	return j;
}

static void job_ended(struct writer *w, struct job *j)
{
	const uint64_t one = 1;

	STAILQ_INSERT_TAIL(&w->ended, j, link);
	pthread_cond_signal(&w->less);
	/* Never full: the loop reads it empty. */
	while (write(w->event, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	struct job *j;

	pthread_mutex_lock(&w->lock);
	while ((j = job_next(w))) {
		pthread_mutex_unlock(&w->lock);
		j->rc = file_replace(j->path, j->text, strlen(j->text), WRITER_MODE);
		pthread_mutex_lock(&w->lock);
		job_ended(w, j);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Tells of all that has ended so far. */
static void tell(struct writer *w)
{
	struct job_list ended = STAILQ_HEAD_INITIALIZER(ended);
	struct job *j;

	pthread_mutex_lock(&w->lock);
	STAILQ_CONCAT(&ended, &w->ended);
	pthread_mutex_unlock(&w->lock);
	while ((j = STAILQ_FIRST(&ended))) {
		STAILQ_REMOVE_HEAD(&ended, link);
		w->open--;
		w->done(j->path, j->rc, w->arg);
		job_free(j);
	}
}

static void on_event(void *arg)
{
	struct writer *w = arg;
	uint64_t n;

	while (read(w->event, &n, sizeof(n)) < 0 && errno == EINTR)
		;
	tell(w);
}

/* Signals are the loop's. */
static int thread_start(struct writer *w)
{
	sigset_t all, was;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	rc = pthread_create(&w->thread, NULL, writer_main, w);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return -rc;
}

/* Times to wait until are CLOCK_MONOTONIC's. */
static int cond_open(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr);

	if (!rc)
		rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (!rc)
		rc = pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
	return -rc;
}

static int parts_open(struct writer *w, struct loop *l)
{
	int rc = cond_open(&w->less);

	w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!rc && w->event < 0)
		rc = -errno;
	if (!rc)
		rc = loop_reader(l, &w->watch, w->event, on_event, w);
	if (!rc)
		rc = thread_start(w);
	return rc;
}

int writer_open(struct writer **out, struct loop *l, writer_fn done, void *arg)
{
	struct writer *w = calloc(1, sizeof(*w));
	int rc;

	*out = NULL;
	if (!w)
		return -ENOMEM;
	w->done = done;
	w->arg = arg;
	STAILQ_INIT(&w->todo);
	STAILQ_INIT(&w->ended);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	rc = parts_open(w, l);
	if (rc) {
		loop_watch_free(w->watch);
		writer_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

int writer_put(struct writer *w, const char *path, char *text)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j)
		j->path = strdup(path);
	if (!j || !j->path) {
		free(j);
		free(text);
		return -ENOMEM;
	}
	j->text = text;
	w->open++;
	pthread_mutex_lock(&w->lock);
	STAILQ_INSERT_TAIL(&w->todo, j, link);
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	return 0;
}

/* False = `until` has come and nothing has ended. */
static bool wait_ended(struct writer *w, const struct timespec *until)
{
	bool ended;

	pthread_mutex_lock(&w->lock);
	while (STAILQ_EMPTY(&w->ended) && !pthread_cond_timedwait(&w->less, &w->lock, until))
		;
	ended = !STAILQ_EMPTY(&w->ended);
	pthread_mutex_unlock(&w->lock);
	return ended;
}

static struct timespec timespec_of(mono_t t)
{
	return (struct timespec){ .tv_sec = t.us / 1000000, .tv_nsec = t.us % 1000000 * 1000 };
}

bool writer_flush(struct writer *w, mono_t until)
{
	const struct timespec ts = timespec_of(until);

	while (w->open && wait_ended(w, &ts))
		tell(w);
	return !w->open;
}

void writer_close(struct writer *w)
{
	if (!w)
		return;
	loop_watch_free(w->watch);
	pthread_mutex_lock(&w->lock);
	w->closing = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	if (w->open) {
		pthread_detach(w->thread);
		return;
	}
	pthread_join(w->thread, NULL);
	writer_free(w);
}
