/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * path_case.c - how a row of the packet tables is run: the world is made, its flow is brought to
 * the row's state, the packet goes through, and the counters, the ticket and both entries are
 * compared with what the row says. Also the programs whose tests are functions that hold for
 * several worlds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "path.h"

static void set_state(struct rr_flow *f, uint8_t state)
{
	uint64_t m = f->meta;

	__atomic_store_n(&f->meta,
			 RR_META_MAKE(RR_META_GEN(m), state, RR_META_FLAGS(m), RR_META_EP(m),
				      RR_META_VIA(m)),
			 __ATOMIC_SEQ_CST);
}

void path_kill(struct world *w)
{
	set_state(path_flow_of(w, NULL), RR_FLOW_KILLED);
	if (w->mode->pair)
		set_state(path_reverse_of(w, NULL), RR_FLOW_KILLED);
}

void path_reach(struct world *w, enum path_have have)
{
	if (have == HAVE_NONE)
		return;
	path_client(w, PKT_SYN, RR_V_FORWARD);
	if (have == HAVE_SYN)
		return;
	if (w->mode->replies)
		path_server(w, PKT_SYN | PKT_ACK, RR_V_REPLY);
	if (have == HAVE_SYNACK)
		return;
	path_client(w, PKT_ACK, RR_V_FORWARD);
	if (have == HAVE_FIN_CLIENT || have == HAVE_FIN2)
		path_client(w, PKT_FIN | PKT_ACK, RR_V_FORWARD);
	if ((have == HAVE_FIN_SERVER || have == HAVE_FIN2) && w->mode->replies)
		path_server(w, PKT_FIN | PKT_ACK, RR_V_REPLY);
	if (have == HAVE_RST)
		path_client(w, PKT_RST, RR_V_FORWARD);
	if (have == HAVE_KILLED)
		path_kill(w);
}

/* Counters of this service and its endpoints; every other one must stand still. */
static void check_counts(const struct world *w, const struct path_case *c,
			 const struct rig_counts *was, const struct rig_counts *is)
{
	bool through = c->verdict == RR_V_FORWARD || c->verdict == RR_V_REPLY;
	struct rr_stats ep = { 0 };

	for (uint32_t i = 0; i < RIG_ENDPOINTS; i++) {
		const uint64_t *a = (const uint64_t *)&was->ep[i],
			       *b = (const uint64_t *)&is->ep[i];
		uint64_t *sum = (uint64_t *)&ep;

		for (size_t n = 0; n < sizeof(ep) / sizeof(*sum); n++)
			sum[n] += b[n] - a[n];
		if (is->ep[i].packets[c->rev] != was->ep[i].packets[c->rev])
			assert_int_equal(i, w->ep);
	}
	assert_int_equal(ep.packets[c->rev], through);
	assert_int_equal(ep.packets[!c->rev], 0);
	assert_int_equal(ep.bytes[c->rev], through ? w->in.len : 0);
	assert_int_equal(ep.conns, c->conns);
	assert_int_equal(ep.established, c->established);
	assert_int_equal(ep.closed, c->closed);
	assert_int_equal(ep.reopened, c->reopened);
	assert_int_equal(ep.reused, c->reused);
	ep.refused = c->refused;
	for (size_t n = 0; n < sizeof(ep) / sizeof(uint64_t); n++) {
		const uint64_t *a = (const uint64_t *)&was->svc[w->svc],
			       *b = (const uint64_t *)&is->svc[w->svc];

		if (b[n] - a[n] != ((uint64_t *)&ep)[n])
			fail_msg("word %zu of the service's counters moved by %llu", n,
				 (unsigned long long)(b[n] - a[n]));
	}
}

static void check_state(const struct world *w, const struct path_case *c)
{
	const struct rr_flow *f = path_flow_of(w, NULL), *r;

	if (c->state == PATH_NONE) {
		assert_null(f);
		return;
	}
	assert_non_null(f);
	assert_int_equal(RR_META_STATE(f->meta), c->state);
	if (!w->mode->pair)
		return;
	r = path_reverse_of(w, NULL);
	assert_non_null(r);
	assert_int_equal(RR_META_STATE(r->meta), c->state);
}

void path_case_run(struct rig *r, uint32_t svc, const struct path_case *c)
{
	struct rig_counts was, is;
	struct pkt_spec s;
	struct world w;
	uint64_t ticket;

	path_world(&w, r, svc);
	path_vlans(&w, c->client_vlan, c->ep_vlan);
	path_reach(&w, c->have);
	if (c->prepare)
		c->prepare(&w);
	path_packet(&w, c->rev, &c->pkt, &s);
	if (c->shape)
		c->shape(&w, &s);
	ticket = r->cursors[svc].ticket;
	rig_count(r, &was);
	path_run(&w, &s, c->verdict, c->action);
	rig_count(r, &is);
	check_counts(&w, c, &was, &is);
	assert_int_equal(r->cursors[svc].ticket - ticket, c->conns + c->tickets);
	if (c->verdict == RR_V_FORWARD)
		assert_int_equal(w.ep, PATH_EP(svc, c->slot));
	if (c->state)
		check_state(&w, c);
	if (c->after)
		c->after(&w);
}

static struct used {
	struct rig *rig;
	const struct rig_opts *opts;
} used[4];

void path_use(struct rig *r, const struct rig_opts *opts)
{
	size_t i = 0;

	while (used[i].rig)
		i++;
	assert_true(i + 1 < sizeof(used) / sizeof(used[0]));
	used[i] = (struct used){ r, opts };
}

int path_setup(void **state)
{
	(void)state;
	for (const struct used *u = used; u->rig; u++)
		rig_open(u->rig, u->opts);
	return 0;
}

int path_teardown(void **state)
{
	(void)state;
	for (const struct used *u = used; u->rig; u++)
		rig_close(u->rig);
	return 0;
}

uint32_t path_service_of(void **state)
{
	return (uint32_t)(uintptr_t)*state;
}

int path_group(const char *name, const struct path_test *rows, size_t n)
{
	struct CMUnitTest *tests = calloc(n * PATH_SERVICES, sizeof(*tests));
	size_t made = 0;
	int failed;

	for (size_t i = 0; tests && i < n * PATH_SERVICES; i++) {
		const struct path_test *row = &rows[i / PATH_SERVICES];
		uint32_t svc = i % PATH_SERVICES;
		char *text = NULL;

		if (!path_tried(&row->on, svc))
			continue;
		if (asprintf(&text, "%s %s", row->name, path_worlds[svc].name) < 0)
			abort();
		tests[made++] = (struct CMUnitTest){ .name = text,
						     .test_func = row->run,
						     .initial_state = (void *)(uintptr_t)svc };
	}
	failed = _cmocka_run_group_tests(name, tests, made, path_setup, path_teardown);
	for (size_t i = 0; i < made; i++)
		free((void *)(uintptr_t)tests[i].name);
	free(tests);
	return failed;
}
