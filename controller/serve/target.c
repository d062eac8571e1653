/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * target.c - from the names in a request to the objects in the snapshot: "web",
 * "web/10.0.0.1:8443".
 *
 * The port may be left out when only one endpoint of the service has the address. What is not
 * found is answered with code 4 and the nearest name.
 */
#include <stdio.h>
#include <string.h>

#include "serve/target.h"
#include "util/suggest.h"

enum api_code target_service(struct call *c, const char *name, struct target *t)
{
	struct suggest near = { .word = name };
	enum api_code code = call_snapshot(c);

	memset(t, 0, sizeof(*t));
	if (code)
		return code;
	t->service = view_service_find(c->snap->view, name);
	if (t->service)
		return API_OK;
	for (size_t i = 0; i < c->snap->view->services; i++)
		suggest_offer(&near, c->snap->view->service[i].name);
	if (suggest_best(&near))
		return call_fail(c, API_NO_SUCH, "no service '%s' (did you mean '%s'?)", name,
				 suggest_best(&near));
	return call_fail(c, API_NO_SUCH, "no service '%s'", name);
}

/* The only endpoint with this address, whatever its port. */
static const struct view_endpoint *find_any_port(const struct view_service *s, const struct addr *a)
{
	const struct view_endpoint *found = NULL;

	for (size_t i = 0; i < s->endpoints; i++) {
		struct addr have = s->endpoint[i].addr;

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

	for (size_t i = 0; i < s->endpoints && i < NAMED; i++) {
		strcat(have, i ? ", " : "");
		strcat(have, addr_print(&s->endpoint[i].addr, text, ADDR_STRLEN - 2));
	}
	return call_fail(c, API_NO_SUCH, "service '%s' has no endpoint '%.80s'%s%s%s", s->name,
			 name, s->endpoints ? "; it has " : "", have,
			 s->endpoints > NAMED ? " and more" : "");
}

enum api_code target_endpoint(struct call *c, const char *name, struct target *t)
{
	const char *slash = strchr(name, '/');
	char service[API_STRING_MAX + 1];
	enum api_code code;

	memset(t, 0, sizeof(*t));
	if (!slash)
		return call_fail(c, API_USAGE, "'%s': an endpoint is named SERVICE/ADDRESS:PORT",
				 name);
	snprintf(service, sizeof(service), "%.*s", (int)(slash - name), name);
	code = target_service(c, service, t);
	if (code)
		return code;
	if (addr_parse(&t->addr, slash + 1, false))
		return call_fail(c, API_USAGE, "'%s' is not ADDRESS:PORT", slash + 1);
	t->endpoint = t->addr.port ? view_endpoint_find(t->service, &t->addr)
				   : find_any_port(t->service, &t->addr);
	return t->endpoint ? API_OK : no_endpoint(c, t->service, slash + 1);
}
