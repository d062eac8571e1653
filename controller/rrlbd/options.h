/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * options.h - what the command line asks for.
 */
#ifndef RRLBD_OPTIONS_H
#define RRLBD_OPTIONS_H

#include <stdbool.h>

#include "daemon/daemon.h"

struct options {
	bool replace_maps; /* flow tables of another layout may go */
	const char *object; /* NULL = the one built in */
	const char *bpffs;
	bool check, print, verbose;
};

/*
 * Fills `o`, and of `d` the paths of configuration, socket and state file that the command line
 * names. Does not return when there is nothing more to do, or when a word makes no sense.
 */
void options_parse(struct options *o, struct daemon *d, int argc, char **argv);

#endif
