/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_api.c - the wire: what is a request and what is not, replies there and back, and that the
 * verb table is sound. The manual must have every verb, reason and verdict with its help sentence.
 * Runs from the top of the tree.
 */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_wire.h"
#include "ctl/ctl.h"
#include "rr_verdict.h"
#include "util/event_kind.h"
#include "util/reason.h"
#include "util/state.h"
#include "util/strbuf.h"

#define MANUAL "controller/man/rrctl.1"

static const char *refusal(const char *line, size_t len)
{
	static char err[API_ERROR_MAX];
	struct api_request rq;
	int rc;

	err[0] = '\0';
	rc = api_request_parse(&rq, line, len, err, sizeof(err));
	api_request_free(&rq);
	assert_int_equal(rc, *err ? -1 : 0);
	return err;
}

static void refused(const char *line, const char *why)
{
	const char *err = refusal(line, strlen(line));

	if (!strstr(err, why))
		fail_msg("%.60s: wanted '%s', got '%s'", line, why, err);
}

static void requests_good(void **state)
{
	static const char line[] =
		"{\"v\":1,\"verb\":\"endpoint drain\",\"args\":{\"endpoint\":\"web/10.0.0.1:443\","
		"\"wait\":60000,\"force\":true}}";
	char err[API_ERROR_MAX];
	struct api_request rq;

	(void)state;
	assert_int_equal(api_request_parse(&rq, line, strlen(line), err, sizeof(err)), 0);
	assert_int_equal(rq.verb->id, API_V_endpoint_drain);
	assert_string_equal(api_get_str(rq.args, "endpoint"), "web/10.0.0.1:443");
	assert_int_equal(api_get_int(rq.args, "wait", -1), 60000);
	assert_int_equal(api_get_int(rq.args, "deadline", -1), -1);
	assert_true(api_get_flag(rq.args, "force"));
	assert_false(api_get_flag(rq.args, "dry_run"));
	assert_null(api_get_str(rq.args, "service"));
	api_request_free(&rq);
	assert_string_equal(refusal("{\"v\":1,\"verb\":\"status\"}", 23), "");
}

static void requests_malformed(void **state)
{
	(void)state;
	refused("", "not JSON");
	refused("garbage", "not JSON");
	refused("{\"v\":1,\"verb\":\"status\"", "not JSON");
	refused("{\"v\":1,\"verb\":\"status\"}x", "not JSON");
	refused("[1,2]", "not a JSON object");
	refused("\"status\"", "not");
	refused("{\"v\":1,\"v\":1,\"verb\":\"status\"}", "not JSON");
	refused("{\"verb\":\"status\"}", "\"v\" must be an integer");
	refused("{\"v\":\"1\",\"verb\":\"status\"}", "\"v\" must be an integer");
	refused("{\"v\":2,\"verb\":\"status\"}", "protocol version 2");
	refused("{\"v\":99999999999999999999,\"verb\":\"status\"}", "not JSON");
	refused("{\"v\":1e999,\"verb\":\"status\"}", "not JSON");
	refused("{\"v\":1}", "\"verb\" must be a string");
	refused("{\"v\":1,\"verb\":7}", "\"verb\" must be a string");
	refused("{\"v\":1,\"verb\":\"statu\"}", "unknown verb 'statu'");
	refused("{\"v\":1,\"verb\":\"completion\"}", "unknown verb");
	refused("{\"v\":1,\"verb\":\"help\"}", "unknown verb");
	refused("{\"v\":1,\"verb\":\"a\\nb\"}", "unknown verb '?'");
	refused("{\"v\":1,\"verb\":\"status\",\"args\":[]}", "\"args\" must be an object");
	refused("{\"v\":1,\"verb\":\"status\",\"args\":{\"x\":1}}", "takes no argument 'x'");
	refused("{\"v\":1,\"verb\":\"status\",\"more\":1}", "nothing else");
	refused("{\"v\":1,\"verb\":\"service show\"}", "needs argument 'service'");
	refused("{\"v\":1,\"verb\":\"status\",\"args\":{\"a\\u0000b\":1}}", "not JSON");
}

