/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * snapshot.h - the daemon as one picture, taken at one time: what the model holds, what the
 * counters say, what runs where. It is all that readers get: verbs, problems, waits; later
 * metrics and the page.
 *
 * A picture is taken when the first reader of a batch asks, and shared by all that ask after it.
 * snapshot_forget() ends that: the turn calls it, and so does who changes what the picture shows.
 * Who still holds the old one may go on reading; it is freed when nobody does. Nothing in a
 * snapshot may be written by its readers.
 */
#ifndef SERVE_SNAPSHOT_H
#define SERVE_SNAPSHOT_H

#include "collect/checks.h"
#include "daemon/facts.h"
#include "model/view.h"
#include "sys/dp.h"

#define SNAP_CAS 4

struct daemon;

/* What the packet path has counted for one service or endpoint. */
struct snap_count {
	struct rr_stats stats;
	uint64_t active; /* endpoints only: established now */
	double cps; /* new connections a second, over the last period of the counters */
	/*
	 * When its count of packets last grew; 0 = not since the daemon has started. Known to a
	 * second.
	 */
	mono_t packet_at;
};

struct snap_iface {
	struct dp_iface_status st; /* name "" = nobody has this slot */
	enum iface_use use;
	bool down; /* configured, but the packet path must not send there */
};

struct snap_verdict {
	uint64_t packets;
	mono_t grew; /* 0 = not since the daemon has started */
};

/* The configuration in force, and how the last attempt to replace it went. */
struct snap_config {
	const char *file;
	const struct conf *conf;
	uint64_t generation;
	mono_t at; /* of the last reload that succeeded */
	bool ok; /* the last reload succeeded */
	char error[256]; /* else: the first line of why not */
};

struct snapshot {
	mono_t now;
	const struct view *view;
	struct snap_config config;
	struct snap_iface iface[RR_MAX_IFACES];
	struct occupancy occupancy;
	struct checks_stats probes;
	struct trust_fact ca[SNAP_CAS]; /* files of authorities with which something is wrong */
	size_t cas;
	struct snap_verdict verdict[RR_V_MAX];
	mono_t started;
	uint64_t pushes, push_errors;
	bool adopted; /* maps that already ran were taken over at the start */
	bool unpushed; /* the last push stopped half way, and is tried again every second */
	char pins_error[256]; /* why pins cannot be kept; "" = they are there */
	struct saving saving;
	bool unsaved; /* what should be in the state file is not there, and not for want of time */
	/* snapshot.c's own: */
	unsigned int holders;
	bool counted; /* the counters were read for this snapshot */
	struct daemon *from;
	struct conf *shared;
	struct snap_count *ep, *svc; /* by id */
	size_t eps, svcs;
};

/* The rotation of a service as packets meet it. */
struct snap_table {
	uint32_t copy, len;
	uint64_t ticket; /* connections that were given an endpoint so far */
	const uint16_t *slot; /* endpoint ids; the map's own memory */
};

/*
 * The snapshot of this batch, made now if there is none. Give it back with snapshot_put(). NULL =
 * no memory.
 */
struct snapshot *snapshot_get(struct daemon *d);
void snapshot_put(struct snapshot *s); /* NULL is fine */
/* The next snapshot_get() makes a new one. */
void snapshot_forget(struct daemon *d);

/*
 * Without this, a snapshot has the counters as they were last read, which is at most a second
 * ago. This reads them now, once for each snapshot, however often it is called. A reading that
 * fails leaves the old ones.
 */
void snapshot_count(struct snapshot *s);
/* Never NULL: what is not known has counted nothing. */
const struct snap_count *snapshot_endpoint(const struct snapshot *s, const struct view_endpoint *e);
const struct snap_count *snapshot_service(const struct snapshot *s, const struct view_service *svc);

/*
 * Reads the rotation from the maps, not from the model: this shows what packets meet, also when a
 * push has failed. So it is as new as the call, not as the snapshot. false = the maps cannot be
 * read.
 */
bool snapshot_table(const struct snapshot *s, const struct view_service *svc, struct snap_table *t);
/* Id and size of the loaded program, from the kernel; 0 when it does not say. */
void snapshot_program(const struct snapshot *s, uint32_t *id, uint32_t *insns);

#endif
