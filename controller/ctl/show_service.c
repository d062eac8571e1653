/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * show_service.c - services, endpoints and rotation tables: lists, single objects, and what an
 * operation has left.
 */
#include <string.h>

#include "ctl/ctl.h"

/* The first column is left out where one service is shown; see show_endpoint_list(). */
static const struct column endpoint_columns[] = {
	{ "SERVICE", "service", COL_STR },    { "ENDPOINT", "endpoint", COL_STR },
	{ "STATE", "state", COL_STATE },      { "HEALTH", "health_count", COL_STR },
	{ "WEIGHT", "weight_base", COL_INT }, { "EFF", "weight", COL_INT },
	{ "SHARE", "share", COL_SHARE },      { "ACTIVE", "active", COL_INT },
	{ "CPS", "cps", COL_REAL },	      { "TLS", "probe.tls_us", COL_US },
	{ "SINCE", "since_ms", COL_MS },      { "REASON", "reason", COL_STR },
	{ "DETAIL", "detail", COL_STR },      { NULL, "admin", COL_STR },
	{ NULL, "health", COL_STR },	      { NULL, "member", COL_STR },
	{ NULL, "slots", COL_INT },	      { NULL, "flows", COL_INT },
	{ NULL, "connections", COL_INT },     { 0 },
};

/*
 * "5/6" is one column for people; programs get both figures as well. The member is added to the
 * answer, which is ours, so not for JSON, which is the daemon's to the letter.
 */
void show_service_list(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ "SERVICE", "service", COL_STR }, { "VIP", "vip", COL_STR },
		{ "MODE", "mode", COL_STR },	   { "STATE", "state", COL_STATE },
		{ "AVAIL", "avail", COL_STR },	   { "CPS", "cps", COL_REAL },
		{ "ACTIVE", "active", COL_INT },   { "NOTES", "notes", COL_STR },
		{ NULL, "available", COL_INT },	   { NULL, "total", COL_INT },
		{ NULL, "slots", COL_INT },	   { NULL, "connections", COL_INT },
		{ NULL, "refused", COL_INT },	   { 0 },
	};
	json_t *list = r->ok ? json_object_get(r->data, "services") : NULL, *s;
	size_t i;

	if (!list || is_json(ctl))
		return;
	json_array_foreach(list, i, s) json_object_set_new(
		s, "avail",
		json_sprintf("%lld/%lld", (long long)api_get_int(s, "available", 0),
			     (long long)api_get_int(s, "total", 0)));
	ctl->out.ops->table(&ctl->out, columns, list);
}

/* The service, an empty line, its endpoints. For programs the two follow one another. */
void show_service_show(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ "service", "service", COL_STR },
		{ "vip", "vip", COL_STR },
		{ "mode", "mode", COL_STR },
		{ "state", "state", COL_STATE },
		{ "available", "available", COL_INT },
		{ "endpoints", "total", COL_INT },
		{ "slots", "slots", COL_INT },
		{ "cps", "cps", COL_REAL },
		{ "active", "active", COL_INT },
		{ "connections", "connections", COL_INT },
		{ "refused", "refused", COL_INT },
		{ "packets in", "packets_in", COL_INT },
		{ "packets out", "packets_out", COL_INT },
		{ "bytes in", "bytes_in", COL_INT },
		{ "bytes out", "bytes_out", COL_INT },
		{ "on unknown", "settings.on_unknown", COL_STR },
		{ "overflow", "settings.overflow", COL_STR },
		{ "idle timeout", "settings.timeout_idle_ms", COL_DUR },
		{ "drain deadline", "settings.drain_deadline_ms", COL_DUR },
		{ "on deadline", "settings.on_deadline", COL_STR },
		{ "health", "settings.health", COL_STR },
		{ "health interval", "settings.health_interval_ms", COL_DUR },
		{ 0 },
	};

	if (!r->ok)
		return;
	ctl->out.ops->record(&ctl->out, columns, r->data);
	ctl->out.ops->line(&ctl->out, TONE_PLAIN, "");
	ctl->out.ops->table(&ctl->out, endpoint_columns + 1, value_of(r->data, "endpoints"));
}

/* With one service named, its column says nothing; programs get the same columns always. */
void show_endpoint_list(struct ctl *ctl, const struct api_reply *r)
{
	bool one = api_get_str(ctl->args, "service") && is_text(ctl);

	if (r->ok)
		ctl->out.ops->table(&ctl->out, endpoint_columns + (one ? 1 : 0),
				    value_of(r->data, "endpoints"));
}

