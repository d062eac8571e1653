/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_detach.c - takes the packet path off interfaces: the only way it ever leaves, stopping rrlbd does not.
 *
 * --unpin also removes maps and program from bpffs, with every flow and operator state in them; it is refused while
 * any interface would still run the program.
 */
#include <errno.h>
#include <string.h>

#include "serve/call.h"
#include "serve/json.h"

static struct dp_iface_status *iface_find(struct daemon *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->ifaces; i++) {
		if (!strcmp(d->iface[i].name, name))
			return &d->iface[i];
	}
	return NULL;
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

/* Every name must be one of ours before anything is done. */
static enum api_code check_names(struct call *c)
{
	json_t *list = json_object_get(c->args, "interfaces"), *w;
	size_t i;

	if (api_get_flag(c->args, "all") ? json_array_size(list) > 0 : !json_array_size(list))
		return call_fail(c, API_USAGE, "name interfaces, or give --all");
	json_array_foreach(list, i, w)
	{
		if (!iface_find(c->d, json_string_value(w)))
			return call_fail(c, API_NO_SUCH,
					 "interface '%s' is not in the configuration",
					 json_string_value(w));
	}
	for (i = 0; i < c->d->ifaces && api_get_flag(c->args, "unpin"); i++) {
		if (c->d->iface[i].attached && !chosen(c, c->d->iface[i].name))
			return call_fail(c, API_REFUSED,
					 "--unpin: the packet path would still be attached to '%s'",
					 c->d->iface[i].name);
	}
	return API_OK;
}

static int detach_one(struct daemon *d, struct dp_iface_status *f)
{
	int err = dp_detach(d->dp, f->name);

	if (err == -ENOENT || err == -ENODEV) /* nothing there: as asked for */
		err = 0;
	if (!err) {
		f->attached = false;
		strcpy(f->text, "detached by an operator");
	}
	return err;
}

static enum api_code detach_all(struct call *c, json_t *done)
{
	bool dry = api_get_flag(c->args, "dry_run");
	enum api_code code = API_OK;
	size_t i;

	for (i = 0; i < c->d->ifaces; i++) {
		if (!c->d->iface[i].name[0] || !chosen(c, c->d->iface[i].name))
			continue;
		if (!dry && detach_one(c->d, &c->d->iface[i]))
			code = call_fail(c, API_FAILED, "%s: %s", c->d->iface[i].name,
					 dp_error(c->d->dp));
		else
			json_array_append_new(done, api_string(c->d->iface[i].name));
	}
	return code;
}

enum api_code verb_detach(struct call *c)
{
	bool unpin = api_get_flag(c->args, "unpin"), dry = api_get_flag(c->args, "dry_run");
	json_t *done;
	enum api_code code = check_names(c);

	if (code)
		return code;
	done = json_array();
	code = detach_all(c, done);
	if (!code && unpin && !dry && dp_unpin(c->d->dp))
		code = call_fail(c, API_FAILED, "%s", dp_error(c->d->dp));
	c->data = json_object();
	put_str(c->data, "verb", c->verb->path);
	put_bool(c->data, "dry_run", dry);
	json_object_set_new(c->data, "detached", done);
	put_bool(c->data, "unpinned", unpin && !code);
	return code;
}
