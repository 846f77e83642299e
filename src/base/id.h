/* SPDX-License-Identifier: Apache-2.0 */
/* id.h - ids as one-member structs: swapping a customer for an item is a compile error, and here it
 * would be a privacy breach. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct tenant_id {
    uint32_t v; /* 1 .. 2^31 - 1; 0 is none */
};
struct customer_id {
    uint64_t v; /* 63 random bits (storage.md 3); 0 is none */
};
struct part_id {
    uint64_t v; /* 63 random bits; the first part of a customer shares its number; 0 is none */
};
struct item_id {
    uint64_t v; /* BLAKE2b-64(tenant, sender's id): hash_item; 0 is none */
};
struct store_id {
    uint64_t v; /* like item_id, of the store's id; 0 is none */
};
struct mid {
    uint8_t b[16]; /* BLAKE2b-128 of source and message id: hash_mid */
};
struct idh {
    uint8_t b[16]; /* keyed BLAKE2b-128 of a normalised identifier: hash_identifier */
};

static inline int mid_compare(const struct mid *a, const struct mid *b)
{
    return memcmp(a->b, b->b, sizeof(a->b));
}
