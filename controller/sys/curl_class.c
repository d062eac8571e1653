/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * curl_class.c - decides whether a failed transfer is held against the other side.
 *
 * libcurl says what broke and the kernel why. ENETUNREACH is ours: the kernel had no route at all.
 * EHOSTUNREACH came from the network or the neighbour.
 */
#include <errno.h>

#include <curl/curl.h>

#include "sys/curl_class.h"

static bool is_local_errno(int err)
{
	switch (err) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EADDRNOTAVAIL:
	case EADDRINUSE:
	case EAFNOSUPPORT:
	case ENETUNREACH:
	case ENETDOWN:
	case EACCES:
	case EPERM:
		return true;
	default:
		return false;
	}
}

bool curl_failed_here(int code, int err)
{
	switch (code) {
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
	case CURLE_BAD_FUNCTION_ARGUMENT:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ENGINE_NOTFOUND:
	case CURLE_SSL_CIPHER:
	case CURLE_NOT_BUILT_IN:
	case CURLE_INTERFACE_FAILED:
	case CURLE_URL_MALFORMAT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return true;
	case CURLE_COULDNT_CONNECT:
		return is_local_errno(err);
	default:
		return false;
	}
}
