/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * target.h - whom a request is about. It is looked up once, when the request comes.
 */
#ifndef SERVE_TARGET_H
#define SERVE_TARGET_H

#include "serve/call.h"

/* Valid as long as the call's snapshot. */
struct target {
	const struct view_service *service; /* NULL = there is none of this name */
	const struct view_endpoint *endpoint; /* NULL = it has no such endpoint */
	struct addr addr; /* of the endpoint as named; port 0 = none was given */
};

/* By name. API_OK, or API_NO_SUCH with the nearest name. */
enum api_code target_service(struct call *c, const char *name, struct target *t);
/*
 * "SERVICE/ADDRESS[:PORT]". API_OK, API_USAGE, or API_NO_SUCH: then t->service says which of both
 * is missing.
 */
enum api_code target_endpoint(struct call *c, const char *name, struct target *t);

#endif
