/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * audit.c - who has asked to change what, and what came of it: an event for every such request,
 * also for one that was refused. The words are those of the request, with long values cut.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/daemon.h"
#include "serve/audit.h"
#include "util/strbuf.h"

/* "endpoint drain endpoint=web/10.0.0.1:443 force: ok" */
static void audit_text(const struct call *c, enum api_code code, char *buf, size_t len)
{
	struct strbuf sb = { .max = 4096 };
	const char *name;
	json_t *value;

	strbuf_puts(&sb, c->verb->path);
	json_object_foreach(c->args, name, value)
	{
		if (json_is_string(value))
			strbuf_printf(&sb, " %s=%.80s", name, json_string_value(value));
		else if (json_is_integer(value))
			strbuf_printf(&sb, " %s=%lld", name, (long long)json_integer_value(value));
		else if (json_is_true(value))
			strbuf_printf(&sb, " %s", name);
		else if (json_is_array(value))
			strbuf_printf(&sb, " %s(%zu)", name, json_array_size(value));
	}
	snprintf(buf, len, "%.110s: %s", strbuf_str(&sb),
		 api_code_name(code == CALL_LATER ? API_OK : code));
	strbuf_free(&sb);
}

void audit_note(const struct call *c, enum api_code code)
{
	const char *whom = api_get_str(c->args, "endpoint");
	struct model_event ev = { .kind = EVENT_AUDIT, .uid = c->uid };

	if (!whom)
		whom = api_get_str(c->args, "service");
	if (whom)
		snprintf(ev.service, sizeof(ev.service), "%.*s", (int)strcspn(whom, "/"), whom);
	audit_text(c, code, ev.text, sizeof(ev.text));
	model_event_note(c->ctl->d->model, &ev, c->now);
}
