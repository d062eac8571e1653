/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe.c - health probes over libcurl's multi interface, in the event loop.
 *
 * tcp   http:// with CONNECT_ONLY: ends when the socket is connected.
 * tls   https:// with CONNECT_ONLY: ends when the handshake is done.
 * https a whole GET, cut off as soon as enough of the body was seen.
 *
 * The URL carries the name (so SNI, certificate check and Host are as configured) and CONNECT_TO
 * the address (so no resolver is asked). Every probe makes its own connection and TLS session: a
 * kept one would only prove that an old connection still works.
 *
 * CPU: a TLS handshake, for the most part OpenSSL's. Authorities are in memory (authority.h), never
 * read for a probe.
 *
 * Three things curl does not tell are noted by callbacks: when the handshake begins (open_tls:
 * libcurl 7.88 reports a connect time of 0 when the handshake does not end), why a certificate was
 * refused when its signature is wrong (verify_cb), and why socket() failed (open_socket).
 *
 * Owns one struct probe per transfer; curl_loop drives them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/ssl.h>

#include "sys/authority_int.h"
#include "sys/curl_loop.h"
#include "sys/loop.h"
#include "sys/probe.h"
#include "sys/probe_class.h"

#define ALPN_MAX 256

struct probe {
	struct probe *next, *prev;
	CURL *easy;
	struct curl_slist *connect_to, *headers;
	uint64_t tag;
	enum probe_type type;
	uint32_t status_lo, status_hi;
	struct probe_match match;
	bool body_ended;
	mono_t started, connected; /* 0 = not connected */
	int socket_err; /* why no socket could be had */
	X509_STORE *store; /* a reference; NULL = nothing is verified */
	unsigned char alpn[ALPN_MAX]; /* as it is sent: each name after its length (RFC 7301) */
	unsigned int alpn_len;
	int verify; /* first X509_V_ERR_* that verification met; 0 = none */
	char message[CURL_ERROR_SIZE];
};

struct probes {
	struct curl_loop *curl;
	struct probe *head;
	size_t inflight;
	probe_done done;
	void *arg;
};

static void probe_unlink(struct probes *ps, struct probe *p)
{
	if (p->prev)
		p->prev->next = p->next;
	else
		ps->head = p->next;
	if (p->next)
		p->next->prev = p->prev;
	ps->inflight--;
}

static void probe_link(struct probes *ps, struct probe *p)
{
	p->next = ps->head;
	if (p->next)
		p->next->prev = p;
	ps->head = p;
	ps->inflight++;
}

static void probe_free(struct probe *p)
{
	curl_easy_cleanup(p->easy);
	curl_slist_free_all(p->connect_to);
	curl_slist_free_all(p->headers);
	X509_STORE_free(p->store);
	free(p);
}

static mono_t info_time(CURL *easy, CURLINFO what)
{
	curl_off_t us = 0;

	curl_easy_getinfo(easy, what, &us);
	return MONO_US(us);
}

static long info_long(CURL *easy, CURLINFO what)
{
	long v = 0;

	curl_easy_getinfo(easy, what, &v);
	return v;
}

static mono_t connect_time(const struct probe *p)
{
	mono_t t = info_time(p->easy, CURLINFO_CONNECT_TIME_T);

	if (!t.us && p->connected.us)
		t = mono_sub(p->connected, p->started);
	return t;
}

static void probe_result(const struct probe *p, CURLcode code, struct probe_result *r)
{
	mono_t connect = connect_time(p);
	mono_t tls = info_time(p->easy, CURLINFO_APPCONNECT_TIME_T);
	struct probe_facts f = {
		.type = p->type,
		.code = (int)code,
		.err = (int)info_long(p->easy, CURLINFO_OS_ERRNO),
		.verify = info_long(p->easy, CURLINFO_SSL_VERIFYRESULT),
		.connected = connect.us > 0 || p->connected.us > 0,
		.tls_done = tls.us > 0,
		.body_ended = p->body_ended,
		.found = !p->match.len || p->match.found,
		.status = info_long(p->easy, CURLINFO_RESPONSE_CODE),
		.status_lo = p->status_lo,
		.status_hi = p->status_hi,
		.message = p->message,
	};

	if (!f.err)
		f.err = p->socket_err;
	if (p->verify)
		f.verify = p->verify;
	memset(r, 0, sizeof(*r));
	r->why = probe_classify(&f, r->text, sizeof(r->text));
	r->err = r->why == REASON_PASS ? 0 : f.err;
	r->took = info_time(p->easy, CURLINFO_TOTAL_TIME_T);
	r->connect = connect;
	r->tls = f.tls_done ? mono_sub(tls, connect) : MONO_US(0);
}

