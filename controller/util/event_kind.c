/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event_kind.c - the columns of the table in event_kind.h as arrays. A number from outside the
 * table is answered with "?", never with a read past the end.
 */
#include <stddef.h>

#include "util/event_kind.h"

static const struct {
	const char *word, *form;
	enum severity severity;
} kinds[EVENT_MAX] = {
#define X(id, word, severity, sentence) [EVENT_##id] = { word, sentence, SEVERITY_##severity },
	EVENTS(X)
#undef X
};

const char *event_word(enum event_kind k)
{
	return (unsigned int)k < EVENT_MAX ? kinds[k].word : "?";
}

const char *event_form(enum event_kind k)
{
	return (unsigned int)k < EVENT_MAX ? kinds[k].form : "?";
}

enum severity event_severity(enum event_kind k)
{
	return (unsigned int)k < EVENT_MAX ? kinds[k].severity : SEVERITY_INFO;
}

const char *severity_name(enum severity s)
{
	static const char *const name[] = {
#define X(id, word) [SEVERITY_##id] = word,
		SEVERITIES(X)
#undef X
	};

	return (size_t)s < sizeof(name) / sizeof(name[0]) ? name[s] : "?";
}
