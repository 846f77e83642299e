/* SPDX-License-Identifier: Apache-2.0 */
/* import_set.h - a set of 64-bit hashes in an arena: which receipts were closed, which items failed a filter.
 *
 * Open addressing, doubled at half full (8 bytes a slot; what is outgrown stays in the arena until it goes). Two
 * texts of one hash count as one: with 40 million receipts that happens to one file in 20,000. */
#pragma once

#include "base/arena.h"
#include "base/hash.h"

struct import_set { /* all zero: empty */
    uint64_t *slots;
    size_t room, n; /* room: a power of two */
};

static inline uint64_t import_set_hash(struct bytes text)
{
    uint64_t hash = hash_fast(text.p, text.n, 0);

    return hash != 0 ? hash : 1; /* 0 is a free slot */
}

static inline bool import_set_has(const struct import_set *set, uint64_t hash)
{
    for (size_t at = hash & (set->room - 1); set->n > 0 && set->slots[at] != 0; at = (at + 1) & (set->room - 1)) {
        if (set->slots[at] == hash) {
            return true;
        }
    }
    return false;
}

/* False: the arena is full. Adding twice is adding once. */
static inline bool import_set_add(struct import_set *set, uint64_t hash, struct arena *arena)
{
    size_t at;

    if (import_set_has(set, hash)) {
        return true;
    }
    if (set->n * 2 >= set->room) {
        struct import_set grown = {.room = set->room > 0 ? set->room * 2 : 1024};

        grown.slots = arena_array(arena, grown.room, sizeof(*grown.slots));
        if (grown.slots == NULL) {
            return false;
        }
        for (size_t i = 0; i < set->room; i++) {
            if (set->slots[i] != 0) {
                (void)import_set_add(&grown, set->slots[i], arena);
            }
        }
        *set = grown;
    }
    at = hash & (set->room - 1);
    while (set->slots[at] != 0) {
        at = (at + 1) & (set->room - 1);
    }
    set->slots[at] = hash;
    set->n++;
    return true;
}
