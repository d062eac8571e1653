/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * priv.h - keep the privileges that running needs, drop the rest.
 */
#ifndef SYS_PRIV_H
#define SYS_PRIV_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Once, after set-up (maps open, programs attached, sockets bound). `reserve` keeps CAP_SYS_ADMIN
 * permitted but not effective, for priv_raise(): needed when an interface is attached through the
 * dispatcher. 0, or -errno with a sentence in err.
 */
int priv_drop(bool reserve, char *err, size_t len);

/*
 * Around a call that needs the reserved capability. No effect before priv_drop() or without a
 * reserve. They nest.
 */
void priv_raise(void);
void priv_lower(void);

#endif
