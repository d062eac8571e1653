/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * past.h - a pin folder (that of loaded.h) as another build has left it, for tests of upgrades.
 *
 * Another version is made by renaming pins: what stood there under our version is then, for the
 * next start, a map of version 9.
 */
#ifndef TESTS_PAST_H
#define TESTS_PAST_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/dp.h"

/* Our pins, set up as a controller does, with marks in many maps. */
void past_begin(void);
/* Opens; it must be adopted. */
struct dp *past_open(bool replace);
/* What stands under our pin of this map becomes one of version 9; where that is. */
void past_make(enum rr_map map);
void past_make_flows(void);
const char *past_pin(enum rr_map map);
/* The id of the map under our pin; 0 = there is none. */
uint32_t past_our_id(enum rr_map map);
/* dp_note() holds these words. */
void past_noted(const struct dp *dp, const char *words);
/* Every count of an element, on every CPU; and what it has of them. */
void past_fill(const char *pin, uint32_t element, uint64_t value);
uint64_t past_count(struct dp *dp, uint32_t element);

#endif
