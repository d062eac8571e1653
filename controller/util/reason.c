/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reason.c - the three columns of the table in reason.h as arrays. A number from outside the table
 * (a newer peer's, a damaged file's) is answered with "unknown", never with a read past the end.
 */
#include <stdbool.h>

#include "util/reason.h"

static const struct {
	const char *name;
	const char *help;
	enum reason_class class;
} reasons[REASON_MAX] = {
#define REASON_ROW(id, name, class, help) [REASON_##id] = { #name, help, REASON_##class },
	REASONS(REASON_ROW)
#undef REASON_ROW
};

static bool known(enum reason r)
{
	return (unsigned int)r < REASON_MAX;
}

const char *reason_name(enum reason r)
{
	return known(r) ? reasons[r].name : "unknown";
}

const char *reason_help(enum reason r)
{
	return known(r) ? reasons[r].help : "a reason that this version does not know";
}

enum reason_class reason_class(enum reason r)
{
	return known(r) ? reasons[r].class : REASON_OK;
}
