/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pins.c - the pins of our maps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "lib/pins.h"

const char *pin_path(const char *folder, enum rr_map map)
{
	static const struct {
		const char *name;
		unsigned int version;
	} row[RR_MAP_MAX] = {
#define ROW(id, name, ...) { #name, RR_VERSION_##id },
		RR_MAPS(ROW)
#undef ROW
	};
	static char path[4][256];
	static unsigned int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s_v%u", folder, row[map].name, row[map].version);
	return p;
}

int pin_open(const char *path)
{
	int fd = bpf_obj_get(path);

	if (fd < 0)
		print_error("%s cannot be opened\n", path);
	assert_true(fd >= 0);
	return fd;
}

uint32_t pin_id(const char *path)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_obj_get(path);

	if (fd < 0)
		return 0;
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	close(fd);
	return info.id;
}
