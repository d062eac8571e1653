/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rrctl.c - main: parse, ask rrlbd, show what it answers. The exit code is the daemon's (api.h), or
 * 3 when there is nobody to ask.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/ctl.h"

#define ANSWER_MS 10000
#define CHECK_MS 40000

static const show_fn show[API_V_MAX] = {
#define SHOW_ROW(id, path, level, args, help) [API_V_##id] = show_##id,
	API_VERBS(SHOW_ROW)
#undef SHOW_ROW
};

/* What to do when there is no daemon, where something can be done. */
static const char *remedy(const struct ctl *ctl, int err)
{
	if (err == -EACCES)
		return "become a member of the group that may (rrlbd.conf(5), control)";
	if (ctl->verb->id == API_V_detach)
		return "without rrlbd: rm -r /sys/fs/bpf/rrlb, which ends links, then ip link set "
		       "dev INTERFACE xdp off";
	if (ctl->verb->id == API_V_config_check)
		return "without rrlbd: rrlbd --check FILE";
	return "is rrlbd running?";
}

/*
 * What rrctl itself has to say goes the way of an answer, so that a program that reads JSON finds
 * it where it looks for the daemon's.
 */
static int fail(struct ctl *ctl, enum api_code code, const char *what, const char *why)
{
	char text[512];

	snprintf(text, sizeof(text), "%.200s: %.300s", what, why);
	ctl->out.ops->answer(&ctl->out, code, text, NULL);
	return code;
}

/*
 * Nobody to ask. `version` still says its own, since that is what one asks when the other side does
 * not answer.
 */
static int unreachable(struct ctl *ctl, int err)
{
	char why[400];

	snprintf(why, sizeof(why), "%s; %s", strerror(-err), remedy(ctl, err));
	if (ctl->verb->id == API_V_version)
		ctl->out.ops->line(&ctl->out, TONE_PLAIN, "rrctl " RRLB_VERSION);
	return fail(ctl, err == -EACCES ? API_PERMISSION : API_UNREACHABLE, ctl->socket, why);
}

/* How long the next line may take. */
static int patience(const struct ctl *ctl)
{
	if (api_get_flag(ctl->args, "follow") || json_object_get(ctl->args, "wait"))
		return -1;
	return ctl->verb->id == API_V_endpoint_check ? CHECK_MS : ANSWER_MS;
}

/*
 * One line. A file travels inside it, so the limit of a line (API_LINE_MAX), which the daemon holds
 * to, is the limit of a file.
 */
static int send_request(struct ctl *ctl, struct client *c)
{
	char *line = api_request_format(ctl->verb, ctl->args);
	int err;

	if (!line)
		return fail(ctl, API_FAILED, "request", "no memory");
	if (strlen(line) > API_LINE_MAX) {
		free(line);
		return fail(ctl, API_USAGE, "the file is too long to be sent (64 KiB)",
			    "rrlbd --check FILE checks it without a daemon");
	}
	err = client_send(c, line, strlen(line));
	free(line);
	/* The daemon may have refused us already and closed: its words are still to be read. */
	return err && err != -EPIPE && err != -ECONNRESET ? unreachable(ctl, err) : 0;
}

/*
 * What was asked for is done, but not all of the daemon could follow; said once, however it is
 * shown.
 */
static void show_warning(const json_t *data)
{
	const char *warning = json_string_value(value_of(data, "warning"));

	if (warning)
		fprintf(stderr, "rrctl: warning: %s\n", warning);
}

/* Shows one line; *more: others follow. */
static int show_line(struct ctl *ctl, const char *line, size_t len, bool *more)
{
	char err[API_ERROR_MAX];
	struct api_reply r;
	int code;

	if (api_reply_parse(&r, line, len, err, sizeof(err))) {
		api_reply_free(&r);
		return fail(ctl, API_FAILED, "the answer cannot be understood", err);
	}
	*more = r.ok && r.more;
	code = r.ok ? API_OK : r.code;
	show[ctl->verb->id](ctl, &r);
	ctl->out.ops->answer(&ctl->out, code, r.error, r.data);
	if (!ctl->lines++)
		show_warning(r.data);
	if (*more)
		fflush(stdout);
	api_reply_free(&r);
	return code;
}

/*
 * Shows lines until the daemon says that none follows; the exit code is that of the last. A reader
 * of our output that is gone (`| head`) ends a stream too.
 */
static int answer(struct ctl *ctl, struct client *c)
{
	const char *line;
	bool more = true;
	size_t len;
	int rc = 0;

	while (more) {
		rc = client_line(c, &line, &len, patience(ctl));
		if (rc == 0)
			return fail(ctl, API_UNREACHABLE, ctl->socket,
				    "rrlbd closed the connection");
		if (rc < 0)
			return fail(ctl, API_UNREACHABLE, ctl->socket,
				    rc == -ETIMEDOUT ? "rrlbd does not answer" : strerror(-rc));
		more = false;
		rc = show_line(ctl, line, len, &more);
		if (ferror(stdout))
			break;
	}
	return rc;
}

/* Verbs that only read may use the readers' socket, whose group may be larger. */
static int ask(struct ctl *ctl)
{
	struct client c;
	int rc;

	rc = client_open(&c, ctl->socket, ctl->verb->level == API_READ);
	if (rc)
		return unreachable(ctl, rc);
	rc = send_request(ctl, &c);
	if (!rc)
		rc = answer(ctl, &c);
	client_close(&c);
	return rc;
}

/*
 * What needs no daemon comes first: -V and -h answer also for a command line that names a verb, and
 * local verbs never reach the daemon.
 */
static int run(struct ctl *ctl)
{
	if (ctl->version) {
		puts("rrctl " RRLB_VERSION);
		return API_OK;
	}
	if (ctl->help && ctl->verb) {
		help_verb(ctl->verb);
		return API_OK;
	}
	if (ctl->help || ctl->verb->id == API_V_help) {
		help_all();
		return API_OK;
	}
	if (ctl->verb->id == API_V_completion)
		return complete_print(api_get_str(ctl->args, "shell"));
	return ask(ctl);
}

/*
 * Colours only for eyes: on a terminal that knows them, unless NO_COLOR (no-color.org) is set to
 * anything but an empty string.
 */
static bool want_color(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (!no || !*no) && term && strcmp(term, "dumb");
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .socket = API_SOCKET,
			   .build = RRLB_VERSION,
			   .out = { .ops = &output_text } };
	int rc;

	ctl.out.color = want_color();
	ctl.args = json_object();
	rc = cmd_parse(&ctl, argc, argv);
	if (!rc)
		rc = run(&ctl);
	json_decref(ctl.args);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "rrctl: standard output: %s\n", strerror(errno));
		rc = rc ? rc : API_FAILED;
	}
	return rc;
}
