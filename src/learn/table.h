/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - from a hashed 64-bit key to a 64-bit value, in a room given once: open addressing, no growth.
 *
 * Keys are hashes already (owners, items): their low bits place them. A key once put stays; a value of 0 may stand for
 * nothing. Full at seven eighths: the caller decides what that means. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_entry {
    uint64_t key; /* 0: free */
    uint64_t value;
};

struct table {
    struct table_entry *at;
    size_t mask, n;
};

/* Bytes for `most` keys. */
size_t table_bytes(size_t most);
/* p: table_bytes(most), 16-aligned, zero. */
struct table table_open(size_t most, void *p);
/* The key's value, or NULL. key is not 0. */
uint64_t *table_find(const struct table *table, uint64_t key);
/* The same, 0 when it is new; NULL: full. */
uint64_t *table_put(struct table *table, uint64_t key);
