/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * peer.h - what a client may do.
 */
#ifndef SERVE_PEER_H
#define SERVE_PEER_H

#include "serve/call.h"

/* API_NONE, API_READ or API_OPERATE: from who it is, not from the socket it came by. */
enum api_level peer_level(const struct control *ctl, const struct unix_peer *p);
/*
 * The id of a group for `who` ("operator"); (gid_t)-1 when there is none, which is said in the
 * log. "" = none.
 */
gid_t peer_group(const char *name, const char *who);

#endif
