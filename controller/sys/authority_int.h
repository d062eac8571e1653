/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * authority_int.h - for the files of sys/ that verify certificates: what OpenSSL verifies with.
 */
#ifndef SYS_AUTHORITY_INT_H
#define SYS_AUTHORITY_INT_H

#include <openssl/x509_vfy.h>

#include "sys/authority.h"

/* Borrowed; take a reference of your own (X509_STORE_up_ref) to keep it. */
X509_STORE *authority_store(const struct authority *a);

#endif
