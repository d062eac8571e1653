/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * curl_loop.c - joins libcurl's multi interface and the event loop.
 *
 * libcurl says which sockets and which timeout it waits for (on_watch, on_timeout), and is told
 * what has happened (curl_multi_socket_action). After each such call the transfers that have ended
 * are handed out. See libcurl-multi(3), curl_multi_socket_action(3).
 *
 * Owns the multi handle, one event per socket and one for the timeout. Transfers belong to the
 * caller.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "sys/curl_loop.h"
#include "sys/loop_int.h"

struct curl_loop {
	struct curl_loop_conf conf;
	CURLM *multi;
	struct event *timer;
	bool busy;
};

/* Hands out every transfer that has ended. */
static void reap(struct curl_loop *cl)
{
	CURLMsg *msg;
	CURLcode code;
	CURL *easy;
	int left;

	while ((msg = curl_multi_info_read(cl->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		/* The message is gone with the transfer's place in the multi handle. */
		easy = msg->easy_handle;
		code = msg->data.result;
		curl_multi_remove_handle(cl->multi, easy);
		cl->conf.done(cl->conf.arg, easy, code);
	}
}

static void act(struct curl_loop *cl, curl_socket_t fd, int flags)
{
	int running;

	cl->busy = true;
	curl_multi_socket_action(cl->multi, fd, flags, &running);
	reap(cl);
	cl->busy = false;
	if (cl->conf.settled)
		cl->conf.settled(cl->conf.arg);
}

static void sock_fire(evutil_socket_t fd, short what, void *arg)
{
	const int in = what & EV_READ ? CURL_CSELECT_IN : 0;
	const int out = what & EV_WRITE ? CURL_CSELECT_OUT : 0;

	act(arg, fd, in | out);
}

static void timer_fire(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl wants to know about `fd` (or no more). `had` is the event that it was given for it
 * before. */
static int on_watch(CURL *easy, curl_socket_t fd, int want, void *arg, void *had)
{
	struct curl_loop *cl = arg;
	struct event *ev = had;
	short what = EV_PERSIST;

	(void)easy;
	if (ev) {
		curl_multi_assign(cl->multi, fd, NULL);
		event_free(ev);
	}
	if (want == CURL_POLL_REMOVE)
		return 0;
	if (want & CURL_POLL_IN)
		what |= EV_READ;
	if (want & CURL_POLL_OUT)
		what |= EV_WRITE;
	ev = event_new(loop_base(cl->conf.loop), fd, what, sock_fire, cl);
	if (!ev)
		return -1;
	event_add(ev, NULL);
	curl_multi_assign(cl->multi, fd, ev);
	return 0;
}

static int on_timeout(CURLM *multi, long ms, void *arg)
{
	struct curl_loop *cl = arg;
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)multi;
	if (ms < 0)
		event_del(cl->timer);
	else
		event_add(cl->timer, &tv);
	return 0;
}

static int multi_open(struct curl_loop *cl)
{
	cl->timer = evtimer_new(loop_base(cl->conf.loop), timer_fire, cl);
	cl->multi = curl_multi_init();
	if (!cl->timer || !cl->multi)
		return -ENOMEM;
	curl_multi_setopt(cl->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
	curl_multi_setopt(cl->multi, CURLMOPT_SOCKETDATA, cl);
	curl_multi_setopt(cl->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(cl->multi, CURLMOPT_TIMERDATA, cl);
	curl_multi_setopt(cl->multi, CURLMOPT_MAXCONNECTS, cl->conf.connections);
	curl_multi_setopt(cl->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return 0;
}

int curl_loop_open(struct curl_loop **out, const struct curl_loop_conf *conf)
{
	struct curl_loop *cl;
	int rc;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -EIO;
	cl = calloc(1, sizeof(*cl));
	if (!cl) {
		curl_global_cleanup();
		return -ENOMEM;
	}
	cl->conf = *conf;
	rc = multi_open(cl);
	if (rc) {
		curl_loop_close(cl);
		return rc;
	}
	*out = cl;
	return 0;
}

void curl_loop_close(struct curl_loop *cl)
{
	if (!cl)
		return;
	/* Closes idle connections, which takes their events away through on_watch(). */
	curl_multi_cleanup(cl->multi);
	if (cl->timer)
		event_free(cl->timer);
	free(cl);
	curl_global_cleanup();
}

int curl_loop_add(struct curl_loop *cl, CURL *easy)
{
	return curl_multi_add_handle(cl->multi, easy) == CURLM_OK ? 0 : -EIO;
}

void curl_loop_remove(struct curl_loop *cl, CURL *easy)
{
	curl_multi_remove_handle(cl->multi, easy);
}

bool curl_loop_busy(const struct curl_loop *cl)
{
	return cl->busy;
}

int curl_loop_socket(const struct curl_sockaddr *a)
{
	return socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
}
