/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp.h - the one door to the packet path: load, adopt, attach, write, read, detach. No libbpf or
 * libxdp type shows. Every call returns 0 or -errno; dp_error() has the sentence for people.
 *
 * Ownership of the kernel's objects: maps, program and links are pinned under `dir` and outlive the
 * process. dp_close() never detaches anything; dp_detach() does.
 */
#ifndef SYS_DP_H
#define SYS_DP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rr_table.h"
#include "rr_verdict.h"
#include "util/words.h"

struct dp;

struct dp_conf {
	/* bpffs folder of the pins; NULL = RR_BPFFS_DIR. bpffs is mounted when it is not. */
	const char *dir;
	const char *object; /* path of rr_xdp.bpf.o to load; NULL = the one built in (skeleton) */
	uint32_t flow4_sets, flow6_sets; /* powers of two */
	uint16_t port_lo, port_hi;
	uint32_t port_sets; /* sets of local ports to make room for; at least 1 is made */
	bool replace_maps; /* flow tables of another layout may be replaced: their flows end */
};

struct dp_iface_status {
	char name[16];
	uint32_t ifindex;
	bool attached; /* our program runs there */
	bool native; /* XDP_MODE driver */
	enum dp_attach how;
	uint32_t prog_id;
	char text[192]; /* what was said aloud: "native refused (...), generic instead" */
};

/*
 * Opens: keeps every map of our version and shape that is pinned, or that an rr_xdp program uses
 * which is pinned or runs on one of `ifnames` (attached with `ip link ... xdp obj`); makes the
 * others anew. A new map takes over what a map of another version held, field by field. Flow tables
 * of another version are replaced only with `replace_maps`, else -EEXIST with the number of flows
 * and the remedy in dp_error(); so is a map of our version that has another shape. Loads the
 * program over these maps and pins it as DIR/rr_xdp_v1 (replacing the older pin). *adopted = the
 * maps have been set up by a controller before: those of a bare object, or of a first start that
 * was cut short, are used, but *adopted is false. On failure *dp is still valid for dp_error(), and
 * must be given to dp_close() (NULL when memory ran out).
 */
int dp_open(struct dp **dp, const struct dp_conf *c, const char *const *ifnames, size_t n,
	    bool *adopted);
/*
 * What dp_open() or dp_settle() found worth saying aloud (maps made anew and what that cost, maps
 * taken over from a running program, other table sizes, programs left behind), or "".
 */
const char *dp_note(const struct dp *dp);
/*
 * The table sizes in use: those of the maps found, which may differ from the configured ones
 * (dp_note()).
 */
void dp_sizes(const struct dp *dp, uint32_t *flow4_sets, uint32_t *flow6_sets);
/*
 * The nat ports in use: those of maps that a controller has set up, whatever is configured
 * (dp_note()).
 */
void dp_ports(const struct dp *dp, uint16_t *lo, uint16_t *hi);
void dp_close(struct dp *dp);
const char *dp_error(const struct dp *dp);

/*
 * Attach to one interface; an older rr_xdp there is replaced atomically (link update, XDP replace,
 * or dispatcher). EXTERNAL: only looks whether our program runs there. Also writes nothing to maps.
 */
int dp_attach(struct dp *dp, const char *ifname, enum dp_attach how, enum dp_xdp mode,
	      struct dp_iface_status *st);
int dp_attach_status(struct dp *dp, const char *ifname, struct dp_iface_status *st);
int dp_detach(struct dp *dp, const char *ifname);
/*
 * Once the program runs everywhere: removes the pins of maps that it has replaced, unless a program
 * still uses them; then dp_note() names both, and the next start tries again. Needs CAP_SYS_ADMIN.
 */
int dp_settle(struct dp *dp);
/*
 * Pins again what has no pin any more, maps, program and links; *made = how many of the maps and
 * the program. To be called every second or so. 0; -EINVAL = bpffs is not mounted; -errno and
 * dp_error(): then the packet path ends with this process.
 */
int dp_keep(struct dp *dp, unsigned int *made);
/* Remove every pin and the folder. After dp_detach() of all interfaces. */
int dp_unpin(struct dp *dp);

/*
 * The mapped memory of a map whose row in RR_MAPS says 1; NULL otherwise. `max` = number of
 * elements.
 */
void *dp_mem(struct dp *dp, enum rr_map map, uint32_t *max);
/* Element i of a mapped map, NULL when out of range. */
void *dp_elem(struct dp *dp, enum rr_map map, uint32_t i);
/* For maps that are not mapped (tx_ports). */
int dp_set(struct dp *dp, enum rr_map map, uint32_t key, const void *value);
int dp_del(struct dp *dp, enum rr_map map, uint32_t key);
/* All CPUs' values of one element of a per-CPU map back to 0. 0 or -errno. */
int dp_zero(struct dp *dp, enum rr_map map, uint32_t key);
/*
 * Per-CPU maps, summed over CPUs: `n` elements from `first`; `out` is an array of struct rr_stats
 * (ep_stats, svc_stats) or uint64_t (verdicts).
 */
int dp_sum(struct dp *dp, enum rr_map map, uint32_t first, uint32_t n, void *out);
/* Current low 32 bits of jiffies and HZ (learned once, from the kernel itself). */
int dp_clock(struct dp *dp, uint32_t *jiffies, uint32_t *hz);
/*
 * Runs the loaded program on a packet (BPF_PROG_TEST_RUN) with ingress interface slot's ifindex.
 * `out` may alias `in`; *outlen in/out. Used by tests only on maps of their own.
 */
int dp_test_run(struct dp *dp, const void *in, size_t inlen, void *out, size_t *outlen,
		uint32_t *action);
int dp_prog_id(struct dp *dp, uint32_t *id, uint32_t *insns);

#endif
