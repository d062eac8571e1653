/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * client.h - one connection to rrlbd: lines out, lines in, blocking.
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <stddef.h>

struct client {
	int fd;
	char *buf;
	size_t len, cap, used; /* bytes held; of these, the line given last */
};

/*
 * 0 or -errno. `ro`: when the operators' socket may not be opened, the readers' one beside it is
 * tried.
 */
int client_open(struct client *c, const char *path, int ro);
int client_send(struct client *c, const char *bytes, size_t len);
/*
 * The next line, NUL-terminated, without its end; valid until the next call. 1, 0 = closed,
 * -ETIMEDOUT, -errno. `timeout_ms` -1 = for ever.
 */
int client_line(struct client *c, const char **line, size_t *len, int timeout_ms);
void client_close(struct client *c);

#endif
