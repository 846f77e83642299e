/* SPDX-License-Identifier: Apache-2.0 */
/* json_write.h - JSON out, into a buffer that grows in an arena.
 *
 *     struct json_write w;
 *     json_write_open(&w, arena, 512);
 *     json_write_object(&w, NULL);
 *     json_write_text(&w, "id", id);               {"id":"sku-7",
 *     json_write_array(&w, "items");                "items":[
 *     json_write_int(&w, NULL, 4);                   4
 *     json_write_end(&w);                           ]
 *     json_write_end(&w);                          }
 *     struct bytes body = json_write_bytes(&w);    {NULL, 0} when the arena was full
 * Commas are the writer's. `key` is NULL in arrays and at the top, a name in objects; an assert keeps
 * that. Nothing is cut silently: when the arena is full `full` is set and the result is {NULL, 0}.
 * Always valid UTF-8 (bad bytes become U+FFFD) and safe inside a page: `<`, U+2028, U+2029 and control
 * characters are escaped. NaN and infinities are null. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"

struct json_write {
    struct arena *arena;
    char *p;
    size_t n, room;
    bool full;
    uint8_t depth;
    uint64_t is_array, has_member; /* one bit a level */
    bool has_key;                  /* a key was written, its value comes next */
};

enum { JSON_WRITE_DEPTH_MAX = 62 };

void json_write_open(struct json_write *w, struct arena *arena, size_t first_bytes);
void json_write_object(struct json_write *w, const char *key);
void json_write_array(struct json_write *w, const char *key);
/* Ends the innermost object or array. */
void json_write_end(struct json_write *w);
/* A name that is not a literal; the value follows with key NULL. */
void json_write_key(struct json_write *w, struct bytes key);
void json_write_text(struct json_write *w, const char *key, struct bytes text);
void json_write_word(struct json_write *w, const char *key, const char *word); /* NULL: null */
void json_write_int(struct json_write *w, const char *key, int64_t value);
void json_write_double(struct json_write *w, const char *key, double value); /* shortest that reads back */
/* Rounded to decimals 0..6: scores, milliseconds. */
void json_write_fixed(struct json_write *w, const char *key, double value, int decimals);
void json_write_bool(struct json_write *w, const char *key, bool value);
void json_write_null(struct json_write *w, const char *key);
/* RFC 3339, UTC, milliseconds. */
void json_write_time(struct json_write *w, const char *key, int64_t at_ms);
/* {"amount":"349.50","currency":"NOK"} */
void json_write_money(struct json_write *w, const char *key, int64_t minor, const char *currency);
/* A value that is JSON already and was checked (a node's raw text); pages: not for text from outside,
 * since `<` is not escaped in it. Empty: null. */
void json_write_raw(struct json_write *w, const char *key, struct bytes json);
/* The document; every object and array must have been ended. */
struct bytes json_write_bytes(struct json_write *w);
