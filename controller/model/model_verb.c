/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model_verb.c - what an operator asks: checks it, refuses what would take the last endpoint
 * away, records the override and does it. Every verb is idempotent: asking for what already is
 * changes nothing and says OK.
 *
 * The override comes first: it is what a reload and a restart go by, so a verb that could not be
 * recorded is not done either. A dry run ends where the first change would be made.
 */
#include <stdio.h>
#include <string.h>

#include "model/model_int.h"

struct verb {
	struct model *m;
	const struct model_op *op;
	struct svc *s;
	struct ep *e; /* PRESENT, or NULL */
	char *err;
	size_t errlen;
	mono_t now;
};

#define SAY(v, ...) snprintf((v)->err, (v)->errlen, __VA_ARGS__)

static const char *op_addr(const struct verb *v, char buf[ADDR_STRLEN])
{
	return addr_print(&v->op->endpoint, buf, ADDR_STRLEN);
}

/* The override row, and the uid for the events that follow. */
static struct model_saved *verb_row(struct verb *v)
{
	if (v->e)
		v->e->admin_uid = v->op->uid;
	return over_get(v->m, v->s->name, &v->op->endpoint);
}

static enum model_rc no_memory(struct verb *v)
{
	SAY(v, "out of memory");
	return MODEL_NO_MEMORY;
}

/*
 * Refuses to take away the only endpoint that is available, which would close the service. One that
 * is not available anyway can always go.
 */
static enum model_rc guard_last(struct verb *v, const char *what)
{
	char buf[ADDR_STRLEN];

	if (v->op->force || v->e->state != EPS_UP || svc_available(v->s) != 1)
		return MODEL_OK;
	SAY(v,
	    "%s is the last available endpoint of %s: to %s it would leave none; --force does it "
	    "all the same",
	    op_addr(v, buf), v->s->name, what);
	return MODEL_LAST;
}

/* The file's row of the endpoint; NULL = it is not in the file. */
static const struct conf_endpoint *in_file(const struct verb *v)
{
	return want_in_file(v->s->conf, &v->op->endpoint);
}

static uint32_t configured_weight(const struct verb *v)
{
	const struct conf_endpoint *c = in_file(v);

	return c ? c->weight : v->s->conf->weight_default;
}

/* A wish that is the file's own is no override: the next change of the file then counts. */
static enum model_rc set_admin(struct verb *v, enum ep_admin a)
{
	const struct conf_endpoint *c = in_file(v);
	struct model_saved *o;

	if (v->op->dry_run)
		return MODEL_OK;
	o = verb_row(v);
	if (!o)
		return no_memory(v);
	o->admin = a;
	o->admin_set = a != (c ? c->admin : EP_READY);
	v->e->admin_why = REASON_OPERATOR;
	ep_set_admin(v->m, v->e, a, v->op->deadline, v->now);
	o->drain_until =
		a == EP_DRAIN && !mono_is_never(v->e->drain.until) ? v->e->drain.until : MONO_US(0);
	return MODEL_OK;
}

static enum model_rc verb_drain(struct verb *v)
{
	enum model_rc rc = v->op->deadline.us < 0 ? MODEL_INVALID : guard_last(v, "drain");

	if (rc == MODEL_INVALID)
		SAY(v, "a drain deadline cannot be negative");
	return rc ? rc : set_admin(v, EP_DRAIN);
}

static enum model_rc verb_ready(struct verb *v)
{
	return set_admin(v, EP_READY);
}

static enum model_rc verb_maint(struct verb *v)
{
	enum model_rc rc = guard_last(v, "maintain");

	if (!rc)
		rc = set_admin(v, EP_MAINT);
	if (!rc && v->op->kill && !v->op->dry_run)
		ep_kill(v->m, v->e);
	return rc;
}

static enum model_rc verb_weight(struct verb *v)
{
	uint32_t w = v->op->weight;
	struct model_saved *o;

	if (w > CONF_WEIGHT_MAX) {
		SAY(v, "weight %u is not in %d..%d", w, CONF_WEIGHT_MIN, CONF_WEIGHT_MAX);
		return MODEL_INVALID;
	}
	if (v->op->dry_run)
		return MODEL_OK;
	o = verb_row(v);
	if (!o)
		return no_memory(v);
	o->weight = w;
	ep_set_weight(v->m, v->e, w ? w : configured_weight(v), w != 0, v->now);
	return MODEL_OK;
}

static size_t present(const struct svc *s)
{
	size_t n = 0;

	for (const struct ep *e = s->first; e; e = e->next)
		n += e->member == EP_PRESENT;
	return n;
}

static bool free_id(const struct model *m)
{
	for (uint32_t i = 1; i < RR_MAX_ENDPOINTS; i++) {
		if (!m->ep[i].id)
			return true;
	}
	return false;
}

/* What the file would refuse is refused here: the rule is one. */
static enum model_rc add_check(struct verb *v)
{
	if (conf_endpoint_valid(v->s->conf, &v->op->endpoint, v->op->weight, v->err, v->errlen))
		return MODEL_INVALID;
	if (present(v->s) >= RR_MAX_SVC_ENDPOINTS ||
	    (!ep_find(v->s, &v->op->endpoint) && !free_id(v->m))) {
		SAY(v, "no room for another endpoint in %s", v->s->name);
		return MODEL_NO_ROOM;
	}
	return MODEL_OK;
}

