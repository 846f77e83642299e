/* SPDX-License-Identifier: Apache-2.0 */
#include "base/topk.h"

#include "base/test.h"

TEST(topk_by_hand)
{
    struct topk_entry room[2];
    struct topk best = topk_of(room, 2);

    topk_offer(&best, 1.0f, 7);
    topk_offer(&best, NAN, 1);
    topk_offer(&best, 3.0f, 9);
    topk_offer(&best, 3.0f, 4);
    topk_offer(&best, 2.0f, 1);
    topk_sort(&best);
    CHECK_INT(best.n, 2);
    CHECK_INT(best.at[0].item, 4); /* equal scores: the smaller item */
    CHECK_INT(best.at[1].item, 9);
}

PROPERTY(topk_of_many_equals_popping_all_of_them)
{
    enum { MANY = 100 };
    struct topk_entry all[MANY], room[MANY];
    size_t n = 1 + (size_t)rng_below(rng, MANY), k = 1 + (size_t)rng_below(rng, n), left = n;
    struct topk best = topk_of(room, k);

    for (size_t i = 0; i < n; i++) {
        all[i] = (struct topk_entry){(float)rng_below(rng, 20), (uint32_t)i};
        topk_offer(&best, all[i].score, all[i].item);
    }
    topk_sort(&best);
    topk_heap(all, n);
    for (size_t i = 0; i < n; i++) {
        struct topk_entry x = topk_pop(all, &left);

        if (i < k) {
            CHECK_INT(best.at[i].item, x.item);
        }
    }
    CHECK_INT(left, 0);
}
