/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rig.c - loads the packet path under test through its skeleton, with tables of the size that a
 * test wants, and gives access to all of it. Owns the loaded program and the mappings; nothing is
 * pinned or attached.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/rig.h"
#include "rr_hash.h"

/* bpftool's output casts a const away */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "rr_xdp.skel.h"
#pragma GCC diagnostic pop

#define RIG_SETS 256u

static const char *const map_name[] = {
#define NAME(id, name, ...) [RR_MAP_##id] = #name,
	RR_MAPS(NAME)
#undef NAME
};

static const bool map_mapped[] = {
#define MAPPED(id, name, mm, ...) [RR_MAP_##id] = mm,
	RR_MAPS(MAPPED)
#undef MAPPED
};

static void rig_size(struct rig *r)
{
	struct rig_opts *o = &r->opts;

	o->flow4_sets = o->flow4_sets ? o->flow4_sets : RIG_SETS;
	o->flow6_sets = o->flow6_sets ? o->flow6_sets : RIG_SETS;
	r->skel->rodata->rr_flow4_sets = o->flow4_sets;
	r->skel->rodata->rr_flow6_sets = o->flow6_sets;
	if (o->port_lo) {
		r->skel->rodata->rr_port_lo = o->port_lo;
		r->skel->rodata->rr_port_hi = o->port_hi;
	}
	bpf_map__set_max_entries(r->skel->maps.flows4, o->flow4_sets);
	bpf_map__set_max_entries(r->skel->maps.flows6, o->flow6_sets);
	bpf_map__set_max_entries(r->skel->maps.pairs4, o->flow4_sets * RR_FLOW4_WAYS);
	bpf_map__set_max_entries(r->skel->maps.pairs6, o->flow6_sets * RR_FLOW6_WAYS);
	o->port_sets = o->port_sets ? o->port_sets : 1;
	bpf_map__set_max_entries(r->skel->maps.ports, o->port_sets * RR_PORT_LINES(rig_ports(r)));
}

static void rig_map(struct rig *r, enum rr_map id)
{
	struct bpf_map *m = bpf_object__find_map_by_name(r->skel->obj, map_name[id]);
	size_t size;

	if (!m)
		errx(1, "map %s is not in the object", map_name[id]);
	r->fd[id] = bpf_map__fd(m);
	r->entries[id] = bpf_map__max_entries(m);
	if (!map_mapped[id])
		return;
	size = (size_t)r->entries[id] * ((bpf_map__value_size(m) + 7) & ~7u);
	r->mem[id] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd[id], 0);
	if (r->mem[id] == MAP_FAILED)
		err(1, "mmap of map %s", map_name[id]);
}

static void rig_type(struct rig *r)
{
	r->control = r->mem[RR_MAP_CONTROL];
	r->vips = r->mem[RR_MAP_VIPS];
	r->listeners = r->mem[RR_MAP_LISTENERS];
	r->services = r->mem[RR_MAP_SERVICES];
	r->cursors = r->mem[RR_MAP_CURSORS];
	r->rotations = r->mem[RR_MAP_ROTATIONS];
	r->endpoints = r->mem[RR_MAP_ENDPOINTS];
	r->locals = r->mem[RR_MAP_LOCALS];
	r->hops = r->mem[RR_MAP_HOPS];
	r->flows4 = r->mem[RR_MAP_FLOWS4];
	r->flows6 = r->mem[RR_MAP_FLOWS6];
	r->pairs4 = r->mem[RR_MAP_PAIRS4];
	r->pairs6 = r->mem[RR_MAP_PAIRS6];
	r->ports = r->mem[RR_MAP_PORTS];
}

