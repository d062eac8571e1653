/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * path_seen.h - reading flow entries while they change. See path_seen.c.
 */
#ifndef TESTS_PATH_SEEN_H
#define TESTS_PATH_SEEN_H

#include "lib/rig.h"
#include "path.h"

struct seen {
	uint64_t meta;
	uint32_t slot;
	/* Host order: local port of a forward entry, client's port of a reverse one. */
	uint16_t port;
};

uint64_t seen_load(const __u64 *p);
bool seen_live(uint64_t meta);
uint32_t seen_slots(const struct rig *r, uint8_t af);
/* Body of a slot, and where its key is; `addr` NULL for IPv4. */
struct rr_flow *seen_slot(const struct rig *r, uint8_t af, uint32_t i, const __u64 **key,
			  const __u64 **addr);
/* A believed reading of the live entry of a key. */
bool seen_find(const struct rig *r, uint8_t af, const struct rr_addr *a, uint16_t port,
	       uint16_t tag, struct seen *s);
/*
 * Two live entries of one key at one moment: the first is the same life before and after the
 * second was read.
 */
bool seen_twins(const struct rig *r, uint8_t af, uint32_t i, uint32_t j);

#endif
