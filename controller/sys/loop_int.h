/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * loop_int.h - for the files of sys/ that hand sockets to libevent themselves: the loop and what
 * lies below it.
 */
#ifndef SYS_LOOP_INT_H
#define SYS_LOOP_INT_H

#include "sys/loop.h"

struct event_base;

/* Borrowed; it lives as long as the loop. */
struct event_base *loop_base(struct loop *l);

#endif
