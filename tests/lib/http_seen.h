/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_seen.h - exchanges of the HTTP client with the servers of server.h, and what they showed.
 */
#ifndef TESTS_LIB_HTTP_SEEN_H
#define TESTS_LIB_HTTP_SEEN_H

#include "lib/server.h"
#include "sys/http_client.h"
#include "sys/loop.h"

#define CA_FILE "/tmp/rrlb-test-http-ca.pem"
#define CERT_FILE "/tmp/rrlb-test-http-cert.pem"
#define KEY_FILE "/tmp/rrlb-test-http-key.pem"
#define SHORT MONO_MS(300)
#define LIMIT 100 /* of requests in flight */

#define ANSWER(status, head, body) "HTTP/1.1 " status "\r\n" head "\r\n" body
#define OK(body) ANSWER("200 OK", "Connection: close\r\n", body)

struct seen {
	struct loop *loop;
	struct http_client *client;
	struct http_call *call;
	struct loop_timer *guard;
	int ends; /* times that `done` came */
	int expected; /* the loop stops after this many */
	enum http_end end;
	int rc;
	long status;
	char body[4096];
	size_t body_len;
	char text[256];
	char header[64]; /* of X-Test */
	mono_t took;
	size_t streamed;
	int pieces;
	struct http_call *victim; /* cancelled by the next callback */
	bool closes; /* the next callback closes the client */
	bool stops; /* the stream is not wanted any more */
};

/* For cmocka: a network of its own, an authority and a client's certificate. */
int seen_setup(void **state);
int seen_teardown(void **state);

/* A loop that gives up after 10 s, and a client in it. */
void seen_open(struct seen *s);
void seen_close(struct seen *s);
/* Until as many exchanges have ended as were expected, or for a time. */
void seen_run(struct seen *s);
void seen_run_for(struct seen *s, mono_t how_long);

/* The callbacks; their argument is a struct seen. */
void seen_done(void *arg, const struct http_response *r);
bool seen_piece(void *arg, const struct http_response *r, const char *bytes, size_t len);

/* The request that most rows change a little; `url` must outlive it. */
struct http_request seen_get(const struct server *srv, char *url, size_t len);
/* One exchange from start to end. */
struct seen seen_exchange(struct http_request req);
void seen_expect(const struct seen *s, enum http_end end, int rc);

/* Reads the head, and as much of the body as Content-Length says. */
bool request_read(struct server_conn *c);
/* Answers once. */
void serve_answer(struct server_conn *c);
/* Sends its response, and then nothing until the client goes. */
void serve_silent(struct server_conn *c);

#endif
