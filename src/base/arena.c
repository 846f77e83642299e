/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used;
    _Alignas(16) char room[];
};

static struct arena_chunk *chunk_new(size_t size)
{
    struct arena_chunk *chunk = malloc(sizeof(*chunk) + size);

    if (chunk != NULL) {
        chunk->next = NULL;
        chunk->size = size;
        chunk->used = 0;
    }
    return chunk;
}

void arena_open(struct arena *arena, size_t chunk_bytes, size_t most_bytes)
{
    assert(chunk_bytes > 0 && most_bytes >= chunk_bytes);
    *arena = (struct arena){.most_bytes = most_bytes};
    arena->first = arena->now = chunk_new(chunk_bytes);
    if (arena->first == NULL) {
        abort();
    }
}

static void free_after(struct arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;

        free(chunk);
        chunk = next;
    }
}

void arena_close(struct arena *arena)
{
    free_after(arena->first);
    *arena = (struct arena){0};
}

void arena_reset(struct arena *arena)
{
    free_after(arena->first->next);
    arena->first->next = NULL;
    arena->first->used = 0;
    arena->now = arena->first;
    arena->taken_bytes = 0;
    arena->overflowed = false;
}

void *arena_take(struct arena *arena, size_t n)
{
    size_t need = (n + 15) & ~(size_t)15;
    char *given;

    assert(arena->first != NULL);
    if (need < n || need > arena->most_bytes || arena->taken_bytes > arena->most_bytes - need) {
        arena->overflowed = true;
        return NULL;
    }
    if (arena->now->size - arena->now->used < need) {
        size_t size = arena->now->size * 2 > need ? arena->now->size * 2 : need;
        struct arena_chunk *more = chunk_new(size);

        if (more == NULL) {
            arena->overflowed = true;
            return NULL;
        }
        arena->now->next = more;
        arena->now = more;
    }
    given = arena->now->room + arena->now->used;
    arena->now->used += need;
    arena->taken_bytes += need;
    memset(given, 0, need);
    return given;
}

void *arena_array(struct arena *arena, size_t n, size_t each)
{
    if (each != 0 && n > SIZE_MAX / each) {
        arena->overflowed = true;
        return NULL;
    }
    return arena_take(arena, n * each);
}

struct bytes arena_copy(struct arena *arena, struct bytes from)
{
    char *to = arena_take(arena, from.n + 1);

    if (to == NULL) {
        return (struct bytes){0};
    }
    if (from.n > 0) {
        memcpy(to, from.p, from.n);
    }
    return (struct bytes){to, from.n};
}

struct bytes arena_format(struct arena *arena, const char *format, ...)
{
    va_list args;
    int n;
    char *to;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(n >= 0);
    to = arena_take(arena, (size_t)n + 1);
    if (to == NULL) {
        return (struct bytes){0};
    }
    va_start(args, format);
    vsnprintf(to, (size_t)n + 1, format, args);
    va_end(args);
    return (struct bytes){to, (size_t)n};
}
