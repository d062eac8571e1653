/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * problem.c - what is wrong now, as a list: the lines with "!" of `rrctl status`, and what `rrctl health` fails on.
 *
 * "critical": new connections of some service cannot be served. "warning": served, but look at it. Counters of refused and
 * dropped packets never go back to zero, so their lines say how long ago they last grew; one that grew within
 * RECENT_S is a warning, an older one a note ("info").
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/counters.h"
#include "serve/call.h"
#include "serve/json.h"

#define RECENT_S 60
#define TABLE_FULL_PERCENT 80
#define ENDPOINTS_LISTED 20

/* The verdicts that mean that a client did not get what it asked for. */
static const enum rr_verdict watched[] = {
	RR_V_TABLE_FULL, RR_V_NO_PORT,	 RR_V_NO_ENDPOINT, RR_V_REFUSE,
	RR_V_NO_HOP,	 RR_V_TX_FAILED, RR_V_RST_LIMITED,
};

struct where {
	const char *level;
	const char *object;
	int64_t age_ms; /* -1 = unknown */
};

static json_t *add(json_t *list, struct where w, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static json_t *add(json_t *list, struct where w, const char *fmt, ...)
{
	json_t *o = json_object();
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_str(o, "level", w.level);
	put_str(o, "object", w.object);
	if (w.age_ms >= 0)
		put_int(o, "age_ms", w.age_ms);
	else
		json_object_set_new(o, "age_ms", json_null());
	put_str(o, "text", text);
	json_array_append_new(list, o);
	return o;
}

void problems_watch(struct control *ctl)
{
	const struct counters *n = ctl->d->counters;
	int i;

	if (!n || !n->at.us)
		return;
	for (i = 0; i < RR_V_MAX; i++) {
		if (n->verdict[i] > ctl->verdict[i] && ctl->verdict_known)
			ctl->verdict_at[i] = n->at;
		ctl->verdict[i] = n->verdict[i];
	}
	ctl->verdict_known = true;
}

static const char *verdict_name(enum rr_verdict v)
{
	static const char *const name[] = {
#define VERDICT_NAME(id, name, class, help) [RR_V_##id] = #name,
		RR_VERDICTS(VERDICT_NAME)
#undef VERDICT_NAME
	};

	return name[v];
}

static const char *verdict_help(enum rr_verdict v)
{
	static const char *const text[] = {
#define VERDICT_HELP(id, name, class, help) [RR_V_##id] = help,
		RR_VERDICTS(VERDICT_HELP)
#undef VERDICT_HELP
	};

	return text[v];
}

static void verdict_problem(json_t *list, const struct call *c, enum rr_verdict v)
{
	const struct control *ctl = c->ctl;
	int64_t age = ctl->verdict_at[v].us ? mono_sub(c->now, ctl->verdict_at[v]).us / 1000 : -1;
	struct where w = { "info", verdict_name(v), age };

	if (age >= 0 && age < RECENT_S * 1000)
		w.level = "warning";
	add(list, w, "%llu packets: %s", (unsigned long long)ctl->verdict[v], verdict_help(v));
}

static void verdict_problems(json_t *list, const struct call *c)
{
	size_t i;

	problems_watch(c->ctl);
	for (i = 0; i < sizeof(watched) / sizeof(watched[0]); i++) {
		if (c->ctl->verdict[watched[i]])
			verdict_problem(list, c, watched[i]);
	}
}

static void endpoint_problem(json_t *list, const struct call *c, const struct view_service *s,
			     const struct view_endpoint *e)
{
	char name[CONF_NAME_MAX + ADDR_STRLEN], addr[ADDR_STRLEN];
	const char *detail = e->text[0] ? e->text : e->err ? strerror(e->err) : "";
	json_t *o;

	snprintf(name, sizeof(name), "%s/%s", s->name, addr_print(&e->addr, addr, sizeof(addr)));
	o = add(list, (struct where){ "warning", name, mono_sub(c->view->now, e->since).us / 1000 },
		"%s (%s): %s%s%s%s", reason_name(e->reason), reason_class_name(e->reason),
		reason_help(e->reason), *detail ? " [" : "", detail, *detail ? "]" : "");
	put_str(o, "state", ep_state_name(e->state));
}

static void service_problems(json_t *list, const struct call *c, const struct view_service *s)
{
	unsigned int listed = 0, more = 0;
	size_t i;

	if (s->paused)
		add(list, (struct where){ "warning", s->name, -1 },
		    "paused by an operator: no new connections");
	if (!strcmp(service_state(s), "down"))
		add(list, (struct where){ "critical", s->name, -1 },
		    "no endpoint of %u takes new connections", s->total);
	for (i = 0; i < s->endpoints; i++) {
		if (s->endpoint[i].state != EPS_DOWN && s->endpoint[i].state != EPS_NO_HOP)
			continue;
		if (listed++ < ENDPOINTS_LISTED)
			endpoint_problem(list, c, s, &s->endpoint[i]);
		else
			more++;
	}
	if (more)
		add(list, (struct where){ "warning", s->name, -1 },
		    "%u more endpoints are down: rrctl endpoint list %s", more, s->name);
}

/* The model gives an interface that is down the index 0, too; that is what the maps hold. */
static bool iface_down(const struct daemon *d, size_t slot)
{
	return d->iface_use[slot] == IFACE_CONF && d->have && !d->have->iface[slot].ifindex;
}

static void iface_problem(json_t *list, const struct daemon *d, size_t slot)
{
	const struct dp_iface_status *f = &d->iface[slot];
	struct where bad = { "critical", f->name, -1 }, slow = { "warning", f->name, -1 };
	struct where note = { "info", f->name, -1 };
	const char *colon = f->text[0] ? ": " : "";

	if (!f->name[0])
		return;
	if (!f->ifindex || iface_down(d, slot))
		add(list, bad, "the interface is %s", f->ifindex ? "down" : "away");
	else if (d->iface_use[slot] == IFACE_LINGER)
		add(list, slow, "%s", f->text);
	else if (!f->attached)
		add(list, bad, "the packet path is not attached%s%s", colon, f->text);
	else if (!f->native)
		add(list, slow, "generic XDP, which is slow%s%s", colon, f->text);
	else if (f->how == DP_ATTACH_EXTERNAL && f->text[0])
		add(list, note, "%s", f->text);
}

/* One table may be full while the other is empty: each is judged for itself. */
static void table_problem(json_t *list, const char *family, uint32_t percent)
{
	if (percent >= TABLE_FULL_PERCENT)
		add(list, (struct where){ "warning", "flows", -1 },
		    "the %s flow table is %u%% full: raise flow-table %s, or shorten idle-timeout",
		    family, percent, family);
}

static void daemon_problems(json_t *list, const struct call *c)
{
	const struct daemon *d = c->d;
	size_t i;

	if (!d->conf_ok)
		add(list,
		    (struct where){ "warning", "config", mono_sub(c->now, d->conf_at).us / 1000 },
		    "the last reload failed, generation %llu stays: %s",
		    (unsigned long long)d->conf_generation, d->conf_error);
	if (d->push_errors)
		add(list, (struct where){ d->push_retry ? "critical" : "info", "maps", -1 },
		    "%llu updates of the packet path failed%s; see the log",
		    (unsigned long long)d->push_errors,
		    d->push_retry ? "" : ", all is written since");
	for (i = 0; i < d->ifaces; i++)
		iface_problem(list, d, i);
	table_problem(list, "ipv4", d->occupancy.load4);
	table_problem(list, "ipv6", d->occupancy.load6);
}

json_t *problems_json(const struct call *c)
{
	json_t *list = json_array();
	size_t i;

	daemon_problems(list, c);
	for (i = 0; i < c->view->services; i++)
		service_problems(list, c, &c->view->service[i]);
	verdict_problems(list, c);
	return list;
}

enum api_code verb_health(struct call *c)
{
	json_t *list, *p;
	size_t i, bad = 0;

	if (call_view(c))
		return API_FAILED;
	list = problems_json(c);
	json_array_foreach(list, i, p) bad +=
		!strcmp(json_string_value(json_object_get(p, "level")), "critical");
	c->data = json_object();
	put_str(c->data, "health", bad ? "critical" : "ok");
	json_object_set_new(c->data, "problems", list);
	if (bad)
		return call_fail(c, API_FAILED, "%zu critical problem%s", bad, bad > 1 ? "s" : "");
	return API_OK;
}

enum api_code verb_verdicts(struct call *c)
{
	static const char *const class[] = {
#define VERDICT_CLASS(id, name, class, help) [RR_V_##id] = #class,
		RR_VERDICTS(VERDICT_CLASS)
#undef VERDICT_CLASS
	};
	json_t *list = json_array(), *o;
	int i;

	collect_read(c->d);
	for (i = RR_V_GO + 1; i < RR_V_MAX; i++) {
		o = json_object();
		put_str(o, "verdict", verdict_name((enum rr_verdict)i));
		put_str(o, "class", class[i]);
		put_int(o, "packets", (int64_t)c->d->counters->verdict[i]);
		put_str(o, "help", verdict_help((enum rr_verdict)i));
		json_array_append_new(list, o);
	}
	c->data = json_object();
	json_object_set_new(c->data, "verdicts", list);
	return API_OK;
}