/* One wrong value of every type. */
static void requests_wrong_types(void **state)
{
	(void)state;
	refused("{\"v\":1,\"verb\":\"service show\",\"args\":{\"service\":7}}", "must be a string");
	refused("{\"v\":1,\"verb\":\"service show\",\"args\":{\"service\":\"\"}}", "is empty");
	refused("{\"v\":1,\"verb\":\"service show\",\"args\":{\"service\":\"a\\u001bb\"}}",
		"control");
	refused("{\"v\":1,\"verb\":\"service show\",\"args\":{\"service\":null}}",
		"must be a string");
	refused("{\"v\":1,\"verb\":\"service show\",\"args\":{\"service\":{}}}",
		"must be a string");
	refused("{\"v\":1,\"verb\":\"table show\",\"args\":{\"service\":\"w\",\"slots\":1}}",
		"must be true or false");
	refused("{\"v\":1,\"verb\":\"flow list\",\"args\":{\"limit\":\"9\"}}",
		"must be an integer");
	refused("{\"v\":1,\"verb\":\"flow list\",\"args\":{\"limit\":1.5}}", "must be an integer");
	refused("{\"v\":1,\"verb\":\"flow list\",\"args\":{\"limit\":-1}}", "is negative");
	refused("{\"v\":1,\"verb\":\"flow list\",\"args\":{\"limit\":9223372036854775807}}",
		"too big");
	refused("{\"v\":1,\"verb\":\"events\",\"args\":{\"since\":999999999999999}}", "too big");
	refused("{\"v\":1,\"verb\":\"flow list\",\"args\":{\"state\":\"open\"}}", "must be one of");
	refused("{\"v\":1,\"verb\":\"detach\",\"args\":{\"interfaces\":\"eth0\"}}",
		"must be an array");
	refused("{\"v\":1,\"verb\":\"detach\",\"args\":{\"interfaces\":[1]}}", "must be a string");
	refused("{\"v\":1,\"verb\":\"config check\",\"args\":{\"file\":1}}", "must be a string");
}

static void requests_hostile(void **state)
{
	struct strbuf sb = { 0 };
	char nul[] = "{\"v\":1,\"verb\":\"status\"}";

	(void)state;
	for (int i = 0; i < 60000; i++)
		strbuf_putc(&sb, '[');
	refused(strbuf_str(&sb), "not JSON");
	strbuf_truncate(&sb, 0);
	for (int i = 0; i < 10000; i++)
		strbuf_puts(&sb, "{\"a\":");
	refused(strbuf_str(&sb), "not JSON");
	strbuf_truncate(&sb, 0);
	strbuf_puts(&sb, "{\"v\":1,\"verb\":\"service show\",\"args\":{\"service\":\"");
	strbuf_fill(&sb, 'x', API_STRING_MAX + 1);
	strbuf_puts(&sb, "\"}}");
	refused(strbuf_str(&sb), "too long");
	strbuf_truncate(&sb, 0);
	strbuf_puts(&sb, "{\"v\":1,\"verb\":\"detach\",\"args\":{\"interfaces\":[\"a\"");
	for (int i = 0; i < API_LIST_MAX; i++)
		strbuf_puts(&sb, ",\"a\"");
	strbuf_puts(&sb, "]}}");
	refused(strbuf_str(&sb), "too many");
	strbuf_free(&sb);
	nul[5] = '\0';
	assert_string_not_equal(refusal(nul, sizeof(nul) - 1), "");
	refused("{\"v\":1,\"verb\":\"\xff\xfe\"}", "not JSON");
}

static void requests_round_trip(void **state)
{
	json_t *args = json_pack("{s:s, s:i}", "endpoint", "web/[2001:db8::1]:443", "wait", 0);
	char *line = api_request_format(api_verb(API_V_endpoint_drain), args);
	char err[API_ERROR_MAX];
	struct api_request rq;

	(void)state;
	assert_non_null(line);
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_int_equal(api_request_parse(&rq, line, strlen(line), err, sizeof(err)), 0);
	assert_true(json_equal(rq.args, args));
	api_request_free(&rq);
	json_decref(args);
	free(line);
}

static void replies(void **state)
{
	json_t *data = json_pack("{s:i}", "n", 3);
	char *line = api_reply_format(data, true), err[API_ERROR_MAX];
	struct api_reply r;

	(void)state;
	assert_int_equal(api_reply_parse(&r, line, strlen(line), err, sizeof(err)), 0);
	assert_true(r.ok && r.more);
	assert_true(json_equal(r.data, data));
	api_reply_free(&r);
	free(line);
	line = api_error_format(API_REFUSED, "no: \"\xff\"\n", data);
	assert_int_equal(api_reply_parse(&r, line, strlen(line), err, sizeof(err)), 0);
	assert_false(r.ok || r.more);
	assert_int_equal(r.code, API_REFUSED);
	assert_string_equal(r.error, "no: \"?\"\n");
	assert_true(json_equal(r.data, data));
	api_reply_free(&r);
	free(line);
	json_decref(data);
}

static void replies_malformed(void **state)
{
	static const char *const bad[] = {
		"", "x", "[]", "{}", "{\"v\":1}", "{\"v\":1,\"ok\":1}", "{\"v\":3,\"ok\":true}"
	};
	char err[API_ERROR_MAX];
	struct api_reply r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(api_reply_parse(&r, bad[i], strlen(bad[i]), err, sizeof(err)), -1);
		api_reply_free(&r);
	}
	assert_int_equal(
		api_reply_parse(&r, "{\"v\":1,\"ok\":false,\"code\":99}", 28, err, sizeof(err)), 0);
	assert_int_equal(r.code, API_FAILED);
	api_reply_free(&r);
}

static void strings(void **state)
{
	json_t *s = api_string("a\tb\033[31m\xc3\xa9\n");

	(void)state;
	assert_string_equal(json_string_value(s), "a?b?[31m\xc3\xa9?");
	json_decref(s);
	s = api_text("a\tb\n\033\xff");
	assert_string_equal(json_string_value(s), "a\tb\n??");
	json_decref(s);
}

