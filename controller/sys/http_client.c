/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_client.c - the life of an exchange: started, fed, ended, cancelled.
 *
 * libcurl forbids adding and removing transfers inside its own callbacks (on_head, on_body), and
 * our owners' `piece` runs there. So while an event is worked on, a new exchange only waits and a
 * cancelled one only is marked; on_settled() does the rest when libcurl has returned. A client that
 * is closed meanwhile goes last.
 *
 * Owns the handle of curl_loop and every exchange; each is in one of two lists: `calls` (counted
 * and answered) or `gone` (cancelled, to be freed).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/curl_class.h"
#include "sys/curl_loop.h"
#include "sys/http_int.h"
#include "sys/loop.h"

LIST_HEAD(call_list, http_call);

struct http_client {
	struct loop *loop;
	struct curl_loop *curl;
	struct call_list calls, gone;
	size_t inflight, limit;
	bool settling; /* in on_settled() */
	bool closed; /* to be freed when the event is done */
};

static const struct {
	const char *word;
	int rc;
	const char *help;
} ends[] = {
#define HTTP_END_ROW(id, word, rc, help) [HTTP_END_##id] = { word, rc, help },
	HTTP_ENDS(HTTP_END_ROW)
#undef HTTP_END_ROW
};

const char *http_end_name(enum http_end end)
{
	return (size_t)end < sizeof(ends) / sizeof(ends[0]) ? ends[end].word : "?";
}

static bool client_busy(const struct http_client *c)
{
	return c->settling || curl_loop_busy(c->curl);
}

static void call_free(struct http_call *call)
{
	loop_timer_free(call->silence);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->connect_to);
	curl_url_cleanup(call->origin);
	strbuf_free(&call->body);
	free(call);
}

static void call_unlist(struct http_call *call)
{
	LIST_REMOVE(call, link);
	call->client->inflight--;
}

static void call_drop(struct http_call *call)
{
	curl_loop_remove(call->client->curl, call->easy);
	call_free(call);
}

/* No callback of this exchange comes any more. */
static void call_cancel(struct http_call *call)
{
	if (call->cancelled)
		return;
	call->cancelled = true;
	call_unlist(call);
	if (client_busy(call->client))
		LIST_INSERT_HEAD(&call->client->gone, call, link);
	else
		call_drop(call);
}

/* ---- answers ---- */

static struct http_response call_response(const struct http_call *call, enum http_end end)
{
	struct http_response r = {
		.end = end,
		.rc = ends[end].rc,
		.body = strbuf_str(&call->body),
		.body_len = call->body.len,
		.took = mono_sub(loop_clock(), call->started),
		.text = end == HTTP_END_OK ? "" : ends[end].help,
		.call = call,
	};

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &r.status);
	return r;
}

