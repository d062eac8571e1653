/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_port_order.c - the order in which local ports are drawn, their clock and their words
 * (rr_port.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rr_hash.h"
#include "rr_port.h"

/* One to one for every size, and lines in no order that a stranger could go on from. */
static void test_place(void **state)
{
	static uint8_t used[65536];
	uint32_t next = 0, last = 0;

	(void)state;
	for (uint32_t ports = 1; ports <= 65535; ports = ports * 2 + 1) {
		uint32_t mask = rr_port_mask(ports);

		assert_true(mask >= ports - 1 && mask / 2 < ports);
		memset(used, 0, sizeof(used));
		for (uint32_t n = 0; n <= mask; n++) {
			uint32_t at = rr_port_place(n + 77, rr_mix(ports), mask);

			assert_true(at <= mask);
			assert_int_equal(used[at]++, 0);
			next += at / RR_PORT_LINE == last / RR_PORT_LINE + 1;
			last = at;
		}
	}
	assert_true(next < 1000);
}

/* A rest that is written in ticks is never shorter than in jiffies, whenever it begins. */
static void test_ticks(void **state)
{
	static const uint32_t hz[] = { 100, 250, 300, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof(hz) / sizeof(hz[0]); i++) {
		uint32_t shift = rr_port_shift(hz[i]), rest = rr_port_ticks(61 * hz[i], shift);

		assert_in_range(1u << shift, hz[i], 2 * hz[i]);
		for (uint32_t t = 0u - 70 * hz[i]; t != 70 * hz[i]; t++) { /* over the wrap */
			uint32_t was = rr_port_closed(rr_port_time(t, shift), 0);
			uint32_t then = rr_port_time(t + 61 * hz[i] - 1, shift);
			uint32_t late = rr_port_time(t + 61 * hz[i] + (3u << shift), shift);

			assert_true(rr_port_age(was, then) < rest);
			assert_true(rr_port_age(was, late) >= rest);
		}
	}
}

/* The word of a closed port never looks like that of one never used, or in use. */
static void test_closed(void **state)
{
	(void)state;
	for (uint32_t t = 0; t <= 0xffff; t++) {
		assert_int_not_equal(rr_port_closed(t, 0), 0);
		assert_false(rr_port_closed(t, 0xffff) & RR_PORT_IN_USE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_ticks),
		cmocka_unit_test(test_closed),
	};

	return cmocka_run_group_tests_name("port order", tests, NULL, NULL);
}
