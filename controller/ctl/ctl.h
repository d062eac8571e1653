/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ctl.h - what the parts of rrctl share. A command is a row of the verb table in api/api.h and a
 * function show_<id>().
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "api/api_wire.h"
#include "ctl/output.h"

struct ctl {
	struct output out;
	const char *socket;
	const char *build; /* version of this rrctl */
	const struct api_verb *verb;
	json_t *args;
	bool help; /* -h: show the usage of the verb, or of all */
	bool version; /* -V */
	unsigned int lines; /* of a stream, shown so far */
};

/* Is the answer shown to people? Else to a program, as a table or record at the most. */
static inline bool is_text(const struct ctl *ctl)
{
	return ctl->out.ops == &output_text;
}

/* Is the answer printed as it came? Then what is shown besides is not printed. */
static inline bool is_json(const struct ctl *ctl)
{
	return ctl->out.ops == &output_json;
}

/* cmd.c: words to verb and arguments. 0, or an exit code after the message was printed. */
int cmd_parse(struct ctl *ctl, int argc, char **argv);
/* help.c: on standard output, for every verb or for one */
void help_all(void);
void help_verb(const struct api_verb *v);
/* Adds "service show SERVICE" to sb. */
void usage_line(struct strbuf *sb, const struct api_verb *v);
/* complete.c: the script for the shell on standard output; an exit code. */
int complete_print(const char *shell);

/*
 * One line of an answer. `more`: a line of a stream. What it shows when the answer is an error, it
 * decides itself.
 */
typedef void (*show_fn)(struct ctl *ctl, const struct api_reply *r);
#define CTL_SHOW(id, path, level, args, help) \
	void show_##id(struct ctl *ctl, const struct api_reply *r);
API_VERBS(CTL_SHOW)
#undef CTL_SHOW

/* show_status.c */
void show_problems(struct ctl *ctl, const json_t *list);

#endif
