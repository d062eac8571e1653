/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.h - one thing that happened: what kind, to whom, why, by whom, and the facts of it. The
 * sentence is made when it is shown; names and addresses are in the event, so it stays true after
 * its service or endpoint is gone.
 */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "util/addr.h"
#include "util/clock.h"
#include "util/event_kind.h"
#include "util/reason.h"

#define EVENT_NOBODY UINT32_MAX
#define EVENT_DETAIL_MAX 160
#define EVENT_SINGLE 16 /* of one kind and service; more that come at once are counted */
#define EVENT_TEXT_MAX 320 /* the longest sentence, service name and detail at their longest */

struct model;

struct model_event {
	uint64_t seq; /* from 0, without holes; given by the model */
	mono_t at; /* given by the model */
	enum event_kind kind;
	enum reason reason;
	uint32_t uid; /* of the operator; EVENT_NOBODY */
	char service[CONF_NAME_MAX]; /* "" = about the whole */
	struct addr endpoint; /* family 0 = about the service */
	uint32_t n, m; /* counts: what they count is the sentence's */
	mono_t left; /* of a drain, until its deadline; MONO_NEVER = none */
	struct addr address; /* another one: of the service, of the endpoint in question */
	char name[CONF_NAME_MAX]; /* another one: an interface, a gateway, the service's new name */
	/* what somebody else said: a server, the parser. Not to be trusted. */
	char text[EVENT_DETAIL_MAX];
};

/*
 * The sentence for people into `buf`, cut off at `len`; `text` may hold any byte but 0. Returns
 * buf.
 */
const char *event_sentence(const struct model_event *ev, char *buf, size_t len);

/*
 * Takes the oldest event; false = none. Of more than MODEL_EVENTS that nobody took the oldest are
 * lost.
 */
bool model_event_take(struct model *m, struct model_event *ev);
/*
 * Adds an event of the daemon's own (configuration reloaded, interface lost); seq and at are the
 * model's.
 */
void model_event_note(struct model *m, const struct model_event *ev, mono_t now);

#endif
