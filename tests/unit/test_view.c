/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_view.c - what readers see of a model: order, states, shares, reasons, health texts; and
 * that it is a copy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/fixture.h"

#define E1 "10.0.0.1:8443"
#define E2 "10.0.0.2:8443"

static struct conf *two_services(void)
{
	struct conf *c = fx_conf();

	fx_service(c, "web", "192.0.2.10:443");
	fx_endpoint(c, "web", E2, 300);
	fx_endpoint(c, "web", E1, 100);
	fx_service(c, "api", "[2001:db8::10]:443");
	fx_endpoint(c, "api", "[fd00::1]:443", 100);
	return c;
}

static void test_empty(void **state)
{
	struct model *m = model_new();
	struct view *v = view_build(m, MONO_S(1));

	(void)state;
	assert_non_null(v);
	assert_int_equal(v->services, 0);
	assert_null(view_service_find(v, "web"));
	view_free(v);
	view_free(NULL);
	model_free(m);
}

static void test_order_and_shares(void **state)
{
	struct conf *c = two_services();
	struct model *m = fx_model(c, MONO_S(1));
	const struct view_service *s;
	struct addr a = fx_addr(E1), other = fx_addr("10.0.0.9:1");
	struct view *v;

	(void)state;
	fx_all_up(m, MONO_S(2));
	fx_verb(m, VERB_ADD, "web", "10.0.0.0:1", MONO_S(3));
	v = view_build(m, MONO_S(4));
	assert_int_equal(v->now.us, 4000000);
	assert_int_equal(v->services, 2);
	assert_string_equal(v->service[0].name, "web");
	assert_string_equal(v->service[1].name, "api");
	s = view_service_find(v, "web");
	assert_ptr_equal(s, &v->service[0]);
	assert_string_equal(s->conf->name, "web");
	assert_int_equal(s->endpoints, 3);
	assert_int_equal(s->available, 2);
	assert_int_equal(s->total, 3);
	assert_int_equal(s->slots, 4);
	assert_true(addr_equal(&s->endpoint[1].addr, &a)); /* order of the file, added ones last */
	assert_int_equal(s->endpoint[0].slots, 3);
	assert_true(s->endpoint[0].share == 0.75);
	assert_int_equal(s->endpoint[1].weight, 100);
	assert_true(s->endpoint[2].added);
	assert_int_equal(s->endpoint[2].weight, 0);
	assert_ptr_equal(view_endpoint_find(s, &a), &s->endpoint[1]);
	assert_null(view_endpoint_find(s, &other));
	view_free(v);
	model_free(m);
	conf_free(c);
}

static void test_is_a_copy(void **state)
{
	struct conf *c = two_services();
	struct model *m = fx_model(c, MONO_S(1));
	struct view *v = view_build(m, MONO_S(1));

	(void)state;
	model_free(m);
	conf_free(c);
	assert_string_equal(v->service[1].conf->name, "api");
	assert_int_equal(v->service[1].conf->endpoints, 1);
	assert_int_equal(v->service[0].endpoint[0].state, EPS_INIT);
	view_free(v);
}

static void test_down_keeps_its_reason(void **state)
{
	struct conf *c = two_services();
	struct model *m = fx_model(c, MONO_S(1));
	uint32_t id, due[8];
	struct model_probe p = { .ok = false,
				 .why = REASON_TLS_ALERT,
				 .err = 5,
				 .took = MONO_MS(9),
				 .text = "handshake_failure" };
	struct view_endpoint e;

	(void)state;
	fx_all_up(m, MONO_S(2));
	id = fx_id(m, "web", E1);
	for (int i = 0; i < 3; i++) {
		fx_due(m, due, 8, MONO_S(10 + i));
		p.of = fx_run_of(id);
		model_probe_result(m, &p, MONO_S(10 + i));
	}
	fx_due(m, due, 8, MONO_S(20));
	/* one pass of two: still down, for the same reason */
	fx_result(m, id, REASON_PASS, MONO_S(20));
	e = fx_view(m, "web", E1);
	assert_int_equal(e.state, EPS_DOWN);
	assert_int_equal(e.reason, REASON_TLS_ALERT);
	assert_int_equal(e.err, 5);
	assert_string_equal(e.text, "handshake_failure");
	assert_int_equal(e.h, 1);
	assert_int_equal(e.h_max, 4);
	assert_int_equal(e.since.us, MONO_S(12).us);
	assert_int_equal(e.probe_at.us, MONO_S(20).us);
	assert_int_equal(e.probes_failed, 3);
	assert_int_equal(e.probes_ok, 2);
	model_free(m);
	conf_free(c);
}

