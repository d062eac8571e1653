/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * api_wire.c - bytes to request and back, bytes to reply and back.
 *
 * Decides what a well-formed request is, so that no handler meets a surprise: an object with
 * exactly v, verb and args, every argument known to the verb's row, present when it must be, of its
 * type and within bounds. Strings hold no control characters: they end up in logs and on terminals.
 * jansson bounds nesting and numbers and refuses duplicates and NUL bytes; its own position is
 * passed on in the error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_wire.h"

#define COUNT_MAX 1000000000
#define DURATION_MAX_MS (INT64_C(366) * 86400 * 1000)

static int fail(char *err, size_t errlen, const char *what, const char *name)
{
	snprintf(err, errlen, what, name);
	return -1;
}

/* jansson quotes what it did not like. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

static json_t *load(const char *line, size_t len, char *err, size_t errlen)
{
	json_error_t je;
	json_t *root;

	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &je);
	if (!root) {
		snprintf(err, errlen, "not JSON: %.160s at column %d", je.text, je.column);
		make_printable(err);
	} else if (!json_is_object(root)) {
		snprintf(err, errlen, "not a JSON object");
		json_decref(root);
		root = NULL;
	}
	return root;
}

static int check_version(const json_t *root, char *err, size_t errlen)
{
	const json_t *v = json_object_get(root, "v");

	if (!json_is_integer(v))
		return fail(err, errlen, "\"%s\" must be an integer", "v");
	if (json_integer_value(v) == API_VERSION)
		return 0;
	snprintf(err, errlen, "protocol version %lld is not spoken here, only %d",
		 (long long)json_integer_value(v), API_VERSION);
	return -1;
}

static bool printable(const json_t *s)
{
	const char *p = json_string_value(s), *end = p + json_string_length(s);

	for (; p < end; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	}
	return true;
}

static int check_string(const char *name, const json_t *value, char *err, size_t errlen)
{
	if (!json_is_string(value))
		return fail(err, errlen, "argument '%s' must be a string", name);
	if (!json_string_length(value))
		return fail(err, errlen, "argument '%s' is empty", name);
	if (json_string_length(value) > API_STRING_MAX)
		return fail(err, errlen, "argument '%s' is too long", name);
	if (!printable(value))
		return fail(err, errlen, "argument '%s' has a control character", name);
	return 0;
}

static int check_int(const char *name, const json_t *value, int64_t max, char *err, size_t errlen)
{
	if (!json_is_integer(value))
		return fail(err, errlen, "argument '%s' must be an integer", name);
	if (json_integer_value(value) < 0)
		return fail(err, errlen, "argument '%s' is negative", name);
	if (json_integer_value(value) > max)
		return fail(err, errlen, "argument '%s' is too big", name);
	return 0;
}

static int check_list(const char *name, const json_t *value, char *err, size_t errlen)
{
	if (!json_is_array(value))
		return fail(err, errlen, "argument '%s' must be an array of strings", name);
	if (json_array_size(value) > API_LIST_MAX)
		return fail(err, errlen, "argument '%s' has too many members", name);
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (check_string(name, json_array_get(value, i), err, errlen))
			return -1;
	}
	return 0;
}

static int check_state(const char *name, const json_t *value, char *err, size_t errlen)
{
	char words[128] = "";
	size_t len = 0;

	if (check_string(name, value, err, errlen))
		return -1;
	for (const char *const *s = api_flow_states(); *s; s++) {
		if (!strcmp(*s, json_string_value(value)))
			return 0;
		len += (size_t)snprintf(words + len, sizeof(words) - len, " %s", *s);
	}
	snprintf(err, errlen, "argument '%s' must be one of%s", name, words);
	return -1;
}

int api_arg_check(const struct api_arg *a, const json_t *value, char *err, size_t errlen)
{
	switch (a->type) {
	case API_T_FLAG:
		if (!json_is_boolean(value))
			return fail(err, errlen, "argument '%s' must be true or false", a->name);
		return 0;
	case API_T_DURATION:
	case API_T_WAIT:
		return check_int(a->name, value, DURATION_MAX_MS, err, errlen);
	case API_T_COUNT:
		return check_int(a->name, value, COUNT_MAX, err, errlen);
	case API_T_FILE:
		if (!json_is_string(value))
			return fail(err, errlen, "argument '%s' must be a string", a->name);
		return 0;
	case API_T_IFACES:
		return check_list(a->name, value, err, errlen);
	case API_T_STATE:
		return check_state(a->name, value, err, errlen);
	default:
		return check_string(a->name, value, err, errlen);
	}
}

static const struct api_arg *arg_find(const struct api_verb *v, const char *name)
{
	const struct api_arg *a;

	for (a = v->arg; a->need != API_END; a++) {
		if (!strcmp(a->name, name))
			return a;
	}
	return NULL;
}

static int check_args(const struct api_verb *v, json_t *args, char *err, size_t errlen)
{
	const struct api_arg *a;
	const char *name;
	json_t *value;

	json_object_foreach(args, name, value)
	{
		a = arg_find(v, name);
		if (!a) {
			snprintf(err, errlen, "'%s' takes no argument '%.60s'", v->path, name);
			return -1;
		}
		if (api_arg_check(a, value, err, errlen))
			return -1;
	}
	for (a = v->arg; a->need != API_END; a++) {
		if (a->need == API_MUST && !json_object_get(args, a->name)) {
			snprintf(err, errlen, "'%s' needs argument '%s'", v->path, a->name);
			return -1;
		}
	}
	return 0;
}

static const struct api_verb *check_verb(const json_t *root, char *err, size_t errlen)
{
	const json_t *name = json_object_get(root, "verb");
	const struct api_verb *v;

	if (!json_is_string(name)) {
		fail(err, errlen, "\"%s\" must be a string", "verb");
		return NULL;
	}
	v = api_verb_find(json_string_value(name));
	if (v && v->level >= API_READ)
		return v;
	snprintf(err, errlen, "unknown verb '%.60s'",
		 printable(name) ? json_string_value(name) : "?");
	return NULL;
}

static int check_members(const json_t *root, char *err, size_t errlen)
{
	size_t known = 0;

	known += json_object_get(root, "v") != NULL;
	known += json_object_get(root, "verb") != NULL;
	known += json_object_get(root, "args") != NULL;
	if (json_object_size(root) != known)
		return fail(err, errlen, "a request has %s and nothing else", "v, verb and args");
	return 0;
}

int api_request_parse(struct api_request *rq, const char *line, size_t len, char *err,
		      size_t errlen)
{
	json_t *root, *args;
	int rc = -1;

	memset(rq, 0, sizeof(*rq));
	root = load(line, len, err, errlen);
	if (!root)
		return -1;
	if (check_version(root, err, errlen) || check_members(root, err, errlen))
		goto out;
	rq->verb = check_verb(root, err, errlen);
	if (!rq->verb)
		goto out;
	args = json_object_get(root, "args");
	rq->args = args ? json_incref(args) : json_object();
	if (!json_is_object(rq->args))
		fail(err, errlen, "\"%s\" must be an object", "args");
	else
		rc = check_args(rq->verb, rq->args, err, errlen);
out:
	json_decref(root);
	return rc;
}

void api_request_free(struct api_request *rq)
{
	json_decref(rq->args);
	memset(rq, 0, sizeof(*rq));
}

const char *api_get_str(const json_t *args, const char *name)
{
	return json_string_value(json_object_get(args, name));
}

int64_t api_get_int(const json_t *args, const char *name, int64_t otherwise)
{
	const json_t *v = json_object_get(args, name);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

bool api_get_flag(const json_t *args, const char *name)
{
	return json_is_true(json_object_get(args, name));
}

/* Takes over root. */
static char *dump_line(json_t *root)
{
	char *text, *line = NULL;

	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	if (!text)
		return NULL;
	if (asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

char *api_request_format(const struct api_verb *v, json_t *args)
{
	return dump_line(
		json_pack("{s:i, s:s, s:O?}", "v", API_VERSION, "verb", v->path, "args", args));
}

char *api_reply_format(json_t *data, bool more)
{
	json_t *root = json_pack("{s:i, s:b}", "v", API_VERSION, "ok", 1);

	if (more)
		json_object_set_new(root, "more", json_true());
	if (data)
		json_object_set(root, "data", data);
	return dump_line(root);
}

char *api_error_format(enum api_code code, const char *error, json_t *data)
{
	json_t *root = json_pack("{s:i, s:b, s:i}", "v", API_VERSION, "ok", 0, "code", (int)code);

	json_object_set_new(root, "error", api_text(error));
	if (data)
		json_object_set(root, "data", data);
	return dump_line(root);
}

int api_reply_parse(struct api_reply *r, const char *line, size_t len, char *err, size_t errlen)
{
	const json_t *ok, *code;

	memset(r, 0, sizeof(*r));
	r->error = "";
	r->root = load(line, len, err, errlen);
	if (!r->root)
		return -1;
	if (check_version(r->root, err, errlen))
		return -1;
	ok = json_object_get(r->root, "ok");
	if (!json_is_boolean(ok))
		return fail(err, errlen, "\"%s\" must be true or false", "ok");
	r->ok = json_is_true(ok);
	r->more = json_is_true(json_object_get(r->root, "more"));
	r->data = json_object_get(r->root, "data");
	if (r->ok)
		return 0;
	code = json_object_get(r->root, "code");
	r->code = json_is_integer(code) && json_integer_value(code) > 0 &&
				  json_integer_value(code) <= API_PERMISSION
			  ? (enum api_code)json_integer_value(code)
			  : API_FAILED;
	r->error = api_get_str(r->root, "error");
	if (!r->error)
		r->error = "no reason was given";
	return 0;
}

void api_reply_free(struct api_reply *r)
{
	json_decref(r->root);
	memset(r, 0, sizeof(*r));
}

/*
 * A byte that may not be shown: a control character (less line ends and tabs in a text), or not
 * UTF-8.
 */
static bool unfit(char c, bool utf8, bool text)
{
	unsigned char b = (unsigned char)c;

	if (text && (b == '\n' || b == '\t'))
		return false;
	return b < 0x20 || b == 0x7f || (!utf8 && b >= 0x80);
}

static json_t *fit_string(const char *s, bool text)
{
	json_t *value = json_string(s);
	bool utf8 = value != NULL;
	char *copy, *p;

	json_decref(value);
	copy = strdup(s);
	for (p = copy; p && *p; p++) {
		if (unfit(*p, utf8, text))
			*p = '?';
	}
	value = copy ? json_string(copy) : NULL;
	free(copy);
	return value;
}

json_t *api_string(const char *s)
{
	return fit_string(s, false);
}

json_t *api_text(const char *s)
{
	return fit_string(s, true);
}
