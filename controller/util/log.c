/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * log.c - where messages go. Owns the process's log settings, the one piece of global state in
 * util.
 *
 * A line is formatted into a fixed buffer and leaves with one write(): it works when memory is out,
 * and lines of several threads do not interleave. A longer text is cut and marked. Control
 * characters (a peer's bytes quoted in a message) are shown as '?', so that no input can forge a
 * second line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "util/log.h"

#define LINE_MAX_LEN 1024

static struct {
	const char *name;
	enum log_level level;
	bool to_syslog;
} log_state = { .level = LOG_LEVEL_INFO };

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARN] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

void log_init(const char *name, enum log_level level, bool to_syslog)
{
	log_state.name = name;
	log_state.level = level;
	log_state.to_syslog = to_syslog;
	if (to_syslog)
		openlog(name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void log_set_level(enum log_level level)
{
	log_state.level = level;
}

enum log_level log_get_level(void)
{
	return log_state.level;
}

const char *log_level_name(enum log_level level)
{
	return (unsigned int)level <= LOG_LEVEL_DEBUG ? levels[level].name : "unknown";
}

static void clean(char *s)
{
	size_t len = strlen(s);

	while (len && s[len - 1] == '\n')
		s[--len] = 0;
	for (; *s; s++) {
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			*s = '?';
	}
}

static void to_stderr(enum log_level level, const char *text)
{
	char line[LINE_MAX_LEN + 64];
	int n;

	n = snprintf(line, sizeof(line), "%s%s%s: %s\n", log_state.name ? log_state.name : "",
		     log_state.name ? ": " : "", levels[level].name, text);
	if ((size_t)n >= sizeof(line)) {
		n = (int)sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return; /* nowhere left to say so */
}

/* `err` is appended as text when it is not 0. */
static void emit(enum log_level level, int err, const char *fmt, va_list ap)
{
	char text[LINE_MAX_LEN];
	int saved = errno;
	size_t used;
	int n;

	if (level > log_state.level)
		return;
	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		snprintf(text, sizeof(text), "unprintable message: %s", fmt);
	used = strlen(text);
	if (err)
		snprintf(text + used, sizeof(text) - used, ": %s", strerror(err));
	if (n >= (int)sizeof(text))
		memcpy(text + sizeof(text) - 4, "...", 4);
	clean(text);
	if (log_state.to_syslog)
		syslog(levels[level].priority, "%s", text);
	else
		to_stderr(level, text);
	errno = saved;
}

void log_v(enum log_level level, const char *fmt, va_list ap)
{
	emit(level, 0, fmt, ap);
}

#define LOG_BODY(level, err) \
	do { \
		va_list ap; \
		va_start(ap, fmt); \
		emit(level, err, fmt, ap); \
		va_end(ap); \
	} while (0)

void log_err(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_ERR, errno);
}

void log_errx(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_ERR, 0);
}

void log_warnx(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_WARN, 0);
}

void log_info(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_INFO, 0);
}

void log_debug(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_DEBUG, 0);
}

void fatal(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_ERR, 0);
	exit(1);
}