static void test_admin_reasons(void **state)
{
	struct conf *c = two_services();
	struct model *m;
	struct view_endpoint e;

	(void)state;
	c->service[0].endpoint[0].admin = EP_DRAIN;
	m = fx_model(c, MONO_S(1));
	e = fx_view(m, "web", E2);
	assert_int_equal(e.state, EPS_DRAINING);
	assert_int_equal(e.reason, REASON_CONFIG);
	assert_int_equal(e.drain_until.us, MONO_S(301).us);
	assert_false(e.admin_set);
	fx_verb(m, VERB_MAINT, "web", E1, MONO_S(2));
	e = fx_view(m, "web", E1);
	assert_int_equal(e.reason, REASON_OPERATOR);
	assert_true(e.admin_set);
	model_tick(m, MONO_S(400));
	e = fx_view(m, "web", E2);
	assert_int_equal(e.reason, REASON_DEADLINE);
	model_free(m);
	conf_free(c);
}

static void test_health_text(void **state)
{
	static const struct {
		enum health_state health;
		uint32_t h;
		const char *text;
	} rows[] = {
		{ HEALTH_INIT, 0, "0/2" }, { HEALTH_DOWN, 0, "0/2" }, { HEALTH_DOWN, 1, "1/2" },
		{ HEALTH_UP, 4, "2/2" },   { HEALTH_UP, 3, "2/2-1" }, { HEALTH_UP, 2, "2/2-2" },
	};
	char buf[24];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct view_endpoint e = {
			.health = rows[i].health, .h = rows[i].h, .rise = 2, .fall = 3, .h_max = 4
		};

		assert_string_equal(view_health_text(&e, buf, sizeof(buf)), rows[i].text);
	}
}

static void test_names(void **state)
{
	struct plan_op enable = { .kind = PLAN_ENABLE };
	struct plan_op fill = { .kind = PLAN_TABLE_FILL, .table = TABLE_ROTATION };
	struct plan_op turn = { .kind = PLAN_TABLE_SWITCH, .table = TABLE_ADDRESS };
	char buf[32];

	(void)state;
	for (int s = EPS_GONE; s <= EPS_UP; s++)
		assert_true(strlen(ep_state_name((enum ep_state)s)) >= 2);
	assert_string_equal(ep_state_name(EPS_DRAINING), "DRAINING");
	assert_string_equal(ep_state_name((enum ep_state)99), "?");
	assert_string_equal(word_of(ep_admin_words, EP_MAINT), "maint");
	assert_string_equal(ep_health_name(HEALTH_DOWN), "down");
	assert_string_equal(plan_op_name(&enable, buf, sizeof(buf)), "enable");
	assert_string_equal(plan_op_name(&fill, buf, sizeof(buf)), "rotation-fill");
	assert_string_equal(plan_op_name(&turn, buf, sizeof(buf)), "address-switch");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	      cmocka_unit_test(test_order_and_shares),
		cmocka_unit_test(test_is_a_copy),     cmocka_unit_test(test_down_keeps_its_reason),
		cmocka_unit_test(test_admin_reasons), cmocka_unit_test(test_health_text),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
