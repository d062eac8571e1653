/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_int.h - what the dp_*.c files share. Private to this folder: here libbpf types may show.
 *
 *   dp_load.c      folder, lock, maps (pinned, taken over, new), program, pins
 *   dp_object.c    the BPF object: open, check, set knobs and sizes, give it maps
 *   dp_map.c       reading and writing maps, clock, test run
 *   dp_attach.c    what runs on an interface; attach, replace, detach
 *   dp_link.c      links and their pins
 *   dp_dispatch.c  the same through libxdp's dispatcher
 *   dp_text.c      sentences: what failed, and what libbpf and the kernel said about it
 */
#ifndef SYS_DP_INT_H
#define SYS_DP_INT_H

#include <limits.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sys/dp.h"

#define DP_PROG_MAPS 64 /* map ids read from one program: 19 of ours, .rodata, .bss */

struct dp {
	char dir[PATH_MAX];
	char *object; /* file to load; NULL = the embedded one */
	uint32_t flow4_sets, flow6_sets;
	uint16_t port_lo, port_hi;
	int lock_fd; /* the folder, flock()ed: one controller a folder */
	struct bpf_object *obj;
	int prog_fd;
	uint32_t prog_id;
	int map_fd[RR_MAP_MAX];
	uint32_t map_id[RR_MAP_MAX];
	uint32_t max[RR_MAP_MAX]; /* elements */
	uint32_t stride[RR_MAP_MAX]; /* bytes from one element to the next */
	void *mem[RR_MAP_MAX];
	size_t mem_len[RR_MAP_MAX];
	int cpus;
	int clock_fd;
	/* programs of ours that others attached, kept open: their ids cannot be opened without privileges */
	struct {
		uint32_t id;
		int fd; /* meaningful when id is set */
	} known[RR_MAX_IFACES];
	uint32_t ext_id[RR_MAX_IFACES]; /* programs that this process put into dispatchers */
	char note[256];
	char error[512];
};

/* A running program, as the kernel describes it. */
struct dp_prog {
	uint32_t id, maps, insns;
	char name[BPF_OBJ_NAME_LEN];
	uint32_t map_ids[DP_PROG_MAPS];
};

/* dp_text.c */
extern const char *const dp_map_names[RR_MAP_MAX];
extern const uint32_t dp_map_versions[RR_MAP_MAX];
/* Forgets what was said and listens to libbpf and libxdp from now on. */
void dp_listen(void);
/* The most telling line said since dp_listen(), or "". */
const char *dp_heard(void);
/* Writes the sentence and returns `err`. */
int dp_say(struct dp *dp, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same, with strerror(-err) and what was heard behind it. */
int dp_fail(struct dp *dp, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* dp_object.c */
int dp_object_open(struct dp *dp, struct bpf_object **obj);
/* What the object would create: -EEXIST and a sentence when the map `fd`, found at `where`, is another. The sizes of
 * flow tables are not compared when `any_size`. */
int dp_object_match(struct dp *dp, struct bpf_object *obj, enum rr_map map, int fd,
		    const char *where, bool any_size);
/* An object of its own over the maps that dp holds: for the dispatcher, which loads it as an extension. */
int dp_object_clone(struct dp *dp, struct bpf_object **obj);
int dp_object_sizes(struct dp *dp, struct bpf_object *obj);

/* dp_load.c */
int dp_prog_read(int fd, struct dp_prog *p);
/* fd of the program's map of that name, or -ENOENT. */
int dp_prog_map(const struct dp_prog *p, const char *name);

/* dp_map.c */
int dp_map_open(struct dp *dp);
void dp_map_close(struct dp *dp);
void dp_ports_adopt(struct dp *dp);

/* dp_attach.c: what runs on an interface */
enum dp_seen_kind {
	DP_SEEN_NONE,
	DP_SEEN_LINK, /* ours, by the link pinned in dir */
	DP_SEEN_PLAIN, /* ours, by netlink (ip link) */
	DP_SEEN_DISPATCHER, /* libxdp's dispatcher; `ours` says whether we are in it */
	DP_SEEN_FOREIGN_MAPS, /* an rr_xdp over other maps */
	DP_SEEN_FOREIGN,
};
struct dp_seen {
	enum dp_seen_kind kind;
	int ifindex;
	bool native;
	uint32_t prog_id; /* attached to the interface */
	char name[BPF_OBJ_NAME_LEN];
	bool ours;
	uint32_t our_id; /* our program: prog_id, or the one inside the dispatcher */
};
int dp_look(struct dp *dp, const char *ifname, struct dp_seen *seen);
/* Closes what dp_look() kept open: the program `id`, or all (0). */
void dp_forget(struct dp *dp, uint32_t id);
bool dp_prog_ours(const struct dp *dp, const struct dp_prog *p);

/* dp_link.c: the link pinned for an interface name. Its fd, and what it is attached to (ifindex 0 = interface gone). */
int dp_link_open(const struct dp *dp, const char *ifname, struct bpf_link_info *info);
/* Makes room for a new pin: removes one whose interface is gone, refuses when it is alive elsewhere. */
int dp_link_clear(struct dp *dp, const char *ifname);
int dp_link_create(struct dp *dp, const char *ifname, int ifindex, bool native);
int dp_link_replace(struct dp *dp, const char *ifname);
int dp_link_detach(struct dp *dp, const char *ifname);

/* dp_dispatch.c */
int dp_dispatch_look(struct dp *dp, struct dp_seen *seen);
/* Whether this kernel lets a dispatcher be filled: extension programs may be loaded. */
bool dp_dispatch_possible(void);
/* Adds this program, then takes out older ones of ours. */
int dp_dispatch_attach(struct dp *dp, const char *ifname, int ifindex, bool native);
int dp_dispatch_detach(struct dp *dp, const char *ifname, int ifindex, uint32_t keep_id);
/* A program named rr_xdp inside the dispatcher of an interface: its fd, or -ENOENT. For taking over maps. */
int dp_dispatch_find(int ifindex);

#endif
