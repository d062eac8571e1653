/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * value.c - one JSON value as people read it: ages, durations, shares, states. No value is ever
 * trusted to be of the type that its column expects: a daemon of another version may have sent it.
 */
#include <string.h>

#include "ctl/output.h"
#include "util/state.h"
#include "util/units.h"

const json_t *value_of(const json_t *row, const char *key)
{
	char part[64];
	size_t n;

	while (row && *key) {
		n = strcspn(key, ".");
		if (n >= sizeof(part))
			return NULL;
		memcpy(part, key, n);
		part[n] = '\0';
		row = json_object_get(row, part);
		key += n + (key[n] == '.');
	}
	return row;
}

void put_age(struct strbuf *sb, json_int_t ms)
{
	long long s = ms / 1000;

	if (s < 0)
		s = 0;
	if (s < 60)
		strbuf_printf(sb, "%llds", s);
	else if (s < 3600)
		strbuf_printf(sb, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		strbuf_printf(sb, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		strbuf_printf(sb, "%lldd%02lldh", s / 86400, s / 3600 % 24);
}

/* Exact, as it would be written in the configuration; "?" for what cannot be a duration. */
static void put_dur(struct strbuf *sb, json_int_t ms)
{
	char dur[UNITS_STRLEN];

	if (ms > INT64_MAX / 1000 || ms < INT64_MIN / 1000)
		strbuf_puts(sb, "?");
	else
		strbuf_puts(sb, units_dur_print(MONO_MS(ms), dur, sizeof(dur)));
}

/* Two or three digits: enough to compare the phases of a probe. */
static void put_us(struct strbuf *sb, json_int_t us)
{
	if (!us) /* a phase that was not reached */
		strbuf_putc(sb, '-');
	else if (us < 1000)
		strbuf_printf(sb, "%lldus", (long long)us);
	else if (us < 10000)
		strbuf_printf(sb, "%.1fms", (double)us / 1e3);
	else if (us < 1000000)
		strbuf_printf(sb, "%lldms", (long long)us / 1000);
	else
		strbuf_printf(sb, "%.1fs", (double)us / 1e6);
}

/* Control characters do not reach the terminal, whatever the daemon sent. */
static void put_string(struct strbuf *sb, const char *s)
{
	for (; *s; s++)
		strbuf_putc(sb, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
}

/* By what the column expects, except for a real number where an integer should be. */
static void put_number(struct strbuf *sb, enum col_kind kind, const json_t *v)
{
	if (kind == COL_SHARE)
		strbuf_printf(sb, "%.1f%%", json_number_value(v) * 100);
	else if (kind == COL_REAL)
		strbuf_printf(sb, "%.1f", json_number_value(v));
	else if (json_is_real(v))
		strbuf_printf(sb, "%g", json_real_value(v));
	else if (kind == COL_MS)
		put_age(sb, json_integer_value(v));
	else if (kind == COL_DUR)
		put_dur(sb, json_integer_value(v));
	else if (kind == COL_US)
		put_us(sb, json_integer_value(v));
	else
		strbuf_printf(sb, "%lld", (long long)json_integer_value(v));
}

void value_print(struct strbuf *sb, enum col_kind kind, const json_t *v)
{
	if (json_is_number(v))
		put_number(sb, kind, v);
	else if (json_is_boolean(v))
		strbuf_puts(sb, json_is_true(v) ? "yes" : "no");
	else if (json_is_string(v) && json_string_length(v))
		put_string(sb, json_string_value(v));
	else
		strbuf_putc(sb, '-');
}

const char *tone_on(const struct output *o, enum tone tone)
{
	static const char *const code[] = {
		[TONE_PLAIN] = "",	 [TONE_GOOD] = "\033[32m", [TONE_WARN] = "\033[33m",
		[TONE_BAD] = "\033[31m", [TONE_DIM] = "\033[2m",   [TONE_BOLD] = "\033[1m",
	};

	return o->color ? code[tone] : "";
}

const char *tone_off(const struct output *o)
{
	return o->color ? "\033[0m" : "";
}

enum tone state_tone(const char *word)
{
	static const enum tone of[] = {
		[STATE_GOOD] = TONE_GOOD,
		[STATE_BUSY] = TONE_WARN,
		[STATE_BAD] = TONE_BAD,
		[STATE_OFF] = TONE_WARN,
	};
	/*
	 * words in columns of state that are none of an endpoint or a service: probes, attachments,
	 * flows, levels
	 */
	static const struct {
		const char *word;
		enum tone tone;
	} other[] = {
		{ "pass", TONE_GOOD }, { "native", TONE_GOOD },	 { "est", TONE_GOOD },
		{ "fail", TONE_BAD },  { "critical", TONE_BAD },
	};
	enum state_tone tone;

	if (state_tone_of(word, &tone))
		return of[tone];
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		if (!strcmp(word, other[i].word))
			return other[i].tone;
	}
	return TONE_WARN;
}
