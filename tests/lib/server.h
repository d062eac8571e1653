/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * server.h - a server on 127.0.0.1 in a thread of its own, one connection after the other, with
 * or without TLS and with certificates made on the spot. For tests that link OpenSSL.
 */
#ifndef TESTS_LIB_SERVER_H
#define TESTS_LIB_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

struct server;

/* One accepted connection; ssl is NULL without TLS. It is closed when the handler returns. */
struct server_conn {
	struct server *server;
	int fd;
	SSL *ssl;
};

typedef void (*server_fn)(struct server_conn *c);

struct server {
	int fd;
	uint16_t port;
	SSL_CTX *ctx; /* NULL = no TLS; freed with the server */
	server_fn serve;
	const char *response; /* for the handler */
	char request[8192]; /* for the handler: what came over the last connection */
	char sni[64];
	int connections; /* handshakes done, or accepted without TLS */
	pthread_t thread;
	bool running;
	atomic_bool stop;
};

/* A certificate authority for this test, its certificate in `file`; gone with ca_drop(). */
int ca_make(const char *file);
void ca_drop(const char *file);
/* Valid from `from` to `to`, in seconds from now; not signed by the authority when not trusted. */
SSL_CTX *ctx_make(const char *cn, long from, long to, bool trusted, int max_version);
/* The same certificate and key as PEM files, for a client. */
int cert_files(const char *cn, const char *cert, const char *key);

/* Listens without a thread: nobody accepts. */
void server_open(struct server *s, int backlog);
void server_run(struct server *s, server_fn serve, SSL_CTX *ctx, const char *response);
void server_close(struct server *s);

/* As read(2) and write(2), through TLS where there is some. */
int conn_read(struct server_conn *c, void *buf, size_t len);
void conn_write(struct server_conn *c, const void *buf, size_t len);
/* The connection will end with a reset. */
void conn_reset(struct server_conn *c);

/* Moves this process into a network with nothing but a loopback interface. 0 or -1. */
int net_alone(void);

#endif
