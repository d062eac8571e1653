/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * unix_listen.c - a listening socket at a path of the file system: clears away what a process that
 * is gone has left there, and lets nobody in before owner and mode are right. Owns nothing; the
 * caller closes the socket and removes the file.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/unix_listen.h"

#define BACKLOG 1024

/* A socket file is left over when nobody answers. Other files are not ours to remove. */
static int clear_path(const struct sockaddr_un *sun)
{
	struct stat st;
	int fd, err = 0;

	if (lstat(sun->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) || errno != ECONNREFUSED)
		err = -EADDRINUSE;
	else if (unlink(sun->sun_path) && errno != ENOENT)
		err = -errno;
	close(fd);
	return err;
}

/*
 * The file appears with mode 0000 and opens only once its group is right: nobody gets in between.
 */
static int bind_listen(const struct sockaddr_un *sun, gid_t gid)
{
	mode_t mask;
	int fd, err;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0777);
	err = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) ? -errno : 0;
	umask(mask);
	if (!err && gid != (gid_t)-1 && chown(sun->sun_path, (uid_t)-1, gid))
		err = -errno;
	if (!err && (listen(fd, BACKLOG) || chmod(sun->sun_path, 0660)))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int unix_listen(const char *path, gid_t gid)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int rc;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	rc = clear_path(&sun);
	return rc ? rc : bind_listen(&sun, gid);
}
