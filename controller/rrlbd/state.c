/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state.c - what operators changed at run time and which endpoints were up, over a restart: a file.
 * What stands in it is state_rows.c's.
 *
 * The text is made here, in the loop, and written by a thread (sys/writer.c), one write at a time:
 * what changes while one is under way goes into the next. A write that fails is tried again by the
 * turn until one succeeds. A file that cannot be read or understood as a whole costs a warning and
 * is left under another name, so that the next write does not destroy it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "rrlbd/state.h"
#include "rrlbd/state_rows.h"
#include "sys/loop.h"
#include "sys/writer.h"
#include "util/log.h"

struct state_file {
	struct writer *writer;
	char *saved; /* text of the file as last written; NULL = not known */
	char *flying; /* text that is being written; NULL = none is */
	uint64_t begun; /* writes so far */
};

const char *state_path(const struct daemon *d)
{
	return d->state ? d->state : d->conf->state_file;
}

/* What the clock of the day is ahead of the loop's. */
static mono_t wall_ahead(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return mono_sub(MONO_US((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000), loop_clock());
}

static char *state_text(const struct daemon *d)
{
	static const struct state_rest none;
	struct model_saved *rows = NULL;
	json_t *root = NULL;
	char *text = NULL;
	size_t n = 0;

	if (!model_export(d->model, &rows, &n))
		root = state_encode(d->rest ? d->rest : &none, rows, n, wall_ahead());
	if (root)
		text = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	free(rows);
	return text;
}

static void state_failed(struct daemon *d, const char *path, int rc)
{
	if (rc != d->saving.rc)
		log_errx("%s: cannot be written: %s; tried again until it can", path,
			 strerror(-rc));
	if (!d->saving.since.us)
		d->saving.since = daemon_now(d);
}

static void state_written(const char *path, int rc, void *arg)
{
	struct daemon *d = arg;
	struct state_file *f = d->state_file;

	if (rc) {
		state_failed(d, path, rc);
		free(f->flying);
	} else {
		if (d->saving.rc)
			log_info("%s: written again", path);
		d->saving.since = MONO_US(0);
		free(f->saved);
		f->saved = f->flying;
	}
	f->flying = NULL;
	d->saving.rc = rc;
	d->saving.ended = f->begun;
}

int state_open(struct daemon *d)
{
	struct state_file *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	rc = writer_open(&f->writer, d->loop, state_written, d);
	if (rc)
		free(f);
	else
		d->state_file = f;
	return rc;
}

bool state_saving(const struct daemon *d)
{
	return d->state_file && d->state_file->flying;
}

/* The file is as it should be: who waits for the next write has it already. */
static int state_same(struct daemon *d, char *text)
{
	free(text);
	d->saving.ended = d->state_file->begun = d->saving.due;
	d->saving.since = MONO_US(0);
	return 0;
}

static int state_begin(struct daemon *d, char *text)
{
	struct state_file *f = d->state_file;
	int rc;

	f->flying = strdup(text);
	rc = f->flying ? writer_put(f->writer, state_path(d), text) : -ENOMEM;
	if (rc) {
		free(f->flying);
		f->flying = NULL;
		return rc;
	}
	d->saving.due = ++f->begun;
	d->saving.begun_at = daemon_now(d);
	return 0;
}

int state_save(struct daemon *d)
{
	struct state_file *f = d->state_file;
	char *text;

	if (!f)
		return 0;
	if (f->flying) {
		d->saving.due = f->begun + 1;
		return 0;
	}
	text = state_text(d);
	if (!text)
		return -ENOMEM;
	if (f->saved && !strcmp(text, f->saved))
		return state_same(d, text);
	return state_begin(d, text);
}

bool state_flush(struct daemon *d, mono_t patience)
{
	const mono_t until = mono_add(loop_clock(), patience);
	struct state_file *f = d->state_file;

	while (f && f->flying && writer_flush(f->writer, until)) {
		if (d->saving.due > d->saving.ended)
			state_save(d);
	}
	return !f || (!f->flying && !d->saving.rc);
}

/* A file that this version cannot use is kept aside. */
static void state_aside(const char *path, const char *why)
{
	char bad[512];

	snprintf(bad, sizeof(bad), "%s.bad", path);
	log_warnx("%s: %s; starting without it, kept as %s", path, why, bad);
	if (rename(path, bad))
		log_err("%s: rename", path);
}

/* Said once: from the next write on these rows stand among those that are set aside. */
static void aside_warn(const char *path, const struct state_rest *rest)
{
	size_t n = json_array_size(rest->aside);

	for (size_t i = n - rest->fresh; i < n; i++) {
		const json_t *entry = json_array_get(rest->aside, i);
		char *row = json_dumps(json_object_get(entry, "row"), JSON_ENCODE_ANY);

		log_warnx("%s: %s; set aside in the file, the other rows are used: %s", path,
			  json_string_value(json_object_get(entry, "why")), row ? row : "?");
		free(row);
	}
}

static void state_use(struct daemon *d, json_t *root)
{
	struct model_saved *rows = NULL;
	size_t n = 0;
	int rc = state_decode(d->rest, root, d->conf, wall_ahead(), &rows, &n);

	if (rc == -EPROTO)
		state_aside(state_path(d), "not a version that I know");
	else if (rc)
		log_errx("%s: %s", state_path(d), strerror(-rc));
	else
		model_import(d->model, rows, n, daemon_now(d));
	aside_warn(state_path(d), d->rest);
	free(rows);
}

int state_load(struct daemon *d)
{
	json_error_t err;
	json_t *root;

	if (access(state_path(d), F_OK))
		return 0; /* the first start */
	d->rest = calloc(1, sizeof(*d->rest));
	if (!d->rest)
		return -ENOMEM;
	root = json_load_file(state_path(d), 0, &err);
	if (root)
		state_use(d, root);
	else
		state_aside(state_path(d), err.text);
	json_decref(root);
	return 0;
}

void state_free(struct daemon *d)
{
	if (d->rest)
		state_rest_free(d->rest);
	free(d->rest);
	d->rest = NULL;
	if (!d->state_file)
		return;
	writer_close(d->state_file->writer);
	free(d->state_file->saved);
	free(d->state_file->flying);
	free(d->state_file);
	d->state_file = NULL;
}
