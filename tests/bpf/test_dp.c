/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_dp.c - loading: maps made, adopted, completed, refused; the program's pin.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "lib/loaded.h"
#include "lib/netbox.h"
#include "lib/pins.h"
#include "rr_count.h"
#include "rr_flow.h"
#include "sys/dp.h"

#define DIR LOADED_DIR
#define SETS LOADED_SETS

static uint32_t pinned_map_id(enum rr_map map)
{
	return pin_id(pin_path(DIR, map));
}

static uint32_t pinned_prog_id(void)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_obj_get(DIR "/rr_xdp_v1");

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	close(fd);
	return info.id;
}

static int cleanup(void **state)
{
	(void)state;
	return netbox_sh("rm -rf " DIR);
}

static void test_create(void **state)
{
	uint32_t max, id, insns, f4, f6;
	bool adopted = true;
	struct dp *dp = loaded_open(NULL, &adopted);
	int i;

	(void)state;
	assert_false(adopted);
	assert_string_equal(dp_note(dp), "");
	for (i = 0; i < RR_MAP_MAX; i++)
		assert_int_not_equal(pinned_map_id((enum rr_map)i), 0);
	assert_int_equal(dp_prog_id(dp, &id, &insns), 0);
	assert_int_equal(pinned_prog_id(), id);
	assert_true(insns > 10);
	assert_non_null(dp_mem(dp, RR_MAP_FLOWS4, &max));
	assert_int_equal(max, SETS);
	dp_mem(dp, RR_MAP_PAIRS6, &max);
	assert_int_equal(max, SETS / 2 * RR_FLOW6_WAYS);
	assert_null(dp_mem(dp, RR_MAP_EP_STATS, &max));
	dp_sizes(dp, &f4, &f6);
	assert_int_equal(f4, SETS);
	assert_int_equal(f6, SETS / 2);
	dp_close(dp);
	assert_int_not_equal(pinned_map_id(RR_MAP_FLOWS4), 0);
}

/* Marks the maps as a controller does, so that they count as adopted. */
static void set_up(struct dp *dp)
{
	struct rr_control *c = dp_mem(dp, RR_MAP_CONTROL, NULL);

	c->abi_version = RR_VERSION_CONTROL;
}

static void test_adopt(void **state)
{
	struct rr_cursor *cursor;
	uint32_t map, prog, id, insns;
	bool adopted;
	struct dp *dp = loaded_open(NULL, &adopted);

	(void)state;
	dp_close(dp);
	map = pinned_map_id(RR_MAP_CURSORS);
	dp = loaded_open(NULL, &adopted);
	assert_false(adopted); /* nobody has set them up yet */
	assert_int_equal(pinned_map_id(RR_MAP_CURSORS), map);
	set_up(dp);
	cursor = dp_elem(dp, RR_MAP_CURSORS, 7);
	cursor->ticket = 123456789;
	prog = pinned_prog_id();
	dp_close(dp);

	dp = loaded_open(NULL, &adopted);
	assert_true(adopted);
	assert_int_equal(pinned_map_id(RR_MAP_CURSORS), map);
	cursor = dp_elem(dp, RR_MAP_CURSORS, 7);
	assert_int_equal(cursor->ticket, 123456789);
	assert_int_equal(dp_prog_id(dp, &id, &insns), 0);
	assert_int_not_equal(id, prog);
	assert_int_equal(pinned_prog_id(), id);
	assert_int_equal(access(DIR "/rr_xdp_v1_new", F_OK), -1);
	dp_close(dp);
}

/* Flows of the maps found have ports of the range that was in force then. */
static void test_ports_stay(void **state)
{
	struct dp_conf c = loaded_conf;
	struct rr_control *control;
	uint16_t lo, hi;
	bool adopted;
	struct dp *dp = loaded_open(NULL, &adopted);

	(void)state;
	set_up(dp);
	control = dp_mem(dp, RR_MAP_CONTROL, NULL);
	dp_ports(dp, &control->port_lo, &control->port_hi);
	dp_close(dp);
	c.port_lo = 20000;
	c.port_hi = 21000;
	assert_int_equal(dp_open(&dp, &c, NULL, 0, &adopted), 0);
	assert_true(adopted);
	dp_ports(dp, &lo, &hi);
	assert_int_equal(lo, loaded_conf.port_lo);
	assert_int_equal(hi, loaded_conf.port_hi);
	assert_string_equal(
		dp_note(dp),
		"local ports 1024-32767 are in use instead of the configured 20000-21000");
	dp_close(dp);
}

