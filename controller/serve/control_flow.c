/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_flow.c - flow list, count, kill: one walk over the mapped tables each, with a filter.
 *
 * Flows are the one thing that is not in the snapshot: there are millions. sweep.h walks them
 * here and now; which services and endpoints their ids mean comes from the snapshot.
 */
#include <stdio.h>
#include <string.h>

#include "collect/sweep.h"
#include "serve/json.h"
#include "serve/target.h"

/* -1 = any; the word has been checked with the request. */
static int state_of(const char *name)
{
	for (int i = RR_FLOW_SYN; i < RR_FLOW_STATES; i++) {
		if (!strcmp(api_flow_state((enum rr_flow_state)i), name))
			return i;
	}
	return -1;
}

/* "S/E", or "E" together with --service. */
static enum api_code filter_endpoint(struct call *c, struct flow_filter *f, const char *service)
{
	const char *name = api_get_str(c->args, "endpoint");
	char full[2 * API_STRING_MAX + 2];
	struct target t;
	enum api_code code;

	if (strchr(name, '/'))
		snprintf(full, sizeof(full), "%s", name);
	else if (service)
		snprintf(full, sizeof(full), "%s/%s", service, name);
	else
		return call_fail(c, API_USAGE,
				 "'%s': give SERVICE/ADDRESS:PORT, or --service as well", name);
	code = target_endpoint(c, full, &t);
	if (code)
		return code;
	if (service && strcmp(service, t.service->name))
		return call_fail(c, API_USAGE, "'%s' is not of service '%s'", full, service);
	f->endpoint = t.endpoint->id;
	return API_OK;
}

/* *any: no filter was given. */
static enum api_code filter_of(struct call *c, struct flow_filter *f, bool *any)
{
	const char *service = api_get_str(c->args, "service"), *client, *state;
	struct target t;
	enum api_code code;

	memset(f, 0, sizeof(*f));
	f->service = UINT32_MAX;
	f->state = -1;
	client = api_get_str(c->args, "client");
	state = api_get_str(c->args, "state");
	*any = !service && !client && !state && !api_get_str(c->args, "endpoint");
	if (service) {
		code = target_service(c, service, &t);
		if (code)
			return code;
		f->service = t.service->id;
	}
	if (client && addr_parse(&f->client, client, false))
		return call_fail(c, API_USAGE, "'%s' is not ADDRESS[:PORT]", client);
	if (state)
		f->state = state_of(state);
	if (!api_get_str(c->args, "endpoint"))
		return call_snapshot(c);
	return filter_endpoint(c, f, service);
}

static const char *service_name(const struct view *v, uint32_t id)
{
	for (size_t i = 0; i < v->services; i++) {
		if (v->service[i].id == id)
			return v->service[i].name;
	}
	return "?";
}

struct listing {
	const struct view *view;
	json_t *list;
	int64_t limit;
	bool more;
};

static bool list_one(const struct flow_info *fi, void *arg)
{
	struct listing *l = arg;
	json_t *o;

	if (l->limit-- <= 0) {
		l->more = true;
		return false;
	}
	o = json_object();
	put_addr(o, "client", &fi->client);
	put_str(o, "service", service_name(l->view, fi->service_id));
	put_addr(o, "vip", &fi->service);
	put_addr(o, "local", &fi->local);
	put_addr(o, "endpoint", &fi->endpoint);
	put_str(o, "state", api_flow_state(fi->state));
	put_int(o, "age_ms", fi->age_ms);
	put_int(o, "idle_ms", fi->idle_ms);
	put_int(o, "ticket", (int64_t)fi->ticket);
	json_array_append_new(l->list, o);
	return true;
}

enum api_code verb_flow_list(struct call *c)
{
	struct listing l = { .limit = api_get_int(c->args, "limit", API_FLOWS_DEFAULT) };
	struct flow_filter f;
	enum api_code code;
	bool any;

	if (l.limit > API_FLOWS_MAX)
		return call_fail(c, API_USAGE, "--limit is at most %d", API_FLOWS_MAX);
	code = filter_of(c, &f, &any);
	if (code)
		return code;
	l.view = c->snap->view;
	l.list = json_array();
	sweep_flows(c->ctl->d, &f, list_one, &l);
	c->data = json_object();
	json_object_set_new(c->data, "flows", l.list);
	put_bool(c->data, "more", l.more);
	return API_OK;
}

struct tally {
	uint64_t by_state[RR_FLOW_STATES];
	uint64_t by_service[RR_MAX_SERVICES];
	uint64_t total;
};

static bool tally_one(const struct flow_info *fi, void *arg)
{
	struct tally *t = arg;

	t->total++;
	if ((unsigned int)fi->state < RR_FLOW_STATES)
		t->by_state[fi->state]++;
	if (fi->service_id < RR_MAX_SERVICES)
		t->by_service[fi->service_id]++;
	return true;
}

enum api_code verb_flow_count(struct call *c)
{
	struct tally t = { 0 };
	struct flow_filter f;
	json_t *services;
	enum api_code code;
	bool any;

	code = filter_of(c, &f, &any);
	if (code)
		return code;
	sweep_flows(c->ctl->d, &f, tally_one, &t);
	services = json_object();
	for (size_t i = 0; i < c->snap->view->services; i++) {
		const struct view_service *s = &c->snap->view->service[i];

		put_int(services, s->name, (int64_t)t.by_service[s->id % RR_MAX_SERVICES]);
	}
	c->data = json_object();
	put_int(c->data, "total", (int64_t)t.total);
	json_object_set_new(c->data, "by_state", json_flow_states(t.by_state));
	json_object_set_new(c->data, "by_service", services);
	return API_OK;
}

enum api_code verb_flow_kill(struct call *c)
{
	int64_t limit = api_get_int(c->args, "limit", INT32_MAX);
	bool any, dry = api_get_flag(c->args, "dry_run");
	struct tally t = { 0 };
	struct flow_filter f;
	enum api_code code;
	size_t n;

	code = filter_of(c, &f, &any);
	if (code)
		return code;
	if (any && !api_get_flag(c->args, "force"))
		return call_fail(c, API_REFUSED,
				 "without a filter this kills every connection; --force to do it");
	if (dry) {
		sweep_flows(c->ctl->d, &f, tally_one, &t);
		n = t.total < (uint64_t)limit ? t.total : (uint64_t)limit;
	} else {
		n = sweep_kill(c->ctl->d, &f, (size_t)limit);
	}
	c->data = json_object();
	put_str(c->data, "verb", c->verb->path);
	put_bool(c->data, "dry_run", dry);
	put_int(c->data, "killed", (int64_t)n);
	return API_OK;
}