/* The transfer has ended. The callback may start new ones. */
static void probe_ended(void *arg, CURL *easy, CURLcode code)
{
	struct probes *ps = arg;
	struct probe_result r;
	struct probe *p;
	uint64_t tag;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&p);
	probe_result(p, code, &r);
	tag = p->tag;
	probe_unlink(ps, p);
	probe_free(p);
	ps->done(ps->arg, tag, &r);
}

static size_t body_cb(char *bytes, size_t size, size_t n, void *arg)
{
	struct probe *p = arg;

	if (probe_match_feed(&p->match, bytes, size * n))
		return size * n;
	p->body_ended = true;
	return 0; /* ends the transfer */
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct probe *p = arg;
	int fd = curl_loop_socket(a);

	(void)purpose;
	p->socket_err = fd < 0 ? errno : 0;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int verify_cb(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct probe *p = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (!ok && !p->verify)
		p->verify = X509_STORE_CTX_get_error(store);
	return ok;
}

/*
 * What libcurl has no option for: authorities in memory (given as a blob, it would parse them for
 * each connection), and protocols in ALPN other than those of HTTP.
 */
static CURLcode open_tls(CURL *easy, void *ctx, void *arg)
{
	struct probe *p = arg;

	(void)easy;
	p->connected = loop_clock();
	if (p->store) {
		SSL_CTX_set_app_data(ctx, p);
		SSL_CTX_set_verify(ctx, SSL_CTX_get_verify_mode(ctx), verify_cb);
		SSL_CTX_set1_cert_store(ctx, p->store);
	}
	if (p->alpn_len && SSL_CTX_set_alpn_protos(ctx, p->alpn, p->alpn_len))
		return CURLE_OUT_OF_MEMORY;
	return CURLE_OK;
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static void addr_text(const struct addr *a, bool with_port, char *buf, size_t len)
{
	struct addr bare = *a;
	char ip[ADDR_STRLEN];

	if (!with_port)
		bare.port = 0;
	addr_print(&bare, ip, sizeof(ip));
	if (!with_port && a->family == 6 && ip[0] != '[')
		snprintf(buf, len, "[%s]", ip);
	else
		snprintf(buf, len, "%s", ip);
}

/* ":: to" form: whatever host and port the URL has, connect to this address. */
static int setup_address(struct probe *p, const struct probe_target *t)
{
	char host[ADDR_STRLEN + 2], to[ADDR_STRLEN + 2], line[ADDR_STRLEN + 8], url[1024];
	const char *path = *or_empty(t->path) ? t->path : "/";

	addr_text(&t->to, false, host, sizeof(host));
	addr_text(&t->to, true, to, sizeof(to));
	snprintf(line, sizeof(line), "::%s", to);
	p->connect_to = curl_slist_append(NULL, line);
	if (!p->connect_to)
		return -ENOMEM;
	snprintf(url, sizeof(url), "%s://%s:%u%s%s", t->type == PROBE_TCP ? "http" : "https",
		 *or_empty(t->sni) ? t->sni : host, t->to.port, *path == '/' ? "" : "/", path);
	curl_easy_setopt(p->easy, CURLOPT_CONNECT_TO, p->connect_to);
	return curl_easy_setopt(p->easy, CURLOPT_URL, url) == CURLE_OK ? 0 : -EINVAL;
}

/* "h2,http/1.1" as it is sent. Names are not empty and shorter than 256 bytes. */
static int setup_alpn(struct probe *p, const char *names)
{
	while (*names) {
		size_t n = strcspn(names, ",");

		if (!n || n > 255 || p->alpn_len + 1 + n > sizeof(p->alpn))
			return -EINVAL;
		p->alpn[p->alpn_len++] = (unsigned char)n;
		memcpy(p->alpn + p->alpn_len, names, n);
		p->alpn_len += (unsigned int)n;
		names += n + (names[n] == ',');
	}
	return 0;
}

static bool alpn_has(const struct probe *p, const char *name)
{
	size_t len = strlen(name);

	for (unsigned int i = 0; i < p->alpn_len; i += 1u + p->alpn[i]) {
		if (p->alpn[i] == len && !memcmp(p->alpn + i + 1, name, len))
			return true;
	}
	return false;
}

static int setup_tls(struct probe *p, const struct probe_target *t)
{
	int rc = setup_alpn(p, or_empty(t->alpn));
	/* libcurl looks at what the server chose only when it has itself offered something. */
	bool h2 = t->type == PROBE_HTTPS && alpn_has(p, "h2");

	if (rc || (t->verify != PROBE_VERIFY_NONE && !t->authority))
		return -EINVAL;
	if (t->verify != PROBE_VERIFY_NONE) {
		p->store = authority_store(t->authority);
		X509_STORE_up_ref(p->store);
	}
	curl_easy_setopt(p->easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(p->easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(p->easy, CURLOPT_SSL_VERIFYPEER, t->verify == PROBE_VERIFY_NONE ? 0L : 1L);
	curl_easy_setopt(p->easy, CURLOPT_SSL_VERIFYHOST, t->verify == PROBE_VERIFY_FULL ? 2L : 0L);
	curl_easy_setopt(p->easy, CURLOPT_SSLVERSION,
			 t->tls_min == 13 ? (long)CURL_SSLVERSION_TLSv1_3
					  : (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(p->easy, CURLOPT_SSL_ENABLE_ALPN, h2 ? 1L : 0L);
	curl_easy_setopt(p->easy, CURLOPT_HTTP_VERSION,
			 h2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(p->easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(p->easy, CURLOPT_SSL_CTX_FUNCTION, open_tls);
	curl_easy_setopt(p->easy, CURLOPT_SSL_CTX_DATA, p);
	return 0;
}

static int setup_http(struct probe *p, const struct probe_target *t)
{
	char host[300];

	p->status_lo = t->status_lo;
	p->status_hi = t->status_hi;
	probe_match_init(&p->match, t->expect);
	curl_easy_setopt(p->easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(p->easy, CURLOPT_USERAGENT, "rrlbd");
	curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, body_cb);
	curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
	if (!*or_empty(t->host) && !*or_empty(t->sni))
		return 0;
	/* the name alone: a port that differs from the service's would be no business of the
	 * endpoint */
	snprintf(host, sizeof(host), "Host: %s", *or_empty(t->host) ? t->host : t->sni);
	p->headers = curl_slist_append(NULL, host);
	if (!p->headers)
		return -ENOMEM;
	curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers);
	return 0;
}

static void setup_common(struct probe *p, const struct probe_target *t)
{
	long ms = (long)(t->timeout.us / 1000);

	curl_easy_setopt(p->easy, CURLOPT_PRIVATE, (char *)p);
	curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->message);
	curl_easy_setopt(p->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(p->easy, CURLOPT_OPENSOCKETDATA, p);
	curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(p->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(p->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(p->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1L);
	curl_easy_setopt(p->easy, CURLOPT_CONNECTTIMEOUT_MS, ms > 0 ? ms : 1L);
	if (t->type != PROBE_HTTPS)
		curl_easy_setopt(p->easy, CURLOPT_CONNECT_ONLY, 1L);
}

static int probe_setup(struct probe *p, const struct probe_target *t)
{
	int rc;

	p->type = t->type;
	setup_common(p, t);
	rc = setup_address(p, t);
	if (!rc && t->type != PROBE_TCP)
		rc = setup_tls(p, t);
	if (!rc && t->type == PROBE_HTTPS)
		rc = setup_http(p, t);
	return rc;
}

int probe_start(struct probes *ps, uint64_t tag, const struct probe_target *t)
{
	struct probe *p;
	int rc = -ENOMEM;

	if (ps->inflight >= PROBE_MAX_INFLIGHT)
		return -EAGAIN;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->tag = tag;
	p->started = loop_clock();
	p->easy = curl_easy_init();
	if (p->easy)
		rc = probe_setup(p, t);
	if (!rc)
		rc = curl_loop_add(ps->curl, p->easy);
	if (rc)
		probe_free(p);
	else
		probe_link(ps, p);
	return rc;
}

void probe_cancel(struct probes *ps, uint64_t tag)
{
	struct probe *p = ps->head;

	while (p && p->tag != tag)
		p = p->next;
	if (!p)
		return;
	curl_loop_remove(ps->curl, p->easy);
	probe_unlink(ps, p);
	probe_free(p);
}

size_t probes_inflight(const struct probes *ps)
{
	return ps->inflight;
}

int probes_open(struct probes **out, struct loop *l, probe_done done, void *arg)
{
	struct probes *ps = calloc(1, sizeof(*ps));
	/* No connection stays idle, each probe's own is closed with it; this many are there
	 * while probes run. */
	struct curl_loop_conf conf = {
		.loop = l,
		.connections = PROBE_MAX_INFLIGHT,
		.arg = ps,
		.done = probe_ended,
	};
	int rc;

	if (!ps)
		return -ENOMEM;
	*ps = (struct probes){ .done = done, .arg = arg };
	rc = curl_loop_open(&ps->curl, &conf);
	if (rc) {
		free(ps);
		return rc;
	}
	*out = ps;
	return 0;
}

void probes_close(struct probes *ps)
{
	struct probe *p;

	if (!ps)
		return;
	while ((p = ps->head)) {
		curl_loop_remove(ps->curl, p->easy);
		probe_unlink(ps, p);
		probe_free(p);
	}
	curl_loop_close(ps->curl);
	free(ps);
}