static void test_size_mismatch(void **state)
{
	struct dp_conf c = loaded_conf;
	bool adopted;
	uint32_t map;

	(void)state;
	dp_close(loaded_open(NULL, &adopted));
	map = pinned_map_id(RR_MAP_FLOWS4);
	c.flow4_sets = SETS * 2;
	loaded_refused(&c, NULL, -EEXIST, " holds 64 elements, the configuration asks for 128");
	loaded_refused(&c, NULL, -EEXIST, pin_path(DIR, RR_MAP_FLOWS4));
	assert_int_equal(pinned_map_id(RR_MAP_FLOWS4), map);
	c.flow4_sets = SETS + 1;
	loaded_refused(&c, NULL, -EINVAL, "powers of two");
}

static void test_layout_mismatch(void **state)
{
	char pin[64];
	bool adopted;
	int fd;

	(void)state;
	dp_close(loaded_open(NULL, &adopted));
	snprintf(pin, sizeof(pin), "%s", pin_path(DIR, RR_MAP_SERVICES));
	unlink(pin);
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "services", 4, 8, 10, NULL);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_pin(fd, pin), 0);
	close(fd);
	loaded_refused(&loaded_conf, NULL, -EEXIST, pin);
	loaded_refused(&loaded_conf, NULL, -EEXIST, " has another layout (type 1, key 4, value 8");
	unlink(pin);
	assert_int_equal(rename(DIR "/rr_xdp_v1", pin), 0);
	loaded_refused(&loaded_conf, NULL, -EEXIST, pin);
	loaded_refused(&loaded_conf, NULL, -EEXIST, " is not a BPF map");
}

static void test_abi_mismatch(void **state)
{
	struct rr_control *c;
	bool adopted;
	struct dp *dp = loaded_open(NULL, &adopted);

	(void)state;
	c = dp_mem(dp, RR_MAP_CONTROL, NULL);
	c->abi_version = RR_VERSION_CONTROL + 7;
	dp_close(dp);
	loaded_refused(&loaded_conf, NULL, -EEXIST, "says that it is of version ");
}

/* Pins of a start that was cut short: the missing maps are made. */
static void test_partial_unused(void **state)
{
	bool adopted;
	uint32_t kept;

	(void)state;
	dp_close(loaded_open(NULL, &adopted));
	kept = pinned_map_id(RR_MAP_CONTROL);
	netbox_sh("cd " DIR " && rm rr_xdp_v1 flows4_v* pairs6_v* buckets_v*");
	dp_close(loaded_open(NULL, &adopted));
	assert_int_equal(pinned_map_id(RR_MAP_CONTROL), kept);
	assert_int_not_equal(pinned_map_id(RR_MAP_FLOWS4), 0);
	assert_int_not_equal(pinned_map_id(RR_MAP_BUCKETS), 0);
	pinned_prog_id();
}

/* Pins lost while the program lives: its own maps come back, not new ones. */
static void test_partial_used(void **state)
{
	uint32_t flows, pairs, control;
	bool adopted;
	struct dp *dp = loaded_open(NULL, &adopted);

	(void)state;
	set_up(dp);
	dp_close(dp);
	flows = pinned_map_id(RR_MAP_FLOWS4);
	pairs = pinned_map_id(RR_MAP_PAIRS4);
	control = pinned_map_id(RR_MAP_CONTROL);
	netbox_sh("cd " DIR " && rm flows4_v* pairs4_v*");
	dp_close(loaded_open(NULL, &adopted));
	assert_true(adopted);
	assert_int_equal(pinned_map_id(RR_MAP_FLOWS4), flows);
	assert_int_equal(pinned_map_id(RR_MAP_PAIRS4), pairs);
	netbox_sh("cd " DIR " && for f in *; do [ $f = rr_xdp_v1 ] || rm $f; done");
	assert_int_equal(pinned_map_id(RR_MAP_CONTROL), 0);
	dp_close(loaded_open(NULL, &adopted));
	assert_true(adopted);
	assert_int_equal(pinned_map_id(RR_MAP_CONTROL), control);
}

