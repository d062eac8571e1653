/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * iface.h - which interface has which slot; attaching.
 */
#ifndef COLLECT_IFACE_H
#define COLLECT_IFACE_H

#include "daemon/daemon.h"

void iface_adopt(struct daemon *d); /* slots as the running maps have them */
/* Slots for the names of c. 0 or -ENOSPC. */
int iface_assign(struct daemon *d, const struct conf *c);
/*
 * Attaches what is not yet. `old` given: only interfaces that it does not have, and the first
 * failure ends it with a sentence in `err`.
 */
int iface_attach(struct daemon *d, const struct conf *c, const struct conf *old, char *err,
		 size_t errlen);
/*
 * Takes our program off, which an operator has asked for. 0, also when it is not there; or -errno
 * and dp_error().
 */
int iface_detach(struct daemon *d, const char *name);
void iface_undo(struct daemon *d); /* detaches and forgets what iface_assign() added */
void iface_settle(struct daemon *d, const struct conf *c); /* c is in force now */
void iface_refresh(struct daemon *d); /* links -> model; attaches what came back */
void iface_status(struct daemon *d); /* is our program still where it was? */
/* Pins that are gone are made again. */
void iface_pins(struct daemon *d);
int iface_slot(const struct daemon *d, uint32_t ifindex); /* -1 = none of ours */

#endif
