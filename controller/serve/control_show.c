/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_show.c - the verbs that look: status, services, endpoints, rotation tables, version. They read the view, the
 * last counters, and for tables the maps themselves: what is shown as the rotation is what packets meet.
 */
#include <string.h>
#include <unistd.h>

#include "collect/counters.h"
#include "serve/call.h"
#include "serve/json.h"

#define PICKS 20

static json_t *config_json(const struct call *c)
{
	json_t *o = json_object();

	put_str(o, "file", c->d->conf_path ? c->d->conf_path : "");
	put_int(o, "generation", (int64_t)c->d->conf_generation);
	put_bool(o, "ok", c->d->conf_ok);
	put_str(o, "error", c->d->conf_ok ? "" : c->d->conf_error);
	put_int(o, "age_ms", mono_sub(c->now, c->d->conf_at).us / 1000);
	return o;
}

/* An interface without our program has no mode, and no way by which it is attached. */
static json_t *iface_json(const struct dp_iface_status *f)
{
	static const char *const how[] = { "dispatcher", "link", "external" };
	json_t *o = json_object();

	put_str(o, "interface", f->name);
	put_int(o, "ifindex", f->ifindex);
	put_bool(o, "attached", f->attached);
	put_str(o, "mode", !f->attached ? "off" : f->native ? "native" : "generic");
	put_str(o, "attach", f->attached ? how[f->how] : "none");
	put_int(o, "program", f->attached ? f->prog_id : 0);
	put_str(o, "text", f->text);
	return o;
}

static json_t *ifaces_json(const struct daemon *d)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < d->ifaces; i++) {
		if (d->iface[i].name[0])
			json_array_append_new(list, iface_json(&d->iface[i]));
	}
	return list;
}

static json_t *occupancy_json(const struct occupancy *oc)
{
	json_t *o = json_object();

	put_int(o, "entries", (int64_t)oc->entries);
	put_int(o, "capacity", (int64_t)oc->capacity);
	put_int(o, "ipv4_percent", oc->load4);
	put_int(o, "ipv6_percent", oc->load6);
	put_int(o, "expired_total", (int64_t)oc->expired_total);
	put_int(o, "orphans_total", (int64_t)oc->orphans_total);
	put_int(o, "drift_total", (int64_t)oc->drift_total);
	json_object_set_new(o, "by_state", json_flow_states(oc->by_state));
	return o;
}

static json_t *control_json(const struct control *ctl)
{
	struct unix_server_stats st;
	json_t *o = json_object();

	unix_server_stats(ctl->server, &st);
	put_int(o, "clients", st.clients);
	put_int(o, "accepted", (int64_t)st.accepted);
	put_int(o, "crowded_out", (int64_t)st.crowded_out);
	put_int(o, "overflowed", (int64_t)st.overflowed);
	put_int(o, "requests", (int64_t)ctl->requests);
	put_int(o, "malformed", (int64_t)ctl->malformed);
	put_int(o, "denied", (int64_t)ctl->denied);
	return o;
}

static json_t *services_json(const struct call *c)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < c->view->services; i++)
		json_array_append_new(list, json_service(c->d, &c->view->service[i]));
	return list;
}

enum api_code verb_version(struct call *c)
{
	uint32_t id = 0, insns = 0;

	dp_prog_id(c->d->dp, &id, &insns);
	c->data = json_object();
	put_str(c->data, "daemon", RRLB_VERSION);
	put_int(c->data, "protocol", API_VERSION);
	put_int(c->data, "abi", RR_FLOWS_VERSION);
	put_int(c->data, "program", id);
	put_int(c->data, "instructions", insns);
	return API_OK;
}

enum api_code verb_status(struct call *c)
{
	if (call_view(c))
		return API_FAILED;
	collect_read(c->d);
	c->data = json_object();
	put_str(c->data, "version", RRLB_VERSION);
	put_int(c->data, "pid", getpid());
	put_int(c->data, "uptime_ms", mono_sub(c->now, c->d->started).us / 1000);
	put_bool(c->data, "adopted", c->d->adopted);
	json_object_set_new(c->data, "config", config_json(c));
	json_object_set_new(c->data, "interfaces", ifaces_json(c->d));
	json_object_set_new(c->data, "flows", occupancy_json(&c->d->occupancy));
	put_int(c->data, "pushes", (int64_t)c->d->push_total);
	put_int(c->data, "push_errors", (int64_t)c->d->push_errors);
	json_object_set_new(c->data, "control", control_json(c->ctl));
	json_object_set_new(c->data, "services", services_json(c));
	json_object_set_new(c->data, "problems", problems_json(c));
	return API_OK;
}

