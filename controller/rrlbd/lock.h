/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lock.h - one instance per bpffs folder and per socket.
 */
#ifndef RRLBD_LOCK_H
#define RRLBD_LOCK_H

/* 0; -EBUSY with the other's pid in *who; or -errno. *fd stays open for the life of the lock. */
int lock_take(const char *path, int *fd, long *who);

#endif
