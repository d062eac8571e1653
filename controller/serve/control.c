/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control.c - the control socket: who may ask, which verb answers, and that every change is on record.
 *
 * Two sockets lead to the same verbs, because connecting is a matter of file modes and a file has one group:
 * PATH belongs to the operators' group, PATH with "-ro" to the readers'. What a client may do follows from its credentials
 * and not from the socket it came by: root, the user that rrlbd runs as and the operators' group may do everything, the
 * readers' group may look, anybody else gets code 7. A group that does not exist is left out, and said so once.
 *
 * A request is checked whole against its verb's row (api_wire) before the verb sees it. Every request to change
 * something leaves an "audit" event with the uid, also when it was refused.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/call.h"
#include "serve/control.h"
#include "sys/loop.h"
#include "util/log.h"
#include "util/strbuf.h"

#define CLIENTS_MAX 1024
#define CLIENTS_CROWD 512
#define IDLE_S 60
#define OUT_MAX (1u << 20)
#define OUT_TOTAL (64u << 20)

typedef enum api_code (*verb_fn)(struct call *c);

static const verb_fn dispatch[API_V_MAX] = {
#define CONTROL_ROW(id, path, level, args, help) [API_V_##id] = verb_##id,
	API_VERBS(CONTROL_ROW)
#undef CONTROL_ROW
};

enum api_code call_fail(struct call *c, enum api_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->error, sizeof(c->error), fmt, ap);
	va_end(ap);
	return code;
}

static bool peer_in(const struct unix_peer *p, gid_t gid)
{
	size_t i;

	if (gid == (gid_t)-1)
		return false;
	for (i = 0; i < p->groups; i++) {
		if (p->group[i] == gid)
			return true;
	}
	return p->gid == gid;
}

static enum api_level peer_level(const struct control *ctl, const struct unix_peer *p)
{
	if (p->uid == 0 || p->uid == geteuid() || peer_in(p, ctl->operators))
		return API_OPERATE;
	return peer_in(p, ctl->readers) ? API_READ : API_NONE;
}

/* "endpoint drain endpoint=web/10.0.0.1:443 force: ok", values shortened. */
static void audit_text(const struct call *c, enum api_code code, char *buf, size_t len)
{
	struct strbuf sb = { .max = 4096 };
	const char *name;
	json_t *value;

	strbuf_puts(&sb, c->verb->path);
	json_object_foreach(c->args, name, value)
	{
		if (json_is_string(value))
			strbuf_printf(&sb, " %s=%.80s", name, json_string_value(value));
		else if (json_is_integer(value))
			strbuf_printf(&sb, " %s=%lld", name, (long long)json_integer_value(value));
		else if (json_is_true(value))
			strbuf_printf(&sb, " %s", name);
		else if (json_is_array(value))
			strbuf_printf(&sb, " %s(%zu)", name, json_array_size(value));
	}
	snprintf(buf, len, "%.110s: %s", strbuf_str(&sb),
		 api_code_name(code == CALL_LATER ? API_OK : code));
	strbuf_free(&sb);
}

static void audit(struct call *c, enum api_code code)
{
	const char *whom = api_get_str(c->args, "endpoint");
	struct model_event ev = { .kind = EVENT_AUDIT, .uid = c->uid };

	if (!whom)
		whom = api_get_str(c->args, "service");
	if (whom)
		snprintf(ev.service, sizeof(ev.service), "%.*s", (int)strcspn(whom, "/"), whom);
	audit_text(c, code, ev.text, sizeof(ev.text));
	model_event_note(c->d->model, &ev, c->now);
	control_events(c->d);
}

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

static void run(struct control *ctl, struct session *s, struct api_request *rq)
{
	struct call c = {
		.d = ctl->d, .ctl = ctl, .session = s, .verb = rq->verb, .args = rq->args
	};
	enum api_code code;

	c.uid = unix_client_peer(s->client)->uid;
	c.now = daemon_now(ctl->d);
	code = dispatch[rq->verb->id](&c);
	if (api_verb_mutates(rq->verb))
		audit(&c, code);
	if (code != CALL_LATER)
		session_reply(s, code, c.error, c.data, false);
	json_decref(c.data);
	view_free(c.view);
}

static void on_line(struct unix_client *client, char *line, size_t len, void *arg)
{
	struct control *ctl = arg;
	enum api_level level = peer_level(ctl, unix_client_peer(client));
	struct session *s = session_of(ctl, client);
	struct api_request rq = { 0 };
	char err[API_ERROR_MAX];

	ctl->requests++;
	if (!s) {
		unix_client_close(client);
	} else if (level == API_NONE) {
		ctl->denied++;
		session_reply(s, API_PERMISSION, "you are in none of the groups that may ask", NULL,
			      false);
		unix_client_close(client);
	} else if (api_request_parse(&rq, line, len, err, sizeof(err))) {
		ctl->malformed++;
		session_reply(s, API_USAGE, err, NULL, false);
	} else if (rq.verb->level > level) {
		ctl->denied++;
		session_reply(s, API_PERMISSION, "you may look, but not change anything", NULL,
			      false);
	} else {
		run(ctl, s, &rq);
	}
	api_request_free(&rq);
}

static void on_too_long(struct unix_client *client, void *arg)
{
	struct control *ctl = arg;
	struct session *s = session_of(ctl, client);

	ctl->malformed++;
	if (s)
		session_reply(s, API_USAGE, "request longer than 64 KiB", NULL, false);
}

static void on_closed(struct unix_client *client, void *arg)
{
	struct control *ctl = arg;
	struct session *s = unix_client_data(client);

	if (!s)
		return;
	TAILQ_REMOVE(&ctl->sessions, s, link);
	free(s);
}

static gid_t group_of(const char *name, const char *who)
{
	const struct group *g = *name ? getgrnam(name) : NULL;

	if (g)
		return g->gr_gid;
	if (*name)
		log_warnx("control: no group '%s': no %s but root", name, who);
	return (gid_t)-1;
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
	int err = unix_server_listen(ctl->server, path, gid);

	if (err == -EADDRINUSE)
		log_errx("control: %s: another rrlbd answers there", path);
	else if (err)
		log_errx("control: %s: %s", path, strerror(-err));
	return err;
}

static int open_sockets(struct control *ctl)
{
	const char *path = ctl->d->socket ? ctl->d->socket : ctl->d->conf->socket;
	char ro[128];
	int err;

	err = make_folder(path);
	if (err) {
		log_errx("control: folder of %s: %s", path, strerror(-err));
		return err;
	}
	err = listen_on(ctl, path, ctl->operators);
	if (!err && ctl->readers != (gid_t)-1)
		err = listen_on(ctl, api_socket_ro(path, ro, sizeof(ro)), ctl->readers);
	return err;
}

static void on_timer(void *arg)
{
	session_poll(arg);
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
	int err;

	if (!ctl)
		return -ENOMEM;
	ctl->d = d;
	TAILQ_INIT(&ctl->sessions);
	d->control = ctl;
	ctl->operators = group_of(d->conf->socket_group, "operator");
	ctl->readers = group_of(d->conf->readonly_group, "reader");
	err = open_server(ctl);
	if (!err)
		err = open_sockets(ctl);
	if (err)
		control_close(d);
	return err;
}

void control_close(struct daemon *d)
{
	struct control *ctl = d->control;

	if (!ctl)
		return;
	d->control = NULL;
	unix_server_free(ctl->server);
	loop_timer_free(ctl->timer);
	free(ctl->ring);
	free(ctl);
}
