/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * main.c - options, and the order of start and stop.
 *
 * Start: everything that can be wrong with the configuration is found before the packet path is
 * touched; what runs is adopted and read back before the model plans anything, so that the first
 * plan is a difference to reality; programs are attached only after the maps are filled. Stop:
 * nothing is detached; the packet path goes on without us.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "collect/checks.h"
#include "collect/iface.h"
#include "collect/nexthop.h"
#include "collect/sweep.h"
#include "daemon/daemon.h"
#include "daemon/push.h"
#include "rrlbd/lock.h"
#include "rrlbd/reload.h"
#include "rrlbd/state.h"
#include "rrlbd/turn.h"
#include "serve/control.h"
#include "serve/snapshot.h"
#include "sys/loop.h"
#include "sys/priv.h"
#include "util/file.h"
#include "util/log.h"

#define CONF_PATH "/etc/rrlb/rrlbd.conf"
#define LOCK_DIR "/run/rrlb"
#define LOCAL_RANGE "/proc/sys/net/ipv4/ip_local_port_range"

struct options {
	bool replace_maps; /* flow tables of another layout may go */
	const char *object; /* NULL = the one built in */
	const char *bpffs;
	bool check, print, verbose;
};

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

static void option(struct daemon *d, struct options *o, int c)
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

static void options(struct daemon *d, struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:fhv", long_options, NULL)) >= 0)
		option(d, o, c);
	if (optind < argc) {
		fprintf(stderr, "rrlbd: what is '%s'?\n", argv[optind]);
		usage(stderr);
		exit(EX_USAGE);
	}
}

/* The configuration, or an exit with its errors on stderr. */
static void start_conf(struct daemon *d)
{
	struct conf_errors err = { .n = 0 };
	size_t len;
	char *report, *text;
	int rc = file_read(d->conf_path, CONF_FILE_MAX, &text, &len);

	if (rc) {
		log_errx("%s: %s", d->conf_path, strerror(-rc));
		exit(1);
	}
	d->conf = conf_parse(text, len, &err);
	if (d->conf) {
		free(text);
		return;
	}
	report = conf_errors_format(d->conf_path, text, len, &err);
	fputs(report ? report : "out of memory\n", stderr);
	free(report);
	free(text);
	exit(1);
}

static int print_conf(const struct daemon *d)
{
	char *text = conf_print_full(d->conf);

	if (!text)
		return 1;
	fputs(text, stdout);
	free(text);
	return fflush(stdout) ? 1 : 0;
}

static bool lock_or_say(const char *path, const char *what)
{
	long who = 0;
	int fd, rc = lock_take(path, &fd, &who);

	if (!rc)
		return true; /* held, and fd kept open, for the life of the process */
	if (rc == -EBUSY)
		log_errx("another rrlbd (process %ld) has %s", who, what);
	else
		log_errx("%s: cannot be locked: %s%s", path, strerror(-rc),
			 rc == -EACCES || rc == -EPERM ? "; rrlbd is started as root" : "");
	return false;
}

static bool start_locks(const struct daemon *d, const struct options *o)
{
	const char *socket = d->socket ? d->socket : d->conf->socket;
	const char *dir = o->bpffs ? o->bpffs : RR_BPFFS_DIR;
	char path[512], flat[256];

	snprintf(flat, sizeof(flat), "%s", dir + strspn(dir, "/"));
	for (char *p = flat; *p; p++) {
		if (*p == '/')
			*p = '-';
	}
	snprintf(path, sizeof(path), LOCK_DIR "/%s.lock", flat);
	if (!lock_or_say(path, dir))
		return false;
	snprintf(path, sizeof(path), "%s.lock", socket);
	return lock_or_say(path, socket);
}

static uint32_t sets_for(uint32_t entries, uint32_t ways)
{
	uint32_t sets = 1;

	while (sets < (entries + ways - 1) / ways && sets < 1u << 30)
		sets <<= 1;
	return sets;
}

static bool any_local(const struct conf *c)
{
	for (size_t i = 0; i < c->services; i++) {
		if (rr_mode_has(c->service[i].mode, RR_MODE_NEEDS_LOCAL))
			return true;
	}
	return false;
}

