/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * file.h - whole files, and the folders that they are in. Not pure, like log.h: for programs and
 * sys, not for core, conf, model.
 */
#ifndef UTIL_FILE_H
#define UTIL_FILE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The whole of a file, at most `max` bytes; `*text` is malloc'ed and NUL-terminated behind them.
 * 0, -EFBIG when there is more, or -errno; then `*text` is NULL. It waits for a pipe's end.
 */
int file_read(const char *path, size_t max, char **text, size_t *len);
/*
 * The same for who must not wait: opened without blocking, and only a regular file is read. -EINVAL
 * for any other (a pipe, a device), -EISDIR for a folder.
 */
int file_read_regular(const char *path, size_t max, char **text, size_t *len);
/* What went wrong in these calls, for people; static. */
const char *file_error(int rc);
/* The same of an open descriptor, from where it stands; it stays open. */
int file_read_fd(int fd, size_t max, char **text, size_t *len);
/*
 * mkdir -p of the folder that `path` is in, new ones with `mode` less the umask. Nothing is taken
 * back when a level fails. 0, -ENAMETOOLONG or -errno.
 */
int file_make_folder(const char *path, mode_t mode);
/*
 * Puts `text` in the place of what stands at `path`, and makes missing folders: written beside it
 * with `mode`, synced, renamed, and the folder synced, so that a crash leaves the old or the new,
 * never half. It waits for the disk as long as that takes. 0, -ENAMETOOLONG or -errno; then what
 * was there is there.
 */
int file_replace(const char *path, const char *text, size_t len, mode_t mode);

#endif
