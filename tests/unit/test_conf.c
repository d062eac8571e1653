/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_conf.c - what the golden files cannot say well: defaults as numbers, that every field counts
 * in copy, print and comparison, limits, positions. The messages themselves are in
 * tests/golden/conf.
 */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Parses a copy of the exact size, so that ASan sees a read past the end. */
static struct conf *parse(const char *text, struct conf_errors *err)
{
	size_t len = strlen(text);
	char *exact = malloc(len ? len : 1);
	struct conf *c;

	assert_non_null(exact);
	memcpy(exact, text, len);
	c = conf_parse(exact, len, err);
	free(exact);
	assert_true(c ? err->n == 0 : err->n > 0);
	return c;
}

static struct conf *parse_good(const char *text)
{
	struct conf_errors err;
	struct conf *c = parse(text, &err);

	if (!c)
		fail_msg("%u:%u: %s", err.e[0].line, err.e[0].col, err.e[0].text);
	return c;
}

static void test_defaults(void **state)
{
	struct conf *c = parse_good(
		"interface eth0\nservice a { listen 192.0.2.1:443\n\nendpoint 10.0.0.1:443 }");
	const struct conf_service *s = conf_service_find(c, "a");
	const struct conf_health *h = &s->health;

	(void)state;
	assert_string_equal(c->socket, "/run/rrlb/control.sock");
	assert_string_equal(c->socket_group, "rrlb");
	assert_string_equal(c->readonly_group, "rrlb-ro");
	assert_string_equal(c->state_file, "/var/lib/rrlb/state.json");
	assert_int_equal(c->flows_ipv4, 1048576);
	assert_int_equal(c->flows_ipv6, 262144);
	assert_int_equal(c->port_lo, 1024);
	assert_int_equal(c->port_hi, 32767);
	assert_int_equal(c->port_sets, 256);
	assert_int_equal(c->time_wait.us, 61000000);
	assert_int_equal(c->rst_rate, 1000);
	assert_int_equal(c->iface[0].attach, DP_ATTACH_DISPATCHER);
	assert_int_equal(c->iface[0].xdp, DP_XDP_AUTO);
	assert_int_equal(s->mode, RR_MODE_NAT);
	assert_int_equal(s->on_unknown, RR_UNKNOWN_RST);
	assert_int_equal(s->overflow, RR_OVERFLOW_RST);
	assert_int_equal(s->locals, 0);
	assert_int_equal(s->t_syn.us, 30000000);
	assert_int_equal(s->t_idle.us, 900000000);
	assert_int_equal(s->t_fin1.us, 120000000);
	assert_int_equal(s->t_fin2.us, 30000000);
	assert_int_equal(s->t_rst.us, 10000000);
	assert_int_equal(s->drain_deadline.us, 300000000);
	assert_int_equal(s->on_deadline, CONF_DEADLINE_RST);
	assert_int_equal(s->weight_default, 100);
	assert_int_equal(s->endpoint[0].weight, 100);
	assert_int_equal(s->endpoint[0].admin, EP_READY);
	assert_int_equal(s->line, 2);
	assert_int_equal(s->endpoint[0].line, 4);
	assert_int_equal(h->type, PROBE_TLS);
	assert_int_equal(h->interval.us, 2000000);
	assert_int_equal(h->timeout.us, 1000000);
	assert_int_equal(h->rise, 2);
	assert_int_equal(h->fall, 3);
	assert_int_equal(h->fast_interval.us, 500000);
	assert_int_equal(h->down_interval.us, 5000000);
	assert_int_equal(h->jitter, 10);
	assert_int_equal(h->init, HEALTH_BEGIN_DOWN);
	assert_int_equal(h->verify, PROBE_VERIFY_NONE);
	assert_int_equal(h->tls_min, 12);
	assert_int_equal(h->port, 0);
	assert_string_equal(h->path, "/");
	assert_int_equal(h->status_lo, 200);
	assert_int_equal(h->status_hi, 399);
	assert_string_equal(h->sni, "");
	assert_string_equal(h->ca, "");
	assert_string_equal(h->alpn, "");
	assert_string_equal(h->host, "");
	assert_string_equal(h->expect, "");
	assert_null(conf_service_find(c, "b"));
	conf_free(c);
}

/* Each default, written out, is taken and changes nothing. */
static void test_table_defaults(void **state)
{
	char why[WHY_LEN], base[sizeof(struct conf_service) + sizeof(struct conf)];

	(void)state;
	for (size_t i = 0; conf_blocks[i]; i++) {
		for (size_t j = 0; j < conf_blocks[i]->rows; j++) {
			const struct conf_row *row = &conf_blocks[i]->row[j];

			assert_true(strlen(row->help) > 10);
			assert_ptr_equal(row_find(conf_blocks[i], row->word), row);
			if (row->dflt && !value_set(row, base, row->dflt, why))
				fail_msg("%s %s: %s", row->word, row->dflt, why);
		}
	}
}

