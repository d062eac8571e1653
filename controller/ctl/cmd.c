/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cmd.c - from words to a verb of the table and its arguments. Options may stand anywhere; a word
 * may be cut short as long as one choice is left ("rrctl end dr web/..."), otherwise the choices
 * are listed.
 *
 * After the verb's path, words fill its required and optional places in order; once they are full,
 * the name of an option also works without dashes ("endpoint add web 10.0.0.9:443 weight 50").
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/choice.h"
#include "ctl/ctl.h"
#include "util/file.h"
#include "util/units.h"

#define FILE_MAX (4u << 20)

struct parse {
	struct ctl *ctl;
	char **argv;
	int argc, i;
	const char *object; /* first word of the path, when it needs a second */
	bool only_words; /* after "--" */
};

/*
 * A command line that makes no sense: says why, with at most two words of it. Returns the exit
 * code, so that a caller can end with it.
 */
static int usage(const char *fmt, const char *a, const char *b)
{
	fprintf(stderr, "rrctl: ");
	fprintf(stderr, fmt, a, b); /* NOLINT: formats are literals of this file */
	fputc('\n', stderr);
	return API_USAGE;
}

/* ---- the verb ---- */

/* First words; cut out of the paths into `store`. */
static void objects(struct choices *c, char store[API_V_MAX][24])
{
	const char *path;

	c->what = "command";
	for (int i = 0; i < API_V_MAX; i++) {
		path = api_verb((enum api_verb_id)i)->path;
		snprintf(store[i], sizeof(store[i]), "%.*s", (int)strcspn(path, " "), path);
		choices_add(c, store[i]);
	}
}

/* Second words of an object. */
static void seconds(struct choices *c, const char *object)
{
	size_t n = strlen(object);
	const char *path;

	c->what = "command";
	for (int i = 0; i < API_V_MAX; i++) {
		path = api_verb((enum api_verb_id)i)->path;
		if (!strncmp(path, object, n) && path[n] == ' ')
			choices_add(c, path + n + 1);
	}
}

/*
 * The second word of "endpoint drain": only the verbs of its object are choices, so "d" is enough
 * where no other verb of the object begins with it.
 */
static int take_second(struct parse *p, const char *word)
{
	struct choices c = { 0 };
	char path[64];
	const char *second;

	seconds(&c, p->object);
	second = choices_find(&c, word);
	if (!second)
		return API_USAGE;
	snprintf(path, sizeof(path), "%s %s", p->object, second);
	p->ctl->verb = api_verb_find(path);
	return 0;
}

/*
 * The first word. It is a verb by itself ("status"), or the object of one, whose second word is
 * still to come: that is remembered, and there is no verb yet.
 */
static int take_object(struct parse *p, const char *word)
{
	static char store[API_V_MAX][24];
	struct choices c = { 0 };
	const char *object;

	objects(&c, store);
	object = choices_find(&c, word);
	if (!object)
		return API_USAGE;
	p->ctl->verb = api_verb_find(object);
	if (!p->ctl->verb)
		p->object = object;
	return 0;
}

/* ---- values ---- */

/* The file's text; malloc'ed. "-" is the standard input. */
static char *file_text(const char *name, size_t *len)
{
	char *text;
	int rc = strcmp(name, "-") ? file_read(name, FILE_MAX, &text, len)
				   : file_read_fd(STDIN_FILENO, FILE_MAX, &text, len);

	if (rc)
		fprintf(stderr, "rrctl: %s: %s\n", name,
			rc == -EFBIG ? "longer than 4 MiB" : strerror(-rc));
	return text;
}

/*
 * The text of a file is sent, not its name: the daemon may run as another user and see other files.
 * The name goes along for messages; of one that is too long to be sent only the last part.
 */
static int put_file(struct ctl *ctl, const struct api_arg *a, const char *name)
{
	const char *base = strlen(name) > API_STRING_MAX ? strrchr(name, '/') : NULL;
	json_t *text;
	size_t len = 0;
	char *bytes = file_text(name, &len);

	if (!bytes)
		return API_FAILED;
	text = json_stringn(bytes, len);
	free(bytes);
	if (!text) {
		fprintf(stderr, "rrctl: %s: is not UTF-8 text\n", name);
		return API_FAILED;
	}
	json_object_set_new(ctl->args, a->name, text);
	json_object_set_new(ctl->args, "name",
			    api_string(!strcmp(name, "-") ? "stdin"
				       : base		  ? base + 1
							  : name));
	return 0;
}

/* Durations go over the wire in milliseconds, whatever unit was typed. */
static json_t *duration_json(const char *word)
{
	mono_t t;

	return units_dur_parse(&t, word) ? NULL : json_integer(t.us / 1000);
}

/* "10k" is allowed; what does not fit the integers of JSON is refused, not cut. */
static json_t *count_json(const char *word)
{
	uint64_t n;

	return units_count_parse(&n, word) || n > INT64_MAX ? NULL : json_integer((json_int_t)n);
}

