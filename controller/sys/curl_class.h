/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * curl_class.h - whose fault a failed transfer is. Pure.
 */
#ifndef SYS_CURL_CLASS_H
#define SYS_CURL_CLASS_H

#include <stdbool.h>

/*
 * Is it this host's own trouble (no memory, no descriptor, no route, an unreadable certificate
 * file), which says nothing about the other side? `code` is a CURLcode, `err` the errno of the
 * socket, 0 when there is none.
 */
bool curl_failed_here(int code, int err);

#endif
