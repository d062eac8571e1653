/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * json.c - one endpoint, one service as JSON. Decides names and units, nothing else.
 */
#include <stdio.h>
#include <string.h>

#include "api/api_wire.h"
#include "serve/json.h"

void put_str(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, api_string(value));
}

void put_int(json_t *o, const char *key, int64_t value)
{
	json_object_set_new(o, key, json_integer(value));
}

/* Rounded to six digits behind the point, so that a line of JSON stays readable. */
void put_real(json_t *o, const char *key, double value)
{
	double scaled = value * 1e6;

	json_object_set_new(o, key, json_real((double)(int64_t)(scaled + 0.5) / 1e6));
}

void put_bool(json_t *o, const char *key, bool value)
{
	json_object_set_new(o, key, json_boolean(value));
}

void put_addr(json_t *o, const char *key, const struct addr *a)
{
	char text[ADDR_STRLEN];

	if (a->family)
		put_str(o, key, addr_print(a, text, sizeof(text)));
	else
		json_object_set_new(o, key, json_null());
}

void put_health(json_t *o, const struct view_endpoint *e)
{
	char text[32];

	put_str(o, "health", ep_health_name(e->health));
	put_str(o, "health_count", view_health_text(e, text, sizeof(text)));
}

const char *reason_class_name(enum reason r)
{
	static const char *const name[] = { "ok", "hard", "soft", "local", "admin" };

	return name[reason_class(r)];
}

void put_reason(json_t *o, const struct view_endpoint *e)
{
	put_str(o, "reason", reason_name(e->reason));
	put_str(o, "reason_class", reason_class_name(e->reason));
	put_str(o, "reason_help", reason_help(e->reason));
	put_str(o, "detail", e->text[0] ? e->text : e->err ? strerror(e->err) : "");
}

void put_probe(json_t *o, mono_t now, const struct view_endpoint *e)
{
	json_t *p = json_object();

	put_int(p, "passed", (int64_t)e->probes_ok);
	put_int(p, "failed", (int64_t)e->probes_failed);
	if (e->probe_at.us) {
		put_int(p, "age_ms", mono_sub(now, e->probe_at).us / 1000);
		put_int(p, "connect_us", e->probe_connect.us);
		put_int(p, "tls_us", e->probe_tls.us);
		put_int(p, "total_us", e->probe_took.us);
	}
	if (e->local_since.us)
		put_str(p, "not_sent", e->last.err ? strerror(e->last.err) : e->last.text);
	json_object_set_new(o, "probe", p);
}

void put_stats(json_t *o, const struct rr_stats *st)
{
	put_int(o, "connections", (int64_t)st->conns);
	put_int(o, "established_total", (int64_t)st->established);
	put_int(o, "reopened_total", (int64_t)st->reopened);
	put_int(o, "reused_total", (int64_t)st->reused);
	put_int(o, "packets_in", (int64_t)st->packets[RR_DIR_FWD]);
	put_int(o, "packets_out", (int64_t)st->packets[RR_DIR_REV]);
	put_int(o, "bytes_in", (int64_t)st->bytes[RR_DIR_FWD]);
	put_int(o, "bytes_out", (int64_t)st->bytes[RR_DIR_REV]);
}

static void put_unsaved(json_t *o, const struct snapshot *snap)
{
	char text[200];

	snprintf(text, sizeof(text),
		 "the state file %s%s: this change will not survive a restart until it is; it is "
		 "tried again",
		 snap->saving.rc ? "cannot be written: " : "is not written yet",
		 snap->saving.rc ? strerror(-snap->saving.rc) : "");
	put_str(o, "warning", text);
}

void put_warning(json_t *o, const struct snapshot *snap)
{
	if (snap->unpushed)
		put_str(o, "warning",
			"the packet path could not be updated yet; it is tried again every second");
	else if (snap->unsaved)
		put_unsaved(o, snap);
}

static void put_hop(json_t *o, const struct snapshot *snap, uint64_t hop)
{
	uint32_t slot = RR_HOP_SLOT(hop);
	char text[64];
	int n;

	if (!hop || slot >= RR_MAX_IFACES || !snap->iface[slot].st.name[0]) {
		json_object_set_new(o, "next_hop", json_null());
		return;
	}
	n = snprintf(text, sizeof(text), "%s", snap->iface[slot].st.name);
	for (int i = 0; i < 6; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%c%02x", i ? ':' : ' ',
			      (unsigned int)(hop >> (8 * i)) & 0xff);
	if (RR_HOP_VLAN(hop))
		snprintf(text + n, sizeof(text) - (size_t)n, " vlan %u", RR_HOP_VLAN(hop));
	put_str(o, "next_hop", text);
}

