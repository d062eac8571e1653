/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * problem.h - what is wrong now: found in a snapshot as data, put into words when it is shown.
 */
#ifndef SERVE_PROBLEM_H
#define SERVE_PROBLEM_H

#include <jansson.h>

#include "serve/snapshot.h"
#include "util/words.h"

/* One row each: id, how bad it is, which text it has (problem.c). */
/* clang-format off */
#define PROBLEMS(X) \
	X(CONF_REFUSED, WARNING, conf) /* a reload failed: the old configuration is in force */ \
	X(MAPS_UNWRITTEN, CRITICAL, maps) /* the packet path does not have what the model wants */ \
	X(MAPS_FAILED, INFO, maps) /* a push has failed, and a later one has not */ \
	X(PINS_GONE, WARNING, pins) /* the packet path would end with this process */ \
	X(STATE_UNWRITTEN, WARNING, state) /* operators' changes would not survive a restart */ \
	X(IFACE_AWAY, CRITICAL, away) \
	X(IFACE_DOWN, CRITICAL, down) \
	X(IFACE_LINGERS, WARNING, iface) /* not configured, but the program still runs there */ \
	X(IFACE_BARE, CRITICAL, bare) /* the program does not run there */ \
	X(IFACE_GENERIC, WARNING, generic) \
	X(IFACE_NOTE, INFO, iface) \
	X(TABLE_FULL, WARNING, table) \
	X(SERVICE_PAUSED, WARNING, paused) \
	X(SERVICE_DOWN, CRITICAL, service) \
	X(ENDPOINT_DOWN, WARNING, endpoint) /* or without a next hop */ \
	X(ENDPOINTS_MORE, WARNING, more) /* more are down than are listed */ \
	X(PROBE_UNSENT, WARNING, unsent) /* a probe could not be sent from here */ \
	X(PROBE_BLIND, CRITICAL, unsent) /* nor could any for far too long */ \
	X(PROBE_SILENT, WARNING, silent) /* far too long without a result, for whatever reason */ \
	X(PROBES_LATE, WARNING, late) /* more is to be probed than can be */ \
	X(CA_UNREAD, CRITICAL, ca) /* probes that need the file cannot be sent */ \
	X(CA_STALE, WARNING, ca) /* the file is not what is in memory */ \
	X(PORTS_SHORT, WARNING, ports) /* its local ports are nearly used up */ \
	X(PACKETS_NOW, WARNING, packets) /* clients did not get what they asked for, just now */ \
	X(PACKETS_ONCE, INFO, packets) /* the same, but not lately */
/* clang-format on */

enum problem_code {
#define PROBLEM_ID(id, level, text) PROBLEM_##id,
	PROBLEMS(PROBLEM_ID)
#undef PROBLEM_ID
		PROBLEM_MAX
};

/* Its pointers are into the snapshot it was found in. */
struct problem {
	enum problem_code code;
	int64_t age_ms; /* since it began, or last happened; -1 = unknown */
	/* What it is about, as far as the code has it: */
	const char *object; /* a fixed word, when it is about none of these */
	const struct view_service *service;
	const struct view_endpoint *endpoint; /* of the service */
	const struct snap_iface *iface;
	const char *family; /* of a flow table: "ipv4" */
	const struct trust_fact *ca;
	enum rr_verdict verdict;
	uint64_t n; /* packets, percent, endpoints */
};

struct problems {
	const struct snapshot *snap;
	struct problem *p;
	size_t n, room;
	bool failed; /* no memory: some are missing */
};

/* Fills *list; problems_free() frees it, not the snapshot. false = no memory. */
bool problems_find(struct problems *list, const struct snapshot *snap);
void problems_free(struct problems *list);
enum problem_level problem_level(const struct problem *p);
/* The sentence for people, without the object. Returns buf. */
const char *problem_text(const struct snapshot *snap, const struct problem *p, char *buf,
			 size_t len);
/* All as an array of {level, object, age_ms, text, ...}. */
json_t *problems_json(const struct problems *list);
/* problems: [...] of this snapshot. false = no memory. */
bool problems_put(json_t *o, const struct snapshot *snap);

#endif
