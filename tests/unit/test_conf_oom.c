/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_conf_oom.c - every allocation of conf fails once: the answer is an error or NULL, never a
 * crash, a leak (ASan looks) or a configuration with a hole. The sources are included, so that
 * their allocator can be replaced.
 */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * Allocations until the one that fails; later ones succeed again, which finds code that goes on
 * regardless.
 */
static long countdown = -1;

static bool fails(void)
{
	return countdown >= 0 && countdown-- == 0;
}

static void *failing_calloc(size_t n, size_t size)
{
	return fails() ? NULL : calloc(n, size);
}

static void *failing_realloc(void *p, size_t size)
{
	return fails() ? NULL : realloc(p, size);
}

#define calloc failing_calloc
#define realloc failing_realloc
#include "controller/util/strbuf.c"
#include "controller/conf/conf.c"
#include "controller/conf/conf_block.c"
#include "controller/conf/conf_take.c"
#include "controller/conf/conf_parse.c"
#include "controller/conf/conf_check.c"
#include "controller/conf/conf_error.c"
#include "controller/conf/conf_print.c"
#undef calloc
#undef realloc

static const char good[] =
	"interface eth0\ninterface eth1\ninterface eth2 { xdp native }\n"
	"control { group x }\n"
	"service a { listen 192.0.2.1:443; local-address 10.0.0.9; health tls { sni x }\n"
	"endpoint 10.0.0.1:443; endpoint 10.0.0.2:443; endpoint 10.0.0.3:443 }\n"
	"service b { listen 192.0.2.1:444; endpoint 10.0.0.1:443 }\n"
	"service c { listen 192.0.2.1:445; endpoint 10.0.0.1:443 }\n";

static bool has_oom(const struct conf_errors *err)
{
	for (size_t i = 0; i < err->n; i++) {
		if (!strcmp(err->e[i].text, "out of memory"))
			return true;
	}
	return false;
}

static void test_parse(void **state)
{
	struct conf_errors err;
	struct conf *c = NULL;
	long n;

	(void)state;
	for (n = 0; !c; n++) {
		assert_true(n < 1000);
		countdown = n;
		c = conf_parse(good, sizeof(good) - 1, &err);
		if (!c && !has_oom(&err))
			fail_msg("allocation %ld: %s", n, err.n ? err.e[0].text : "no error");
	}
	countdown = -1;
	assert_true(n > 10);
	assert_int_equal(c->services, 3);
	assert_int_equal(c->service[0].endpoints, 3);
	conf_free(c);
}

static void test_print_and_copy(void **state)
{
	struct conf_errors err;
	struct conf *c, *copy = NULL;
	char *print = NULL;
	long n;

	(void)state;
	c = conf_parse(good, sizeof(good) - 1, &err);
	assert_non_null(c);
	for (n = 0; !print; n++) {
		assert_true(n < 100);
		countdown = n;
		print = conf_print(c);
	}
	assert_true(n > 3);
	for (n = 0; !copy; n++) {
		assert_true(n < 100);
		countdown = n;
		copy = conf_copy(c);
	}
	assert_true(n > 5);
	countdown = -1;
	assert_true(conf_equal(c, copy));
	conf_free(copy);
	copy = conf_parse(print, strlen(print), &err);
	assert_non_null(copy);
	assert_true(conf_equal(c, copy)); /* no hole in the text */
	conf_free(copy);
	conf_free(c);
	free(print);
}

static void test_messages(void **state)
{
	static const char bad[] = "interface eth0 { xdp x; attach }\nservice a { modee x }\nqq\n";
	struct conf_errors err;
	char *shown = NULL;
	long n;

	(void)state;
	for (n = 0; n < 30; n++) {
		countdown = n;
		assert_null(conf_parse(bad, sizeof(bad) - 1, &err));
		assert_true(err.n > 0);
	}
	countdown = -1;
	assert_null(conf_parse(bad, sizeof(bad) - 1, &err));
	assert_int_equal(err.n, 4);
	for (n = 0; !shown; n++) {
		assert_true(n < 100);
		countdown = n;
		shown = conf_errors_format("f", bad, sizeof(bad) - 1, &err);
	}
	countdown = -1;
	assert_true(n > 2);
	free(shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_print_and_copy),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
