/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_table.c - table show, table explain: the rotation as packets meet it, beside what the
 * model wants of it.
 */
#include "serve/json.h"
#include "serve/target.h"

#define PICKS 20

static const struct view_endpoint *by_id(const struct view_service *s, uint32_t id)
{
	for (size_t i = 0; i < s->endpoints; i++) {
		if (s->endpoint[i].id == id)
			return &s->endpoint[i];
	}
	return NULL;
}

/* `n` slots from `first` on, wrapping, as addresses. */
static json_t *slots_json(const struct view_service *s, const struct snap_table *t, uint64_t first,
			  uint32_t n)
{
	const struct view_endpoint *e;
	json_t *list = json_array();
	char addr[ADDR_STRLEN];

	for (uint32_t i = 0; i < n && t->len; i++) {
		e = by_id(s, t->slot[(first + i) % t->len]);
		json_array_append_new(
			list, api_string(e ? addr_print(&e->addr, addr, sizeof(addr)) : "?"));
	}
	return list;
}

/* Why an endpoint has no slot, in words; "" when it has. */
static const char *why_not(const struct view_service *s, const struct view_endpoint *e)
{
	if (s->paused)
		return "service paused";
	if (e->state == EPS_UP && e->slots)
		return "";
	if (e->state == EPS_UP)
		return "not pushed yet";
	return e->member == EP_PRESENT ? ep_state_why(e->state) : "removed, draining";
}

static uint32_t slots_of(const struct snap_table *t, uint32_t id)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->len; i++)
		n += t->slot[i] == id;
	return n;
}

static json_t *quotas_json(const struct view_service *s, const struct snap_table *t)
{
	json_t *list = json_array(), *o;
	const struct view_endpoint *e;
	uint32_t n;

	for (size_t i = 0; i < s->endpoints; i++) {
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
		put_str(o, "why_not", why_not(s, e));
		json_array_append_new(list, o);
	}
	return list;
}

static enum api_code table_json(struct call *c, struct target *to, struct snap_table *t)
{
	enum api_code code = target_service(c, api_get_str(c->args, "service"), to);

	if (code)
		return code;
	if (!snapshot_table(c->snap, to->service, t))
		return call_fail(c, API_FAILED, "the maps cannot be read");
	c->data = json_object();
	put_str(c->data, "service", to->service->name);
	put_int(c->data, "slots", t->len);
	put_int(c->data, "copy", t->copy);
	put_int(c->data, "ticket", (int64_t)t->ticket);
	put_int(c->data, "position", t->len ? (int64_t)(t->ticket % t->len) : 0);
	json_object_set_new(c->data, "endpoints", quotas_json(to->service, t));
	return API_OK;
}

enum api_code verb_table_show(struct call *c)
{
	struct target to;
	struct snap_table t;
	enum api_code code = table_json(c, &to, &t);

	if (!code && api_get_flag(c->args, "slots"))
		json_object_set_new(c->data, "slot_list", slots_json(to.service, &t, 0, t.len));
	return code;
}

enum api_code verb_table_explain(struct call *c)
{
	struct target to;
	struct snap_table t;
	enum api_code code = table_json(c, &to, &t);

	if (!code)
		json_object_set_new(c->data, "next", slots_json(to.service, &t, t.ticket, PICKS));
	return code;
}
