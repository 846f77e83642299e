/* SPDX-License-Identifier: Apache-2.0 */
/* tally.h - sums by item in an open table of one request: what many rows of W add up to.
 *
 * Holds at most 3/4 of its slots; the caller sizes it for all it will add. Zero is an ordinary sum, so a slot is
 * free by its key, never by its value (weights cancel). */
#pragma once

#include "base/arena.h"

#include <assert.h>
#include <stdint.h>

struct tally_slot {
    uint32_t key; /* 1 + item; 0: free */
    float sum;
};

struct tally {
    struct tally_slot *slot;
    uint32_t mask, shift;
    size_t n;
};

/* Room for `most` items; false when the arena is full. */
static inline bool tally_open(struct tally *tally, struct arena *arena, size_t most)
{
    uint32_t bits = 3;

    while (((size_t)3 << bits) / 4 < most) {
        bits++;
    }
    *tally = (struct tally){arena_array(arena, (size_t)1 << bits, sizeof(struct tally_slot)),
                            (uint32_t)(((uint64_t)1 << bits) - 1), 32 - bits, 0};
    return tally->slot != NULL;
}

static inline struct tally_slot *tally_find(const struct tally *tally, uint32_t item)
{
    uint32_t at = (item * UINT32_C(2654435769)) >> tally->shift;

    while (tally->slot[at].key != 0 && tally->slot[at].key != item + 1) {
        at = (at + 1) & tally->mask;
    }
    return &tally->slot[at];
}

static inline void tally_add(struct tally *tally, uint32_t item, float v)
{
    struct tally_slot *slot = tally_find(tally, item);

    if (slot->key == 0) {
        assert(tally->n <= tally->mask);
        slot->key = item + 1;
        tally->n++;
    }
    slot->sum += v;
}

/* 0 where nothing was added. */
static inline float tally_get(const struct tally *tally, uint32_t item)
{
    return tally->slot == NULL ? 0.0f : tally_find(tally, item)->sum;
}

static inline bool tally_has(const struct tally *tally, uint32_t item)
{
    return tally->slot != NULL && tally_find(tally, item)->key != 0;
}
