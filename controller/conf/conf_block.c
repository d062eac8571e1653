/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_block.c - what can be done with the struct of a block by its rows alone: defaults,
 * comparison, copies, freeing, and the elements of its lists. Nothing here knows what any keyword
 * means, so a new block needs nothing here.
 *
 * A list that is not part of its struct is a malloc'ed array that belongs to that struct. An
 * element's own lists belong to the element; whoever frees a struct frees them all with
 * block_free_lists().
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"

/* ---- lists ---- */

size_t list_count(const struct conf_list *l, const void *base)
{
	size_t n;

	memcpy(&n, (const char *)base + l->count, sizeof(n));
	return n;
}

/*
 * The pointer to an array has the type of its elements, which are not known here. It is copied as
 * bytes, so that no type is read through another.
 */
const void *list_at_const(const struct conf_list *l, const void *base, size_t i)
{
	const char *array = (const char *)base + l->array;

	if (!l->within)
		memcpy(&array, (const char *)base + l->array, sizeof(array));
	return i ? array + i * l->size : array; /* NULL for an empty list */
}

void *list_at(const struct conf_list *l, void *base, size_t i)
{
	char *array = (char *)base + l->array;

	if (!l->within)
		memcpy(&array, (char *)base + l->array, sizeof(array));
	return i ? array + i * l->size : array; /* NULL for an empty list */
}

void list_set(const struct conf_list *l, void *base, void *array, size_t n)
{
	if (!l->within)
		memcpy((char *)base + l->array, &array, sizeof(array));
	memcpy((char *)base + l->count, &n, sizeof(n));
}

/* ---- defaults ---- */

void block_defaults(const struct conf_block *b, void *base)
{
	char why[WHY_LEN];

	for (size_t i = 0; i < b->rows; i++) {
		const struct conf_row *row = &b->row[i];
		void *inner = (char *)base + row->off;

		if (row->kind != KIND_BLOCK && row->dflt)
			value_set(row, base, row->dflt, why);
		if (row->kind != KIND_BLOCK || row->list)
			continue;
		if (row->head && row->head->dflt)
			value_set(row->head, inner, row->head->dflt, why);
		block_defaults(row->block, inner);
	}
}

/* All bytes of the field are zero, which for every row with a range above 0 means "not given". */
static bool is_zero(const struct conf_row *row, const void *base)
{
	const char *at = (const char *)base + row->off;

	for (size_t i = 0; i < value_size(row); i++) {
		if (at[i])
			return false;
	}
	return true;
}

/* The default as it would be written, which another option of the block may change; NULL = none. */
static const char *default_text(const struct conf_block *b, const struct conf_row *row,
				const void *base)
{
	if (row->when && !is_zero(row_find(b, row->when), base))
		return row->dflt_when;
	return row->dflt;
}

/* The options that elements of `l` left out and inherit from `base`. */
static void list_inherit(const struct conf_block *b, const struct conf_row *list, void *base)
{
	for (size_t i = 0; i < list->block->rows; i++) {
		const struct conf_row *row = &list->block->row[i];
		const struct conf_row *from = row->inherit ? row_find(b, row->inherit) : NULL;

		for (size_t k = 0; from && k < list_count(list->list, base); k++) {
			char *elem = list_at(list->list, base, k);

			if (is_zero(row, elem))
				memcpy(elem + row->off, (char *)base + from->off, value_size(row));
		}
	}
}

void block_settle(const struct conf_block *b, void *base)
{
	for (size_t i = 0; i < b->rows; i++) {
		if (b->row[i].kind == KIND_BLOCK && b->row[i].list)
			list_inherit(b, &b->row[i], base);
	}
}

/*
 * Compares values, not texts: "900s" and "15m" are the same default. The default is read into a
 * field of its own, as large as the largest of any row.
 */
bool row_is_default(const struct conf_block *b, const struct conf_row *row, const void *base,
		    const struct conf_block *outer, const void *around)
{
	_Alignas(8) char scratch[512] = { 0 };
	const char *text = default_text(b, row, base), *at = (const char *)base + row->off;
	struct conf_row alone = *row;
	char why[WHY_LEN];

	if (row->inherit)
		return !memcmp(at, (const char *)around + row_find(outer, row->inherit)->off,
			       value_size(row));
	alone.off = 0;
	if (text)
		value_set(&alone, scratch, text, why);
	return value_equal(&alone, scratch, at);
}

