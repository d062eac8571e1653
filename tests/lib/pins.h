/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pins.h - the pins of our maps, whatever their layout versions are.
 */
#ifndef TESTS_PINS_H
#define TESTS_PINS_H

#include <stdint.h>

#include "rr_table.h"

/* FOLDER/<map>_v<its version>; valid until the fourth call from now. */
const char *pin_path(const char *folder, enum rr_map map);
/* Opens a pinned map; the test fails when that cannot be done. */
int pin_open(const char *path);
/* The id of a pinned map; 0 = there is none. */
uint32_t pin_id(const char *path);

#endif
