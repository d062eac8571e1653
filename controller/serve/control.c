/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control.c - the control socket: it is opened, and lines become requests of sessions.
 *
 * Two sockets lead to the same verbs, because connecting is a matter of file modes and a file has
 * one group: PATH belongs to the operators' group, PATH with "-ro" to the readers'. What a client
 * may do is peer.c's to say, which verb answers is dispatch.c's. A group that does not exist is
 * left out, and said so once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/daemon.h"
#include "serve/control.h"
#include "serve/dispatch.h"
#include "serve/peer.h"
#include "serve/wait.h"
#include "sys/loop.h"
#include "util/log.h"

#define CLIENTS_MAX 1024
#define CLIENTS_CROWD 512
#define IDLE_S 60
#define OUT_MAX (1u << 20)
#define OUT_TOTAL (64u << 20)

/* A session is made by the first request of a client; connections that never ask cost none. */
static struct session *session_of(struct control *ctl, struct unix_client *client)
{
	struct session *s = unix_client_data(client);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->client = client;
	TAILQ_INSERT_TAIL(&ctl->sessions, s, link);
	unix_client_set_data(client, s);
	return s;
}

static void on_line(struct unix_client *client, char *line, size_t len, void *arg)
{
	struct control *ctl = arg;
	enum api_level level = peer_level(ctl, unix_client_peer(client));
	struct session *s = session_of(ctl, client);

	ctl->requests++;
	if (!s) {
		unix_client_close(client);
	} else if (level == API_NONE) {
		ctl->denied++;
		session_reply(s, API_PERMISSION, "you are in none of the groups that may ask", NULL,
			      false);
		unix_client_close(client);
	} else {
		dispatch_line(ctl, s, level, line, len);
	}
}

static void on_too_long(struct unix_client *client, void *arg)
{
	struct control *ctl = arg;
	struct session *s = session_of(ctl, client);

	ctl->malformed++;
	if (s)
		session_reply(s, API_USAGE, "request longer than 64 KiB", NULL, false);
}

/*
 * What has been asked for is done by the turn all the same, and goes on record: until then the
 * session stays.
 */
static void on_closed(struct unix_client *client, void *arg)
{
	struct control *ctl = arg;
	struct session *s = unix_client_data(client);

	if (!s)
		return;
	s->client = NULL;
	if (s->wait != WAIT_TURN)
		session_free(ctl, s);
}

/* The folder of the socket; only the last level is made. */
static int make_folder(const char *path)
{
	char dir[128];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return 0;
	*slash = '\0';
	if (mkdir(dir, 0755) && errno != EEXIST)
		return -errno;
	return 0;
}

static int listen_on(struct control *ctl, const char *path, gid_t gid)
{
	int rc = unix_server_listen(ctl->server, path, gid);

	if (rc == -EADDRINUSE)
		log_errx("control: %s: another rrlbd answers there", path);
	else if (rc)
		log_errx("control: %s: %s", path, strerror(-rc));
	return rc;
}

static int open_sockets(struct control *ctl)
{
	const char *path = ctl->d->socket ? ctl->d->socket : ctl->d->conf->socket;
	char ro[128];
	int rc;

	rc = make_folder(path);
	if (rc) {
		log_errx("control: folder of %s: %s", path, strerror(-rc));
		return rc;
	}
	rc = listen_on(ctl, path, ctl->operators);
	if (!rc && ctl->readers != (gid_t)-1)
		rc = listen_on(ctl, api_socket_ro(path, ro, sizeof(ro)), ctl->readers);
	return rc;
}

/* Its only purpose is to end the wait: the turn follows, and looks at who waits. */
static void on_timer(void *arg)
{
	(void)arg;
}

static int open_server(struct control *ctl)
{
	struct unix_server_conf conf = {
		.loop = ctl->d->loop,
		.line_max = API_LINE_MAX,
		.out_max = OUT_MAX,
		.out_total = OUT_TOTAL,
		.clients = CLIENTS_MAX,
		.crowd = CLIENTS_CROWD,
		.idle_s = IDLE_S,
		.arg = ctl,
		.line = on_line,
		.too_long = on_too_long,
		.closed = on_closed,
	};
	int rc = loop_timer(ctl->d->loop, &ctl->timer, on_timer, ctl);

	if (rc)
		return rc;
	ctl->ring = calloc(MODEL_EVENTS, sizeof(*ctl->ring));
	if (!ctl->ring)
		return -ENOMEM;
	return unix_server_new(&ctl->server, &conf);
}

int control_open(struct daemon *d)
{
	struct control *ctl = calloc(1, sizeof(*ctl));
	int rc;

	if (!ctl)
		return -ENOMEM;
	ctl->d = d;
	TAILQ_INIT(&ctl->sessions);
	TAILQ_INIT(&ctl->turn);
	d->control = ctl;
	ctl->operators = peer_group(d->conf->socket_group, "operator");
	ctl->readers = peer_group(d->conf->readonly_group, "reader");
	rc = open_server(ctl);
	if (!rc)
		rc = open_sockets(ctl);
	if (rc)
		control_close(d);
	return rc;
}

void control_close(struct daemon *d)
{
	struct control *ctl = d->control;

	if (!ctl)
		return;
	d->control = NULL;
	unix_server_free(ctl->server);
	while (!TAILQ_EMPTY(&ctl->sessions))
		session_free(ctl, TAILQ_FIRST(&ctl->sessions));
	loop_timer_free(ctl->timer);
	free(ctl->ring);
	free(ctl);
}

bool control_asked(const struct daemon *d)
{
	const struct session *last =
		d->control ? TAILQ_LAST(&d->control->turn, session_turn) : NULL;

	return last && !last->turned; /* in the order of asking: the others came before it */
}

void control_turn(struct daemon *d)
{
	if (!d->control)
		return;
	dispatch_turn(d->control);
	session_poll(d->control);
}
