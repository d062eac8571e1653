/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_event.c - the sentences of events: every kind has one, and they say what operators and
 * their scripts know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/fixture.h"

#define E "10.0.0.1:8443"

static struct model_event event(enum event_kind kind)
{
	struct model_event ev = { .kind = kind,
				  .uid = EVENT_NOBODY,
				  .service = "web",
				  .endpoint = fx_addr(E),
				  .address = fx_addr("10.0.0.9:443"),
				  .name = "eth0",
				  .n = 5,
				  .m = 6,
				  .left = MONO_S(300) };

	return ev;
}

static const struct {
	enum event_kind kind;
	const char *word, *sentence;
} rows[] = {
	{ EVENT_ENDPOINT_UP, "endpoint-up", E " is up" },
	{ EVENT_ENDPOINT_DOWN, "endpoint-down", E " is down: refused (hard): said" },
	{ EVENT_FLAPPING, "flapping",
	  E " is flapping: 6 transitions within 10 min, rise is now 5" },
	{ EVENT_STEADY, "steady", E " is steady again, rise is back to 5" },
	{ EVENT_PROBE_ERROR, "probe-error", "probe of " E " could not be sent: errno 5: said" },
	{ EVENT_ADDED, "added", E " is added" },
	{ EVENT_REMOVED, "removed", E " is removed and drains: 5 established" },
	{ EVENT_GONE, "gone", E " is gone: packets of its flows are answered with RST" },
	{ EVENT_DRAIN, "drain", E " drains (configuration): 5 established, deadline in 300 s" },
	{ EVENT_DRAINED, "drained", E " is drained: no established flow is left" },
	{ EVENT_DRAINED_LATE, "drained", E " is drained: the deadline has passed" },
	{ EVENT_OVERDUE_RST, "drain-deadline",
	  E ": drain deadline passed; its 5 established flows are reset" },
	{ EVENT_OVERDUE_KEEP, "drain-deadline",
	  E ": drain deadline passed; its 5 established flows are kept until they end" },
	{ EVENT_OVERDUE_FORGET, "drain-deadline",
	  E ": drain deadline passed; its 5 established flows are no longer waited for" },
	{ EVENT_READY, "ready", E " is ready (configuration)" },
	{ EVENT_MAINT, "maint", E " is in maintenance (configuration)" },
	{ EVENT_WEIGHT, "weight", E ": weight 6 -> 5" },
	{ EVENT_HOP_FOUND, "next-hop", E " has a next hop on interface eth0" },
	{ EVENT_HOP_CHANGED, "next-hop", E " has another next hop on interface eth0" },
	{ EVENT_HOP_NO_ROUTE, "next-hop", "endpoint 10.0.0.9:443: no route" },
	{ EVENT_HOP_FOREIGN, "next-hop",
	  "endpoint 10.0.0.9:443: its route leaves by eth0, which is not configured (nor its "
	  "parent)" },
	{ EVENT_HOP_GATEWAY, "next-hop",
	  "endpoint 10.0.0.9:443: only reached by gateway eth0; dsr needs it on the link" },
	{ EVENT_HOP_LOST, "next-hop-lost", E " has no next hop any more" },
	{ EVENT_SERVICE_ADDED, "service-added", "service web is added with 5 endpoints" },
	{ EVENT_SERVICE_REMOVED, "service-removed",
	  "service web is removed: its connections are reset" },
	{ EVENT_SERVICE_RENAMED, "service-changed", "service web is now called eth0" },
	{ EVENT_SERVICE_MOVED, "service-changed", "service web now listens on 10.0.0.9:443" },
	{ EVENT_SERVICE_PAUSED, "service-paused", "service web takes no new connections" },
	{ EVENT_SERVICE_RESUMED, "service-resumed", "service web takes connections again" },
	{ EVENT_IFACE_UP, "interface", "interface eth0 is up (index 5)" },
	{ EVENT_IFACE_DOWN, "interface", "interface eth0 is down or away" },
	{ EVENT_IFACE_NATIVE, "interface", "interface eth0: native: said" },
	{ EVENT_IFACE_GENERIC, "interface", "interface eth0: generic: said" },
	{ EVENT_IFACE_WAITING, "interface", "interface eth0: not attached yet: said" },
	{ EVENT_IFACE_LINGERS, "interface", "interface eth0: said" },
	{ EVENT_IFACE_ATTACHED, "interface", "interface eth0: the program is attached" },
	{ EVENT_IFACE_DETACHED, "interface", "interface eth0: the program is no longer attached" },
	{ EVENT_ADOPTED, "adopted",
	  "took over 6 services and 5 endpoints from the running packet path" },
	{ EVENT_CONFIG_LOADED, "config", "configuration reloaded" },
	{ EVENT_CONFIG_REFUSED, "config", "reload refused, the old configuration stays: said" },
	{ EVENT_AUDIT, "audit", "said" },
	{ EVENT_MORE, "more", "5 more said events" },
	{ EVENT_LOST, "lost", "5 events came faster than they could be kept, and are lost" },
};