/*
 * Where both ranges meet, a connection of this host and a balanced one could look alike to an
 * endpoint.
 */
static void warn_ports(const struct daemon *d)
{
	unsigned int lo, hi;
	FILE *f = fopen(LOCAL_RANGE, "re");

	if (!f)
		return;
	if (fscanf(f, "%u %u", &lo, &hi) == 2 && any_local(d->conf) && d->conf->port_lo <= hi &&
	    d->conf->port_hi >= lo)
		log_warnx("nat-ports %u-%u and the host's own local ports %u-%u overlap: choose "
			  "others, or set net.ipv4.ip_local_port_range",
			  d->conf->port_lo, d->conf->port_hi, lo, hi);
	fclose(f);
}

static void say_note(const struct daemon *d)
{
	if (dp_note(d->dp)[0])
		log_info("packet path: %s", dp_note(d->dp));
}

static int start_dp(struct daemon *d, const struct options *o)
{
	const char *name[RR_MAX_IFACES];
	struct dp_conf c = {
		.dir = o->bpffs,
		.object = o->object,
		.flow4_sets = sets_for(d->conf->flows_ipv4, RR_FLOW4_WAYS),
		.flow6_sets = sets_for(d->conf->flows_ipv6, RR_FLOW6_WAYS),
		.port_lo = d->conf->port_lo,
		.port_hi = d->conf->port_hi,
		.replace_maps = o->replace_maps,
	};
	int rc;

	for (size_t i = 0; i < d->conf->ifaces && i < RR_MAX_IFACES; i++)
		name[i] = d->conf->iface[i].name;
	rc = dp_open(&d->dp, &c, name, d->conf->ifaces, &d->adopted);
	if (rc) {
		log_errx("packet path: %s", dp_error(d->dp));
		return rc;
	}
	warn_ports(d);
	log_info("packet path: %s", d->adopted ? "running maps adopted" : "maps made");
	say_note(d);
	return push_control(d);
}

/*
 * What runs, what operators had set, what is configured: in this order, so that ids stay and
 * overrides win.
 */
static int start_model(struct daemon *d)
{
	int rc;

	d->have = plan_new();
	d->model = model_new();
	d->counters = calloc(1, sizeof(*d->counters));
	if (!d->have || !d->model || !d->counters)
		return -ENOMEM;
	model_set_hz(d->model, d->hz);
	rc = push_read(d, d->have);
	if (!rc && d->adopted)
		rc = model_adopt(d->model, d->have, daemon_now(d));
	if (!rc)
		rc = state_load(d);
	if (!rc)
		rc = model_apply(d->model, d->conf, false, daemon_now(d));
	if (rc)
		log_errx("start: %s", strerror(-rc));
	return rc;
}

/* After attaching, what nothing uses any more goes. A pin that stays is no reason not to run. */
static void start_settle(struct daemon *d)
{
	if (dp_settle(d->dp))
		log_errx("packet path: %s", dp_error(d->dp));
	say_note(d);
}

static int start_paths(struct daemon *d)
{
	char err[256] = "";
	int rc = nexthop_open(d);

	if (rc) {
		log_errx("netlink: %s", strerror(-rc));
		return rc;
	}
	iface_adopt(d);
	rc = iface_assign(d, d->conf);
	if (rc) {
		log_errx("more than %u interfaces", RR_MAX_IFACES);
		return rc;
	}
	iface_settle(d, d->conf);
	nexthop_resolve(d);
	daemon_turn(d); /* the first push: nothing is attached before the maps are filled */
	if (d->push_retry)
		return -EIO;
	d->attach_open = true;
	rc = iface_attach(d, d->conf, NULL, err, sizeof(err));
	if (rc)
		log_errx("%s", err);
	else
		iface_refresh(d);
	start_settle(d);
	return rc;
}

/* The log is a line per call. */
static void log_lines(bool bad, char *text)
{
	char *save = NULL, *line;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (bad)
			log_errx("%s", line);
		else
			log_warnx("%s", line);
	}
}