void rig_open(struct rig *r, const struct rig_opts *opts)
{
	memset(r, 0, sizeof(*r));
	if (opts)
		r->opts = *opts;
	r->skel = rr_xdp__open();
	if (!r->skel)
		err(1, "open the object");
	rig_size(r);
	if (r->opts.log) {
		bpf_program__set_log_buf(r->skel->progs.rr_xdp, r->opts.log, r->opts.log_size);
		bpf_program__set_log_level(r->skel->progs.rr_xdp, r->opts.log_level);
	}
	if (rr_xdp__load(r->skel))
		err(1, "load the program");
	r->prog = bpf_program__fd(r->skel->progs.rr_xdp);
	for (int id = 0; id < RR_MAP_MAX; id++)
		rig_map(r, id);
	rig_type(r);
	rig_clear(r);
}

struct bpf_program *rig_program(const struct rig *r)
{
	return r->skel->progs.rr_xdp;
}

void rig_compiler(char *out, size_t size)
{
	static const char word[] = "clang version ";
	size_t len = 0;
	const char *elf = rr_xdp__elf_bytes(&len), *at = memmem(elf, len, word, sizeof(word) - 1);

	snprintf(out, size, "%s", at ? at : "unknown compiler");
}

void rig_close(struct rig *r)
{
	for (int id = 0; id < RR_MAP_MAX; id++) {
		struct bpf_map *m = bpf_object__find_map_by_name(r->skel->obj, map_name[id]);

		if (r->mem[id])
			munmap(r->mem[id],
			       (size_t)r->entries[id] * ((bpf_map__value_size(m) + 7) & ~7u));
	}
	rr_xdp__destroy(r->skel);
	memset(r, 0, sizeof(*r));
}

/* The token buckets of all CPUs back to their start. */
static void clear_buckets(struct rig *r)
{
	struct rr_bucket *b = calloc((size_t)libbpf_num_possible_cpus(), sizeof(*b));

	if (!b)
		err(1, "clear the token buckets");
	for (uint32_t i = 0; i < RR_MAX_BUCKETS; i++) {
		if (bpf_map_update_elem(r->fd[RR_MAP_BUCKETS], &i, b, 0))
			err(1, "clear the token buckets");
	}
	free(b);
}

struct rr_iface *rig_iface_at(struct rig *r, uint32_t slot)
{
	uint8_t *base = r->mem[RR_MAP_IFACES];

	return (struct rr_iface *)(void *)(base +
					   (size_t)slot * ((sizeof(struct rr_iface) + 7) & ~7u));
}

void rig_clear(struct rig *r)
{
	memset(r->flows4, 0, sizeof(*r->flows4) * r->opts.flow4_sets);
	memset(r->flows6, 0, sizeof(*r->flows6) * r->opts.flow6_sets);
	memset(r->pairs4, 0, sizeof(*r->pairs4) * r->opts.flow4_sets * RR_FLOW4_WAYS);
	memset(r->pairs6, 0, sizeof(*r->pairs6) * r->opts.flow6_sets * RR_FLOW6_WAYS);
	memset(r->ports, 0, sizeof(*r->ports) * r->entries[RR_MAP_PORTS]);
	memset(r->hops, 0, sizeof(*r->hops) * RR_MAX_HOPS);
	memset(r->vips, 0, sizeof(*r->vips) * 2 * RR_VIP_BUCKETS);
	memset(r->listeners, 0, sizeof(*r->listeners) * RR_MAX_LISTENERS);
	memset(r->services, 0, sizeof(*r->services) * RIG_SERVICES);
	memset(r->cursors, 0, sizeof(*r->cursors) * RIG_SERVICES);
	memset(r->endpoints, 0, sizeof(*r->endpoints) * RIG_ENDPOINTS);
	memset(r->locals, 0, sizeof(*r->locals) * RR_MAX_LOCALS);
	for (uint32_t i = 0; i < RR_MAX_IFACES; i++)
		memset(rig_iface_at(r, i), 0, sizeof(struct rr_iface));
	memset(r->control, 0, sizeof(*r->control));
	clear_buckets(r);
	r->control->abi_version = RR_VERSION_CONTROL;
	r->control->hash_seed = RIG_SEED;
	r->control->vip_active = 77ull << 32;
	r->control->rst_rate = 1000000;
	r->control->hz = 1000;
	r->control->port_shift = RIG_PORT_SHIFT;
	r->control->port_rest = RIG_PORT_REST;
	r->control->port_rest_short = RIG_PORT_REST_SHORT;
	r->control->enabled = 1;
}

