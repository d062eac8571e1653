/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_kern.c - loads the packet path, its floor and its baseline over the same maps, sets up
 * three services with BENCH_ENDPOINTS endpoints each, and runs one of them on the generator's
 * packets. Nothing is pinned: maps and programs go with the process.
 *
 * Time is the thread's CPU time around one BPF_PROG_TEST_RUN, so that a neighbour on the CPU does
 * not count.
 */
#include "bpf/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "rr_hash.h"
#include "rr_verdict.h"

#define SEED 0x2545f4914f6cdd1dull
#define VIP_SEED 1u /* of the address table's hash */
#define OBJECTS 4
#define TIMEOUT 1000000u /* jiffies: nothing expires while the bench runs */

struct bench {
	struct bpf_object *obj[OBJECTS]; /* packet path, generator, floor, baseline */
	int prog[IMPL_MAX];
	int cpus;
	uint32_t sets4, sets6;
	void *flows[2]; /* IPv4, IPv6 */
	struct rr_pair *pairs[2];
	size_t flow_len[2], pair_len[2];
	struct rr_port_line *ports;
	size_t ports_len;
	struct rr_control *control;
	struct rr_iface *iface;
	struct bench_gen *gen;
};

static const struct {
	const char *gen;
	enum bench_service service;
	bool syn, reverse;
} kinds[KIND_MAX] = {
	[KIND_CLIENT4] = { "bench_client_v4", BENCH_NAT4, false, false },
	[KIND_SERVER4] = { "bench_server_v4", BENCH_NAT4, false, true },
	[KIND_CLIENT6] = { "bench_client_v6", BENCH_NAT6, false, false },
	[KIND_SERVER6] = { "bench_server_v6", BENCH_NAT6, false, true },
	[KIND_DSR4] = { "bench_client_v4", BENCH_DSR4, false, false },
	[KIND_FRESH4] = { "bench_fresh_v4", BENCH_NAT4, true, false },
	[KIND_FRESH6] = { "bench_fresh_v6", BENCH_NAT6, true, false },
	[KIND_FRESH_DSR4] = { "bench_fresh_v4", BENCH_DSR4, true, false },
	[KIND_AGAIN4] = { "bench_client_v4", BENCH_NAT4, true, false },
};

static const char *const impl_progs[IMPL_MAX] = { "bench_null", "bench_floor", "bench_lru",
						  "rr_xdp" };

int bench_prog(const struct bench *b, const char *name)
{
	for (int i = 0; i < OBJECTS; i++) {
		struct bpf_program *p = bpf_object__find_program_by_name(b->obj[i], name);

		if (p)
			return bpf_program__fd(p);
	}
	die("no program %s", name);
}

int bench_map(const struct bench *b, const char *name)
{
	for (int i = 0; i < OBJECTS; i++) {
		struct bpf_map *m =
			b->obj[i] ? bpf_object__find_map_by_name(b->obj[i], name) : NULL;

		if (m)
			return bpf_map__fd(m);
	}
	die("no map %s", name);
}

