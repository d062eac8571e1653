/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state.c - what operators changed at run time and which endpoints were up, over a restart: a JSON file.
 *
 * Written whole to a temporary file, synced, renamed, and the folder synced: a crash leaves the old or the new, never
 * half. A file that cannot be read or understood costs a warning and is left where it is under another name, so that
 * the next write does not destroy it.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "daemon/daemon.h"
#include "rrlbd/state.h"
#include "util/log.h"

#define STATE_VERSION 1

const char *state_path(const struct daemon *d)
{
	return d->state ? d->state : d->conf->state_file;
}

static json_t *row_json(const struct model_saved *r)
{
	char ep[ADDR_STRLEN] = "";

	if (r->endpoint.family)
		addr_print(&r->endpoint, ep, sizeof(ep));
	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:i, s:b, s:b}", "service", r->service,
			 "endpoint", ep, "admin", word_of(ep_admin_words, (int)r->admin),
			 "admin_set", r->admin_set, "added", r->added, "deleted", r->deleted,
			 "weight", (int)r->weight, "was_up", r->was_up, "paused", r->paused);
}

static bool row_parse(json_t *j, struct model_saved *r)
{
	int admin_set, added, deleted, was_up, paused, weight;
	const char *service, *ep, *admin;
	int value;

	memset(r, 0, sizeof(*r));
	if (json_unpack(j, "{s:s, s:s, s:s, s:b, s:b, s:b, s:i, s:b, s:b}", "service", &service,
			"endpoint", &ep, "admin", &admin, "admin_set", &admin_set, "added", &added,
			"deleted", &deleted, "weight", &weight, "was_up", &was_up, "paused",
			&paused))
		return false;
	if (strlen(service) >= sizeof(r->service) || weight < 0 || weight > 1000 ||
	    !word_find(ep_admin_words, admin, &value) ||
	    (*ep && addr_parse(&r->endpoint, ep, true)))
		return false;
	snprintf(r->service, sizeof(r->service), "%s", service);
	r->admin = (enum ep_admin)value;
	r->admin_set = admin_set;
	r->added = added;
	r->deleted = deleted;
	r->weight = (uint32_t)weight;
	r->was_up = was_up;
	r->paused = paused;
	return true;
}

static char *state_text(const struct daemon *d)
{
	json_t *root = NULL, *list = json_array();
	struct model_saved *rows = NULL;
	char *text = NULL;
	size_t n = 0;
	int rc = list ? model_export(d->model, &rows, &n) : -ENOMEM;

	for (size_t i = 0; !rc && i < n; i++)
		rc = json_array_append_new(list, row_json(&rows[i]));
	free(rows);
	if (!rc)
		root = json_pack("{s:i, s:O}", "version", STATE_VERSION, "rows", list);
	if (root)
		text = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	json_decref(list);
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

static int state_rows(json_t *root, struct model_saved **rows, size_t *n)
{
	json_t *list = json_object_get(root, "rows");
	json_int_t version = json_integer_value(json_object_get(root, "version"));

	if (version != STATE_VERSION || !json_is_array(list))
		return -EPROTO;
	*rows = calloc(json_array_size(list) + 1, sizeof(**rows));
	if (!*rows)
		return -ENOMEM;
	for (*n = 0; *n < json_array_size(list); (*n)++) {
		if (!row_parse(json_array_get(list, *n), &(*rows)[*n]))
			return -EBADMSG;
	}
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

int state_load(struct daemon *d)
{
	struct model_saved *rows = NULL;
	json_error_t err;
	json_t *root;
	size_t n = 0;
	int rc;

	if (access(state_path(d), F_OK))
		return 0; /* the first start */
	root = json_load_file(state_path(d), 0, &err);
	if (!root) {
		state_aside(state_path(d), err.text);
		return 0;
	}
	rc = state_rows(root, &rows, &n);
	if (rc == -ENOMEM)
		log_errx("%s: out of memory", state_path(d));
	else if (rc)
		state_aside(state_path(d), rc == -EPROTO ? "not a version that I know"
							 : "a row is not understood");
	else
		model_import(d->model, rows, n, daemon_now(d));
	free(rows);
	json_decref(root);
	return 0;
}
