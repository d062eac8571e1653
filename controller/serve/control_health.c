/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_health.c - health and verdicts: is all well, and what has the packet path decided.
 */
#include "serve/call.h"
#include "serve/json.h"
#include "serve/problem.h"
#include "serve/verdict.h"

static size_t count_critical(const struct problems *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += problem_level(&list->p[i]) == PROBLEM_CRITICAL;
	return n;
}

enum api_code verb_health(struct call *c)
{
	struct problems list;
	size_t bad;
	bool ok;

	if (call_snapshot(c))
		return API_FAILED;
	ok = problems_find(&list, c->snap);
	bad = count_critical(&list);
	c->data = json_object();
	put_str(c->data, "health", bad ? "critical" : "ok");
	json_object_set_new(c->data, "problems", problems_json(&list));
	problems_free(&list);
	if (!ok)
		return call_fail(c, API_FAILED, "no memory");
	if (bad)
		return call_fail(c, API_FAILED, "%zu critical problem%s", bad, bad > 1 ? "s" : "");
	return API_OK;
}

enum api_code verb_verdicts(struct call *c)
{
	json_t *list;

	if (call_counted(c))
		return API_FAILED;
	list = json_array();
	for (int i = RR_V_GO + 1; i < RR_V_MAX; i++) {
		enum rr_verdict v = (enum rr_verdict)i;
		json_t *o = json_object();

		put_str(o, "verdict", verdict_name(v));
		put_str(o, "class", verdict_class(v));
		put_int(o, "packets", (int64_t)c->snap->verdict[v].packets);
		put_str(o, "help", verdict_help(v));
		json_array_append_new(list, o);
	}
	c->data = json_object();
	json_object_set_new(c->data, "verdicts", list);
	return API_OK;
}