static int head_value(const struct conf_row *owner, const void *base)
{
	int value;

	memcpy(&value, (const char *)base + owner->head->off, sizeof(value));
	return value;
}

const char *head_word(const struct conf_row *owner, const void *base)
{
	return word_of(owner->head->words, head_value(owner, base));
}

bool row_applies(const struct conf_row *owner, const struct conf_row *row, const void *base)
{
	return !row->types || row->types & 1u << head_value(owner, base);
}

/* ---- comparison ---- */

static bool inner_equal(const struct conf_row *row, const void *x, const void *y)
{
	return (!row->head || value_equal(row->head, x, y)) && block_equal(row->block, x, y);
}

static bool list_equal(const struct conf_row *row, const void *x, const void *y)
{
	const struct conf_list *l = row->list;
	size_t n = list_count(l, x);

	if (n != list_count(l, y))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!inner_equal(row, list_at_const(l, x, i), list_at_const(l, y, i)))
			return false;
	}
	return true;
}

bool block_equal(const struct conf_block *b, const void *x, const void *y)
{
	for (size_t i = 0; i < b->rows; i++) {
		const struct conf_row *row = &b->row[i];
		const char *in_x = (const char *)x + row->off, *in_y = (const char *)y + row->off;
		bool equal;

		if (row->kind != KIND_BLOCK)
			equal = value_equal(row, x, y);
		else if (row->list)
			equal = list_equal(row, x, y);
		else
			equal = inner_equal(row, in_x, in_y);
		if (!equal)
			return false;
	}
	return true;
}

/* ---- copies ---- */

/*
 * A list of its own for `to`, which has none yet. The count grows with the elements that are whole.
 */
static bool list_copy(const struct conf_row *row, void *to, const void *from)
{
	const struct conf_list *l = row->list;
	size_t n = list_count(l, from);
	char *array = n ? calloc(n, l->size) : NULL;

	if (n && !array)
		return false;
	list_set(l, to, array, 0);
	for (size_t i = 0; i < n; i++) {
		const void *elem = list_at_const(l, from, i);

		memcpy(array + i * l->size, elem, l->size);
		list_set(l, to, array, i + 1);
		if (!block_copy_lists(row->block, array + i * l->size, elem))
			return false;
	}
	return true;
}

/* The lists of `to` are those of another struct: forgets them. */
static void lists_forget(const struct conf_block *b, void *to)
{
	for (size_t i = 0; i < b->rows; i++) {
		const struct conf_row *row = &b->row[i];

		if (row->kind == KIND_BLOCK && row->list && !row->list->within)
			list_set(row->list, to, NULL, 0);
		else if (row->kind == KIND_BLOCK && !row->list)
			lists_forget(row->block, (char *)to + row->off);
	}
}

static bool lists_copy(const struct conf_block *b, void *to, const void *from)
{
	bool ok = true;

	for (size_t i = 0; ok && i < b->rows; i++) {
		const struct conf_row *row = &b->row[i];

		if (row->kind == KIND_BLOCK && row->list && !row->list->within)
			ok = list_copy(row, to, from);
		else if (row->kind == KIND_BLOCK && !row->list)
			ok = lists_copy(row->block, (char *)to + row->off,
					(const char *)from + row->off);
	}
	return ok;
}

bool block_copy_lists(const struct conf_block *b, void *to, const void *from)
{
	lists_forget(b, to);
	return lists_copy(b, to, from);
}

void block_free_lists(const struct conf_block *b, void *base)
{
	for (size_t i = 0; i < b->rows; i++) {
		const struct conf_row *row = &b->row[i];

		if (row->kind != KIND_BLOCK)
			continue;
		if (!row->list) {
			block_free_lists(row->block, (char *)base + row->off);
			continue;
		}
		for (size_t k = 0; k < list_count(row->list, base); k++)
			block_free_lists(row->block, list_at(row->list, base, k));
		if (row->list->within)
			continue;
		free(list_at(row->list, base, 0));
		list_set(row->list, base, NULL, 0);
	}
}