/* Everything that the daemon knows; "deadline in" and others only while they apply. */
void show_endpoint_show(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ "service", "service", COL_STR },
		{ "endpoint", "endpoint", COL_STR },
		{ "state", "state", COL_STATE },
		{ "for", "since_ms", COL_MS },
		{ "reason", "reason", COL_STR },
		{ "meaning", "reason_help", COL_STR },
		{ "detail", "detail", COL_STR },
		{ "admin", "admin", COL_STR },
		{ "by operator", "admin_set", COL_BOOL },
		{ "deadline in", "deadline_ms", COL_MS },
		{ "health", "health", COL_STR },
		{ "health count", "health_count", COL_STR },
		{ "flapping", "flapping", COL_BOOL },
		{ "probes passed", "probe.passed", COL_INT },
		{ "probes failed", "probe.failed", COL_INT },
		{ "last probe", "probe.age_ms", COL_MS },
		{ "  connect", "probe.connect_us", COL_US },
		{ "  tls", "probe.tls_us", COL_US },
		{ "  total", "probe.total_us", COL_US },
		{ "member", "member", COL_STR },
		{ "added by operator", "added", COL_BOOL },
		{ "weight", "weight_base", COL_INT },
		{ "set by operator", "weight_set", COL_BOOL },
		{ "effective weight", "weight", COL_INT },
		{ "slots", "slots", COL_INT },
		{ "share", "share", COL_SHARE },
		{ "active", "active", COL_INT },
		{ "flows", "flows", COL_INT },
		{ "ports in use (%)", "ports_percent", COL_INT },
		{ "cps", "cps", COL_REAL },
		{ "connections", "connections", COL_INT },
		{ "packets in", "packets_in", COL_INT },
		{ "packets out", "packets_out", COL_INT },
		{ "bytes in", "bytes_in", COL_INT },
		{ "bytes out", "bytes_out", COL_INT },
		{ "next hop", "next_hop", COL_STR },
		{ 0 },
	};

	if (r->ok)
		ctl->out.ops->record(&ctl->out, columns, r->data);
}

static const struct column table_head[] = {
	{ "service", "service", COL_STR },   { "slots", "slots", COL_INT },
	{ "copy", "copy", COL_INT },	     { "next ticket", "ticket", COL_INT },
	{ "position", "position", COL_INT }, { 0 },
};

static const struct column table_columns[] = {
	{ "ENDPOINT", "endpoint", COL_STR },
	{ "STATE", "state", COL_STATE },
	{ "WEIGHT", "weight_base", COL_INT },
	{ "EFF", "weight", COL_INT },
	{ "SLOTS", "slots", COL_INT },
	{ "SHARE", "share", COL_SHARE },
	{ "WHY-NOT", "why_not", COL_STR },
	{ NULL, "id", COL_INT },
	{ 0 },
};

/* "slot 0", "slot 1" ... or the tickets of the next picks. */
static void show_slots(struct ctl *ctl, const json_t *list, json_int_t first, const char *what)
{
	struct column columns[] = { { what, "number", COL_INT },
				    { "ENDPOINT", "endpoint", COL_STR },
				    { 0 } };
	json_t *rows = json_array();

	for (size_t i = 0; i < json_array_size(list); i++)
		json_array_append_new(rows, json_pack("{s:I, s:O}", "number", first + (json_int_t)i,
						      "endpoint", json_array_get(list, i)));
	ctl->out.ops->line(&ctl->out, TONE_PLAIN, "");
	ctl->out.ops->table(&ctl->out, columns, rows);
	json_decref(rows);
}

/* `quotas`: the endpoints as well, with what each of them gets. */
static void show_table(struct ctl *ctl, const struct api_reply *r, bool quotas)
{
	bool text = is_text(ctl);

	if (text)
		ctl->out.ops->record(&ctl->out, table_head, r->data);
	ctl->out.ops->line(&ctl->out, TONE_PLAIN, "");
	if (quotas)
		ctl->out.ops->table(&ctl->out, table_columns, value_of(r->data, "endpoints"));
}

/* For programs one table is printed, not two: with --slots the slots. */
void show_table_show(struct ctl *ctl, const struct api_reply *r)
{
	const json_t *slots = r->ok ? value_of(r->data, "slot_list") : NULL;

	if (!r->ok)
		return;
	show_table(ctl, r, !slots || is_text(ctl));
	if (slots)
		show_slots(ctl, slots, 0, "SLOT");
}

/* The next picks are for eyes; programs find them in JSON. */
void show_table_explain(struct ctl *ctl, const struct api_reply *r)
{
	if (!r->ok)
		return;
	show_table(ctl, r, true);
	if (is_text(ctl))
		show_slots(ctl, value_of(r->data, "next"), api_get_int(r->data, "ticket", 0),
			   "TICKET");
}
