/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * show_op.c - what an operation has done: one line for people, one record for programs; the
 * progress of a drain; the phases of a probe.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

/* "web" or "web/10.0.0.6:8443", by what the answer is about. */
static void put_name(struct strbuf *sb, const json_t *data)
{
	value_print(sb, COL_STR, value_of(data, "service"));
	if (value_of(data, "endpoint")) {
		strbuf_putc(sb, '/');
		value_print(sb, COL_STR, value_of(data, "endpoint"));
	}
}

/* "web/10.0.0.6:8443: DRAINING, weight 100, 204 established, deadline in 5m" */
static void show_done(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ NULL, "verb", COL_STR },	  { NULL, "dry_run", COL_BOOL },
		{ NULL, "service", COL_STR },	  { NULL, "endpoint", COL_STR },
		{ NULL, "state", COL_STR },	  { NULL, "weight_base", COL_INT },
		{ NULL, "established", COL_INT }, { 0 },
	};
	struct strbuf sb = { 0 };

	if (!r->ok)
		return;
	if (!is_text(ctl)) {
		ctl->out.ops->record(&ctl->out, columns, r->data);
		return;
	}
	if (json_is_true(value_of(r->data, "dry_run")))
		strbuf_printf(&sb, "%s would be done; now ", ctl->verb->path);
	put_name(&sb, r->data);
	strbuf_puts(&sb, ": ");
	value_print(&sb, COL_STR, value_of(r->data, "text"));
	ctl->out.ops->line(&ctl->out, TONE_PLAIN, strbuf_str(&sb));
	strbuf_free(&sb);
}

/* The operations that answer with what they have made of their service or endpoint. */
#define OPERATIONS(X) \
	X(service_pause) \
	X(service_resume) \
	X(endpoint_add) \
	X(endpoint_del) \
	X(endpoint_ready) \
	X(endpoint_maint) \
	X(endpoint_weight)
#define SHOW_OPERATION(id) \
	void show_##id(struct ctl *ctl, const struct api_reply *r) \
	{ \
		show_done(ctl, r); \
	}
OPERATIONS(SHOW_OPERATION)
#undef SHOW_OPERATION
#undef OPERATIONS

/*
 * "draining web/10.0.0.6:8443: 204 established (oldest 1h12m)", later " ... 88", at the end " ...
 * drained in 2m51s".
 */
static void drain_line(struct ctl *ctl, const struct api_reply *r)
{
	struct strbuf sb = { 0 };
	const json_t *oldest = value_of(r->data, "oldest_ms");

	if (!ctl->lines) {
		strbuf_puts(&sb, "draining ");
		put_name(&sb, r->data);
		strbuf_puts(&sb, ": ");
	} else {
		strbuf_puts(&sb, " \u2026 ");
	}
	if (r->ok && !r->more) {
		strbuf_puts(&sb, "drained in ");
		put_age(&sb, json_integer_value(value_of(r->data, "waited_ms")));
	} else {
		value_print(&sb, COL_INT, value_of(r->data, "established"));
		strbuf_puts(&sb, ctl->lines ? "" : " established");
	}
	if (!(r->ok && !r->more) && json_integer_value(oldest)) {
		strbuf_puts(&sb, " (oldest ");
		put_age(&sb, json_integer_value(oldest));
		strbuf_putc(&sb, ')');
	}
	if (!r->more)
		strbuf_putc(&sb, '\n');
	ctl->out.ops->raw(&ctl->out, strbuf_str(&sb));
	strbuf_free(&sb);
}

/*
 * With --wait a stream, of which programs get the last line only: it says how long it took, or how
 * many are left. Without, an operation as any other.
 */
void show_endpoint_drain(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ NULL, "service", COL_STR },
		{ NULL, "endpoint", COL_STR },
		{ NULL, "state", COL_STR },
		{ NULL, "established", COL_INT },
		{ NULL, "oldest_ms", COL_MS },
		{ NULL, "waited_ms", COL_MS },
		{ 0 },
	};

	if (!r->data || !value_of(r->data, "waited_ms")) {
		show_done(ctl, r);
		return;
	}
	if (is_text(ctl))
		drain_line(ctl, r);
	else if (!r->more)
		ctl->out.ops->record(&ctl->out, columns, r->data);
}

/* Also of a probe that failed: its phases say how far it came. */
void show_endpoint_check(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ "service", "service", COL_STR }, { "endpoint", "endpoint", COL_STR },
		{ "result", "result", COL_STATE }, { "connect", "probe.connect_us", COL_US },
		{ "tls", "probe.tls_us", COL_US }, { "total", "probe.total_us", COL_US },
		{ "state", "state", COL_STATE },   { "health", "health_count", COL_STR },
		{ "reason", "reason", COL_STR },   { "meaning", "reason_help", COL_STR },
		{ "detail", "detail", COL_STR },   { 0 },
	};

	if (r->data)
		ctl->out.ops->record(&ctl->out, columns, r->data);
}

/* What was detached before an error is said also when the verb failed. */
void show_detach(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ NULL, "verb", COL_STR },
		{ NULL, "dry_run", COL_BOOL },
		{ NULL, "detached", COL_STR },
		{ NULL, "unpinned", COL_BOOL },
		{ 0 },
	};
	const json_t *list = r->data ? value_of(r->data, "detached") : NULL;
	const char *would;
	struct strbuf sb = { 0 };

	if (!r->data)
		return;
	if (!is_text(ctl)) {
		ctl->out.ops->record(&ctl->out, columns, r->data);
		return;
	}
	would = json_is_true(value_of(r->data, "dry_run")) ? "would be " : "";
	for (size_t i = 0; i < json_array_size(list); i++) {
		strbuf_truncate(&sb, 0);
		value_print(&sb, COL_STR, json_array_get(list, i));
		strbuf_printf(&sb, ": %sdetached", would);
		ctl->out.ops->line(&ctl->out, TONE_PLAIN, strbuf_str(&sb));
	}
	if (json_is_true(value_of(r->data, "unpinned"))) {
		strbuf_truncate(&sb, 0);
		strbuf_printf(&sb, "maps and program: %sremoved", would);
		ctl->out.ops->line(&ctl->out, TONE_PLAIN, strbuf_str(&sb));
	}
	strbuf_free(&sb);
}