void rig_iface(struct rig *r, uint32_t slot, uint32_t ifindex, const uint8_t mac[6])
{
	struct rr_iface *i = rig_iface_at(r, slot);

	i->ifindex = ifindex;
	memcpy(i->mac, mac, 6);
}

/* The row that holds `want` (its address and kind), or has room for it; NULL = neither. */
static struct rr_vip *vip_row(struct rig *r, const struct rr_vip *want, bool there)
{
	uint64_t active = r->control->vip_active;
	uint32_t h = rr_vip_hash(want->a0, want->a1, want->kind, (uint32_t)(active >> 32));
	struct rr_vip_bucket *b =
		&r->vips[(active & 1) * RR_VIP_BUCKETS + (h & (RR_VIP_BUCKETS - 1))];

	for (uint32_t i = 0; i < RR_VIP_WAYS; i++) {
		struct rr_vip *e = &b->e[i];

		if (!there && !e->kind)
			return e;
		if (there && e->kind == want->kind && e->a0 == want->a0 && e->a1 == want->a1)
			return e;
	}
	return NULL;
}

static struct rr_vip vip_of(uint8_t af, const struct rr_addr *addr, uint64_t kind)
{
	struct rr_vip v = { .kind = kind };

	memcpy(&v.a0, addr->a, af == RR_AF_INET ? 4 : 8);
	if (af == RR_AF_INET6)
		memcpy(&v.a1, addr->a + 8, 8);
	return v;
}

static void vip_put(struct rig *r, const struct rr_vip *v)
{
	struct rr_vip *row = vip_row(r, v, false);

	if (!row)
		errx(1, "a bucket of the address table is full");
	*row = *v;
}

void rig_local(struct rig *r, uint32_t id, uint8_t af, struct rr_addr addr)
{
	struct rr_vip v = vip_of(af, &addr, RR_VIP_KIND(0, 6, af, RR_VIP_LOCAL));

	r->locals[id].addr = addr;
	r->locals[id].family = af;
	v.id = (uint16_t)id;
	v.tables = af == RR_AF_INET ? RR_VIP_FLOWS4 : RR_VIP_FLOWS6;
	vip_put(r, &v);
}

void rig_service(struct rig *r, uint32_t id, uint8_t mode, uint8_t af, struct rr_addr addr,
		 uint16_t port)
{
	struct rr_service *s = &r->services[id];

	memset(s, 0, sizeof(*s));
	s->mode = mode;
	s->flags = RR_SVC_PRESENT;
	s->t_syn = s->t_est = s->t_fin1 = s->t_fin2 = s->t_rst = RIG_TIMEOUT;
	s->t_claim = r->control->hz;
	rig_listener(r, RIG_LISTENER(id), id, af, addr, port);
}

static struct rr_vip listener_row(const struct rr_listener *l)
{
	return vip_of(l->family, &l->addr,
		      RR_VIP_KIND(l->port, l->proto, l->family, RR_VIP_LISTENER));
}

void rig_listener(struct rig *r, uint32_t id, uint32_t service, uint8_t af, struct rr_addr addr,
		  uint16_t port)
{
	struct rr_listener *l = &r->listeners[id];
	struct rr_vip v;

	*l = (struct rr_listener){ .addr = addr,
				   .port = pkt_be16(port),
				   .family = af,
				   .proto = 6,
				   .service = (uint16_t)service,
				   .flags = RR_LISTENER_PRESENT };
	v = listener_row(l);
	v.id = (uint16_t)id;
	v.service = (uint16_t)service;
	vip_put(r, &v);
}