/* With %s = "" this is the base; each of the rows below changes one thing in it. */
static const char frame[] = "%s\ninterface eth0 { %s }\ncontrol { %s }\nflow-table { %s }\n"
			    "service a { listen 192.0.2.1:443; %s\n health https { %s }\n"
			    "endpoint 10.0.0.1:443 %s\n endpoint 10.0.0.2:443 }\n%s";

static char *frame_fill(int at, const char *text)
{
	const char *part[8] = { "", "", "", "", "", "", "", "" };
	char *out = malloc(4096);

	assert_non_null(out);
	part[at] = text;
	snprintf(out, 4096, frame, part[0], part[1], part[2], part[3], part[4], part[5], part[6],
		 part[7]);
	return out;
}

static const struct {
	int at;
	const char *text;
} changes[] = {
	{ 0, "interface eth1" },
	{ 0, "state-file /x" },
	{ 0, "nat-ports 1025-32767" },
	{ 0, "nat-ports 1024-32766" },
	{ 0, "nat-port-sets 255" },
	{ 0, "time-wait 60s" },
	{ 0, "rst-rate 1001" },
	{ 1, "attach link" },
	{ 1, "xdp generic" },
	{ 2, "socket /x" },
	{ 2, "group x" },
	{ 2, "readonly-group x" },
	{ 3, "ipv4 4k" },
	{ 3, "ipv6 4k" },
	{ 4, "on-unknown pass" },
	{ 4, "overflow drop" },
	{ 4, "mode dsr" },
	{ 4, "local-address 10.0.0.9" },
	{ 4, "local-address 10.0.0.8" },
	{ 4, "local-address 10.0.0.8; local-address 10.0.0.9" },
	{ 4, "syn-timeout 31s" },
	{ 4, "idle-timeout 901s" },
	{ 4, "fin-timeout 121s" },
	{ 4, "close-timeout 31s" },
	{ 4, "rst-timeout 11s" },
	{ 4, "drain-deadline 0s" },
	{ 4, "on-deadline forget" },
	{ 4, "weight 99" },
	{ 4, "endpoint 10.0.0.3:443" },
	{ 4, "endpoint 10.0.0.3:444" },
	{ 5, "interval 3s" },
	{ 5, "timeout 999ms" },
	{ 5, "rise 1" },
	{ 5, "fall 1" },
	{ 5, "fast-interval 501ms" },
	{ 5, "down-interval 6s" },
	{ 5, "jitter 11%" },
	{ 5, "init up" },
	{ 5, "sni x" },
	{ 5, "verify chain" },
	{ 5, "ca /x" },
	{ 5, "ca /x; verify none" },
	{ 5, "alpn h2" },
	{ 5, "tls-min-version 1.3" },
	{ 5, "port 1" },
	{ 5, "path /x" },
	{ 5, "host x" },
	{ 5, "status 201-399" },
	{ 5, "status 200-398" },
	{ 5, "expect x" },
	{ 6, "weight 99" },
	{ 6, "admin drain" },
	{ 6, "admin maint" },
	{ 7, "service b { listen 192.0.2.1:444; health none; endpoint 10.0.0.1:443 }" },
	{ 7, "service c { listen 192.0.2.1:444; health none; endpoint 10.0.0.1:443 }" },
	{ 7, "service c { listen 192.0.2.1:444; health tcp; endpoint 10.0.0.1:443 }" },
	{ 7, "service c { listen 192.0.2.1:445; health tcp; endpoint 10.0.0.1:443 }" },
};

/*
 * Every change makes the configuration differ from the base and from every other, and survives
 * print and copy.
 */
static void test_every_field_counts(void **state)
{
	struct conf *c[COUNT(changes) + 1], *copy;
	struct conf *again;
	char *text, *print, *full;

	(void)state;
	for (size_t i = 0; i <= COUNT(changes); i++) {
		text = i ? frame_fill(changes[i - 1].at, changes[i - 1].text) : frame_fill(0, "");
		c[i] = parse_good(text);
		free(text);
		print = conf_print(c[i]);
		assert_non_null(print);
		again = parse_good(print);
		copy = conf_copy(c[i]);
		assert_true(conf_equal(c[i], again));
		assert_true(conf_equal(c[i], copy));
		for (size_t j = 0; j < i; j++) {
			if (conf_equal(c[i], c[j]) || conf_equal(c[j], copy) ||
			    conf_equal(again, c[j]))
				fail_msg("'%s' = '%s'", changes[i - 1].text,
					 j ? changes[j - 1].text : "");
		}
		conf_free(again);
		conf_free(copy);
		full = conf_print_full(c[i]);
		again = parse_good(full);
		assert_true(conf_equal(c[i], again));
		conf_free(again);
		free(full);
		free(print);
	}
	for (size_t i = 0; i <= COUNT(changes); i++)
		conf_free(c[i]);
}

