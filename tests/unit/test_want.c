/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_want.c - which endpoints are wanted: file, operator and discovery, alone and together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/fixture.h"
#include "model/want.h"

#define E1 "10.0.0.1:8443"
#define E2 "10.0.0.2:8443"
#define E3 "10.0.0.3:8443"
#define E4 "10.0.0.4:8443"

static struct want want[64];

static struct conf *web_conf(void)
{
	struct conf *c = fx_conf();

	fx_service(c, "web", "192.0.2.10:443")->weight_default = 70;
	fx_endpoint(c, "web", E2, 200);
	fx_endpoint(c, "web", E1, 100);
	return c;
}

static size_t build(const struct conf *c, const struct model_saved *over, size_t overs,
		    const struct want_found *found, size_t founds)
{
	struct want_input in = { .conf = &c->service[0],
				 .over = over,
				 .overs = overs,
				 .found = found,
				 .founds = founds };

	return want_build(&in, want, 64);
}

static void assert_want(size_t i, const char *addr, unsigned int origin, uint32_t weight,
			enum ep_admin admin)
{
	struct addr a = fx_addr(addr);

	assert_true(addr_equal(&want[i].address, &a));
	assert_int_equal(want[i].origin, origin);
	assert_int_equal(want[i].weight, weight);
	assert_int_equal(want[i].admin, admin);
}

static void test_file(void **state)
{
	struct conf *c = web_conf();

	(void)state;
	c->service[0].endpoint[1].admin = EP_DRAIN;
	assert_int_equal(build(c, NULL, 0, NULL, 0), 2);
	assert_want(0, E2, ORIGIN_FILE, 200, EP_READY); /* in the file's order */
	assert_want(1, E1, ORIGIN_FILE, 100, EP_DRAIN);
	assert_int_equal(want[1].admin_why, REASON_CONFIG);
	assert_string_equal(want[0].name, "");
	assert_int_equal(want[0].group, 0);
	assert_int_equal(want[0].tier, 1);
	assert_false(want[0].weight_set);
	conf_free(c);
}

static void test_operator(void **state)
{
	struct conf *c = web_conf();
	const struct model_saved over[] = {
		{ .paused = true }, /* the service's own row names no endpoint */
		{ .endpoint = fx_addr(E1), .weight = 300, .admin = EP_MAINT, .admin_set = true },
		{ .endpoint = fx_addr(E2), .deleted = true },
		{ .endpoint = fx_addr(E3), .added = true },
		{ .endpoint = fx_addr(E4), .added = true, .weight = 5 },
	};

	(void)state;
	assert_int_equal(build(c, over, 5, NULL, 0), 3);
	assert_want(0, E1, ORIGIN_FILE, 300, EP_MAINT);
	assert_int_equal(want[0].admin_why, REASON_OPERATOR);
	assert_true(want[0].weight_set);
	assert_want(1, E3, ORIGIN_OPERATOR, 70, EP_READY);
	assert_want(2, E4, ORIGIN_OPERATOR, 5, EP_READY);
	assert_false(want[2].weight_set); /* there is no other weight that it stands in for */
	conf_free(c);
}

static void test_discovered(void **state)
{
	struct conf *c = web_conf();
	const struct want_found found[] = {
		{ .address = fx_addr(E3), .name = "pod-3", .weight = 9, .group = 2, .tier = 3 },
		{ .address = fx_addr(E1),
		  .weight = 1,
		  .admin = EP_DRAIN }, /* the file's word stands */
		{ .address = fx_addr(E4), .admin = EP_DRAIN },
		{ .address = fx_addr(E3), .weight = 8 }, /* said twice: the first */
		{ .address = fx_addr("[fd00::1]:8443") }, /* of another family */
		{ .address = fx_addr("10.0.0.5:8443"), .weight = 1001 },
		{ .address = fx_addr("192.0.2.10:443") }, /* the service's own address */
	};

	(void)state;
	assert_int_equal(build(c, NULL, 0, found, 7), 4);
	assert_want(0, E2, ORIGIN_FILE, 200, EP_READY);
	assert_want(1, E1, ORIGIN_FILE | ORIGIN_DISCOVERED, 100, EP_READY);
	assert_want(2, E3, ORIGIN_DISCOVERED, 9, EP_READY);
	assert_string_equal(want[2].name, "pod-3");
	assert_int_equal(want[2].group, 2);
	assert_int_equal(want[2].tier, 3);
	assert_want(3, E4, ORIGIN_DISCOVERED, 70, EP_DRAIN);
	assert_int_equal(want[3].tier, 1);
	conf_free(c);
}

static void test_all_three(void **state)
{
	struct conf *c = web_conf();
	const struct model_saved over[] = {
		{ .endpoint = fx_addr(E1), .added = true }, /* before the file had it */
		{ .endpoint = fx_addr(E2), .deleted = true },
		{ .endpoint = fx_addr(E3), .weight = 33 },
		{ .endpoint = fx_addr(E4), .added = true },
	};
	const struct want_found found[] = {
		{ .address = fx_addr(E2) }, /* found or not: an operator has deleted it */
		{ .address = fx_addr(E3), .weight = 9 },
		{ .address = fx_addr(E4), .weight = 9 },
	};

	(void)state;
	assert_int_equal(build(c, over, 4, found, 3), 3);
	assert_want(0, E1, ORIGIN_FILE | ORIGIN_OPERATOR, 100, EP_READY);
	assert_want(1, E4, ORIGIN_OPERATOR | ORIGIN_DISCOVERED, 70, EP_READY);
	assert_want(2, E3, ORIGIN_DISCOVERED, 33, EP_READY);
	assert_true(want[2].weight_set);
	conf_free(c);
}

