/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_live.c - live frames: a generator sends them through a veth pair between two network
 * namespaces, the program at the other end sends each back by XDP_TX, and a sink counts what
 * returns. Sender, program and sink share one CPU, so the rate is that of the sum; the balancer's
 * is compared with that of a program that only swaps the MACs.
 *
 * The namespaces belong to this process and a child that dies with it: nothing is left behind.
 */
#include "bpf/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <net/if.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define NEAR "rrbench0" /* the generator's end */
#define FAR "rrbench1" /* the end with the program under test */
#define BATCH 64

static struct {
	pid_t holder; /* keeps the near namespace */
	int near_ns, far_ns;
	int near, far; /* interface indices */
} live;

static void enter(int ns)
{
	if (setns(ns, CLONE_NEWNET))
		die("setns: %s", strerror(errno));
}

static int ns_fd(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

/* A child in a network namespace of its own; returns when it is there. */
static pid_t hold_namespace(void)
{
	int ready[2];
	char c = 0;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) || write(ready[1], &c, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		die("no network namespace");
	close(ready[0]);
	return pid;
}

static void make_link(void)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd),
		 "ip link add " FAR " type veth peer name " NEAR " netns %d && ip link set " FAR
		 " up",
		 (int)live.holder);
	if (system(cmd))
		die("cannot make a veth pair");
	live.far = (int)if_nametoindex(FAR);
	enter(live.near_ns);
	if (system("ip link set " NEAR " up"))
		die("cannot set " NEAR " up");
	live.near = (int)if_nametoindex(NEAR);
}

static void attach(int ns, int ifindex, int prog)
{
	int err;

	enter(ns);
	err = bpf_xdp_attach(ifindex, prog, XDP_FLAGS_DRV_MODE, NULL);
	if (err)
		die("attach: %s", strerror(-err));
}

void live_start(struct bench *b)
{
	if (unshare(CLONE_NEWNET))
		die("unshare: %s", strerror(errno));
	live.far_ns = ns_fd(getpid());
	live.holder = hold_namespace();
	live.near_ns = ns_fd(live.holder);
	make_link();
	bench_ifindex(b, (uint32_t)live.far);
	attach(live.near_ns, live.near, bench_prog(b, "bench_sink"));
}

void live_stop(void)
{
	enter(live.far_ns);
	if (system("ip link del " FAR))
		die("cannot delete " FAR);
	kill(live.holder, SIGKILL);
	waitpid(live.holder, NULL, 0);
	close(live.near_ns);
	close(live.far_ns);
}

static uint64_t sunk(const struct bench *b)
{
	uint64_t n[256], sum = 0;
	int cpus = libbpf_num_possible_cpus();
	uint32_t zero = 0;

	if (cpus > 256 || bpf_map_lookup_elem(bench_map(b, "sunk"), &zero, n))
		die("sunk: %s", strerror(errno));
	for (int c = 0; c < cpus; c++)
		sum += n[c];
	return sum;
}

static double wall_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Frames that returned, a second. */
static double rate(struct bench *b, int prog, uint32_t frames)
{
	static unsigned char frame[BENCH_FRAME];
	struct xdp_md md = { .data_end = sizeof(frame), .ingress_ifindex = (uint32_t)live.near };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &md, .ctx_size_in = sizeof(md), .repeat = (int)frames,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	uint64_t before;
	double t;

	attach(live.far_ns, live.far, prog);
	enter(live.near_ns);
	before = sunk(b);
	t = wall_s();
	if (bpf_prog_test_run_opts(bench_prog(b, "bench_client_v4"), &o))
		die("live frames: %s", strerror(errno));
	t = wall_s() - t;
	return (double)(sunk(b) - before) / t;
}

void live_run(struct bench *b, struct live_result *r, uint32_t frames, uint32_t rounds)
{
	int ours = bench_prog(b, "rr_xdp"), bare = bench_prog(b, "bench_reflect");
	uint32_t zero = 0;

	bpf_map_delete_elem(bench_map(b, "jump"), &zero);
	bench_template(b, KIND_CLIENT4, r->flows);
	rate(b, bare, frames);
	rate(b, ours, frames);
	for (uint32_t i = 0; i < rounds; i++) {
		r->bare[i] = rate(b, bare, frames);
		r->ours[i] = rate(b, ours, frames);
		r->share[i] = r->ours[i] / r->bare[i];
	}
}
