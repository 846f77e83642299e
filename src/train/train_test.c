/* SPDX-License-Identifier: Apache-2.0 */
#include "train/train.h"

#include "base/hash.h"
#include "base/test.h"
#include "train/next_basket.h"

#include <stdio.h>
#include <stdlib.h>

enum { BLOCKS = 12, BLOCK = 5, PEOPLE = 180, VISITORS = 900, CHAIN = 6 };
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

static void look(struct history *history, uint64_t customer, int64_t at_ms, unsigned item)
{
    char text[16], id[48];
    struct event_line line = {.item_text = {text, (size_t)snprintf(text, sizeof(text), "i%u", item)}};
    struct event event = {.kind = EVENT_VIEW, .at_ms = at_ms, .lines = &line, .lines_n = 1};

    line.item = hash_item(tenant, line.item_text);
    event.mid = hash_mid(BYTES_LIT("looks"), (struct bytes){id, (size_t)snprintf(id, sizeof(id), "%llu-%lld-%u",
                                                                               (unsigned long long)customer, (long long)at_ms, item)});
    history_add(history, customer, &event);
}

/* Visits along chains of items: who looks at one looks at the one after it next, now and then at any. */
static void plant_visits(struct history *history, uint64_t first_customer)
{
    for (uint64_t v = 0; v < VISITORS; v++) {
        struct rng rng = {v + 1};
        unsigned chain = (unsigned)rng_below(&rng, BLOCKS), at = (unsigned)rng_below(&rng, 3);
        int64_t begun = START_MS + (int64_t)v * (199 * DAY_MS / VISITORS);

        for (unsigned k = 0; k < 4; k++) {
            unsigned item = rng_below(&rng, 10) == 0 ? (unsigned)rng_below(&rng, BLOCKS * CHAIN) : chain * CHAIN + (at + k) % CHAIN;

            look(history, first_customer + v, begun + k * 60000, 1000 + item);
        }
    }
}

/* A shop of blocks: everybody shops weekly, from the block of their own, one staple always. */
static void plant(struct history *history, bool is_backwards, bool is_sorted)
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
    if (is_sorted) {
        history_sort(history);
    }
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
    plant(&history, false, true);
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
    plant(&history, false, true);
    one = train(&history, 1, &a);
    two = train(&history, 3, &b);
    history_close(&history);
    plant(&history, true, true);
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

/* A shop of three weeks: windows of days, so that its ranks are learnt and judged at all. */
TEST(train_span_shrinks_for_a_young_shop)
{
    struct history history = {.tenant = tenant};
    struct train_span span;
    struct train_report report;
    struct arena arena;
    struct bytes file;

    hash_start();
    for (uint64_t c = 1; c <= PEOPLE; c++) {
        for (int64_t day = 0; day < 21; day++) {
            unsigned items[2] = {(unsigned)(c % BLOCKS) * BLOCK, (unsigned)(c % BLOCKS) * BLOCK + 1 + (unsigned)day % 2};

            add(&history, c, START_MS + day * DAY_MS + (int64_t)c, items, 2);
        }
    }
    history_sort(&history);
    span = train_span_for(&history, START_MS + 21 * DAY_MS);
    CHECK_INT(span.before_ms - span.validate_ms, (21 * DAY_MS - 1) / 6);
    CHECK_INT(span.window_ms, (21 * DAY_MS - 1) / 18);
    arena_open(&arena, 1 << 20, SIZE_MAX / 4);
    CHECK_OK(train_choose(&history, &span, 2, 0, no_clock, &arena, &file, &report));
    CHECK_INT(report.validation_cases_n, PEOPLE);
    CHECK(report.head[MODEL_HEAD_HISTORY].learn_cases_n > PEOPLE);
    CHECK(report.validation.recall10 > 0.9);
    arena_close(&arena);
    CHECK_INT(train_span_for(&history, START_MS + 900 * DAY_MS).window_ms, TRAIN_WINDOW_MS);
    history_close(&history);
    CHECK_INT(train_span_for(&history, START_MS).window_ms, TRAIN_WINDOW_MS);
}

/* ---- looks, and both ---- */

static struct bytes train_with(const struct history *history, size_t threads, double seconds, struct arena *arena)
{
    struct train_span span = train_span_of(END_MS);
    struct train_report report;
    struct bytes file;

    arena_open(arena, 1 << 20, SIZE_MAX / 4);
    CHECK_OK(train_choose(history, &span, threads, seconds, no_clock, arena, &file, &report));
    CHECK(report.seconds <= 0);
    return file;
}

