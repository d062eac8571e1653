/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_client.h - HTTP requests from the event loop: one question, one answer, nothing waits.
 *
 * libcurl's multi interface; no curl type shows. HTTP/1.1 and TLS 1.2 or later (RFC 9110, 9112).
 * http and https only, no proxy, no cookies, no decompression, certificates always verified. No
 * name is resolved: a URL with a host name needs the address beside it.
 *
 * Memory is bounded: HTTP_HEAD_MAX and `body_max` bytes a request, and the requests in flight are
 * limited. Connections are kept and used again for the same place and the same TLS settings.
 *
 * All callbacks come from the event loop, never from inside a function of this file. Inside them
 * every function may be called, http_client_close() too.
 */
#ifndef SYS_HTTP_CLIENT_H
#define SYS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "util/addr.h"
#include "util/clock.h"

#define HTTP_HEAD_MAX (64u << 10) /* all header and trailer lines of an answer, bytes */
#define HTTP_BODY_MAX (1u << 20) /* `body_max` where none is given */
#define HTTP_TIMEOUT MONO_S(10) /* `timeout` where none is given */
#define HTTP_URL_MAX 2048

/* X(id) */
#define HTTP_METHODS(X) X(GET) X(HEAD) X(POST) X(PUT) X(PATCH) X(DELETE)

enum http_method {
#define HTTP_METHOD_ID(id) HTTP_##id,
	HTTP_METHODS(HTTP_METHOD_ID)
#undef HTTP_METHOD_ID
};

/* How an exchange ended. X(id, word, errno that says the same, sentence) */
#define HTTP_ENDS(X) \
	X(OK, "ok", 0, "the answer has arrived whole, whatever its status") \
	X(LOCAL, "local", -EIO, "our own trouble: memory, descriptors, an unreadable file") \
	X(CONNECT, "connect", -ECONNREFUSED, "no connection: refused or unreachable") \
	X(TIMEOUT, "timeout", -ETIMEDOUT, "not done in time, or silent for too long") \
	X(TLS, "tls", -EPROTO, "the TLS handshake failed") \
	X(CERT, "cert", -EKEYREJECTED, "the server's certificate is not trusted or not its own") \
	X(BROKEN, "broken", -ECONNRESET, "the connection ended within the answer") \
	X(PROTOCOL, "protocol", -EBADMSG, "what came is not HTTP") \
	X(TOO_LARGE, "too_large", -EMSGSIZE, "head or body is beyond its limit") \
	X(REDIRECT, "redirect", -ELOOP, "redirected too often, or to another place") \
	X(STOPPED, "stopped", -ECANCELED, "the receiver of the stream wanted no more")

enum http_end {
#define HTTP_END_ID(id, word, rc, help) HTTP_END_##id,
	HTTP_ENDS(HTTP_END_ID)
#undef HTTP_END_ID
};

struct http_header {
	const char *name, *value;
};

struct http_call;
struct http_client;
struct loop;

/* Valid within the callback that it is given to; strings are never NULL. */
struct http_response {
	enum http_end end;
	int rc; /* of HTTP_ENDS: 0 or -errno */
	long status; /* of the answer's status line; 0 = none has come */
	const char *body; /* NUL-terminated behind; "" when it was streamed */
	size_t body_len;
	mono_t took; /* from http_start() to now */
	const char *text; /* what went wrong, for people; "" = nothing */
	const struct http_call *call; /* for http_response_header() */
};

/* Everything is copied: pointers need to live until http_start() returns. NULL or 0 = not set. */
struct http_request {
	enum http_method method;
	const char *url; /* http:// or https://, no user name in it, < HTTP_URL_MAX bytes */
	struct addr
		to; /* connect here, whatever the URL says; family 0 = the URL has the address */
	const struct http_header *header; /* `headers` of them; an empty value is sent as such */
	size_t headers;
	const void *body;
	size_t body_len;
	mono_t timeout; /* for the whole exchange; a stream without one may last for ever */
	mono_t connect_timeout; /* TCP and TLS; not set = `timeout`, of a stream HTTP_TIMEOUT */
	mono_t idle_timeout; /* without a byte from the server; not set = none */
	size_t body_max; /* of the answer, bytes; not set = HTTP_BODY_MAX, of a stream no limit */
	unsigned int redirects; /* followed at the most, within the same scheme, host and port */
	const char *ca; /* file of trusted certificates, PEM; not set = the system's */
	const char *cert, *key; /* files of the client's certificate and key, PEM */
	void *arg;
	/*
	 * A stream: called with each piece of the body as it comes, status and headers are known;
	 * nothing is kept. false = no more is wanted. Not called for the body of a redirect.
	 */
	bool (*piece)(void *arg, const struct http_response *r, const char *bytes, size_t len);
	/* Once, when the exchange has ended: the handle is gone after it. Not after a cancel. */
	void (*done)(void *arg, const struct http_response *r);
};

/* `limit` requests may be in flight. 0, -ENOMEM, or -EIO when libcurl cannot start. */
int http_client_open(struct http_client **out, struct loop *l, size_t limit);
/* Cancels what is in flight: no callback comes after it. Accepts NULL. */
void http_client_close(struct http_client *c);
size_t http_client_inflight(const struct http_client *c);

/*
 * 0, and `out` (may be NULL) is the handle until `done` returns or http_cancel(). Otherwise nothing
 * was started and no callback will come:
 *   -EAGAIN        the limit is reached
 *   -EINVAL        not a URL, a user name in it, a header with control characters, no `done`
 *   -EPROTONOSUPPORT   another scheme than http and https
 *   -EDESTADDRREQ  a host name without an address
 *   -ENAMETOOLONG, -ENOMEM, -EIO
 */
int http_start(struct http_client *c, struct http_call **out, const struct http_request *req);
/* Ends it without a callback. Accepts NULL. */
void http_cancel(struct http_call *call);

/* A header of the answer by name, in any case; the last one where it stands more than once. NULL =
 * none. Valid as long as `r`. */
const char *http_response_header(const struct http_response *r, const char *name);
/* The word of HTTP_ENDS, for logs and metrics. */
const char *http_end_name(enum http_end end);

#endif
