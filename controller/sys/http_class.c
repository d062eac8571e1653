/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_class.c - decides how an exchange ended, from what libcurl says.
 */
#include <errno.h>

#include "sys/curl_class.h"
#include "sys/http_int.h"

enum http_end http_end_of(CURLcode code, int err)
{
	if (curl_failed_here((int)code, err))
		return HTTP_END_LOCAL;
	switch (code) {
	case CURLE_OK:
		return HTTP_END_OK;
	case CURLE_COULDNT_CONNECT:
		return err == ETIMEDOUT ? HTTP_END_TIMEOUT : HTTP_END_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_END_TIMEOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_END_CERT;
	case CURLE_SSL_CONNECT_ERROR:
		return HTTP_END_TLS;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		return HTTP_END_BROKEN;
	case CURLE_TOO_MANY_REDIRECTS:
		return HTTP_END_REDIRECT;
	default:
		return HTTP_END_PROTOCOL;
	}
}
