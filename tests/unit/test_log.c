/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_log.c - what a message looks like on stderr, which are left out, and that errno survives. */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/log.h"

static char got[8192];

/* Runs `say` with stderr going to `got`. */
static void capture(void (*say)(void))
{
	int fd[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_true(saved >= 0);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	dup2(fd[1], STDERR_FILENO);
	close(fd[1]);
	say();
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(fd[0], got, sizeof(got) - 1);
	close(fd[0]);
	got[n > 0 ? n : 0] = 0;
}

static void say_errors(void)
{
	errno = ENOENT;
	log_err("%s: open", "/x");
	assert_int_equal(errno, ENOENT);
	log_errx("plain %d", 5);
	assert_int_equal(errno, ENOENT);
}

static void say_levels(void)
{
	log_errx("e");
	log_warnx("w");
	log_info("i");
	log_debug("d");
}

static void say_odd(void)
{
	log_info("two\nlines\x1b[31m\ttab\n\n");
}

static void say_long(void)
{
	errno = EPERM;
	log_err("%s", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	log_errx("%03000d", 7);
}

static void test_form(void **state)
{
	(void)state;
	log_init("rrlbd", LOG_LEVEL_INFO, false);
	capture(say_errors);
	assert_string_equal(
		got, "rrlbd: error: /x: open: No such file or directory\nrrlbd: error: plain 5\n");
	log_init(NULL, LOG_LEVEL_INFO, false);
	capture(say_errors);
	assert_string_equal(got, "error: /x: open: No such file or directory\nerror: plain 5\n");
}

static void test_levels(void **state)
{
	(void)state;
	log_init(NULL, LOG_LEVEL_INFO, false);
	capture(say_levels);
	assert_string_equal(got, "error: e\nwarning: w\ninfo: i\n");
	log_set_level(LOG_LEVEL_DEBUG);
	assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
	capture(say_levels);
	assert_string_equal(got, "error: e\nwarning: w\ninfo: i\ndebug: d\n");
	log_set_level(LOG_LEVEL_ERR);
	capture(say_levels);
	assert_string_equal(got, "error: e\n");
	log_set_level(LOG_LEVEL_INFO);
	assert_string_equal(log_level_name(LOG_LEVEL_WARN), "warning");
	assert_string_equal(log_level_name((enum log_level)9), "unknown");
}

/* One call is one line, whatever is in it, and never longer than the buffer. */
static void test_one_line(void **state)
{
	size_t len;

	(void)state;
	capture(say_odd);
	assert_string_equal(got, "info: two?lines?[31m\ttab\n");
	capture(say_long);
	len = strlen(got);
	assert_true(len > 1000 && len < 1300);
	assert_string_equal(got + len - 7, "000...\n");
	assert_ptr_equal(strchr(got, '\n') + 1, strstr(got, "error: 000"));
}

/* fatal says what it found and ends with status 1. */
static void test_fatal(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		close(STDERR_FILENO);
		fatal("cannot happen: %d", 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_fatal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
