/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * curl_loop.h - a multi handle of libcurl in the event loop: transfers go in, each comes out once,
 * when it has ended.
 *
 * For the files of sys/ that speak through libcurl (probes, the HTTP client). Nothing here waits.
 */
#ifndef SYS_CURL_LOOP_H
#define SYS_CURL_LOOP_H

#include <stdbool.h>

#include <curl/curl.h>

struct curl_loop;
struct loop;

struct curl_loop_conf {
	struct loop *loop; /* outlives the handle */
	long connections; /* idle ones kept at the most */
	void *arg;
	/* `easy` has ended and is out of the multi handle: it is the owner's again. May add and
	 * remove transfers. */
	void (*done)(void *arg, CURL *easy, CURLcode code);
	/*
	 * May be NULL. All callbacks of one event have returned: the place for what libcurl
	 * forbids inside its own callbacks (adding, removing). May close the handle.
	 */
	void (*settled)(void *arg);
};

/* 0, -ENOMEM, or -EIO when libcurl cannot start. */
int curl_loop_open(struct curl_loop **out, const struct curl_loop_conf *conf);
/* Transfers must have been removed before. Not from `done`. Accepts NULL. */
void curl_loop_close(struct curl_loop *cl);

/* Starts a transfer. Not inside a callback that libcurl calls (then curl_loop_busy()). 0 or
 * -EIO. */
int curl_loop_add(struct curl_loop *cl, CURL *easy);
/* Ends it without `done`. Not inside a callback that libcurl calls. */
void curl_loop_remove(struct curl_loop *cl, CURL *easy);
/* Within an event, until its `settled` is called. */
bool curl_loop_busy(const struct curl_loop *cl);

/* For CURLOPT_OPENSOCKETFUNCTION: a socket that programs started by us do not inherit. -1 and
 * errno when there is none. */
int curl_loop_socket(const struct curl_sockaddr *a);

#endif
