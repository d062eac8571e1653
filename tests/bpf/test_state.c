/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_state.c - the state file on disk: what is there after a load and a save, and what is left of
 * a file that cannot be used. What its rows mean is golden_state's.
 */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "lib/fixture.h"
#include "rrlbd/state.h"
#include "sys/loop.h"

static const char text[] = "interface eth0\nservice web { listen 192.0.2.1:443\n"
			   " endpoint 10.0.0.1:443; endpoint 10.0.0.2:443 }\n";

static struct daemon d;
static char folder[64], path[96], bad[96];

static int setup(void **state)
{
	struct conf_errors err;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/rrlb-state-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/state.json", folder);
	snprintf(bad, sizeof(bad), "%s/state.json.bad", folder);
	memset(&d, 0, sizeof(d));
	assert_int_equal(loop_open(&d.loop), 0);
	d.conf = conf_parse(text, sizeof(text) - 1, &err);
	d.model = model_new();
	d.state = path;
	assert_true(d.conf && d.model);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	state_free(&d);
	model_free(d.model);
	conf_free(d.conf);
	loop_close(d.loop);
	unlink(path);
	unlink(bad);
	return rmdir(folder); /* nothing else is left in it */
}

static void put(const char *content)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(content, f);
	assert_int_equal(fclose(f), 0);
}

/* The whole file in a static buffer, "" when there is none. */
static const char *get(const char *name)
{
	static char buf[65536];
	FILE *f = fopen(name, "r");
	size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

	buf[n] = 0;
	if (f)
		fclose(f);
	return buf;
}

static void load_apply_save(void)
{
	assert_int_equal(state_load(&d), 0);
	assert_int_equal(model_apply(d.model, d.conf, false, daemon_now(&d)), 0);
	assert_int_equal(state_open(&d), 0);
	assert_int_equal(state_save(&d), 0);
	assert_true(state_flush(&d, MONO_S(10)));
}

static void test_first_start(void **state)
{
	struct stat st;

	(void)state;
	load_apply_save();
	assert_non_null(strstr(get(path), "\"min_reader\": 1"));
	assert_non_null(strstr(get(path), "10.0.0.2:443"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777 & ~0600, 0);
	assert_int_not_equal(access(bad, F_OK), 0);
}

/* Written only when it differs: a file that somebody removed meanwhile stays away. */
static void test_same_is_not_written(void **state)
{
	(void)state;
	load_apply_save();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(state_save(&d), 0);
	assert_true(state_flush(&d, MONO_S(10)));
	assert_int_not_equal(access(path, F_OK), 0);
}

static void test_unreadable_is_kept(void **state)
{
	(void)state;
	put("{\"version\": 1, \"rows\": [");
	load_apply_save();
	assert_string_equal(get(bad), "{\"version\": 1, \"rows\": [");
	assert_non_null(strstr(get(path), "10.0.0.1:443"));
}

static void test_too_new_is_kept(void **state)
{
	(void)state;
	put("{\"version\": 9, \"min_reader\": 2, \"rows\": []}");
	load_apply_save();
	assert_non_null(strstr(get(bad), "\"version\": 9"));
	assert_non_null(strstr(get(path), "\"version\": 1"));
}

/* What is not understood stands in the next file, and in the one after a second start. */
static void test_rest_is_kept(void **state)
{
	(void)state;
	put("{\"version\": 2, \"min_reader\": 1, \"more\": 7, \"rows\": [{\"service\": \"web\","
	    " \"endpoint\": \"10.0.0.1:443\", \"note\": \"rack 4\"}, {\"service\": \"web\","
	    " \"endpoint\": \"10.0.0.2:443\", \"admin\": \"asleep\"}]}");
	for (int start = 0; start < 2; start++) {
		load_apply_save();
		assert_non_null(strstr(get(path), "\"more\": 7"));
		assert_non_null(strstr(get(path), "\"note\": \"rack 4\""));
		assert_non_null(strstr(get(path), "\"admin\": \"asleep\""));
		assert_non_null(strstr(get(path), "\"admin\": \"drain\""));
		state_free(&d);
		model_free(d.model);
		d.model = model_new();
		assert_non_null(d.model);
	}
	assert_int_not_equal(access(bad, F_OK), 0);
}

static void test_cannot_be_written(void **state)
{
	(void)state;
	load_apply_save();
	d.state = "/proc/nowhere/state.json";
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fx_verb(d.model, VERB_PAUSE, "web", NULL, daemon_now(&d)), MODEL_OK);
	assert_int_equal(state_save(&d), 0);
	assert_true(state_saving(&d));
	assert_false(state_flush(&d, MONO_S(10)));
	assert_int_equal(d.saving.rc, -ENOENT);
	assert_int_equal(d.saving.ended, d.saving.due);
	d.state = path;
	assert_int_equal(state_save(&d), 0);
	assert_true(state_flush(&d, MONO_S(10)));
	assert_int_equal(d.saving.rc, 0);
	assert_non_null(strstr(get(path), "\"paused\": true"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_is_not_written, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_new_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rest_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cannot_be_written, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
