/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * running.c - starts the parts of rrlbd in the order of its main(), less locks, signals, privileges
 * and interfaces.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/checks.h"
#include "collect/nexthop.h"
#include "collect/sweep.h"
#include "daemon/push.h"
#include "lib/netbox.h"
#include "lib/running.h"
#include "rrlbd/start.h"
#include "rrlbd/state.h"
#include "rrlbd/turn.h"
#include "serve/control.h"
#include "serve/snapshot.h"
#include "sys/loop.h"

#define PATIENCE MONO_S(5)
#define BPFFS "/sys/fs/bpf/rrlb-running"

void running_conf(const struct running *r, unsigned int weight)
{
	FILE *f = fopen(r->d->conf_path, "w");

	assert_non_null(f);
	fprintf(f, "interface eth0\nservice web {\n");
	if (!weight)
		fprintf(f, "\tnonsense\n");
	fprintf(f, "\tlisten 192.0.2.10:443\n\tlocal-address 198.18.0.1\n\thealth none\n");
	fprintf(f, "\tendpoint " RUNNING_EP1 " weight %u\n\tendpoint " RUNNING_EP2 "\n}\n", weight);
	fclose(f);
}

static char *path_of(const struct running *r, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", r->dir, name) > 0);
	return path;
}

static struct conf *conf_read(const char *path)
{
	struct conf_errors err = { 0 };
	char text[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	return conf_parse(text, n, &err);
}

static void start_maps(struct daemon *d)
{
	const struct dp_conf c = {
		.dir = BPFFS, .flow4_sets = 64, .flow6_sets = 64, .port_lo = 1024, .port_hi = 2047
	};

	assert_int_equal(dp_open(&d->dp, &c, NULL, 0, &d->adopted), 0);
	assert_int_equal(push_control(d), 0);
	d->have = plan_new();
	d->model = model_new();
	d->counters = calloc(1, sizeof(*d->counters));
	assert_true(d->have && d->model && d->counters);
	model_set_hz(d->model, d->hz);
	assert_int_equal(push_read(d, d->have), 0);
	assert_int_equal(model_apply(d->model, d->conf, false, daemon_now(d)), 0);
}

static void start_parts(struct daemon *d)
{
	assert_int_equal(sweep_open(d), 0);
	assert_int_equal(checks_open(d), 0);
	assert_int_equal(turn_open(d), 0);
	assert_int_equal(control_open(d), 0);
	assert_int_equal(nexthop_open(d), 0);
	assert_int_equal(state_open(d), 0);
	daemon_turn(d);
	assert_false(d->push_retry);
}

void running_start(struct running *r)
{
	struct daemon *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	signal(SIGPIPE, SIG_IGN);
	*r = (struct running){ .d = d, .dir = "/tmp/rrlb-running-XXXXXX" };
	assert_non_null(mkdtemp(r->dir));
	d->conf_path = path_of(r, "conf");
	d->socket = path_of(r, "sock");
	d->state = path_of(r, "state");
	TAILQ_INIT(&d->asks);
	running_conf(r, 100);
	d->conf = conf_read(d->conf_path);
	assert_non_null(d->conf);
	assert_int_equal(loop_open(&d->loop), 0);
	d->started = d->conf_at = daemon_now(d);
	d->conf_ok = true;
	d->conf_generation = 1;
	start_maps(d);
	start_parts(d);
}

static void free_path(const char *path)
{
	free((char *)(uintptr_t)path);
}

void running_stop(struct running *r)
{
	struct daemon *d = r->d;

	state_flush(d, MONO_S(10));
	start_undo(d);
	free_path(d->conf_path);
	free_path(d->socket);
	free_path(d->state);
	free(d);
	netbox_sh("rm -rf %s " BPFFS, r->dir);
}

int running_connect(const struct running *r)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", r->d->socket);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

void running_send(int fd, const char *verb, const char *args)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "{\"v\":1,\"verb\":\"%s\",\"args\":{%s}}\n", verb,
			 args);

	assert_int_equal(send(fd, line, (size_t)n, MSG_NOSIGNAL), n);
}

void running_weigh(int fd, const char *weight)
{
	char args[128];

	snprintf(args, sizeof(args), "\"endpoint\":\"web/" RUNNING_EP1 "\",\"weight\":\"%s\"",
		 weight);
	running_send(fd, "endpoint weight", args);
}

struct until {
	struct running *r;
	int fd;
	mono_t end;
};

static void after_batch(void *arg)
{
	struct until *u = arg;
	struct pollfd p = { .fd = u->fd, .events = POLLIN };

	daemon_turn(u->r->d);
	u->r->turns++;
	if (poll(&p, 1, 0) > 0 || mono_cmp(loop_clock(), u->end) > 0)
		loop_stop(u->r->d->loop);
}

void running_until(struct running *r, int fd)
{
	struct until u = { r, fd, mono_add(loop_clock(), PATIENCE) };
	struct pollfd p = { .fd = fd, .events = POLLIN };

	r->turns = 0;
	assert_int_equal(loop_run(r->d->loop, after_batch, &u), 0);
	assert_true(poll(&p, 1, 0) > 0);
}

static void after_one(void *arg)
{
	struct running *r = arg;

	daemon_turn(r->d);
	loop_stop(r->d->loop);
}

void running_batch(struct running *r)
{
	assert_int_equal(loop_run(r->d->loop, after_one, r), 0);
}

static void after_none(void *arg)
{
	struct running *r = arg;

	loop_stop(r->d->loop);
}

void running_events(struct running *r)
{
	assert_int_equal(loop_run(r->d->loop, after_none, r), 0);
}

json_t *running_reply(int fd)
{
	char line[65536];
	size_t n = 0;

	while (n < sizeof(line) && read(fd, line + n, 1) == 1 && line[n] != '\n')
		n++;
	return n ? json_loadb(line, n, 0, NULL) : NULL;
}
