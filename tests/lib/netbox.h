/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netbox.h - a test program's own network and mount namespace, with a bpffs of its own on
 * /sys/fs/bpf. Everything in it goes when the program ends, however it ends.
 */
#ifndef TESTS_NETBOX_H
#define TESTS_NETBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Enters them; false (with a TAP skip line) without root. */
bool netbox_enter(void);
/* Runs a shell command made by printf; returns its exit status, prints its output when it fails. */
int netbox_sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * A process that holds another network namespace: `ip link set X netns PID`, `nsenter -t PID -n`.
 */
pid_t netbox_peer(void);
void netbox_kill(pid_t peer);
/* Path of a file below the build folder, found from the running program's own path. */
const char *netbox_build(const char *file);

#endif
