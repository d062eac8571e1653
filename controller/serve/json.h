/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * json.h - the snapshot as the JSON that rrctl shows. Member names are stable: they are what
 * `rrctl --json` prints. Suffixes give the unit: _ms, _us. Ages are durations up to now, never
 * clock times.
 */
#ifndef SERVE_JSON_H
#define SERVE_JSON_H

#include <jansson.h>

#include "serve/snapshot.h"

void put_str(json_t *o, const char *key, const char *value);
void put_int(json_t *o, const char *key, int64_t value);
void put_real(json_t *o, const char *key, double value);
void put_bool(json_t *o, const char *key, bool value);
void put_addr(json_t *o, const char *key, const struct addr *a); /* null for none */

void put_health(json_t *o, const struct view_endpoint *e); /* health, health_count */
/* reason, reason_class, reason_help, detail */
void put_reason(json_t *o, const struct view_endpoint *e);
void put_probe(json_t *o, mono_t now, const struct view_endpoint *e); /* probe: {...} */
const char *reason_class_name(enum reason r); /* hard, soft, ... */
void put_stats(json_t *o, const struct rr_stats *st);

/*
 * warning: what is asked for stands, but the packet path or the state file does not have it yet.
 * Nothing when both do.
 */
void put_warning(json_t *o, const struct snapshot *snap);

json_t *json_endpoint(const struct snapshot *snap, const struct view_service *s,
		      const struct view_endpoint *e);
json_t *json_service(const struct snapshot *snap, const struct view_service *s);
json_t *json_flow_states(const uint64_t *by_state);

#endif
