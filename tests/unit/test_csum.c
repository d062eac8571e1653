/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_csum.c - bpf/csum.h compiled natively: a checksum after a change by difference is the one
 * computed anew (RFC 1624 with its own example, borders, random changes of whole segments).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/bpf_host.h"
#include "lib/pkt.h"

static uint64_t rng = 0x2545f4914f6cdd1dull;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* As the field stands in a packet: the complemented sum over the bytes, in memory order. */
static uint16_t field(const void *b, size_t len)
{
	return pkt_be16((uint16_t)~pkt_sum(0, b, len));
}

static void test_fold(void **state)
{
	(void)state;
	assert_int_equal(csum_fold(0), 0);
	assert_int_equal(csum_fold(0xffff), 0xffff);
	assert_int_equal(csum_fold(0x10000), 1);
	assert_int_equal(csum_fold(0xffffffff), 0xffff);
	assert_int_equal(csum_fold(0x100000000ull), 1);
	assert_int_equal(csum_fold(0xffffffffffffffffull), 0xffff);
	assert_int_equal(csum_fold(0xfffffffeffffffffull), csum_fold(0xfffffffeull));
}

/* RFC 1624 section 4: the case in which the older formula gave the wrong zero. */
static void test_rfc1624(void **state)
{
	(void)state;
	assert_int_equal(csum_apply(0xdd2f, (__u64)(__u16)~0x5555 + 0x3285), 0x0000);
}

static void test_fold_random(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t x = rnd() >> (rnd() % 64);

		/* one's complement sums are congruent modulo 0xffff, and 0 only for 0 */
		assert_int_equal(csum_fold(x) % 0xffff, x % 0xffff);
		assert_int_equal(csum_fold(x) == 0, x == 0);
	}
}

/* Borders: what is replaced and by what, each of all zeros, all ones, and small. */
static void test_borders(void **state)
{
	static const uint32_t v[] = { 0, 1, 0xffff, 0x10000, 0xffff0000, 0xfffffffe, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		for (size_t j = 0; j < sizeof(v) / sizeof(v[0]); j++) {
			uint32_t w[3] = { 0x12345678, v[i], 0x9abcdef0 };
			uint16_t was = field(w, sizeof(w));

			w[1] = v[j];
			assert_int_equal(csum_apply(was, csum_swap32(v[i], v[j])),
					 field(w, sizeof(w)));
		}
	}
}

/* Addresses, ports and TTL of a packet change at once, as the packet path does it. */
static void test_random(void **state)
{
	uint8_t b[64];
	uint64_t was64, is64;
	uint32_t was32, is32;
	uint16_t check;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		__u64 diff = 0;

		for (size_t n = 0; n < sizeof(b); n++)
			b[n] = (uint8_t)(rnd() >> 16);
		check = field(b, sizeof(b));
		for (int n = 0; n < 4; n++) {
			is64 = rnd() & (rnd() | rnd());
			memcpy(&was64, b + n * 8, 8);
			memcpy(b + n * 8, &is64, 8);
			diff += csum_swap64(was64, is64);
		}
		is32 = (uint32_t)rnd();
		memcpy(&was32, b + 40, 4);
		memcpy(b + 40, &is32, 4);
		diff += csum_swap32(was32, is32);
		assert_int_equal(csum_apply(check, diff), field(b, sizeof(b)));
	}
}

/* A checksum that was wrong stays wrong by as much: nothing is repaired in passing. */
static void test_wrong_stays_wrong(void **state)
{
	uint32_t w[4] = { 1, 2, 3, 4 };
	uint16_t good = field(w, sizeof(w)), bad = (uint16_t)(good ^ 0x0101);
	__u64 diff = csum_swap32(w[2], 0xdeadbeef);

	(void)state;
	w[2] = 0xdeadbeef;
	assert_int_equal(csum_apply(good, diff), field(w, sizeof(w)));
	assert_int_not_equal(csum_apply(bad, diff), field(w, sizeof(w)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold),	    cmocka_unit_test(test_rfc1624),
		cmocka_unit_test(test_fold_random), cmocka_unit_test(test_borders),
		cmocka_unit_test(test_random),	    cmocka_unit_test(test_wrong_stays_wrong),
	};

	return cmocka_run_group_tests_name("csum", tests, NULL, NULL);
}
