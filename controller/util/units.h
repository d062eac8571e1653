/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * units.h - numbers as people write them: "250ms", "10%", "1.5k". Exact: a value that the target
 * cannot hold without rounding is refused, not rounded.
 */
#ifndef UTIL_UNITS_H
#define UTIL_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "util/clock.h"

#define UNITS_STRLEN 32

/*
 * All parsers: 0, -EINVAL (not such a value), -ERANGE (too big to hold). The whole text must be the
 * value.
 */

/* A decimal number and one of us, ms, s, m, h, d; the unit is required: "2s", "1.5m", "0s". */
int units_dur_parse(mono_t *d, const char *text);
/* "10%" -> 10; whole percents. */
int units_percent_parse(uint32_t *percent, const char *text);
/* A decimal number and optionally k, M or G, powers of 1000: "1.5k" -> 1500. */
int units_count_parse(uint64_t *n, const char *text);

/*
 * All printers return buf. units_dur_print is exact and parses back: the largest unit that divides.
 */
const char *units_dur_print(mono_t d, char *buf, size_t len);
/* For people, three digits or so, rounded down: 999, 1.5k, 12.3M. Not meant to be read back. */
const char *units_count_print(uint64_t n, char *buf, size_t len);

#endif
