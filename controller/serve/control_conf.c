/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_conf.c - config check, diff, show, reload. Configurations are compared in their
 * canonical print, so that a difference is one of meaning, not of spacing or order of options.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/trust.h"
#include "serve/call.h"
#include "serve/json.h"
#include "util/file.h"
#include "util/text_diff.h"

/* The daemon's own configuration file; malloc'ed. */
static char *read_own(struct call *c, size_t *len)
{
	const char *path = c->snap->config.file;
	char *text;
	int rc = file_read_regular(path, CONF_FILE_MAX, &text, len);

	if (rc)
		call_fail(c, API_FAILED, "%s: %s", path, file_error(rc));
	return text;
}

static void put_text(json_t *o, const char *key, const char *text)
{
	json_object_set_new(o, key, api_text(text));
}

/* Errors go to the caller as rrctl would print them, in data.report. */
static struct conf *parse(struct call *c, const char *name, const char *text, size_t len)
{
	struct conf_errors err = { 0 };
	struct conf *conf = conf_parse(text, len, &err);
	char *report;

	if (conf)
		return conf;
	report = conf_errors_format(name, text, len, &err);
	if (!c->data)
		c->data = json_object();
	put_int(c->data, "errors", (int64_t)err.n);
	put_bool(c->data, "more", err.more);
	put_text(c->data, "report", report ? report : "");
	free(report);
	call_fail(c, API_FAILED, "%s: %zu error%s%s", name, err.n, err.n == 1 ? "" : "s",
		  err.more ? " and more" : "");
	return NULL;
}

static const char *sent_name(const struct call *c)
{
	const char *name = api_get_str(c->args, "name");

	return name ? name : "FILE";
}

/* The file sent along, or the daemon's own. */
static struct conf *wanted(struct call *c)
{
	const json_t *sent = json_object_get(c->args, "file");
	struct conf *conf;
	size_t len;
	char *text;

	if (call_snapshot(c))
		return NULL;
	if (sent)
		return parse(c, sent_name(c), json_string_value(sent), json_string_length(sent));
	text = read_own(c, &len);
	if (!text)
		return NULL;
	conf = parse(c, c->snap->config.file, text, len);
	free(text);
	return conf;
}

/* As a reload would: files of authorities that it names must be there. */
static enum api_code check_trust(struct call *c, const struct conf *conf)
{
	struct trust *t;
	char *report;

	if (trust_load(&t, conf))
		return call_fail(c, API_FAILED, "no memory");
	report = trust_report(t, conf, sent_name(c));
	trust_free(t);
	if (!report)
		return API_OK;
	if (!c->data)
		c->data = json_object();
	put_text(c->data, "report", report);
	free(report);
	return call_fail(c, API_FAILED, "a file of certificate authorities cannot be read");
}

enum api_code verb_config_check(struct call *c)
{
	struct conf *conf = wanted(c);
	size_t endpoints = 0;

	if (!conf || check_trust(c, conf)) {
		conf_free(conf);
		return API_FAILED;
	}
	for (size_t i = 0; i < conf->services; i++)
		endpoints += conf->service[i].endpoints;
	c->data = json_object();
	put_int(c->data, "errors", 0);
	put_int(c->data, "services", (int64_t)conf->services);
	put_int(c->data, "endpoints", (int64_t)endpoints);
	conf_free(conf);
	return API_OK;
}

static enum api_code put_diff(struct call *c, const struct conf *want, const char *to)
{
	char *a = conf_print(c->snap->config.conf), *b = conf_print(want), *diff = NULL;

	if (a && b)
		diff = text_diff(a, b, "running", to);
	if (!c->data)
		c->data = json_object();
	put_bool(c->data, "changed", diff && *diff);
	put_text(c->data, "diff", diff ? diff : "");
	free(a);
	free(b);
	if (!diff)
		call_fail(c, API_FAILED, "no memory");
	free(diff);
	return c->error[0] ? API_FAILED : API_OK;
}

enum api_code verb_config_diff(struct call *c)
{
	struct conf *want = wanted(c);
	enum api_code code;

