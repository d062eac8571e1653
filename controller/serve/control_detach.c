/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_detach.c - takes the packet path off interfaces: the only way it ever leaves, stopping
 * rrlbd does not.
 *
 * --unpin also removes maps and program from bpffs, with every flow and operator state in them;
 * it is refused while any interface would still run the program. What is to be detached is
 * decided here, by name, and done by the turn.
 */
#include <string.h>

#include "serve/call.h"
#include "serve/json.h"

static bool is_ours(const struct call *c, const char *name)
{
	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		if (!strcmp(c->snap->iface[i].st.name, name))
			return true;
	}
	return false;
}

static bool chosen(const struct call *c, const char *name)
{
	json_t *list = json_object_get(c->args, "interfaces"), *w;
	size_t i;

	if (api_get_flag(c->args, "all"))
		return true;
	json_array_foreach(list, i, w)
	{
		if (!strcmp(json_string_value(w), name))
			return true;
	}
	return false;
}

static enum api_code check_unpin(struct call *c)
{
	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		const struct dp_iface_status *f = &c->snap->iface[i].st;

		if (f->attached && !chosen(c, f->name))
			return call_fail(c, API_REFUSED,
					 "--unpin: the packet path would still be attached to '%s'",
					 f->name);
	}
	return API_OK;
}

/* Every name must be one of ours before anything is done. */
static enum api_code check_names(struct call *c)
{
	json_t *list = json_object_get(c->args, "interfaces"), *w;
	size_t i;

	if (api_get_flag(c->args, "all") ? json_array_size(list) > 0 : !json_array_size(list))
		return call_fail(c, API_USAGE, "name interfaces, or give --all");
	json_array_foreach(list, i, w)
	{
		if (!is_ours(c, json_string_value(w)))
			return call_fail(c, API_NO_SUCH,
					 "interface '%s' is not in the configuration",
					 json_string_value(w));
	}
	return api_get_flag(c->args, "unpin") ? check_unpin(c) : API_OK;
}

static void choose(struct call *c, struct ask *a)
{
	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		const char *name = c->snap->iface[i].st.name;

		if (name[0] && chosen(c, name))
			memcpy(a->iface[a->ifaces++], name, sizeof(a->iface[0]));
	}
}

/* A dry run has detached all that it would. */
static enum api_code show_detach(struct call *c)
{
	const struct ask *a = &c->session->ask;
	bool dry = api_get_flag(c->args, "dry_run");
	json_t *done = json_array();

	for (size_t i = 0; i < a->ifaces; i++) {
		if (dry || (a->detached & 1u << i))
			json_array_append_new(done, api_string(a->iface[i]));
	}
	c->data = json_object();
	put_str(c->data, "verb", c->verb->path);
	put_bool(c->data, "dry_run", dry);
	json_object_set_new(c->data, "detached", done);
	put_bool(c->data, "unpinned", api_get_flag(c->args, "unpin") && !a->rc);
	return a->rc ? call_fail(c, API_FAILED, "%s", a->report ? a->report : strerror(-a->rc))
		     : API_OK;
}

enum api_code verb_detach(struct call *c)
{
	struct ask *a = &c->session->ask;
	enum api_code code = call_snapshot(c);

	if (!code)
		code = check_names(c);
	if (code)
		return code;
	a->kind = ASK_DETACH;
	a->unpin = api_get_flag(c->args, "unpin");
	choose(c, a);
	if (!api_get_flag(c->args, "dry_run"))
		return session_ask(c, show_detach);
	code = show_detach(c);
	session_settle(c->session);
	return code;
}