static void *map_memory(const struct bench *b, const char *name, size_t *len)
{
	struct bpf_map_info info = { 0 };
	uint32_t info_len = sizeof(info);
	int fd = bench_map(b, name);
	void *p;

	if (bpf_obj_get_info_by_fd(fd, &info, &info_len))
		die("%s: %s", name, strerror(errno));
	*len = (size_t)info.max_entries * ((info.value_size + 7) & ~7u);
	p = mmap(NULL, *len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("%s: mmap: %s", name, strerror(errno));
	return p;
}

/* ---- loading --------------------------------------------------------------------------------- */

/*
 * Place and size of a load-time knob of bpf/config.h; false when the object has none of that
 * name.
 */
static bool find_knob(struct bpf_object *obj, const char *name, struct btf_var_secinfo *at)
{
	const struct btf *btf = bpf_object__btf(obj);
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *sec = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	for (int i = 0; sec && i < btf_vlen(sec); i++) {
		const struct btf_type *t;

		*at = btf_var_secinfos(sec)[i];
		t = btf__type_by_id(btf, at->type);
		if (!strcmp(btf__name_by_offset(btf, t->name_off), name))
			return true;
	}
	return false;
}

static void set_knob(struct bpf_object *obj, const char *name, uint32_t value)
{
	struct bpf_map *ro = bpf_object__find_map_by_name(obj, ".rodata");
	struct btf_var_secinfo at;
	char data[256];
	size_t size;

	if (!ro || !find_knob(obj, name, &at))
		return;
	size = bpf_map__value_size(ro);
	if (size > sizeof(data) || at.size > sizeof(value))
		die("%s: unexpected size", name);
	memcpy(data, bpf_map__initial_value(ro, &size), size);
	memcpy(data + at.offset, &value, at.size);
	if (bpf_map__set_initial_value(ro, data, size))
		die("%s: cannot set it", name);
}

static void set_size(struct bpf_object *obj, const char *map, uint32_t n)
{
	struct bpf_map *m = bpf_object__find_map_by_name(obj, map);

	if (m && bpf_map__set_max_entries(m, n))
		die("%s: cannot set its size", map);
}

/* Maps that an earlier object has made are shared. */
static void share_maps(const struct bench *b, struct bpf_object *obj)
{
	struct bpf_map *m, *have;

	bpf_object__for_each_map(m, obj)
	{
		have = b->obj[0] ? bpf_object__find_map_by_name(b->obj[0], bpf_map__name(m)) : NULL;
		if (have && !bpf_map__is_internal(m) && bpf_map__reuse_fd(m, bpf_map__fd(have)))
			die("%s: cannot share it", bpf_map__name(m));
	}
}

static struct bpf_object *load(const struct bench *b, const char *path)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);

	if (!obj)
		die("%s: %s", path, strerror(errno));
	set_knob(obj, "rr_flow4_sets", b->sets4);
	set_knob(obj, "rr_flow6_sets", b->sets6);
	set_size(obj, "flows4", b->sets4);
	set_size(obj, "flows6", b->sets6);
	set_size(obj, "pairs4", b->sets4 * RR_FLOW4_WAYS);
	set_size(obj, "pairs6", b->sets6 * RR_FLOW6_WAYS);
	set_size(obj, "ports", BENCH_PORT_SETS * RR_PORT_LINES(BENCH_PORTS));
	set_size(obj, "lru", b->sets4 * RR_FLOW4_WAYS);
	share_maps(b, obj);
	if (bpf_object__load(obj))
		die("%s: does not load: %s", path, strerror(errno));
	return obj;
}

/* ---- services -------------------------------------------------------------------------------- */

static void addr_words(struct rr_addr *a, bool v6, uint32_t w4, uint64_t w0, uint64_t w1)
{
	memset(a, 0, sizeof(*a));
	if (!v6) {
		memcpy(a->a, &w4, sizeof(w4));
		return;
	}
	memcpy(a->a, &w0, sizeof(w0));
	memcpy(a->a + 8, &w1, sizeof(w1));
}

static void service_addr(enum bench_service s, struct rr_addr *a)
{
	addr_words(a, s == BENCH_NAT6, BENCH_ADDR4(192u, 0u, 2u, 10 + s), 0x00000000b80d0120ull,
		   0x0a00000000000001ull);
}

/* `v` says all but the address. */
static void put_vip(struct rr_vip_bucket *vips, const struct rr_addr *a, bool v6, struct rr_vip v)
{
	struct rr_vip_bucket *k;

	memcpy(&v.a0, a->a, v6 ? 8 : 4);
	memcpy(&v.a1, a->a + 8, v6 ? 8 : 0);
	k = &vips[rr_vip_hash(v.a0, v.a1, v.kind, VIP_SEED) & (RR_VIP_BUCKETS - 1)];
	for (uint32_t i = 0; i < RR_VIP_WAYS; i++) {
		if (!k->e[i].kind) {
			k->e[i] = v;
			return;
		}
	}
	die("address table: a bucket is full");
}

static void put_listener(struct rr_vip_bucket *vips, struct rr_listener *l, enum bench_service s)
{
	struct rr_vip v = { .id = (uint16_t)bench_listener(s), .service = s };
	bool v6 = s == BENCH_NAT6;

	l += v.id;
	service_addr(s, &l->addr);
	l->port = BENCH_PORT_BE;
	l->proto = IPPROTO_TCP;
	l->family = v6 ? RR_AF_INET6 : RR_AF_INET;
	l->service = s;
	l->flags = RR_LISTENER_PRESENT;
	v.kind = RR_VIP_KIND(l->port, l->proto, l->family, RR_VIP_LISTENER);
	put_vip(vips, &l->addr, v6, v);
}

static void put_service(struct rr_service *svc, enum bench_service s)
{
	svc += s;
	svc->mode = s == BENCH_DSR4 ? RR_MODE_DSR : RR_MODE_NAT;
	svc->on_unknown = RR_UNKNOWN_DROP;
	svc->overflow = RR_OVERFLOW_DROP;
	svc->flags = RR_SVC_PRESENT;
	svc->rotation = RR_ROT_MAKE(0, BENCH_ENDPOINTS);
	svc->t_syn = svc->t_est = svc->t_fin1 = svc->t_fin2 = svc->t_rst = TIMEOUT;
}

