/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state.c - what operators changed at run time and which endpoints were up, over a restart: a file.
 * What stands in it is state_rows.c's.
 *
 * Written whole to a temporary file, synced, renamed, and the folder synced: a crash leaves the old
 * or the new, never half. A file that cannot be read or understood as a whole costs a warning and
 * is left under another name, so that the next write does not destroy it.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "rrlbd/state.h"
#include "rrlbd/state_rows.h"
#include "util/log.h"

const char *state_path(const struct daemon *d)
{
	return d->state ? d->state : d->conf->state_file;
}

static char *state_text(const struct daemon *d)
{
	static const struct state_rest none;
	struct model_saved *rows = NULL;
	json_t *root = NULL;
	char *text = NULL;
	size_t n = 0;

	if (!model_export(d->model, &rows, &n))
		root = state_encode(d->rest ? d->rest : &none, rows, n);
	if (root)
		text = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	free(rows);
	return text;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

/* Makes the rename itself durable. */
static void sync_folder(const char *path)
{
	char copy[512];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static int state_write(const char *path, const char *text)
{
	char temp[512];
	int fd, rc;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return -ENAMETOOLONG;
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, text, strlen(text));
	close(fd);
	if (!rc && rename(temp, path))
		rc = -errno;
	if (rc)
		unlink(temp);
	else
		sync_folder(path);
	return rc;
}

int state_save(struct daemon *d)
{
	char *text = state_text(d);
	int rc;

	if (!text)
		return -ENOMEM;
	if (d->saved && !strcmp(text, d->saved)) {
		free(text);
		return 0;
	}
	rc = state_write(state_path(d), text);
	if (rc) {
		log_errx("%s: cannot be written: %s", state_path(d), strerror(-rc));
		free(text);
		return rc;
	}
	free(d->saved);
	d->saved = text;
	return 0;
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
	int rc = state_decode(d->rest, root, d->conf, &rows, &n);

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
	free(d->saved);
	d->rest = NULL;
	d->saved = NULL;
}
