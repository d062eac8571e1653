/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * log.h - one line per call, to stderr or to syslog. The message is written once, where the noun is
 * known: log_err("%s: open", path). Every call leaves errno as it was. The only part of util that
 * is not pure.
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* `name` is kept, not copied. Before log_init: to stderr, level info, no name. */
void log_init(const char *name, enum log_level level, bool to_syslog);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
const char *log_level_name(enum log_level level);

void log_err(const char *fmt, ...)
	__attribute__((format(printf, 1, 2))); /* adds ": strerror(errno)" */
void log_errx(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* does not */
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* For the printers that libraries call back: a trailing newline is dropped. */
void log_v(enum log_level level, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* "Cannot happen": says what was found and ends the process with status 1. */
void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
