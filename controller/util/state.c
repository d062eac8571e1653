/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state.c - the columns of the tables in state.h as arrays. A number from outside a table is
 * answered with "?", never with a read past the end.
 */
#include <stddef.h>
#include <string.h>

#include "util/state.h"

static const struct {
	const char *word, *note, *why;
	enum state_tone tone;
	bool available;
} eps[EPS_MAX] = {
#define X(id, word, tone, available, note, why, sentence) \
	[EPS_##id] = { word, note, why, STATE_##tone, available },
	EP_STATES(X)
#undef X
};

static const struct {
	const char *word;
	enum state_tone tone;
} svcs[SVCS_MAX] = {
#define X(id, word, tone, sentence) [SVCS_##id] = { word, STATE_##tone },
	SVC_STATES(X)
#undef X
};

const char *ep_state_name(enum ep_state s)
{
	return (unsigned int)s < EPS_MAX ? eps[s].word : "?";
}

const char *svc_state_name(enum svc_state s)
{
	return (unsigned int)s < SVCS_MAX ? svcs[s].word : "?";
}

const char *ep_state_note(enum ep_state s)
{
	return (unsigned int)s < EPS_MAX ? eps[s].note : "?";
}

const char *ep_state_why(enum ep_state s)
{
	return (unsigned int)s < EPS_MAX ? eps[s].why : "?";
}

bool ep_state_available(enum ep_state s)
{
	return (unsigned int)s < EPS_MAX && eps[s].available;
}

bool state_tone_of(const char *word, enum state_tone *tone)
{
	for (size_t i = 0; i < EPS_MAX; i++) {
		if (!strcmp(word, eps[i].word)) {
			*tone = eps[i].tone;
			return true;
		}
	}
	for (size_t i = 0; i < SVCS_MAX; i++) {
		if (!strcmp(word, svcs[i].word)) {
			*tone = svcs[i].tone;
			return true;
		}
	}
	return false;
}
