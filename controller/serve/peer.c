/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * peer.c - what a client may do follows from its credentials: root, the user that rrlbd runs as
 * and the operators' group may do everything, the readers' group may look, anybody else may
 * nothing. So a socket file whose mode somebody has opened gives nobody more than he had.
 */
#include <grp.h>
#include <unistd.h>

#include "serve/peer.h"
#include "util/log.h"

static bool peer_in(const struct unix_peer *p, gid_t gid)
{
	if (gid == (gid_t)-1)
		return false;
	for (size_t i = 0; i < p->groups; i++) {
		if (p->group[i] == gid)
			return true;
	}
	return p->gid == gid;
}

enum api_level peer_level(const struct control *ctl, const struct unix_peer *p)
{
	if (p->uid == 0 || p->uid == geteuid() || peer_in(p, ctl->operators))
		return API_OPERATE;
	return peer_in(p, ctl->readers) ? API_READ : API_NONE;
}

gid_t peer_group(const char *name, const char *who)
{
	const struct group *g = *name ? getgrnam(name) : NULL;

	if (g)
		return g->gr_gid;
	if (*name)
		log_warnx("control: no group '%s': no %s but root", name, who);
	return (gid_t)-1;
}
