/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/newcomers.h"

#include "base/test.h"

#include <stdlib.h>

TEST(newcomer_needs_five_different_people)
{
    void *p = calloc(1, newcomers_bytes(2));
    struct newcomers newcomers = newcomers_open(2, p);

    for (uint64_t who = 1; who <= 4; who++) {
        CHECK(!newcomers_met(&newcomers, (struct item_id){9}, who));
        CHECK(!newcomers_met(&newcomers, (struct item_id){9}, who));
    }
    CHECK(newcomers_met(&newcomers, (struct item_id){9}, 5));
    CHECK(newcomers_met(&newcomers, (struct item_id){9}, 1));
    CHECK(!newcomers_met(&newcomers, (struct item_id){10}, 1));
    CHECK(!newcomers_met(&newcomers, (struct item_id){11}, 1)); /* no more room: it waits for the training */
    CHECK(newcomers_met(&newcomers, (struct item_id){9}, 6));
    free(p);
}

PROPERTY(newcomer_counts_people_not_looks)
{
    void *p = calloc(1, newcomers_bytes(4));
    struct newcomers newcomers = newcomers_open(4, p);
    uint64_t met = 0;

    for (size_t i = 0; i < 30; i++) {
        uint64_t who = rng_below(rng, 8);

        met |= UINT64_C(1) << who;
        CHECK(newcomers_met(&newcomers, (struct item_id){3}, who + 1) == (__builtin_popcountll(met) >= NEWCOMER_LEAST));
    }
    free(p);
}
