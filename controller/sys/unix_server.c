/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * unix_server.c - accepts, identifies, cuts into lines, writes back; decides who has to go.
 *
 * Clients stand in one list, the one that was active longest ago first. When there is no room (or
 * no descriptor) for a new one, the first that is not busy goes, or the first at all: so somebody
 * who really wants something always gets in, however many idle connections are held open. One
 * request of a client is worked on at a time; further lines wait in its input buffer, which stops
 * being read when it is full.
 *
 * What waits to be written is bounded before each send: by client, over all clients, and in time
 * (a client that takes nothing for WRITE_TIMEOUT_S is closed). A client is never freed inside a
 * call of its owner: it is marked and freed from the loop, so handlers may send and close without
 * care.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "sys/loop_int.h"
#include "sys/unix_listen.h"
#include "sys/unix_server.h"

#define WRITE_TIMEOUT_S 20
#define CROWD_PERIOD_S 5
#define MAX_LISTENERS 2
#define SPARE_FDS 64 /* left for everything else of the process */

struct unix_client {
	TAILQ_ENTRY(unix_client) link;
	struct unix_server *server;
	struct bufferevent *bev;
	struct unix_peer peer;
	void *data;
	int64_t active_s;
	enum unix_busy busy;
	bool closing; /* no more lines; goes when the output is written */
	bool eof; /* no more bytes will come */
	bool dead; /* goes at the next turn, whatever is left */
};

struct listener {
	struct evconnlistener *ev;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

struct unix_server {
	struct unix_server_conf conf;
	struct listener listener[MAX_LISTENERS];
	size_t listeners;
	TAILQ_HEAD(client_list, unix_client) clients;
	struct event *reap; /* frees the dead */
	struct event *crowd; /* closes the idle */
	struct unix_server_stats stats;
};

static int64_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec;
}

static size_t client_pending(const struct unix_client *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev));
}

static void client_kill(struct unix_client *c)
{
	c->dead = true;
	event_active(c->server->reap, EV_TIMEOUT, 1);
}

static void client_touch(struct unix_client *c)
{
	struct unix_server *s = c->server;

	c->active_s = now_s();
	TAILQ_REMOVE(&s->clients, c, link);
	TAILQ_INSERT_TAIL(&s->clients, c, link);
}

static void client_free(struct unix_client *c)
{
	struct unix_server *s = c->server;

	if (s->conf.closed)
		s->conf.closed(c, s->conf.arg);
	TAILQ_REMOVE(&s->clients, c, link);
	s->stats.clients--;
	bufferevent_free(c->bev);
	free(c);
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct unix_server *s = arg;
	struct unix_client *c, *next;

	(void)fd;
	(void)what;
	for (c = TAILQ_FIRST(&s->clients); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->dead)
			client_free(c);
	}
}

/* The next whole line, or one that is too long. false = wait for more. */
static bool client_line(struct unix_client *c)
{
	struct unix_server *s = c->server;
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t len;
	char *line;

	line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
	if (line && len <= s->conf.line_max) {
		client_touch(c);
		if (len && line[len - 1] == '\r')
			line[--len] = '\0';
		s->conf.line(c, line, len, s->conf.arg);
		free(line);
		return true;
	}
	free(line);
	if (line || evbuffer_get_length(in) > s->conf.line_max) {
		s->conf.too_long(c, s->conf.arg);
		unix_client_close(c);
	}
	return false;
}

static void client_work(struct unix_client *c)
{
	while (!c->busy && !c->closing && !c->dead && !client_pending(c)) {
		if (!client_line(c)) {
			if (c->eof)
				client_kill(c);
			break;
		}
	}
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	client_work(arg);
}

/* Everything is written. */
static void on_written(struct bufferevent *bev, void *arg)
{
	struct unix_client *c = arg;

	(void)bev;
	if (c->closing && !client_pending(c))
		client_kill(c);
	else
		client_work(c);
}

/* No more bytes will come: what is here is still answered, but nobody waits for events. */
static void client_eof(struct unix_client *c)
{
	c->eof = true;
	if (c->busy == UNIX_BUSY)
		client_kill(c);
	else
		client_work(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct unix_client *c = arg;

	(void)bev;
	if ((what & BEV_EVENT_TIMEOUT) && (what & BEV_EVENT_WRITING))
		c->server->stats.overflowed++;
	if ((what & BEV_EVENT_EOF) && !(what & BEV_EVENT_ERROR))
		client_eof(c);
	else
		client_kill(c);
}

/*
 * Nobody is nobody: a peer whose credentials cannot be read gets the ids of nobody and no groups.
 */
static void peer_read(int fd, struct unix_peer *p)
{
	struct ucred u;
	socklen_t len = sizeof(u);

	memset(p, 0, sizeof(*p));
	p->uid = (uid_t)-1;
	p->gid = (gid_t)-1;
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len)) {
		p->pid = u.pid;
		p->uid = u.uid;
		p->gid = u.gid;
	}
	len = sizeof(p->group);
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, p->group, &len))
		p->groups = len / sizeof(p->group[0]);
}

/*
 * Closes at once the client that is idle longest; when all are busy, the one that is busy longest.
 */
static void make_room(struct unix_server *s)
{
	struct unix_client *c;

	TAILQ_FOREACH(c, &s->clients, link) {
		if (!c->busy)
			break;
	}
	if (!c)
		c = TAILQ_FIRST(&s->clients);
	if (!c)
		return;
	s->stats.crowded_out++;
	client_free(c);
}

