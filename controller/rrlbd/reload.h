/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reload.h - a new configuration as a transaction: it takes hold whole, or the old one stays.
 */
#ifndef RRLBD_RELOAD_H
#define RRLBD_RELOAD_H

#include "daemon/daemon.h"

/*
 * Reads the configuration file, parses, checks and applies it; keeps the old one on any error.
 * `reset` drops what operators have changed. 0, or -errno; *report = sentences for people, errors
 * or warnings; malloc'ed, or NULL.
 */
int daemon_reload(struct daemon *d, bool reset, uint32_t uid, char **report);

#endif
