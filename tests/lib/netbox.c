/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netbox.c - namespaces for tests that need real interfaces. The peer dies with the test program
 * (PR_SET_PDEATHSIG), and with the last process the kernel removes the namespaces, their
 * interfaces, and what was pinned in the bpffs.
 */
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/netbox.h"

bool netbox_enter(void)
{
	if (geteuid() || unshare(CLONE_NEWNET | CLONE_NEWNS)) {
		printf("1..0 # SKIP needs root and network namespaces\n");
		return false;
	}
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL)) {
		printf("1..0 # SKIP cannot mount a bpf file system\n");
		return false;
	}
	return !netbox_sh("ip link set dev lo up");
}

int netbox_sh(const char *fmt, ...)
{
	char cmd[1024], full[1280], out[4096];
	va_list ap;
	size_t n;
	FILE *p;
	int status;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	snprintf(full, sizeof(full), "{ %s ; } 2>&1", cmd);
	p = popen(full, "r");
	if (!p)
		return -1;
	n = fread(out, 1, sizeof(out) - 1, p);
	out[n] = 0;
	status = pclose(p);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (status)
		fprintf(stderr, "# %s: exit %d: %s\n", cmd, status, out);
	return status;
}

pid_t netbox_peer(void)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) || write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (pid > 0 && read(ready[0], &byte, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

void netbox_kill(pid_t peer)
{
	if (peer > 0) {
		kill(peer, SIGKILL);
		waitpid(peer, NULL, 0);
	}
}

const char *netbox_build(const char *file)
{
	static char path[PATH_MAX * 2];
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *p;
	int up;

	self[n > 0 ? n : 0] = 0;
	for (up = 0; up < 3; up++) {
		p = strrchr(self, '/');
		if (p)
			*p = 0;
	}
	snprintf(path, sizeof(path), "%s/%s", self, file);
	return path;
}
