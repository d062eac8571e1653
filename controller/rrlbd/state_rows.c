/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state_rows.c - what the state file means. Pure: takes and gives JSON in memory; state.c reads and
 * writes the file.
 *
 * A file may come from an older or a younger version. A member that is missing has a default, one
 * that is unknown is kept and written back, and a row with a value that makes no sense is set aside
 * alone. Two rules keep an operator's word over all of that: a drain needs no more than the word to
 * be one, and a row that is set aside still keeps its endpoint out of the rotation if it may have
 * said so. An endpoint that is out by mistake is seen and put back; one that is in by mistake
 * breaks clients. A whole service is paused only by a clear yes.
 *
 * Times stand in the file as seconds since 1970, so that they mean the same after a boot; `wall` is
 * what the clock of the day is ahead of the monotonic one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rrlbd/state_rows.h"

/* Members that are true or false: X(name in the file and in struct model_saved). */
#define ROW_FLAGS(X) X(admin_set) X(added) X(deleted) X(was_up) X(paused)

static const struct {
	const char *name;
	size_t off;
} flags[] = {
#define ROW_FLAG(name) { #name, offsetof(struct model_saved, name) },
	ROW_FLAGS(ROW_FLAG)
#undef ROW_FLAG
};

#define FLAGS (sizeof(flags) / sizeof(flags[0]))
#define WHY_MAX 200
#define UNTIL_MAX 100000000000 /* seconds since 1970: the year 5138 */

static bool *flag_at(struct model_saved *r, size_t i)
{
	return (bool *)((char *)r + flags[i].off);
}

static bool row_member(const char *name)
{
	static const char *const plain[] = { "service", "endpoint", "admin",
					     "weight",	"leaving",  "drain_until" };

	for (size_t i = 0; i < FLAGS; i++) {
		if (!strcmp(name, flags[i].name))
			return true;
	}
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (!strcmp(name, plain[i]))
			return true;
	}
	return false;
}

static bool top_member(const char *name)
{
	return !strcmp(name, "version") || !strcmp(name, "min_reader") || !strcmp(name, "rows") ||
	       !strcmp(name, "aside");
}

/* ---- one row, read ---- */

static bool wrong(char *why, const char *name, const char *what)
{
	snprintf(why, WHY_MAX, "%s is not %s", name, what);
	return false;
}

/* Whom the row is about. No endpoint: the service itself. */
static bool row_subject(const json_t *j, struct model_saved *r, char *why)
{
	const json_t *ep = json_object_get(j, "endpoint");
	const char *service = json_string_value(json_object_get(j, "service"));
	const char *text = ep ? json_string_value(ep) : "";

	if (!service || !*service || strlen(service) >= sizeof(r->service))
		return wrong(why, "service", "the name of one");
	snprintf(r->service, sizeof(r->service), "%s", service);
	if (!text || (*text && addr_parse(&r->endpoint, text, true)))
		return wrong(why, "endpoint", "an address and port");
	return true;
}

static bool row_flags(const json_t *j, struct model_saved *r, char *why)
{
	for (size_t i = 0; i < FLAGS; i++) {
		const json_t *v = json_object_get(j, flags[i].name);

		if (v && !json_is_boolean(v))
			return wrong(why, flags[i].name, "true or false");
		*flag_at(r, i) = json_is_true(v);
	}
	return true;
}

/* Whoever wrote a drain and no admin_set meant it. */
static bool row_admin(const json_t *j, struct model_saved *r, char *why)
{
	const json_t *v = json_object_get(j, "admin");
	int value = EP_READY;

	if (v && (!json_is_string(v) || !word_find(ep_admin_words, json_string_value(v), &value)))
		return wrong(why, "admin", "ready, drain or maint");
	r->admin = (enum ep_admin)value;
	if (!json_object_get(j, "admin_set"))
		r->admin_set = value != EP_READY;
	return true;
}

