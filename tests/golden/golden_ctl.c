/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * golden_ctl.c - what rrctl shows, from fixed answers. tests/golden/ctl/NAME.in holds the command's
 * words on its first line and the daemon's lines after it; NAME.txt, NAME.tsv and NAME.jsonl are
 * standard output and standard error (marked "2>") in the three formats, the last line is the exit
 * code. Command lines that never reach the daemon have no answers.
 *
 * `golden_ctl --update` writes the outputs anew; the difference is for a person to review. Runs
 * from the top of the tree.
 */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"

#define DIR_NAME "tests/golden/ctl"
#define MAX_FILES 128
#define MAX_WORDS 24

static bool update;

static const show_fn show[API_V_MAX] = {
#define SHOW_ROW(id, path, level, args, help) [API_V_##id] = show_##id,
	API_VERBS(SHOW_ROW)
#undef SHOW_ROW
};

static char *slurp(FILE *f)
{
	struct strbuf sb = { 0 };
	char buf[4096];
	size_t n;

	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		strbuf_add(&sb, buf, n);
	strbuf_puts(&sb, "");
	return strbuf_take(&sb);
}

/* Sends a standard stream to a temporary file, and back. */
struct diverted {
	FILE *file, *stream;
	int saved;
};

static void divert(struct diverted *d, FILE *stream)
{
	fflush(stream);
	d->stream = stream;
	d->saved = dup(fileno(stream));
	d->file = tmpfile();
	assert_non_null(d->file);
	assert_true(dup2(fileno(d->file), fileno(stream)) >= 0);
}

static char *restore(struct diverted *d)
{
	char *text;

	fflush(d->stream);
	dup2(d->saved, fileno(d->stream));
	close(d->saved);
	rewind(d->file);
	text = slurp(d->file);
	fclose(d->file);
	return text;
}

/* The loop of rrctl.c, with the lines of the file in place of the socket. */
static int answer(struct ctl *ctl, char *lines)
{
	char err[API_ERROR_MAX], *line;
	struct api_reply r;
	int code = 0;

	for (line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
		if (api_reply_parse(&r, line, strlen(line), err, sizeof(err)))
			fail_msg("%s: %s", line, err);
		code = r.ok ? API_OK : (int)r.code;
		show[ctl->verb->id](ctl, &r);
		ctl->out.ops->answer(&ctl->out, (enum api_code)code, r.error, r.data);
		ctl->lines++;
		api_reply_free(&r);
	}
	return code;
}

static int run(const char *file, const struct output_ops *ops)
{
	char *words[MAX_WORDS] = { "rrctl" }, *word, *text, *rest;
	struct ctl ctl = { .socket = API_SOCKET, .build = "0.1.0", .out = { .ops = ops } };
	FILE *f = fopen(file, "r");
	int n = 1, rc;

	assert_non_null(f);
	text = slurp(f);
	fclose(f);
	rest = text + strcspn(text, "\n");
	if (*rest)
		*rest++ = '\0';
	for (word = strtok(text, " "); word && n < MAX_WORDS; word = strtok(NULL, " "))
		words[n++] = word;
	ctl.args = json_object();
	rc = cmd_parse(&ctl, n, words);
	if (!rc && ctl.help)
		ctl.verb ? help_verb(ctl.verb) : help_all();
	else if (!rc && ctl.verb->id == API_V_help)
		help_all();
	else if (!rc && ctl.verb->id == API_V_completion)
		rc = complete_print(api_get_str(ctl.args, "shell"));
	else if (!rc)
		rc = answer(&ctl, rest);
	json_decref(ctl.args);
	free(text);
	return rc;
}

/* Standard output, then each line of standard error behind "2> ", then the code. */
static char *outcome(const char *file, const struct output_ops *ops)
{
	struct strbuf sb = { 0 };
	struct diverted out, err;
	char *text, *line;
	int rc;

	divert(&out, stdout);
	divert(&err, stderr);
	rc = run(file, ops);
	text = restore(&err);
	line = restore(&out);
	strbuf_puts(&sb, line);
	free(line);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		strbuf_printf(&sb, "2> %s\n", line);
	free(text);
	strbuf_printf(&sb, "exit %d\n", rc);
	return strbuf_take(&sb);
}

static void compare(const char *path, char *got)
{
	FILE *f;
	char *want;

	f = fopen(path, update ? "w" : "r");
	if (!f)
		fail_msg("%s is missing; golden_ctl --update writes it:\n%s", path, got);
	if (update) {
		fputs(got, f);
		fclose(f);
		return;
	}
	want = slurp(f);
	fclose(f);
	if (strcmp(want, got))
		fail_msg("%s\n---- wanted\n%s---- got\n%s", path, want, got);
	free(want);
}

static void one(const char *name, const struct output_ops *ops, const char *ext)
{
	char in[300], path[300], *got;

	snprintf(in, sizeof(in), DIR_NAME "/%s.in", name);
	snprintf(path, sizeof(path), DIR_NAME "/%s.%s", name, ext);
	got = outcome(in, ops);
	compare(path, got);
	free(got);
}

static void test_screen(void **state)
{
	const char *name = *state;

	one(name, &output_text, "txt");
	if (!strncmp(name, "cmd-", 4)) /* about words, not about data */
		return;
	one(name, &output_tsv, "tsv");
	one(name, &output_json, "jsonl");
}

/* Every verb that reaches the daemon has a screen here. */
static void test_complete(void **state)
{
	char path[128], *p;
	int i;

	(void)state;
	for (i = 0; i < API_V_MAX; i++) {
		if (api_verb((enum api_verb_id)i)->level < API_READ)
			continue;
		snprintf(path, sizeof(path), DIR_NAME "/%s.in",
			 api_verb((enum api_verb_id)i)->path);
		for (p = path; *p; p++)
			*p = *p == ' ' ? '-' : *p;
		if (access(path, R_OK))
			fail_msg("%s is missing", path);
	}
}

static int is_in(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && !strcmp(dot, ".in");
}

int main(int argc, char **argv)
{
	struct CMUnitTest test[MAX_FILES + 1] = { cmocka_unit_test(test_complete) };
	struct dirent **list = NULL;
	int i, files, failed;

	update = argc > 1 && !strcmp(argv[1], "--update");
	files = scandir(DIR_NAME, &list, is_in, alphasort);
	if (files < 1 || files > MAX_FILES) {
		fprintf(stderr, "%s: no files, or too many\n", DIR_NAME);
		return 1;
	}
	for (i = 0; i < files; i++) {
		*strrchr(list[i]->d_name, '.') = 0;
		test[i + 1] = (struct CMUnitTest){ .name = list[i]->d_name,
						   .test_func = test_screen,
						   .initial_state = list[i]->d_name };
	}
	failed = _cmocka_run_group_tests("golden ctl", test, (size_t)files + 1, NULL, NULL);
	for (i = 0; i < files; i++)
		free(list[i]);
	free(list);
	return failed;
}
