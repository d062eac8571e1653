/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * writer.h - writes whole files in a thread of its own, so that a disk that is slow, full or dead
 * stops nobody else.
 */
#ifndef SYS_WRITER_H
#define SYS_WRITER_H

#include "sys/loop.h"

struct writer;

/*
 * How the write of `path` has ended: 0 or -errno. Runs in the loop's thread. A new one may be asked
 * for.
 */
typedef void (*writer_fn)(const char *path, int rc, void *arg);

/*
 * The thread starts with the privileges of the caller, and takes no signals. 0, -ENOMEM or -errno.
 */
int writer_open(struct writer **w, struct loop *l, writer_fn done, void *arg);
/*
 * Asks for a file to be replaced (file_replace(), mode 0600). Takes `text` over, also when it
 * fails. One after the other, in this order. 0 or -ENOMEM.
 */
int writer_put(struct writer *w, const char *path, char *text);
/* Waits until `until` for all that was put, and calls `done` for it. True = all has ended. */
bool writer_flush(struct writer *w, mono_t until);
/*
 * Writes that have not ended are given up: a thread that the kernel does not let go keeps its
 * memory. Accepts NULL.
 */
void writer_close(struct writer *w);

#endif