/*
 * The endpoint is made by svc_reconcile() out of the row, as it will be after the next reload. One
 * that is there only gets the weight, if one is given.
 */
static enum model_rc verb_add(struct verb *v)
{
	enum model_rc rc = v->e ? MODEL_OK : add_check(v);
	struct model_saved *o;

	if (rc || v->op->dry_run)
		return rc;
	if (v->e)
		return v->op->weight ? verb_weight(v) : MODEL_OK;
	o = verb_row(v);
	if (!o)
		return no_memory(v);
	o->deleted = false;
	o->added = !in_file(v);
	o->weight = v->op->weight;
	svc_reconcile(v->m, v->s, v->op->uid, v->now);
	return MODEL_OK;
}

/*
 * The row keeps one thing only: that the file's endpoint is not wanted. For one that was added that
 * is nothing, and over_purge() drops the row.
 */
static enum model_rc verb_del(struct verb *v)
{
	enum model_rc rc = guard_last(v, "delete");
	const struct addr a = v->op->endpoint;
	struct model_saved *o;

	if (rc || v->op->dry_run)
		return rc;
	o = verb_row(v);
	if (!o)
		return no_memory(v);
	memset(o, 0, sizeof(*o));
	snprintf(o->service, sizeof(o->service), "%s", v->s->name);
	o->endpoint = a;
	o->deleted = in_file(v) != NULL;
	v->e->kill = false;
	if (v->op->kill)
		ep_kill(v->m, v->e);
	ep_leave(v->m, v->e, v->op->uid, v->now);
	over_purge(v->m);
	return MODEL_OK;
}

/*
 * Due now, also in maintenance. A probe in flight began before anybody asked, and may know only the
 * past: the one that is asked for follows it.
 */
static enum model_rc verb_check(struct verb *v)
{
	if (v->s->conf->health.type == PROBE_NONE) {
		SAY(v, "health checks are off for %s", v->s->name);
		return MODEL_INVALID;
	}
	if (v->op->dry_run)
		return MODEL_OK;
	v->e->check_now = true;
	v->e->check_seq = v->e->probe_seq + 1;
	if (!v->e->in_flight)
		v->e->next_probe = v->now;
	target_arm(v->m, v->e->target);
	return MODEL_OK;
}

static enum model_rc verb_pause(struct verb *v)
{
	const struct addr none = { 0 };
	struct model_saved *o;

	if (v->op->dry_run)
		return MODEL_OK;
	o = over_get(v->m, v->s->name, &none);
	if (!o)
		return no_memory(v);
	o->paused = v->op->verb == VERB_PAUSE;
	svc_set_paused(v->m, v->s, o->paused, v->op->uid, v->now);
	return MODEL_OK;
}

static const struct {
	enum model_rc (*run)(struct verb *v);
	bool service; /* is about the service itself */
	bool absent; /* the endpoint need not be there */
} verbs[] = {
	[VERB_DRAIN] = { verb_drain, false, false }, [VERB_READY] = { verb_ready, false, false },
	[VERB_MAINT] = { verb_maint, false, false }, [VERB_WEIGHT] = { verb_weight, false, false },
	[VERB_ADD] = { verb_add, false, true },	     [VERB_DEL] = { verb_del, false, false },
	[VERB_CHECK] = { verb_check, false, false }, [VERB_PAUSE] = { verb_pause, true, false },
	[VERB_RESUME] = { verb_pause, true, false },
};

/* Deleting what is not there any more is done already. */
static enum model_rc absent(struct verb *v)
{
	const struct ep *e = v->op->endpoint.family ? ep_find(v->s, &v->op->endpoint) : NULL;
	char buf[ADDR_STRLEN];

	if (v->op->verb == VERB_DEL && e && e->member != EP_PRESENT)
		return MODEL_OK;
	if (e && e->member == EP_LEAVING) {
		SAY(v, "%s of %s has been removed and is draining", op_addr(v, buf), v->s->name);
		return MODEL_LEAVING;
	}
	if (!v->op->endpoint.family) {
		SAY(v, "an endpoint of %s is needed", v->s->name);
		return MODEL_UNNAMED;
	}
	SAY(v, "service %s has no endpoint %s", v->s->name, op_addr(v, buf));
	return MODEL_NO_ENDPOINT;
}

enum model_rc model_verb(struct model *m, const struct model_op *op, char *err, size_t errlen,
			 mono_t now)
{
	struct verb v = { .m = m, .op = op, .err = err, .errlen = errlen, .now = now };

	if (errlen)
		err[0] = 0;
	if ((size_t)op->verb >= sizeof(verbs) / sizeof(verbs[0])) {
		SAY(&v, "no such verb");
		return MODEL_INVALID;
	}
	v.s = svc_find(m, op->service ? op->service : "");
	if (!v.s) {
		SAY(&v, "no service is called %s", op->service ? op->service : "\"\"");
		return MODEL_NO_SERVICE;
	}
	if (!verbs[op->verb].service) {
		v.e = op->endpoint.family ? ep_find(v.s, &op->endpoint) : NULL;
		if (v.e && v.e->member != EP_PRESENT)
			v.e = NULL;
		if (!v.e && !verbs[op->verb].absent)
			return absent(&v);
	}
	m->restless = true;
	return verbs[op->verb].run(&v);
}
