/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_number.c - numbers of the configuration: durations, counts, percentages, ports, ranges.
 * Reads a value that lies in its row's range, refuses every other with a sentence that says what
 * would be right, and prints it so that it reads back the same. Owns nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf_int.h"
#include "util/units.h"

#define DIGITS "0123456789"

/*
 * A number without a unit gets a message of its own: it is the commonest slip, because other
 * programs have a default unit.
 */
static bool duration_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	char buf[QUOTE_LEN], lo[UNITS_STRLEN], hi[UNITS_STRLEN];
	mono_t d;
	int err;

	if (*text && strspn(text, DIGITS) == strlen(text)) {
		snprintf(why, WHY_LEN, "'%s' has no unit: us, ms, s, m, h or d",
			 value_shown(text, buf));
		return false;
	}
	err = units_dur_parse(&d, text);
	if (err == -EINVAL)
		return value_wrong(why, text, "a duration such as 500ms, 2s or 15m");
	if (err || d.us < row->lo || d.us > row->hi) {
		snprintf(why, WHY_LEN, "%s %s is out of range: %s to %s", row->word,
			 value_shown(text, buf), units_dur_print(MONO_US(row->lo), lo, sizeof(lo)),
			 units_dur_print(MONO_US(row->hi), hi, sizeof(hi)));
		return false;
	}
	memcpy(at, &d, sizeof(d));
	return true;
}

/*
 * Also says so when the value did not fit into 64 bits (`err`): for the reader that is one mistake.
 */
static bool in_range(const struct conf_row *row, const char *text, uint64_t n, int err, char *why)
{
	const char *unit = row->kind == KIND_PERCENT ? "%" : "";
	char buf[QUOTE_LEN];

	if (!err && n >= (uint64_t)row->lo && n <= (uint64_t)row->hi)
		return true;
	snprintf(why, WHY_LEN, "%s %s is out of range: %lld%s to %lld%s", row->word,
		 value_shown(text, buf), (long long)row->lo, unit, (long long)row->hi, unit);
	return false;
}

static bool count_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	uint32_t value;
	uint64_t n = 0;
	int err;

	err = units_count_parse(&n, text);
	if (err == -EINVAL)
		return value_wrong(why, text, "a whole number");
	if (!in_range(row, text, n, err, why))
		return false;
	value = (uint32_t)n;
	memcpy(at, &value, sizeof(value));
	return true;
}

static bool percent_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	uint32_t value = 0;
	int err;

	err = units_percent_parse(&value, text);
	if (err == -EINVAL)
		return value_wrong(why, text, "a percentage such as 10%");
	if (!in_range(row, text, value, err, why))
		return false;
	memcpy(at, &value, sizeof(value));
	return true;
}

/* Digits at *text, moved past; more than 9 of them are too many for any field here. */
static bool plain(const char **text, uint32_t *n)
{
	size_t digits = strspn(*text, DIGITS);

	if (digits == 0 || digits > 9)
		return false;
	for (*n = 0; digits; digits--)
		*n = *n * 10 + (uint32_t)(*(*text)++ - '0');
	return true;
}

/* Digits only: "8k" is a count, but nobody means a port by it. */
static bool port_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	const char *p = text;
	uint16_t port;
	uint32_t n = 0;

	if (!*text || strspn(text, DIGITS) != strlen(text))
		return value_wrong(why, text, "a port number");
	if (!in_range(row, text, plain(&p, &n) ? n : UINT32_MAX, 0, why))
		return false;
	port = (uint16_t)n;
	memcpy(at, &port, sizeof(port));
	return true;
}

/* "lo-hi", or with `one` also a single number, which then is both. */
static bool range_parse(const struct conf_row *row, const char *text, uint32_t v[2], char *why)
{
	const char *p = text;
	bool one = row->kind == KIND_STATUS, ok;

	ok = plain(&p, &v[0]);
	v[1] = v[0];
	if (ok && (*p || !one))
		ok = *p++ == '-' && plain(&p, &v[1]) && !*p;
	if (!ok)
		return value_wrong(why, text,
				   one ? "a status or a range such as 200-399"
				       : "a range such as 1024-32767");
	if (!in_range(row, text, v[0], 0, why) || !in_range(row, text, v[1], 0, why))
		return false;
	if (one ? v[0] > v[1] : v[0] >= v[1]) {
		snprintf(why, WHY_LEN, "%s %u-%u: the first must be below the second", row->word,
			 v[0], v[1]);
		return false;
	}
	return true;
}

static bool range_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	uint32_t v[2] = { 0, 0 };
	uint16_t port[2];

	if (!range_parse(row, text, v, why))
		return false;
	port[0] = (uint16_t)v[0];
	port[1] = (uint16_t)v[1];
	if (row->kind == KIND_PORTS)
		memcpy(at, port, sizeof(port));
	else
		memcpy(at, v, sizeof(v));
	return true;
}

bool number_set(const struct conf_row *row, void *at, const char *text, char *why)
{
	switch (row->kind) {
	case KIND_DURATION:
		return duration_set(row, at, text, why);
	case KIND_COUNT:
		return count_set(row, at, text, why);
	case KIND_PERCENT:
		return percent_set(row, at, text, why);
	case KIND_PORT:
		return port_set(row, at, text, why);
	default:
		return range_set(row, at, text, why);
	}
}

void number_print(const struct conf_row *row, const void *at, struct strbuf *sb)
{
	uint32_t v[2] = { 0, 0 };
	uint16_t port[2] = { 0, 0 };
	size_t n = row->kind == KIND_PORTS || row->kind == KIND_STATUS ? 2 : 1;

	if (row->kind == KIND_PORT || row->kind == KIND_PORTS) {
		memcpy(port, at, n * sizeof(port[0]));
		v[0] = port[0], v[1] = port[1];
	} else {
		memcpy(v, at, n * sizeof(v[0]));
	}
	strbuf_printf(sb, "%u", v[0]);
	if (row->kind == KIND_PORTS || (row->kind == KIND_STATUS && v[0] != v[1]))
		strbuf_printf(sb, "-%u", v[1]);
	if (row->kind == KIND_PERCENT)
		strbuf_putc(sb, '%');
}
