/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * past.c - a pin folder as another build has left it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/loaded.h"
#include "lib/past.h"
#include "lib/pins.h"
#include "rr_count.h"

#define DIR LOADED_DIR

static const char *const ifnames[] = { LOADED_IF };

struct dp *past_open(bool replace)
{
	struct dp_conf c = loaded_conf;
	struct dp *dp;
	bool adopted;
	int rc;

	c.replace_maps = replace;
	rc = dp_open(&dp, &c, ifnames, 1, &adopted);
	if (rc)
		print_error("%s\n", dp_error(dp));
	assert_int_equal(rc, 0);
	assert_true(adopted);
	return dp;
}

/* Our pins, set up as a controller does, with marks in many maps. */
void past_begin(void)
{
	struct dp *dp;
	bool adopted;
	struct rr_control *c;

	assert_int_equal(dp_open(&dp, &loaded_conf, ifnames, 1, &adopted), 0);
	assert_false(adopted);
	c = dp_mem(dp, RR_MAP_CONTROL, NULL);
	c->abi_version = RR_VERSION_CONTROL;
	c->hash_seed = 77;
	dp_ports(dp, &c->port_lo, &c->port_hi);
	((struct rr_cursor *)dp_elem(dp, RR_MAP_CURSORS, 3))->ticket = 1234;
	((struct rr_endpoint *)dp_elem(dp, RR_MAP_ENDPOINTS, 5))->hop = 99;
	((struct rr_swept *)dp_elem(dp, RR_MAP_EP_SWEPT, 5))->closed = 11;
	dp_close(dp);
}

uint32_t past_our_id(enum rr_map map)
{
	return pin_id(pin_path(DIR, map));
}

/* Version 9 of a map: the pin gets this name. */
const char *past_pin(enum rr_map map)
{
	static char path[128];
	const char *now = pin_path(DIR, map);

	snprintf(path, sizeof(path), "%.*s_v9", (int)(strrchr(now, '_') - now), now);
	return path;
}

void past_make(enum rr_map map)
{
	assert_int_equal(rename(pin_path(DIR, map), past_pin(map)), 0);
}

void past_make_flows(void)
{
	static const enum rr_map maps[] = {
#define FLOWS(id) RR_MAP_##id,
#define SETUP(id)
#define COUNTS(id)
#define OF_FLOWS(id, name, mm, version, kind) kind(id)
		RR_MAPS(OF_FLOWS)
#undef OF_FLOWS
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		past_make(maps[i]);
}

void past_noted(const struct dp *dp, const char *words)
{
	if (!strstr(dp_note(dp), words))
		print_error("\"%s\" lacks \"%s\"\n", dp_note(dp), words);
	assert_non_null(strstr(dp_note(dp), words));
}

void past_fill(const char *pin, uint32_t element, uint64_t value)
{
	const int cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc((size_t)cpus * 8, sizeof(*values));
	int fd = bpf_obj_get(pin);

	assert_non_null(values);
	assert_true(fd >= 0);
	for (int i = 0; i < cpus * 8; i++)
		values[i] = value;
	assert_int_equal(bpf_map_update_elem(fd, &element, values, BPF_ANY), 0);
	close(fd);
	free(values);
}

uint64_t past_count(struct dp *dp, uint32_t element)
{
	struct rr_stats s;

	assert_int_equal(dp_sum(dp, RR_MAP_EP_STATS, element, 1, &s), 0);
	return s.conns / (uint64_t)libbpf_num_possible_cpus();
}