	if (!want)
		return API_FAILED;
	code = put_diff(c, want,
			json_object_get(c->args, "file") ? sent_name(c) : c->snap->config.file);
	conf_free(want);
	return code;
}

static struct conf_endpoint *grow(struct conf_service *s)
{
	struct conf_endpoint *e = realloc(s->endpoint, (s->endpoints + 1) * sizeof(*e));

	if (!e)
		return NULL;
	s->endpoint = e;
	e += s->endpoints++;
	memset(e, 0, sizeof(*e));
	return e;
}

static const struct conf_endpoint *written(const struct conf_service *s, const struct addr *a)
{
	for (size_t i = 0; i < s->endpoints; i++) {
		if (addr_equal(&s->endpoint[i].addr, a))
			return &s->endpoint[i];
	}
	return NULL;
}

/*
 * A service's endpoints as they are now: what was added, deleted, weighted and taken out by
 * operators.
 */
static int effective_service(struct conf_service *to, const struct view_service *from)
{
	struct conf_service now = *to;
	const struct conf_endpoint *old;
	struct conf_endpoint *e;

	now.endpoint = NULL;
	now.endpoints = 0;
	for (size_t i = 0; i < from->endpoints; i++) {
		if (from->endpoint[i].member != EP_PRESENT)
			continue;
		e = grow(&now);
		if (!e) {
			free(now.endpoint);
			return -ENOMEM;
		}
		old = written(to, &from->endpoint[i].addr);
		e->addr = from->endpoint[i].addr;
		e->weight = from->endpoint[i].weight_base;
		e->admin = from->endpoint[i].admin;
		e->line = old ? old->line : 0;
	}
	free(to->endpoint);
	*to = now;
	return 0;
}

static struct conf *effective(const struct call *c)
{
	struct conf *conf = conf_copy(c->snap->config.conf);
	const struct view_service *s;

	for (size_t i = 0; conf && i < conf->services; i++) {
		s = view_service_find(c->snap->view, conf->service[i].name);
		if (s && effective_service(&conf->service[i], s)) {
			conf_free(conf);
			conf = NULL;
		}
	}
	return conf;
}

enum api_code verb_config_show(struct call *c)
{
	struct conf *conf = NULL;
	char *text;

	if (call_snapshot(c))
		return API_FAILED;
	if (api_get_flag(c->args, "effective")) {
		conf = effective(c);
		if (!conf)
			return call_fail(c, API_FAILED, "no memory");
	}
	text = conf_print(conf ? conf : c->snap->config.conf);
	conf_free(conf);
	if (!text)
		return call_fail(c, API_FAILED, "no memory");
	c->data = json_object();
	put_int(c->data, "generation", (int64_t)c->snap->config.generation);
	put_text(c->data, "config", text);
	free(text);
	return API_OK;
}

static enum api_code reload_dry(struct call *c)
{
	struct conf *want = wanted(c);
	enum api_code code;

	if (!want)
		return API_FAILED;
	code = put_diff(c, want, c->snap->config.file);
	put_bool(c->data, "dry_run", true);
	conf_free(want);
	return code;
}

/* The first line of the report says why not, as the daemon's own state does from then on. */
static enum api_code show_reload(struct call *c)
{
	const struct ask *a = &c->session->ask;
	const char *why = a->report ? a->report : strerror(-a->rc);

	c->data = json_object();
	put_bool(c->data, "dry_run", false);
	put_int(c->data, "generation", (int64_t)a->generation);
	put_text(c->data, "report", a->report ? a->report : "");
	if (!a->rc)
		return API_OK;
	return call_fail(c, API_FAILED, "reload failed, generation %llu stays: %.*s",
			 (unsigned long long)a->generation, (int)strcspn(why, "\n"), why);
}

enum api_code verb_config_reload(struct call *c)
{
	struct ask *a = &c->session->ask;

	if (api_get_flag(c->args, "dry_run"))
		return reload_dry(c);
	a->kind = ASK_RELOAD;
	a->reset = api_get_flag(c->args, "reset");
	a->uid = c->uid;
	return session_ask(c, show_reload);
}
