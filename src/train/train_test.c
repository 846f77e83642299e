/* SPDX-License-Identifier: Apache-2.0 */
#include "train/train.h"

#include "base/hash.h"
#include "base/test.h"
#include "train/next_basket.h"

#include <stdio.h>
#include <stdlib.h>

enum { BLOCKS = 12, BLOCK = 5, PEOPLE = 180 };
#define START_MS (17000 * DAY_MS)
#define END_MS (START_MS + 200 * DAY_MS)

static const struct tenant_id tenant = {3};

static void add(struct history *history, uint64_t customer, int64_t at_ms, const unsigned *items, size_t n)
{
    struct event_line lines[8];
    char text[8][8], id[40];
    struct event event = {.kind = EVENT_PURCHASE, .at_ms = at_ms, .lines = lines, .lines_n = n, .store_text = BYTES_LIT("s")};

    for (size_t i = 0; i < n; i++) {
        struct bytes item = {text[i], (size_t)snprintf(text[i], sizeof(text[i]), "i%u", items[i])};

        lines[i] = (struct event_line){.item = hash_item(tenant, item), .item_text = item, .quantity_milli = 1000,
                                       .paid_minor = 100};
    }
    event.store = hash_store(tenant, event.store_text);
    event.mid = hash_mid(BYTES_LIT("test"), (struct bytes){id, (size_t)snprintf(id, sizeof(id), "%llu-%lld",
                                                                              (unsigned long long)customer, (long long)at_ms)});
    history_add(history, customer, &event);
}

/* A shop of blocks: everybody shops weekly, from the block of their own, one staple always. */
static void plant(struct history *history, bool is_backwards)
{
    *history = (struct history){.tenant = tenant};
    for (uint64_t k = 0; k < PEOPLE; k++) {
        uint64_t c = is_backwards ? PEOPLE - 1 - k : k;
        struct rng rng = {c + 1};

        for (int64_t week = 0; week < 28; week++) {
            unsigned first = (unsigned)(c % BLOCKS) * BLOCK, items[3];

            items[0] = first;
            items[1] = first + 1 + (unsigned)rng_below(&rng, 2);
            items[2] = first + 3 + (unsigned)rng_below(&rng, 2);
            add(history, c + 1, START_MS + week * 7 * DAY_MS + (int64_t)rng_below(&rng, DAY_MS), items, 3);
        }
    }
    history_sort(history);
}

static double no_clock(void)
{
    return 0;
}

static struct bytes train(const struct history *history, size_t threads, struct arena *arena)
{
    struct train_span span = train_span_of(END_MS);
    struct train_report report;
    struct bytes file;

    arena_open(arena, 1 << 20, SIZE_MAX / 4);
    CHECK_OK(train_choose(history, &span, threads, 0, no_clock, arena, &file, &report));
    return file;
}

TEST(train_finds_the_planted_truth)
{
    struct history history;
    struct arena arena;
    struct bytes file;
    const struct model *model;
    struct why why;
    struct next_case *cases;
    struct next_list *lists;
    struct next_score *scores;
    struct train_scores mean;
    size_t n;

    hash_start();
    plant(&history, false);
    file = train(&history, 2, &arena);
    CHECK_OK(model_file_open(file, &arena, &model, &why));
    CHECK_INT(model_items_n(model), BLOCKS * BLOCK);
    n = cases_of_baskets(&history, END_MS - 14 * DAY_MS, END_MS, 2, &cases);
    CHECK_INT(n, PEOPLE);
    lists = history_zero(n, sizeof(*lists));
    scores = history_zero(n, sizeof(*scores));
    next_basket_lists(&history, model, VARIANT_ONE_TO_ONE, cases, n, 1, lists, NULL, NULL);
    for (size_t c = 0; c < n; c++) {
        next_basket_score(&history, &cases[c], &lists[c], &scores[c]);
    }
    mean = next_basket_mean(scores, n);
    CHECK(mean.recall10 > 0.99); /* a block has five items, a row ten places */
    next_basket_lists(&history, model, VARIANT_POPULAR, cases, n, 1, lists, NULL, NULL);
    for (size_t c = 0; c < n; c++) {
        next_basket_score(&history, &cases[c], &lists[c], &scores[c]);
    }
    CHECK(next_basket_mean(scores, n).recall10 < 0.35);
    /* k-means finds the blocks, or most of them: more groups than blocks may cut some. */
    next_basket_lists(&history, model, VARIANT_SEGMENT, cases, n, 1, lists, NULL, NULL);
    CHECK(lists[0].n == NEXT_LIST);
    free(cases);
    free(lists);
    free(scores);
    arena_close(&arena);
    history_close(&history);
}

