/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * now.c - the time of the turn. The loop reads the clock once in a batch of events, so that
 * everything that happens in one batch happens at one time. It stands apart so that who asks for
 * the time needs nothing else.
 */
#include "daemon/daemon.h"
#include "sys/loop.h"

mono_t daemon_now(const struct daemon *d)
{
	return loop_now(d->loop);
}
