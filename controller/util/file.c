/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * file.c - reads and writes files whole and makes folders, once for everybody. Owns nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"
#include "util/strbuf.h"

int file_read_fd(int fd, size_t max, char **text, size_t *len)
{
	struct strbuf sb = { .max = max };
	char buf[16384];
	size_t seen = 0;
	ssize_t n;

	*text = NULL;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		seen += (size_t)n;
		if (seen > max)
			break;
		strbuf_add(&sb, buf, (size_t)n);
	}
	if (n) {
		strbuf_free(&sb);
		return n < 0 ? -errno : -EFBIG;
	}
	*len = sb.len;
	*text = sb.len || sb.failed ? strbuf_take(&sb) : strdup("");
	return *text ? 0 : -ENOMEM;
}

int file_read(const char *path, size_t max, char **text, size_t *len)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	*text = NULL;
	if (fd < 0)
		return -errno;
	rc = file_read_fd(fd, max, text, len);
	close(fd);
	return rc;
}

int file_read_regular(const char *path, size_t max, char **text, size_t *len)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int rc = 0;

	*text = NULL;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		rc = -errno;
	else if (S_ISDIR(st.st_mode))
		rc = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	if (!rc)
		rc = file_read_fd(fd, max, text, len);
	close(fd);
	return rc;
}

const char *file_error(int rc)
{
	switch (rc) {
	case -EINVAL:
		return "not a regular file";
	case -EFBIG:
		return "too long a file";
	default:
		return strerror(-rc);
	}
}

int file_make_folder(const char *path, mode_t mode)
{
	char level[PATH_MAX];

	if (!*path)
		return 0;
	if (snprintf(level, sizeof(level), "%s", path) >= (int)sizeof(level))
		return -ENAMETOOLONG;
	for (char *p = strchr(level + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(level, mode) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

/* Makes the rename itself durable. Some file systems cannot: then it is as good as they are. */
static void sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

int file_replace(const char *path, const char *text, size_t len, mode_t mode)
{
	char temp[PATH_MAX];
	int fd, rc = file_make_folder(path, 0755);

	if (!rc && snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		rc = -ENAMETOOLONG;
	if (rc)
		return rc;
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, text, len);
	close(fd);
	if (!rc && rename(temp, path))
		rc = -errno;
	if (rc)
		unlink(temp);
	else
		sync_folder(path);
	return rc;
}