TEST(train_finds_what_a_visit_looks_at_next)
{
    struct history history = {.tenant = tenant};
    struct train_span span = train_span_of(END_MS);
    struct train_report report;
    struct arena arena;
    struct bytes file;
    const struct model *model;
    struct why why;

    hash_start();
    plant_visits(&history, 1);
    history_sort(&history);
    arena_open(&arena, 1 << 20, SIZE_MAX / 4);
    CHECK_OK(train_choose(&history, &span, 2, 1, no_clock, &arena, &file, &report));
    CHECK_OK(model_file_open(file, &arena, &model, &why));
    CHECK(report.head[MODEL_HEAD_SESSION].scores.hr20 > 0.85); /* a tenth of the looks is chance */
    CHECK(report.head[MODEL_HEAD_SESSION].scores.mrr20 > 0.8);
    CHECK(report.head[MODEL_HEAD_SESSION].scores.hr20 + 1.5 * report.head[MODEL_HEAD_SESSION].scores.mrr20 >
          report.head[MODEL_HEAD_SESSION].list_worth - 0.01); /* what serves is what won */
    CHECK(report.head[MODEL_HEAD_SESSION].popular.hr20 < 0.5);
    CHECK(report.head[MODEL_HEAD_SESSION].cases_n > 100);
    CHECK(report.head[MODEL_HEAD_HISTORY].cases_n == 0); /* nobody bought anything */
    CHECK(report.tried_n > 10);
    CHECK(report.parts_n > 3 && report.groups_n > 3);
    CHECK(model_rank(model, MODEL_HEAD_SESSION)->is_learnt);
    arena_close(&arena);
    history_close(&history);
}

/* Settings searched, two heads, trees: neither threads nor the order of reading change a byte, and a second time gives the same. */
TEST(train_of_looks_and_purchases_is_the_same_for_any_threads)
{
    struct history history;
    struct arena a, b;
    struct bytes one, two;
    const struct model *model;
    struct why why;

    hash_start();
    plant(&history, false, false);
    plant_visits(&history, 500);
    history_sort(&history);
    one = train_with(&history, 1, 1, &a);
    history_close(&history);
    plant(&history, true, false);
    plant_visits(&history, 500);
    history_sort(&history);
    two = train_with(&history, 3, 1, &b);
    CHECK_INT(one.n, two.n);
    CHECK_SAME_BYTES(one.p, two.p, one.n);
    CHECK_OK(model_file_open(one, &a, &model, &why));
    CHECK(model_rank(model, MODEL_HEAD_SESSION)->is_learnt && model_rank(model, MODEL_HEAD_HISTORY)->is_learnt);
    arena_close(&a);
    arena_close(&b);
    history_close(&history);
}

/* ---- erasure ---- */

/* Whoever was taken out leaves nothing: the file is that of a history without them, to the byte. */
TEST(train_of_what_was_erased_is_train_of_what_never_was)
{
    enum { GONE = 77 };
    struct history history;
    struct arena a, b;
    struct bytes one, two;
    unsigned only_theirs[2] = {4000, 4001};
    struct event back = {.kind = EVENT_RETRACT};
    char id[40];

    hash_start();
    plant(&history, false, false);
    plant_visits(&history, 500);
    history_sort(&history);
    one = train_with(&history, 2, 0, &a);
    history_close(&history);
    plant(&history, false, false);
    plant_visits(&history, 500);
    for (int64_t day = 0; day < 40; day++) {
        add(&history, 100000 + GONE, START_MS + day * DAY_MS, only_theirs, 2);
        (void)snprintf(id, sizeof(id), "%d-%lld", 100000 + GONE, (long long)(START_MS + day * DAY_MS));
        back.retracts = hash_mid(BYTES_LIT("test"), bytes_of(id));
        history_add(&history, 100000 + GONE, &back);
    }
    history_sort(&history);
    two = train_with(&history, 2, 0, &b);
    CHECK_INT(one.n, two.n);
    CHECK_SAME_BYTES(one.p, two.p, one.n);
    arena_close(&a);
    arena_close(&b);
    history_close(&history);
}

static bool row_has(const struct model *model, enum model_w kind, uint32_t from, uint32_t to)
{
    size_t n;
    const struct model_weight *row = model_w_row(model, kind, from, &n);

    for (size_t k = 0; k < n; k++) {
        if (row[k].item == to) {
            return true;
        }
    }
    return false;
}