/*
 * A word as the argument's type has it on the wire; NULL when it cannot be read as one. A list
 * grows by one with each word. What a string may hold is api_arg_check()'s.
 */
static json_t *value_json(struct ctl *ctl, const struct api_arg *a, const char *word)
{
	json_t *list;

	switch (a->type) {
	case API_T_DURATION:
	case API_T_WAIT:
		return duration_json(word);
	case API_T_COUNT:
		return count_json(word);
	case API_T_IFACES:
		list = json_object_get(ctl->args, a->name);
		list = list ? json_incref(list) : json_array();
		json_array_append_new(list, json_string(word));
		return list;
	default:
		return json_string(word);
	}
}

/*
 * Adds an argument to the request. The check is the one that the daemon makes when it reads the
 * request, so that a word that it would refuse is refused without asking it.
 */
static int put_value(struct ctl *ctl, const struct api_arg *a, const char *word)
{
	char err[API_ERROR_MAX];
	json_t *value;

	if (a->type == API_T_FILE)
		return put_file(ctl, a, word);
	value = value_json(ctl, a, word);
	if (!value)
		return usage("'%s' is not a %s", word,
			     a->type == API_T_COUNT ? "number" : "duration: 30s, 5m, 1h");
	if (api_arg_check(a, value, err, sizeof(err))) {
		json_decref(value);
		return usage("'%s': %s", word, err);
	}
	json_object_set_new(ctl->args, a->name, value);
	return 0;
}

/* ---- options ---- */

/* Names are JSON keys with "_"; typed they have "-". */
static void dashed(const char *name, char *buf, size_t len)
{
	snprintf(buf, len, "%s", name);
	for (size_t i = 0; buf[i]; i++) {
		if (buf[i] == '_')
			buf[i] = '-';
	}
}

/* The value behind an option: after "=", or the next word. NULL after saying that it is missing. */
static const char *option_value(struct parse *p, const char *option, const char *attached)
{
	if (attached)
		return attached;
	if (p->i + 1 < p->argc)
		return p->argv[++p->i];
	usage("option '%s' needs a value%s", option, "");
	return NULL;
}

/*
 * "--wait" may stand without a value, which is "for ever" (0). The next word is its value only when
 * it reads as a duration: "drain --wait web/10.0.0.1:443" names an endpoint.
 */
static int take_wait(struct parse *p, const struct api_arg *a, const char *attached)
{
	mono_t t;

	if (attached)
		return put_value(p->ctl, a, attached);
	if (p->i + 1 < p->argc && !units_dur_parse(&t, p->argv[p->i + 1]))
		return put_value(p->ctl, a, p->argv[++p->i]);
	json_object_set_new(p->ctl->args, a->name, json_integer(0));
	return 0;
}

/* An option of the verb; `attached` is what stood behind "=", or NULL. */
static int take_verb_option(struct parse *p, const struct api_arg *a, const char *attached)
{
	const char *value;

	if (a->type == API_T_WAIT)
		return take_wait(p, a, attached);
	if (a->type == API_T_FLAG) {
		if (attached)
			return usage("option '%s' takes no value%s", a->name, "");
		json_object_set_new(p->ctl->args, a->name, json_true());
		return 0;
	}
	value = option_value(p, a->name, attached);
	return value ? put_value(p->ctl, a, value) : API_USAGE;
}

/* NULL when the value of --output was missing, which has been said already. */
static int set_format(struct ctl *ctl, const char *name)
{
	static const struct output_ops *const all[] = { &output_text, &output_json, &output_tsv };

	for (size_t i = 0; name && i < sizeof(all) / sizeof(all[0]); i++) {
		if (!strcmp(all[i]->name, name)) {
			ctl->out.ops = all[i];
			return 0;
		}
	}
	return name ? usage("unknown output format '%s': text, json, tsv%s", name, "") : API_USAGE;
}

/*
 * An option that every command has. `name` is one of `globals`, since choices_find() has completed
 * it, so the last one needs no comparison.
 */
static int take_global(struct parse *p, const char *name, const char *attached)
{
	struct ctl *ctl = p->ctl;

	if (!strcmp(name, "socket")) {
		ctl->socket = option_value(p, name, attached);
		return ctl->socket ? 0 : API_USAGE;
	}
	if (!strcmp(name, "output"))
		return set_format(ctl, option_value(p, name, attached));
	if (attached)
		return usage("option '%s' takes no value%s", name, "");
	if (!strcmp(name, "json"))
		ctl->out.ops = &output_json;
	else if (!strcmp(name, "pretty")) {
		ctl->out.ops = &output_json;
		ctl->out.pretty = true;
	} else if (!strcmp(name, "quiet"))
		ctl->out.quiet = true;
	else if (!strcmp(name, "no-color"))
		ctl->out.color = false;
	else if (!strcmp(name, "help"))
		ctl->help = true;
	else
		ctl->version = true;
	return 0;
}

