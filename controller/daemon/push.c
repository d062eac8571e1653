/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * push.c - the only writer of maps. Executes the steps that plan_diff() ordered, reads back what
 * the maps hold.
 *
 * Maps are arrays in our memory, read by packets at the same moment. So every store is a single
 * aligned word, and a word that makes others visible (flags, rotation, vip_active, enabled) is
 * stored last, with release order.
 *
 * Between a switch of `vips` and the next fill of the copy that was left, every packet program that
 * started before the switch must have ended, or it would miss its address and hand a service's
 * packet to the host, which resets the connection. membarrier() waits for exactly that (an RCU
 * grace period). The spare copy of a rotation needs no such wait: a slow reader gets an endpoint id
 * that is valid, and steps over it if it is not eligible.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/push.h"
#include "util/log.h"

#define PORT_REST_SHORT 2 /* seconds that a port rests which its endpoint does not keep */

/* Element `i` of a map; NULL past its end. Elements stand close: every size is a multiple of 8. */
static void *elem(struct daemon *d, enum rr_map map, uint32_t i, size_t size)
{
	uint32_t max;
	char *mem = dp_mem(d->dp, map, &max);

	return mem && i < max ? mem + i * size : NULL;
}

#define ELEM(d, map, type, i) ((struct type *)elem(d, RR_MAP_##map, i, sizeof(struct type)))

static struct rr_control *control_of(struct daemon *d)
{
	return ELEM(d, CONTROL, rr_control, 0);
}

static void store32(void *to, uint32_t v)
{
	__atomic_store_n((uint32_t *)to, v, __ATOMIC_RELEASE);
}

static void store64(void *to, uint64_t v)
{
	__atomic_store_n((uint64_t *)to, v, __ATOMIC_RELEASE);
}

/* Copies `n` 64-bit words of a struct, one store each. */
static void store_words(void *to, const void *from, size_t n)
{
	uint64_t word;

	for (size_t i = 0; i < n; i++) {
		memcpy(&word, (const char *)from + i * 8, 8);
		store64((char *)to + i * 8, word);
	}
}

static int do_iface(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	const struct rr_iface *from = &p->iface[op->id];
	struct rr_iface *to = ELEM(d, IFACES, rr_iface, op->id);
	uint32_t word[3], value[2] = { from->ifindex, 0 };

	if (!to)
		return -EINVAL;
	memcpy(word, from->mac, sizeof(word));
	for (int i = 0; i < 3; i++)
		store32((char *)to + 4 + i * 4, word[i]);
	store32(&to->ifindex, from->ifindex);
	/*
	 * A value of 8 bytes serves both layouts of a devmap: interface alone, or with a program.
	 */
	return from->ifindex ? dp_set(d->dp, RR_MAP_TX_PORTS, op->id, value)
			     : dp_del(d->dp, RR_MAP_TX_PORTS, op->id);
}

static int do_local(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	struct rr_local *to = ELEM(d, LOCALS, rr_local, op->id);

	if (!to)
		return -EINVAL;
	store_words(to, &p->local[op->id], sizeof(*to) / 8);
	return 0;
}

/*
 * An element whose flags share their word with port and family, which is word number `last`: it is
 * stored after all others, so that flags never speak of an address that is not there yet.
 */
static int write_flagged(void *to, const void *from, size_t size, size_t last)
{
	const size_t at = last * 8, rest = at + 8;

	if (!to)
		return -EINVAL;
	store_words(to, from, last);
	store_words((char *)to + rest, (const char *)from + rest, (size - rest) / 8);
	store_words((char *)to + at, (const char *)from + at, 1);
	return 0;
}

#define FLAGS_WORD(type) (offsetof(struct type, flags) / 8)
_Static_assert(offsetof(struct rr_endpoint, port) / 8 == FLAGS_WORD(rr_endpoint), "one word");
_Static_assert(offsetof(struct rr_listener, port) / 8 == FLAGS_WORD(rr_listener), "one word");

static int do_ep_write(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	return write_flagged(ELEM(d, ENDPOINTS, rr_endpoint, op->id), &p->endpoint[op->id],
			     sizeof(struct rr_endpoint), FLAGS_WORD(rr_endpoint));
}

static int do_listener(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	return write_flagged(ELEM(d, LISTENERS, rr_listener, op->id), &p->listener[op->id],
			     sizeof(struct rr_listener), FLAGS_WORD(rr_listener));
}

static int do_ep_hop(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	struct rr_endpoint *to = ELEM(d, ENDPOINTS, rr_endpoint, op->id);

	if (!to)
		return -EINVAL;
	store64(&to->hop, p->endpoint[op->id].hop);
	return 0;
}

static int do_ep_flags(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	struct rr_endpoint *to = ELEM(d, ENDPOINTS, rr_endpoint, op->id);

	(void)p;
	if (!to)
		return -EINVAL;
	store32(&to->flags, (uint32_t)op->value);
	return 0;
}

/*
 * Everything but the first word: `rotation`, which only a switch changes, and `flags`, which go
 * last.
 */
