/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_mark.c - where each statement that was understood stands. The parser adds a mark for each,
 * and the checks, which run when all of the file is read, find by them the place that their message
 * points at. A mark knows its block by index, so that growing the list moves nothing that anybody
 * holds. The list is the parser's, which frees it.
 */
#include <string.h>

#include "conf/conf_int.h"

size_t mark_add(struct parser *p, struct mark m)
{
	struct mark *list = parser_grow(p, p->mark, p->marks, sizeof(*list));

	if (!list)
		return 0;
	p->mark = list;
	list[p->marks] = m;
	return p->marks++;
}

size_t mark_next(const struct parser *p, size_t parent, const char *word, size_t from)
{
	for (size_t i = from > parent ? from : parent + 1; i < p->marks; i++) {
		const struct mark *m = &p->mark[i];

		if (m->parent < parent)
			break; /* behind the block */
		if (m->parent == parent && !strcmp(m->row->word, word))
			return i;
	}
	return 0;
}
