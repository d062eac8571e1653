/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ask.h - what a request or a signal asks of the order of things. It is queued, the next turn
 * does it before it plans, and what came of it stands in the same struct afterwards. So nobody
 * below rrlbd calls what belongs there.
 */
#ifndef DAEMON_ASK_H
#define DAEMON_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "rr_table.h"

enum ask_kind {
	ASK_RELOAD, /* read the configuration file again */
	ASK_DETACH, /* take the program off interfaces, and with `unpin` the maps out of bpffs */
};

struct ask {
	TAILQ_ENTRY(ask) link;
	enum ask_kind kind;
	uint32_t uid; /* who asks, for the event; UINT32_MAX = nobody */
	bool reset; /* RELOAD: drop what operators have changed */
	bool unpin; /* DETACH */
	char iface[RR_MAX_IFACES][16]; /* DETACH: names */
	size_t ifaces;
	/* What came of it: */
	int rc; /* 0 or -errno */
	char *report; /* sentences for people; malloc'ed, the asker frees it; NULL = none */
	uint64_t generation; /* RELOAD: of the configuration then in force */
	uint32_t detached; /* DETACH: bit i = iface[i] is detached */
	/* Called by the turn once the above is filled in; NULL = the asker looks for itself. */
	void (*done)(struct ask *a, void *arg);
	void *arg;
};

TAILQ_HEAD(ask_list, ask);

#endif
