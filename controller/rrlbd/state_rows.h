/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state_rows.h - the state file as JSON in memory: rows for the model, and everything else that the
 * file said, which the next file says again.
 */
#ifndef RRLBD_STATE_ROWS_H
#define RRLBD_STATE_ROWS_H

#include <stddef.h>

#include <jansson.h>

#include "conf/conf.h"
#include "model/model.h"

/*
 * `version` says who wrote a file, `min_reader` the lowest version that can use it. First light
 * wrote version 1 without min_reader and refuses every other number, so members are added under 1;
 * the version rises when a reader must know more to read it right.
 */
#define STATE_VERSION 1
#define STATE_MIN_READER 1

/* What a file held beyond the rows that were understood. All NULL to begin with. */
struct state_rest {
	json_t *top; /* members of the file that this version does not know */
	json_t *row; /* the same of each row, by its service and endpoint */
	json_t *aside; /* rows that could not be used: {row, why} */
	size_t fresh; /* of them the last ones, which this file has brought */
};

/*
 * The rows of a file; *rows is malloc'ed, the caller frees it. A row that is not understood is put
 * into rest->aside, alone; when it kept traffic away from an endpoint that can still be told, a row
 * that does so takes its place. `c` is the configuration that added endpoints must fit; `wall` what
 * the clock of the day is ahead of the model's. 0, -EPROTO (not a state file that this version can
 * use; *rest stays empty) or -ENOMEM.
 */
int state_decode(struct state_rest *rest, json_t *root, const struct conf *c, mono_t wall,
		 struct model_saved **rows, size_t *n);
/*
 * A whole file of these rows and the rest; NULL when out of memory. The caller owns the reference.
 */
json_t *state_encode(const struct state_rest *rest, const struct model_saved *rows, size_t n,
		     mono_t wall);
void state_rest_free(struct state_rest *rest); /* and all NULL again */

#endif
