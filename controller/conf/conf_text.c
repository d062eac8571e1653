/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_text.c - strings and addresses of the configuration. A string has a form (a path, a name, a
 * host, ...) and the size of its field; an address is a literal, with a port or without. What is
 * wrong with one is said so that the reader knows what to write instead. Owns nothing.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf_int.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* ---- strings ---- */

static bool is_name(const char *text)
{
	return *text && *text != '-' && *text != '.' && strspn(text, NAME_CHARS) == strlen(text);
}

/* As the kernel has it (dev_valid_name), and no blank. The length is the field's. */
static bool is_ifname(const char *text)
{
	return *text && !strpbrk(text, "/ \t:") && strcmp(text, ".") && strcmp(text, "..");
}

static bool is_alpn(const char *text)
{
	bool name = false;

	for (; *text; text++) {
		if (*text == ',' && !name)
			return false;
		if (*text != ',' && !strchr(NAME_CHARS "/", *text))
			return false;
		name = *text != ',';
	}
	return name;
}

static bool form_ok(enum row_form form, const char *text, char *why)
{
	switch (form) {
	case FORM_TEXT:
		return *text || value_wrong(why, text, "a text to look for");
	case FORM_FILE:
		return (*text == '/' && text[1]) || value_wrong(why, text, "an absolute path");
	case FORM_NAME:
		return is_name(text) || value_wrong(why, text, "a name: letters, digits, - _ .");
	case FORM_IFNAME:
		return is_ifname(text) || value_wrong(why, text, "an interface name");
	case FORM_HOST:
		return (*text && strspn(text, NAME_CHARS "[]:") == strlen(text)) ||
		       value_wrong(why, text, "a host name");
	case FORM_URL_PATH:
		return (*text == '/' && !strpbrk(text, " \t#")) ||
		       value_wrong(why, text, "a path that begins with / and has no blanks");
	case FORM_ALPN:
		return is_alpn(text) ||
		       value_wrong(why, text, "a list of protocols such as h2,http/1.1");
	}
	return true;
}

/* The rest of the field is zeroed, so that equal strings are equal fields. */
bool string_set(const struct conf_row *row, char *at, const char *text, char *why)
{
	size_t len = strlen(text);

	if (len >= (size_t)row->hi) {
		snprintf(why, WHY_LEN, "%s is too long: %zu bytes, at most %lld", row->word, len,
			 (long long)row->hi - 1);
		return false;
	}
	if (!form_ok(row->form, text, why))
		return false;
	memset(at, 0, (size_t)row->hi);
	memcpy(at, text, len);
	return true;
}

/* ---- addresses ---- */

static bool two_colons(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon && strchr(colon + 1, ':');
}

/* A letter before the port, where an IPv4 address would have none. */
static bool looks_like_name(const char *text)
{
	const char *p;

	if (*text == '[' || two_colons(text))
		return false;
	for (p = text; *p && *p != ':'; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'))
			return true;
	}
	return false;
}

/* The address is right and only what follows the last colon is wrong. */
static bool only_port_wrong(const char *text)
{
	const char *colon = strrchr(text, ':');
	struct addr a;
	char ip[64];

	if (!colon || (size_t)(colon - text) >= sizeof(ip) || (two_colons(text) && *text != '['))
		return false;
	snprintf(ip, sizeof(ip), "%.*s", (int)(colon - text), text);
	return addr_parse(&a, ip, false) == 0;
}

static void addr_why(const char *text, bool need_port, char *why)
{
	char buf[QUOTE_LEN];
	const char *s = value_shown(text, buf);
	struct addr a;

	if (looks_like_name(text))
		snprintf(why, WHY_LEN,
			 "'%s' is a name: only addresses are taken here, names are not resolved",
			 s);
	else if (strchr(text, '%'))
		snprintf(why, WHY_LEN, "'%s' has a scope: addresses with a scope are not supported",
			 s);
	else if (only_port_wrong(text))
		snprintf(why, WHY_LEN, "'%s': a port is 1 to 65535", s);
	else if (need_port && two_colons(text) && *text != '[')
		snprintf(why, WHY_LEN,
			 "'%s': an IPv6 address and its port are written as in [2001:db8::1]:443",
			 s);
	else if (need_port && addr_parse(&a, text, false) == 0)
		snprintf(why, WHY_LEN, "'%s' has no port: write %s:443", s, s);
	else
		snprintf(why, WHY_LEN, "'%s' is not an address%s", s,
			 need_port ? " and port such as 10.0.0.1:443 or [2001:db8::1]:443" : "");
}

bool addr_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	bool need_port = row->kind == KIND_ADDR;
	struct addr a;

	if (addr_parse(&a, text, need_port)) {
		addr_why(text, need_port, why);
		return false;
	}
	if (!need_port && a.port) {
		snprintf(why, WHY_LEN, "%s takes an address without a port", row->word);
		return false;
	}
	memcpy(at, &a, sizeof(a));
	return true;
}

void string_print(const char *s, struct strbuf *sb)
{
	if (*s && strspn(s, NAME_CHARS "/:,+@=[]~") == strlen(s)) {
		strbuf_puts(sb, s);
		return;
	}
	strbuf_putc(sb, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			strbuf_putc(sb, '\\');
		strbuf_putc(sb, *s);
	}
	strbuf_putc(sb, '"');
}