static int do_svc_write(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	const struct rr_service *from = &p->service[op->id];
	struct rr_service *to = ELEM(d, SERVICES, rr_service, op->id);

	if (!to)
		return -EINVAL;
	store_words((char *)to + 8, (const char *)from + 8, sizeof(*to) / 8 - 1);
	store32(&to->flags, from->flags);
	return 0;
}

static int do_svc_flags(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	struct rr_service *to = ELEM(d, SERVICES, rr_service, op->id);

	(void)p;
	if (!to)
		return -EINVAL;
	store32(&to->flags, (uint32_t)op->value);
	return 0;
}

static int do_rot_fill(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	struct rr_rotation *to = ELEM(d, ROTATIONS, rr_rotation, op->id * 2 + op->copy);
	uint32_t len = RR_ROT_LEN(p->service[op->id].rotation);

	if (!to || len > RR_MAX_SLOTS || (len && !p->slot[op->id]))
		return -EINVAL;
	for (uint32_t i = 0; i < len; i++)
		__atomic_store_n(&to->slot[i], p->slot[op->id][i], __ATOMIC_RELAXED);
	return 0;
}

static int do_rot_switch(struct daemon *d, const struct plan_op *op)
{
	struct rr_service *to = ELEM(d, SERVICES, rr_service, op->id);

	if (!to)
		return -EINVAL;
	store32(&to->rotation, (uint32_t)op->value);
	return 0;
}

/*
 * A kernel with nohz_full CPUs has no membarrier of this kind: then a packet program has the time
 * that none needs.
 */
static void grace_period(void)
{
	const struct timespec plenty = { .tv_nsec = 20000000 };

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		nanosleep(&plenty, NULL);
}

static int do_vip_fill(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	struct rr_vip_bucket *to = ELEM(d, VIPS, rr_vip_bucket, op->copy * RR_VIP_BUCKETS);
	struct rr_vip_bucket *from = calloc(RR_VIP_BUCKETS, sizeof(*from));
	int rc = -ENOMEM;

	if (from && to)
		rc = plan_vip_place(p, (uint32_t)op->value, from) ? 0 : -ENOSPC;
	if (!rc) {
		grace_period();
		store_words(to, from, RR_VIP_BUCKETS * sizeof(*from) / 8);
	}
	free(from);
	return rc;
}

static int do_vip_switch(struct daemon *d, const struct plan_op *op)
{
	store64(&control_of(d)->vip_active, op->value);
	return 0;
}

static int do_enable(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	(void)p;
	store32(&control_of(d)->enabled, (uint32_t)op->value);
	return 0;
}

/* How each double-buffered table is filled and switched. */
static const struct {
	int (*fill)(struct daemon *, const struct plan *, const struct plan_op *);
	int (*turn)(struct daemon *, const struct plan_op *);
} tables[] = {
	[TABLE_ROTATION] = { do_rot_fill, do_rot_switch },
	[TABLE_ADDRESS] = { do_vip_fill, do_vip_switch },
};

static int do_table_fill(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	return tables[op->table].fill(d, p, op);
}

static int do_table_switch(struct daemon *d, const struct plan *p, const struct plan_op *op)
{
	(void)p;
	return tables[op->table].turn(d, op);
}

static int (*const steps[])(struct daemon *, const struct plan *, const struct plan_op *) = {
	[PLAN_IFACE] = do_iface,
	[PLAN_LOCAL] = do_local,
	[PLAN_LISTENER_WRITE] = do_listener,
	[PLAN_EP_WRITE] = do_ep_write,
	[PLAN_EP_HOP] = do_ep_hop,
	[PLAN_EP_FLAGS] = do_ep_flags,
	[PLAN_SVC_WRITE] = do_svc_write,
	[PLAN_SVC_FLAGS] = do_svc_flags,
	[PLAN_TABLE_FILL] = do_table_fill,
	[PLAN_TABLE_SWITCH] = do_table_switch,
	[PLAN_ENABLE] = do_enable,
};

static int push_ops(struct daemon *d, const struct plan *want, const struct plan_ops *ops)
{
	char name[32];
	int rc;

	for (size_t i = 0; i < ops->n; i++) {
		const struct plan_op *op = &ops->op[i];

		rc = steps[op->kind](d, want, op);
		if (rc) {
			log_errx("maps: step %s of element %u: %s",
				 plan_op_name(op, name, sizeof(name)), op->id, strerror(-rc));
			return rc;
		}
		log_debug("push %s %u %llu", plan_op_name(op, name, sizeof(name)), op->id,
			  (unsigned long long)op->value);
	}
	return 0;
}

/* Half a push is correct for packets, but d->have must say what the maps really hold. */
static void push_failed(struct daemon *d)
{
	d->push_errors++;
	d->push_retry = true;
	if (push_read(d, d->have))
		log_errx("maps: cannot be read back: out of memory");
}

int push_plan(struct daemon *d, struct plan *want)
{
	struct plan_ops ops = { 0 };
	int rc = plan_diff(d->have, want, &ops);
	bool differs = ops.n;

	if (rc)
		log_errx("maps: no way from the present contents to the wanted: %s", strerror(-rc));
	else
		rc = push_ops(d, want, &ops);
	plan_ops_free(&ops);
	if (rc) {
		plan_free(want);
		push_failed(d);
		return rc;
	}
	d->push_total += differs;
	d->push_retry = false;
	plan_free(d->have);
	d->have = want;
	return 0;
}

