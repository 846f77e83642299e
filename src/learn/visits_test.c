/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/visits.h"

#include "base/test.h"

#include <stdlib.h>

enum { TOLD_MOST = 4096 };

struct told {
    uint64_t part;
    uint32_t n, first_item, last_item, number;
    bool is_gone;
};

static struct told told[TOLD_MOST];
static size_t told_n;

static void on_told(void *ctx, struct visit *visit, bool is_gone)
{
    (void)ctx;
    CHECK(told_n < TOLD_MOST);
    told[told_n] = (struct told){visit->part, visit->steps_n, visit->steps[0].item, visit->steps[visit->steps_n - 1].item,
                                 visit->number, is_gone};
    visit->number = is_gone ? UINT32_MAX : (uint32_t)told_n;
    told_n++;
}

static const struct visits_to to = {NULL, on_told};

static struct visits *opened(uint32_t places)
{
    told_n = 0;
    return visits_open(places, calloc(1, visits_bytes(places)));
}

static void look(struct visits *visits, uint64_t part, uint32_t item, int64_t at_ms)
{
    visits_look(visits, visits_at(visits, part, at_ms, at_ms, &to), item, &to);
}

TEST(visit_is_told_at_its_third_look_when_doubled_and_when_it_ends)
{
    struct visits *visits = opened(4);

    look(visits, 7, 10, 0);
    look(visits, 7, 11, 1000);
    CHECK_INT(told_n, 0);
    look(visits, 7, 12, 2000);
    CHECK_INT(told_n, 1);
    CHECK_INT(told[0].n, 3);
    CHECK_INT(told[0].number, UINT32_MAX);
    look(visits, 7, 13, 3000);
    look(visits, 7, 14, 4000);
    CHECK_INT(told_n, 1);
    look(visits, 7, 15, 5000);
    CHECK_INT(told_n, 2);
    CHECK_INT(told[1].n, 6);
    CHECK_INT(told[1].number, 0); /* in place of the first */
    look(visits, 7, 16, 6000);
    visits_tick(visits, 6000 + MODEL_SESSION_GAP_MS, &to);
    CHECK_INT(told_n, 2);
    visits_tick(visits, 6001 + MODEL_SESSION_GAP_MS, &to);
    CHECK_INT(told_n, 3);
    CHECK_INT(told[2].n, 7);
    CHECK_INT(told[2].number, 1);
    CHECK_INT(visits_n(visits), 0);
    free(visits);
}

TEST(visit_ends_with_a_look_half_an_hour_later_and_a_single_look_is_nothing)
{
    struct visits *visits = opened(4);

    look(visits, 7, 10, 0);
    look(visits, 7, 11, MODEL_SESSION_GAP_MS);
    look(visits, 7, 12, 2 * MODEL_SESSION_GAP_MS + 1); /* ends the first; begins another */
    CHECK_INT(told_n, 1);
    CHECK_INT(told[0].n, 2);
    visits_tick(visits, INT64_C(10) * MODEL_SESSION_GAP_MS, &to);
    CHECK_INT(told_n, 1);
    CHECK_INT(visits_n(visits), 0);
    free(visits);
}

TEST(visit_gives_way_when_all_places_are_taken)
{
    struct visits *visits = opened(2);

    look(visits, 1, 10, 0);
    look(visits, 1, 11, 1);
    look(visits, 2, 20, 2);
    look(visits, 1, 12, 3); /* part 2 is now the longest without a look */
    look(visits, 3, 30, 4);
    CHECK_INT(visits_n(visits), 2);
    CHECK(!visits_drop(visits, 2));
    CHECK(visits_drop(visits, 1));
    CHECK(visits_drop(visits, 3));
    free(visits);
}

TEST(visit_of_a_bot_is_taken_back)
{
    struct visits *visits = opened(2);
    size_t before;

    for (uint32_t i = 0; i < MODEL_SEQUENCE_MAX; i++) {
        look(visits, 1, i, i);
    }
    before = told_n;
    CHECK(before > 3);
    CHECK_INT(told[before - 1].n, VISIT_STEPS);
    CHECK_INT(told[before - 1].last_item, 191); /* 3 * 2^6 looks */
    look(visits, 1, 999, 1000);
    CHECK_INT(told_n, before + 1);
    CHECK(told[before].is_gone);
    CHECK_INT(told[before].number, before - 1);
    look(visits, 1, 999, 1001);
    visits_tick(visits, INT64_C(10) * MODEL_SESSION_GAP_MS, &to);
    CHECK_INT(told_n, before + 1);
    free(visits);
}

TEST(visits_follow_a_renumbering)
{
    struct visits *visits = opened(4);

    for (uint64_t part = 1; part <= 2; part++) {
        for (uint32_t i = 0; i < 3; i++) {
            look(visits, part, i, i);
        }
    }
    visits_shift(visits, 1);
    visits_tick(visits, 1 + MODEL_SESSION_GAP_MS, &to);
    look(visits, 1, 5, 5);
    look(visits, 2, 5, 5);
    visits_tick(visits, INT64_C(10) * MODEL_SESSION_GAP_MS, &to);
    CHECK_INT(told_n, 4);
    CHECK_INT(told[2].number, UINT32_MAX);
    CHECK_INT(told[3].number, 0);
    free(visits);
}

/* Against the plain rule: looks of a part in order of time, cut where the gap is larger. */
PROPERTY(visits_are_the_sequences_of_the_trainer)
{
    enum { PARTS = 5, LOOKS = 60 };
    struct visits *visits = opened(PARTS);
    struct { uint32_t n, last_item; int64_t last_ms; } open[PARTS] = {{0}};
    size_t wanted_n = 0, ended_n = 0;
    uint32_t wanted[LOOKS];
    int64_t now_ms = 0;

    for (uint32_t l = 0; l < LOOKS; l++) {
        uint64_t p = rng_below(rng, PARTS);

        now_ms += (int64_t)rng_below(rng, MODEL_SESSION_GAP_MS);
        if (open[p].n > 0 && now_ms - open[p].last_ms > MODEL_SESSION_GAP_MS) {
            if (open[p].n >= 2) {
                wanted[wanted_n++] = open[p].last_item;
            }
            open[p].n = 0;
        }
        open[p].n++;
        open[p].last_item = l;
        open[p].last_ms = now_ms;
        look(visits, p + 1, l, now_ms);
        if (rng_coin(rng)) {
            visits_tick(visits, now_ms, &to);
        }
    }
    for (size_t p = 0; p < PARTS; p++) {
        if (open[p].n >= 2) {
            wanted[wanted_n++] = open[p].last_item;
        }
    }
    visits_tick(visits, now_ms + MODEL_SESSION_GAP_MS + 1, &to);
    CHECK_INT(visits_n(visits), 0);
    for (size_t w = 0; w < wanted_n; w++) { /* each was told, and told last with its last look */
        bool is_there = false;

        for (size_t t = 0; t < told_n; t++) {
            is_there = is_there || told[t].last_item == wanted[w];
        }
        CHECK(is_there);
    }
    for (size_t t = 0; t < told_n; t++) { /* what nothing came in place of is an ended visit */
        bool is_last = true;

        for (size_t u = t + 1; u < told_n; u++) {
            is_last = is_last && told[u].number != t;
        }
        ended_n += is_last;
    }
    CHECK_INT(ended_n, wanted_n);
    free(visits);
}