const char *http_response_header(const struct http_response *r, const char *name)
{
	struct curl_header *h;

	if (curl_easy_header(r->call->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
		return NULL;
	if (h->amount > 1)
		curl_easy_header(r->call->easy, name, h->amount - 1, CURLH_HEADER, -1, &h);
	return h->value;
}

/* Ends the exchange and then the transfer, for libcurl takes 0 bytes for an error. */
static size_t call_stop(struct http_call *call, enum http_end why)
{
	call->verdict = why;
	return 0;
}

/* A redirect that will be followed must stay where the request went. */
static bool redirect_leaves(const struct http_call *call, const char *line, size_t n)
{
	static const char name[] = "location:";
	char where[HTTP_URL_MAX];
	long status = 0;

	if (!call->redirects || n < sizeof(name) || strncasecmp(line, name, sizeof(name) - 1))
		return false;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 300 || status > 399)
		return false;
	line += sizeof(name) - 1;
	n -= sizeof(name) - 1;
	for (; n && (*line == ' ' || *line == '\t'); n--)
		line++;
	while (n && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	if (n >= sizeof(where))
		return true;
	memcpy(where, line, n);
	where[n] = '\0';
	return !http_origin_has(call, where);
}

static size_t on_head(char *line, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;

	n *= size;
	call->head_len += n;
	call->heard = loop_clock();
	if (call->cancelled)
		return call_stop(call, HTTP_END_STOPPED);
	if (call->head_len > HTTP_HEAD_MAX)
		return call_stop(call, HTTP_END_TOO_LARGE);
	if (redirect_leaves(call, line, n))
		return call_stop(call, HTTP_END_REDIRECT);
	return n;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;
	struct http_response r;

	n *= size;
	call->heard = loop_clock();
	if (call->cancelled)
		return call_stop(call, HTTP_END_STOPPED);
	if (n > call->body_max - call->body_len)
		return call_stop(call, HTTP_END_TOO_LARGE);
	call->body_len += n;
	if (!call->piece) {
		strbuf_add(&call->body, bytes, n);
		return call->body.failed ? call_stop(call, HTTP_END_LOCAL) : n;
	}
	r = call_response(call, HTTP_END_OK);
	if (!call->piece(call->arg, &r, bytes, n))
		return call_stop(call, HTTP_END_STOPPED);
	return n;
}

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http_call *call = arg;
	int fd = curl_loop_socket(a);

	(void)purpose;
	call->socket_err = fd < 0 ? errno : 0;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* ---- the end ---- */

static enum http_end call_end(const struct http_call *call, CURLcode code)
{
	curl_off_t first_byte = 0;
	long err = 0;

	if (call->verdict != HTTP_END_OK)
		return call->verdict;
	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &err);
	curl_easy_getinfo(call->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
	/* What libcurl says of a header line that is longer than it takes. */
	if (code == CURLE_OUT_OF_MEMORY && first_byte)
		return HTTP_END_TOO_LARGE;
	return http_end_of(code, call->socket_err ? call->socket_err : (int)err);
}

/* Tells the owner. The exchange no longer counts by then, so that another may take its place. */
static void call_finish(struct http_call *call, CURLcode code)
{
	struct http_response r = call_response(call, call_end(call, code));

	call_unlist(call);
	call->cancelled = true;
	if (r.end != HTTP_END_OK && call->verdict == HTTP_END_OK)
		r.text = *call->message ? call->message : curl_easy_strerror(code);
	call->done(call->arg, &r);
	call_free(call);
}

/* libcurl's own limit of speed is an average over 5 s; this one is exact. */
static void on_silence(void *arg)
{
	struct http_call *call = arg;
	const mono_t until = mono_add(call->heard, call->idle);

	if (mono_cmp(loop_clock(), until) < 0) {
		loop_timer_at(call->silence, until);
		return;
	}
	curl_loop_remove(call->client->curl, call->easy);
	call->verdict = HTTP_END_TIMEOUT;
	call_finish(call, CURLE_OPERATION_TIMEDOUT);
}

static void on_ended(void *arg, CURL *easy, CURLcode code)
{
	struct http_call *call;

	(void)arg;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
	if (!call->cancelled)
		call_finish(call, code);
}

static struct http_call *next_waiting(const struct http_client *c)
{
	struct http_call *call;

	LIST_FOREACH(call, &c->calls, link) {
		if (call->waiting)
			break;
	}
	return call;
}

static void client_free(struct http_client *c)
{
	struct http_call *call;

	while ((call = LIST_FIRST(&c->calls)))
		call_cancel(call);
	curl_loop_close(c->curl);
	free(c);
}

static void on_settled(void *arg)
{
	struct http_client *c = arg;
	struct http_call *call;

	c->settling = true;
	while (!c->closed && (call = next_waiting(c))) {
		call->waiting = false;
		if (curl_loop_add(c->curl, call->easy))
			call_finish(call, CURLE_FAILED_INIT);
	}
	while ((call = LIST_FIRST(&c->gone))) {
		LIST_REMOVE(call, link);
		call_drop(call);
	}
	c->settling = false;
	if (c->closed)
		client_free(c);
}

/* ---- the door ---- */

int http_client_open(struct http_client **out, struct loop *l, size_t limit)
{
	struct http_client *c = calloc(1, sizeof(*c));
	const struct curl_loop_conf conf = {
		.loop = l,
		.connections = (long)limit,
		.arg = c,
		.done = on_ended,
		.settled = on_settled,
	};
	int rc;

	if (!c)
		return -ENOMEM;
	c->loop = l;
	c->limit = limit;
	rc = curl_loop_open(&c->curl, &conf);
	if (rc) {
		free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void http_client_close(struct http_client *c)
{
	struct http_call *call;

	if (!c)
		return;
	if (!client_busy(c)) {
		client_free(c);
		return;
	}
	c->closed = true;
	while ((call = LIST_FIRST(&c->calls)))
		call_cancel(call);
}

size_t http_client_inflight(const struct http_client *c)
{
	return c->inflight;
}

static void call_callbacks(struct http_call *call)
{
	curl_easy_setopt(call->easy, CURLOPT_PRIVATE, (char *)call);
	curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, call->message);
	curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETDATA, call);
}

static int call_new(struct http_call **out, struct http_client *c, const struct http_request *req)
{
	struct http_call *call = calloc(1, sizeof(*call));
	int rc = -ENOMEM;

	if (!call)
		return -ENOMEM;
	call->client = c;
	call->started = loop_clock();
	call->heard = call->started;
	call->easy = curl_easy_init();
	if (call->easy) {
		call_callbacks(call);
		rc = http_request_apply(call, req);
	}
	if (!rc && call->idle.us > 0)
		rc = loop_timer(c->loop, &call->silence, on_silence, call);
	if (rc)
		call_free(call);
	else
		*out = call;
	return rc;
}

int http_start(struct http_client *c, struct http_call **out, const struct http_request *req)
{
	struct http_call *call;
	int rc;

	if (c->inflight >= c->limit)
		return -EAGAIN;
	rc = call_new(&call, c, req);
	if (rc)
		return rc;
	call->waiting = client_busy(c);
	rc = call->waiting ? 0 : curl_loop_add(c->curl, call->easy);
	if (rc) {
		call_free(call);
		return rc;
	}
	LIST_INSERT_HEAD(&c->calls, call, link);
	c->inflight++;
	if (call->silence)
		loop_timer_at(call->silence, mono_add(call->heard, call->idle));
	if (out)
		*out = call;
	return 0;
}

void http_cancel(struct http_call *call)
{
	if (call)
		call_cancel(call);
}
