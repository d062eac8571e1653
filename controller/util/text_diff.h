/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * text_diff.h - the unified difference of two texts, by lines, with three lines around.
 */
#ifndef UTIL_TEXT_DIFF_H
#define UTIL_TEXT_DIFF_H

/*
 * "" when they are equal. malloc'ed, the caller frees; NULL = no memory. `from` and `to` name the
 * texts in the head.
 */
char *text_diff(const char *a, const char *b, const char *from, const char *to);

#endif
