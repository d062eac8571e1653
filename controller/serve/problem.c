/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * problem.c - what is wrong now, as a list: the lines with "!" of `rrctl status`, and what `rrctl
 * health` fails on.
 *
 * "critical": new connections of some service cannot be served. "warning": served, but look at
 * it. Counters of refused and dropped packets never go back to zero, so their lines say how long
 * ago they last grew; one that grew within RECENT is a warning, an older one a note ("info").
 *
 * This file reads the snapshot and fills structs. problem_text.c puts them into words when
 * somebody shows them; who decides by a problem has its code and level.
 */
#include <stdlib.h>

#include "serve/problem.h"

#define RECENT MONO_S(60)
#define TABLE_FULL_PERCENT 80
#define PORTS_SHORT_PERCENT 80
#define ENDPOINTS_LISTED 20

/* The verdicts that mean that a client did not get what it asked for. */
static const enum rr_verdict watched[] = {
	RR_V_TABLE_FULL, RR_V_NO_PORT,	 RR_V_NO_ENDPOINT, RR_V_REFUSE,
	RR_V_NO_HOP,	 RR_V_TX_FAILED, RR_V_RST_LIMITED,
};

static void add(struct problems *list, struct problem p)
{
	size_t room = list->room ? list->room * 2 : 16;
	struct problem *more;

	if (list->n == list->room) {
		more = realloc(list->p, room * sizeof(*more));
		if (!more) {
			list->failed = true;
			return;
		}
		list->p = more;
		list->room = room;
	}
	list->p[list->n++] = p;
}

static int64_t age_ms(const struct problems *list, mono_t since)
{
	int64_t us = mono_sub(list->snap->now, since).us;

	/* Counters that were read within this batch are newer than its time. */
	return us > 0 ? us / 1000 : 0;
}

static void find_endpoints(struct problems *list, const struct view_service *s)
{
	unsigned int found = 0;

	for (size_t i = 0; i < s->endpoints; i++) {
		const struct view_endpoint *e = &s->endpoint[i];

		if (e->state != EPS_DOWN && e->state != EPS_NO_HOP)
			continue;
		if (found++ < ENDPOINTS_LISTED)
			add(list, (struct problem){ .code = PROBLEM_ENDPOINT_DOWN,
						    .age_ms = age_ms(list, e->since),
						    .service = s,
						    .endpoint = e });
	}
	if (found > ENDPOINTS_LISTED)
		add(list, (struct problem){ .code = PROBLEM_ENDPOINTS_MORE,
					    .age_ms = -1,
					    .service = s,
					    .n = found - ENDPOINTS_LISTED });
}

/*
 * What probes say about themselves, not about the endpoint. One that could not be sent is our own
 * trouble, and no reason to take the endpoint away; but after three waits without any result
 * nobody knows whether it is well, and clients may be failing.
 */
static enum problem_code probe_code(const struct view_endpoint *e)
{
	if (e->local_since.us)
		return e->silent_since.us ? PROBLEM_PROBE_BLIND : PROBLEM_PROBE_UNSENT;
	return e->silent_since.us ? PROBLEM_PROBE_SILENT : PROBLEM_MAX;
}

/* One line for each code: the first endpoint, and how many more there are. */
static void find_probes(struct problems *list, const struct view_service *s)
{
	struct problem p[PROBLEM_MAX] = { 0 };

	for (size_t i = 0; i < s->endpoints; i++) {
		const struct view_endpoint *e = &s->endpoint[i];
		const enum problem_code code = probe_code(e);

		if (code == PROBLEM_MAX || p[code].n++)
			continue;
		p[code].code = code;
		p[code].age_ms = age_ms(list, code == PROBLEM_PROBE_SILENT ? e->silent_since
									   : e->local_since);
		p[code].service = s;
		p[code].endpoint = e;
	}
	for (size_t i = 0; i < PROBLEM_MAX; i++) {
		if (p[i].n)
			add(list, p[i]);
	}
}

static void find_ports(struct problems *list, const struct view_service *s)
{
	unsigned int found = 0;

	for (size_t i = 0; i < s->endpoints; i++) {
		const struct view_endpoint *e = &s->endpoint[i];

		if (e->port_percent >= PORTS_SHORT_PERCENT && found++ < ENDPOINTS_LISTED)
			add(list, (struct problem){ .code = PROBLEM_PORTS_SHORT,
						    .age_ms = -1,
						    .service = s,
						    .endpoint = e,
						    .n = e->port_percent });
	}
}

static void find_service(struct problems *list, const struct view_service *s)
{
	struct problem p = { .age_ms = -1, .service = s };

	if (s->paused) {
		p.code = PROBLEM_SERVICE_PAUSED;
		add(list, p);
	}
	if (s->state == SVCS_DOWN) {
		p.code = PROBLEM_SERVICE_DOWN;
		add(list, p);
	}
	find_endpoints(list, s);
	find_probes(list, s);
	find_ports(list, s);
}

