/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * show_status.c - the one screen, health, verdicts, version.
 *
 *	rrlbd 0.3.0  up 3d02h  config gen 14 ok (2h00m ago)  XDP native eth0  flows 48/4096 (1%)
 *	SERVICE  VIP             MODE  STATE     AVAIL  CPS     ACTIVE  NOTES
 *	web      192.0.2.10:443  nat   degraded  5/6    1240.0   31022  1 down
 *	! web/10.0.1.7:8443 DOWN 42s  refused (hard): connect: refused; ...
 */
#include <string.h>

#include "ctl/ctl.h"
#include "util/words.h"

/* A member as text; "" when it is missing, or of another type. */
static const char *str(const json_t *o, const char *key)
{
	const char *s = json_string_value(value_of(o, key));

	return s ? s : "";
}

/* A member as an integer; 0 when it is missing. */
static json_int_t num(const json_t *o, const char *key)
{
	return json_integer_value(value_of(o, key));
}

/* How the program runs there: by the driver, by the generic path, or not at all. */
static const char *iface_kind(const json_t *f)
{
	return json_is_true(value_of(f, "attached")) ? str(f, "mode") : "off";
}

/* "XDP native eth0,eth1 generic eth2 off eth3" */
static void put_ifaces(struct strbuf *sb, const json_t *list)
{
	static const char *const word[] = { "native", "generic", "off" };
	size_t n;

	strbuf_puts(sb, json_array_size(list) ? "  XDP" : "  XDP none");
	for (size_t kind = 0; kind < 3; kind++) {
		for (size_t i = n = 0; i < json_array_size(list); i++) {
			if (strcmp(iface_kind(json_array_get(list, i)), word[kind]))
				continue;
			if (n++)
				strbuf_putc(sb, ',');
			else
				strbuf_printf(sb, " %s ", word[kind]);
			value_print(sb, COL_STR, value_of(json_array_get(list, i), "interface"));
		}
	}
}

/*
 * The generation that is in force. A reload that failed is said here, since nothing else changes
 * when it does.
 */
static void put_config(struct strbuf *sb, const json_t *data)
{
	strbuf_printf(sb, "  config gen %lld %s (", (long long)num(data, "config.generation"),
		      json_is_true(value_of(data, "config.ok")) ? "ok" : "RELOAD FAILED");
	put_age(sb, num(data, "config.age_ms"));
	strbuf_puts(sb, " ago)");
}

/*
 * Entries, not connections: a connection of a mode with a reverse entry takes two. What is near the
 * capacity is what an operator wants to see.
 */
static void put_flows(struct strbuf *sb, const json_t *data)
{
	json_int_t n = num(data, "flows.entries"), cap = num(data, "flows.capacity");

	strbuf_printf(sb, "  flows %lld/%lld (%lld%%)", (long long)n, (long long)cap,
		      cap > 0 ? (long long)(n * 100 / cap) : 0);
}

static void show_head(struct ctl *ctl, const json_t *data)
{
	struct strbuf sb = { 0 };

	strbuf_puts(&sb, "rrlbd ");
	value_print(&sb, COL_STR, value_of(data, "version"));
	strbuf_puts(&sb, "  up ");
	put_age(&sb, num(data, "uptime_ms"));
	put_config(&sb, data);
	put_ifaces(&sb, value_of(data, "interfaces"));
	put_flows(&sb, data);
	ctl->out.ops->line(&ctl->out, TONE_BOLD, strbuf_str(&sb));
	strbuf_free(&sb);
}

/* "! object STATE age  sentence", in the colour of its level. */
static void show_problem(struct ctl *ctl, const json_t *p)
{
	static const enum tone tones[] = {
		[PROBLEM_INFO] = TONE_DIM,
		[PROBLEM_WARNING] = TONE_WARN,
		[PROBLEM_CRITICAL] = TONE_BAD,
	};
	int level = PROBLEM_INFO;
	struct strbuf sb = { 0 };

	word_find(problem_level_words, str(p, "level"), &level);
	strbuf_puts(&sb, "! ");
	value_print(&sb, COL_STR, value_of(p, "object"));
	if (*str(p, "state")) {
		strbuf_putc(&sb, ' ');
		value_print(&sb, COL_STR, value_of(p, "state"));
	}
	if (json_is_integer(value_of(p, "age_ms"))) {
		strbuf_putc(&sb, ' ');
		put_age(&sb, num(p, "age_ms"));
	}
	strbuf_puts(&sb, "  ");
	value_print(&sb, COL_STR, value_of(p, "text"));
	ctl->out.ops->line(&ctl->out, tones[level], strbuf_str(&sb));
	strbuf_free(&sb);
}

void show_problems(struct ctl *ctl, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		show_problem(ctl, json_array_get(list, i));
}

/* The head, the services, and a line for each problem. */
void show_status(struct ctl *ctl, const struct api_reply *r)
{
	if (!r->ok)
		return;
	show_head(ctl, r->data);
	show_service_list(ctl, r);
	show_problems(ctl, value_of(r->data, "problems"));
}

/*
 * The exit code says it: 0 when every service is served. The problems come with the error when not,
 * so r->data is looked at, not r->ok.
 */
void show_health(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ NULL, "level", COL_STATE },
		{ NULL, "object", COL_STR },
		{ NULL, "age_ms", COL_MS },
		{ NULL, "text", COL_STR },
		{ 0 },
	};

	if (r->ok)
		ctl->out.ops->line(&ctl->out, TONE_GOOD, "ok");
	if (is_text(ctl))
		show_problems(ctl, value_of(r->data, "problems"));
	else if (r->data)
		ctl->out.ops->table(&ctl->out, columns, value_of(r->data, "problems"));
}

void show_verdicts(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ "VERDICT", "verdict", COL_STR },
		{ "CLASS", "class", COL_STR },
		{ "PACKETS", "packets", COL_INT },
		{ "MEANING", "help", COL_STR },
		{ 0 },
	};

	if (r->ok)
		ctl->out.ops->table(&ctl->out, columns, value_of(r->data, "verdicts"));
}

/* Both programs, since an upgrade replaces one after the other. */
void show_version(struct ctl *ctl, const struct api_reply *r)
{
	static const struct column columns[] = {
		{ "rrctl", "client", COL_STR },
		{ "rrlbd", "daemon", COL_STR },
		{ "protocol", "protocol", COL_INT },
		{ "flow layout", "abi", COL_INT },
		{ "program id", "program", COL_INT },
		{ "instructions", "instructions", COL_INT },
		{ 0 },
	};

	if (!r->ok)
		return;
	json_object_set_new(r->data, "client", json_string(ctl->build));
	ctl->out.ops->record(&ctl->out, columns, r->data);
}