static void test_every_kind(void **state)
{
	char text[EVENT_TEXT_MAX];

	(void)state;
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), EVENT_MAX);
	for (int i = 0; i < EVENT_MAX; i++) {
		struct model_event ev = event((enum event_kind)i);

		assert_int_equal(rows[i].kind, i);
		ev.reason = i == EVENT_ENDPOINT_DOWN ? REASON_REFUSED : REASON_CONFIG;
		snprintf(ev.text, sizeof(ev.text), "said");
		assert_string_equal(event_word(ev.kind), rows[i].word);
		assert_string_equal(event_sentence(&ev, text, sizeof(text)), rows[i].sentence);
		assert_null(strchr(text, '{'));
	}
	assert_string_equal(event_word(EVENT_MAX), "?");
	assert_string_equal(severity_name(event_severity(EVENT_IFACE_DOWN)), "critical");
	assert_string_equal(severity_name((enum severity)7), "?");
}

static void test_other_words(void **state)
{
	struct model_event ev = event(EVENT_DRAIN);
	char text[EVENT_TEXT_MAX];

	(void)state;
	ev.left = MONO_NEVER;
	ev.reason = REASON_OPERATOR;
	assert_string_equal(event_sentence(&ev, text, sizeof(text)),
			    E " drains (operator): 5 established, no deadline");
	ev.kind = EVENT_ENDPOINT_DOWN; /* nothing was said */
	ev.reason = REASON_TLS_TIMEOUT;
	assert_string_equal(event_sentence(&ev, text, sizeof(text)),
			    E " is down: tls_timeout (soft)");
}

/* What a server has said may look like a place, and may be longer than the room. */
static void test_hostile_text(void **state)
{
	struct model_event ev = event(EVENT_ENDPOINT_DOWN);
	char text[EVENT_TEXT_MAX], small[20], full[EVENT_TEXT_MAX];

	(void)state;
	snprintf(ev.text, sizeof(ev.text), "{service} %%s {");
	event_sentence(&ev, text, sizeof(text));
	assert_non_null(strstr(text, ": {service} %s {"));
	memset(ev.text, 'x', sizeof(ev.text) - 1);
	memset(ev.service, 's', sizeof(ev.service) - 1);
	event_sentence(&ev, full, sizeof(full));
	for (size_t len = 1; len <= sizeof(small); len++) {
		event_sentence(&ev, small, len);
		assert_int_equal(strlen(small), len - 1);
		assert_memory_equal(small, full, len - 1);
	}
	for (int i = 0; i < EVENT_MAX; i++) {
		ev.kind = (enum event_kind)i;
		assert_true(strlen(event_sentence(&ev, text, sizeof(text))) < sizeof(text) - 1);
	}
}

/* A thousand at once are 16 and a count; what came before and comes after is told as ever. */
static void test_mass(void **state)
{
	struct fx_world w = { fx_web_conf(), NULL };
	struct model_event ev;
	unsigned int added = 0, more = 0, told = 0;
	char addr[32];

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(addr, sizeof(addr), "10.1.%u.%u:443", i / 250, i % 250 + 1);
		fx_endpoint(w.c, "web", addr, 100);
	}
	w.m = fx_model(w.c, MONO_S(100));
	while (model_event_take(w.m, &ev)) {
		assert_int_equal(ev.seq, told++);
		added += ev.kind == EVENT_ADDED;
		if (ev.kind != EVENT_MORE)
			continue;
		more = ev.n;
		assert_string_equal(ev.text, "added");
		assert_string_equal(ev.service, "web");
	}
	assert_int_equal(added, EVENT_SINGLE);
	assert_int_equal(more, 1003 - EVENT_SINGLE);
	assert_int_equal(fx_verb(w.m, VERB_MAINT, "web", "10.1.0.1:443", MONO_S(101)), MODEL_OK);
	assert_int_equal(fx_events(w.m, "maint"), 1);
	fx_world_free(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_other_words),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_mass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
