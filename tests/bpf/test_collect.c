/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_collect.c - counters read anew by a controller that adopts maps: also of endpoint ids that nobody has any more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "collect/counters.h"
#include "daemon/daemon.h"
#include "lib/netbox.h"

#define DIR "/sys/fs/bpf/rrlb-collect"
#define EP 9u

static int cleanup(void **state)
{
	(void)state;
	return netbox_sh("rm -rf " DIR);
}

/* Seven connections, all over: the last three were closed by the sweep. */
static void endpoint_was(struct daemon *d)
{
	struct rr_stats *cpu = calloc((size_t)libbpf_num_possible_cpus(), sizeof(*cpu));
	struct rr_swept *swept = dp_mem(d->dp, RR_MAP_EP_SWEPT, NULL);
	uint32_t id = EP;
	int fd = bpf_obj_get(DIR "/ep_stats_v1");

	assert_non_null(cpu);
	assert_true(fd >= 0);
	cpu[0] = (struct rr_stats){ .conns = 7, .established = 7, .closed = 4 };
	assert_int_equal(bpf_map_update_elem(fd, &id, cpu, 0), 0);
	swept[EP].closed = 3;
	free(cpu);
}

static void test_free_id(void **state)
{
	const struct dp_conf c = {
		.dir = DIR, .flow4_sets = 64, .flow6_sets = 64, .port_lo = 1024, .port_hi = 2047
	};
	struct daemon *d = calloc(1, sizeof(*d));
	bool adopted;

	(void)state;
	assert_non_null(d);
	assert_int_equal(dp_open(&d->dp, &c, NULL, 0, &adopted), 0);
	d->have = plan_new();
	d->counters = calloc(1, sizeof(*d->counters));
	assert_non_null(d->counters);
	endpoint_was(d);
	assert_int_equal(collect_read(d), 0);
	assert_int_equal(d->counters->ep[EP].established, 7);
	assert_int_equal(d->counters->ep_active[EP], 0);
	dp_close(d->dp);
	plan_free(d->have);
	free(d->counters);
	free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_free_id, cleanup, cleanup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
