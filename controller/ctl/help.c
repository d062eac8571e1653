/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * help.c - usage and help, all of it made from the verb table.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

static void put_dashed(struct strbuf *sb, const char *name)
{
	strbuf_puts(sb, "--");
	for (; *name; name++)
		strbuf_putc(sb, *name == '_' ? '-' : *name);
}

/* " [--wait[=TIME]]": the value of a wait may be left out, that of others may not. */
static void put_option(struct strbuf *sb, const struct api_arg *a)
{
	const char *meta = api_type_meta(a->type);

	strbuf_puts(sb, " [");
	put_dashed(sb, a->name);
	if (a->type == API_T_WAIT)
		strbuf_printf(sb, "[=%s]", meta);
	else if (*meta)
		strbuf_printf(sb, " %s", meta);
	strbuf_putc(sb, ']');
}

/*
 * "endpoint weight SERVICE/ADDRESS:PORT N [--dry-run]". Arguments whose type has no word for people
 * are filled in by rrctl and never typed: they are not shown.
 */
void usage_line(struct strbuf *sb, const struct api_verb *v)
{
	const struct api_arg *a;

	strbuf_puts(sb, v->path);
	for (a = v->arg; a->need != API_END; a++) {
		if (!api_type_meta(a->type))
			continue;
		if (a->need == API_OPTION)
			put_option(sb, a);
		else
			strbuf_printf(sb, a->need == API_MAY ? " [%s]" : " %s",
				      api_type_meta(a->type));
	}
}

void help_verb(const struct api_verb *v)
{
	struct strbuf sb = { 0 };

	usage_line(&sb, v);
	printf("usage: rrctl %s\n    %s\n", strbuf_str(&sb), v->help);
	strbuf_free(&sb);
}

void help_all(void)
{
	struct strbuf sb = { 0 };

	puts("usage: rrctl [-s SOCKET] [-j] [-p] [-o text|json|tsv] [-q] [--no-color] COMMAND ...\n"
	     "Without a command: status. Words may be cut short. rrctl(1) has the whole story.\n");
	for (int i = 0; i < API_V_MAX; i++) {
		strbuf_truncate(&sb, 0);
		usage_line(&sb, api_verb((enum api_verb_id)i));
		printf("  %s\n      %s\n", strbuf_str(&sb), api_verb((enum api_verb_id)i)->help);
	}
	puts("\n  -s, --socket SOCKET  control socket, " API_SOCKET "\n"
	     "  -j, --json           the answer as JSON; -p, --pretty indents it\n"
	     "  -o, --output FORMAT  text, json, tsv\n"
	     "  -q, --quiet          no output but errors\n"
	     "      --no-color       no colours (there are none anyway unless on a terminal)\n"
	     "  -h, --help           this, or the usage of one command\n"
	     "  -V, --version        version of rrctl");
	strbuf_free(&sb);
}
