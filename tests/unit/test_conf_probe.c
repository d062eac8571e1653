/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_conf_probe.c - which probes are of one kind, and how much work a configuration asks for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "lib/fixture.h"

static void different(struct conf_health *a, const struct conf_health *b)
{
	assert_false(conf_probe_same(a, b));
	*a = *b;
	assert_true(conf_probe_same(a, b));
}

static void test_kinds(void **state)
{
	struct conf_health b = { .type = PROBE_HTTPS, .interval = MONO_S(2), .timeout = MONO_S(1) };
	struct conf_health a = b;

	(void)state;
	a.interval = MONO_S(7);
	a.rise = a.fall = 9;
	a.jitter = 3;
	assert_true(conf_probe_same(&a, &b)); /* when, and what of it: no matter */
	a.type = PROBE_TLS;
	different(&a, &b);
	a.timeout = MONO_MS(999);
	different(&a, &b);
	a.port = 1;
	different(&a, &b);
	a.sni[0] = 'x';
	different(&a, &b);
	a.verify = PROBE_VERIFY_FULL;
	different(&a, &b);
	a.ca[0] = '/';
	different(&a, &b);
	a.alpn[0] = 'x';
	different(&a, &b);
	a.tls_min = 13;
	different(&a, &b);
	a.path[0] = '/';
	different(&a, &b);
	a.host[0] = 'x';
	different(&a, &b);
	a.status_lo = 1;
	different(&a, &b);
	a.status_hi = 1;
	different(&a, &b);
	a.expect[0] = 'x';
	different(&a, &b);
}

static struct conf *many(enum probe_type type, int endpoints, mono_t interval)
{
	struct conf *c = fx_conf();
	char addr[32];

	fx_service(c, "web", "192.0.2.10:443");
	fx_find(c, "web")->health.type = type;
	fx_find(c, "web")->health.interval = interval;
	for (int i = 0; i < endpoints; i++) {
		snprintf(addr, sizeof(addr), "10.0.%d.%d:443", i / 200, i % 200 + 1);
		fx_endpoint(c, "web", addr, 1);
	}
	return c;
}

static double load_of(struct conf *c)
{
	double load = conf_probe_load(c);

	conf_free(c);
	return load;
}

static void test_load(void **state)
{
	struct conf *c = many(PROBE_TCP, 100, MONO_S(2));

	(void)state;
	assert_true(load_of(many(PROBE_TCP, 1000, MONO_S(2))) == 500);
	assert_true(load_of(many(PROBE_TLS, 1000, MONO_S(2))) == 1500);
	assert_true(load_of(many(PROBE_HTTPS, 100, MONO_MS(500))) == 800);
	assert_true(load_of(many(PROBE_NONE, 1000, MONO_S(2))) == 0);
	/* What is shared costs once, at the rate of who asks most often. */
	fx_service(c, "api", "192.0.2.11:443");
	fx_find(c, "api")->health = fx_find(c, "web")->health;
	fx_find(c, "api")->health.interval = MONO_S(1);
	fx_endpoint(c, "api", "10.0.0.1:443", 1);
	fx_endpoint(c, "api", "10.0.0.1:444", 1);
	assert_true(load_of(c) == 49.5 + 1 + 1);
}

static void test_warning(void **state)
{
	struct conf *c = many(PROBE_TCP, 1000, MONO_MS(200));
	char text[256];

	(void)state;
	assert_false(conf_probe_warning(c, text, sizeof(text)));
	fx_endpoint(c, "web", "10.1.0.1:443", 1);
	assert_true(conf_probe_warning(c, text, sizeof(text)));
	assert_non_null(strstr(text, "5005 units"));
	assert_non_null(strstr(text, "raise interval 1.0 times"));
	conf_free(c);
	c = many(PROBE_TLS, 1000, MONO_MS(200));
	assert_true(conf_probe_warning(c, text, sizeof(text)));
	assert_non_null(strstr(text, "raise interval 3.0 times"));
	conf_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