static void put_endpoints(struct rr_endpoint *eps, struct rr_rotation *rot, enum bench_service s)
{
	bool v6 = s == BENCH_NAT6;

	for (uint32_t i = 0; i < BENCH_ENDPOINTS; i++) {
		uint32_t id = bench_endpoint(s, i);
		struct rr_endpoint *e = &eps[id];

		rot[s * 2].slot[i] = id;
		addr_words(&e->addr, v6, bench_endpoint4(id), bench_endpoint6(id, 0),
			   bench_endpoint6(id, 1));
		e->port = BENCH_PORT_BE;
		e->family = v6 ? RR_AF_INET6 : RR_AF_INET;
		e->mode = s == BENCH_DSR4 ? RR_MODE_DSR : RR_MODE_NAT;
		e->flags = RR_EP_PRESENT;
		e->hop = RR_HOP_MAKE(0, 0x020000000000ull + id);
		e->service = s;
		e->local_first = v6 ? BENCH_LOCALS : 0;
		e->local_count = BENCH_LOCALS;
		for (uint32_t k = 0; k < BENCH_LOCALS; k++)
			e->port_set[k] = 1 + k + BENCH_LOCALS * (i + v6 * BENCH_ENDPOINTS);
	}
}

static void put_locals(struct rr_vip_bucket *vips, struct rr_local *locals)
{
	for (uint32_t i = 0; i < 2 * BENCH_LOCALS; i++) {
		bool v6 = i >= BENCH_LOCALS;
		uint32_t n = i & (BENCH_LOCALS - 1);
		struct rr_vip v = { 0 };

		locals[i].family = v6 ? RR_AF_INET6 : RR_AF_INET;
		addr_words(&locals[i].addr, v6, bench_local4(n), bench_local6(n, 0),
			   bench_local6(n, 1));
		v.id = (uint16_t)i;
		v.tables = v6 ? RR_VIP_FLOWS6 : RR_VIP_FLOWS4;
		v.kind = RR_VIP_KIND(0, IPPROTO_TCP, locals[i].family, RR_VIP_LOCAL);
		put_vip(vips, &locals[i].addr, v6, v);
	}
}

static void set_up(struct bench *b)
{
	size_t len[7];
	struct rr_vip_bucket *vips = map_memory(b, "vips", &len[0]);
	struct rr_service *svc = map_memory(b, "services", &len[1]);
	struct rr_endpoint *eps = map_memory(b, "endpoints", &len[2]);
	struct rr_rotation *rot = map_memory(b, "rotations", &len[3]);
	struct rr_local *locals = map_memory(b, "locals", &len[4]);
	uint64_t *hops = map_memory(b, "hops", &len[5]);
	struct rr_listener *listeners = map_memory(b, "listeners", &len[6]);

	for (enum bench_service s = 0; s < BENCH_SERVICES; s++) {
		put_listener(vips, listeners, s);
		put_service(svc, s);
		put_endpoints(eps, rot, s);
	}
	put_locals(vips, locals);
	hops[1] = RR_HOP_MAKE(0, 0x0200000000ffull);
	b->control->hash_seed = SEED;
	b->control->vip_active = (uint64_t)VIP_SEED << 32;
	b->control->flow4_sets = b->sets4;
	b->control->flow6_sets = b->sets6;
	b->control->port_lo = RR_PORT_LO_DEFAULT;
	b->control->port_hi = RR_PORT_HI_DEFAULT;
	b->control->abi_version = RR_VERSION_CONTROL;
	b->control->hz = 1000000; /* no flow rests, however long another is measured */
	b->control->enabled = 1;
	b->control->port_shift = 10;
	b->ports = map_memory(b, "ports", &b->ports_len);
	munmap(vips, len[0]);
	munmap(svc, len[1]);
	munmap(eps, len[2]);
	munmap(rot, len[3]);
	munmap(locals, len[4]);
	munmap(hops, len[5]);
	munmap(listeners, len[6]);
}

void bench_ifindex(struct bench *b, uint32_t ifindex)
{
	b->iface->ifindex = ifindex;
	memcpy(b->iface->mac, "\x02\x00\x00\x00\x00\xfe", 6);
}

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p <<= 1;
	return p;
}

struct bench *bench_load(const struct bench_conf *c)
{
	static const char *const names[] = { "bench_gen", "bench_floor", "bench_lru" };
	struct bench *b = calloc(1, sizeof(*b));
	size_t len;
	char path[4096];