void rig_listener_retire(struct rig *r, uint32_t id)
{
	struct rr_vip v = listener_row(&r->listeners[id]), *row = vip_row(r, &v, true);

	if (!row)
		errx(1, "listener %u is not in the address table", id);
	memset(row, 0, sizeof(*row));
	r->listeners[id].flags = 0;
}

uint64_t rig_hop(uint32_t slot, const uint8_t mac[6])
{
	uint64_t w = 0;

	memcpy(&w, mac, 6);
	return RR_HOP_MAKE(slot, w);
}

void rig_endpoint(struct rig *r, uint32_t id, uint32_t service, struct rr_addr addr, uint16_t port,
		  const uint8_t mac[6], uint32_t local)
{
	struct rr_endpoint *e = &r->endpoints[id];

	memset(e, 0, sizeof(*e));
	e->addr = addr;
	e->port = pkt_be16(port);
	e->family = r->locals[local].family;
	e->mode = r->services[service].mode;
	e->flags = RR_EP_PRESENT;
	e->hop = rig_hop(0, mac);
	e->service = (uint16_t)service;
	e->local_first = (uint16_t)local;
	e->local_count = 1;
}

void rig_port_sets(struct rig *r, uint32_t endpoint, uint16_t first)
{
	struct rr_endpoint *e = &r->endpoints[endpoint];

	for (uint16_t k = 0; k < RR_EP_PORT_SETS; k++)
		e->port_set[k] = k < e->local_count ? (uint16_t)(first + k) : 0;
}

uint32_t rig_ports(const struct rig *r)
{
	return r->skel->rodata->rr_port_hi - r->skel->rodata->rr_port_lo + 1u;
}

uint32_t *rig_port_word(const struct rig *r, uint32_t set, uint16_t port)
{
	uint32_t place = port - (uint32_t)r->skel->rodata->rr_port_lo;

	return &r->ports[(set - 1) * RR_PORT_LINES(rig_ports(r)) + 1 + place / RR_PORT_LINE]
			.word[place % RR_PORT_LINE];
}

void rig_rotation(struct rig *r, uint32_t service, const uint16_t *slots, uint32_t n)
{
	struct rr_service *s = &r->services[service];
	uint32_t copy = RR_ROT_COPY(s->rotation) ^ 1;

	memset(&r->rotations[service * 2 + copy], 0, sizeof(struct rr_rotation));
	if (n)
		memcpy(r->rotations[service * 2 + copy].slot, slots, n * sizeof(*slots));
	__atomic_store_n(&s->rotation, RR_ROT_MAKE(copy, n), __ATOMIC_SEQ_CST);
}

uint32_t rig_run(const struct rig *r, const uint8_t *in, uint32_t len, struct pkt_frame *out)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = len, .data_out = out->b,
		    .data_size_out = sizeof(out->b));
	int rc;

	do {
		opts.data_size_out = sizeof(out->b);
		rc = bpf_prog_test_run_opts(r->prog, &opts);
	} while (rc == -EINTR || rc == -EAGAIN);
	if (rc)
		errx(1, "run a packet of %u bytes: %s", len, strerror(-rc));
	out->len = opts.data_size_out;
	return opts.retval;
}

static void sum_stats(const struct rig *r, enum rr_map map, uint32_t key, struct rr_stats *out)
{
	int cpus = libbpf_num_possible_cpus();
	struct rr_stats *v = calloc((size_t)cpus, sizeof(*v));

	memset(out, 0, sizeof(*out));
	if (!v || bpf_map_lookup_elem(r->fd[map], &key, v))
		err(1, "read map %s", map_name[map]);
	for (int i = 0; i < cpus; i++) {
		uint64_t *sum = (uint64_t *)out, *add = (uint64_t *)&v[i];

		for (size_t w = 0; w < sizeof(*out) / sizeof(*sum); w++)
			sum[w] += add[w];
	}
	free(v);
}

