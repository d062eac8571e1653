/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dp_int.h - what the dp_*.c files share. Private to this folder: here libbpf types may show.
 *
 * Each of these files uses only those above it:
 *
 *   dp_text.c      sentences: what failed, and what libbpf and the kernel said about it
 *   dp_folder.c    the pin folder: mount, make, lock; pins by name
 *   dp_prog.c      programs and maps as the kernel describes them
 *   dp_carry.c     the contents of a map of another layout, for its successor
 *   dp_past.c      flow tables of past layouts, counted
 *   dp_object.c    the BPF object: open, check, set knobs and sizes, give it maps
 *   dp_map.c       reading and writing maps, clock, test run
 *   dp_link.c      links and their pins
 *   dp_dispatch.c  sharing an interface through libxdp's dispatcher
 *   dp_look.c      who has an interface
 *   dp_find.c      where every map comes from: kept, replaced, new
 *   dp_change.c    what an upgrade changes: said, refused, tidied up
 *   dp_load.c      open and close: the order of all this
 *   dp_attach.c    attach, replace, detach
 *   dp_keep.c      pins that vanish are pinned again
 */
#ifndef SYS_DP_INT_H
#define SYS_DP_INT_H

#include <limits.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "rr_flow.h"
#include "sys/dp.h"

#define DP_PROG_MAPS 64 /* map ids read from one program: RR_MAP_MAX of ours, .rodata, .bss */
_Static_assert(RR_MAP_MAX + 8 <= DP_PROG_MAPS, "room for all maps of a program");

/* The constants in which the program says its layout versions (bpf/maps.h): rr_version_<map>. */
#define DP_VERSION_VAR "rr_version_"
/* Programs that do not say it are older than these constants: all their maps were of version 1. */
#define DP_VERSION_UNSAID 1u