/* Neither the number of threads nor the order of reading changes a byte of the file. */
TEST(train_gives_the_same_file_for_any_threads_and_order)
{
    struct history history;
    struct arena a, b, c;
    struct bytes one, two, three;

    hash_start();
    plant(&history, false);
    one = train(&history, 1, &a);
    two = train(&history, 3, &b);
    history_close(&history);
    plant(&history, true);
    three = train(&history, 2, &c);
    CHECK_INT(one.n, two.n);
    CHECK_SAME_BYTES(one.p, two.p, one.n);
    CHECK_INT(one.n, three.n);
    CHECK_SAME_BYTES(one.p, three.p, one.n);
    arena_close(&a);
    arena_close(&b);
    arena_close(&c);
    history_close(&history);
}

TEST(train_of_nothing_says_so_and_of_little_works)
{
    struct history history = {.tenant = tenant};
    struct train_span span = train_span_of(END_MS), near = train_span_of(START_MS + DAY_MS);
    struct train_report report;
    const struct model *model;
    struct arena arena;
    struct bytes file;
    struct why why;
    unsigned item = 4;

    hash_start();
    arena_open(&arena, 1 << 20, SIZE_MAX / 4);
    history_sort(&history);
    CHECK_INT(train_choose(&history, &span, 2, 0, no_clock, &arena, &file, &report), ERR_ABSENT);
    history_close(&history);
    history = (struct history){.tenant = tenant};
    add(&history, 1, START_MS, &item, 1);
    history_sort(&history);
    CHECK_OK(train_choose(&history, &near, 2, 0, no_clock, &arena, &file, &report));
    CHECK_OK(model_file_open(file, &arena, &model, &why));
    CHECK_INT(model_items_n(model), 1);
    arena_close(&arena);
    history_close(&history);
}

/* One basket of four items, list of two hits at places 1 and 3: R = 2/4, N = (1 + .5) / (1 + .6309 + .5 + .4307). */
TEST(next_basket_scores_by_hand)
{
    struct history history = {.tenant = tenant};
    struct next_case one = {.to = 2, .target = 2};
    struct next_list list = {.n = 4};
    struct next_score score;
    unsigned items[4] = {1, 2, 3, 4}, before[1] = {2};

    hash_start();
    add(&history, 1, START_MS, before, 1);
    add(&history, 1, START_MS + 1, before, 1);
    add(&history, 1, START_MS + 2, items, 4);
    history_sort(&history);
    list.item[0] = hash_item(tenant, BYTES_LIT("i2")).v;
    list.item[1] = hash_item(tenant, BYTES_LIT("i9")).v;
    list.item[2] = hash_item(tenant, BYTES_LIT("i4")).v;
    list.item[3] = hash_item(tenant, BYTES_LIT("i8")).v;
    next_basket_score(&history, &one, &list, &score);
    CHECK_WITHIN((double)score.recall10, 0.5, 1e-6);
    CHECK_WITHIN((double)score.ndcg10, 1.5 / 2.5616063, 1e-6);
    CHECK_WITHIN((double)score.phr10, 1, 0);
    CHECK_WITHIN((double)score.repeat10, 1, 0);          /* i2 was bought before */
    CHECK_WITHIN((double)score.explore10, 1.0 / 3, 1e-6); /* i4 of i1, i3, i4 */
    history_close(&history);
}

TEST(history_takes_out_what_was_retracted_and_what_was_told_twice)
{
    struct history history = {.tenant = tenant};
    struct event back = {.kind = EVENT_RETRACT};
    unsigned item = 1;

    hash_start();
    add(&history, 1, START_MS, &item, 1);
    add(&history, 1, START_MS, &item, 1);
    add(&history, 2, START_MS, &item, 1);
    back.retracts = hash_mid(BYTES_LIT("test"), BYTES_LIT("2-1468800000000"));
    history_add(&history, 2, &back);
    history_sort(&history);
    CHECK_INT(history.baskets_n, 1);
    CHECK_INT(history.customers_n, 1);
    CHECK_INT(history_customer(&history, 2), SIZE_MAX);
    history_close(&history);
}
