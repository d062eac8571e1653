/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * unix_server.h - a server of lines on Unix sockets: who is there, whole lines in, bytes out.
 * Knows no protocol.
 *
 * Bounded in everything: clients, length of a line, bytes waiting for a client that does not read.
 * No libevent type shows.
 */
#ifndef SYS_UNIX_SERVER_H
#define SYS_UNIX_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct unix_server;
struct unix_client;

#define UNIX_PEER_GROUPS 64

struct unix_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
	gid_t group[UNIX_PEER_GROUPS]; /* supplementary, as they were at connect() */
	size_t groups;
};

struct unix_server_conf {
	struct loop *loop; /* outlives the server */
	/* bytes of a line; a longer one is reported once and ends the connection */
	size_t line_max;
	size_t out_max; /* bytes that may wait for one client before the next is written */
	size_t out_total; /* the same over all clients */
	unsigned int clients; /* at most; one more closes the one that has been idle longest */
	unsigned int crowd; /* with more than these, who is idle for `idle_s` is closed */
	unsigned int idle_s;
	void *arg;
	/* A whole line, without its end and NUL-terminated behind it. Next line only once the
	 * answer is written and the client is not busy. */
	void (*line)(struct unix_client *c, char *line, size_t len, void *arg);
	/* may send; the connection ends after that */
	void (*too_long)(struct unix_client *c, void *arg);
	void (*closed)(struct unix_client *c, void *arg); /* last chance to forget it */
};

struct unix_server_stats {
	unsigned int clients;
	uint64_t accepted;
	uint64_t crowded_out; /* closed to make room, or idle in a crowd */
	uint64_t overflowed; /* closed because they did not read */
};

int unix_server_new(struct unix_server **s, const struct unix_server_conf *c);
/* Binds and listens, mode 0660, owner ours and group `gid`. A dead socket file is replaced; one
 * that somebody answers is -EADDRINUSE. 0 or -errno. */
int unix_server_listen(struct unix_server *s, const char *path, gid_t gid);
/* Sends what can be sent at once, closes clients and removes the socket files. */
void unix_server_free(struct unix_server *s);
void unix_server_stats(const struct unix_server *s, struct unix_server_stats *st);

const struct unix_peer *unix_client_peer(const struct unix_client *c);
void unix_client_set_data(struct unix_client *c, void *data);
void *unix_client_data(const struct unix_client *c);
/* false: the client did not read, or sends failed; it will be closed soon and gets nothing more. */
bool unix_client_send(struct unix_client *c, const char *bytes, size_t len);
/*
 * Not UNIX_FREE: an answer is under way, no line is taken and the client does not count as idle.
 * SOON: who has stopped sending still gets it. BUSY: nobody waits that long, it is closed.
 */
enum unix_busy { UNIX_FREE, UNIX_SOON, UNIX_BUSY };
void unix_client_busy(struct unix_client *c, enum unix_busy busy);
/* Closed once what was sent is written. */
void unix_client_close(struct unix_client *c);

#endif
