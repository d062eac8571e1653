/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event_kind.h - everything that can be told as an event, one row each: X(id, word, severity,
 * sentence).
 *
 * word      what `rrctl events` calls it and what can be asked for. Rows that tell of the same
 *           matter share it.
 * severity  INFO: as asked or expected; WARNING: somebody should know; CRITICAL: somebody should
 *           act.
 * sentence  what is shown, with the event's own facts in the places in braces, which are members
 *           of struct model_event: {endpoint} {service} {address} {name} {text} {reason} {class}
 *           {n} {m}. And {detail}: ": " and the text, or nothing; {by}: "operator" or
 *           "configuration", by the reason; {deadline}: "deadline in 300 s" or "no deadline".
 *
 * rrctl(1) EVENTS has each row as ".It Sy word Pq severity" followed by the sentence as it stands
 * here; tests/unit/test_api.c compares.
 */
#ifndef UTIL_EVENT_KIND_H
#define UTIL_EVENT_KIND_H

/* clang-format off */
#define EVENTS(X) \
	X(ENDPOINT_UP, "endpoint-up", INFO, "{endpoint} is up") \
	X(ENDPOINT_DOWN, "endpoint-down", WARNING, \
	  "{endpoint} is down: {reason} ({class}){detail}") \
	X(FLAPPING, "flapping", WARNING, \
	  "{endpoint} is flapping: {m} transitions within 10 min, rise is now {n}") \
	X(STEADY, "steady", INFO, "{endpoint} is steady again, rise is back to {n}") \
	X(PROBE_ERROR, "probe-error", WARNING, \
	  "probe of {endpoint} could not be sent: errno {n}{detail}") \
	X(ADDED, "added", INFO, "{endpoint} is added") \
	X(REMOVED, "removed", INFO, "{endpoint} is removed and drains: {n} established") \
	X(GONE, "gone", INFO, "{endpoint} is gone: packets of its flows are answered with RST") \
	X(DRAIN, "drain", INFO, "{endpoint} drains ({by}): {n} established, {deadline}") \
	X(DRAINED, "drained", INFO, "{endpoint} is drained: no established flow is left") \
	X(DRAINED_LATE, "drained", INFO, "{endpoint} is drained: the deadline has passed") \
	X(OVERDUE_RST, "drain-deadline", WARNING, \
	  "{endpoint}: drain deadline passed; its {n} established flows are reset") \
	X(OVERDUE_KEEP, "drain-deadline", WARNING, \
	  "{endpoint}: drain deadline passed; its {n} established flows are kept until they end") \
	X(OVERDUE_FORGET, "drain-deadline", WARNING, \
	  "{endpoint}: drain deadline passed; its {n} established flows are no longer waited for") \
	X(READY, "ready", INFO, "{endpoint} is ready ({by})") \
	X(MAINT, "maint", INFO, "{endpoint} is in maintenance ({by})") \
	X(WEIGHT, "weight", INFO, "{endpoint}: weight {m} -> {n}") \
	X(HOP_FOUND, "next-hop", INFO, "{endpoint} has a next hop on interface {name}") \
	X(HOP_CHANGED, "next-hop", INFO, "{endpoint} has another next hop on interface {name}") \
	X(HOP_NO_ROUTE, "next-hop", WARNING, "endpoint {address}: no route") \
	X(HOP_FOREIGN, "next-hop", WARNING, \
	  "endpoint {address}: its route leaves by {name}, which is not configured " \
	  "(nor its parent)") \
	X(HOP_GATEWAY, "next-hop", WARNING, \
	  "endpoint {address}: only reached by gateway {name}; dsr needs it on the link") \
	X(HOP_LOST, "next-hop-lost", WARNING, "{endpoint} has no next hop any more") \
	X(SERVICE_ADDED, "service-added", INFO, "service {service} is added with {n} endpoints") \
	X(SERVICE_REMOVED, "service-removed", WARNING, \
	  "service {service} is removed: its connections are reset") \
	X(SERVICE_RENAMED, "service-changed", INFO, "service {service} is now called {name}") \
	X(SERVICE_MOVED, "service-changed", INFO, "service {service} now listens on {address}") \
	X(SERVICE_PAUSED, "service-paused", WARNING, \
	  "service {service} takes no new connections") \
	X(SERVICE_RESUMED, "service-resumed", INFO, "service {service} takes connections again") \
	X(IFACE_UP, "interface", INFO, "interface {name} is up (index {n})") \
	X(IFACE_DOWN, "interface", CRITICAL, "interface {name} is down or away") \
	X(IFACE_NATIVE, "interface", INFO, "interface {name}: native{detail}") \
	X(IFACE_GENERIC, "interface", WARNING, "interface {name}: generic{detail}") \
	X(IFACE_WAITING, "interface", WARNING, "interface {name}: not attached yet{detail}") \
	X(IFACE_LINGERS, "interface", INFO, "interface {name}{detail}") \
	X(IFACE_ATTACHED, "interface", INFO, "interface {name}: the program is attached") \
	X(IFACE_DETACHED, "interface", CRITICAL, \
	  "interface {name}: the program is no longer attached") \
	X(ADOPTED, "adopted", INFO, \
	  "took over {m} services and {n} endpoints from the running packet path") \
	X(CONFIG_LOADED, "config", INFO, "configuration reloaded") \
	X(CONFIG_REFUSED, "config", WARNING, \
	  "reload refused, the old configuration stays: {text}") \
	X(AUDIT, "audit", INFO, "{text}") \
	X(MORE, "more", WARNING, "{n} more {text} events") \
	X(LOST, "lost", WARNING, "{n} events came faster than they could be kept, and are lost")
/* clang-format on */

enum event_kind {
#define X(id, ...) EVENT_##id,
	EVENTS(X)
#undef X
		EVENT_MAX
};

#define SEVERITIES(X) X(INFO, "info") X(WARNING, "warning") X(CRITICAL, "critical")

enum severity {
#define X(id, word) SEVERITY_##id,
	SEVERITIES(X)
#undef X
};

/* Static strings; "?" for what is no kind. */
const char *event_word(enum event_kind k);
const char *event_form(enum event_kind k); /* the sentence with its places */
enum severity event_severity(enum event_kind k);
const char *severity_name(enum severity s);

#endif
