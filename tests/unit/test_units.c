/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_units.c - durations, percentages and counts: exact, bounded, and read back from their own
 * print.
 */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "util/reason.h"
#include "util/units.h"

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		int err;
		int64_t us;
		const char *print;
	} t[] = {
		{ "250ms", 0, 250000, "250ms" },
		{ "2s", 0, 2000000, "2s" },
		{ "2000ms", 0, 2000000, "2s" },
		{ "5m", 0, 300000000, "5m" },
		{ "90s", 0, 90000000, "90s" },
		{ "1h", 0, 3600000000, "1h" },
		{ "24h", 0, 86400000000, "1d" },
		{ "1.5s", 0, 1500000, "1500ms" },
		{ "0.25h", 0, 900000000, "15m" },
		{ "0.000001s", 0, 1, "1us" },
		{ "1.50000000s", 0, 1500000, "1500ms" },
		{ "0s", 0, 0, "0s" },
		{ "0us", 0, 0, "0s" },
		{ "007s", 0, 7000000, "7s" },
		{ "9223372036854775806us", 0, INT64_MAX - 1, "9223372036854775806us" },
		{ "9223372036854775807us", -ERANGE, 0, NULL }, /* is "never" */
		{ "18446744073709551616us", -ERANGE, 0, NULL },
		{ "18446744073709551615d", -ERANGE, 0, NULL },
		{ "9223372036854775806.9ms", -ERANGE, 0, NULL },
		{ "99999999999999999999999999s", -ERANGE, 0, NULL },
		{ "99999999999999999999999999", -EINVAL, 0, NULL },
		{ "0.5us", -EINVAL, 0, NULL },
		{ "1.0000001s", -EINVAL, 0, NULL },
		{ "2", -EINVAL, 0, NULL },
		{ "", -EINVAL, 0, NULL },
		{ "s", -EINVAL, 0, NULL },
		{ ".5s", -EINVAL, 0, NULL },
		{ "1.s", -EINVAL, 0, NULL },
		{ "1..5s", -EINVAL, 0, NULL },
		{ "-1s", -EINVAL, 0, NULL },
		{ "+1s", -EINVAL, 0, NULL },
		{ " 1s", -EINVAL, 0, NULL },
		{ "1 s", -EINVAL, 0, NULL },
		{ "1s ", -EINVAL, 0, NULL },
		{ "1S", -EINVAL, 0, NULL },
		{ "1m30s", -EINVAL, 0, NULL },
		{ "1sec", -EINVAL, 0, NULL },
		{ "0x1s", -EINVAL, 0, NULL },
		{ "1e3s", -EINVAL, 0, NULL },
		{ "10%", -EINVAL, 0, NULL },
	};
	char buf[UNITS_STRLEN];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		mono_t d = MONO_US(-77);

		if (units_dur_parse(&d, t[i].text) != t[i].err)
			fail_msg("'%s'", t[i].text);
		assert_int_equal(d.us, t[i].err ? -77 : t[i].us);
		if (!t[i].err)
			assert_string_equal(units_dur_print(d, buf, sizeof(buf)), t[i].print);
	}
}

/* Every printed duration parses back to itself. */
static void test_duration_round_trip(void **state)
{
	char buf[UNITS_STRLEN];
	uint64_t x = 88172645463325252ull;
	mono_t d;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		d = MONO_US((x >> (1 + i % 63)) / 1000 * (i % 3 ? 1000 : 1));
		units_dur_print(d, buf, sizeof(buf));
		assert_int_equal(units_dur_parse(&d, buf), 0);
		assert_int_equal(d.us, (x >> (1 + i % 63)) / 1000 * (i % 3 ? 1000 : 1));
	}
	assert_string_equal(units_dur_print(MONO_MS(-1500), buf, sizeof(buf)), "-1500ms");
	assert_string_equal(units_dur_print(MONO_NEVER, buf, sizeof(buf)), "never");
	assert_string_equal(units_dur_print(MONO_US(INT64_MIN), buf, sizeof(buf)),
			    "-9223372036854775808us");
}

static void test_percent(void **state)
{
	static const char *const bad[] = { "10", "%", "", "10 %", "-1%", "1.5%", "10%%", "ten%" };
	uint32_t p = 77;

	(void)state;
	assert_int_equal(units_percent_parse(&p, "0%"), 0);
	assert_int_equal(p, 0);
	assert_int_equal(units_percent_parse(&p, "150%"), 0);
	assert_int_equal(p, 150);
	assert_int_equal(units_percent_parse(&p, "5.0%"), 0);
	assert_int_equal(p, 5);
	assert_int_equal(units_percent_parse(&p, "4294967295%"), 0);
	assert_int_equal(p, UINT32_MAX);
	assert_int_equal(units_percent_parse(&p, "4294967296%"), -ERANGE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(units_percent_parse(&p, bad[i]), -EINVAL);
	assert_int_equal(p, UINT32_MAX);
}

static void test_count(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint64_t n;
	} t[] = {
		{ "0", 0, 0 },
		{ "1048576", 0, 1048576 },
		{ "1.5k", 0, 1500 },
		{ "1M", 0, 1000000 },
		{ "0.001k", 0, 1 },
		{ "2G", 0, 2000000000 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "18446744073709551615k", -ERANGE, 0 },
		{ "1.5", -EINVAL, 0 },
		{ "1.0005k", -EINVAL, 0 },
		{ "1K", -EINVAL, 0 },
		{ "1kk", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "k", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "1 000", -EINVAL, 0 },
	};
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		n = 77;
		if (units_count_parse(&n, t[i].text) != t[i].err)
			fail_msg("'%s'", t[i].text);
		assert_int_equal(n, t[i].err ? 77 : t[i].n);
	}
}

static void test_count_print(void **state)
{
	static const struct {
		uint64_t n;
		const char *print;
	} t[] = {
		{ 0, "0" },
		{ 7, "7" },
		{ 999, "999" },
		{ 1000, "1k" },
		{ 1500, "1.5k" },
		{ 1999, "1.9k" },
		{ 99950, "99.9k" },
		{ 123456, "123k" },
		{ 1000000, "1M" },
		{ 12345678, "12.3M" },
		{ UINT64_MAX, "18446744073G" },
	};
	char buf[UNITS_STRLEN];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_string_equal(units_count_print(t[i].n, buf, sizeof(buf)), t[i].print);
}

/* The reason table: every row has all its columns, and numbers from outside are answered. */
static void test_reasons(void **state)
{
	(void)state;
	for (int r = 0; r < REASON_MAX; r++) {
		assert_true(strlen(reason_name((enum reason)r)) > 0);
		assert_true(strlen(reason_help((enum reason)r)) > 10);
		for (int s = 0; s < r; s++)
			assert_string_not_equal(reason_name((enum reason)r),
						reason_name((enum reason)s));
	}
	assert_int_equal(reason_class(REASON_REFUSED), REASON_HARD);
	assert_int_equal(reason_class(REASON_TLS_TIMEOUT), REASON_SOFT);
	assert_int_equal(reason_class(REASON_LOCAL_ERROR), REASON_LOCAL);
	assert_string_equal(reason_name(REASON_REFUSED), "refused");
	assert_string_equal(reason_name(REASON_MAX), "unknown");
	assert_string_equal(reason_name((enum reason) - 1), "unknown");
	assert_int_equal(reason_class((enum reason)1000), REASON_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),   cmocka_unit_test(test_duration_round_trip),
		cmocka_unit_test(test_percent),	    cmocka_unit_test(test_count),
		cmocka_unit_test(test_count_print), cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
