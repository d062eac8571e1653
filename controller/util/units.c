/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * units.c - durations, percentages and counts, in integer arithmetic only.
 *
 * A number is digits, optionally a point and more digits, then a unit from a table of (suffix,
 * factor). The fraction is scaled by the factor and must come out whole: "1.5s" is 1500000 us,
 * "0.5us" is an error. That is what lets units_dur_print() promise that its text parses back to the
 * same value.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/units.h"

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{ "d", 86400000000 }, { "h", 3600000000 }, { "m", 60000000 },
	{ "s", 1000000 },     { "ms", 1000 },	   { "us", 1 },
};

static const struct unit count_units[] = {
	{ "G", 1000000000 },
	{ "M", 1000000 },
	{ "k", 1000 },
	{ "", 1 },
};

/* value = value * factor + add */
static int scale(uint64_t *value, uint64_t factor, uint64_t add)
{
	if (__builtin_mul_overflow(*value, factor, value) ||
	    __builtin_add_overflow(*value, add, value))
		return -ERANGE;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits at *text; stops at the first other byte. */
static int digits(const char **text, uint64_t *value)
{
	const char *p = *text;
	int err = 0;

	*value = 0;
	if (!is_digit(*p))
		return -EINVAL;
	for (; is_digit(*p); p++)
		err = err ? err : scale(value, 10, (uint64_t)(*p - '0'));
	*text = p;
	return err;
}

/*
 * What the digits after the point add: each digit is worth a tenth of the one before, and must be
 * whole.
 */
static int fraction(const char *p, uint64_t factor, uint64_t *add)
{
	*add = 0;
	for (; is_digit(*p); p++) {
		if (*p != '0' && factor % 10)
			return -EINVAL;
		factor /= 10;
		*add += (uint64_t)(*p - '0') * factor;
	}
	return 0;
}

static const struct unit *unit_find(const struct unit *unit, size_t n, const char *suffix)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(unit[i].suffix, suffix))
			return &unit[i];
	}
	return NULL;
}

static int number(uint64_t *out, const char *text, const struct unit *unit, size_t n)
{
	const char *p = text, *frac = "";
	uint64_t value, add;
	int err, range;

	range = digits(&p, &value);
	if (range == -EINVAL)
		return range;
	if (*p == '.') {
		frac = ++p;
		if (!is_digit(*p))
			return -EINVAL;
		p += strspn(p, "0123456789");
	}
	unit = unit_find(unit, n, p);
	if (!unit)
		return -EINVAL;
	if (range)
		return range;
	err = fraction(frac, unit->factor, &add);
	if (!err)
		err = scale(&value, unit->factor, add);
	if (!err)
		*out = value;
	return err;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int units_dur_parse(mono_t *d, const char *text)
{
	uint64_t us;
	int err;

	err = number(&us, text, time_units, COUNT(time_units));
	if (!err && us >= INT64_MAX)
		err = -ERANGE;
	if (!err)
		*d = MONO_US(us);
	return err;
}

int units_percent_parse(uint32_t *percent, const char *text)
{
	static const struct unit unit[] = { { "%", 1 } };
	uint64_t n;
	int err;

	err = number(&n, text, unit, 1);
	if (!err && n > UINT32_MAX)
		err = -ERANGE;
	if (!err)
		*percent = (uint32_t)n;
	return err;
}

int units_count_parse(uint64_t *n, const char *text)
{
	return number(n, text, count_units, COUNT(count_units));
}

const char *units_dur_print(mono_t d, char *buf, size_t len)
{
	const char *sign = d.us < 0 ? "-" : "";
	uint64_t us = d.us < 0 ? -(uint64_t)d.us : (uint64_t)d.us;
	size_t i = 0;

	if (mono_is_never(d)) {
		snprintf(buf, len, "never");
		return buf;
	}
	while (us == 0 ? time_units[i].factor != 1000000 : us % time_units[i].factor)
		i++;
	snprintf(buf, len, "%s%llu%s", sign, (unsigned long long)(us / time_units[i].factor),
		 time_units[i].suffix);
	return buf;
}

const char *units_count_print(uint64_t n, char *buf, size_t len)
{
	size_t i = 0;
	uint64_t whole, tenth;

	while (n < count_units[i].factor && count_units[i].factor > 1)
		i++;
	whole = n / count_units[i].factor;
	tenth = n % count_units[i].factor /
		(count_units[i].factor >= 10 ? count_units[i].factor / 10 : 1);
	if (count_units[i].factor == 1 || whole >= 100 || tenth == 0)
		snprintf(buf, len, "%llu%s", (unsigned long long)whole, count_units[i].suffix);
	else
		snprintf(buf, len, "%llu.%llu%s", (unsigned long long)whole,
			 (unsigned long long)tenth, count_units[i].suffix);
	return buf;
}
