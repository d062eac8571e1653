/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reload.h - a new configuration as a transaction: it takes hold whole, or the old one stays.
 */
#ifndef RRLBD_RELOAD_H
#define RRLBD_RELOAD_H

#include "daemon/daemon.h"

/*
 * Reads, parses, checks, applies, pushes; keeps the old on any error. `text` NULL = read conf_path. 0, or -errno with
 * `*report` = malloc'ed text for people (formatted errors).
 */
int daemon_reload(struct daemon *d, const char *text, bool reset, uint32_t uid, char **report);
/* Reads a whole file, NUL-terminated; malloc'ed. 0 or -errno. */
int reload_file(const char *path, char **text, size_t *len);

#endif
