/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_int.h - one exchange, as the files of the HTTP client share it.
 */
#ifndef SYS_HTTP_INT_H
#define SYS_HTTP_INT_H

#include <stdint.h>
#include <sys/queue.h>

#include <curl/curl.h>

#include "sys/http_client.h"
#include "util/strbuf.h"

struct http_call {
	LIST_ENTRY(http_call) link;
	struct http_client *client;
	CURL *easy; /* the transfer */
	struct curl_slist *headers, *connect_to;
	CURLU *origin; /* scheme, host and port, which redirects may not leave */
	bool waiting; /* made inside a callback of libcurl: to be added when that has returned */
	bool cancelled; /* freed when the callback of libcurl that runs has returned */
	enum http_end verdict; /* why we ended the transfer ourselves; HTTP_END_OK = we did not */
	mono_t started;
	struct loop_timer *silence; /* NULL = it may be silent for ever */
	mono_t heard, idle; /* when the last bytes came; how long none may come */
	unsigned int redirects;
	size_t head_len; /* bytes of header lines so far */
	size_t body_len, body_max;
	struct strbuf body;
	void *arg;
	bool (*piece)(void *arg, const struct http_response *r, const char *bytes, size_t len);
	void (*done)(void *arg, const struct http_response *r);
	int socket_err; /* why no socket could be had, errno */
	char message[CURL_ERROR_SIZE];
};

/* Puts the request into `call`, whose transfer is made and empty. As http_start(). */
int http_request_apply(struct http_call *call, const struct http_request *req);
/* Does `location`, absolute or relative, stay at the scheme, host and port of the request? */
bool http_origin_has(const struct http_call *call, const char *location);
/* How a transfer ended that ended by itself; `err` is the errno of its socket, 0 = none. */
enum http_end http_end_of(CURLcode code, int err);

#endif
