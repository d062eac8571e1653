/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * api.h - what rrlbd and rrctl agree on: the verbs, their arguments, the codes, the limits.
 *
 * One row of API_VERBS is a verb: the daemon's dispatch, rrctl's parser, help, completion and
 * synopsis are made from it, and a test checks the manual against it. Columns: id, path, level,
 * arguments, help sentence. Arguments: A_REQ(name, TYPE) a word that must be there, A_POS(name,
 * TYPE) one that may, A_OPT(name, TYPE) an option "--name" ("_" is typed as "-"). JSON keys are the
 * names. api_wire.h has the form on the wire.
 */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>
#include <stddef.h>

#include "rr_flow.h"

#define API_VERSION 1 /* of the protocol: "v" of every line */
#define API_SCHEMA 1 /* of the data: "schema_version" of everything that rrctl --json prints */
#define API_SOCKET "/run/rrlb/control.sock"
#define API_LINE_MAX 65536 /* bytes of one request line, newline not counted */
#define API_STRING_MAX 256 /* bytes of one string argument; files may fill the line */
#define API_LIST_MAX 16
#define API_ARGS_MAX 8
#define API_FLOWS_DEFAULT 100
#define API_FLOWS_MAX 10000

/* Exit codes of rrctl, and `code` of a reply that is not ok. */
enum api_code {
	API_OK = 0,
	API_FAILED = 1,
	API_USAGE = 2,
	API_UNREACHABLE = 3,
	API_NO_SUCH = 4,
	API_REFUSED = 5,
	API_TIMEOUT = 6,
	API_PERMISSION = 7,
};

/* Who may: LOCAL verbs never reach the daemon. */
enum api_level { API_NONE, API_LOCAL, API_READ, API_OPERATE };

enum api_type {
	API_T_FLAG, /* bool */
	API_T_SERVICE, /* string: a service's name */
	API_T_ENDPOINT, /* string: SERVICE/ADDRESS:PORT */
	API_T_BACKEND, /* string: ADDRESS:PORT, or SERVICE/ADDRESS:PORT */
	API_T_ADDRESS, /* string: ADDRESS:PORT */
	API_T_CLIENT, /* string: ADDRESS or ADDRESS:PORT */
	API_T_WEIGHT, /* string: N, +N%, -N% or auto */
	API_T_STATE, /* string: state of a flow */
	API_T_DURATION, /* integer: milliseconds; typed as 5m, 30s, 500ms */
	API_T_WAIT, /* integer: milliseconds, 0 = for ever; the value may be left out */
	API_T_COUNT, /* integer */
	API_T_FILE, /* string: the text of a file whose name is typed; "-" is standard input */
	API_T_NAME, /* string: that name, for messages; not typed, rrctl fills it in */
	API_T_IFACES, /* array of strings: interface names, the rest of the words */
	API_T_SHELL, /* string: bash */
};

