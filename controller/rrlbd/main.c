/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * main.c - the order of start and stop, and signals. What the command line asks for is options.c's;
 * how the packet path is taken over and filled is start.c's.
 *
 * Start: everything that can be wrong with the configuration is found before the packet path is
 * touched; what runs is adopted and read back before the model plans anything, so that the first
 * plan is a difference to reality; programs are attached only after the maps are filled. Stop:
 * nothing is detached; the packet path goes on without us.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/checks.h"
#include "collect/nexthop.h"
#include "collect/sweep.h"
#include "collect/trust.h"
#include "daemon/daemon.h"
#include "rrlbd/lock.h"
#include "rrlbd/options.h"
#include "rrlbd/reload.h"
#include "rrlbd/start.h"
#include "rrlbd/state.h"
#include "rrlbd/turn.h"
#include "serve/control.h"
#include "serve/snapshot.h"
#include "sys/loop.h"
#include "sys/priv.h"
#include "util/file.h"
#include "util/log.h"

#define LOCK_DIR "/run/rrlb"
#define STOP_PATIENCE MONO_S(10) /* with a disk that does not take the state file */

/* One that is only looked at may come through a pipe. */
static int read_conf(const char *path, bool wait, char **text, size_t *len)
{
	return wait ? file_read(path, CONF_FILE_MAX, text, len)
		    : file_read_regular(path, CONF_FILE_MAX, text, len);
}

/* The configuration, or an exit with its errors on stderr. */
static void start_conf(struct daemon *d, bool wait)
{
	struct conf_errors err = { .n = 0 };
	size_t len;
	char *report, *text;
	int rc = read_conf(d->conf_path, wait, &text, &len);

	if (rc) {
		log_errx("%s: %s", d->conf_path, file_error(rc));
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

static void warn_probes(const struct daemon *d)
{
	char text[256];

	if (conf_probe_warning(d->conf, text, sizeof(text)))
		log_warnx("%s", text);
}

/* What the text alone does not show: files that it names. */
static int check_conf(const struct daemon *d)
{
	struct trust *t;
	char *report = NULL;
	bool bad;

	if (trust_load(&t, d->conf)) {
		log_errx("out of memory");
		return 1;
	}
	report = trust_report(t, d->conf, d->conf_path);
	bad = report;
	if (report)
		fputs(report, stderr);
	free(report);
	trust_free(t);
	warn_probes(d);
	return bad;
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

/*
 * A SIGHUP that comes before there is a loop would end the process. It waits instead, and is the
 * first reload. Other signals may end a start at any moment: it leaves a packet path that works.
 */
static void hold_reload(int how)
{
	sigset_t hup;

	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	sigprocmask(how, &hup, NULL);
}

static int start_signals(struct daemon *d)
{
	int rc = loop_signal(d->loop, NULL, SIGHUP, on_reload, d);

	signal(SIGPIPE, SIG_IGN);
	if (!rc)
		rc = loop_signal(d->loop, NULL, SIGTERM, on_stop, d);
	if (!rc)
		rc = loop_signal(d->loop, NULL, SIGINT, on_stop, d);
	if (!rc)
		hold_reload(SIG_UNBLOCK);
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

/* Files that cannot be read are no reason not to serve. */
static int start_trust(struct daemon *d)
{
	struct trust *t;
	int rc = trust_load(&t, d->conf);

	if (!rc)
		trust_use(d, t);
	warn_probes(d);
	return rc;
}

/* The turn needs loop, checks, sweep and control to be there. */
static int start_parts(struct daemon *d)
{
	int rc = sweep_open(d);

	if (!rc)
		rc = start_trust(d);
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
		rc = start_parts(d);
	if (!rc)
		rc = start_paths(d);
	if (!rc)
		rc = start_priv(d);
	if (!rc)
		rc = state_open(d); /* its thread has what is left of the privileges */
	return rc;
}

/* Who waits for the last write is answered after it. */
static void stop_save(struct daemon *d)
{
	if (state_save(d) || !state_flush(d, STOP_PATIENCE))
		log_errx("%s: the last changes are not written", state_path(d));
	control_turn(d);
}

/* A start that failed may know less than the state file: it writes nothing. */
static void stop(struct daemon *d, bool started)
{
	if (started)
		stop_save(d);
	start_undo(d);
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
	hold_reload(SIG_BLOCK);
	TAILQ_INIT(&d->asks);
	options_parse(&o, d, argc, argv);
	log_init("rrlbd", o.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, false);
	start_conf(d, o.check || o.print);
	if (o.check || o.print)
		return o.print ? print_conf(d) : check_conf(d);
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
