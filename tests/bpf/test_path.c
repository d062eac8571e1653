/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_path.c - runs every row of the packet tables (cases_*.c) on every service that the row
 * names, through the real program. A row that holds for four services is four tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "path.h"

static const struct path_table *const tables[] = { &path_parse, &path_pass,  &path_new,
						   &path_flow,	&path_pair,  &path_judge,
						   &path_close, &path_reset, &path_icmp,
						   &path_notice };

struct job {
	const struct path_case *c;
	uint32_t svc;
};

static struct rig rig;

static void run_job(void **state)
{
	const struct job *job = *state;

	path_case_run(&rig, job->svc, job->c);
}

/* Appends one test for each world of the row. */
static size_t add_case(struct CMUnitTest *tests, struct job *jobs, size_t n,
		       const struct path_case *c)
{
	for (uint32_t svc = 0; svc < PATH_SERVICES; svc++) {
		char *name = NULL;

		if (!path_tried(&c->on, svc) ||
		    (c->rev && !path_modes[path_worlds[svc].mode].replies))
			continue;
		if (asprintf(&name, "%s: %s", path_worlds[svc].name, c->name) < 0)
			abort();
		jobs[n] = (struct job){ c, svc };
		tests[n] = (struct CMUnitTest){ .name = name,
						.test_func = run_job,
						.initial_state = &jobs[n] };
		n++;
	}
	return n;
}

int main(void)
{
	size_t max = 0, n = 0;
	struct CMUnitTest *tests;
	struct job *jobs;
	int failed;

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		max += tables[t]->n * PATH_SERVICES;
	tests = calloc(max, sizeof(*tests));
	jobs = calloc(max, sizeof(*jobs));
	if (!tests || !jobs)
		abort();
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		for (size_t i = 0; i < tables[t]->n; i++)
			n = add_case(tests, jobs, n, &tables[t]->cases[i]);
	}
	path_use(&rig, NULL);
	failed = _cmocka_run_group_tests("path", tests, n, path_setup, path_teardown);
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)tests[i].name);
	free(tests);
	free(jobs);
	return failed != 0;
}