static uint64_t boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The seed is drawn once in the life of the maps: entries are found by it. */
static int control_first(struct rr_control *c)
{
	uint64_t seed = 0;

	while (!seed) {
		if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
			return errno ? -errno : -EIO;
	}
	store64(&c->hash_seed, seed);
	store64(&c->start_ns, boot_ns());
	return 0;
}

/* Three fields of one word, so that a packet reads all old or all new. */
static void control_ports(struct daemon *d, struct rr_control *c)
{
	const size_t at = offsetof(struct rr_control, port_rest) / 8 * 8;
	uint32_t shift = rr_port_shift(d->hz), hz = d->hz;
	struct rr_control word = *c;

	word.port_shift = (uint8_t)shift;
	word.port_rest = (uint16_t)rr_port_ticks(
		(uint32_t)((uint64_t)d->conf->time_wait.us * hz / 1000000), shift);
	word.port_rest_short = (uint16_t)rr_port_ticks(PORT_REST_SHORT * hz, shift);
	if (word.port_rest_short > word.port_rest)
		word.port_rest_short = word.port_rest;
	store_words((char *)c + at, (const char *)&word + at, 1);
}

_Static_assert(offsetof(struct rr_control, port_rest) % 8 == 0, "rr_control.port_rest");

int push_control(struct daemon *d)
{
	struct rr_control *c = control_of(d);
	uint32_t jiffies;
	int rc = dp_clock(d->dp, &jiffies, &d->hz);

	if (rc)
		return rc;
	if (c->abi_version != RR_VERSION_CONTROL && (rc = control_first(c)))
		return rc;
	dp_mem(d->dp, RR_MAP_FLOWS4, &c->flow4_sets);
	dp_mem(d->dp, RR_MAP_FLOWS6, &c->flow6_sets);
	dp_ports(d->dp, &c->port_lo, &c->port_hi);
	control_ports(d, c);
	store32(&c->hz, d->hz);
	store32(&c->rst_rate, d->conf->rst_rate);
	store32(&c->abi_version, RR_VERSION_CONTROL);
	return 0;
}

void push_swept(struct daemon *d, uint32_t endpoint, uint64_t closed, uint64_t drift)
{
	struct rr_swept *s = ELEM(d, EP_SWEPT, rr_swept, endpoint);

	if (!s)
		return;
	store64(&s->closed, s->closed + closed);
	store64(&s->drift, s->drift + drift);
}

int push_zero_endpoint(struct daemon *d, uint32_t endpoint)
{
	struct rr_swept *s = ELEM(d, EP_SWEPT, rr_swept, endpoint);

	if (!s)
		return -EINVAL;
	store64(&s->closed, 0);
	store64(&s->drift, 0);
	return dp_zero(d->dp, RR_MAP_EP_STATS, endpoint);
}

int push_zero_service(struct daemon *d, uint32_t service)
{
	return dp_zero(d->dp, RR_MAP_SVC_STATS, service);
}

static int read_rotation(struct daemon *d, struct plan *p, uint32_t id)
{
	uint32_t word = p->service[id].rotation, len = RR_ROT_LEN(word);
	const struct rr_rotation *from =
		ELEM(d, ROTATIONS, rr_rotation, id * 2 + RR_ROT_COPY(word));

	free(p->slot[id]);
	p->slot[id] = NULL;
	if (!len || len > RR_MAX_SLOTS || !from)
		return 0;
	p->slot[id] = malloc(len * sizeof(*p->slot[id]));
	if (!p->slot[id])
		return -ENOMEM;
	memcpy(p->slot[id], from->slot, len * sizeof(*p->slot[id]));
	return 0;
}

int push_read(struct daemon *d, struct plan *p)
{
	const struct rr_control *c = control_of(d);
	int rc = 0;

	memcpy(p->service, dp_mem(d->dp, RR_MAP_SERVICES, NULL), sizeof(p->service));
	memcpy(p->endpoint, dp_mem(d->dp, RR_MAP_ENDPOINTS, NULL), sizeof(p->endpoint));
	memcpy(p->listener, dp_mem(d->dp, RR_MAP_LISTENERS, NULL), sizeof(p->listener));
	memcpy(p->local, dp_mem(d->dp, RR_MAP_LOCALS, NULL), sizeof(p->local));
	for (uint32_t i = 0; i < RR_MAX_IFACES; i++)
		p->iface[i] = *ELEM(d, IFACES, rr_iface, i);
	for (uint32_t i = 0; i < RR_MAX_SERVICES && !rc; i++)
		rc = read_rotation(d, p, i);
	p->vip_active = c->vip_active;
	p->enabled = c->enabled;
	plan_vips_read(p, ELEM(d, VIPS, rr_vip_bucket,
			       plan_table_copy(TABLE_ADDRESS, p->vip_active) * RR_VIP_BUCKETS));
	return rc;
}
