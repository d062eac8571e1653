/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_conf_endpoint.c - what may be an endpoint of which service: every fault and its nearest good
 * neighbour, one row each.
 */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "conf/conf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *listen; /* NULL = no service */
	const char *mode;
	const char *endpoint; /* "" = none */
	uint32_t weight;
	enum conf_fault fault;
	const char *why;
} rows[] = {
	{ "192.0.2.1:443", "nat", "10.0.0.1:8443", 100, CONF_FAULT_NONE, "" },
	{ "192.0.2.1:443", "nat", "10.0.0.1:8443", 0, CONF_FAULT_NONE, "" },
	{ "192.0.2.1:443", "nat", "10.0.0.1:1", 1, CONF_FAULT_NONE, "" },
	{ "192.0.2.1:443", "nat", "10.0.0.1:65535", 1000, CONF_FAULT_NONE, "" },
	{ "192.0.2.1:443", "nat", "10.0.0.1:8443", 1001, CONF_FAULT_WEIGHT,
	  "weight 1001 is out of range: 1 to 1000" },
	{ NULL, NULL, "10.0.0.1:8443", UINT32_MAX, CONF_FAULT_WEIGHT,
	  "weight 4294967295 is out of range: 1 to 1000" },
	{ NULL, NULL, "", 1, CONF_FAULT_ADDRESS, "an endpoint needs an address and a port" },
	{ NULL, NULL, "10.0.0.1", 1, CONF_FAULT_ADDRESS,
	  "an endpoint needs an address and a port" },
	{ NULL, NULL, "10.0.0.1:443", 1, CONF_FAULT_NONE, "" },
	{ NULL, NULL, "0.0.0.0:443", 1, CONF_FAULT_UNUSABLE,
	  "endpoint 0.0.0.0:443 is the unspecified address" },
	{ NULL, NULL, "255.255.255.255:443", 1, CONF_FAULT_UNUSABLE,
	  "endpoint 255.255.255.255:443 is the broadcast address" },
	{ NULL, NULL, "239.1.1.1:443", 1, CONF_FAULT_UNUSABLE,
	  "endpoint 239.1.1.1:443 is a multicast address" },
	{ NULL, NULL, "240.0.0.1:443", 1, CONF_FAULT_NONE, "" },
	{ NULL, NULL, "223.255.255.255:443", 1, CONF_FAULT_NONE, "" },
	{ NULL, NULL, "[::]:443", 1, CONF_FAULT_UNUSABLE,
	  "endpoint [::]:443 is the unspecified address" },
	{ NULL, NULL, "[::1]:443", 1, CONF_FAULT_NONE, "" },
	{ NULL, NULL, "[ff02::1]:443", 1, CONF_FAULT_UNUSABLE,
	  "endpoint [ff02::1]:443 is a multicast address" },
	{ NULL, NULL, "[fe80::1]:443", 1, CONF_FAULT_UNUSABLE,
	  "endpoint [fe80::1]:443 is a link-local address, which would need a scope" },
	{ NULL, NULL, "[fec0::1]:443", 1, CONF_FAULT_NONE, "" },
	{ NULL, NULL, "[::ffff:192.0.2.1]:443", 1, CONF_FAULT_UNUSABLE,
	  "endpoint [::ffff:192.0.2.1]:443 is an IPv4 address in IPv6 clothes: write it as IPv4" },
	{ "192.0.2.1:443", "nat", "[2001:db8::1]:443", 1, CONF_FAULT_FAMILY,
	  "endpoint [2001:db8::1]:443 is IPv6 but the service listens on IPv4: translation "
	  "between families is not supported" },
	{ "[2001:db8::9]:443", "dsr", "10.0.0.1:443", 1, CONF_FAULT_FAMILY,
	  "endpoint 10.0.0.1:443 is IPv4 but the service listens on IPv6: translation between "
	  "families is not supported" },
	{ "[2001:db8::9]:443", "dsr", "[2001:db8::1]:443", 1, CONF_FAULT_NONE, "" },
	{ "192.0.2.1:443", "nat", "192.0.2.1:443", 1, CONF_FAULT_LISTEN,
	  "the endpoint is the address that the service listens on" },
	{ "192.0.2.1:443", "nat", "192.0.2.1:444", 1, CONF_FAULT_NONE, "" },
	{ "192.0.2.1:443", "dsr", "192.0.2.1:443", 1, CONF_FAULT_NONE, "" },
	{ "192.0.2.1:443", "dsr", "10.0.0.1:444", 1, CONF_FAULT_PORT,
	  "mode dsr does not change ports: the endpoint's must be 443, as in listen" },
	{ "192.0.2.1:443", "dsr", "10.0.0.1:443", 1, CONF_FAULT_NONE, "" },
};

/* The service comes from text, so that its mode is whatever the word means. */
static struct conf *service_of(const char *listen, const char *mode)
{
	bool v6 = *listen == '[';
	struct conf_errors err;
	char text[256];
	struct conf *c;

	snprintf(text, sizeof(text),
		 "interface eth0\nservice a { listen %s; mode %s; endpoint %s }", listen, mode,
		 v6 ? "[2001:db8::2]:443" : "10.0.0.2:443");
	c = conf_parse(text, strlen(text), &err);
	assert_non_null(c);
	return c;
}

static void test_endpoint_valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *c = rows[i].listen ? service_of(rows[i].listen, rows[i].mode) : NULL;
		struct addr a = { 0 };
		char why[160] = "";

		if (*rows[i].endpoint)
			assert_int_equal(addr_parse(&a, rows[i].endpoint, false), 0);
		if (conf_endpoint_valid(c ? &c->service[0] : NULL, &a, rows[i].weight, why,
					sizeof(why)) != rows[i].fault ||
		    strcmp(why, rows[i].why))
			fail_msg("row %zu, %s: %s", i, rows[i].endpoint, why);
		conf_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoint_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
