/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/covisits.h"

#include "base/time.h"
#include "base/test.h"

#include <math.h>
#include <stdlib.h>

static void *room;

static struct covisits opened(uint32_t items)
{
    room = calloc(1, covisits_bytes(items));
    return covisits_open(items, 0, DAY_MS, room);
}

TEST(covisits_halve_every_half_life)
{
    struct covisits covisits = opened(3);

    covisits_add(&covisits, 0, 1, 0, 0);
    covisits_add(&covisits, 0, 1, 0, 0);
    covisits_add(&covisits, 0, 1, 0, DAY_MS);
    CHECK_WITHIN((double)covisits_count(&covisits, 0, 1, DAY_MS), 2, 1e-6);
    CHECK_WITHIN((double)covisits_count(&covisits, 0, 1, 2 * DAY_MS), 1, 1e-6);
    CHECK_WITHIN((double)covisits_sum(&covisits, 0, DAY_MS), 2, 1e-6);
    CHECK_INT(covisits_count(&covisits, 1, 0, 0), 0);
    covisits_add(&covisits, 0, 1, 0, 25 * DAY_MS); /* past 2^20: all are divided */
    CHECK_INT(covisits.from_ms, 25 * DAY_MS);
    CHECK_WITHIN((double)covisits_count(&covisits, 0, 1, 25 * DAY_MS), 1 + 2 * exp2(-24), 1e-7);
    free(room);
}

/* Space-saving: a steady one gets in however many pass by, and what it has is at most half of the smallest too much. */
TEST(covisits_keep_what_is_steady_among_many)
{
    enum { ITEMS = 4000 };
    struct covisits covisits = opened(ITEMS);
    struct topk_entry best[4];
    struct topk top = topk_of(best, 4);

    for (uint32_t b = 2; b < ITEMS; b++) {
        covisits_add(&covisits, 0, b, 0, 0);
        covisits_add(&covisits, 0, 1, 0, 0);
    }
    covisits_row(&covisits, 0, 1, 0, &top);
    topk_sort(&top);
    CHECK_INT(best[0].item, 1);
    CHECK(best[0].score >= ITEMS - 2 && best[0].score <= ITEMS + 100);
    CHECK(best[1].score < 10);
    free(room);
}

/* P7: people are counted, not what one of them did. */
TEST(covisits_tell_what_enough_people_did)
{
    struct covisits covisits = opened(3);
    struct topk_entry best[3];
    struct topk top = topk_of(best, 3);

    for (int i = 0; i < 100; i++) {
        covisits_add(&covisits, 0, 1, UINT64_C(7) << 59, 0);
    }
    covisits_row(&covisits, 0, 2, 0, &top);
    CHECK_INT(top.n, 0);
    for (uint64_t who = 0; who < 5; who++) {
        covisits_add(&covisits, 0, 2, who << 59, 0);
    }
    covisits_row(&covisits, 0, 5, 0, &top);
    CHECK_INT(top.n, 1);
    CHECK_INT(best[0].item, 2);
    covisits_row(&covisits, 0, 6, 0, &top);
    CHECK_INT(top.n, 1);
    free(room);
}

/* Events of another century, and a clock that ran ahead and came back, leave numbers that can be counted with. */
TEST(covisits_are_numbers_at_any_time)
{
    const int64_t times[] = {-INT64_MAX / 4, 0, INT64_MAX / 4, DAY_MS, -INT64_MAX / 4};
    struct covisits covisits = opened(2);
    struct topk_entry urgent[2];

    for (size_t t = 0; t < sizeof(times) / sizeof(times[0]); t++) {
        covisits_add(&covisits, 0, 1, 0, times[t]);
        CHECK(isfinite(covisits_count(&covisits, 0, 1, times[t])));
        CHECK(isfinite(covisits_sum(&covisits, 0, times[t])));
        CHECK(covisits_count(&covisits, 0, 1, times[t]) >= 0.5f);
        CHECK_INT(covisits_urgent(&covisits, urgent, 2), 1);
    }
    free(room);
}

TEST(covisits_tell_the_most_urgent_and_calm_it)
{
    struct covisits covisits = opened(3);
    struct topk_entry urgent[3];

    for (int i = 0; i < 1000; i++) {
        covisits_add(&covisits, 0, 1, 0, 0);
    }
    CHECK_INT(covisits_urgent(&covisits, urgent, 3), 1);
    CHECK_INT(covisits_urgent(&covisits, urgent, 3), 0);
    for (int i = 0; i < 10; i++) {
        covisits_add(&covisits, 0, 1, 0, 0); /* ten more of a thousand */
        covisits_add(&covisits, 2, 1, 0, 0); /* ten of none */
    }
    CHECK_INT(covisits_urgent(&covisits, urgent, 1), 1);
    CHECK_INT(urgent[0].item, 2);
    CHECK_INT(covisits_urgent(&covisits, urgent, 3), 1);
    CHECK_INT(urgent[0].item, 0);
    free(room);
}

/* With no more others than cells nothing is ever lost: exact counts. */
PROPERTY(covisits_are_exact_while_there_is_room)
{
    enum { ITEMS = 6 };
    struct covisits covisits = opened(ITEMS);
    double wanted[ITEMS][ITEMS] = {{0}};
    int64_t at_ms = 0;

    for (size_t i = 0; i < 200; i++) {
        uint32_t a = (uint32_t)rng_below(rng, ITEMS), b = (uint32_t)rng_below(rng, ITEMS);

        if (a == b) {
            continue;
        }
        at_ms += (int64_t)rng_below(rng, HOUR_MS * 2);
        covisits_add(&covisits, a, b, 0, at_ms);
        wanted[a][b] += exp2((double)at_ms / DAY_MS);
    }
    for (uint32_t a = 0; a < ITEMS; a++) {
        for (uint32_t b = 0; b < ITEMS; b++) {
            double value = wanted[a][b] / exp2((double)at_ms / DAY_MS);

            CHECK_WITHIN((double)covisits_count(&covisits, a, b, at_ms), value, 1e-5 * (1 + value));
        }
    }
    free(room);
}