/* A keyword without a row above would be compared by nobody. */
static void test_changes_cover_table(void **state)
{
	bool found;

	(void)state;
	for (size_t i = 0; conf_blocks[i]; i++) {
		for (size_t j = 0; j < conf_blocks[i]->rows; j++) {
			const struct conf_row *row = &conf_blocks[i]->row[j];

			if (row->kind >= KIND_BLOCK || (row->words && !row->words[1].word))
				continue;
			found = false;
			for (size_t k = 0; k < COUNT(changes); k++)
				found |= strstr(changes[k].text, row->word) != NULL;
			if (!found)
				fail_msg("no change of '%s'", row->word);
		}
	}
}

static void test_copy_is_deep(void **state)
{
	struct conf *c = parse_good(
		"interface eth0\nservice a { listen 192.0.2.1:443; endpoint 10.0.0.1:443 }");
	struct conf *copy = conf_copy(c);

	(void)state;
	copy->service[0].endpoint[0].weight = 7;
	snprintf(copy->iface[0].name, sizeof(copy->iface[0].name), "other");
	assert_int_equal(c->service[0].endpoint[0].weight, 100);
	assert_string_equal(c->iface[0].name, "eth0");
	assert_false(conf_equal(c, copy));
	conf_free(c);
	conf_free(copy);
	conf_free(NULL);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(word_of(conf_mode_words, RR_MODE_DSR), "dsr");
	assert_string_equal(word_of(conf_balance_words, CONF_BALANCE_ROUND_ROBIN), "round-robin");
	assert_string_equal(word_of(conf_unknown_words, RR_UNKNOWN_PASS), "pass");
	assert_string_equal(word_of(conf_overflow_words, RR_OVERFLOW_DROP), "drop");
	assert_string_equal(word_of(dp_attach_words, DP_ATTACH_EXTERNAL), "external");
	assert_string_equal(word_of(dp_xdp_words, DP_XDP_NATIVE), "native");
	assert_string_equal(word_of(probe_type_words, PROBE_HTTPS), "https");
	assert_string_equal(word_of(ep_admin_words, EP_MAINT), "maint");
	assert_string_equal(word_of(conf_deadline_words, CONF_DEADLINE_FORGET), "forget");
	assert_string_equal(word_of(probe_verify_words, PROBE_VERIFY_CHAIN), "chain");
	assert_string_equal(word_of(health_begin_words, HEALTH_BEGIN_STRICT), "strict");
	assert_string_equal(word_of(conf_mode_words, 99), "unknown");
}

/* ---- limits ---- */

/* `services` services with `endpoints` endpoints and `locals` different local addresses each. */
static char *many(unsigned int services, unsigned int endpoints, unsigned int locals)
{
	struct strbuf sb = { 0 };
	unsigned int i, j, n = 0;

	strbuf_puts(&sb, "interface eth0\n");
	for (i = 0; i < services; i++) {
		strbuf_printf(&sb, "service s%u {\nlisten 192.0.%u.%u:443\n", i, i / 200,
			      i % 200 + 1);
		for (j = 0; j < locals; j++, n++)
			strbuf_printf(&sb, "local-address 10.9.%u.%u\n", n / 200, n % 200 + 1);
		for (j = 0; j < endpoints; j++)
			strbuf_printf(&sb, "endpoint 10.0.%u.%u:443\n", j / 200, j % 200 + 1);
		strbuf_puts(&sb, "}\n");
	}
	return strbuf_take(&sb);
}

static void limit_check(unsigned int services, unsigned int endpoints, unsigned int locals,
			size_t errors, const char *message)
{
	char *text = many(services, endpoints, locals);
	struct conf_errors err;
	struct conf *c = parse(text, &err);

	assert_int_equal(err.n, errors);
	if (message)
		assert_string_equal(err.e[0].text, message);
	if (c) {
		assert_int_equal(c->services, services);
		assert_int_equal(c->service[services - 1].endpoints, endpoints);
	}
	conf_free(c);
	free(text);
}

static void test_limits(void **state)
{
	(void)state;
	limit_check(1, 1024, 8, 0, NULL);
	limit_check(1, 1025, 8, 1, "more than 1024 endpoints in a service");
	limit_check(256, 31, 1, 0, NULL);
	limit_check(257, 1, 0, 1, "more than 256 services");
	limit_check(256, 32, 0, 1, "more than 8191 endpoints in all services together");
	limit_check(32, 1, 8, 0, NULL);
	limit_check(33, 1, 8, 1,
		    "more than 256 different local addresses in all services together");
}