/* clang-format off */
#define API_VERBS(X)                                                                               \
	X(status, "status", READ, ,                                                                \
	  "show the daemon, its services and its problems on one screen")                          \
	X(health, "health", READ, ,                                                                \
	  "exit 0 when every service is served, 1 with the problems when not")                     \
	X(verdicts, "verdicts", READ, ,                                                            \
	  "count packets by what the packet path decided about them")                              \
	X(service_list, "service list", READ, ,                                                    \
	  "list the services")                                                                     \
	X(service_show, "service show", READ, A_REQ(service, SERVICE),                             \
	  "show everything about one service")                                                     \
	X(service_pause, "service pause", OPERATE, A_REQ(service, SERVICE) A_OPT(dry_run, FLAG),   \
	  "let a service take no new connections; its flows go on")                                \
	X(service_resume, "service resume", OPERATE, A_REQ(service, SERVICE) A_OPT(dry_run, FLAG), \
	  "undo a pause")                                                                          \
	X(endpoint_list, "endpoint list", READ, A_POS(service, SERVICE),                           \
	  "list the endpoints of one service or of all")                                           \
	X(endpoint_show, "endpoint show", READ, A_REQ(endpoint, ENDPOINT),                         \
	  "show everything about one endpoint")                                                    \
	X(endpoint_add, "endpoint add", OPERATE,                                                   \
	  A_REQ(service, SERVICE) A_REQ(address, ADDRESS) A_OPT(weight, COUNT)                     \
	  A_OPT(dry_run, FLAG),                                                                    \
	  "add an endpoint to a service until it is deleted; survives reload and restart")         \
	X(endpoint_del, "endpoint del", OPERATE,                                                   \
	  A_REQ(endpoint, ENDPOINT) A_OPT(force, FLAG) A_OPT(dry_run, FLAG),                       \
	  "remove an endpoint: it drains, then it is gone")                                        \
	X(endpoint_drain, "endpoint drain", OPERATE,                                               \
	  A_REQ(endpoint, ENDPOINT) A_OPT(deadline, DURATION) A_OPT(wait, WAIT)                    \
	  A_OPT(force, FLAG) A_OPT(dry_run, FLAG),                                                 \
	  "give an endpoint no new connections and let the old ones end")                          \
	X(endpoint_ready, "endpoint ready", OPERATE,                                               \
	  A_REQ(endpoint, ENDPOINT) A_OPT(dry_run, FLAG),                                          \
	  "undo drain and maint")                                                                  \
	X(endpoint_maint, "endpoint maint", OPERATE,                                               \
	  A_REQ(endpoint, ENDPOINT) A_OPT(kill, FLAG) A_OPT(force, FLAG) A_OPT(dry_run, FLAG),     \
	  "take an endpoint out for maintenance; with --kill its connections are reset")           \
	X(endpoint_weight, "endpoint weight", OPERATE,                                             \
	  A_REQ(endpoint, ENDPOINT) A_REQ(weight, WEIGHT) A_OPT(dry_run, FLAG),                    \
	  "set an endpoint's weight: 1 to 1000, a change in percent, "                             \
	  "or auto for the configured one")                                                        \
	X(endpoint_check, "endpoint check", OPERATE, A_REQ(endpoint, ENDPOINT),                    \
	  "probe an endpoint now and show the phases")                                             \
	X(table_show, "table show", READ, A_REQ(service, SERVICE) A_OPT(slots, FLAG),              \
	  "show the rotation as it stands in the packet path")                                     \
	X(table_explain, "table explain", READ, A_REQ(service, SERVICE),                           \
	  "explain the rotation: weights, quotas, why not, and the next 20 picks")                 \
	X(flow_list, "flow list", READ,                                                            \
	  A_OPT(service, SERVICE) A_OPT(endpoint, BACKEND) A_OPT(client, CLIENT)                   \
	  A_OPT(state, STATE) A_OPT(limit, COUNT),                                                 \
	  "list connections, at most 100 unless --limit says more")                                \
	X(flow_count, "flow count", READ,                                                          \
	  A_OPT(service, SERVICE) A_OPT(endpoint, BACKEND) A_OPT(client, CLIENT)                   \
	  A_OPT(state, STATE),                                                                     \
	  "count connections by state and service")                                                \
	X(flow_kill, "flow kill", OPERATE,                                                         \
	  A_OPT(service, SERVICE) A_OPT(endpoint, BACKEND) A_OPT(client, CLIENT)                   \
	  A_OPT(state, STATE) A_OPT(limit, COUNT) A_OPT(force, FLAG) A_OPT(dry_run, FLAG),         \
	  "reset connections; without a filter only with --force")                                 \
	X(config_check, "config check", READ, A_REQ(file, FILE) A_OPT(name, NAME),         \
	  "check a configuration file without using it")                                           \
	X(config_diff, "config diff", READ, A_POS(file, FILE) A_OPT(name, NAME),           \
	  "compare the running configuration with a file, or with the daemon's own file")          \
	X(config_show, "config show", READ, A_OPT(effective, FLAG),                                \
	  "print the running configuration; --effective adds what operators have changed")         \
	X(config_reload, "config reload", OPERATE, A_OPT(reset, FLAG) A_OPT(dry_run, FLAG),        \
	  "read the daemon's file again; --reset also drops what operators have changed")          \
	X(events, "events", READ,                                                                  \
	  A_OPT(follow, FLAG) A_OPT(since, DURATION) A_OPT(service, SERVICE) A_OPT(limit, COUNT),  \
	  "show what has happened, and with --follow what happens")                                \
	X(detach, "detach", OPERATE,                                                               \
	  A_POS(interfaces, IFACES) A_OPT(all, FLAG) A_OPT(unpin, FLAG) A_OPT(dry_run, FLAG),      \
	  "take the packet path off interfaces; --unpin also removes its maps and program")        \
	X(version, "version", READ, ,                                                              \
	  "show the versions of rrctl and rrlbd")

#define API_LOCAL_VERBS(X)                                                                         \
	X(completion, "completion", LOCAL, A_REQ(shell, SHELL),                                    \
	  "print the completion script for a shell")                                               \
	X(help, "help", LOCAL, ,                                                                   \
	  "list the commands")
/* clang-format on */

enum api_verb_id {
#define API_ID(id, path, level, args, help) API_V_##id,
	API_VERBS(API_ID) API_LOCAL_VERBS(API_ID)
#undef API_ID
		API_V_MAX
};

enum api_need { API_END, API_MUST, API_MAY, API_OPTION };

struct api_arg {
	const char *name;
	enum api_type type;
	enum api_need need; /* API_END: there are no more */
};

struct api_verb {
	enum api_verb_id id;
	const char *path;
	enum api_level level;
	const char *help;
	struct api_arg arg[API_ARGS_MAX];
};

/* api.c */
const struct api_verb *api_verb(enum api_verb_id id);
const struct api_verb *api_verb_find(const char *path); /* exactly this path; NULL */
bool api_verb_mutates(
	const struct api_verb *v); /* audited: it has --dry-run, or is endpoint check */
const char *api_code_name(enum api_code code);
/*
 * "SERVICE", "SERVICE/ADDRESS:PORT": what stands for a value in usage lines; "" for a flag, NULL =
 * not typed.
 */
const char *api_type_meta(enum api_type t);
const char *api_flow_state(enum rr_flow_state s); /* "est"; "none" for what is no flow */
const char *const *api_flow_states(void); /* what --state takes; ends with NULL */
/* The read-only socket beside `path`: "x.sock" -> "x-ro.sock". Returns buf. */
const char *api_socket_ro(const char *path, char *buf, size_t len);

#endif
