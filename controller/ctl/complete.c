/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * complete.c - the bash completion script, made from the verb table: words of the paths, options,
 * and by asking the daemon the names of services and endpoints.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

static const char head[] =
	"# bash completion for rrctl; made by `rrctl completion bash`\n"
	"# shellcheck shell=bash disable=SC2207\n"
	"_rrctl_names() { rrctl -o tsv \"$@\" 2>/dev/null | tail -n +2; }\n"
	"_rrctl_services() { _rrctl_names service list | cut -f1; }\n"
	"_rrctl_endpoints() { _rrctl_names endpoint list | cut -f1,2 | tr '\\t' '/'; }\n"
	"_rrctl() {\n"
	"\tlocal cur=$2 words=() w path='' kind='' opts=''\n"
	"\t[ -n \"${BASH_VERSION:-}\" ] || return 0\n"
	"\tif declare -F _get_comp_words_by_ref >/dev/null; then\n"
	"\t\t_get_comp_words_by_ref -n : cur\n"
	"\tfi\n"
	"\tfor w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	"\t\tcase $w in -*) ;; *) words+=(\"$w\") ;; esac\n"
	"\tdone\n"
	"\tcase \"${words[*]}\" in\n";

static const char tail[] =
	"\tesac\n"
	"\tcase $cur in -*)\n"
	"\t\tkind=\"$opts --socket --json --pretty --output --quiet --no-color --help\"\n"
	"\t\tCOMPREPLY=($(compgen -W \"$kind\" -- \"$cur\"))\n"
	"\t\treturn 0\n"
	"\tesac\n"
	"\tcase $kind in\n"
	"\tSERVICE) COMPREPLY=($(compgen -W \"$(_rrctl_services)\" -- \"$cur\")) ;;\n"
	"\tENDPOINT) COMPREPLY=($(compgen -W \"$(_rrctl_endpoints)\" -- \"$cur\")) ;;\n"
	"\tFILE) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
	"\tIFACE) COMPREPLY=($(compgen -W \"$(cd /sys/class/net && echo *)\" -- \"$cur\")) ;;\n"
	"\tWORDS) COMPREPLY=($(compgen -W \"$path\" -- \"$cur\")) ;;\n"
	"\tesac\n"
	"\tif declare -F __ltrim_colon_completions >/dev/null; then\n"
	"\t\t__ltrim_colon_completions \"$cur\"\n"
	"\tfi\n"
	"}\n"
	"complete -F _rrctl rrctl\n";

/*
 * What completes the first place of a verb: a word that the script's last `case` knows. Values that
 * only the operator can know (an address, a weight) are NONE.
 */
static const char *kind_of(const struct api_arg *a)
{
	switch (a->type) {
	case API_T_SERVICE:
		return "SERVICE";
	case API_T_ENDPOINT:
		return "ENDPOINT";
	case API_T_FILE:
		return "FILE";
	case API_T_IFACES:
		return "IFACE";
	case API_T_SHELL:
		return "WORDS path=bash";
	default:
		return "NONE";
	}
}

/* Those of the verb that are typed; the script adds the ones that every command has. */
static void print_options(const struct api_verb *v)
{
	const struct api_arg *a;
	const char *p;

	printf("opts='");
	for (a = v->arg; a->need != API_END; a++) {
		if (a->need != API_OPTION || !api_type_meta(a->type))
			continue;
		printf(" --");
		for (p = a->name; *p; p++)
			putchar(*p == '_' ? '-' : *p);
	}
	printf("'");
}

/* The verb typed in full: what its first place takes, and its options. */
static void print_verb(const struct api_verb *v)
{
	bool place = v->arg[0].need == API_MUST || v->arg[0].need == API_MAY;

	printf("\t'%s')\n\t\tkind=%s\n\t\t", v->path, place ? kind_of(&v->arg[0]) : "NONE");
	print_options(v);
	printf(" ;;\n\t'%s '*)\n\t\tkind=NONE\n\t\t", v->path);
	print_options(v);
	printf(" ;;\n");
}

/* The words that may follow `object`, or the first words when it is "". Each once. */
static void print_words(const char *object)
{
	size_t n = strlen(object);
	const char *path, *last = "", *word;
	size_t len, last_len = 0;

	printf("\t'%s')\n\t\tkind=WORDS path='", object);
	for (int i = 0; i < API_V_MAX; i++) {
		path = api_verb((enum api_verb_id)i)->path;
		if (n && (strncmp(path, object, n) || path[n] != ' '))
			continue;
		word = n ? path + n + 1 : path;
		len = strcspn(word, " ");
		if (len == last_len && !strncmp(word, last, len))
			continue;
		printf(" %.*s", (int)len, word);
		last = word;
		last_len = len;
	}
	printf("' ;;\n");
}

/* The verbs of an object stand together in the table: a change of object is a new one. */
static void print_objects(void)
{
	const char *path, *last = "";
	char object[24];
	size_t n;

	for (int i = 0; i < API_V_MAX; i++) {
		path = api_verb((enum api_verb_id)i)->path;
		n = strcspn(path, " ");
		if (!path[n] || (!strncmp(path, last, n) && last[n] == ' '))
			continue;
		snprintf(object, sizeof(object), "%.*s", (int)n, path);
		print_words(object);
		last = path;
	}
}

/* The script on standard output. Returns the exit code: there is only bash. */
int complete_print(const char *shell)
{
	if (strcmp(shell, "bash")) {
		fprintf(stderr, "rrctl: there is no completion for '%s', only for bash\n", shell);
		return API_USAGE;
	}
	fputs(head, stdout);
	print_words("");
	print_objects();
	for (int i = 0; i < API_V_MAX; i++)
		print_verb(api_verb((enum api_verb_id)i));
	fputs(tail, stdout);
	return API_OK;
}