	if (!b)
		die("out of memory");
	/* two entries a connection, half of the slots free */
	b->sets4 = power_of_two(4 * c->flows_max / RR_FLOW4_WAYS);
	b->sets6 = power_of_two(4 * c->flows_max / RR_FLOW6_WAYS);
	b->cpus = libbpf_num_possible_cpus();
	b->obj[0] = load(b, c->object);
	for (int i = 0; i < OBJECTS - 1; i++) {
		snprintf(path, sizeof(path), "%s/%s.bpf.o", c->folder, names[i]);
		b->obj[i + 1] = load(b, path);
	}
	for (int i = 0; i < IMPL_MAX; i++)
		b->prog[i] = bench_prog(b, impl_progs[i]);
	for (int i = 0; i < 2; i++) {
		b->flows[i] = map_memory(b, i ? "flows6" : "flows4", &b->flow_len[i]);
		b->pairs[i] = map_memory(b, i ? "pairs6" : "pairs4", &b->pair_len[i]);
	}
	b->control = map_memory(b, "control", &len);
	b->iface = map_memory(b, "ifaces", &len);
	b->gen = map_memory(b, "gen", &len);
	b->gen->rng = 1;
	b->gen->next = 1u << 30; /* beyond the flows that fill the tables */
	bench_ifindex(b, 1); /* test runs come in by loopback */
	set_up(b);
	return b;
}

void bench_free(struct bench *b)
{
	for (int i = 0; i < 2; i++) {
		munmap(b->flows[i], b->flow_len[i]);
		munmap(b->pairs[i], b->pair_len[i]);
	}
	for (int i = 0; i < OBJECTS; i++)
		bpf_object__close(b->obj[i]);
	free(b);
}

uint32_t bench_sets(const struct bench *b, bool v6)
{
	return v6 ? b->sets6 : b->sets4;
}

/* No local port has been used. */
void bench_ports_clear(struct bench *b)
{
	memset(b->ports, 0, b->ports_len);
}

void *bench_flows(struct bench *b, bool v6)
{
	return b->flows[v6];
}

struct rr_pair *bench_pairs(struct bench *b, bool v6)
{
	return b->pairs[v6];
}

int bench_lru_fd(const struct bench *b)
{
	return bench_map(b, "lru");
}

uint64_t bench_seed(const struct bench *b)
{
	return b->control->hash_seed;
}

/* ---- running --------------------------------------------------------------------------------- */

void bench_template(struct bench *b, enum bench_kind kind, uint32_t flows)
{
	enum bench_service s = kinds[kind].service;
	bool v6 = s == BENCH_NAT6;
	struct bench_gen *g = b->gen;
	uint16_t len = htons(BENCH_FRAME - 14 - (v6 ? 40 : 0));
	struct rr_addr addr;

	service_addr(s, &addr);
	memcpy(&g->addr4, addr.a, sizeof(g->addr4));
	memcpy(g->addr6, addr.a, sizeof(g->addr6));
	g->flows = flows;
	memcpy(g->eth, "\x02\x00\x00\x00\x00\xfe\x02\x00\x00\x00\x00\xff", sizeof(g->eth));
	g->eth_type = htons(v6 ? 0x86dd : 0x0800);
	g->ip[0] = v6 ? htonl(0x60000000u) : htonl(0x45000000u) | (uint32_t)len << 16;
	g->ip[1] = v6 ? len | htonl(0x00000640u) : htonl(0x00004000u);
	g->ip[2] = htonl(0x40060000u);
	g->tcp[0] = htonl(1000000u);
	g->tcp[1] = kinds[kind].syn ? 0 : htonl(2000000u);
	g->tcp[2] = htonl(kinds[kind].syn ? 0x5002ffffu : 0x5010ffffu);
	g->tcp[3] = 0x00001234u;
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t forwarded(const struct bench *b)
{
	static const uint32_t sent[] = { RR_V_FORWARD, RR_V_REPLY };
	uint64_t n[256], sum = 0;

	for (int i = 0; i < 2; i++) {
		if (b->cpus > 256 || bpf_map_lookup_elem(bench_map(b, "verdicts"), &sent[i], n))
			die("verdicts: %s", strerror(errno));
		for (int c = 0; c < b->cpus; c++)
			sum += n[c];
	}
	return sum;
}

static void test_run(int prog, uint32_t repeat)
{
	static unsigned char frame[BENCH_FRAME];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = repeat);

	if (bpf_prog_test_run_opts(prog, &o))
		die("BPF_PROG_TEST_RUN: %s", strerror(errno));
}

double bench_run(struct bench *b, enum bench_impl impl, enum bench_kind kind, uint32_t flows,
		 uint32_t repeat, double *good)
{
	uint32_t zero = 0;
	uint64_t before;
	double t;

	bench_template(b, kind, flows);
	if (bpf_map_update_elem(bench_map(b, "jump"), &zero, &b->prog[impl], BPF_ANY))
		die("jump table: %s", strerror(errno));
	before = forwarded(b);
	t = cpu_ns();
	test_run(bench_prog(b, kinds[kind].gen), repeat);
	t = cpu_ns() - t;
	*good = (double)(forwarded(b) - before) / repeat;
	return t / repeat;
}

uint32_t bench_jiffies(struct bench *b)
{
	test_run(bench_prog(b, "bench_clock"), 1);
	return b->gen->jiffies;
}
