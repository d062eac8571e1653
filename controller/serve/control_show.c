/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_show.c - the verbs that look: status, services, endpoints, rotation tables, version.
 * They read the snapshot, and for tables the maps through it: what is shown as the rotation is
 * what packets meet.
 */
#include <string.h>
#include <unistd.h>

#include "serve/json.h"
#include "serve/problem.h"
#include "serve/target.h"

static json_t *config_json(const struct snapshot *snap)
{
	const struct snap_config *c = &snap->config;
	json_t *o = json_object();

	put_str(o, "file", c->file);
	put_int(o, "generation", (int64_t)c->generation);
	put_bool(o, "ok", c->ok);
	put_str(o, "error", c->ok ? "" : c->error);
	put_int(o, "age_ms", mono_sub(snap->now, c->at).us / 1000);
	return o;
}

/* An interface without our program has no mode, and no way by which it is attached. */
static json_t *iface_json(const struct dp_iface_status *f)
{
	enum dp_xdp mode = f->native ? DP_XDP_NATIVE : DP_XDP_GENERIC;
	json_t *o = json_object();

	put_str(o, "interface", f->name);
	put_int(o, "ifindex", f->ifindex);
	put_bool(o, "attached", f->attached);
	put_str(o, "mode", f->attached ? word_of(dp_xdp_words, mode) : "off");
	put_str(o, "attach", f->attached ? word_of(dp_attach_words, f->how) : "none");
	put_int(o, "program", f->attached ? f->prog_id : 0);
	put_str(o, "text", f->text);
	return o;
}

static json_t *ifaces_json(const struct snapshot *snap)
{
	json_t *list = json_array();

	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		if (snap->iface[i].st.name[0])
			json_array_append_new(list, iface_json(&snap->iface[i].st));
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

/* Counts are since the start of rrlbd; `void` are failures that nobody had looked at in time. */
static json_t *probes_json(const struct snapshot *snap)
{
	const struct checks_stats *st = &snap->probes;
	json_t *o = json_object();

	put_int(o, "targets", (int64_t)snap->view->targets);
	put_int(o, "in_flight", (int64_t)st->inflight);
	put_int(o, "lag_ms", st->lag.us / 1000);
	put_int(o, "lag_max_ms", st->lag_max.us / 1000);
	put_int(o, "started", (int64_t)st->started);
	put_int(o, "ended", (int64_t)st->ended);
	put_int(o, "not_sent", (int64_t)st->local_errors);
	put_int(o, "void", (int64_t)snap->view->voids);
	put_int(o, "stalls", (int64_t)st->stalls);
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

static json_t *services_json(const struct snapshot *snap)
{
	json_t *list = json_array();

	for (size_t i = 0; i < snap->view->services; i++)
		json_array_append_new(list, json_service(snap, &snap->view->service[i]));
	return list;
}

enum api_code verb_version(struct call *c)
{
	uint32_t id, insns;

	if (call_snapshot(c))
		return API_FAILED;
	snapshot_program(c->snap, &id, &insns);
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
	const struct snapshot *snap;

	if (call_counted(c))
		return API_FAILED;
	snap = c->snap;
	c->data = json_object();
	put_str(c->data, "version", RRLB_VERSION);
	put_int(c->data, "pid", getpid());
	put_int(c->data, "uptime_ms", mono_sub(snap->now, snap->started).us / 1000);
	put_bool(c->data, "adopted", snap->adopted);
	json_object_set_new(c->data, "config", config_json(snap));
	json_object_set_new(c->data, "interfaces", ifaces_json(snap));
	json_object_set_new(c->data, "flows", occupancy_json(&snap->occupancy));
	put_int(c->data, "pushes", (int64_t)snap->pushes);
	put_int(c->data, "push_errors", (int64_t)snap->push_errors);
	json_object_set_new(c->data, "probes", probes_json(snap));
	json_object_set_new(c->data, "control", control_json(c->ctl));
	json_object_set_new(c->data, "services", services_json(snap));
	return problems_put(c->data, snap) ? API_OK : call_fail(c, API_FAILED, "no memory");
}

enum api_code verb_service_list(struct call *c)
{
	if (call_counted(c))
		return API_FAILED;
	c->data = json_object();
	json_object_set_new(c->data, "services", services_json(c->snap));
	return API_OK;
}

static void add_endpoints(const struct call *c, json_t *list, const struct view_service *s)
{
	for (size_t i = 0; i < s->endpoints; i++)
		json_array_append_new(list, json_endpoint(c->snap, s, &s->endpoint[i]));
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
	enum api_code code;
	struct target t;
	json_t *list;

	code = target_service(c, api_get_str(c->args, "service"), &t);
	if (code)
		return code;
	snapshot_count(c->snap);
	c->data = json_service(c->snap, t.service);
	if (t.service->conf)
		json_object_set_new(c->data, "settings", settings_json(t.service->conf));
	list = json_array();
	add_endpoints(c, list, t.service);
	json_object_set_new(c->data, "endpoints", list);
	return API_OK;
}

enum api_code verb_endpoint_list(struct call *c)
{
	const char *name = api_get_str(c->args, "service");
	struct target t = { 0 };
	enum api_code code = name ? target_service(c, name, &t) : call_snapshot(c);
	json_t *list;

	if (code)
		return code;
	snapshot_count(c->snap);
	list = json_array();
	for (size_t i = 0; i < c->snap->view->services; i++) {
		const struct view_service *s = &c->snap->view->service[i];

		if (!t.service || t.service == s)
			add_endpoints(c, list, s);
	}
	c->data = json_object();
	json_object_set_new(c->data, "endpoints", list);
	return API_OK;
}

enum api_code verb_endpoint_show(struct call *c)
{
	struct target t;
	enum api_code code = target_endpoint(c, api_get_str(c->args, "endpoint"), &t);

	if (code)
		return code;
	snapshot_count(c->snap);
	c->data = json_endpoint(c->snap, t.service, t.endpoint);
	return API_OK;
}