void rig_verdicts(const struct rig *r, uint64_t sum[RR_V_MAX])
{
	uint32_t cpus = (uint32_t)libbpf_num_possible_cpus(), count = RR_V_MAX, batch;
	uint64_t *v = calloc((size_t)cpus * RR_V_MAX, sizeof(*v));
	uint32_t keys[RR_V_MAX];
	int rc;

	if (!v)
		err(1, "read verdicts");
	rc = bpf_map_lookup_batch(r->fd[RR_MAP_VERDICTS], NULL, &batch, keys, v, &count, NULL);
	if ((rc && rc != -ENOENT) || count != RR_V_MAX)
		errx(1, "read verdicts: %s", strerror(-rc));
	memset(sum, 0, sizeof(*sum) * RR_V_MAX);
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t cpu = 0; cpu < cpus; cpu++)
			sum[keys[i]] += v[i * cpus + cpu];
	}
	free(v);
}

void rig_count(const struct rig *r, struct rig_counts *c)
{
	rig_verdicts(r, c->verdict);
	for (uint32_t i = 0; i < RIG_ENDPOINTS; i++)
		sum_stats(r, RR_MAP_EP_STATS, i, &c->ep[i]);
	for (uint32_t i = 0; i < RIG_SERVICES; i++)
		sum_stats(r, RR_MAP_SVC_STATS, i, &c->svc[i]);
}

static bool live(const struct rr_flow *f)
{
	return RR_META_STATE(f->meta) > RR_FLOW_CLAIMED;
}

static struct rr_flow *flow_slot(const struct rig *r, uint8_t af, uint32_t slot, uint64_t *key,
				 uint64_t addr[2])
{
	addr[0] = addr[1] = 0;
	if (af == RR_AF_INET) {
		struct rr_flow4 *e = &r->flows4[slot / RR_FLOW4_WAYS].e[slot % RR_FLOW4_WAYS];

		*key = e->key;
		return &e->f;
	} else {
		struct rr_flow6 *e = &r->flows6[slot / RR_FLOW6_WAYS].e[slot % RR_FLOW6_WAYS];

		*key = e->key;
		addr[0] = e->addr[0];
		addr[1] = e->addr[1];
		return &e->f;
	}
}

static uint32_t flow_slots(const struct rig *r, uint8_t af)
{
	return af == RR_AF_INET ? r->opts.flow4_sets * RR_FLOW4_WAYS
				: r->opts.flow6_sets * RR_FLOW6_WAYS;
}

struct rr_flow *rig_flow(const struct rig *r, uint8_t af, const struct rr_addr *addr, uint16_t port,
			 uint16_t tag, uint32_t *slot)
{
	uint64_t want[2] = { 0, 0 }, have[2], key, want_key;
	struct rr_flow *found = NULL;
	uint32_t low = 0;

	if (af == RR_AF_INET)
		memcpy(&low, addr->a, 4);
	else
		memcpy(want, addr->a, 16);
	want_key = RR_KEY_MAKE(low, pkt_be16(port), tag);
	for (uint32_t i = 0; i < flow_slots(r, af); i++) {
		struct rr_flow *f = flow_slot(r, af, i, &key, have);

		if (!live(f) || key != want_key || memcmp(want, have, sizeof(want)) != 0)
			continue;
		if (found)
			errx(1, "two live entries of one key");
		found = f;
		if (slot)
			*slot = i;
	}
	return found;
}

uint32_t rig_live(const struct rig *r, uint8_t af)
{
	uint64_t key, addr[2];
	uint32_t n = 0;

	for (uint32_t i = 0; i < flow_slots(r, af); i++)
		n += live(flow_slot(r, af, i, &key, addr));
	return n;
}

struct rr_pair *rig_pair(const struct rig *r, uint8_t af, uint32_t slot)
{
	return af == RR_AF_INET ? &r->pairs4[slot] : &r->pairs6[slot];
}