static const char *const globals[] = { "socket",   "output", "json",	"pretty", "quiet",
				       "no-color", "help",   "version", NULL };

/* "--name[=value]". */
static int take_long(struct parse *p, const char *word)
{
	char store[API_ARGS_MAX][24], name[64];
	struct choices c = { .what = "option" };
	const struct api_arg *a = p->ctl->verb ? p->ctl->verb->arg : NULL;
	const char *equals = strchr(word, '='), *found;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	for (size_t i = 0; a && a[i].need != API_END; i++) {
		dashed(a[i].name, store[i], sizeof(store[i]));
		if (a[i].need == API_OPTION && api_type_meta(a[i].type))
			choices_add(&c, store[i]);
	}
	for (size_t i = 0; globals[i]; i++)
		choices_add(&c, globals[i]);
	found = choices_find(&c, name);
	if (!found)
		return API_USAGE;
	for (size_t i = 0; a && a[i].need != API_END; i++) {
		if (found == store[i])
			return take_verb_option(p, &a[i], equals ? equals + 1 : NULL);
	}
	return take_global(p, found, equals ? equals + 1 : NULL);
}

/* "-j", "-jq", "-sPATH", "-s PATH". */
static int take_short(struct parse *p, const char *word)
{
	static const char letters[] = "sojpqhVf";
	static const char *const name[] = { "socket", "output", "json",	   "pretty",
					    "quiet",  "help",	"version", "follow" };
	const char *at, *value;
	int rc = 0;

	for (; *word && !rc; word++) {
		at = strchr(letters, *word);
		if (!at)
			return usage("unknown option '-%.1s'%s", word, "");
		value = *word == 's' || *word == 'o' ? word[1] ? word + 1 : NULL : NULL;
		if (*word == 'f')
			rc = take_long(p, "follow");
		else
			rc = take_global(p, name[at - letters], value);
		if (*word == 's' || *word == 'o')
			break;
	}
	return rc;
}

/* ---- words ---- */

/*
 * A word behind the verb: the value of the first place that is still free, or, behind the last one,
 * the name of an option. A list takes every word that is left.
 */
static int take_word(struct parse *p, const char *word)
{
	const struct api_arg *a = p->ctl->verb->arg;
	char name[24];

	for (; a->need != API_END; a++) {
		if (a->need == API_OPTION) {
			dashed(a->name, name, sizeof(name));
			if (api_type_meta(a->type) && !strcmp(name, word))
				return take_verb_option(p, a, NULL);
		} else if (a->type == API_T_IFACES || !json_object_get(p->ctl->args, a->name)) {
			return put_value(p->ctl, a, word);
		}
	}
	return usage("'%s' is one word too many for '%s'", word, p->ctl->verb->path);
}

static bool is_option(const struct parse *p, const char *word)
{
	/* "-" is standard input, "-10%" a weight */
	return !p->only_words && word[0] == '-' && word[1] && !(word[1] >= '0' && word[1] <= '9');
}

/*
 * One word of the command line. It may take the next one with it (p->i moves on), as the value of
 * an option.
 */
static int take(struct parse *p, const char *word)
{
	if (is_option(p, word)) {
		if (!strcmp(word, "--")) {
			p->only_words = true;
			return 0;
		}
		return word[1] == '-' ? take_long(p, word + 2) : take_short(p, word + 1);
	}
	if (p->ctl->verb)
		return take_word(p, word);
	return p->object ? take_second(p, word) : take_object(p, word);
}

/* Everything that the verb needs is there. */
static int complete(struct parse *p)
{
	const struct api_arg *a;
	struct choices c = { 0 };
	struct strbuf sb = { 0 };

	if (!p->ctl->verb && p->object) {
		seconds(&c, p->object);
		usage("'%s' needs a command%s", p->object, "");
		choices_list(&c, "");
		return API_USAGE;
	}
	if (!p->ctl->verb)
		p->ctl->verb = api_verb(API_V_status);
	for (a = p->ctl->verb->arg; a->need != API_END; a++) {
		if (a->need != API_MUST || json_object_get(p->ctl->args, a->name))
			continue;
		usage("'%s' needs %s", p->ctl->verb->path, api_type_meta(a->type));
		usage_line(&sb, p->ctl->verb);
		fprintf(stderr, "usage: rrctl %s\n", strbuf_str(&sb));
		strbuf_free(&sb);
		return API_USAGE;
	}
	return 0;
}

int cmd_parse(struct ctl *ctl, int argc, char **argv)
{
	struct parse p = { .ctl = ctl, .argv = argv, .argc = argc };
	int rc = 0;

	for (p.i = 1; p.i < argc && !rc; p.i++)
		rc = take(&p, argv[p.i]);
	if (rc || ctl->version || ctl->help)
		return rc;
	return complete(&p);
}
