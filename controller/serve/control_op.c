/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_op.c - the verbs that change services and endpoints. Each fills one struct model_op; the model decides,
 * and what it decided is in the packet path and in the state file before the answer is sent.
 *
 * All are idempotent: asking for what is already so succeeds. --dry-run goes all the way to the model's decision.
 */
#include <stdio.h>
#include <string.h>

#include "collect/counters.h"
#include "rrlbd/state.h"
#include "rrlbd/turn.h"
#include "serve/call.h"
#include "serve/json.h"
#include "util/log.h"
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
static void put_endpoint_text(json_t *o, const struct call *c, const struct view_endpoint *e)
{
	char text[200], dur[UNITS_STRLEN];
	uint64_t active = active_endpoint(c->d, e->id);
	mono_t left = mono_sub(e->drain_until, c->view->now);
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

/* What stands there after the operation; data is the endpoint or service as `show` would give it. */
static void put_result(struct call *c, const struct model_op *op)
{
	const struct view_service *s;
	const struct view_endpoint *e;
	char addr[ADDR_STRLEN];

	view_free(c->view);
	c->view = NULL;
	c->data = json_object();
	put_str(c->data, "verb", c->verb->path);
	put_bool(c->data, "dry_run", op->dry_run);
	put_str(c->data, "service", op->service);
	if (op->endpoint.family)
		put_str(c->data, "endpoint", addr_print(&op->endpoint, addr, sizeof(addr)));
	if (call_view(c))
		return;
	collect_read(c->d);
	s = view_service_find(c->view, op->service);
	e = s && op->endpoint.family ? view_endpoint_find(s, &op->endpoint) : NULL;
	if (e) {
		put_str(c->data, "state", ep_state_name(e->state));
		put_int(c->data, "weight_base", e->weight_base);
		put_int(c->data, "established", (int64_t)active_endpoint(c->d, e->id));
		put_endpoint_text(c->data, c, e);
	} else if (s && !op->endpoint.family) {
		put_str(c->data, "state", service_state(s));
		put_str(c->data, "text", service_state(s));
	} else {
		put_str(c->data, "state", ep_state_name(EPS_GONE));
		put_str(c->data, "text", op->dry_run ? "not there" : ep_state_name(EPS_GONE));
	}
}

static enum api_code operate(struct call *c, struct model_op *op)
{
	char err[API_ERROR_MAX] = "";
	enum api_code code;

	op->uid = c->uid;
	op->force = api_get_flag(c->args, "force");
	op->dry_run = api_get_flag(c->args, "dry_run");
	code = code_of(model_verb(c->d->model, op, err, sizeof(err), c->now));
	if (code)
		return call_fail(c, code, "%s", *err ? err : "the model refused");
	if (!op->dry_run) {
		daemon_turn(c->d);
		if (state_save(c->d))
			log_errx("state: cannot be saved: this change will not survive a restart");
	}
	put_result(c, op);
	return API_OK;
}

static enum api_code operate_service(struct call *c, enum model_verb verb)
{
	const struct view_service *s;
	enum api_code code = call_service(c, api_get_str(c->args, "service"), &s);
	struct model_op op = { .verb = verb };

	if (code)
		return code;
	op.service = api_get_str(c->args, "service");
	return operate(c, &op);
}

enum api_code verb_service_pause(struct call *c)
{
	return operate_service(c, VERB_PAUSE);
}

enum api_code verb_service_resume(struct call *c)
{
	return operate_service(c, VERB_RESUME);
}

/* `name` must outlive the op: the view, which put_result() replaces, does not. */
static enum api_code target_op(struct call *c, struct model_op *op, char name[CONF_NAME_MAX])
{
	struct target t;
	enum api_code code = call_endpoint(c, api_get_str(c->args, "endpoint"), &t);

	if (code)
		return code;
	memcpy(name, t.service->name, CONF_NAME_MAX);
	op->service = name;
	op->endpoint = t.endpoint->addr;
	return API_OK;
}

static enum api_code operate_endpoint(struct call *c, struct model_op op)
{
	char name[CONF_NAME_MAX];
	enum api_code code = target_op(c, &op, name);

	return code ? code : operate(c, &op);
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
	const char *name = api_get_str(c->args, "endpoint");
	const char *slash = strchr(name, '/');
	enum api_code code = operate_endpoint(c, (struct model_op){ .verb = VERB_DEL });
	struct addr a;

	if (code != API_NO_SUCH || !slash || addr_parse(&a, slash + 1, true))
		return code;
	if (strstr(c->error, "has no endpoint") == NULL)
		return code;
	c->error[0] = '\0';
	c->data = json_object();
	put_str(c->data, "verb", c->verb->path);
	put_bool(c->data, "dry_run", api_get_flag(c->args, "dry_run"));
	put_str(c->data, "state", ep_state_name(EPS_GONE));
	put_str(c->data, "text", "not there");
	return API_OK;
}

enum api_code verb_endpoint_add(struct call *c)
{
	const struct view_service *s;
	int64_t weight = api_get_int(c->args, "weight", 0);
	struct model_op op = { .verb = VERB_ADD, .weight = (uint32_t)weight };
	enum api_code code = call_service(c, api_get_str(c->args, "service"), &s);

	if (code)
		return code;
	if (addr_parse(&op.endpoint, api_get_str(c->args, "address"), true))
		return call_fail(c, API_USAGE, "'%s' is not ADDRESS:PORT",
				 api_get_str(c->args, "address"));
	if (json_object_get(c->args, "weight") && (weight < 1 || weight > WEIGHT_MAX))
		return call_fail(c, API_USAGE, "a weight is 1 to %d", WEIGHT_MAX);
	op.service = api_get_str(c->args, "service");
	return operate(c, &op);
}

enum api_code verb_endpoint_drain(struct call *c)
{
	const json_t *wait = json_object_get(c->args, "wait");
	struct model_op op = { .verb = VERB_DRAIN };
	struct target t;
	int64_t ms = json_integer_value(wait);
	enum api_code code;

	op.deadline = MONO_MS(api_get_int(c->args, "deadline", 0));
	code = operate_endpoint(c, op);
	if (code || !wait || api_get_flag(c->args, "dry_run"))
		return code;
	code = call_endpoint(c, api_get_str(c->args, "endpoint"), &t);
	if (code) { /* it was leaving and is gone: as drained as can be */
		c->error[0] = '\0';
		return API_OK;
	}
	session_wait(c, WAIT_DRAIN, &t, ms ? mono_add(c->now, MONO_MS(ms)) : MONO_NEVER);
	return CALL_LATER;
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
	enum api_code code = call_endpoint(c, api_get_str(c->args, "endpoint"), &t);

	if (code)
		return code;
	if (weight_parse(api_get_str(c->args, "weight"), t.endpoint->weight_base, &op.weight))
		return call_fail(c, API_USAGE, "'%s' is not a weight: 1 to %d, +N%%, -N%% or auto",
				 api_get_str(c->args, "weight"), WEIGHT_MAX);
	return operate_endpoint(c, op);
}

enum api_code verb_endpoint_check(struct call *c)
{
	struct model_op op = { .verb = VERB_CHECK };
	char name[CONF_NAME_MAX];
	struct target t;
	enum api_code code = target_op(c, &op, name);

	if (!code)
		code = call_endpoint(c, api_get_str(c->args, "endpoint"), &t);
	if (code)
		return code;
	if (t.service->conf && t.service->conf->health.type == PROBE_NONE)
		return call_fail(c, API_FAILED, "health checks are off for service '%s'", name);
	session_wait(c, WAIT_CHECK, &t, mono_add(c->now, CHECK_WAIT));
	op.uid = c->uid;
	code = code_of(model_verb(c->d->model, &op, c->error, sizeof(c->error), c->now));
	if (!code) {
		daemon_turn(c->d);
		return CALL_LATER;
	}
	c->session->wait = WAIT_NONE;
	unix_client_busy(c->session->client, false);
	return code;
}
