/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * addr.c - text <-> struct addr.
 *
 * Accepts exactly what it would print, plus the non-canonical spellings of an IPv6 literal: no
 * names, no scope ids (the packet path knows addresses, not interfaces), no leading zeros, nothing
 * after the port. An IPv6 address with a port needs brackets, because "2001:db8::1:443" is also a
 * complete address. Printing follows RFC 5952. Owns nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/addr.h"

/* 1..65535, digits only, no leading zero: 0 or -EINVAL */
static int port_parse(uint16_t *port, const char *text)
{
	unsigned int n = 0;

	if (*text < '1' || *text > '9')
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		n = n * 10 + (unsigned int)(*text - '0');
		if (n > 65535)
			return -EINVAL;
	}
	*port = (uint16_t)n;
	return 0;
}

/* The `len` bytes at text as a literal of the given family. */
static int ip_parse(struct addr *a, int af, const char *text, size_t len)
{
	char buf[INET6_ADDRSTRLEN];

	if (len == 0 || len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = 0;
	if (inet_pton(af, buf, a->ip) != 1)
		return -EINVAL;
	a->family = af == AF_INET ? 4 : 6;
	return 0;
}

static int bracketed_parse(struct addr *a, const char *text, bool need_port)
{
	const char *end = strchr(text, ']');

	if (!end || ip_parse(a, AF_INET6, text + 1, (size_t)(end - text - 1)))
		return -EINVAL;
	if (end[1] == ':')
		return port_parse(&a->port, end + 2);
	return end[1] || need_port ? -EINVAL : 0;
}

static int bare_parse(struct addr *a, const char *text, bool need_port)
{
	const char *colon = strchr(text, ':');

	if (colon && strchr(colon + 1, ':'))
		return need_port ? -EINVAL : ip_parse(a, AF_INET6, text, strlen(text));
	if (!colon)
		return need_port ? -EINVAL : ip_parse(a, AF_INET, text, strlen(text));
	if (ip_parse(a, AF_INET, text, (size_t)(colon - text)))
		return -EINVAL;
	return port_parse(&a->port, colon + 1);
}

int addr_parse(struct addr *a, const char *text, bool need_port)
{
	struct addr got;
	int err;

	memset(&got, 0, sizeof(got));
	if (*text == '[')
		err = bracketed_parse(&got, text, need_port);
	else
		err = bare_parse(&got, text, need_port);
	if (!err)
		*a = got;
	return err;
}

const char *addr_print(const struct addr *a, char *buf, size_t len)
{
	char ip[INET6_ADDRSTRLEN] = "-";

	if (a->family == 4)
		inet_ntop(AF_INET, a->ip, ip, sizeof(ip));
	else if (a->family == 6)
		inet_ntop(AF_INET6, a->ip, ip, sizeof(ip));
	if (a->family == 0 || a->port == 0)
		snprintf(buf, len, "%s", ip);
	else
		snprintf(buf, len, a->family == 6 ? "[%s]:%u" : "%s:%u", ip, (unsigned int)a->port);
	return buf;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
	int d;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	d = memcmp(a->ip, b->ip, sizeof(a->ip));
	if (d)
		return d < 0 ? -1 : 1;
	return (a->port > b->port) - (a->port < b->port);
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}
