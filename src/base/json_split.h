/* SPDX-License-Identifier: Apache-2.0 */
/* json_split.h - what to do with JSON that does not parse: where is the fault, can it be mended, and how
 * do the good elements of a batch come out of it (stack.md 3.6). json_read_batch puts it together.
 *
 * Nothing here recurses or allocates, whatever the nesting; each is one pass over the text. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Gives the byte offset of the first fault and says what it is; text.n and "it ends too early" when the
 * text just stops. Follows the same rules as json_read: RFC 8259, UTF-8, nesting up to 32, integers within
 * 64 bits, finite doubles, surrogates in pairs. Gives SIZE_MAX when nothing is wrong. */
size_t json_split_locate(struct bytes text, const char **out_what);

/* Copies text into the arena with lone surrogate escapes replaced by \ufffd and `e0` put behind integers
 * of 19 or more digits, which makes them doubles with the same exact text. {NULL, 0} when the arena is full
 * or when there was nothing to mend. */
struct bytes json_split_mend(struct arena *arena, struct bytes text);

struct json_split { /* walks the elements of one array, or lines */
    const char *now, *end;
    bool is_lines;
    bool is_over;
};

/* array: begins with '[' (blanks before it allowed). */
struct json_split json_split_array(struct bytes array);
struct json_split json_split_lines(struct bytes text);
/* Gives the next element without its surrounding blanks (may be empty or no JSON); false at the end. */
bool json_split_next(struct json_split *split, struct bytes *out_element);

/* The extent of the first value in text by brackets and quotes alone, blanks before it left out; {NULL, 0}
 * when it never closes. */
struct bytes json_split_value(struct bytes text);
/* Finds the member key of the object text by brackets and quotes alone: its value's extent, {NULL, 0} when
 * absent. Keys with escapes are not found. */
struct bytes json_split_member(struct bytes object, struct bytes key);
/* NDJSON: the first line is a whole object and more follows, or every line begins with '{' and ends
 * with '}' and there are at least two. No JSON document looks like that. */
bool json_split_is_lines(struct bytes text);

#ifdef __cplusplus
}
#endif
