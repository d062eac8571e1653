/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_api.c - any bytes as a request and as a reply: either a sentence saying why not, or
 * something that formats back to a line that parses to the same.
 */
#include "api/api_wire.h"
#include "lib/fuzz.h"

static void request(const char *text, size_t size)
{
	char err[API_ERROR_MAX] = "", *line;
	struct api_request rq, again;
	const struct api_arg *a;

	if (api_request_parse(&rq, text, size, err, sizeof(err))) {
		MUST(err[0] && strlen(err) < sizeof(err) && !strchr(err, '\033'));
		api_request_free(&rq);
		return;
	}
	MUST(rq.verb && rq.verb->level >= API_READ && json_is_object(rq.args));
	for (a = rq.verb->arg; a->need != API_END; a++)
		MUST(a->need != API_MUST || json_object_get(rq.args, a->name));
	line = api_request_format(rq.verb, rq.args);
	MUST(line && strchr(line, '\n') == line + strlen(line) - 1);
	MUST(!api_request_parse(&again, line, strlen(line), err, sizeof(err)));
	MUST(again.verb == rq.verb && json_equal(again.args, rq.args));
	free(line);
	api_request_free(&again);
	api_request_free(&rq);
}

static void reply(const char *text, size_t size)
{
	char err[API_ERROR_MAX] = "", *line;
	struct api_reply r;

	if (api_reply_parse(&r, text, size, err, sizeof(err))) {
		MUST(err[0]);
	} else {
		MUST(r.error &&
		     (r.ok ? !r.code : r.code >= API_FAILED && r.code <= API_PERMISSION));
		line = r.ok ? api_reply_format(r.data, r.more)
			    : api_error_format(r.code, r.error, r.data);
		MUST(line);
		free(line);
	}
	api_reply_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/*
	 * copies of the exact size, so that a read past the end is seen; the string with its end,
	 * as the server has it
	 */
	char *text = malloc(size ? size : 1), *string = malloc(size + 1);
	json_t *s;

	MUST(text && string);
	if (size)
		memcpy(text, data, size);
	memcpy(string, text, size);
	string[size] = '\0';
	request(text, size);
	reply(text, size);
	s = api_string(string);
	MUST(json_is_string(s) && !strpbrk(json_string_value(s), "\n\t\033"));
	json_decref(s);
	free(text);
	free(string);
	return 0;
}
