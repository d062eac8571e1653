/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * options.c - the command line. One that cannot be understood ends rrlbd with 64 (EX_USAGE) before
 * anything is opened, and so do --version and --help with 0. Strings are argv's, which outlives
 * everything.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "rr_table.h"
#include "rrlbd/options.h"
#include "sys/dp.h"

#define CONF_PATH "/etc/rrlb/rrlbd.conf"

enum {
	OPT_CHECK = 256,
	OPT_PRINT,
	OPT_OBJECT,
	OPT_BPFFS,
	OPT_SOCKET,
	OPT_STATE,
	OPT_REPLACE,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "print", no_argument, NULL, OPT_PRINT },
	{ "object", required_argument, NULL, OPT_OBJECT },
	{ "bpffs", required_argument, NULL, OPT_BPFFS },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "replace-maps", no_argument, NULL, OPT_REPLACE },
	{ "foreground", no_argument, NULL, 'f' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *to)
{
	fputs("usage: rrlbd [-fhv] [-c FILE] [--check] [--print] [--object FILE] [--bpffs DIR]\n"
	      "             [--socket PATH] [--state FILE] [--replace-maps] [--version]\n"
	      "  -c, --config FILE  configuration (" CONF_PATH ")\n"
	      "      --check        check the configuration and exit\n"
	      "      --print        print the configuration with every default, and exit\n"
	      "      --object FILE  packet path to load (the one built in)\n"
	      "      --bpffs DIR    where programs and maps are pinned (" RR_BPFFS_DIR ")\n"
	      "      --socket PATH  control socket (as configured)\n"
	      "      --state FILE   state file (as configured)\n"
	      "      --replace-maps replace flow tables of another layout: their flows are lost\n"
	      "  -f, --foreground   do not detach from the terminal; always so\n"
	      "  -v, --verbose      log what is done and why\n"
	      "      --version      print the versions of rrlbd and of its maps and exit\n"
	      "  -h, --help         this\n"
	      "rrlbd(8) has the whole story, rrlbd.conf(5) that of the configuration.\n",
	      to);
}

/* The names of the maps' pins: an upgrade makes anew what stands under another in the folder. */
static void version(void)
{
	printf("rrlbd %s\nmaps", RRLB_VERSION);
#define VERSION_MAP(id, name, ...) printf(" " #name "_v%d", RR_VERSION_##id);
	RR_MAPS(VERSION_MAP)
#undef VERSION_MAP
	printf("\n");
}

static void option(struct options *o, struct daemon *d, int c)
{
	switch (c) {
	case 'c':
		d->conf_path = optarg;
		break;
	case OPT_CHECK:
		o->check = true;
		break;
	case OPT_PRINT:
		o->print = true;
		break;
	case OPT_OBJECT:
		o->object = optarg;
		break;
	case OPT_BPFFS:
		o->bpffs = optarg;
		break;
	case OPT_SOCKET:
		d->socket = optarg;
		break;
	case OPT_STATE:
		d->state = optarg;
		break;
	case OPT_REPLACE:
		o->replace_maps = true;
		break;
	case 'f':
		break;
	case 'v':
		o->verbose = true;
		break;
	case OPT_VERSION:
		version();
		exit(0);
	case 'h':
		usage(stdout);
		exit(0);
	default:
		usage(stderr);
		exit(EX_USAGE);
	}
}

void options_parse(struct options *o, struct daemon *d, int argc, char **argv)
{
	int c;

	d->conf_path = CONF_PATH;
	while ((c = getopt_long(argc, argv, "c:fhv", long_options, NULL)) >= 0)
		option(o, d, c);
	if (optind < argc) {
		fprintf(stderr, "rrlbd: what is '%s'?\n", argv[optind]);
		usage(stderr);
		exit(EX_USAGE);
	}
}
