/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control_target.c - from the names in a request to the objects in the view: "web",
 * "web/10.0.0.1:8443".
 *
 * The port may be left out when only one endpoint of the service has the address. What is not found
 * is answered with code 4 and the nearest name.
 */
#include <stdio.h>
#include <string.h>

#include "serve/call.h"
#include "util/suggest.h"

enum api_code call_view(struct call *c)
{
	if (!c->view)
		c->view = view_build(c->d->model, c->now);
	return c->view ? API_OK : call_fail(c, API_FAILED, "no memory");
}

enum api_code call_service(struct call *c, const char *name, const struct view_service **s)
{
	struct suggest near = { .word = name };
	enum api_code code = call_view(c);
	size_t i;

	if (code)
		return code;
	*s = view_service_find(c->view, name);
	if (*s)
		return API_OK;
	for (i = 0; i < c->view->services; i++)
		suggest_offer(&near, c->view->service[i].name);
	if (suggest_best(&near))
		return call_fail(c, API_NO_SUCH, "no service '%s' (did you mean '%s'?)", name,
				 suggest_best(&near));
	return call_fail(c, API_NO_SUCH, "no service '%s'", name);
}

/* The only endpoint with this address, whatever its port. */
static const struct view_endpoint *find_any_port(const struct view_service *s, const struct addr *a)
{
	const struct view_endpoint *found = NULL;
	struct addr have;
	size_t i;

	for (i = 0; i < s->endpoints; i++) {
		have = s->endpoint[i].addr;
		have.port = 0;
		if (!addr_equal(&have, a))
			continue;
		if (found)
			return NULL;
		found = &s->endpoint[i];
	}
	return found;
}

#define NAMED 4 /* endpoints listed when the one asked for is not there */

static enum api_code no_endpoint(struct call *c, const struct view_service *s, const char *name)
{
	char have[NAMED * ADDR_STRLEN] = "", text[ADDR_STRLEN];
	size_t i;

	for (i = 0; i < s->endpoints && i < NAMED; i++) {
		strcat(have, i ? ", " : "");
		strcat(have, addr_print(&s->endpoint[i].addr, text, ADDR_STRLEN - 2));
	}
	return call_fail(c, API_NO_SUCH, "service '%s' has no endpoint '%.80s'%s%s%s", s->name,
			 name, s->endpoints ? "; it has " : "", have,
			 s->endpoints > NAMED ? " and more" : "");
}

enum api_code call_endpoint(struct call *c, const char *name, struct target *t)
{
	const char *slash = strchr(name, '/');
	char service[API_STRING_MAX + 1];
	struct addr a;
	enum api_code code;

	if (!slash)
		return call_fail(c, API_USAGE, "'%s': an endpoint is named SERVICE/ADDRESS:PORT",
				 name);
	snprintf(service, sizeof(service), "%.*s", (int)(slash - name), name);
	code = call_service(c, service, &t->service);
	if (code)
		return code;
	if (addr_parse(&a, slash + 1, false))
		return call_fail(c, API_USAGE, "'%s' is not ADDRESS:PORT", slash + 1);
	t->endpoint = a.port ? view_endpoint_find(t->service, &a) : find_any_port(t->service, &a);
	return t->endpoint ? API_OK : no_endpoint(c, t->service, slash + 1);
}