static void test_stale_spare(void **state)
{
	bool adopted;

	(void)state;
	dp_close(loaded_open(NULL, &adopted));
	assert_int_equal(rename(DIR "/rr_xdp_v1", DIR "/rr_xdp_v1_new"), 0);
	dp_close(loaded_open(NULL, &adopted));
	pinned_prog_id();
	assert_int_equal(access(DIR "/rr_xdp_v1_new", F_OK), -1);
}

static void test_lock(void **state)
{
	bool adopted;
	struct dp *dp = loaded_open(NULL, &adopted);

	(void)state;
	loaded_refused(&loaded_conf, NULL, -EBUSY, "another controller runs with the maps in " DIR);
	dp_close(dp);
	dp_close(loaded_open(NULL, &adopted));
}

static void test_bad_input(void **state)
{
	struct dp_conf c = loaded_conf;

	(void)state;
	c.object = "/nonexistent/rr_xdp.bpf.o";
	loaded_refused(&c, NULL, -ENOENT, "/nonexistent/rr_xdp.bpf.o: cannot be read");
	c.object = netbox_build("tests/bpf/pass.bpf.o");
	loaded_refused(&c, NULL, -EINVAL, "no program named rr_xdp");
	c.object = NULL;
	c.dir = "/tmp/rrlb-not-bpffs";
	loaded_refused(&c, NULL, -EINVAL, "/tmp/rrlb-not-bpffs is not in a bpf file system");
	assert_int_equal(access("/tmp/rrlb-not-bpffs", F_OK), -1);
	c.dir = DIR;
	c.port_hi = 10;
	loaded_refused(&c, NULL, -EINVAL, "local ports 1024-10");
}

static void test_object_file(void **state)
{
	struct dp_conf c = loaded_conf;
	struct dp *dp;
	bool adopted;

	(void)state;
	c.object = netbox_build("rr_xdp.bpf.o");
	assert_int_equal(dp_open(&dp, &c, NULL, 0, &adopted), 0);
	dp_close(dp);
}

static void test_mount(void **state)
{
	bool adopted;

	(void)state;
	/* the host's own may lie below ours */
	assert_int_equal(netbox_sh("while grep -q ' /sys/fs/bpf ' /proc/mounts; do umount "
				   "/sys/fs/bpf || exit 1; done"),
			 0);
	dp_close(loaded_open(NULL, &adopted));
	assert_int_equal(netbox_sh("grep -q ' /sys/fs/bpf bpf ' /proc/mounts"), 0);
	pinned_prog_id();
}

static void test_unpin(void **state)
{
	bool adopted;
	struct dp *dp = loaded_open(NULL, &adopted);

	(void)state;
	assert_int_equal(dp_unpin(dp), 0);
	dp_close(dp);
	assert_int_equal(access(DIR, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_create, cleanup),
		cmocka_unit_test_teardown(test_adopt, cleanup),
		cmocka_unit_test_teardown(test_ports_stay, cleanup),
		cmocka_unit_test_teardown(test_size_mismatch, cleanup),
		cmocka_unit_test_teardown(test_layout_mismatch, cleanup),
		cmocka_unit_test_teardown(test_abi_mismatch, cleanup),
		cmocka_unit_test_teardown(test_partial_unused, cleanup),
		cmocka_unit_test_teardown(test_partial_used, cleanup),
		cmocka_unit_test_teardown(test_stale_spare, cleanup),
		cmocka_unit_test_teardown(test_lock, cleanup),
		cmocka_unit_test_teardown(test_bad_input, cleanup),
		cmocka_unit_test_teardown(test_object_file, cleanup),
		cmocka_unit_test_teardown(test_unpin, cleanup),
		cmocka_unit_test_teardown(test_mount, cleanup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!netbox_enter())
		return 0;
	return cmocka_run_group_tests_name("dp", tests, NULL, NULL);
}
