/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * client.c - connects, sends one request, reads lines. A reply may be long (10,000 flows); more
 * than REPLY_MAX is taken for a fault of whoever answers.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/api.h"
#include "ctl/client.h"

#define CHUNK 65536
#define REPLY_MAX (256u << 20)

/* The socket, or -errno. A local socket connects at once or fails: nothing to wait for. */
static int try_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int client_open(struct client *c, const char *path, int ro)
{
	char beside[128];

	memset(c, 0, sizeof(*c));
	c->fd = try_connect(path);
	if (c->fd == -EACCES && ro) {
		c->fd = try_connect(api_socket_ro(path, beside, sizeof(beside)));
		if (c->fd < 0) /* the first refusal is the one to tell */
			c->fd = -EACCES;
	}
	return c->fd < 0 ? c->fd : 0;
}

/*
 * The whole of it, or -errno. Without MSG_NOSIGNAL a daemon that closes early would kill us by
 * SIGPIPE before its last words are read.
 */
int client_send(struct client *c, const char *bytes, size_t len)
{
	ssize_t n;

	while (len) {
		n = send(c->fd, bytes, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* 1 = got some bytes, 0 = closed, -errno. */
static int fill(struct client *c, int timeout_ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	ssize_t n;
	char *bigger;
	int ready;

	if (c->cap - c->len < CHUNK) {
		bigger = c->cap < REPLY_MAX ? realloc(c->buf, c->cap * 2 + CHUNK) : NULL;
		if (!bigger)
			return -ENOMEM;
		c->buf = bigger;
		c->cap = c->cap * 2 + CHUNK;
	}
	do {
		ready = poll(&p, 1, timeout_ms);
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return ready ? -errno : -ETIMEDOUT;
	n = read(c->fd, c->buf + c->len, c->cap - c->len);
	if (n < 0)
		return errno == EINTR ? 1 : errno == ECONNRESET ? 0 : -errno;
	c->len += (size_t)n;
	return n > 0;
}

/*
 * The line stays in the buffer until the next call takes it away. Bytes that were searched for an
 * end once (`seen`) are not again.
 */
int client_line(struct client *c, const char **line, size_t *len, int timeout_ms)
{
	size_t seen = 0;
	char *end;
	int rc;

	if (c->used) {
		memmove(c->buf, c->buf + c->used, c->len - c->used);
		c->len -= c->used;
		c->used = 0;
	}
	while (!(end = c->len > seen ? memchr(c->buf + seen, '\n', c->len - seen) : NULL)) {
		seen = c->len;
		rc = fill(c, timeout_ms);
		if (rc <= 0)
			return rc;
	}
	*end = '\0';
	*line = c->buf;
	*len = (size_t)(end - c->buf);
	c->used = *len + 1;
	return 1;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}
