/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * authority.h - the certificate authorities that a probe believes: a PEM file, or the system's,
 * read once and kept in memory. No type of the TLS library shows.
 */
#ifndef SYS_AUTHORITY_H
#define SYS_AUTHORITY_H

#include <stddef.h>

#define AUTHORITY_FILE_MAX (4u << 20) /* bytes of a file */

struct authority;

/*
 * Reads `file`, all certificates and revocation lists in it; "" = the list that libcurl was built
 * to use. These and no others will be believed. 0, or -errno and the reason in `why`: -ENOENT and
 * its like for the file, -EINVAL for one that is no regular file, -ENODATA for one without a
 * certificate, -EBADMSG for one that cannot be read to its end.
 */
int authority_load(struct authority **out, const char *file, char *why, size_t len);
/* Probes that use it just now go on with it. Accepts NULL. */
void authority_free(struct authority *a);
/*
 * The file as it is now: 0 = the one that was read; -ESTALE = another, or written since; or -errno
 * when it is not there.
 */
int authority_look(const struct authority *a);

#endif
