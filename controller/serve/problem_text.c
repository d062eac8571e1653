/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * problem_text.c - problems in words, and as JSON. One sentence for each row of PROBLEMS; the
 * numbers and names in it come from the snapshot that the problem was found in.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "serve/json.h"
#include "serve/problem.h"
#include "serve/verdict.h"

struct text {
	const struct snapshot *snap;
	char *buf;
	size_t len;
};

static void text_conf(const struct text *t, const struct problem *p)
{
	(void)p;
	snprintf(t->buf, t->len, "the last reload failed, generation %llu stays: %s",
		 (unsigned long long)t->snap->config.generation, t->snap->config.error);
}

static void text_maps(const struct text *t, const struct problem *p)
{
	snprintf(t->buf, t->len, "%llu updates of the packet path failed%s; see the log",
		 (unsigned long long)t->snap->push_errors,
		 p->code == PROBLEM_MAPS_UNWRITTEN ? "" : ", all is written since");
}

static void text_pins(const struct text *t, const struct problem *p)
{
	(void)p;
	snprintf(t->buf, t->len, "the packet path would end with rrlbd: %s", t->snap->pins_error);
}

static void text_state(const struct text *t, const struct problem *p)
{
	const int rc = t->snap->saving.rc;

	(void)p;
	snprintf(t->buf, t->len,
		 "the state file %s%s: what operators change does not survive a restart; tried "
		 "again until it can be written",
		 rc ? "cannot be written: " : "is not written yet", rc ? strerror(-rc) : "");
}

static void text_away(const struct text *t, const struct problem *p)
{
	(void)p;
	snprintf(t->buf, t->len, "the interface is away");
}

static void text_down(const struct text *t, const struct problem *p)
{
	(void)p;
	snprintf(t->buf, t->len, "the interface is down");
}

static void text_iface(const struct text *t, const struct problem *p)
{
	snprintf(t->buf, t->len, "%s", p->iface->st.text);
}

static void text_attach(const struct text *t, const struct problem *p, const char *what)
{
	const char *why = p->iface->st.text;

	snprintf(t->buf, t->len, "%s%s%s", what, *why ? ": " : "", why);
}

static void text_bare(const struct text *t, const struct problem *p)
{
	text_attach(t, p, "the packet path is not attached");
}

static void text_generic(const struct text *t, const struct problem *p)
{
	text_attach(t, p, "generic XDP, which is slow");
}

static void text_table(const struct text *t, const struct problem *p)
{
	snprintf(t->buf, t->len,
		 "the %s flow table is %u%% full: raise flow-table %s, or shorten idle-timeout",
		 p->family, (unsigned int)p->n, p->family);
}

static void text_paused(const struct text *t, const struct problem *p)
{
	(void)p;
	snprintf(t->buf, t->len, "paused by an operator: no new connections");
}

static void text_service(const struct text *t, const struct problem *p)
{
	snprintf(t->buf, t->len, "no endpoint of %u takes new connections", p->service->total);
}

static void text_endpoint(const struct text *t, const struct problem *p)
{
	const struct view_endpoint *e = p->endpoint;
	const char *detail = e->text[0] ? e->text : e->err ? strerror(e->err) : "";

	snprintf(t->buf, t->len, "%s (%s): %s%s%s%s", reason_name(e->reason),
		 reason_class_name(e->reason), reason_help(e->reason), *detail ? " [" : "", detail,
		 *detail ? "]" : "");
}

static void text_more(const struct text *t, const struct problem *p)
{
	snprintf(t->buf, t->len, "%u more endpoints are down: rrctl endpoint list %s",
		 (unsigned int)p->n, p->service->name);
}

/* ": " and the reason: errno in words, and what else is known. Never that all went well. */
static void text_cause(const struct view_endpoint *e, char *buf, size_t len)
{
	const char *err = e->last.err ? strerror(e->last.err) : "";
	const char *text = e->last.text;

	snprintf(buf, len, "%s%s%s%s%s", *err || *text ? ": " : "", err, *err && *text ? " [" : "",
		 text, *err && *text ? "]" : "");
}