static void test_text_limit(void **state)
{
	size_t len = CONF_MAX_TEXT + 1;
	char *text = malloc(len), *shown;
	struct conf_errors err;

	(void)state;
	memset(text, '\n', len);
	assert_null(conf_parse(text, len, &err));
	assert_int_equal(err.n, 1);
	assert_string_equal(err.e[0].text, "the configuration is larger than 16 MiB");
	shown = conf_errors_format("f", text, len, &err);
	assert_string_equal(shown, "f:1:1: error: the configuration is larger than 16 MiB\n\n^\n");
	free(shown);
	memcpy(text, "interface eth0", 14);
	conf_free(conf_parse(text, len - 1, &err));
	assert_int_equal(err.n, 0);
	free(text);
}

/* Deep nesting is skipped in a loop, not by recursion. */
static void test_deep_nesting(void **state)
{
	size_t n = 1000000, i;
	char *text = malloc(n + 2);
	struct conf_errors err;

	(void)state;
	text[0] = 'x';
	for (i = 1; i <= n; i++)
		text[i] = '{';
	text[n + 1] = 0;
	assert_null(parse(text, &err));
	assert_int_equal(err.n, 1);
	free(text);
}

/* ---- errors ---- */

static void test_error_order_and_count(void **state)
{
	struct strbuf sb = { 0 };
	struct conf_errors err;

	(void)state;
	/*
	 * the check of the first service comes after the parse error of the second, and is shown
	 * before it
	 */
	assert_null(
		parse("interface eth0\nservice a { listen 192.0.2.1:443 }\nservice b { modee x }\n",
		      &err));
	assert_int_equal(err.n, 2);
	assert_int_equal(err.e[0].line, 2);
	assert_int_equal(err.e[1].line, 3);
	assert_false(err.more);
	for (int i = 0; i < CONF_MAX_ERRORS; i++)
		strbuf_puts(&sb, "x\n");
	assert_null(parse(strbuf_str(&sb), &err));
	assert_int_equal(err.n, CONF_MAX_ERRORS);
	assert_false(err.more);
	strbuf_puts(&sb, "x\n");
	assert_null(parse(strbuf_str(&sb), &err));
	assert_int_equal(err.n, CONF_MAX_ERRORS);
	assert_true(err.more);
	strbuf_free(&sb);
}

/*
 * Every prefix of a good text is parsed or refused, never read past; so is every text with one byte
 * changed.
 */
static void test_prefixes_and_flips(void **state)
{
	char *text = frame_fill(5, "expect \"a \\\" b\"; ca /x; status 200; jitter 5%"), *cut;
	static const char put[] = "\0\n\r\t \"\\{};#a0\xff\x80";
	size_t len = strlen(text), i, j;
	struct conf_errors err;

	(void)state;
	for (i = 0; i <= len; i++) {
		cut = malloc(i ? i : 1);
		memcpy(cut, text, i);
		conf_free(conf_parse(cut, i, &err));
		for (j = 0; i && j < sizeof(put) - 1; j++) {
			cut[i - 1] = put[j];
			conf_free(conf_parse(cut, i, &err));
			free(conf_errors_format("f", cut, i, &err));
		}
		free(cut);
	}
	free(text);
}

static void test_utf8(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, want;
	} t[] = {
		{ "a", 1, 1 },
		{ "\0", 1, 1 },
		{ "\xc3\xbc", 2, 2 },
		{ "\xe2\x9c\x93", 3, 3 },
		{ "\xf0\x9f\x98\x80", 4, 4 },
		{ "\xf4\x8f\xbf\xbf", 4, 4 },
		{ "\xc3", 1, 0 },
		{ "\xe2\x9c", 2, 0 },
		{ "\x80", 1, 0 },
		{ "\xc0\x80", 2, 0 }, /* over-long */
		{ "\xe0\x80\x80", 3, 0 },
		{ "\xf0\x80\x80\x80", 4, 0 },
		{ "\xed\xa0\x80", 3, 0 }, /* surrogate */
		{ "\xf4\x90\x80\x80", 4, 0 },
		{ "\xff", 1, 0 },
		{ "\xc3(", 2, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++)
		assert_int_equal(utf8_len(t[i].bytes, t[i].len), t[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_table_defaults),
		cmocka_unit_test(test_every_field_counts),
		cmocka_unit_test(test_changes_cover_table),
		cmocka_unit_test(test_copy_is_deep),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_text_limit),
		cmocka_unit_test(test_deep_nesting),
		cmocka_unit_test(test_error_order_and_count),
		cmocka_unit_test(test_prefixes_and_flips),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
