/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * golden_state.c - tests/golden/state/NAME.json, state files of every version so far, of versions
 * to come and of none, against NAME.ok: what is set aside and why, the file that is written next,
 * and what becomes of every endpoint. One test a file. A new version brings a file of the version
 * before.
 *
 * Whatever the file: what is written reads back to the same, and no endpoint whose row says
 * anything but "ready" takes new connections.
 *
 * `golden_state --update` writes the .ok files anew; the difference is for a person to review.
 * Runs from the top of the tree.
 */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "controller/rrlbd/state_rows.c"

#include "lib/fixture.h"
#include "util/strbuf.h"

#define DIR_NAME "tests/golden/state"
#define MAX_FILES 64
#define WALL MONO_S(1700000000) /* the clock of the day when the model's is 0 */

static const char text[] =
	"interface eth0\n"
	"service web { listen 192.0.2.1:443; endpoint 10.0.0.1:443; endpoint 10.0.0.2:443\n"
	" endpoint 10.0.0.3:443; endpoint 10.0.0.4:443; endpoint 10.0.0.5:443\n"
	" endpoint 10.0.0.6:443; endpoint 10.0.0.7:443; endpoint 10.0.0.8:443 }\n"
	"service edge { listen [2001:db8::9]:443; mode dsr; endpoint [2001:db8::1]:443 }\n";

static bool update;

static struct conf *configuration(void)
{
	struct conf_errors err;
	struct conf *c = conf_parse(text, sizeof(text) - 1, &err);

	assert_non_null(c);
	return c;
}

/* A controller that starts with these rows, all probes passed. */
static struct model *started(const struct conf *c, const struct model_saved *rows, size_t n)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	mono_t now = MONO_S(100);
	struct model *m = model_new();

	assert_non_null(m);
	model_iface(m, 0, 7, mac, 1500, now);
	model_import(m, rows, n, now);
	assert_int_equal(model_apply(m, c, false, now), 0);
	fx_all_up(m, now);
	return m;
}

static void endpoints_print(const struct model *m, struct strbuf *sb)
{
	struct view *v = view_build(m, MONO_S(100));
	char buf[ADDR_STRLEN];

	assert_non_null(v);
	for (size_t i = 0; i < v->services; i++) {
		const struct view_service *s = &v->service[i];

		strbuf_printf(sb, "%s%s\n", s->name, s->paused ? " (paused)" : "");
		for (size_t k = 0; k < s->endpoints; k++) {
			const struct view_endpoint *e = &s->endpoint[k];

			strbuf_printf(sb, "  %s %s weight %u%s\n",
				      addr_print(&e->addr, buf, sizeof(buf)),
				      word_of(ep_admin_words, (int)e->admin), e->weight,
				      e->added ? " added" : "");
		}
	}
	view_free(v);
}

/* A row of the file that keeps its endpoint away must do so whatever else it says. */
static void must_stay_out(const struct model *m, const json_t *root)
{
	const json_t *list = json_object_get(root, "rows");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i), *admin = json_object_get(j, "admin");
		const char *service = json_string_value(json_object_get(j, "service"));
		const char *ep = json_string_value(json_object_get(j, "endpoint"));
		const char *word = json_string_value(admin);
		struct addr a;

		if (!admin || (word && !strcmp(word, "ready")) || !service || !ep)
			continue;
		if (addr_parse(&a, ep, true) || !fx_id(m, service, ep))
			continue;
		assert_int_not_equal(fx_view(m, service, ep).admin, EP_READY);
		assert_int_not_equal(fx_state(m, service, ep), EPS_UP);
	}
}

/* What is written, read again, is what it was, and nothing is set aside a second time. */
static void must_read_back(const char *first, const struct conf *c)
{
	struct model_saved *rows;
	struct state_rest rest;
	json_t *root = json_loads(first, 0, NULL);
	char *second;
	size_t n;

	assert_non_null(root);
	assert_int_equal(state_decode(&rest, root, c, WALL, &rows, &n), 0);
	assert_int_equal(rest.fresh, 0);
	json_decref(root);
	root = state_encode(&rest, rows, n, WALL);
	second = json_dumps(root, JSON_INDENT(1));
	assert_string_equal(first, second);
	free(second);
	json_decref(root);
	free(rows);
	state_rest_free(&rest);
}

static void used_print(const struct state_rest *rest, const struct model_saved *rows, size_t n,
		       json_t *root, struct strbuf *sb)
{
	struct conf *c = configuration();
	struct model *m = started(c, rows, n);
	json_t *next = state_encode(rest, rows, n, WALL);
	char *file = json_dumps(next, JSON_INDENT(1));

	must_stay_out(m, root);
	must_read_back(file, c);
	strbuf_printf(sb, "%zu set aside\n%s\n", rest->fresh, file);
	endpoints_print(m, sb);
	free(file);
	json_decref(next);
	model_free(m);
	conf_free(c);
}

static char *outcome(const char *path)
{
	struct conf *c = configuration();
	struct model_saved *rows;
	struct state_rest rest;
	struct strbuf sb = { 0 };
	json_t *root = json_load_file(path, 0, NULL);
	size_t n;
	int rc;

	assert_non_null(root);
	rc = state_decode(&rest, root, c, WALL, &rows, &n);
	strbuf_printf(&sb, "%s\n", rc ? "cannot be used" : "used");
	if (!rc)
		used_print(&rest, rows, n, root, &sb);
	free(rows);
	state_rest_free(&rest);
	json_decref(root);
	conf_free(c);
	return strbuf_take(&sb);
}

static void test_file(void **state)
{
	char path[512], buf[65536] = "", *print;
	FILE *f;

	snprintf(path, sizeof(path), DIR_NAME "/%s.json", (const char *)*state);
	print = outcome(path);
	snprintf(path, sizeof(path), DIR_NAME "/%s.ok", (const char *)*state);
	if (update) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(print, f);
		assert_int_equal(fclose(f), 0);
	}
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s is missing; the outcome is:\n%s", path, print);
	assert_true(fread(buf, 1, sizeof(buf) - 1, f) > 0);
	fclose(f);
	assert_string_equal(print, buf);
	free(print);
}

static int is_json(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && !strcmp(dot, ".json");
}

int main(int argc, char **argv)
{
	struct CMUnitTest test[MAX_FILES];
	struct dirent **list = NULL;
	int files = scandir(DIR_NAME, &list, is_json, alphasort), failed;

	update = argc > 1 && !strcmp(argv[1], "--update");
	if (files < 1 || files > MAX_FILES) {
		fprintf(stderr, "%s: no files, or too many\n", DIR_NAME);
		return 1;
	}
	for (int i = 0; i < files; i++) {
		*strrchr(list[i]->d_name, '.') = 0;
		test[i] = (struct CMUnitTest){ .name = list[i]->d_name,
					       .test_func = test_file,
					       .initial_state = list[i]->d_name };
	}
	failed = _cmocka_run_group_tests("golden state", test, (size_t)files, NULL, NULL);
	for (int i = 0; i < files; i++)
		free(list[i]);
	free(list);
	return failed;
}
