/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_addr.c - which texts are addresses, how they print, how they order. */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "util/addr.h"

static void test_good(void **state)
{
	static const struct {
		const char *text, *print;
		bool need_port;
		uint8_t family;
		uint16_t port;
	} t[] = {
		{ "192.0.2.1:443", NULL, true, 4, 443 },
		{ "0.0.0.0:1", NULL, true, 4, 1 },
		{ "255.255.255.255:65535", NULL, true, 4, 65535 },
		{ "192.0.2.1", NULL, false, 4, 0 },
		{ "192.0.2.1:80", NULL, false, 4, 80 },
		{ "[2001:db8::1]:443", NULL, true, 6, 443 },
		{ "[::]:65535", NULL, true, 6, 65535 },
		{ "[2001:DB8:0:0:0:0:0:1]:443", "[2001:db8::1]:443", true, 6, 443 },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", false, 6, 0 },
		{ "[2001:db8::1]", "2001:db8::1", false, 6, 0 },
		{ "2001:db8:1:2:3:4:5:0", NULL, false, 6, 0 },
		{ "1:0:2:0:3:0:4:0", NULL, false, 6, 0 },
		{ "::ffff:192.0.2.1", NULL, false, 6, 0 },
	};
	char buf[ADDR_STRLEN];
	struct addr a, again;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(addr_parse(&a, t[i].text, t[i].need_port), 0);
		assert_int_equal(a.family, t[i].family);
		assert_int_equal(a.port, t[i].port);
		addr_print(&a, buf, sizeof(buf));
		assert_string_equal(buf, t[i].print ? t[i].print : t[i].text);
		assert_int_equal(addr_parse(&again, buf, t[i].need_port), 0);
		assert_true(addr_equal(&a, &again));
		assert_memory_equal(&a, &again, sizeof(a));
	}
}

static const struct {
	const char *text;
	bool need_port;
} bad[] = {
	{ "", true },
	{ "", false },
	{ "192.0.2.1", true },
	{ "192.0.2.1:", true },
	{ "192.0.2.1:", false },
	{ "192.0.2.1:0", true },
	{ "192.0.2.1:00443", true },
	{ "192.0.2.1:0443", true },
	{ "192.0.2.1:65536", true },
	{ "192.0.2.1:4294967739", true }, /* 443 in 32 bits */
	{ "192.0.2.1:99999999999999999999", true },
	{ "192.0.2.1:+443", true },
	{ "192.0.2.1:-1", true },
	{ "192.0.2.1: 443", true },
	{ " 192.0.2.1:443", true },
	{ "192.0.2.1:443 ", true },
	{ "192.0.2.1:443x", true },
	{ "192.0.2.1x:443", true },
	{ "192.0.2:443", true },
	{ "192.0.2.256:443", true },
	{ "192.0.02.1:443", true },
	{ "1.2.3.4.5:443", true },
	{ "0x7f.0.0.1:443", true },
	{ "[192.0.2.1]:443", true },
	{ "2001:db8::1:443", true },
	{ "2001:db8:1:2:3:4:5:6:443", false },
	{ "[2001:db8::1]", true },
	{ "[2001:db8::1]443", false },
	{ "[2001:db8::1]:", false },
	{ "[2001:db8::1]:0", false },
	{ "[2001:db8::1", false },
	{ "2001:db8::1]:443", false },
	{ "[]:443", true },
	{ "[[::1]]:443", true },
	{ "[::1]]:443", true },
	{ "[fe80::1%eth0]:443", true },
	{ "fe80::1%2", false },
	{ "192.0.2.1%eth0", false },
	{ "2001:db8::1::2", false },
	{ "2001:db8:::1", false },
	{ "[12345::1]:443", true },
	{ ":443", true },
	{ ":", false },
	{ "*:443", true },
	{ "localhost:443", true },
	{ "[0000000000000000000000000000000000000000000000000000000000000001]:443", true },
};

static void test_bad(void **state)
{
	struct addr a, before;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = before;
		if (addr_parse(&a, bad[i].text, bad[i].need_port) != -EINVAL)
			fail_msg("'%s' was taken", bad[i].text);
		assert_memory_equal(&a, &before, sizeof(a)); /* untouched on error */
	}
}

static void test_order(void **state)
{
	static const char *const rising[] = { "0.0.0.1:5",  "10.0.0.1:1",
					      "10.0.0.1:2", "10.0.0.1:65535",
					      "10.0.0.2:1", "200.0.0.1",
					      "::1",	    "[::1]:1",
					      "::2",	    "2001:db8::" };
	struct addr a, b;
	size_t i, j, n = sizeof(rising) / sizeof(rising[0]);

	(void)state;
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			assert_int_equal(addr_parse(&a, rising[i], false), 0);
			assert_int_equal(addr_parse(&b, rising[j], false), 0);
			assert_int_equal(addr_cmp(&a, &b), i < j ? -1 : i > j);
			assert_int_equal(addr_equal(&a, &b), i == j);
		}
	}
}

static void test_print_limits(void **state)
{
	char buf[ADDR_STRLEN], small[8];
	struct addr none = { 0 }, a;

	(void)state;
	assert_string_equal(addr_print(&none, buf, sizeof(buf)), "-");
	assert_int_equal(addr_parse(&a, "[1111:2222:3333:4444:5555:6666:7777:8888]:65535", true),
			 0);
	assert_string_equal(addr_print(&a, buf, sizeof(buf)),
			    "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
	assert_string_equal(addr_print(&a, small, sizeof(small)), "[1111:2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_print_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
