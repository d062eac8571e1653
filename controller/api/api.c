/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * api.c - the verb table of api.h as data, and the words that both sides use for its types and
 * codes.
 */
#include <stdio.h>
#include <string.h>

#include "api/api.h"

#define A_REQ(name, type) { #name, API_T_##type, API_MUST },
#define A_POS(name, type) { #name, API_T_##type, API_MAY },
#define A_OPT(name, type) { #name, API_T_##type, API_OPTION },

static const struct api_verb verbs[] = {
#define API_ROW(id, path, level, args, help) { API_V_##id, path, API_##level, help, { args } },
	API_VERBS(API_ROW) API_LOCAL_VERBS(API_ROW)
#undef API_ROW
};

const struct api_verb *api_verb(enum api_verb_id id)
{
	return (unsigned int)id < API_V_MAX ? &verbs[id] : NULL;
}

const struct api_verb *api_verb_find(const char *path)
{
	for (unsigned int i = 0; i < API_V_MAX; i++) {
		if (!strcmp(verbs[i].path, path))
			return &verbs[i];
	}
	return NULL;
}

bool api_verb_mutates(const struct api_verb *v)
{
	return v->level == API_OPERATE;
}

const char *api_code_name(enum api_code code)
{
	static const char *const name[] = {
		[API_OK] = "ok",
		[API_FAILED] = "failed",
		[API_USAGE] = "usage",
		[API_UNREACHABLE] = "unreachable",
		[API_NO_SUCH] = "no such object",
		[API_REFUSED] = "refused",
		[API_TIMEOUT] = "timed out",
		[API_PERMISSION] = "permission",
	};

	return (unsigned int)code < sizeof(name) / sizeof(name[0]) ? name[code] : "failed";
}

const char *api_type_meta(enum api_type t)
{
	static const char *const meta[] = {
		[API_T_FLAG] = "",
		[API_T_SERVICE] = "SERVICE",
		[API_T_ENDPOINT] = "SERVICE/ADDRESS:PORT",
		[API_T_BACKEND] = "[SERVICE/]ADDRESS:PORT",
		[API_T_ADDRESS] = "ADDRESS:PORT",
		[API_T_CLIENT] = "ADDRESS[:PORT]",
		[API_T_WEIGHT] = "N|+N%|-N%|auto",
		[API_T_STATE] = "STATE",
		[API_T_DURATION] = "DURATION",
		[API_T_WAIT] = "DURATION",
		[API_T_COUNT] = "N",
		[API_T_FILE] = "FILE",
		[API_T_NAME] = NULL,
		[API_T_IFACES] = "INTERFACE...",
		[API_T_SHELL] = "bash",
	};

	return meta[t];
}

static const char *const flow_states[] = {
#define FLOW_WORD(id, word, help) #word,
	FLOW_STATES(FLOW_WORD)
#undef FLOW_WORD
		NULL
};

const char *api_flow_state(enum rr_flow_state s)
{
	return (unsigned int)s < RR_FLOW_STATES ? flow_states[s] : flow_states[RR_FLOW_EMPTY];
}

/* An entry that is empty or being filled is no flow yet. */
const char *const *api_flow_states(void)
{
	return flow_states + RR_FLOW_SYN;
}

const char *api_socket_ro(const char *path, char *buf, size_t len)
{
	size_t n = strlen(path);

	if (n > 5 && !strcmp(path + n - 5, ".sock"))
		n -= 5;
	snprintf(buf, len, "%.*s-ro%s", (int)n, path, path + n);
	return buf;
}