enum api_code verb_service_list(struct call *c)
{
	if (call_view(c))
		return API_FAILED;
	collect_read(c->d);
	c->data = json_object();
	json_object_set_new(c->data, "services", services_json(c));
	return API_OK;
}

static void add_endpoints(const struct call *c, json_t *list, const struct view_service *s)
{
	size_t i;

	for (i = 0; i < s->endpoints; i++)
		json_array_append_new(list, json_endpoint(c->d, c->view, s, &s->endpoint[i]));
}

static void put_ms(json_t *o, const char *key, mono_t t)
{
	put_int(o, key, t.us / 1000);
}

/* What the configuration says about a service, less its endpoints. */
static json_t *settings_json(const struct conf_service *s)
{
	json_t *o = json_object();

	put_str(o, "on_unknown", word_of(conf_unknown_words, (int)s->on_unknown));
	put_str(o, "overflow", word_of(conf_overflow_words, (int)s->overflow));
	put_ms(o, "timeout_syn_ms", s->t_syn);
	put_ms(o, "timeout_idle_ms", s->t_idle);
	put_ms(o, "timeout_fin1_ms", s->t_fin1);
	put_ms(o, "timeout_fin2_ms", s->t_fin2);
	put_ms(o, "timeout_rst_ms", s->t_rst);
	put_ms(o, "drain_deadline_ms", s->drain_deadline);
	put_str(o, "on_deadline", word_of(conf_deadline_words, (int)s->on_deadline));
	put_str(o, "health", word_of(probe_type_words, (int)s->health.type));
	put_ms(o, "health_interval_ms", s->health.interval);
	put_ms(o, "health_timeout_ms", s->health.timeout);
	put_int(o, "health_rise", s->health.rise);
	put_int(o, "health_fall", s->health.fall);
	return o;
}

enum api_code verb_service_show(struct call *c)
{
	const struct view_service *s;
	json_t *list = json_array();
	enum api_code code = call_service(c, api_get_str(c->args, "service"), &s);

	if (code) {
		json_decref(list);
		return code;
	}
	collect_read(c->d);
	c->data = json_service(c->d, s);
	if (s->conf)
		json_object_set_new(c->data, "settings", settings_json(s->conf));
	add_endpoints(c, list, s);
	json_object_set_new(c->data, "endpoints", list);
	return API_OK;
}

enum api_code verb_endpoint_list(struct call *c)
{
	const char *name = api_get_str(c->args, "service");
	const struct view_service *s = NULL;
	enum api_code code;
	size_t i;
	json_t *list;

	code = name ? call_service(c, name, &s) : call_view(c);
	if (code)
		return code;
	collect_read(c->d);
	list = json_array();
	for (i = 0; i < c->view->services; i++) {
		if (!s || s == &c->view->service[i])
			add_endpoints(c, list, &c->view->service[i]);
	}
	c->data = json_object();
	json_object_set_new(c->data, "endpoints", list);
	return API_OK;
}

enum api_code verb_endpoint_show(struct call *c)
{
	struct target t;
	enum api_code code = call_endpoint(c, api_get_str(c->args, "endpoint"), &t);

	if (code)
		return code;
	collect_read(c->d);
	c->data = json_endpoint(c->d, c->view, t.service, t.endpoint);
	return API_OK;
}

/* ---- rotation tables -------------------------------------------------------------------------- */

struct table {
	uint32_t copy, len;
	uint64_t ticket;
	const struct rr_rotation *rotation;
};

static bool table_read(const struct call *c, const struct view_service *s, struct table *t)
{
	const struct rr_service *svc = dp_mem(c->d->dp, RR_MAP_SERVICES, NULL);
	const struct rr_cursor *cur = dp_mem(c->d->dp, RR_MAP_CURSORS, NULL);
	const struct rr_rotation *rot = dp_mem(c->d->dp, RR_MAP_ROTATIONS, NULL);
	uint32_t word;

	memset(t, 0, sizeof(*t));
	if (!svc || !cur || !rot || s->id >= RR_MAX_SERVICES)
		return false;
	word = __atomic_load_n(&svc[s->id].rotation, __ATOMIC_ACQUIRE);
	t->copy = RR_ROT_COPY(word);
	t->len = RR_ROT_LEN(word) <= RR_MAX_SLOTS ? RR_ROT_LEN(word) : 0;
	t->ticket = __atomic_load_n(&cur[s->id].ticket, __ATOMIC_RELAXED);
	t->rotation = &rot[s->id * 2 + t->copy];
	return true;
}

