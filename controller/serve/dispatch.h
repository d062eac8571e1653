/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dispatch.h - from a line to its answer.
 */
#ifndef SERVE_DISPATCH_H
#define SERVE_DISPATCH_H

#include "serve/call.h"

/*
 * One line of a client that may do what `level` says: it is answered now, or waits. `line` is
 * NUL-terminated.
 */
void dispatch_line(struct control *ctl, struct session *s, enum api_level level, const char *line,
		   size_t len);
/* Answers all that have waited for the turn, in the order of asking. */
void dispatch_turn(struct control *ctl);

#endif
