/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_conf.c - any bytes as a configuration: either messages that can be shown, each at a place
 * that exists, or a configuration whose canonical print parses back to an equal one and prints the
 * same again.
 */
#include "conf/conf.h"
#include "lib/fuzz.h"

static void errors_check(const char *text, size_t len, const struct conf_errors *err)
{
	char *shown = conf_errors_format("f", text, len, err);
	size_t lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	MUST(err->n > 0 && err->n <= CONF_MAX_ERRORS && shown);
	for (size_t i = 0; i < err->n; i++) {
		const struct conf_error *e = &err->e[i];

		MUST(e->line >= 1 && e->line <= lines && e->col >= 1 && e->len >= 1);
		MUST(e->text[0] && strlen(e->text) < sizeof(e->text));
		MUST(i == 0 || err->e[i - 1].line <= e->line);
	}
	free(shown);
}

static void round_trip(const struct conf *c, char *(*text_of)(const struct conf *))
{
	struct conf_errors err;
	struct conf *again, *copy = conf_copy(c);
	char *first = text_of(c), *second;

	MUST(first && copy && conf_equal(c, copy));
	again = conf_parse(first, strlen(first), &err);
	MUST(again && conf_equal(c, again) && conf_equal(again, copy));
	second = text_of(again);
	MUST(second && !strcmp(first, second));
	free(first);
	free(second);
	conf_free(again);
	conf_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy of the exact size, so that a read past the end is seen */
	char *text = malloc(size ? size : 1);
	struct conf_errors err;
	struct conf *c;

	MUST(text);
	if (size)
		memcpy(text, data, size);
	c = conf_parse(text, size, &err);
	if (c) {
		MUST(err.n == 0);
		round_trip(c, conf_print);
		round_trip(c, conf_print_full);
	} else {
		errors_check(text, size, &err);
	}
	conf_free(c);
	free(text);
	return 0;
}
