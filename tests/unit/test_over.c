/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_over.c - what operators have said outlives the absence of its service, and a drain's
 * deadline outlives the process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/fixture.h"

/* A file that has lost the service for a moment takes back nothing that an operator has said. */
static void test_overrides_wait_for_their_service(void **state)
{
	struct fx_world w = fx_world();
	struct conf *without = conf_copy(w.c);
	struct model_saved *rows;
	struct model *m2;
	size_t n;

	(void)state;
	without->services = 0;
	fx_verb(w.m, VERB_MAINT, "web", FX_E1, MONO_S(101));
	fx_verb(w.m, VERB_DEL, "web", FX_E3, MONO_S(101));
	fx_verb(w.m, VERB_ADD, "web", "10.0.0.9:8443", MONO_S(101));
	fx_verb(w.m, VERB_PAUSE, "web", NULL, MONO_S(101));
	assert_int_equal(model_apply(w.m, without, false, MONO_S(110)), 0);
	assert_int_equal(model_export(w.m, &rows, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(model_apply(w.m, w.c, false, MONO_S(120)), 0);
	assert_int_equal(fx_state(w.m, "web", FX_E1), EPS_MAINT);
	assert_true(!fx_id(w.m, "web", FX_E3) || fx_view(w.m, "web", FX_E3).member != EP_PRESENT);
	assert_true(fx_view(w.m, "web", "10.0.0.9:8443").added);
	assert_int_equal(model_apply(w.m, w.c, true, MONO_S(130)), 0);
	assert_int_equal(fx_view(w.m, "web", FX_E1).admin, EP_READY);
	/* The same over a restart that falls into the gap. */
	m2 = model_new();
	model_import(m2, rows, n, MONO_S(5));
	assert_int_equal(model_apply(m2, without, false, MONO_S(5)), 0);
	assert_int_equal(model_apply(m2, w.c, false, MONO_S(6)), 0);
	assert_int_equal(fx_state(m2, "web", FX_E1), EPS_MAINT);
	assert_int_equal(fx_id(m2, "web", FX_E3), 0);
	free(rows);
	model_free(m2);
	without->services = 1;
	conf_free(without);
	fx_world_free(&w);
}

/* What is on record of E1 after `verb` at 101 s, and when its drain then ends in a new process. */
static mono_t deadline_after_restart(enum model_verb verb, mono_t deadline, mono_t start)
{
	struct fx_world w = fx_world();
	struct model_op op = {
		.verb = verb, .service = "web", .endpoint = fx_addr(FX_E1), .deadline = deadline
	};
	struct plan *maps;
	struct model_saved *rows;
	struct model *m2 = model_new();
	mono_t until;
	size_t n;
	char err[64];

	maps = fx_plan(w.m);
	assert_int_equal(model_verb(w.m, &op, err, sizeof(err), MONO_S(101)), MODEL_OK);
	assert_int_equal(model_export(w.m, &rows, &n), 0);
	assert_int_equal(model_adopt(m2, maps, start), 0);
	model_import(m2, rows, n, start);
	assert_int_equal(model_apply(m2, w.c, false, start), 0);
	until = fx_view(m2, "web", FX_E1).drain_until;
	plan_free(maps);
	free(rows);
	model_free(m2);
	fx_world_free(&w);
	return until;
}

static void test_deadlines_are_absolute(void **state)
{
	(void)state;
	assert_int_equal(deadline_after_restart(VERB_DRAIN, MONO_S(60), MONO_S(130)).us,
			 MONO_S(161).us);
	assert_int_equal(deadline_after_restart(VERB_DRAIN, MONO_US(0), MONO_S(130)).us,
			 MONO_S(401).us);
	assert_int_equal(deadline_after_restart(VERB_DEL, MONO_US(0), MONO_S(130)).us,
			 MONO_S(401).us);
	/* Passed while nobody was there: met at once. */
	assert_true(mono_cmp(deadline_after_restart(VERB_DRAIN, MONO_S(60), MONO_S(200)),
			     MONO_S(201)) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overrides_wait_for_their_service),
		cmocka_unit_test(test_deadlines_are_absolute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