static void table_sound(void **state)
{
	const struct api_arg *a;

	(void)state;
	for (int i = 0; i < API_V_MAX; i++) {
		const struct api_verb *v = api_verb((enum api_verb_id)i);

		assert_int_equal(v->id, i);
		assert_ptr_equal(api_verb_find(v->path), v);
		assert_true(*v->help && strlen(v->path) < 24);
		for (a = v->arg; a->need != API_END; a++)
			assert_true(a < v->arg + API_ARGS_MAX - 1 && strlen(a->name) < 24);
		assert_int_equal(a - v->arg < API_ARGS_MAX, 1);
	}
	assert_null(api_verb((enum api_verb_id)API_V_MAX));
	assert_null(api_verb_find("endpoint"));
}

static void socket_beside(void **state)
{
	char buf[128];

	(void)state;
	assert_string_equal(api_socket_ro("/run/rrlb/control.sock", buf, sizeof(buf)),
			    "/run/rrlb/control-ro.sock");
	assert_string_equal(api_socket_ro("/x/ctl", buf, sizeof(buf)), "/x/ctl-ro");
	assert_string_equal(api_socket_ro(".sock", buf, sizeof(buf)), ".sock-ro");
}

/* ---- the manual ---- */

/*
 * The page with every run of blanks and line ends as one blank, and without the quoting of dashes.
 */
static char *manual(void)
{
	FILE *f = fopen(MANUAL, "r");
	struct strbuf sb = { 0 };
	int c, last = ' ';

	assert_non_null(f);
	while ((c = fgetc(f)) != EOF) {
		if (c == '\n' || c == '\t')
			c = ' ';
		if (c == '\\') {
			c = fgetc(f);
			if (c == '&')
				continue;
		}
		if (c != ' ' || last != ' ')
			strbuf_putc(&sb, (char)c);
		last = c;
	}
	fclose(f);
	return strbuf_take(&sb);
}

static void has(const char *page, const char *text)
{
	if (!strstr(page, text))
		fail_msg("%s lacks '%s'", MANUAL, text);
}

static char *page;

static int open_page(void **state)
{
	(void)state;
	page = manual();
	return 0;
}

static int close_page(void **state)
{
	(void)state;
	free(page);
	return 0;
}

static void manual_has_verbs(void **state)
{
	char item[256];
	const struct api_arg *a;

	(void)state;
	for (int i = 0; i < API_V_MAX; i++) {
		const struct api_verb *v = api_verb((enum api_verb_id)i);

		snprintf(item, sizeof(item), ".It Ic %s ", v->path);
		has(page, item);
		snprintf(item, sizeof(item), " %s.", v->help);
		has(page, item);
		for (a = v->arg; a->need != API_END; a++) {
			if (a->need != API_OPTION || !api_type_meta(a->type))
				continue;
			snprintf(item, sizeof(item), "Fl -%s",
				 strcmp(a->name, "dry_run") ? a->name : "dry-run");
			has(page, item);
		}
	}
}

/* A row's item: the tables of a manual are made of these. */
static void has_item(const char *name, const char *class, const char *help)
{
	char item[600], *p;

	snprintf(item, sizeof(item), ".It Sy %s Pq %s %s", name, class, help);
	for (p = strstr(item, " Pq ") + 4; *p && *p != ' '; p++)
		*p = (char)tolower(*p);
	has(page, item);
}

static void has_state(const char *word, const char *sentence)
{
	char item[600];

	snprintf(item, sizeof(item), ".It Sy %s %s ", word, sentence);
	has(page, item);
}

static void manual_has_reasons(void **state)
{
	(void)state;
#define ROW(id, name, class, help) has_item(#name, #class, help);
	REASONS(ROW)
	RR_VERDICTS(ROW)
#undef ROW
}

static void manual_has_states(void **state)
{
	(void)state;
#define EP_ROW(id, word, tone, available, note, why, sentence) has_state(word, sentence);
	EP_STATES(EP_ROW)
#undef EP_ROW
#define SVC_ROW(id, word, tone, sentence) has_state(word, sentence);
	SVC_STATES(SVC_ROW)
#undef SVC_ROW
}

static void manual_has_events(void **state)
{
	(void)state;
#define ROW(id, word, severity, sentence) has_item(word, #severity, sentence);
	EVENTS(ROW)
#undef ROW
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_good),	cmocka_unit_test(requests_malformed),
		cmocka_unit_test(requests_wrong_types), cmocka_unit_test(requests_hostile),
		cmocka_unit_test(requests_round_trip),	cmocka_unit_test(replies),
		cmocka_unit_test(replies_malformed),	cmocka_unit_test(strings),
		cmocka_unit_test(table_sound),		cmocka_unit_test(socket_beside),
		cmocka_unit_test(manual_has_verbs),	cmocka_unit_test(manual_has_reasons),
		cmocka_unit_test(manual_has_states),	cmocka_unit_test(manual_has_events),
	};

	return cmocka_run_group_tests(tests, open_page, close_page);
}