static bool row_weight(const json_t *j, struct model_saved *r, const struct conf *c, char *why)
{
	const json_t *v = json_object_get(j, "weight");
	json_int_t weight = v ? json_integer_value(v) : 0;
	const struct conf_service *s = r->added ? conf_service_find(c, r->service) : NULL;

	if ((v && !json_is_integer(v)) || weight < 0 || weight > CONF_WEIGHT_MAX)
		return wrong(why, "weight", "0 to 1000");
	r->weight = (uint32_t)weight;
	return !r->endpoint.family ||
	       !conf_endpoint_valid(s, &r->endpoint, r->weight, why, WHY_MAX);
}

/* A drain without a deadline that is known gets its service's. */
static bool row_drain(const json_t *j, struct model_saved *r, mono_t wall, char *why)
{
	const json_t *until = json_object_get(j, "drain_until");
	const json_t *leaving = json_object_get(j, "leaving");

	if (leaving && !json_is_boolean(leaving))
		return wrong(why, "leaving", "true or false");
	r->leaving = json_is_true(leaving);
	if (!until)
		return true;
	if (!json_is_integer(until) || json_integer_value(until) <= 0 ||
	    json_integer_value(until) > UNTIL_MAX)
		return wrong(why, "drain_until", "seconds since 1970");
	r->drain_until = mono_sub(MONO_S(json_integer_value(until)), wall);
	return true;
}

static bool row_read(const json_t *j, struct model_saved *r, const struct conf *c, mono_t wall,
		     char *why)
{
	memset(r, 0, sizeof(*r));
	return row_subject(j, r, why) && row_flags(j, r, why) && row_admin(j, r, why) &&
	       row_drain(j, r, wall, why) && row_weight(j, r, c, why);
}

/* Is this member anything but a clear no? */
static bool may_be(const json_t *j, const char *name)
{
	const json_t *v = json_object_get(j, name);

	return v && !json_is_false(v);
}

/*
 * What a row that is not understood may have kept away from traffic. False: nothing, or nobody can
 * tell.
 */
static bool row_safe(const json_t *j, struct model_saved *r)
{
	const json_t *admin = json_object_get(j, "admin");
	const char *word = json_string_value(admin);
	int value = EP_DRAIN;
	char why[WHY_MAX];

	memset(r, 0, sizeof(*r));
	if (!row_subject(j, r, why))
		return false;
	if (!r->endpoint.family)
		return r->paused = json_is_true(json_object_get(j, "paused"));
	if (word)
		word_find(ep_admin_words, word, &value);
	r->deleted = may_be(j, "deleted");
	r->admin = admin ? (enum ep_admin)value : EP_READY;
	r->admin_set = r->admin != EP_READY;
	return r->admin_set || r->deleted;
}

/* ---- what is kept beside the rows ---- */

/* Owned by the caller; room for a service and an endpoint. */
static const char *row_key(const struct model_saved *r, char key[CONF_NAME_MAX + ADDR_STRLEN])
{
	char ep[ADDR_STRLEN] = "";

	if (r->endpoint.family)
		addr_print(&r->endpoint, ep, sizeof(ep));
	snprintf(key, CONF_NAME_MAX + ADDR_STRLEN, "%s %s", r->service, ep);
	return key;
}

/* The members of `j` that are not known, or NULL when there are none. */
static json_t *unknown_members(json_t *j, bool (*known)(const char *name))
{
	json_t *found = NULL, *copy = json_copy(j);
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(copy, next, name, value)
	{
		if (known(name))
			json_object_del(copy, name);
	}
	if (json_object_size(copy))
		found = json_incref(copy);
	json_decref(copy);
	return found;
}

static int keep_unknown(struct state_rest *rest, json_t *j, const struct model_saved *r)
{
	json_t *more = unknown_members(j, row_member);
	char key[CONF_NAME_MAX + ADDR_STRLEN];

	return more ? json_object_set_new(rest->row, row_key(r, key), more) : 0;
}

static int keep_aside(struct state_rest *rest, json_t *j, const char *why)
{
	json_t *entry = json_pack("{s:O, s:s}", "row", j, "why", why);

	rest->fresh++;
	return json_array_append_new(rest->aside, entry);
}

void state_rest_free(struct state_rest *rest)
{
	json_decref(rest->top);
	json_decref(rest->row);
	json_decref(rest->aside);
	memset(rest, 0, sizeof(*rest));
}