struct dp {
	char dir[PATH_MAX];
	char *object; /* file to load; NULL = the embedded one */
	uint32_t flow4_sets, flow6_sets;
	uint16_t port_lo, port_hi;
	uint32_t port_sets;
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
	/* By map: one of another version that ours takes the place of; id 0 = there was none. */
	struct {
		uint32_t id, version;
		int fd; /* only while dp_open() works; else -1 */
		/* Ours is new to packets: it gets the contents of this one, or flows are lost. Not
		 * so when a program has been running with ours, and this one is only left over. */
		bool replaced;
	} old[RR_MAP_MAX];
	bool replace_maps;
	int cpus;
	int clock_fd;
	/*
	 * programs of ours that others attached, kept open: their ids cannot be opened without
	 * privileges
	 */
	struct {
		uint32_t id;
		int fd; /* meaningful when id is set */
	} known[RR_MAX_IFACES];
	/* Links of ours, kept open: they outlive their pins while this process does. */
	struct {
		char name[16];
		int fd; /* meaningful when the name is set */
	} link[RR_MAX_IFACES];
	bool unpinned; /* dp_unpin() has removed the pins: nobody wants them back */
	uint32_t ext_id[RR_MAX_IFACES]; /* programs that this process put into dispatchers */
	char note[1024];
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
extern const enum rr_map_kind dp_map_kinds[RR_MAP_MAX];
/* The map of that name, or -1. */
int dp_map_named(const char *name);
/* Forgets what was said and listens to libbpf and libxdp from now on. */
void dp_listen(void);
/* The most telling line said since dp_listen(), or "". */
const char *dp_heard(void);
/* Writes the sentence and returns `err`. */
int dp_say(struct dp *dp, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same, with strerror(-err) and what was heard behind it. */
int dp_fail(struct dp *dp, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Adds to what dp_note() says. */
void dp_add_note(struct dp *dp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* dp_folder.c */
int dp_folder_open(struct dp *dp);
/* Makes and locks the folder again when it is gone. 0; -EINVAL = bpffs is not mounted; -errno. */
int dp_folder_again(struct dp *dp);
int dp_pin_path(struct dp *dp, char *buf, size_t len, const char *name);
/* The pin of a map in this build's version. */
int dp_map_path(struct dp *dp, char *buf, size_t len, int map);
/* Pins fd at `path`, in one step when something else stands there. */
int dp_pin_replace(struct dp *dp, int fd, const char *path);
/* Calls fn for every pin of a map, known or not, of any version, until it returns nonzero. */
typedef int dp_pin_fn(struct dp *dp, const char *path, const char *map, uint32_t version,
		      void *arg);
int dp_pins(struct dp *dp, dp_pin_fn *fn, void *arg);

/* dp_prog.c */
int dp_prog_read(int fd, struct dp_prog *p);
bool dp_prog_uses(const struct dp_prog *p, uint32_t map_id);
bool dp_prog_ours(const struct dp *dp, const struct dp_prog *p);
/* Whether it uses a map that ours has taken the place of. */
bool dp_prog_older(const struct dp *dp, const struct dp_prog *p);
/* The layout version that the program was built for. */
uint32_t dp_prog_version(const struct dp_prog *p, const char *map);
int dp_map_info(int fd, struct bpf_map_info *info);
/* Offset of a constant in .rodata, or -ENOENT. */
struct btf;
int dp_btf_var(const struct btf *btf, const char *name, size_t size);
/* A loaded program that uses the map, other than `except`; 0 = none. Needs CAP_SYS_ADMIN, and says
 * DP_USER_UNKNOWN without it. */
#define DP_USER_UNKNOWN UINT32_MAX
uint32_t dp_map_user(uint32_t map_id, uint32_t except);

/* dp_carry.c: from `old` into the maps that have taken its place. */
int dp_carry(struct dp *dp, struct bpf_object *obj);
/* `control` in the layout of this build, from our map or the old one; false when no controller has
 * set it up. */
bool dp_control_read(const struct dp *dp, struct bpf_object *obj, struct rr_control *control);

/* dp_past.c: adds the open connections of a flow table of that version; -ENODATA = not known. */
int dp_past_flows(int map, uint32_t version, int fd, uint64_t *flows);

/* dp_object.c */
int dp_object_open(struct dp *dp, struct bpf_object **obj);
/* What the object would create: -EEXIST and a sentence when the map `fd`, found at `where`, is
 * another. The sizes of flow tables are not compared when `any_size`. */
int dp_object_match(struct dp *dp, struct bpf_object *obj, enum rr_map map, int fd,
		    const char *where, bool any_size);
/* An object of its own over the maps that dp holds: for the dispatcher, which loads it as an
 * extension. */
int dp_object_clone(struct dp *dp, struct bpf_object **obj);
int dp_object_sizes(struct dp *dp, struct bpf_object *obj);

/* dp_map.c */
/* Takes fd over as the map in use. */
int dp_map_hold(struct dp *dp, int map, int fd);
int dp_map_open(struct dp *dp);
void dp_map_close(struct dp *dp);

/* dp_load.c: makes the pins of maps and program that are not there. 0 or -errno. */
int dp_pin_all(struct dp *dp);

/* dp_find.c: fills map_fd[] with what is kept, old[] with what is replaced. */
int dp_find(struct dp *dp, struct bpf_object *obj, const char *const *ifnames, size_t n);

/* dp_change.c: says what changes; -EEXIST when it costs flows and was not asked for. */
int dp_change_allow(struct dp *dp, struct bpf_object *obj);

static inline bool dp_power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

/* dp_look.c: what runs on an interface */
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
	bool older; /* ours, but over maps that this build has replaced */
	uint32_t our_id; /* our program: prog_id, or the one inside the dispatcher */
};
int dp_look(struct dp *dp, const char *ifname, struct dp_seen *seen);
/* Closes what dp_look() kept open: the program `id`, or all (0). */
void dp_forget(struct dp *dp, uint32_t id);
/* fd of a loaded program, also one whose id only CAP_SYS_ADMIN could open; -errno. */
int dp_prog_open(const struct dp *dp, uint32_t id);

/*
 * dp_link.c: the link pinned for an interface name. Its fd, and what it is attached to (ifindex 0 =
 * interface gone).
 */
int dp_link_open(const struct dp *dp, const char *ifname, struct bpf_link_info *info);
/*
 * Makes room for a new pin: removes one whose interface is gone, refuses when it is alive
 * elsewhere.
 */
int dp_link_clear(struct dp *dp, const char *ifname);
int dp_link_create(struct dp *dp, const char *ifname, int ifindex, bool native);
int dp_link_replace(struct dp *dp, const char *ifname);
int dp_link_detach(struct dp *dp, const char *ifname);
/* Pins again what is kept open and has no pin. 0 or -errno. */
int dp_link_repin(struct dp *dp);
void dp_link_close(struct dp *dp); /* what is kept open */

/* dp_dispatch.c */
int dp_dispatch_look(struct dp *dp, struct dp_seen *seen);
/* Whether this kernel lets a dispatcher be filled: extension programs may be loaded. */
bool dp_dispatch_possible(void);
/* Adds this program, then takes out older ones of ours. */
int dp_dispatch_attach(struct dp *dp, const char *ifname, int ifindex, bool native);
int dp_dispatch_detach(struct dp *dp, const char *ifname, int ifindex, uint32_t keep_id);
/*
 * A program named rr_xdp inside the dispatcher of an interface: its fd, or -ENOENT. For taking over
 * maps.
 */
int dp_dispatch_find(int ifindex);

#endif
