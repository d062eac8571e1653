/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_text.c - the sentences of the data-plane door.
 *
 * libbpf and libxdp explain failures only through a process-wide print hook, and the kernel's own
 * reason (netlink's extended acknowledgement, the verifier's last line) comes the same way. So the
 * hook keeps what was said since dp_listen() in one static buffer, and the call that failed picks
 * the line that says most: the kernel's message, then the verifier's verdict, then the first
 * warning. One thread uses dp, so one buffer is enough.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xdp/libxdp.h>

#include "sys/dp_int.h"

#define KERNEL_SAYS "Kernel error message: "
#define LOG_BEGIN "BEGIN PROG LOAD LOG"
#define LOG_END "\nprocessed "
#define LONG_TEXT 2000

const char *const dp_map_names[RR_MAP_MAX] = {
#define DP_MAP_NAME(id, name, ...) #name,
	RR_MAPS(DP_MAP_NAME)
#undef DP_MAP_NAME
};

const uint32_t dp_map_versions[RR_MAP_MAX] = {
#define DP_MAP_VERSION(id, ...) RR_VERSION_##id,
	RR_MAPS(DP_MAP_VERSION)
#undef DP_MAP_VERSION
};

const enum rr_map_kind dp_map_kinds[RR_MAP_MAX] = {
#define DP_MAP_KIND(id, name, mm, version, kind) RR_KIND_##kind,
	RR_MAPS(DP_MAP_KIND)
#undef DP_MAP_KIND
};

int dp_map_named(const char *name)
{
	for (int m = 0; m < RR_MAP_MAX; m++) {
		if (!strcmp(dp_map_names[m], name))
			return m;
	}
	return -1;
}

static char said[16384];
static size_t said_len;
static char line[256];

static void keep_text(const char *text)
{
	size_t len = strlen(text);

	if (len >= sizeof(said) - said_len)
		len = sizeof(said) - said_len - 1;
	memcpy(said + said_len, text, len);
	said_len += len;
	said[said_len] = 0;
}

/* A verifier log can be megabytes long; its end tells why. */
static void keep(const char *fmt, va_list ap)
{
	char *text;
	int n = vasprintf(&text, fmt, ap);

	if (n < 0)
		return;
	if (n > LONG_TEXT && strstr(text, LOG_BEGIN)) {
		keep_text(LOG_BEGIN "\n");
		keep_text(text + n - LONG_TEXT);
	} else {
		keep_text(text);
	}
	free(text);
}

static int hear_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN)
		keep(fmt, ap);
	return 0;
}

static int hear_libxdp(enum libxdp_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBXDP_WARN)
		keep(fmt, ap);
	return 0;
}

void dp_listen(void)
{
	said_len = 0;
	said[0] = 0;
	libbpf_set_print(hear_libbpf);
	libxdp_set_print(hear_libxdp);
}

/* Copies one line without the library's prefix and the white space at its end. */
static const char *pick(const char *from)
{
	size_t n;

	if (!strncmp(from, "libbpf: ", 8))
		from += 8;
	else if (!strncmp(from, "libxdp: ", 8))
		from += 8;
	n = strcspn(from, "\n");
	if (n >= sizeof(line))
		n = sizeof(line) - 1;
	while (n && isspace((unsigned char)from[n - 1]))
		n--;
	memcpy(line, from, n);
	line[n] = 0;
	return line;
}

/* The verifier's verdict is the last line of its log before the statistics. */
static const char *pick_verdict(const char *log)
{
	const char *end = strstr(log, LOG_END), *p;

	if (!end)
		end = log + strlen(log);
	for (p = end; p > log && p[-1] == '\n'; p--)
		;
	while (p > log && p[-1] != '\n')
		p--;
	return pick(p);
}

const char *dp_heard(void)
{
	const char *p;

	p = strstr(said, KERNEL_SAYS);
	if (p)
		return pick(p + strlen(KERNEL_SAYS));
	p = strstr(said, LOG_BEGIN);
	if (p)
		return pick_verdict(p);
	return pick(said);
}

static void write_error(struct dp *dp, const char *fmt, va_list ap)
{
	vsnprintf(dp->error, sizeof(dp->error), fmt, ap);
}

int dp_say(struct dp *dp, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_error(dp, fmt, ap);
	va_end(ap);
	return err;
}

/* libbpf has numbers of its own above those of errno. */
static const char *reason_text(int err, char *buf, size_t len)
{
	if (libbpf_strerror(err, buf, len))
		return strerror(-err);
	return buf;
}

int dp_fail(struct dp *dp, int err, const char *fmt, ...)
{
	const char *heard = dp_heard();
	char text[128];
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	write_error(dp, fmt, ap);
	va_end(ap);
	n = strlen(dp->error);
	snprintf(dp->error + n, sizeof(dp->error) - n, ": %s",
		 reason_text(err, text, sizeof(text)));
	n = strlen(dp->error);
	if (*heard)
		snprintf(dp->error + n, sizeof(dp->error) - n, " (%s)", heard);
	n = strlen(dp->error);
	if (err == -EPERM || err == -EACCES)
		snprintf(dp->error + n, sizeof(dp->error) - n,
			 "; needs root, or CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN");
	return err;
}

void dp_add_note(struct dp *dp, const char *fmt, ...)
{
	size_t n = strlen(dp->note);
	va_list ap;

	if (n && n < sizeof(dp->note) - 3)
		n += (size_t)snprintf(dp->note + n, sizeof(dp->note) - n, "; ");
	va_start(ap, fmt);
	vsnprintf(dp->note + n, sizeof(dp->note) - n, fmt, ap);
	va_end(ap);
}

const char *dp_note(const struct dp *dp)
{
	return dp ? dp->note : "";
}

const char *dp_error(const struct dp *dp)
{
	return dp ? dp->error : "out of memory";
}
