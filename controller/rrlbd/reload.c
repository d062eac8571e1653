/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reload.c - a new configuration as a transaction: read, parse, check, attach, apply; any failure
 * keeps the old.
 *
 * Order: what can fail comes first and can be taken back (attaching new interfaces);
 * model_apply() changes everything or nothing; after it there is nothing left to fail but the
 * push, which is tried again until it succeeds. Settings that are fixed when the maps are made,
 * or when the process starts, are reported, not silently ignored.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/iface.h"
#include "collect/nexthop.h"
#include "collect/trust.h"
#include "daemon/daemon.h"
#include "daemon/push.h"
#include "rrlbd/reload.h"
#include "util/file.h"
#include "util/log.h"
#include "util/strbuf.h"

static int reload_parse(struct daemon *d, const char *text, size_t len, struct conf **c,
			char **report)
{
	struct conf_errors err = { .n = 0 };

	*c = conf_parse(text, len, &err);
	if (*c)
		return 0;
	*report = conf_errors_format(d->conf_path, text, len, &err);
	return err.n ? -EINVAL : -ENOMEM;
}

/* What only a restart changes. */
static void reload_fixed(const struct daemon *d, const struct conf *c, struct strbuf *sb)
{
	const struct conf *o = d->conf;

	if (c->flows_ipv4 != o->flows_ipv4 || c->flows_ipv6 != o->flows_ipv6)
		strbuf_puts(sb, "warning: flow-table is fixed while the maps live: set it back, or "
				"rrlbd will refuse its next start; new sizes take rrctl detach "
				"--all --unpin, which loses the flows, and a start\n");
	if (c->port_lo != o->port_lo || c->port_hi != o->port_hi)
		strbuf_puts(sb, "warning: nat-ports are fixed while the maps live: the old ones "
				"stay in use "
				"until rrctl detach --all --unpin and a start\n");
	if (c->port_sets != o->port_sets)
		strbuf_puts(sb, "warning: nat-port-sets is fixed while the maps live: the old "
				"number stays in use until rrctl detach --all --unpin and a "
				"start\n");
	if ((!d->socket && strcmp(c->socket, o->socket)) ||
	    strcmp(c->socket_group, o->socket_group) ||
	    strcmp(c->readonly_group, o->readonly_group))
		strbuf_puts(sb, "warning: the control socket and its groups change when rrlbd is "
				"restarted\n");
}

static void reload_ifaces(const struct daemon *d, const struct conf *c, struct strbuf *sb)
{
	for (size_t i = 0; i < c->ifaces; i++) {
		for (size_t k = 0; k < d->conf->ifaces; k++) {
			const struct conf_iface *n = &c->iface[i], *o = &d->conf->iface[k];

			if (!strcmp(n->name, o->name) &&
			    (n->attach != o->attach || n->xdp != o->xdp))
				strbuf_printf(
					sb,
					"warning: interface %s keeps the way it is attached until "
					"rrctl detach and a restart\n",
					n->name);
		}
	}
}

static void reload_keep_fixed(const struct daemon *d, struct conf *c)
{
	c->flows_ipv4 = d->conf->flows_ipv4;
	c->flows_ipv6 = d->conf->flows_ipv6;
	c->port_lo = d->conf->port_lo;
	c->port_hi = d->conf->port_hi;
	c->port_sets = d->conf->port_sets;
	memcpy(c->socket, d->conf->socket, sizeof(c->socket));
	memcpy(c->socket_group, d->conf->socket_group, sizeof(c->socket_group));
	memcpy(c->readonly_group, d->conf->readonly_group, sizeof(c->readonly_group));
}

static void reload_probes(const struct conf *c, struct strbuf *sb)
{
	char text[256];

	if (conf_probe_warning(c, text, sizeof(text)))
		strbuf_printf(sb, "warning: %s\n", text);
}

/* All files of authorities that it names can be read, or it is refused. */
static int reload_trust(const struct daemon *d, const struct conf *c, struct trust **t,
			char **report)
{
	int rc = trust_load(t, c);

	if (rc)
		return rc;
	*report = trust_report(*t, c, d->conf_path);
	if (!*report)
		return 0;
	trust_free(*t);
	return -EINVAL;
}

static void reload_commit(struct daemon *d, struct conf *c, struct trust *t)
{
	iface_settle(d, c);
	trust_use(d, t);
	conf_free(d->conf);
	d->conf = c;
	d->conf_generation++;
	d->conf_at = daemon_now(d);
	d->conf_ok = true;
	d->conf_error[0] = '\0';
	if (push_control(d))
		log_errx("control: %s", dp_error(d->dp));
	nexthop_resolve(d);
}

static int reload_try(struct daemon *d, struct conf *c, bool reset, char *err, size_t errlen)
{
	int rc = iface_assign(d, c);

	if (rc) {
		snprintf(err, errlen, "more than %u interfaces, counting those that are to go",
			 RR_MAX_IFACES);
		return rc;
	}
	rc = iface_attach(d, c, d->conf, err, errlen);
	if (rc)
		return rc;
	rc = model_apply(d->model, c, reset, daemon_now(d));
	if (rc)
		snprintf(err, errlen, "configuration cannot be applied: %s", strerror(-rc));
	return rc;
}

static int reload_apply(struct daemon *d, struct conf *c, bool reset, char *err, size_t errlen)
{
	int rc = reload_try(d, c, reset, err, errlen);

	if (rc)
		iface_undo(d);
	return rc;
}

static void reload_failed(struct daemon *d, uint32_t uid, const char *report)
{
	struct model_event ev = { .kind = EVENT_CONFIG_REFUSED, .uid = uid };

	d->conf_ok = false;
	snprintf(d->conf_error, sizeof(d->conf_error), "%.*s", (int)strcspn(report, "\n"), report);
	snprintf(ev.text, sizeof(ev.text), "%.100s", d->conf_error);
	model_event_note(d->model, &ev, daemon_now(d));
}

static int reload_text(struct daemon *d, const char *text, size_t len, bool reset, char **report)
{
	struct strbuf notes = { 0 };
	char err[256] = "";
	struct trust *t;
	struct conf *c;
	int rc = reload_parse(d, text, len, &c, report);

	if (rc)
		return rc;
	rc = reload_trust(d, c, &t, report);
	if (rc) {
		conf_free(c);
		return rc;
	}
	reload_probes(c, &notes);
	reload_fixed(d, c, &notes);
	reload_ifaces(d, c, &notes);
	reload_keep_fixed(d, c);
	rc = reload_apply(d, c, reset, err, sizeof(err));
	if (rc) {
		conf_free(c);
		trust_free(t);
		strbuf_free(&notes);
		*report = strdup(err);
		return rc;
	}
	reload_commit(d, c, t);
	*report = notes.len ? strbuf_take(&notes) : NULL;
	return 0;
}

int daemon_reload(struct daemon *d, bool reset, uint32_t uid, char **report)
{
	struct model_event done = { .kind = EVENT_CONFIG_LOADED, .uid = uid };
	size_t len = 0;
	char *text;
	int rc = file_read_regular(d->conf_path, CONF_FILE_MAX, &text, &len);

	*report = NULL;
	if (!rc)
		rc = reload_text(d, text, len, reset, report);
	else if (asprintf(report, "%s: %s", d->conf_path, file_error(rc)) < 0)
		*report = NULL;
	free(text);
	if (rc) {
		reload_failed(d, uid, *report ? *report : strerror(-rc));
		return rc;
	}
	model_event_note(d->model, &done, daemon_now(d));
	return 0;
}