static void test_no_room(void **state)
{
	struct conf *c = web_conf();
	const struct model_saved over[] = { { .endpoint = fx_addr(E3), .added = true } };
	const struct want_found found[] = { { .address = fx_addr(E4) } };
	struct want_input in = {
		.conf = &c->service[0], .over = over, .overs = 1, .found = found, .founds = 1
	};

	(void)state;
	for (size_t max = 0; max <= 5; max++)
		assert_int_equal(want_build(&in, want, max), max < 4 ? max : 4);
	assert_int_equal(want_build(&in, want, 3), 3);
	assert_want(2, E3, ORIGIN_OPERATOR, 70, EP_READY); /* the last comers are left out */
	conf_free(c);
}

/* ---- at random, against a description without any cleverness ---- */

#define ADDRS 12

static struct addr nth(uint32_t i)
{
	char text[ADDR_STRLEN];

	/* the last two may not be endpoints of an IPv4 service */
	snprintf(text, sizeof(text), i < ADDRS - 2 ? "10.0.0.%u:8443" : "[fd00::%u]:8443", i + 1);
	return fx_addr(text);
}

struct said {
	bool file, added, deleted, found;
	uint32_t file_weight, over_weight, found_weight;
};

static uint32_t weight_due(const struct said *s)
{
	if (s->over_weight)
		return s->over_weight;
	if (s->file)
		return s->file_weight;
	return !s->added && s->found_weight ? s->found_weight : 70;
}

static unsigned int origin_due(const struct said *s, bool v4)
{
	if (s->deleted || (!v4 && !s->file))
		return 0;
	return (s->file ? ORIGIN_FILE : 0u) | (s->added && v4 ? ORIGIN_OPERATOR : 0u) |
	       (s->found && v4 ? ORIGIN_DISCOVERED : 0u);
}

static void say(struct fx_rng *r, struct said *s)
{
	memset(s, 0, sizeof(*s));
	s->file = fx_rand(r, 2);
	s->added = fx_rand(r, 3) == 0;
	s->deleted = !s->added && fx_rand(r, 4) == 0;
	s->found = fx_rand(r, 2);
	s->file_weight = 1 + fx_rand(r, 1000);
	s->over_weight = fx_rand(r, 3) ? 0 : 1 + fx_rand(r, 1000);
	s->found_weight = fx_rand(r, 2) ? 0 : 1 + fx_rand(r, 1000);
}

static void check_random(struct fx_rng *r)
{
	struct conf *c = fx_conf();
	struct model_saved over[ADDRS] = { 0 };
	struct want_found found[ADDRS] = { 0 };
	struct said said[ADDRS];
	size_t overs = 0, founds = 0, n, due = 0, seen = 0;

	fx_service(c, "web", "192.0.2.10:443")->weight_default = 70;
	for (uint32_t i = 0; i < ADDRS; i++) {
		struct said *s = &said[i];
		struct addr a = nth(i);
		char text[ADDR_STRLEN];

		say(r, s);
		if (s->file)
			fx_endpoint(c, "web", addr_print(&a, text, sizeof(text)), s->file_weight);
		over[overs++] = (struct model_saved){ .endpoint = a,
						      .added = s->added,
						      .deleted = s->deleted,
						      .weight = s->over_weight };
		if (s->found)
			found[founds++] =
				(struct want_found){ .address = a, .weight = s->found_weight };
		due += origin_due(s, i < ADDRS - 2) != 0;
	}
	n = build(c, over, overs, found, founds);
	assert_int_equal(n, due); /* with the origins below: none twice, none missing */
	for (uint32_t i = 0; i < ADDRS; i++) {
		struct addr a = nth(i);

		for (size_t k = 0; k < n; k++) {
			if (!addr_equal(&want[k].address, &a))
				continue;
			assert_int_equal(want[k].origin, origin_due(&said[i], i < ADDRS - 2));
			assert_int_equal(want[k].weight, weight_due(&said[i]));
			seen++;
		}
	}
	assert_int_equal(seen, n);
	conf_free(c);
}

static void test_random(void **state)
{
	struct fx_rng r = { 77 };

	(void)state;
	for (int round = 0; round < 2000; round++)
		check_random(&r);
}

/* What fitted once and does not any more, since the file has changed, leaves. */
static void test_added_no_longer_fits(void **state)
{
	struct conf *c = web_conf();
	struct model *m = fx_model(c, MONO_S(1));

	(void)state;
	fx_all_up(m, MONO_S(1));
	assert_int_equal(fx_verb(m, VERB_ADD, "web", E3, MONO_S(2)), MODEL_OK);
	assert_true(fx_view(m, "web", E3).added);
	fx_endpoint_del(c, "web", E1);
	fx_endpoint_del(c, "web", E2);
	c->service[0].listen = fx_addr("[2001:db8::10]:443");
	fx_endpoint(c, "web", "[fd00::1]:8443", 100);
	assert_int_equal(model_apply(m, c, false, MONO_S(3)), 0);
	assert_int_equal(fx_state(m, "web", E3), EPS_DRAINING);
	assert_int_equal(fx_state(m, "web", "[fd00::1]:8443"), EPS_INIT);
	model_free(m);
	conf_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_operator),
		cmocka_unit_test(test_discovered),
		cmocka_unit_test(test_all_three),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_added_no_longer_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
