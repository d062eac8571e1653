/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rotation.h - weights -> the ordered slots that round robin walks.
 */
#ifndef CORE_ROTATION_H
#define CORE_ROTATION_H

#include <stddef.h>
#include <stdint.h>

#define ROTATION_MAX 4096u

/*
 * Slots of every endpoint: weights divided by their gcd when the sum then fits ROTATION_MAX
 * (exact shares), else ROTATION_MAX slots by largest remainder, at least one for each weight > 0.
 * Weight 0 gets none. Returns the number of slots L; 0 when no weight is positive or more than
 * ROTATION_MAX are.
 */
size_t rotation_quota(const uint32_t *weight, size_t n, uint32_t *quota);

/*
 * Fills slot[0 .. L-1] with indexes into `weight`, spread by midpoint EDF, ties to the lower
 * index; L is at most ROTATION_MAX, for which `slot` has room. Bit-identical everywhere. Returns
 * L.
 */
size_t rotation_build(const uint32_t *weight, size_t n, uint16_t *slot);

#endif
