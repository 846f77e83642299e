/* SPDX-License-Identifier: Apache-2.0 */
/* json_read.h - JSON that others sent, as a tree of plain structs in an arena.
 *
 * simdjson's DOM does the work (json_read.cpp, the only C++ of the house): the WHOLE document is
 * checked before anything is given out: grammar, UTF-8, nesting up to 32, numbers. One parser a
 * thread is reused. Text is decoded into the arena and may hold NUL; a number keeps its source text,
 * for money is read from that (base/money.h), never through a double; every value keeps its extent in
 * the source, so that `properties` can be kept as they came.
 *
 * json_read is strict. json_read_batch is for batches in which one bad event must not sink its
 * neighbours (json_split.h): what JavaScript's JSON.stringify writes and simdjson refuses (lone
 * surrogates, integers beyond 64 bits) is mended, and when that does not help, each element is read
 * alone.
 *
 * Duplicate keys are flagged on the object, never resolved silently: json_get gives the first.
 * Not done: comments, NaN, a byte order mark, trailing commas: all refused. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JSON_DEPTH_MAX = 32,              /* wire.md 1.9; a scalar alone has depth 0 */
    JSON_BYTES_MAX = 4 * 1024 * 1024, /* the largest accepted body after inflation: stack.md 3.2 */
};

enum json_type {
    JSON_NULL = 0,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_TEXT,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_node { /* in the arena given to json_read; read only */
    enum json_type type;
    bool is_true;             /* JSON_BOOL */
    bool is_integer;          /* JSON_NUMBER written without fraction or exponent that fits int64 */
    bool has_duplicate;       /* JSON_OBJECT: two members of one name */
    bool has_duplicate_below; /* in this value or in any value inside it */
    uint32_t index;           /* place among its siblings, from 0 */
    uint32_t at;              /* byte offset in the document: of the member's key, else of the value */
    uint32_t children_n;
    struct bytes key;  /* the member's name, decoded; {NULL, 0} outside objects */
    struct bytes text; /* JSON_TEXT: decoded. JSON_NUMBER: as written ("349.50") */
    struct bytes raw;  /* the value's source text: borrowed from the text given to json_read */
    int64_t integer;   /* when is_integer */
    double number;     /* JSON_NUMBER: nearest double, finite */
    const struct json_node *first, *next, *parent;
};

/* Reads one document. text: up to JSON_BYTES_MAX, must live as long as `raw` is used; needs no
 * padding. Errors: ERR_INVALID (code malformed_json, says names the byte offset), ERR_TOOBIG (longer
 * than JSON_BYTES_MAX, or the arena is full), ERR_NOMEM. About 1 us a kilobyte. Thread: any. */
MUST_USE enum err json_read(struct arena *arena, struct bytes text, const struct json_node **out_root,
                            struct why *why);
/* Like json_read, and any duplicate key in one object is malformed_json: Falun's own calls. */
MUST_USE enum err json_read_strict(struct arena *arena, struct bytes text, const struct json_node **out_root,
                                   struct why *why);

struct json_element {             /* one element of a batch */
    const struct json_node *node; /* NULL: it could not be read, `why` says why */
    struct bytes raw;             /* its source text (after mending) */
    const struct why *why;        /* NULL when node is not */
};

struct json_batch {
    const struct json_node *envelope; /* the object around the array; its array may be empty here.
                                         NULL for a bare array, NDJSON and a single event */
    struct json_element *elements;
    size_t elements_n;
    bool was_cut; /* the batch as a whole did not parse */
};

/* Reads `[...]`, `{"KEY":[...], ...}` for a KEY of keys (NULL-terminated: {"events", "batch", NULL}),
 * NDJSON, or one object alone as a batch of one. Errors: ERR_INVALID malformed_json only when nothing
 * of the batch could be made out (or its envelope is broken); ERR_TOOBIG, ERR_NOMEM as json_read.
 * A duplicate key of the envelope is malformed_json; inside an element it is flagged on the node. */
MUST_USE enum err json_read_batch(struct arena *arena, struct bytes text, const char *const *keys,
                                  struct json_batch *out_batch, struct why *why);

/* The member named key of an object, the first if there are two; NULL when absent or when node is NULL
 * or no object. A member that is JSON null is given as a node: see json_is_null. */
const struct json_node *json_get(const struct json_node *node, const char *key);
const struct json_node *json_get_bytes(const struct json_node *node, struct bytes key);
/* The array's element i, NULL beyond the end. Cost: i steps. */
const struct json_node *json_at(const struct json_node *node, size_t i);
/* True for NULL and for JSON null: most senders mean "absent" by null. */
bool json_is_null(const struct json_node *node);

/* Each gives false, and leaves out_ untouched, when node is NULL or of another type. */
bool json_text(const struct json_node *node, struct bytes *out_text);
bool json_bool(const struct json_node *node, bool *out_value);
bool json_int(const struct json_node *node, int64_t least, int64_t most, int64_t *out_value);
bool json_double(const struct json_node *node, double least, double most, double *out_value);
/* The first object with a duplicate key in the value (itself included), NULL if none. */
const struct json_node *json_find_duplicate(const struct json_node *node);

/* RFC 6901 pointer from the document's root ("/placements/0/n"; "" for the root), cut at a whole step
 * when it does not fit. Always NUL-terminated. */
void json_pointer(const struct json_node *node, char *out_text, size_t text_bytes);
/* The same from `root`, an ancestor of node or node itself: pointers inside one event of a batch. */
void json_pointer_from(const struct json_node *root, const struct json_node *node, char *out_text,
                       size_t text_bytes);
/* Fills why->field with node's pointer and the rest as why_say does. */
enum err json_why(struct why *why, enum err err, const char *code, const struct json_node *node,
                  const char *format, ...) PRINTF_LIKE(5, 6);

#ifdef __cplusplus
}
#endif
