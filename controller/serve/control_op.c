/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_op.c - the verbs that change services and endpoints. Each looks up whom it is about,
 * once, fills one struct model_op and asks the model. What the model decided is in the packet
 * path and in the state file before the answer is sent: the turn brings it there, and
 * show_result() then says what stands there.
 *
 * All are idempotent: asking for what is already so succeeds. --dry-run goes all the way to the
 * model's decision, and is answered at once, since nothing has changed.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/daemon.h"
#include "serve/json.h"
#include "serve/target.h"
#include "serve/wait.h"
#include "util/units.h"

#define WEIGHT_MAX 1000
#define CHECK_WAIT MONO_S(30)

static enum api_code code_of(enum model_rc rc)
{
	switch (rc) {
	case MODEL_OK:
		return API_OK;
	case MODEL_NO_SERVICE:
	case MODEL_NO_ENDPOINT:
	case MODEL_LEAVING:
	case MODEL_UNNAMED:
		return API_NO_SUCH;
	case MODEL_LAST:
		return API_REFUSED;
	case MODEL_INVALID:
		return API_USAGE;
	default:
		return API_FAILED;
	}
}

/* The sentence for people: what the endpoint is now. */
static void put_endpoint_text(json_t *o, const struct snapshot *snap, const struct view_endpoint *e)
{
	char text[200], dur[UNITS_STRLEN];
	uint64_t active = snapshot_endpoint(snap, e)->active;
	mono_t left = mono_sub(e->drain_until, snap->now);
	int n;

	n = snprintf(text, sizeof(text), "%s, weight %u", ep_state_name(e->state), e->weight_base);
	if (active || e->state == EPS_DRAINING)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ", %llu established",
			      (unsigned long long)active);
	if (e->state == EPS_DRAINING && e->drain_until.us && !mono_is_never(e->drain_until)) {
		left.us -= left.us % 1000000;
		snprintf(text + n, sizeof(text) - (size_t)n, ", deadline in %s",
			 units_dur_print(left, dur, sizeof(dur)));
	}
	put_str(o, "text", text);
}

static void put_endpoint(json_t *o, const struct snapshot *snap, const struct view_endpoint *e)
{
	put_str(o, "state", ep_state_name(e->state));
	put_int(o, "weight_base", e->weight_base);
	put_int(o, "established", (int64_t)snapshot_endpoint(snap, e)->active);
	put_endpoint_text(o, snap, e);
}

static void put_verb(struct call *c)
{
	c->data = json_object();
	put_str(c->data, "verb", c->verb->path);
	put_bool(c->data, "dry_run", api_get_flag(c->args, "dry_run"));
}

static void put_gone(json_t *o, bool was_there)
{
	put_str(o, "state", ep_state_name(EPS_GONE));
	put_str(o, "text", was_there ? ep_state_name(EPS_GONE) : "not there");
}

/* What stands there now; data is the endpoint or service as `show` would give it. */
static enum api_code show_result(struct call *c)
{
	const struct addr *a = &c->session->endpoint;
	const struct view_service *s = view_service_find(c->snap->view, c->session->service);
	const struct view_endpoint *e = s && a->family ? view_endpoint_find(s, a) : NULL;
	char addr[ADDR_STRLEN];

	put_verb(c);
	put_str(c->data, "service", c->session->service);
	if (a->family)
		put_str(c->data, "endpoint", addr_print(a, addr, sizeof(addr)));
	if (e) {
		put_endpoint(c->data, c->snap, e);
	} else if (s && !a->family) {
		put_str(c->data, "state", svc_state_name(s->state));
		put_str(c->data, "text", svc_state_name(s->state));
	} else {
		put_gone(c->data, !api_get_flag(c->args, "dry_run"));
	}
	return API_OK;
}

/*
 * Asks the model. After the turn `show` makes the answer; it finds whom it is about in the
 * session, because the snapshot in which it was looked up is the past by then.
 */
static enum api_code operate(struct call *c, struct model_op *op,
			     enum api_code (*show)(struct call *c))
{
	char err[API_ERROR_MAX] = "";
	struct daemon *d = c->ctl->d;
	enum api_code code;

	op->uid = c->uid;
	op->force = api_get_flag(c->args, "force");
	op->dry_run = api_get_flag(c->args, "dry_run");
	snprintf(c->session->service, sizeof(c->session->service), "%s", op->service);
	c->session->endpoint = op->endpoint;
	code = code_of(model_verb(d->model, op, err, sizeof(err), c->now));
	if (code)
		return call_fail(c, code, "%s", *err ? err : "the model refused");
	if (op->dry_run) {
		snapshot_count(c->snap);
		return show_result(c);
	}
	snapshot_forget(d);
	return session_after_turn(c, show);
}

static enum api_code operate_service(struct call *c, enum model_verb verb)
{
	struct model_op op = { .verb = verb };
	struct target t;
	enum api_code code = target_service(c, api_get_str(c->args, "service"), &t);

	if (code)
		return code;
	op.service = t.service->name;
	return operate(c, &op, show_result);
}

enum api_code verb_service_pause(struct call *c)
{
	return operate_service(c, VERB_PAUSE);
}

enum api_code verb_service_resume(struct call *c)
{
	return operate_service(c, VERB_RESUME);
}

static enum api_code operate_target(struct call *c, const struct target *t, struct model_op op,
				    enum api_code (*show)(struct call *c))
{
	op.service = t->service->name;
	op.endpoint = t->endpoint->addr;
	return operate(c, &op, show);
}

static enum api_code operate_endpoint(struct call *c, struct model_op op)
{
	struct target t;
	enum api_code code = target_endpoint(c, api_get_str(c->args, "endpoint"), &t);