static const struct view_endpoint *by_id(const struct view_service *s, uint32_t id)
{
	size_t i;

	for (i = 0; i < s->endpoints; i++) {
		if (s->endpoint[i].id == id)
			return &s->endpoint[i];
	}
	return NULL;
}

/* `n` slots from `first` on, wrapping, as addresses. */
static json_t *slots_json(const struct view_service *s, const struct table *t, uint64_t first,
			  uint32_t n)
{
	const struct view_endpoint *e;
	json_t *list = json_array();
	char addr[ADDR_STRLEN];
	uint32_t i;

	for (i = 0; i < n && t->len; i++) {
		e = by_id(s, t->rotation->slot[(first + i) % t->len]);
		json_array_append_new(
			list, api_string(e ? addr_print(&e->addr, addr, sizeof(addr)) : "?"));
	}
	return list;
}

/* Why an endpoint has no slot, in words; "" when it has. */
static void put_why_not(json_t *o, const struct view_service *s, const struct view_endpoint *e)
{
	static const char *const why[] = {
		[EPS_GONE] = "removed",	      [EPS_MAINT] = "in maintenance",
		[EPS_DRAINED] = "drained",    [EPS_DRAINING] = "draining",
		[EPS_DOWN] = "down",	      [EPS_INIT] = "not checked yet",
		[EPS_NO_HOP] = "no next hop", [EPS_UP] = "",
	};
	const char *text = e->member == EP_PRESENT ? why[e->state] : "removed, draining";

	if (s->paused)
		put_str(o, "why_not", "service paused");
	else if (e->state == EPS_UP && !e->slots)
		put_str(o, "why_not", "not pushed yet");
	else
		put_str(o, "why_not", e->slots && e->state == EPS_UP ? "" : text);
}

static uint32_t slots_of(const struct table *t, uint32_t id)
{
	uint32_t i, n = 0;

	for (i = 0; i < t->len; i++)
		n += t->rotation->slot[i] == id;
	return n;
}

static json_t *quotas_json(const struct view_service *s, const struct table *t)
{
	json_t *list = json_array(), *o;
	const struct view_endpoint *e;
	uint32_t n;
	size_t i;

	for (i = 0; i < s->endpoints; i++) {
		e = &s->endpoint[i];
		n = slots_of(t, e->id);
		o = json_object();
		put_addr(o, "endpoint", &e->addr);
		put_int(o, "id", e->id);
		put_str(o, "state", ep_state_name(e->state));
		put_int(o, "weight_base", e->weight_base);
		put_int(o, "weight", e->weight);
		put_int(o, "slots", n);
		put_real(o, "share", t->len ? (double)n / t->len : 0);
		put_why_not(o, s, e);
		json_array_append_new(list, o);
	}
	return list;
}

static enum api_code table_json(struct call *c, const struct view_service **s, struct table *t)
{
	enum api_code code = call_service(c, api_get_str(c->args, "service"), s);

	if (code)
		return code;
	if (!table_read(c, *s, t))
		return call_fail(c, API_FAILED, "the maps cannot be read");
	c->data = json_object();
	put_str(c->data, "service", (*s)->name);
	put_int(c->data, "slots", t->len);
	put_int(c->data, "copy", t->copy);
	put_int(c->data, "ticket", (int64_t)t->ticket);
	put_int(c->data, "position", t->len ? (int64_t)(t->ticket % t->len) : 0);
	json_object_set_new(c->data, "endpoints", quotas_json(*s, t));
	return API_OK;
}

enum api_code verb_table_show(struct call *c)
{
	const struct view_service *s;
	struct table t;
	enum api_code code = table_json(c, &s, &t);

	if (!code && api_get_flag(c->args, "slots"))
		json_object_set_new(c->data, "slot_list", slots_json(s, &t, 0, t.len));
	return code;
}

enum api_code verb_table_explain(struct call *c)
{
	const struct view_service *s;
	struct table t;
	enum api_code code = table_json(c, &s, &t);

	if (!code)
		json_object_set_new(c->data, "next", slots_json(s, &t, t.ticket, PICKS));
	return code;
}
