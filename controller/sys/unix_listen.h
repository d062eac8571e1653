/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * unix_listen.h - a socket of the file system that takes connections.
 */
#ifndef SYS_UNIX_LISTEN_H
#define SYS_UNIX_LISTEN_H

#include <sys/types.h>

/*
 * A non-blocking stream socket that listens at `path`, for its owner and the group `gid` (-1 = the
 * group of the process), or -errno: -EADDRINUSE when somebody answers there, -EEXIST when it is
 * another kind of file, -ENAMETOOLONG.
 */
int unix_listen(const char *path, gid_t gid);

#endif