/* The same end for all of them: what is not known any more, and how many others it concerns. */
static void text_probes(const struct text *t, const struct problem *p, const char *what,
			const char *cause)
{
	char more[48] = "";

	if (p->n > 1)
		snprintf(more, sizeof(more), "; so are %u more", (unsigned int)p->n - 1);
	snprintf(t->buf, t->len, "%s%s%s%s", what, cause,
		 p->code == PROBLEM_PROBE_UNSENT ? "" : "; its health shown is the past", more);
}

static void text_unsent(const struct text *t, const struct problem *p)
{
	char cause[192];

	text_cause(p->endpoint, cause, sizeof(cause));
	text_probes(t, p, "probes cannot be sent from here", cause);
}

static void text_silent(const struct text *t, const struct problem *p)
{
	text_probes(t, p, "no probe has had a result", "");
}

static void text_late(const struct text *t, const struct problem *p)
{
	snprintf(t->buf, t->len,
		 "health checks start %llu ms late, all alike: raise interval, or check less",
		 (unsigned long long)p->n);
}

/* What was read stays in force, so a file that goes is no outage yet: the next start would be. */
static void text_ca(const struct text *t, const struct problem *p)
{
	const char *gone = p->ca->err == ESTALE ? "has changed" : strerror(p->ca->err);

	if (p->ca->unread)
		snprintf(t->buf, t->len, "%s: probes that need it cannot be sent; tried again",
			 p->ca->why);
	else
		snprintf(t->buf, t->len,
			 "the file is not what is in memory (%s): that stays in force until "
			 "rrctl config reload",
			 gone);
}

static void text_ports(const struct text *t, const struct problem *p)
{
	snprintf(t->buf, t->len,
		 "%u%% of the local ports towards it are in use: add local-address, or widen "
		 "nat-ports",
		 (unsigned int)p->n);
}

static void text_packets(const struct text *t, const struct problem *p)
{
	snprintf(t->buf, t->len, "%llu packets: %s", (unsigned long long)p->n,
		 verdict_help(p->verdict));
}

static const struct {
	enum problem_level level;
	void (*text)(const struct text *t, const struct problem *p);
} rows[PROBLEM_MAX] = {
#define PROBLEM_ROW(id, level, text) [PROBLEM_##id] = { PROBLEM_##level, text_##text },
	PROBLEMS(PROBLEM_ROW)
#undef PROBLEM_ROW
};

enum problem_level problem_level(const struct problem *p)
{
	return rows[p->code].level;
}

const char *problem_text(const struct snapshot *snap, const struct problem *p, char *buf,
			 size_t len)
{
	const struct text t = { snap, buf, len };

	rows[p->code].text(&t, p);
	return buf;
}

static const char *problem_object(const struct problem *p, char *buf, size_t len)
{
	char addr[ADDR_STRLEN];

	if (p->endpoint)
		snprintf(buf, len, "%s/%s", p->service->name,
			 addr_print(&p->endpoint->addr, addr, sizeof(addr)));
	else
		snprintf(buf, len, "%s",
			 p->service  ? p->service->name
			 : p->iface  ? p->iface->st.name
			 : p->object ? p->object
				     : verdict_name(p->verdict));
	return buf;
}

static json_t *problem_json(const struct snapshot *snap, const struct problem *p)
{
	char object[CONF_NAME_MAX + ADDR_STRLEN], text[400];
	json_t *o = json_object();

	put_str(o, "level", word_of(problem_level_words, (int)problem_level(p)));
	put_str(o, "object", problem_object(p, object, sizeof(object)));
	if (p->age_ms >= 0)
		put_int(o, "age_ms", p->age_ms);
	else
		json_object_set_new(o, "age_ms", json_null());
	put_str(o, "text", problem_text(snap, p, text, sizeof(text)));
	if (p->endpoint)
		put_str(o, "state", ep_state_name(p->endpoint->state));
	return o;
}

json_t *problems_json(const struct problems *list)
{
	json_t *a = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(a, problem_json(list->snap, &list->p[i]));
	return a;
}

bool problems_put(json_t *o, const struct snapshot *snap)
{
	struct problems list;
	bool ok = problems_find(&list, snap);

	json_object_set_new(o, "problems", problems_json(&list));
	problems_free(&list);
	return ok;
}
