/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.h - borrowed bytes and text: a pointer and a length, never a C string.
 *
 * Text from outside may hold NUL, so its length is always carried. Whoever makes a `struct bytes`
 * says how long it lives; this header never owns memory. Numbers in stored rows are big-endian, so
 * that memcmp order is numeric order (storage.md 13). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const char *p; /* may be NULL when n is 0 */
    size_t n;
};

#define BYTES_LIT(literal) ((struct bytes){(literal), sizeof(literal) - 1})

static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){text, text ? strlen(text) : 0};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* memcmp order, the shorter first when one is the other's beginning. Gives <0, 0 or >0. */
int bytes_compare(struct bytes a, struct bytes b);
bool bytes_starts(struct bytes text, struct bytes with);

static inline void put_be16(uint8_t *to, uint16_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *to, uint32_t v)
{
    put_be16(to, (uint16_t)(v >> 16));
    put_be16(to + 2, (uint16_t)v);
}

static inline void put_be64(uint8_t *to, uint64_t v)
{
    put_be32(to, (uint32_t)(v >> 32));
    put_be32(to + 4, (uint32_t)v);
}

static inline uint16_t get_be16(const uint8_t *from)
{
    return (uint16_t)((from[0] << 8) | from[1]);
}

static inline uint32_t get_be32(const uint8_t *from)
{
    return ((uint32_t)get_be16(from) << 16) | get_be16(from + 2);
}

static inline uint64_t get_be64(const uint8_t *from)
{
    return ((uint64_t)get_be32(from) << 32) | get_be32(from + 4);
}