	return code ? code : operate_target(c, &t, op, show_result);
}

enum api_code verb_endpoint_ready(struct call *c)
{
	return operate_endpoint(c, (struct model_op){ .verb = VERB_READY });
}

enum api_code verb_endpoint_maint(struct call *c)
{
	struct model_op op = { .verb = VERB_MAINT, .kill = api_get_flag(c->args, "kill") };

	return operate_endpoint(c, op);
}

/* An endpoint that is not there is deleted already. */
enum api_code verb_endpoint_del(struct call *c)
{
	struct target t;
	enum api_code code = target_endpoint(c, api_get_str(c->args, "endpoint"), &t);

	if (!code)
		return operate_target(c, &t, (struct model_op){ .verb = VERB_DEL }, show_result);
	if (code != API_NO_SUCH || !t.service || !t.addr.port)
		return code;
	c->error[0] = '\0';
	put_verb(c);
	put_gone(c->data, false);
	return API_OK;
}

enum api_code verb_endpoint_add(struct call *c)
{
	int64_t weight = api_get_int(c->args, "weight", 0);
	struct model_op op = { .verb = VERB_ADD, .weight = (uint32_t)weight };
	struct target t;
	enum api_code code = target_service(c, api_get_str(c->args, "service"), &t);

	if (code)
		return code;
	if (addr_parse(&op.endpoint, api_get_str(c->args, "address"), true))
		return call_fail(c, API_USAGE, "'%s' is not ADDRESS:PORT",
				 api_get_str(c->args, "address"));
	if (json_object_get(c->args, "weight") && (weight < 1 || weight > WEIGHT_MAX))
		return call_fail(c, API_USAGE, "a weight is 1 to %d", WEIGHT_MAX);
	op.service = t.service->name;
	return operate(c, &op, show_result);
}

/* An endpoint that was leaving and is gone is as drained as can be. */
static enum api_code show_drain(struct call *c)
{
	int64_t ms = json_integer_value(json_object_get(c->args, "wait"));
	const struct view_service *s = view_service_find(c->snap->view, c->session->service);

	if (!s || !view_endpoint_find(s, &c->session->endpoint))
		return show_result(c);
	session_wait(c, WAIT_DRAIN, ms ? mono_add(c->now, MONO_MS(ms)) : MONO_NEVER);
	return CALL_LATER;
}

enum api_code verb_endpoint_drain(struct call *c)
{
	struct model_op op = { .verb = VERB_DRAIN };
	struct target t;
	enum api_code code = target_endpoint(c, api_get_str(c->args, "endpoint"), &t);

	op.deadline = MONO_MS(api_get_int(c->args, "deadline", 0));
	if (!op.deadline.us && json_object_get(c->args, "deadline"))
		op.deadline = MONO_US(1); /* 0 s is now, not "as configured" */
	if (code)
		return code;
	return operate_target(c, &t, op,
			      json_object_get(c->args, "wait") ? show_drain : show_result);
}

/* "150", "+10%", "-10%" of what it is now, "auto" = 0. */
static int weight_parse(const char *text, uint32_t base, uint32_t *weight)
{
	uint32_t percent;
	uint64_t n;

	if (!strcmp(text, "auto")) {
		*weight = 0;
		return 0;
	}
	if (*text != '+' && *text != '-') {
		if (units_count_parse(&n, text) || n < 1 || n > WEIGHT_MAX)
			return -1;
		*weight = (uint32_t)n;
		return 0;
	}
	if (units_percent_parse(&percent, text + 1) || (*text == '-' && percent > 100) ||
	    percent > 100000)
		return -1;
	n = *text == '+' ? (uint64_t)base * (100 + percent) : (uint64_t)base * (100 - percent);
	n = (n + 50) / 100;
	*weight = n < 1 ? 1 : n > WEIGHT_MAX ? WEIGHT_MAX : (uint32_t)n;
	return 0;
}

enum api_code verb_endpoint_weight(struct call *c)
{
	struct model_op op = { .verb = VERB_WEIGHT };
	struct target t;
	enum api_code code = target_endpoint(c, api_get_str(c->args, "endpoint"), &t);

	if (code)
		return code;
	if (weight_parse(api_get_str(c->args, "weight"), t.endpoint->weight_base, &op.weight))
		return call_fail(c, API_USAGE, "'%s' is not a weight: 1 to %d, +N%%, -N%% or auto",
				 api_get_str(c->args, "weight"), WEIGHT_MAX);
	return operate_target(c, &t, op, show_result);
}

static enum api_code show_check(struct call *c)
{
	session_wait(c, WAIT_CHECK, mono_add(c->now, c->session->limit));
	return CALL_LATER;
}

/*
 * The probe that is asked for is the next one that starts: one in flight began before anybody
 * asked. Its number is noted before the turn starts it: one that cannot be sent has ended within
 * the turn.
 */
enum api_code verb_endpoint_check(struct call *c)
{
	struct session *s = c->session;
	struct target t;
	enum api_code code = target_endpoint(c, api_get_str(c->args, "endpoint"), &t);

	if (code)
		return code;
	if (t.service->conf && t.service->conf->health.type == PROBE_NONE)
		return call_fail(c, API_FAILED, "health checks are off for service '%s'",
				 t.service->name);
	s->probe = t.endpoint->probe_seq + 1;
	s->limit = CHECK_WAIT;
	if (t.service->conf)
		s->limit.us += 2 * t.service->conf->health.timeout.us;
	return operate_target(c, &t, (struct model_op){ .verb = VERB_CHECK }, show_check);
}
