/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * api_wire.h - requests and replies as lines of JSON, one per line. No socket here.
 *
 *	-> {"v":1,"verb":"endpoint drain","args":{"endpoint":"web/10.0.0.1:443","wait":60000}}
 *	<- {"v":1,"ok":true,"more":true,"data":{...}}		progress: more lines follow
 *	<- {"v":1,"ok":true,"data":{...}}			the end, or
 *	<- {"v":1,"ok":false,"code":4,"error":"no service 'web'"}  (and "data" if there is some)
 */
#ifndef API_API_WIRE_H
#define API_API_WIRE_H

#include <jansson.h>
#include <stdint.h>

#include "api/api.h"

#define API_ERROR_MAX 512

struct api_request {
	const struct api_verb *verb;
	json_t *args; /* an object, each member as its row says; owned */
};

struct api_reply {
	bool ok, more;
	enum api_code code;
	const char *error; /* "" when ok; points into root */
	json_t *data; /* of root; NULL = none */
	json_t *root; /* owned */
};

/*
 * Daemon: 0, or -1 with a sentence in err (`errlen` at least API_ERROR_MAX). Every member is
 * checked against the verb's row: afterwards the getters below cannot meet a wrong type. Free in
 * both cases.
 */
int api_request_parse(struct api_request *rq, const char *line, size_t len, char *err,
		      size_t errlen);
void api_request_free(struct api_request *rq);
/*
 * One argument against its type: 0, or -1 with a sentence. rrctl checks what it sends by the same
 * rule.
 */
int api_arg_check(const struct api_arg *a, const json_t *value, char *err, size_t errlen);
const char *api_get_str(const json_t *args, const char *name); /* NULL = not given */
int64_t api_get_int(const json_t *args, const char *name, int64_t otherwise);
bool api_get_flag(const json_t *args, const char *name);

/*
 * All formatters: one line with its newline, malloc'ed; NULL = no memory. `data` and `args` stay
 * the caller's.
 */
char *api_request_format(const struct api_verb *v, json_t *args);
char *api_reply_format(json_t *data, bool more);
char *api_error_format(enum api_code code, const char *error, json_t *data);

/* rrctl: 0, or -1 with a sentence. */
int api_reply_parse(struct api_reply *r, const char *line, size_t len, char *err, size_t errlen);
void api_reply_free(struct api_reply *r);

/*
 * Strings of any bytes: what is not UTF-8, and every control character, becomes '?'. A text keeps
 * its lines and tabs.
 */
json_t *api_string(const char *s);
json_t *api_text(const char *s);

#endif
