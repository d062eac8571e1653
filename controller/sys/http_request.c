/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_request.c - from a request to the options of a transfer, and what is refused before it.
 *
 * URLs are taken apart by libcurl's own parser, so that what is checked here is what is asked for
 * later. Nothing of a request can add a line to the head: control characters are refused in URLs
 * and headers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/http_int.h"

static const char *const method_names[] = {
#define HTTP_METHOD_NAME(id) [HTTP_##id] = #id,
	HTTP_METHODS(HTTP_METHOD_NAME)
#undef HTTP_METHOD_NAME
};

static long milliseconds(mono_t t, mono_t otherwise)
{
	const int64_t us = t.us > 0 ? t.us : otherwise.us;

	return us > 0 && us < 1000 ? 1 : (long)(us / 1000);
}

/* ---- the URL ---- */

static int url_error(CURLUcode code)
{
	switch (code) {
	case CURLUE_OK:
		return 0;
	case CURLUE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLUE_UNSUPPORTED_SCHEME:
		return -EPROTONOSUPPORT;
	default:
		return -EINVAL;
	}
}

static bool part_is(CURLU *u, CURLUPart part, const char *want)
{
	char *have = NULL;
	bool is = !curl_url_get(u, part, &have, CURLU_DEFAULT_PORT) && !strcmp(have, want);

	curl_free(have);
	return is;
}

static bool part_same(CURLU *a, CURLU *b, CURLUPart part)
{
	char *want = NULL;
	bool same = !curl_url_get(a, part, &want, CURLU_DEFAULT_PORT) && part_is(b, part, want);

	curl_free(want);
	return same;
}

bool http_origin_has(const struct http_call *call, const char *location)
{
	CURLU *u = curl_url_dup(call->origin);
	bool has = u && !curl_url_set(u, CURLUPART_URL, location, CURLU_DISALLOW_USER) &&
		   part_same(u, call->origin, CURLUPART_SCHEME) &&
		   part_same(u, call->origin, CURLUPART_HOST) &&
		   part_same(u, call->origin, CURLUPART_PORT);

	curl_url_cleanup(u);
	return has;
}

/* "192.0.2.1" or "[2001:db8::1]", as the parser leaves them. */
static bool host_is_address(CURLU *u)
{
	struct addr a;
	char *host = NULL;
	size_t len;
	bool is = false;

	if (curl_url_get(u, CURLUPART_HOST, &host, 0))
		return false;
	len = strlen(host);
	if (*host == '[' && len > 2) {
		host[len - 1] = '\0';
		is = !addr_parse(&a, host + 1, false);
	} else {
		is = !addr_parse(&a, host, false);
	}
	curl_free(host);
	return is;
}

/* "::HOST:PORT" of CURLOPT_CONNECT_TO: whatever the URL says, connect there. */
static int apply_address(struct http_call *call, const struct addr *to)
{
	struct addr bare = *to;
	char ip[ADDR_STRLEN], line[ADDR_STRLEN + 16], port[8] = "";

	bare.port = 0;
	addr_print(&bare, ip, sizeof(ip));
	if (to->port)
		snprintf(port, sizeof(port), "%u", to->port);
	snprintf(line, sizeof(line), to->family == 6 && *ip != '[' ? "::[%s]:%s" : "::%s:%s", ip,
		 port);
	call->connect_to = curl_slist_append(NULL, line);
	if (!call->connect_to)
		return -ENOMEM;
	curl_easy_setopt(call->easy, CURLOPT_CONNECT_TO, call->connect_to);
	return 0;
}

static int apply_url(struct http_call *call, const struct http_request *req)
{
	int rc;

	if (!req->url)
		return -EINVAL;
	if (strlen(req->url) >= HTTP_URL_MAX)
		return -ENAMETOOLONG;
	call->origin = curl_url();
	if (!call->origin)
		return -ENOMEM;
	rc = url_error(curl_url_set(call->origin, CURLUPART_URL, req->url, CURLU_DISALLOW_USER));
	if (rc)
		return rc;
	if (!part_is(call->origin, CURLUPART_SCHEME, "http") &&
	    !part_is(call->origin, CURLUPART_SCHEME, "https"))
		return -EPROTONOSUPPORT;
	if (!req->to.family && !host_is_address(call->origin))
		return -EDESTADDRREQ;
	if (curl_easy_setopt(call->easy, CURLOPT_URL, req->url) != CURLE_OK)
		return -ENOMEM;
	return req->to.family ? apply_address(call, &req->to) : 0;
}

/* ---- head and body ---- */

