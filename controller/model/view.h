/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * view.h - the read-only snapshot of the model that every reader (control, later metrics and
 * dashboard) sees. Strings and arrays belong to the view; view_free() frees all. Counters are not
 * here: readers join them by id with what daemon/collect last read.
 */
#ifndef MODEL_VIEW_H
#define MODEL_VIEW_H

#include "core/health.h"
#include "model/model.h"

struct view_endpoint {
	uint32_t id;
	struct addr addr;
	enum ep_state state;
	enum ep_admin admin;
	enum health_state health;
	enum ep_member member;
	/* health counter and rise + fall - 1; "2/2" is rise-relative, see view_health_text() */
	uint32_t h, h_max;
	uint32_t rise, fall;
	enum reason reason; /* of the displayed state */
	int err;
	char text[96];
	uint32_t weight_base; /* configured or overridden */
	uint32_t weight; /* effective: 0 = takes no new connection */
	uint32_t slots; /* in the rotation */
	double share; /* slots / L */
	uint32_t established, flows; /* of the last walk */
	uint32_t port_percent; /* of its local ports, in use; 0 in modes without */
	mono_t since; /* of the displayed state */
	/* last probe; probe_at 0 = none yet */
	mono_t probe_took, probe_connect, probe_tls, probe_at;
	struct model_probe last; /* the last that ended and was not void */
	uint64_t probe_seq, last_seq; /* number of the last that was started; of `last`, 0 = none */
	mono_t silent_since; /* far too long without a result that counts, since; 0 = no */
	mono_t local_since; /* `last` and those before could not be sent, since; 0 = no */
	mono_t drain_until; /* 0 = not draining */
	uint64_t probes_ok, probes_failed;
	uint64_t hop;
	bool added, weight_set, admin_set, flapping;
};

struct view_service {
	uint32_t id;
	char name[CONF_NAME_MAX];
	struct addr listen;
	enum rr_mode mode;
	enum svc_state state;
	bool paused;
	uint32_t available, total;
	uint32_t slots; /* L */
	const struct conf_service *conf; /* owned by the view */
	struct view_endpoint *endpoint;
	size_t endpoints;
};

struct view {
	mono_t now;
	struct view_service *service; /* in order of configuration */
	size_t services;
	size_t targets; /* that are probed; endpoints of several services may share one */
	uint64_t voids; /* failures of probes that did not count, because nobody had looked */
	struct conf *conf; /* what service[].conf points into */
};

struct view *view_build(const struct model *m, mono_t now); /* NULL = no memory */
void view_free(struct view *v);
const struct view_service *view_service_find(const struct view *v, const char *name);
const struct view_endpoint *view_endpoint_find(const struct view_service *s, const struct addr *a);
/*
 * Passes of rise, and the failures that an UP endpoint has had: "2/2", "1/2", "2/2-1". Returns buf.
 */
const char *view_health_text(const struct view_endpoint *e, char *buf, size_t len);
const char *ep_health_name(enum health_state h); /* "init", ... */

#endif
