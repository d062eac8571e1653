/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_collect.c - counters read anew by a controller that adopts maps: also of endpoint ids that
 * nobody has any more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "collect/counters.h"
#include "daemon/daemon.h"
#include "lib/fixture.h"
#include "lib/netbox.h"
#include "lib/pins.h"

#define DIR "/sys/fs/bpf/rrlb-collect"
#define EP 9u

static int cleanup(void **state)
{
	(void)state;
	return netbox_sh("rm -rf " DIR);
}

/* Seven connections, all over: the last three were closed by the sweep. */
static void id_was(const char *pin, uint32_t id)
{
	struct rr_stats *cpu = calloc((size_t)libbpf_num_possible_cpus(), sizeof(*cpu));
	int fd = bpf_obj_get(pin);

	assert_non_null(cpu);
	assert_true(fd >= 0);
	cpu[0] = (struct rr_stats){ .conns = 7, .established = 7, .closed = 4 };
	assert_int_equal(bpf_map_update_elem(fd, &id, cpu, 0), 0);
	close(fd);
	free(cpu);
}

static void endpoint_was(struct daemon *d, uint32_t id)
{
	struct rr_swept *swept = dp_mem(d->dp, RR_MAP_EP_SWEPT, NULL);

	id_was(pin_path(DIR, RR_MAP_EP_STATS), id);
	swept[id].closed = 3;
	swept[id].drift = 5;
}

static struct daemon *daemon_on(void)
{
	const struct dp_conf c = {
		.dir = DIR, .flow4_sets = 64, .flow6_sets = 64, .port_lo = 1024, .port_hi = 2047
	};
	struct daemon *d = calloc(1, sizeof(*d));
	bool adopted;

	assert_non_null(d);
	assert_int_equal(dp_open(&d->dp, &c, NULL, 0, &adopted), 0);
	d->have = plan_new();
	d->counters = calloc(1, sizeof(*d->counters));
	assert_non_null(d->counters);
	return d;
}

static void daemon_off(struct daemon *d)
{
	dp_close(d->dp);
	model_free(d->model);
	plan_free(d->have);
	free(d->counters);
	free(d);
}

static void test_free_id(void **state)
{
	struct daemon *d = daemon_on();

	(void)state;
	endpoint_was(d, EP);
	assert_int_equal(collect_read(d), 0);
	assert_int_equal(d->counters->ep[EP].established, 7);
	assert_int_equal(d->counters->ep_active[EP], 0);
	daemon_off(d);
}

/* An id that is given to something new starts at 0, also after the next start; others go on. */
static void test_fresh_id(void **state)
{
	struct daemon *d = daemon_on();
	struct conf *c = fx_conf();
	struct rr_swept *swept = dp_mem(d->dp, RR_MAP_EP_SWEPT, NULL);
	uint32_t id;

	(void)state;
	fx_service(c, "web", "192.0.2.10:443");
	fx_endpoint(c, "web", "10.0.0.1:8443", 100);
	d->model = fx_model(c, MONO_S(1));
	id = fx_id(d->model, "web", "10.0.0.1:8443");
	endpoint_was(d, id);
	endpoint_was(d, EP);
	id_was(pin_path(DIR, RR_MAP_SVC_STATS), fx_service_id(d->model, "web"));
	assert_int_equal(collect_read(d), 0);
	assert_int_equal(collect_period(d), 0); /* also the base of rates has it */
	assert_int_equal(d->counters->ep_prev[id].conns, 7);
	assert_int_equal(d->counters->svc[0].conns, 7);
	collect_fresh(d);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(d->counters->ep[id].conns, 0);
		assert_int_equal(d->counters->ep_prev[id].conns, 0);
		assert_int_equal(d->counters->svc[0].conns, 0);
		assert_int_equal(d->counters->svc_prev[0].conns, 0);
		assert_int_equal(collect_read(d), 0);
	}
	assert_int_equal(swept[id].closed, 0);
	assert_int_equal(swept[id].drift, 0);
	assert_int_equal(d->counters->ep[EP].conns, 7);
	assert_int_equal(swept[EP].closed, 3);
	daemon_off(d);
	conf_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_free_id, cleanup, cleanup),
		cmocka_unit_test_setup_teardown(test_fresh_id, cleanup, cleanup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
