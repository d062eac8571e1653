/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * addr.h - an IP address with a port: parse, print, compare. No resolver: literals only.
 */
#ifndef UTIL_ADDR_H
#define UTIL_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDR_STRLEN 56 /* "[v6]:65535" with room */

struct addr {
	uint8_t family; /* 4, 6, or 0 = none */
	uint8_t pad;
	uint16_t port; /* host order; 0 = none */
	uint8_t ip[16]; /* network order; IPv4 in ip[0..3], the rest zero */
};

/*
 * "192.0.2.1:443", "[2001:db8::1]:443"; `need_port` false also takes an address alone. 0 or
 * -EINVAL.
 */
int addr_parse(struct addr *a, const char *text, bool need_port);
/* Prints as parsed; without ":port" when port is 0. Returns buf. */
const char *addr_print(const struct addr *a, char *buf, size_t len);
int addr_cmp(const struct addr *a, const struct addr *b); /* family, ip, port */
bool addr_equal(const struct addr *a, const struct addr *b);

#endif
