/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trust.h - the authorities that a configuration names, in memory.
 */
#ifndef COLLECT_TRUST_H
#define COLLECT_TRUST_H

#include "daemon/daemon.h"

struct authority;

/*
 * Reads every file that probes of `c` verify with, and the system's list when some use that. Files
 * that could not be read are in it too, with the reason. 0 or -ENOMEM.
 */
int trust_load(struct trust **out, const struct conf *c);
void trust_free(struct trust *t);
/*
 * A line for each service whose file could not be read, as errors of a configuration are told;
 * NULL = all could be read, or no memory. The caller frees it.
 */
char *trust_report(const struct trust *t, const struct conf *c, const char *conf_path);
/* From now on probes go by `t`; it is the daemon's now. */
void trust_use(struct daemon *d, struct trust *t);
/* Whom these probes believe; NULL with a reason in `why` (static until the next trust_use()). */
const struct authority *trust_find(const struct daemon *d, const struct conf_health *h,
				   const char **why, int *err);
/* Once a second: files that could not be read are tried again, the others are looked at. */
void trust_second(struct daemon *d);
/* What is wrong with the files, at most `max`. */
size_t trust_problems(const struct daemon *d, struct trust_fact *fact, size_t max);

#endif
