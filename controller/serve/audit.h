/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * audit.h - every request to change something is on record.
 */
#ifndef SERVE_AUDIT_H
#define SERVE_AUDIT_H

#include "serve/call.h"

/* Notes the event "audit": who asked for what, and how it ended. */
void audit_note(const struct call *c, enum api_code code);

#endif
