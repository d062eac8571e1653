/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * running.h - a whole rrlbd but its main(), in the test's own namespaces: real maps, a real loop, a
 * real control socket. The test is the client, and says how long the loop runs. What cannot be made
 * ends the test.
 */
#ifndef LIB_RUNNING_H
#define LIB_RUNNING_H

#include <jansson.h>
#include <stdbool.h>

#include "daemon/daemon.h"

#define RUNNING_EP1 "10.0.0.1:443"
#define RUNNING_EP2 "10.0.0.2:443"

struct running {
	struct daemon *d;
	char dir[64]; /* configuration, socket and state file */
	unsigned int turns; /* of the last run */
};

/*
 * Service "web" on 192.0.2.10:443 with endpoints EP1 and EP2 of weight 100, no health checks and no
 * interface. The first turn is over.
 */
void running_start(struct running *r);
void running_stop(struct running *r);
/* Writes another configuration file: EP1's weight is `weight`; 0 = a file that does not parse. */
void running_conf(const struct running *r, unsigned int weight);

int running_connect(const struct running *r);
/* Sends a request: `args` is the inside of an object, or "". */
void running_send(int fd, const char *verb, const char *args);
/* Lets the loop run until `fd` has a line, or its end, to read; fails the test after 5 s. */
void running_until(struct running *r, int fd);
/* One batch and its turn. */
void running_batch(struct running *r);
/* One batch, and no turn yet. */
void running_events(struct running *r);
/* One line that is there; NULL = the end. The caller frees it. */
json_t *running_reply(int fd);
/* "endpoint weight" of EP1, `weight` as typed. */
void running_weigh(int fd, const char *weight);

#endif
