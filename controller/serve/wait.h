/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wait.h - answers that take their time: drain --wait, endpoint check, events --follow.
 */
#ifndef SERVE_WAIT_H
#define SERVE_WAIT_H

#include "serve/call.h"

/*
 * The session's request stays open until what it waits for has happened, or `until`. For DRAIN
 * and CHECK, whom it is about stands in the session already. A client that has left waits for
 * nothing.
 */
void session_wait(struct call *c, enum wait_kind kind, mono_t until);
/* Looks at all that wait for a drain or a check; once a turn. */
void session_poll(struct control *ctl);

#endif