static enum problem_code iface_code(const struct snap_iface *f)
{
	if (!f->st.ifindex)
		return PROBLEM_IFACE_AWAY;
	if (f->down)
		return PROBLEM_IFACE_DOWN;
	if (f->use == IFACE_LINGER)
		return PROBLEM_IFACE_LINGERS;
	if (!f->st.attached)
		return PROBLEM_IFACE_BARE;
	if (!f->st.native)
		return PROBLEM_IFACE_GENERIC;
	return f->st.how == DP_ATTACH_EXTERNAL && f->st.text[0] ? PROBLEM_IFACE_NOTE : PROBLEM_MAX;
}

static void find_ifaces(struct problems *list)
{
	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		const struct snap_iface *f = &list->snap->iface[i];
		struct problem p = { .age_ms = -1, .iface = f };

		if (!f->st.name[0])
			continue;
		p.code = iface_code(f);
		if (p.code != PROBLEM_MAX)
			add(list, p);
	}
}

/* One table may be full while the other is empty: each is judged for itself. */
static void find_table(struct problems *list, const char *family, uint32_t percent)
{
	if (percent >= TABLE_FULL_PERCENT)
		add(list, (struct problem){ .code = PROBLEM_TABLE_FULL,
					    .age_ms = -1,
					    .object = "flows",
					    .family = family,
					    .n = percent });
}

/* Since it could not be written, or since a write that does not end has begun. */
static void find_state(struct problems *list)
{
	const struct saving *saving = &list->snap->saving;
	struct problem p = { .code = PROBLEM_STATE_UNWRITTEN, .object = "state" };

	p.age_ms = age_ms(list, saving->since.us ? saving->since : saving->begun_at);
	if (list->snap->unsaved)
		add(list, p);
}

/*
 * The prober as a whole: over its budget all are late alike, so that no endpoint's own line would
 * tell; and a file of authorities concerns every service that names it.
 */
static void find_prober(struct problems *list)
{
	const struct checks_stats *st = &list->snap->probes;

	if (st->late_since.us)
		add(list, (struct problem){ .code = PROBLEM_PROBES_LATE,
					    .age_ms = age_ms(list, st->late_since),
					    .object = "probes",
					    .n = (uint64_t)st->lag.us / 1000 });
	for (size_t i = 0; i < list->snap->cas; i++) {
		const struct trust_fact *ca = &list->snap->ca[i];

		add(list, (struct problem){
				  .code = ca->unread ? PROBLEM_CA_UNREAD : PROBLEM_CA_STALE,
				  .age_ms = age_ms(list, ca->since),
				  .object = *ca->file ? ca->file : "ca",
				  .ca = ca,
			  });
	}
}

static void find_daemon(struct problems *list)
{
	const struct snapshot *s = list->snap;
	struct problem conf = { .code = PROBLEM_CONF_REFUSED, .object = "config" };
	struct problem maps = { .age_ms = -1, .object = "maps" };

	conf.age_ms = age_ms(list, s->config.at);
	maps.code = s->unpushed ? PROBLEM_MAPS_UNWRITTEN : PROBLEM_MAPS_FAILED;
	if (!s->config.ok)
		add(list, conf);
	if (s->push_errors)
		add(list, maps);
	if (s->pins_error[0])
		add(list,
		    (struct problem){ .code = PROBLEM_PINS_GONE, .age_ms = -1, .object = "pins" });
	find_state(list);
	find_ifaces(list);
	find_prober(list);
	find_table(list, "ipv4", s->occupancy.load4);
	find_table(list, "ipv6", s->occupancy.load6);
}

static void find_verdict(struct problems *list, enum rr_verdict v)
{
	const struct snap_verdict *seen = &list->snap->verdict[v];
	struct problem p = { .code = PROBLEM_PACKETS_ONCE, .age_ms = -1, .verdict = v };

	if (!seen->packets)
		return;
	p.n = seen->packets;
	if (seen->grew.us) {
		p.age_ms = age_ms(list, seen->grew);
		if (p.age_ms < RECENT.us / 1000)
			p.code = PROBLEM_PACKETS_NOW;
	}
	add(list, p);
}

bool problems_find(struct problems *list, const struct snapshot *snap)
{
	*list = (struct problems){ .snap = snap };
	find_daemon(list);
	for (size_t i = 0; i < snap->view->services; i++)
		find_service(list, &snap->view->service[i]);
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		find_verdict(list, watched[i]);
	return !list->failed;
}

void problems_free(struct problems *list)
{
	free(list->p);
	list->p = NULL;
}
