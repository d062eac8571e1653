/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * clock.h - time as a type: microseconds of CLOCK_MONOTONIC in a struct, so that seconds,
 * milliseconds and jiffies cannot be mixed with it. Reads no clock: sys/loop does, once per turn,
 * and passes it down.
 */
#ifndef UTIL_CLOCK_H
#define UTIL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
	int64_t us;
} mono_t;

#define MONO_US(n) ((mono_t){ (int64_t)(n) })
#define MONO_MS(n) ((mono_t){ (int64_t)(n)*1000 })
#define MONO_S(n) ((mono_t){ (int64_t)(n)*1000000 })
#define MONO_NEVER ((mono_t){ INT64_MAX })

static inline mono_t mono_add(mono_t a, mono_t b)
{
	return (mono_t){ a.us > INT64_MAX - b.us ? INT64_MAX : a.us + b.us };
}

static inline mono_t mono_sub(mono_t a, mono_t b)
{
	return (mono_t){ a.us - b.us };
}

/* <0, 0, >0 as a is before, at, after b */
static inline int mono_cmp(mono_t a, mono_t b)
{
	return (a.us > b.us) - (a.us < b.us);
}

static inline mono_t mono_min(mono_t a, mono_t b)
{
	return a.us < b.us ? a : b;
}

static inline bool mono_is_never(mono_t a)
{
	return a.us == INT64_MAX;
}

#endif