static void reload_done(struct ask *a, void *arg)
{
	(void)arg;
	if (a->report)
		log_lines(a->rc, a->report);
	else if (a->rc)
		log_errx("reload: %s", strerror(-a->rc));
	free(a->report);
	free(a);
}

static void on_reload(int sig, void *arg)
{
	struct daemon *d = arg;
	struct ask *a = calloc(1, sizeof(*a));

	(void)sig;
	if (!a) {
		log_errx("reload: %s", strerror(ENOMEM));
		return;
	}
	a->kind = ASK_RELOAD;
	a->uid = EVENT_NOBODY;
	a->done = reload_done;
	TAILQ_INSERT_TAIL(&d->asks, a, link);
}

static void on_stop(int sig, void *arg)
{
	struct daemon *d = arg;

	log_info("%s: stopping; the packet path goes on", strsignal(sig));
	d->stopping = true;
	loop_stop(d->loop);
}

static int start_signals(struct daemon *d)
{
	int rc = loop_signal(d->loop, NULL, SIGHUP, on_reload, d);

	signal(SIGPIPE, SIG_IGN);
	if (!rc)
		rc = loop_signal(d->loop, NULL, SIGTERM, on_stop, d);
	if (!rc)
		rc = loop_signal(d->loop, NULL, SIGINT, on_stop, d);
	return rc;
}

static bool any_dispatcher(const struct conf *c)
{
	for (size_t i = 0; i < c->ifaces; i++) {
		if (c->iface[i].attach == DP_ATTACH_DISPATCHER)
			return true;
	}
	return false;
}

static int start_priv(struct daemon *d)
{
	char err[256] = "";
	int rc = priv_drop(any_dispatcher(d->conf), err, sizeof(err));

	if (rc)
		log_errx("privileges: %s", err);
	return rc;
}

/* The turn needs loop, checks, sweep and control to be there. */
static int start_parts(struct daemon *d)
{
	int rc = sweep_open(d);

	if (!rc)
		rc = checks_open(d);
	if (!rc)
		rc = turn_open(d);
	if (!rc)
		rc = control_open(d);
	if (!rc)
		rc = start_signals(d);
	if (rc)
		log_errx("start: %s", strerror(-rc));
	return rc;
}

static int start(struct daemon *d, const struct options *o)
{
	int rc = loop_open(&d->loop);

	if (rc)
		return rc;
	d->started = d->conf_at = daemon_now(d);
	d->conf_ok = true;
	d->conf_generation = 1;
	rc = start_dp(d, o);
	if (!rc)
		rc = start_model(d);
	if (!rc)
		rc = file_make_folder(state_path(d), 0755);
	if (!rc)
		rc = start_parts(d);
	if (!rc)
		rc = start_paths(d);
	if (!rc)
		rc = start_priv(d);
	return rc;
}

/* A start that failed may know less than the state file: it writes nothing. */
static void stop(struct daemon *d, bool started)
{
	if (started)
		state_save(d);
	snapshot_forget(d);
	control_close(d);
	turn_close(d);
	checks_close(d);
	sweep_close(d);
	nexthop_close(d);
	loop_close(d->loop);
	plan_free(d->have);
	model_free(d->model);
	if (d->dp)
		dp_close(d->dp);
	conf_free(d->conf);
	free(d->counters);
	state_free(d);
}

static void after_batch(void *arg)
{
	daemon_turn(arg);
}

int main(int argc, char **argv)
{
	struct daemon *d = calloc(1, sizeof(*d));
	struct options o = { 0 };
	bool started;
	int rc;

	if (!d)
		return 1;
	TAILQ_INIT(&d->asks);
	d->conf_path = CONF_PATH;
	options(d, &o, argc, argv);
	log_init("rrlbd", o.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, false);
	start_conf(d);
	if (o.check || o.print)
		return o.print ? print_conf(d) : 0;
	if (!start_locks(d, &o))
		return 1;
	rc = start(d, &o);
	started = !rc;
	if (started) {
		log_info("rrlbd %s serves %zu services", RRLB_VERSION, d->conf->services);
		rc = loop_run(d->loop, after_batch, d);
	}
	stop(d, started);
	free(d);
	return rc ? 1 : 0;
}