static void client_set_up(struct unix_client *c)
{
	struct timeval timeout = { .tv_sec = WRITE_TIMEOUT_S };

	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, c->server->conf.line_max + 2);
	bufferevent_set_timeouts(c->bev, NULL, &timeout);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len,
		      void *arg)
{
	struct unix_server *s = arg;
	struct unix_client *c;

	(void)l;
	(void)sa;
	(void)len;
	if (s->stats.clients >= s->conf.clients)
		make_room(s);
	c = calloc(1, sizeof(*c));
	if (c)
		c->bev = bufferevent_socket_new(loop_base(s->conf.loop), fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->bev) {
		free(c);
		close(fd);
		return;
	}
	c->server = s;
	c->active_s = now_s();
	peer_read(fd, &c->peer);
	TAILQ_INSERT_TAIL(&s->clients, c, link);
	s->stats.clients++;
	s->stats.accepted++;
	client_set_up(c);
}

/* accept() failed: without descriptors there is no other way than to close somebody. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
	(void)l;
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		make_room(arg);
}

static void on_crowd(evutil_socket_t fd, short what, void *arg)
{
	struct unix_server *s = arg;
	struct unix_client *c, *next;
	int64_t before = now_s() - s->conf.idle_s;

	(void)fd;
	(void)what;
	for (c = TAILQ_FIRST(&s->clients); c && s->stats.clients > s->conf.crowd; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->active_s > before)
			break;
		if (c->busy)
			continue;
		s->stats.crowded_out++;
		client_free(c);
	}
}

/* Never more clients than there are descriptors for. */
static unsigned int clients_allowed(unsigned int want)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) || rl.rlim_cur == RLIM_INFINITY)
		return want;
	if (rl.rlim_cur < 4 * SPARE_FDS)
		return SPARE_FDS;
	return want < rl.rlim_cur - 2 * SPARE_FDS ? want
						  : (unsigned int)rl.rlim_cur - 2 * SPARE_FDS;
}

int unix_server_new(struct unix_server **out, const struct unix_server_conf *conf)
{
	struct timeval period = { .tv_sec = CROWD_PERIOD_S };
	struct unix_server *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return -ENOMEM;
	s->conf = *conf;
	s->conf.clients = clients_allowed(conf->clients);
	TAILQ_INIT(&s->clients);
	s->reap = event_new(loop_base(conf->loop), -1, 0, on_reap, s);
	s->crowd = event_new(loop_base(conf->loop), -1, EV_PERSIST, on_crowd, s);
	if (!s->reap || !s->crowd || event_add(s->crowd, &period)) {
		unix_server_free(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

int unix_server_listen(struct unix_server *s, const char *path, gid_t gid)
{
	struct listener *l = &s->listener[s->listeners];
	int fd;

	if (s->listeners == MAX_LISTENERS)
		return -ENOSPC;
	fd = unix_listen(path, gid);
	if (fd < 0)
		return fd;
	l->ev = evconnlistener_new(loop_base(s->conf.loop), on_accept, s,
				   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!l->ev) {
		close(fd);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(l->ev, on_accept_error);
	strcpy(l->path, path);
	s->listeners++;
	return 0;
}

void unix_server_free(struct unix_server *s)
{
	struct unix_client *c;

	if (!s)
		return;
	while ((c = TAILQ_FIRST(&s->clients))) {
		evbuffer_unfreeze(bufferevent_get_output(c->bev), 1);
		evbuffer_write(bufferevent_get_output(c->bev), bufferevent_getfd(c->bev));
		client_free(c);
	}
	for (size_t i = 0; i < s->listeners; i++) {
		evconnlistener_free(s->listener[i].ev);
		unlink(s->listener[i].path);
	}
	if (s->reap)
		event_free(s->reap);
	if (s->crowd)
		event_free(s->crowd);
	free(s);
}

void unix_server_stats(const struct unix_server *s, struct unix_server_stats *st)
{
	*st = s->stats;
}

const struct unix_peer *unix_client_peer(const struct unix_client *c)
{
	return &c->peer;
}

void unix_client_set_data(struct unix_client *c, void *data)
{
	c->data = data;
}

void *unix_client_data(const struct unix_client *c)
{
	return c->data;
}

/* What waits over all clients; who holds most of it goes when it is too much. */
static void bound_total(struct unix_server *s, const struct unix_client *sender)
{
	struct unix_client *c, *most = NULL;
	size_t sum = 0;

	TAILQ_FOREACH(c, &s->clients, link) {
		if (c->dead)
			continue;
		sum += client_pending(c);
		if (c != sender && (!most || client_pending(c) > client_pending(most)))
			most = c;
	}
	if (sum <= s->conf.out_total || !most)
		return;
	s->stats.overflowed++;
	client_kill(most);
}

bool unix_client_send(struct unix_client *c, const char *bytes, size_t len)
{
	struct unix_server *s = c->server;

	if (c->dead)
		return false;
	if (client_pending(c) > s->conf.out_max || bufferevent_write(c->bev, bytes, len)) {
		s->stats.overflowed++;
		client_kill(c);
		return false;
	}
	bound_total(s, c);
	return true;
}

void unix_client_busy(struct unix_client *c, enum unix_busy busy)
{
	c->busy = busy;
	if (busy == UNIX_FREE)
		client_touch(c);
}

void unix_client_close(struct unix_client *c)
{
	c->closing = true;
	if (!client_pending(c))
		client_kill(c);
}
