/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_file.c - files read whole up to a limit, and folders made level by level.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"

static char top[] = "/tmp/rrlb-test-file-XXXXXX";

static const char *at(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static void write_file(const char *path, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (size_t i = 0; i < len; i++)
		putc((int)(i % 251), f);
	assert_int_equal(fclose(f), 0);
}

static void test_read(void **state)
{
	static const struct {
		size_t size, max;
		int rc;
	} rows[] = {
		{ 0, 10, 0 },
		{ 0, 0, 0 },
		{ 1, 1, 0 },
		{ 10, 9, -EFBIG },
		{ 16384, 16384, 0 },
		{ 16385, 16384, -EFBIG },
		{ 100000, 1 << 20, 0 },
		{ 100000, 99999, -EFBIG },
	};
	const char *path = at("f");
	char *text;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file(path, rows[i].size);
		assert_int_equal(file_read(path, rows[i].max, &text, &len), rows[i].rc);
		assert_true(!text == !!rows[i].rc);
		if (rows[i].rc)
			continue;
		assert_int_equal(len, rows[i].size);
		assert_int_equal(text[len], '\0');
		for (size_t k = 0; k < len; k++)
			assert_int_equal((unsigned char)text[k], k % 251);
		free(text);
	}
	unlink(path);
	assert_int_equal(file_read(path, 10, &text, &len), -ENOENT);
	assert_null(text);
	assert_int_equal(file_read(top, 10, &text, &len), -EISDIR);
	assert_null(text);
}

/* From a pipe, in pieces, from where it stands. */
static void test_read_fd(void **state)
{
	char *text;
	size_t len;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "abc", 3), 3);
	assert_int_equal(write(fd[1], "def", 3), 3);
	close(fd[1]);
	assert_int_equal(file_read_fd(fd[0], 6, &text, &len), 0);
	assert_string_equal(text, "abcdef");
	free(text);
	assert_int_equal(close(fd[0]), 0);
	assert_int_equal(file_read_fd(fd[0], 6, &text, &len), -EBADF);
}

static void test_folders(void **state)
{
	char too_long[PATH_MAX + 10];
	struct stat st;

	(void)state;
	assert_int_equal(file_make_folder(at("a/b/c"), 0700), 0);
	assert_int_equal(stat(at("a/b"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(at("a/b/c"), &st), -1);
	/* once more, and what is there keeps its mode */
	assert_int_equal(file_make_folder(at("a/b/c"), 0755), 0);
	assert_int_equal(stat(at("a/b"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	write_file(at("a/f"), 1);
	assert_int_equal(file_make_folder(at("a/f/c"), 0700), 0);
	assert_int_equal(file_make_folder(at("a/f/c/d"), 0700), -ENOTDIR);
	assert_int_equal(file_make_folder("name", 0700), 0);
	assert_int_equal(file_make_folder("", 0700), 0);
	assert_int_equal(file_make_folder("/", 0700), 0);
	memset(too_long, 'x', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	assert_int_equal(file_make_folder(too_long, 0700), -ENAMETOOLONG);
	unlink(at("a/f"));
	rmdir(at("a/b"));
	rmdir(at("a"));
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_fd),
		cmocka_unit_test(test_folders),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