static const char *member_name(enum ep_member m)
{
	return m == EP_PRESENT ? "present" : m == EP_LEAVING ? "leaving" : "gone";
}

static void put_operator(json_t *o, mono_t now, const struct view_endpoint *e)
{
	put_str(o, "admin", word_of(ep_admin_words, (int)e->admin));
	put_bool(o, "admin_set", e->admin_set);
	put_bool(o, "weight_set", e->weight_set);
	put_bool(o, "added", e->added);
	if (e->drain_until.us && !mono_is_never(e->drain_until))
		put_int(o, "deadline_ms", mono_sub(e->drain_until, now).us / 1000);
	else
		json_object_set_new(o, "deadline_ms", json_null());
}

json_t *json_endpoint(const struct snapshot *snap, const struct view_service *s,
		      const struct view_endpoint *e)
{
	const struct snap_count *count = snapshot_endpoint(snap, e);
	json_t *o = json_object();

	put_str(o, "service", s->name);
	put_addr(o, "endpoint", &e->addr);
	put_int(o, "id", e->id);
	put_str(o, "state", ep_state_name(e->state));
	put_int(o, "since_ms", mono_sub(snap->now, e->since).us / 1000);
	put_str(o, "member", member_name(e->member));
	put_health(o, e);
	put_bool(o, "flapping", e->flapping);
	put_reason(o, e);
	put_operator(o, snap->now, e);
	put_int(o, "weight_base", e->weight_base);
	put_int(o, "weight", e->weight);
	put_int(o, "slots", e->slots);
	put_real(o, "share", e->share);
	put_int(o, "active", (int64_t)count->active);
	put_int(o, "flows", e->flows);
	put_int(o, "ports_percent", e->port_percent);
	put_real(o, "cps", count->cps);
	put_stats(o, &count->stats);
	put_hop(o, snap, e->hop);
	put_probe(o, snap->now, e);
	return o;
}

static unsigned int count_state(const struct view_service *s, enum ep_state state)
{
	unsigned int n = 0;

	for (size_t i = 0; i < s->endpoints; i++)
		n += s->endpoint[i].state == state;
	return n;
}

/* "2 down, 1 draining": the states that are not plain UP, the worst first. */
static void put_notes(json_t *o, const struct view_service *s)
{
	static const enum ep_state order[] = { EPS_DOWN,    EPS_NO_HOP,	  EPS_MAINT,
					       EPS_DRAINED, EPS_DRAINING, EPS_INIT };
	char text[128] = "";
	size_t len = 0;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		unsigned int n = count_state(s, order[i]);

		if (n)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u %s",
						len ? ", " : "", n, ep_state_note(order[i]));
	}
	put_str(o, "notes", text);
}

json_t *json_service(const struct snapshot *snap, const struct view_service *s)
{
	const struct snap_count *count = snapshot_service(snap, s);
	json_t *o = json_object();
	uint64_t active = 0;

	for (size_t i = 0; i < s->endpoints; i++)
		active += snapshot_endpoint(snap, &s->endpoint[i])->active;
	put_str(o, "service", s->name);
	put_addr(o, "vip", &s->listen);
	put_str(o, "mode", word_of(conf_mode_words, (int)s->mode));
	put_str(o, "state", svc_state_name(s->state));
	put_int(o, "id", s->id);
	put_int(o, "available", s->available);
	put_int(o, "total", s->total);
	put_int(o, "slots", s->slots);
	put_bool(o, "paused", s->paused);
	put_real(o, "cps", count->cps);
	put_int(o, "active", (int64_t)active);
	put_notes(o, s);
	put_stats(o, &count->stats);
	put_int(o, "refused", (int64_t)count->stats.refused);
	return o;
}

json_t *json_flow_states(const uint64_t *by_state)
{
	json_t *o = json_object();

	for (int i = RR_FLOW_SYN; i < RR_FLOW_STATES; i++)
		put_int(o, api_flow_state((enum rr_flow_state)i), (int64_t)by_state[i]);
	return o;
}
