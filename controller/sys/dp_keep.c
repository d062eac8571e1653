/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_keep.c - pins that somebody has removed are made again from the descriptors that this process
 * has open. Pins are what the packet path lives by when rrlbd is not there, and what its next start
 * finds; packets do not notice either way.
 *
 * Names are looked for, not objects: a pin of this name that is another object is an upgrade's or
 * somebody's, and the next start decides about it. A folder that an operator has emptied (rrctl
 * detach --unpin) stays empty.
 */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "sys/dp_int.h"

/* How many pins of maps and program are missing. */
static int pins_missing(struct dp *dp)
{
	char path[PATH_MAX];
	int n = 0;

	for (int m = 0; m < RR_MAP_MAX; m++) {
		if (!dp_map_path(dp, path, sizeof(path), m))
			n += access(path, F_OK) != 0;
	}
	if (!dp_pin_path(dp, path, sizeof(path), RR_PROG_PIN))
		n += access(path, F_OK) != 0;
	return n;
}

int dp_keep(struct dp *dp, unsigned int *made)
{
	int missing, rc;

	*made = 0;
	if (dp->unpinned)
		return 0;
	missing = pins_missing(dp);
	rc = missing ? dp_folder_again(dp) : 0;
	if (!rc && missing)
		rc = dp_pin_all(dp);
	if (!rc)
		rc = dp_link_repin(dp);
	if (!rc)
		*made = (unsigned int)missing;
	return rc;
}