/* What four customers share is in no matrix and no count; what five share is. */
TEST(train_says_nothing_of_pairs_of_fewer_than_five_customers)
{
    for (uint64_t sharers = MODEL_CUSTOMERS_MIN - 1; sharers <= MODEL_CUSTOMERS_MIN; sharers++) {
        struct history history;
        struct arena arena;
        const struct model *model;
        struct bytes file;
        struct why why;
        unsigned pair[2] = {5000, 5001};
        uint32_t x, y;
        bool is_said = false;

        hash_start();
        plant(&history, false, false);
        plant_visits(&history, 500);
        for (uint64_t c = 0; c < sharers; c++) {
            for (int64_t k = 0; k < 3; k++) { /* again and again by the same: still one customer each */
                add(&history, 200000 + c, START_MS + k * 9 * DAY_MS, pair, 2);
                look(&history, 300000 + c, START_MS + k * 9 * DAY_MS, pair[0]);
                look(&history, 300000 + c, START_MS + k * 9 * DAY_MS + 60000, pair[1]);
            }
        }
        history_sort(&history);
        file = train_with(&history, 2, 0, &arena);
        CHECK_OK(model_file_open(file, &arena, &model, &why));
        x = model_item_find(model, hash_item(tenant, BYTES_LIT("i5000")));
        y = model_item_find(model, hash_item(tenant, BYTES_LIT("i5001")));
        CHECK(x != MODEL_NONE && y != MODEL_NONE);
        for (int kind = 0; kind < MODEL_WS_; kind++) {
            if (kind != MODEL_W_CONTENT) { /* made of the catalogue, not of customers */
                is_said = is_said || row_has(model, (enum model_w)kind, x, y) || row_has(model, (enum model_w)kind, y, x);
            }
        }
        CHECK(is_said == (sharers >= MODEL_CUSTOMERS_MIN));
        arena_close(&arena);
        history_close(&history);
    }
}

/* ---- hostile and broken input ---- */

/* Any history gives a model that opens, or says that there is nothing. */
static void survive(struct history *history, int64_t before_ms, enum err wanted)
{
    struct train_span span = train_span_of(before_ms);
    struct train_report report;
    const struct model *model;
    struct arena arena;
    struct bytes file;
    struct why why;

    history_sort(history);
    arena_open(&arena, 1 << 20, SIZE_MAX / 4);
    CHECK_INT(train_choose(history, &span, 2, 1, no_clock, &arena, &file, &report), wanted);
    if (wanted == ERR_OK) {
        CHECK_OK(model_file_open(file, &arena, &model, &why));
    }
    arena_close(&arena);
    history_close(history);
    *history = (struct history){.tenant = tenant};
}

TEST(train_survives_histories_of_next_to_nothing)
{
    struct history history = {.tenant = tenant};
    unsigned two[2] = {1, 2};

    hash_start();
    survive(&history, END_MS, ERR_ABSENT);
    look(&history, 1, START_MS, 1); /* one look at what nobody is known to sell */
    survive(&history, END_MS, ERR_ABSENT);
    look(&history, 1, START_MS, 1); /* one visit */
    look(&history, 1, START_MS + 1000, 2);
    survive(&history, END_MS, ERR_ABSENT);
    for (uint64_t c = 1; c <= 5; c++) {
        look(&history, c, START_MS, 1);
    }
    survive(&history, END_MS, ERR_OK);
    add(&history, 1, START_MS, two, 2); /* all in the future */
    look(&history, 1, START_MS, 1);
    survive(&history, START_MS, ERR_ABSENT);
    add(&history, 1, START_MS, two, 1); /* the future has other items */
    add(&history, 1, START_MS + 9 * DAY_MS, two + 1, 1);
    look(&history, 2, INT64_MAX / 4, 3);
    survive(&history, START_MS + DAY_MS, ERR_OK);
}

TEST(train_survives_everything_at_one_time)
{
    struct history history = {.tenant = tenant};

    hash_start();
    for (uint64_t c = 1; c <= 60; c++) {
        unsigned items[2] = {(unsigned)c % 7, 7 + (unsigned)c % 5};

        add(&history, c, START_MS, items, 2);
        add(&history, c, START_MS, items, 2); /* and each receipt told twice */
        for (unsigned k = 0; k < 5; k++) {
            look(&history, c, START_MS, (unsigned)(c + k) % 9);
        }
    }
    survive(&history, START_MS + 1, ERR_OK);
}

TEST(train_survives_one_item_for_all_and_two_items)
{
    struct history history = {.tenant = tenant};

    hash_start();
    for (unsigned items_n = 1; items_n <= 2; items_n++) {
        for (uint64_t c = 1; c <= 80; c++) {
            for (int64_t week = 0; week < 20; week++) {
                unsigned items[2] = {0, 1};

                add(&history, c, START_MS + week * 7 * DAY_MS + (int64_t)c, items, items_n);
                look(&history, c, START_MS + week * 7 * DAY_MS + (int64_t)c * 1000, 0);
                look(&history, c, START_MS + week * 7 * DAY_MS + (int64_t)c * 1000 + 500, items_n - 1);
            }
        }
        survive(&history, START_MS + 20 * 7 * DAY_MS, ERR_OK);
    }
}

/* A robot among people: a million looks, hours apart or in one long visit, teach nothing and cost little. */
TEST(train_survives_a_million_looks_of_one_customer)
{
    struct history history = {.tenant = tenant};

    hash_start();
    plant_visits(&history, 1);
    for (int64_t k = 0; k < 1000 * 1000; k++) {
        look(&history, 99999, START_MS + (k % 2 == 0 ? k * 17000 : k), 1000 + (unsigned)(k % 72));
    }
    survive(&history, END_MS, ERR_OK);
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
