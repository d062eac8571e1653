/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * verdict.c - the table of rr_verdict.h, once for all of serve.
 */
#include "serve/verdict.h"

static const struct {
	const char *name, *class, *help;
} verdicts[RR_V_MAX] = { [RR_V_GO] = { "go", "", "" },
#define VERDICT_ROW(id, name, class, help) [RR_V_##id] = { #name, #class, help },
			 RR_VERDICTS(VERDICT_ROW)
#undef VERDICT_ROW
};

const char *verdict_name(enum rr_verdict v)
{
	return verdicts[v].name;
}

const char *verdict_class(enum rr_verdict v)
{
	return verdicts[v].class;
}

const char *verdict_help(enum rr_verdict v)
{
	return verdicts[v].help;
}
