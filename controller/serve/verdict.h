/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * verdict.h - the columns of RR_VERDICTS as words: what the counters are called, and what they
 * mean.
 */
#ifndef SERVE_VERDICT_H
#define SERVE_VERDICT_H

#include "rr_verdict.h"

const char *verdict_name(enum rr_verdict v); /* "no_port" */
const char *verdict_class(enum rr_verdict v); /* "PASS", "SEND", "DROP" */
const char *verdict_help(enum rr_verdict v); /* its sentence */

#endif
