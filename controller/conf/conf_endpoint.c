/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_endpoint.c - decides whether an address and a weight can be an endpoint of a service.
 *
 * An endpoint comes from the configuration file, from an operator's command, or from the state
 * file; all of them ask here, so that none of them lets in what another refuses. What needs more
 * than one endpoint (doubles, counts) is not decided here. Owns nothing.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf_int.h"

static bool all_zero(const uint8_t *b, size_t n)
{
	while (n && !b[n - 1])
		n--;
	return n == 0;
}

const char *addr_unusable(const struct addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };

	if (all_zero(a->ip, sizeof(a->ip)))
		return "the unspecified address";
	if (a->family == 4) {
		if (!memcmp(a->ip, broadcast, 4))
			return "the broadcast address";
		return (a->ip[0] & 0xf0) == 0xe0 ? "a multicast address" : NULL;
	}
	if (a->ip[0] == 0xff)
		return "a multicast address";
	if (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80)
		return "a link-local address, which would need a scope";
	return memcmp(a->ip, mapped, sizeof(mapped))
		       ? NULL
		       : "an IPv4 address in IPv6 clothes: write it as IPv4";
}

void families_why(const char *word, const struct addr *a, uint8_t family, char *why, size_t len)
{
	char buf[ADDR_STRLEN];

	snprintf(why, len,
		 "%s %s is IPv%u but the service listens on IPv%u: translation between families "
		 "is not supported",
		 word, addr_print(a, buf, sizeof(buf)), a->family, family);
}

/* What is wrong with it whatever the service is. */
static enum conf_fault fault_alone(const struct addr *a, uint32_t weight, char *why, size_t len)
{
	const char *kind = addr_unusable(a);
	char buf[ADDR_STRLEN];

	if ((a->family != 4 && a->family != 6) || !a->port) {
		snprintf(why, len, "an endpoint needs an address and a port");
		return CONF_FAULT_ADDRESS;
	}
	if (kind) {
		snprintf(why, len, "endpoint %s is %s", addr_print(a, buf, sizeof(buf)), kind);
		return CONF_FAULT_UNUSABLE;
	}
	if (weight > CONF_WEIGHT_MAX) {
		snprintf(why, len, "weight %u is out of range: %d to %d", weight, CONF_WEIGHT_MIN,
			 CONF_WEIGHT_MAX);
		return CONF_FAULT_WEIGHT;
	}
	return CONF_FAULT_NONE;
}

enum conf_fault conf_endpoint_valid(const struct conf_service *s, const struct addr *a,
				    uint32_t weight, char *why, size_t len)
{
	enum conf_fault fault = fault_alone(a, weight, why, len);

	if (fault || !s)
		return fault;
	if (a->family != s->listen.family) {
		families_why("endpoint", a, s->listen.family, why, len);
		return CONF_FAULT_FAMILY;
	}
	/* a mode on the link sends to a MAC; with another, packets would come back to us */
	if (addr_equal(a, &s->listen) && !rr_mode_has(s->mode, RR_MODE_ON_LINK)) {
		snprintf(why, len, "the endpoint is the address that the service listens on");
		return CONF_FAULT_LISTEN;
	}
	if (a->port != s->listen.port && !rr_mode_has(s->mode, RR_MODE_MAY_CHANGE_PORT)) {
		snprintf(why, len,
			 "mode %s does not change ports: the endpoint's must be %u, as in listen",
			 word_of(conf_mode_words, (int)s->mode), s->listen.port);
		return CONF_FAULT_PORT;
	}
	return CONF_FAULT_NONE;
}
