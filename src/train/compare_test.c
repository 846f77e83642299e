/* SPDX-License-Identifier: Apache-2.0 */
#include "train/compare.h"

#include "base/hash.h"
#include "base/test.h"
#include "model/model_file.h"

#include <stdio.h>
#include <stdlib.h>

TEST(compare_by_hand)
{
    float own[400], other[400];
    struct compare compare;

    for (size_t i = 0; i < 400; i++) {
        own[i] = i % 4 == 0;   /* a quarter */
        other[i] = i % 2 == 0; /* a half, those and others */
    }
    compare = compare_scores(own, other, 400);
    CHECK_NEAR(compare.own, 0.25);
    CHECK_NEAR(compare.other, 0.5);
    CHECK_WITHIN(compare.low, -0.25 - 1.96 * sqrt(0.1875 / 399), 1e-9);
    CHECK_WITHIN(compare.high, -0.25 + 1.96 * sqrt(0.1875 / 399), 1e-9);
    CHECK(compare.is_worse);
    CHECK(!compare_scores(other, own, 400).is_worse);
    CHECK(!compare_scores(own, own, 400).is_worse);
    CHECK_INT(compare_scores(own, other, COMPARE_CASES_MIN - 1).cases_n, 0);
    CHECK(!compare_scores(own, other, COMPARE_CASES_MIN - 1).is_worse);
}

/* Steadily half a hundredth below is certain and does not matter. */
TEST(compare_lets_a_hair_pass)
{
    float own[400], other[400];

    for (size_t i = 0; i < 400; i++) {
        other[i] = 0.5f;
        own[i] = 0.4975f;
    }
    CHECK(compare_scores(own, other, 400).high < 0);
    CHECK(!compare_scores(own, other, 400).is_worse);
    own[0] = own[1] = own[2] = 0; /* now more than that */
    for (size_t i = 0; i < 400; i++) {
        own[i] -= 0.01f;
    }
    CHECK(compare_scores(own, other, 400).is_worse);
}

TEST(compare_holds_back_what_neither_saw)
{
    CHECK_INT(compare_from_ms(0, 100 * DAY_MS), 93 * DAY_MS);
    CHECK_INT(compare_from_ms(99 * DAY_MS, 100 * DAY_MS), 99 * DAY_MS + 1);
}

PROPERTY(compare_of_equals_seldom_says_worse)
{
    enum { N = 300 };
    float own[N], other[N];
    struct compare compare;

    for (size_t i = 0; i < N; i++) {
        own[i] = rng_unit(rng) < 0.3;
        other[i] = rng_unit(rng) < 0.3;
    }
    compare = compare_scores(own, other, N);
    CHECK(!compare.is_worse || compare.own - compare.other < -0.04);
    CHECK(compare.low <= compare.own - compare.other && compare.own - compare.other <= compare.high);
}

/* ---- a planted shop: everybody buys in pairs; a model that learnt chance instead may not take its place ---- */

static const struct tenant_id tenant = {3};

static void buy(struct history *history, uint64_t customer, int64_t at_ms, unsigned item)
{
    char text[8];
    struct event_line line = {.item_text = {text, (size_t)snprintf(text, sizeof(text), "i%u", item)}, .quantity_milli = 1000};
    struct event event = {.kind = EVENT_PURCHASE, .at_ms = at_ms, .lines = &line, .lines_n = 1};

    line.item = hash_item(tenant, line.item_text);
    put_be64(event.mid.b, customer);
    put_be64(event.mid.b + 8, (uint64_t)at_ms);
    history_add(history, customer, &event);
}

/* The day after item 2k comes 2k + 1; is_chance: anything. The last week always follows the pairs. */
static void plant(struct history *history, bool is_chance)
{
    enum { PEOPLE = 300, DAYS = 60, ITEMS = 60 };
    struct rng rng = {5};

    *history = (struct history){.tenant = tenant};
    for (uint64_t c = 1; c <= PEOPLE; c++) {
        unsigned item = 0;

        for (int day = 0; day < DAYS; day += 3) {
            bool may_chance = is_chance && day < DAYS - 8;

            item = may_chance ? (unsigned)rng_below(&rng, ITEMS) : item % 2 == 0 && day > 0 ? item + 1 : 2 * (unsigned)rng_below(&rng, ITEMS / 2);
            buy(history, c, (17000 + day) * DAY_MS + (int64_t)c * 1000, item);
        }
    }
    history_sort(history);
}

TEST(compare_tells_the_model_that_learnt_from_the_one_that_did_not)
{
    struct history good, bad;
    struct train_span span;
    struct train_settings settings;
    struct bytes good_file, bad_file;
    const struct model *of_good, *of_bad;
    struct compare baskets, looks;
    struct arena arena;
    int64_t from_ms;

    arena_open(&arena, 1 << 20, SIZE_MAX / 4);
    plant(&good, false);
    plant(&bad, true);
    span = train_span_of(history_newest_ms(&good) + 1);
    from_ms = compare_from_ms(0, span.before_ms);
    {
        struct train_span before = train_span_of(from_ms);

        settings = train_settings_start(&good, &before, 2);
        CHECK_OK(train_model(&good, &before, &settings, 2, UINT32_MAX, (struct bytes){0}, &arena, &good_file));
        CHECK_OK(train_model(&bad, &before, &settings, 2, UINT32_MAX, (struct bytes){0}, &arena, &bad_file));
    }
    CHECK_OK(model_file_open(good_file, &arena, &of_good, NULL));
    CHECK_OK(model_file_open(bad_file, &arena, &of_bad, NULL));
    compare_models(&good, &span, of_bad, of_good, from_ms, 2, &baskets, &looks);
    CHECK_INT(looks.cases_n, 0);
    CHECK(baskets.cases_n >= COMPARE_CASES_MIN);
    CHECK(baskets.is_worse);
    compare_models(&good, &span, of_good, of_bad, from_ms, 2, &baskets, &looks);
    CHECK(!baskets.is_worse);
    CHECK(baskets.own > baskets.other);
    history_close(&good);
    history_close(&bad);
    arena_close(&arena);
}
