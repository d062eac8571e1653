/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * show_flow.c - connections, configurations, events.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

void show_flow_list(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ "CLIENT", "client", COL_STR }, { "SERVICE", "service", COL_STR },
		{ "LOCAL", "local", COL_STR },	 { "ENDPOINT", "endpoint", COL_STR },
		{ "STATE", "state", COL_STATE }, { "AGE", "age_ms", COL_MS },
		{ "IDLE", "idle_ms", COL_MS },	 { "TICKET", "ticket", COL_INT },
		{ NULL, "vip", COL_STR },	 { 0 },
	};

	if (!r->ok)
		return;
	ctl->out.ops->table(&ctl->out, columns, value_of(r->data, "flows"));
	if (json_is_true(value_of(r->data, "more")))
		ctl->out.ops->line(&ctl->out, TONE_DIM, "and more: --limit N shows them");
}

/* {"a": 1, "b": 2} as rows. */
static void add_counts(json_t *rows, const char *kind, json_t *counts)
{
	const char *name;
	json_t *n;

	json_object_foreach(counts, name, n) json_array_append_new(
		rows, json_pack("{s:s, s:s, s:O}", "by", kind, "name", name, "flows", n));
}

void show_flow_count(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ "BY", "by", COL_STR },
		{ "NAME", "name", COL_STR },
		{ "FLOWS", "flows", COL_INT },
		{ 0 },
	};
	json_t *rows;

	if (!r->ok)
		return;
	rows = json_array();
	json_array_append_new(rows, json_pack("{s:s, s:s, s:O?}", "by", "total", "name", "all",
					      "flows", json_object_get(r->data, "total")));
	add_counts(rows, "service", json_object_get(r->data, "by_service"));
	add_counts(rows, "state", json_object_get(r->data, "by_state"));
	ctl->out.ops->table(&ctl->out, columns, rows);
	json_decref(rows);
}

void show_flow_kill(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ NULL, "verb", COL_STR },
		{ NULL, "dry_run", COL_BOOL },
		{ NULL, "killed", COL_INT },
		{ 0 },
	};
	char text[80];

	if (!r->ok)
		return;
	ctl->out.ops->record(&ctl->out, columns, r->data);
	snprintf(text, sizeof(text), "%lld flows %s", (long long)api_get_int(r->data, "killed", 0),
		 json_is_true(value_of(r->data, "dry_run")) ? "would be killed" : "killed");
	ctl->out.ops->line(&ctl->out, TONE_PLAIN, text);
}

/* ---- configuration ---- */

/*
 * file:line:col messages are for people and editors: also when the verb failed, and never lost with
 * --quiet.
 */
static void show_report(struct ctl *ctl, const struct api_reply *r)
{
	const char *report = r->data ? api_get_str(r->data, "report") : NULL;

	if (!report || !*report || is_json(ctl))
		return;
	fputs(report, r->ok ? stdout : stderr);
	if (report[strlen(report) - 1] != '\n')
		fputc('\n', r->ok ? stdout : stderr);
}

void show_config_check(struct ctl *ctl, const struct api_reply *r)
{
	char text[80];

	show_report(ctl, r);
	if (!r->ok)
		return;
	snprintf(text, sizeof(text), "ok: %lld services, %lld endpoints",
		 (long long)api_get_int(r->data, "services", 0),
		 (long long)api_get_int(r->data, "endpoints", 0));
	ctl->out.ops->line(&ctl->out, TONE_PLAIN, text);
}

static void show_text(struct ctl *ctl, const struct api_reply *r, const char *key)
{
	const char *text = r->data ? api_get_str(r->data, key) : NULL;

	show_report(ctl, r);
	if (r->ok && text)
		ctl->out.ops->raw(&ctl->out, text);
}

void show_config_diff(struct ctl *ctl, const struct api_reply *r)
{
	show_text(ctl, r, "diff");
}

void show_config_show(struct ctl *ctl, const struct api_reply *r)
{
	show_text(ctl, r, "config");
}

void show_config_reload(struct ctl *ctl, const struct api_reply *r)
{
	char text[80];

	if (r->data && json_is_true(value_of(r->data, "dry_run"))) {
		show_text(ctl, r, "diff");
		if (r->ok)
			ctl->out.ops->line(&ctl->out, TONE_PLAIN,
					   json_is_true(value_of(r->data, "changed"))
						   ? "the file is good; this would change"
						   : "the file is good; nothing would change");
		return;
	}
	show_report(ctl, r);
	if (!r->ok)
		return;
	snprintf(text, sizeof(text), "generation %lld in force",
		 (long long)api_get_int(r->data, "generation", 0));
	ctl->out.ops->line(&ctl->out, TONE_PLAIN, text);
}

/* ---- events ---- */

/* "2026-01-02T03:04:05.678Z endpoint-down web/10.0.0.1:443 refused: text (uid 0)" */
static void event_line(struct ctl *ctl, const json_t *ev)
{
	struct strbuf sb = { 0 };
	const char *service = api_get_str(ev, "service"), *endpoint = api_get_str(ev, "endpoint");

	value_print(&sb, COL_STR, value_of(ev, "time"));
	strbuf_putc(&sb, ' ');
	value_print(&sb, COL_STR, value_of(ev, "kind"));
	if (service && *service) {
		strbuf_putc(&sb, ' ');
		value_print(&sb, COL_STR, value_of(ev, "service"));
	}
	if (endpoint && *endpoint) {
		strbuf_putc(&sb, '/');
		value_print(&sb, COL_STR, value_of(ev, "endpoint"));
	}
	strbuf_puts(&sb, ": ");
	value_print(&sb, COL_STR, value_of(ev, "text"));
	if (json_is_integer(value_of(ev, "uid")))
		strbuf_printf(&sb, " (uid %lld)", (long long)api_get_int(ev, "uid", 0));
	ctl->out.ops->line(&ctl->out, TONE_PLAIN, strbuf_str(&sb));
	strbuf_free(&sb);
}

static void show_event_rows(struct ctl *ctl, const json_t *rows)
{
	static const struct column columns[] = {
		{ NULL, "seq", COL_INT },
		{ NULL, "time", COL_STR },
		{ NULL, "kind", COL_STR },
		{ NULL, "service", COL_STR },
		{ NULL, "endpoint", COL_STR },
		{ NULL, "reason", COL_STR },
		{ NULL, "uid", COL_INT },
		{ NULL, "text", COL_STR },
		{ 0 },
	};

	if (!is_text(ctl)) {
		ctl->out.ops->table(&ctl->out, columns, rows);
		ctl->out.headless = true;
		return;
	}
	for (size_t i = 0; i < json_array_size(rows); i++)
		event_line(ctl, json_array_get(rows, i));
}

/* Above the others, because it was before them. */
static void show_event_lost(struct ctl *ctl, const json_t *data)
{
	long long lost = (long long)api_get_int(data, "lost", 0);
	char text[80];

	if (!lost || !is_text(ctl))
		return;
	snprintf(text, sizeof(text), "(%lld older events are no longer kept)", lost);
	ctl->out.ops->line(&ctl->out, TONE_PLAIN, text);
}

void show_events(struct ctl *ctl, const struct api_reply *r)
{
	json_t *one;

	if (!r->ok)
		return;
	if (!r->more) {
		show_event_lost(ctl, r->data);
		show_event_rows(ctl, value_of(r->data, "events"));
		return;
	}
	one = json_array();
	json_array_append(one, r->data);
	show_event_rows(ctl, one);
	json_decref(one);
}
