/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - memory that lives as long as one request or one job, and is given back whole.
 *
 * A chunk is taken from malloc at open and more are chained up to `most_bytes`; nothing is freed one
 * by one. When the limit is reached `arena_take` gives NULL and remembers: the request ends as
 * ERR_TOOBIG (or ERR_NOMEM) at ONE check of arena_overflowed, not at forty. */
#pragma once

#include "base/bytes.h"

struct arena_chunk;

struct arena { /* all zero: closed; open before use */
    struct arena_chunk *first, *now;
    size_t taken_bytes; /* of all chunks, alignment included */
    size_t most_bytes;
    bool overflowed;
};

/* chunk_bytes: what is kept over resets; most_bytes: the limit, >= chunk_bytes. Out of memory at open
 * is our end (abort): pools are made at start. */
void arena_open(struct arena *arena, size_t chunk_bytes, size_t most_bytes);
void arena_close(struct arena *arena);
/* Forgets everything taken; keeps the first chunk. */
void arena_reset(struct arena *arena);

/* n bytes, 16-aligned, all zero; NULL when the limit is reached (then overflowed is set). n 0 gives a
 * pointer that may not be read. Thread: the arena's owner. */
void *arena_take(struct arena *arena, size_t n);
/* Like arena_take for n things of `each` bytes; overflow of the product counts as the limit. */
void *arena_array(struct arena *arena, size_t n, size_t each);
/* Copies bytes in; a NUL is put behind them for %s in tests. Gives {NULL, 0} when full. */
struct bytes arena_copy(struct arena *arena, struct bytes from);
/* Formats text into the arena. */
struct bytes arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline bool arena_overflowed(const struct arena *arena)
{
    return arena->overflowed;
}
