/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * loaded.h - the packet path as a controller loads and attaches it, in a netbox: a pin folder, and
 * a veth pair to attach to. What should work and does not fails the test, with dp_error() printed.
 */
#ifndef TESTS_LOADED_H
#define TESTS_LOADED_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/dp.h"

#define LOADED_DIR "/sys/fs/bpf/rrlb-dp"
#define LOADED_IF "dp0" /* a veth; its other end is dp1 */
#define LOADED_SETS 64u /* of the IPv4 flow table; the IPv6 one has half of them */

extern const struct dp_conf loaded_conf;

/* cmocka's setup and teardown: the veth pair; it and the pins go. */
int loaded_setup(void **state);
int loaded_teardown(void **state);

/* Opens with loaded_conf. `ifname` is looked at for a program of ours; NULL = none. */
struct dp *loaded_open(const char *ifname, bool *adopted);
/* Opens for LOADED_IF, and marks the maps as a controller does, so that they count as adopted. */
struct dp *loaded_new(void);
/* Opening for `ifname` (or NULL) fails with `err` and a sentence that holds `words`. */
void loaded_refused(const struct dp_conf *c, const char *ifname, int err, const char *words);

void loaded_attach(struct dp *dp, enum dp_attach how, enum dp_xdp mode, struct dp_iface_status *st);
void loaded_attach_fails(struct dp *dp, enum dp_attach how, enum dp_xdp mode, int err,
			 const char *words);
void loaded_detach(struct dp *dp);
/* The program that the kernel says runs on the interface; 0 = none. */
uint32_t loaded_running(void);
uint32_t loaded_own_id(struct dp *dp);
/*
 * Sharing needs extension programs, which a kernel may lack or forbid, and a dispatcher that takes
 * ours: tried. Leaves nothing behind.
 */
bool loaded_can_share(void);

#endif