/* ---- a whole file, read ---- */

static bool usable(const json_t *root)
{
	const json_t *version = json_object_get(root, "version");
	const json_t *min = json_object_get(root, "min_reader");
	json_int_t least = json_integer_value(min ? min : version);

	return json_is_integer(version) && (!min || json_is_integer(min)) && least >= 1 &&
	       least <= STATE_VERSION && json_is_array(json_object_get(root, "rows"));
}

static int rest_begin(struct state_rest *rest, json_t *root)
{
	json_t *aside = json_object_get(root, "aside");

	rest->top = unknown_members(root, top_member);
	rest->row = json_object();
	rest->aside = json_is_array(aside) ? json_copy(aside) : json_array();
	return rest->row && rest->aside ? 0 : -ENOMEM;
}

/* Appends what the row says to rows[*n]. */
static int row_decode(struct state_rest *rest, json_t *j, const struct conf *c, mono_t wall,
		      struct model_saved *rows, size_t *n)
{
	char why[WHY_MAX] = "";

	if (row_read(j, &rows[*n], c, wall, why))
		return keep_unknown(rest, j, &rows[(*n)++]) ? -ENOMEM : 0;
	if (row_safe(j, &rows[*n]))
		(*n)++;
	return keep_aside(rest, j, why) ? -ENOMEM : 0;
}

int state_decode(struct state_rest *rest, json_t *root, const struct conf *c, mono_t wall,
		 struct model_saved **rows, size_t *n)
{
	const json_t *list = json_object_get(root, "rows");
	int rc;

	*rows = NULL;
	*n = 0;
	memset(rest, 0, sizeof(*rest));
	if (!usable(root))
		return -EPROTO;
	*rows = calloc(json_array_size(list) + 1, sizeof(**rows));
	rc = *rows ? rest_begin(rest, root) : -ENOMEM;
	for (size_t i = 0; !rc && i < json_array_size(list); i++)
		rc = row_decode(rest, json_array_get(list, i), c, wall, *rows, n);
	return rc;
}

/* ---- written ---- */

/* Up to the next whole second: a drain is rather given time than cut short. */
static json_int_t seconds_of(mono_t t, mono_t wall)
{
	return (mono_add(t, wall).us + 999999) / 1000000;
}

static json_t *row_write(const struct state_rest *rest, const struct model_saved *r, mono_t wall)
{
	char ep[ADDR_STRLEN] = "", key[CONF_NAME_MAX + ADDR_STRLEN];
	json_t *j;

	if (r->endpoint.family)
		addr_print(&r->endpoint, ep, sizeof(ep));
	j = json_pack("{s:s, s:s, s:s, s:i}", "service", r->service, "endpoint", ep, "admin",
		      word_of(ep_admin_words, (int)r->admin), "weight", (int)r->weight);
	for (size_t i = 0; i < FLAGS; i++)
		json_object_set_new(j, flags[i].name,
				    json_boolean(*(const bool *)((const char *)r + flags[i].off)));
	if (r->leaving)
		json_object_set_new(j, "leaving", json_true());
	if (r->drain_until.us)
		json_object_set_new(j, "drain_until",
				    json_integer(seconds_of(r->drain_until, wall)));
	if (rest->row && json_object_size(rest->row))
		json_object_update_missing(j, json_object_get(rest->row, row_key(r, key)));
	return j;
}

json_t *state_encode(const struct state_rest *rest, const struct model_saved *rows, size_t n,
		     mono_t wall)
{
	json_t *list = json_array();
	json_t *root = json_pack("{s:i, s:i, s:O*}", "version", STATE_VERSION, "min_reader",
				 STATE_MIN_READER, "rows", list);
	int rc = root && list ? 0 : -1;

	for (size_t i = 0; !rc && i < n; i++)
		rc = json_array_append_new(list, row_write(rest, &rows[i], wall));
	if (!rc && rest->aside && json_array_size(rest->aside))
		rc = json_object_set(root, "aside", rest->aside);
	if (!rc && rest->top)
		rc = json_object_update_missing(root, rest->top);
	json_decref(list);
	if (!rc)
		return root;
	json_decref(root);
	return NULL;
}
