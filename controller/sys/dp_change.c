/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_change.c - what an upgrade changes and what that costs: said aloud, refused, and tidied up.
 *
 * dp_change_allow() speaks before anything is made: which maps are made anew, what becomes of their
 * contents, and how many flows end with a flow table. Flows are lost only when it was asked for.
 * dp_settle() comes last, when the new program runs: it removes the pins of maps that nothing uses
 * any more. Until then an old program that still runs somewhere is known by them as one of ours.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/dp_int.h"

#define LIST 400
#define SETTLE_TRIES \
	20 /* x 10 ms: a program that was just replaced goes with the next RCU period */

static void list_add(char *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void list_add(char *list, const char *fmt, ...)
{
	size_t n = strlen(list);
	va_list ap;

	if (n && n < LIST - 1)
		list[n++] = ' ';
	va_start(ap, fmt);
	vsnprintf(list + n, LIST - n, fmt, ap);
	va_end(ap);
}

/* Replaced maps of these kinds (bit = kind): "ep_stats 1->2 svc_stats 1->2". */
static void list_replaced(const struct dp *dp, uint32_t kinds, char *list)
{
	*list = 0;
	for (int m = 0; m < RR_MAP_MAX; m++) {
		if (dp->old[m].replaced && kinds >> dp_map_kinds[m] & 1)
			list_add(list, "%s %u->%u", dp_map_names[m], dp->old[m].version,
				 dp_map_versions[m]);
	}
}

/* Maps that were never there: no candidate of any version. */
static void list_new(const struct dp *dp, char *list)
{
	*list = 0;
	for (int m = 0; m < RR_MAP_MAX; m++) {
		if (dp->map_fd[m] < 0 && dp->old[m].fd < 0)
			list_add(list, "%s", dp_map_names[m]);
	}
}

/* ---- flows ----------------------------------------------------------------------------------- */

/* "17 flows", or that it is not known. */
static void flows_text(const struct dp *dp, char *text, size_t len)
{
	uint64_t flows = 0;

	for (int m = 0; m < RR_MAP_MAX; m++) {
		if ((m != RR_MAP_FLOWS4 && m != RR_MAP_FLOWS6) || !dp->old[m].replaced)
			continue;
		if (dp_past_flows(m, dp->old[m].version, dp->old[m].fd, &flows)) {
			snprintf(text, len, "an unknown number of flows");
			return;
		}
	}
	snprintf(text, len, "%llu flow%s", (unsigned long long)flows, flows == 1 ? "" : "s");
}

/* Whether a flow table would be made anew now; one that an earlier start has made is in force. */
static bool flows_end(const struct dp *dp)
{
	for (int m = 0; m < RR_MAP_MAX; m++) {
		if (dp_map_kinds[m] == RR_KIND_FLOWS && dp->old[m].replaced && dp->map_fd[m] < 0)
			return true;
	}
	return false;
}

int dp_change_allow(struct dp *dp, struct bpf_object *obj)
{
	struct rr_control control;
	char list[LIST], flows[48];

	if (!dp_control_read(dp, obj, &control))
		return 0; /* no controller was ever here: nothing has contents */
	list_replaced(dp, 1u << RR_KIND_FLOWS, list);
	if (*list) {
		flows_text(dp, flows, sizeof(flows));
		if (flows_end(dp) && !dp->replace_maps)
			return dp_say(dp, -EEXIST,
				      "the flow tables in %s are of another layout (%s), and %s "
				      "would be lost with them: start once with --replace-maps to "
				      "replace them, or go on with the build that made them",
				      dp->dir, list, flows);
		dp_add_note(dp, "flow tables made anew, %s lost: %s", flows, list);
	}
	list_replaced(dp, 1u << RR_KIND_SETUP, list);
	if (*list)
		dp_add_note(dp, "maps made anew with the contents of the old: %s", list);
	list_replaced(dp, 1u << RR_KIND_COUNTS, list);
	if (*list)
		dp_add_note(dp,
			    "counters made anew with the counts of the old, except those of the "
			    "moment of the change: %s",
			    list);
	list_new(dp, list);
	if (*list)
		dp_add_note(dp, "maps made: %s", list);
	return 0;
}

/* ---- afterwards ------------------------------------------------------------------------------ */

struct leftover {
	char list[LIST];
	uint32_t user; /* a program that still runs with them */
};

static bool is_current(const struct dp *dp, uint32_t id)
{
	for (int m = 0; m < RR_MAP_MAX; m++) {
		if (dp->map_id[m] == id)
			return true;
	}
	return false;
}

static int pin_settle(struct dp *dp, const char *path, const char *name, uint32_t version,
		      void *arg)
{
	struct leftover *left = arg;
	struct bpf_map_info info;
	uint32_t user;
	int fd = bpf_obj_get(path), rc;

	if (fd < 0)
		return 0;
	rc = dp_map_info(fd, &info);
	close(fd);
	if (rc || is_current(dp, info.id))
		return 0;
	user = dp_map_user(info.id, 0);
	if (user == DP_USER_UNKNOWN)
		return dp_say(dp, -EPERM, "%s stays: not permitted to see whether it is in use",
			      path);
	if (!user)
		return unlink(path) ? dp_fail(dp, -errno, "cannot remove %s", path) : 0;
	left->user = user;
	list_add(left->list, "%s_v%u", name, version);
	return 0;
}

int dp_settle(struct dp *dp)
{
	struct leftover left;
	int rc;

	dp_listen();
	dp->note[0] = 0;
	for (int i = 0; i < SETTLE_TRIES; i++) {
		memset(&left, 0, sizeof(left));
		rc = dp_pins(dp, pin_settle, &left);
		if (rc || !left.user)
			break;
		usleep(10000);
	}
	if (!rc && left.user)
		dp_add_note(dp,
			    "program id %u still runs with maps of another version, which stay as "
			    "long (%s): what it counts there is not seen, what changes does not "
			    "reach it; put %s/" RR_PROG_PIN " in its place",
			    left.user, left.list, dp->dir);
	return rc;
}
