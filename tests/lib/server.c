/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * server.c - servers and certificates for tests. The authority is the one global: a test has one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/server.h"

static EVP_PKEY *ca_key;
static X509 *ca_cert;

/* ---- certificates ---- */

static X509 *cert_make(EVP_PKEY *key, const char *cn, X509 *issuer, EVP_PKEY *issuer_key, long from,
		       long to)
{
	X509 *x = X509_new();
	char san[80];
	X509_EXTENSION *ext;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), rand());
	X509_gmtime_adj(X509_getm_notBefore(x), from);
	X509_gmtime_adj(X509_getm_notAfter(x), to);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
	snprintf(san, sizeof(san), issuer ? "DNS:%s" : "CA:TRUE", cn);
	ext = X509V3_EXT_conf_nid(NULL, NULL, issuer ? NID_subject_alt_name : NID_basic_constraints,
				  san);
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	assert_true(X509_sign(x, issuer_key, EVP_sha256()) > 0);
	return x;
}

int ca_make(const char *file)
{
	FILE *f = fopen(file, "w");

	ca_key = EVP_EC_gen("P-256");
	ca_cert = cert_make(ca_key, "test-ca", NULL, ca_key, -86400, 86400);
	if (!f || !PEM_write_X509(f, ca_cert))
		return -1;
	return fclose(f);
}

void ca_drop(const char *file)
{
	X509_free(ca_cert);
	EVP_PKEY_free(ca_key);
	unlink(file);
}

SSL_CTX *ctx_make(const char *cn, long from, long to, bool trusted, int max_version)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	X509 *x = cert_make(key, cn, ca_cert, trusted ? ca_key : other, from, to);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_int_equal(SSL_CTX_use_certificate(ctx, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	SSL_CTX_set_max_proto_version(ctx, max_version);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca_cert);
	X509_free(x);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	return ctx;
}

int cert_files(const char *cn, const char *cert, const char *key)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	X509 *x = cert_make(pair, cn, ca_cert, ca_key, -60, 3600);
	FILE *c = fopen(cert, "w"), *k = fopen(key, "w");
	bool good = c && k && PEM_write_X509(c, x) &&
		    PEM_write_PrivateKey(k, pair, NULL, NULL, 0, NULL, NULL);

	good = c && !fclose(c) && good;
	good = k && !fclose(k) && good;
	X509_free(x);
	EVP_PKEY_free(pair);
	return good ? 0 : -1;
}

/* ---- connections ---- */

int conn_read(struct server_conn *c, void *buf, size_t len)
{
	return c->ssl ? SSL_read(c->ssl, buf, (int)len) : (int)read(c->fd, buf, len);
}

void conn_write(struct server_conn *c, const void *buf, size_t len)
{
	while (len) {
		const int n = c->ssl ? SSL_write(c->ssl, buf, (int)len)
				     : (int)send(c->fd, buf, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		buf = (const char *)buf + n;
		len -= (size_t)n;
	}
}

void conn_reset(struct server_conn *c)
{
	const struct linger now = { 1, 0 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void serve_tls(struct server *s, struct server_conn *c)
{
	const char *sni;

	c->ssl = SSL_new(s->ctx);
	SSL_set_fd(c->ssl, c->fd);
	if (SSL_accept(c->ssl) == 1) {
		sni = SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name);
		snprintf(s->sni, sizeof(s->sni), "%s", sni ? sni : "");
		s->connections++;
		s->serve(c);
		SSL_shutdown(c->ssl);
	}
	SSL_free(c->ssl);
}

static void *server_thread(void *arg)
{
	struct server *s = arg;

	while (!s->stop) {
		struct server_conn c = { .server = s, .fd = accept(s->fd, NULL, NULL) };

		if (c.fd < 0)
			break;
		if (s->ctx) {
			serve_tls(s, &c);
		} else {
			s->connections++;
			s->serve(&c);
		}
		close(c.fd);
	}
	return NULL;
}

/* ---- servers ---- */

void server_open(struct server *s, int backlog)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	memset(s, 0, sizeof(*s));
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->fd, backlog), 0);
	getsockname(s->fd, (struct sockaddr *)&a, &len);
	s->port = ntohs(a.sin_port);
}

void server_run(struct server *s, server_fn serve, SSL_CTX *ctx, const char *response)
{
	server_open(s, 128);
	s->serve = serve;
	s->ctx = ctx;
	s->response = response;
	s->running = !pthread_create(&s->thread, NULL, server_thread, s);
	assert_true(s->running);
}

void server_close(struct server *s)
{
	s->stop = true;
	shutdown(s->fd, SHUT_RDWR);
	if (s->running)
		pthread_join(s->thread, NULL);
	close(s->fd);
	SSL_CTX_free(s->ctx);
}

int net_alone(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd, rc;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	rc = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return rc;
}