static bool is_token(const char *name)
{
	const char *p;

	for (p = name; *p; p++) {
		if (*p <= ' ' || *p >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", *p))
			return false;
	}
	return p > name;
}

static bool is_field_value(const char *value)
{
	for (const char *p = value; *p; p++) {
		if ((*p > 0 && *p < ' ' && *p != '\t') || *p == 0x7f)
			return false;
	}
	return true;
}

static int header_add(struct http_call *call, const char *line)
{
	struct curl_slist *list = curl_slist_append(call->headers, line);

	if (!list)
		return -ENOMEM;
	call->headers = list;
	return 0;
}

static int header_put(struct http_call *call, const struct http_header *h)
{
	const char *value = h->value ? h->value : "";
	char *line;
	int rc;

	if (!h->name || !is_token(h->name) || !is_field_value(value))
		return -EINVAL;
	/* libcurl takes "Name:" for "leave it out" and "Name;" for an empty value. */
	if (asprintf(&line, *value ? "%s: %s" : "%s;%s", h->name, value) < 0)
		return -ENOMEM;
	rc = header_add(call, line);
	free(line);
	return rc;
}

static int apply_head(struct http_call *call, const struct http_request *req)
{
	bool typed = false;
	/* No "Expect: 100-continue": a server that does not know it would cost a second. */
	int rc = header_add(call, "Expect:");

	for (size_t i = 0; i < req->headers && !rc; i++) {
		rc = header_put(call, &req->header[i]);
		typed = typed || (!rc && !strcasecmp(req->header[i].name, "Content-Type"));
	}
	/* libcurl would call it a form. */
	if (!rc && !typed)
		rc = header_add(call, "Content-Type:");
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(call->easy, CURLOPT_USERAGENT, "rrlbd");
	return rc;
}

static int apply_body(struct http_call *call, const struct http_request *req)
{
	const bool bare = req->method == HTTP_GET || req->method == HTTP_HEAD;

	if ((size_t)req->method >= sizeof(method_names) / sizeof(method_names[0]))
		return -EINVAL;
	if (req->body_len || (!bare && req->method != HTTP_DELETE)) {
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)req->body_len);
		if (curl_easy_setopt(call->easy, CURLOPT_COPYPOSTFIELDS,
				     req->body_len ? req->body : "") != CURLE_OK)
			return -ENOMEM;
	}
	if (req->method == HTTP_HEAD)
		curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, method_names[req->method]);
	return 0;
}

/* ---- time, TLS, the rest ---- */

static void apply_times(struct http_call *call, const struct http_request *req)
{
	const mono_t whole = req->piece ? MONO_US(0) : HTTP_TIMEOUT;
	const mono_t connect = req->timeout.us > 0 ? req->timeout : HTTP_TIMEOUT;

	curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, milliseconds(req->timeout, whole));
	curl_easy_setopt(call->easy, CURLOPT_CONNECTTIMEOUT_MS,
			 milliseconds(req->connect_timeout, connect));
	curl_easy_setopt(call->easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

static void apply_tls(struct http_call *call, const struct http_request *req)
{
	curl_easy_setopt(call->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(call->easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
	if (req->ca) {
		curl_easy_setopt(call->easy, CURLOPT_CAINFO, req->ca);
		/* Without this the system's folder of certificates would be trusted as well. */
		curl_easy_setopt(call->easy, CURLOPT_CAPATH, NULL);
	}
	if (req->cert)
		curl_easy_setopt(call->easy, CURLOPT_SSLCERT, req->cert);
	if (req->key)
		curl_easy_setopt(call->easy, CURLOPT_SSLKEY, req->key);
}

static void apply_limits(struct http_call *call, const struct http_request *req)
{
	curl_easy_setopt(call->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(call->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(call->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(call->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(call->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(call->easy, CURLOPT_FOLLOWLOCATION, req->redirects ? 1L : 0L);
	curl_easy_setopt(call->easy, CURLOPT_MAXREDIRS, (long)req->redirects);
	call->redirects = req->redirects;
	call->body_max = req->body_max;
	if (!call->body_max)
		call->body_max = req->piece ? SIZE_MAX : HTTP_BODY_MAX;
	call->idle = req->idle_timeout;
	call->arg = req->arg;
	call->piece = req->piece;
	call->done = req->done;
}

int http_request_apply(struct http_call *call, const struct http_request *req)
{
	int rc = req->done ? apply_url(call, req) : -EINVAL;

	if (!rc)
		rc = apply_head(call, req);
	if (!rc)
		rc = apply_body(call, req);
	if (rc)
		return rc;
	apply_times(call, req);
	apply_tls(call, req);
	apply_limits(call, req);
	return 0;
}
