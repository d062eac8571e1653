/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event_text.c - makes an event's sentence: the form of its kind with its own facts in the places
 * in braces. Owns nothing; the table of kinds is util/event_kind.h.
 */
#include <stdio.h>
#include <string.h>

#include "model/event.h"

struct sentence {
	const struct model_event *ev;
	char *at;
	size_t left; /* the terminating 0 included */
};

static void put(struct sentence *s, const char *text, size_t n)
{
	if (n >= s->left)
		n = s->left - 1;
	memcpy(s->at, text, n);
	s->at += n;
	s->left -= n;
	*s->at = '\0';
}

static void put_text(struct sentence *s, const char *text)
{
	put(s, text, strlen(text));
}

static void put_endpoint(struct sentence *s)
{
	char buf[ADDR_STRLEN];

	put_text(s, addr_print(&s->ev->endpoint, buf, sizeof(buf)));
}

static void put_service(struct sentence *s)
{
	put_text(s, s->ev->service);
}

static void put_address(struct sentence *s)
{
	char buf[ADDR_STRLEN];

	put_text(s, addr_print(&s->ev->address, buf, sizeof(buf)));
}

static void put_name(struct sentence *s)
{
	put_text(s, s->ev->name);
}

static void put_said(struct sentence *s)
{
	put_text(s, s->ev->text);
}

static void put_detail(struct sentence *s)
{
	if (!s->ev->text[0])
		return;
	put_text(s, ": ");
	put_text(s, s->ev->text);
}

static void put_reason(struct sentence *s)
{
	put_text(s, reason_name(s->ev->reason));
}

static void put_class(struct sentence *s)
{
	put_text(s, reason_class(s->ev->reason) == REASON_HARD ? "hard" : "soft");
}

static void put_by(struct sentence *s)
{
	put_text(s, s->ev->reason == REASON_OPERATOR ? "operator" : "configuration");
}

static void put_number(struct sentence *s, uint32_t n)
{
	char buf[16];

	snprintf(buf, sizeof(buf), "%u", n);
	put_text(s, buf);
}

static void put_n(struct sentence *s)
{
	put_number(s, s->ev->n);
}

static void put_m(struct sentence *s)
{
	put_number(s, s->ev->m);
}

static void put_deadline(struct sentence *s)
{
	char buf[48];

	if (mono_is_never(s->ev->left)) {
		put_text(s, "no deadline");
		return;
	}
	snprintf(buf, sizeof(buf), "deadline in %lld s", (long long)(s->ev->left.us / 1000000));
	put_text(s, buf);
}

static const struct {
	const char *place;
	void (*put)(struct sentence *s);
} places[] = {
	{ "endpoint", put_endpoint },
	{ "service", put_service },
	{ "address", put_address },
	{ "name", put_name },
	{ "text", put_said },
	{ "detail", put_detail },
	{ "reason", put_reason },
	{ "class", put_class },
	{ "by", put_by },
	{ "n", put_n },
	{ "m", put_m },
	{ "deadline", put_deadline },
};

/*
 * `place` of n bytes, without its braces. One that nobody knows is left out: the test of all rows
 * would see it.
 */
static void put_place(struct sentence *s, const char *place, size_t n)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strlen(places[i].place) == n && !memcmp(places[i].place, place, n)) {
			places[i].put(s);
			return;
		}
	}
}

const char *event_sentence(const struct model_event *ev, char *buf, size_t len)
{
	struct sentence s = { .ev = ev, .at = buf, .left = len };
	const char *form = event_form(ev->kind);
	size_t n;

	buf[0] = '\0';
	for (; *form; form += n) {
		n = strcspn(form, "{");
		put(&s, form, n);
		if (!form[n])
			break;
		form += n + 1;
		n = strcspn(form, "}");
		put_place(&s, form, n);
		n += form[n] == '}';
	}
	return buf;
}
