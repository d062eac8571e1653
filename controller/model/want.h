/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * want.h - which endpoints a service is to have, whoever asks for them: the file, the operator, a
 * source of discovery. One list comes out; the model makes what is like it.
 */
#ifndef MODEL_WANT_H
#define MODEL_WANT_H

#include "conf/conf.h"
#include "model/model.h"

/* Who asks for an endpoint: a set. MAPS is nobody: found in the running maps, not yet asked for. */
enum origin {
	ORIGIN_FILE = 1,
	ORIGIN_OPERATOR = 2,
	ORIGIN_DISCOVERED = 4,
	ORIGIN_MAPS = 8,
};

struct want {
	struct addr address;
	char name[CONF_NAME_MAX]; /* "" = its address is its name */
	uint32_t weight; /* base */
	bool weight_set; /* ... which is the operator's, in place of another */
	enum ep_admin admin;
	enum reason admin_why; /* OPERATOR or CONFIG */
	mono_t drain_until; /* of a drain that was on record; 0 = as the service has it */
	unsigned int origin; /* set of enum origin, never MAPS */
	uint32_t group; /* 0 = none */
	uint32_t tier; /* 1 is used first */
};

/* What a source of discovery says of one endpoint. */
struct want_found {
	struct addr address;
	char name[CONF_NAME_MAX]; /* "" = its address is its name */
	uint32_t weight; /* 0 = the service's default */
	enum ep_admin admin; /* READY, or DRAIN when the source announces its end */
	uint32_t group;
	uint32_t tier; /* 0 = the first */
};

/* All of one service. Nothing is owned. */
struct want_input {
	const struct conf_service *conf;
	const struct model_saved *over; /* the operator's rows of this service, sorted by address */
	size_t overs;
	const struct want_found *found;
	size_t founds;
};

/*
 * Fills `want` with at most `max` endpoints, no address twice, and returns how many there are. In
 * order: those of the file as they stand there, those the operator added by address, those found
 * as given. Of one address asked for by several, the first of these says weight and admin state;
 * an operator's override stands above all three. What an operator deleted is not there. What may
 * not be an endpoint of the service (conf_endpoint_valid(): added before the file changed, or
 * found) is left out, and so is what is beyond `max`: of the file nothing, if `max` is its limit.
 */
size_t want_build(const struct want_input *in, struct want *want, size_t max);
/* The file's row of an address; NULL = it has none. */
const struct conf_endpoint *want_in_file(const struct conf_service *c, const struct addr *a);

#endif
