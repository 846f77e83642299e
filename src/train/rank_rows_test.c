/* SPDX-License-Identifier: Apache-2.0 */
#include "train/rank_rows.h"

#include "base/hash.h"
#include "base/test.h"
#include "train/train.h"

#include <stdio.h>
#include <stdlib.h>

enum { PEOPLE = 60, ITEMS = 12 };
#define START_MS (17000 * DAY_MS)
#define END_MS (START_MS + 100 * DAY_MS)

static const struct tenant_id tenant = {3};

static void buy(struct history *history, uint64_t customer, int64_t at_ms, unsigned first, unsigned second)
{
    const unsigned items[2] = {first, second};
    struct event_line lines[2];
    char text[2][8], id[40];
    struct event event = {.kind = EVENT_PURCHASE, .at_ms = at_ms, .lines = lines, .lines_n = 2};

    for (size_t i = 0; i < 2; i++) {
        struct bytes item = {text[i], (size_t)snprintf(text[i], sizeof(text[i]), "i%u", items[i])};

        lines[i] = (struct event_line){.item = hash_item(tenant, item), .item_text = item, .quantity_milli = 1000};
    }
    event.mid = hash_mid(BYTES_LIT("test"), (struct bytes){id, (size_t)snprintf(id, sizeof(id), "%llu-%lld",
                                                                              (unsigned long long)customer, (long long)at_ms)});
    history_add(history, customer, &event);
}

struct fixture {
    struct history history;
    struct base_model base;
    struct arena arena;
    struct model_view view;
    struct next_case *cases;
    size_t n;
};

/* Ten weeks of baskets of two; every third customer turns to an item nobody had, in the week that is asked about. */
static void open(struct fixture *fixture)
{
    struct train_span span = train_span_of(END_MS);
    struct train_settings settings;
    struct bytes file;
    struct why why;
    const struct model *model;

    hash_start();
    *fixture = (struct fixture){.history = {.tenant = tenant}};
    for (uint64_t c = 1; c <= PEOPLE; c++) {
        for (int64_t week = 0; week < 11; week++) {
            bool is_odd = week == 10 && c % 3 == 0;

            buy(&fixture->history, c, START_MS + week * 7 * DAY_MS + (int64_t)c, is_odd ? 900 : (unsigned)c % ITEMS,
                is_odd ? 901 : (unsigned)(c + 1) % ITEMS);
        }
    }
    history_sort(&fixture->history);
    settings = train_settings_start(&fixture->history, &span, 1);
    base_model_train(&fixture->history, START_MS + 70 * DAY_MS, &settings.base, &fixture->base);
    arena_open(&fixture->arena, 1 << 20, SIZE_MAX / 4);
    CHECK_OK(model_build(&fixture->base.build, &fixture->arena, &file));
    CHECK_OK(model_file_open(file, &fixture->arena, &model, &why));
    fixture->view = (struct model_view){.base = model};
    fixture->n = cases_of_baskets(&fixture->history, START_MS + 70 * DAY_MS, END_MS, 2, &fixture->cases);
    CHECK_INT(fixture->n, PEOPLE);
}

static void shut(struct fixture *fixture)
{
    free(fixture->cases);
    arena_close(&fixture->arena);
    base_model_close(&fixture->base);
    history_close(&fixture->history);
}

static struct rank_asking asking_of(const struct fixture *fixture)
{
    return (struct rank_asking){.history = &fixture->history, .view = &fixture->view, .cases = fixture->cases,
                                .n = fixture->n, .power = 1, .threads = 1};
}

TEST(rank_rows_leave_out_cases_without_a_hit_unless_they_judge)
{
    struct fixture fixture;
    struct rank_asking asking;
    struct rank_rows learn = {0}, judge = {0}, three = {0};

    open(&fixture);
    asking = asking_of(&fixture);
    rank_rows_add(&learn, &asking);
    CHECK_INT(learn.cases_n, PEOPLE * 2 / 3);
    asking.keeps_misses = true;
    rank_rows_add(&judge, &asking);
    CHECK_INT(judge.cases_n, PEOPLE);
    asking.threads = 3;
    rank_rows_add(&three, &asking);
    CHECK_INT(three.n, judge.n);
    CHECK_SAME_BYTES(three.value, judge.value, judge.n * FEATURES * sizeof(float));
    CHECK_SAME_BYTES(three.item, judge.item, judge.n * sizeof(uint32_t));
    for (size_t c = 0; c < judge.cases_n; c++) {
        size_t hits = 0;

        CHECK_INT(judge.case_of[c], c);
        CHECK_INT(judge.truth_n[c], 2);
        for (size_t i = judge.case_at[c]; i < judge.case_at[c + 1]; i++) {
            hits += judge.hit[i];
            CHECK_WITHIN((double)judge.weight[i], 0.5, 1e-6);
        }
        CHECK_INT(hits, fixture.history.customers[fixture.cases[c].customer] % 3 == 0 ? 0 : 2);
    }
    rank_rows_weigh(&judge, 0);
    CHECK_WITHIN((double)judge.weight[0], 1, 1e-6);
    rank_rows_free(&learn);
    rank_rows_free(&judge);
    rank_rows_free(&three);
    shut(&fixture);
}

TEST(rank_rows_mask_thin_append_and_hide)
{
    struct fixture fixture;
    struct rank_asking asking;
    struct rank_rows rows = {0}, masked = {0}, few = {0}, thin;
    bool hidden[FEATURES] = {[FEATURE_OWN] = true, [FEATURE_COUNT] = true};
    float *before, *saved;
    size_t n, value_bytes;

    open(&fixture);
    asking = asking_of(&fixture);
    asking.keeps_misses = true;
    rank_rows_add(&rows, &asking);
    asking.masks = true;
    rank_rows_add(&masked, &asking);
    for (size_t i = 0; i < masked.n; i++) {
        CHECK_WITHIN((double)masked.value[i * FEATURES + FEATURE_OWN], 0, 0); /* nothing had is asked about */
    }
    CHECK(masked.n < rows.n);
    asking.masks = false;
    asking.cases_most = 20;
    rank_rows_add(&few, &asking);
    CHECK_INT(few.cases_n, 20);
    CHECK_INT(few.case_of[1], 3);
    rank_rows_thin(&rows, 3, &thin);
    CHECK_INT(thin.n, few.n);
    CHECK_SAME_BYTES(thin.value, few.value, few.n * FEATURES * sizeof(float));
    value_bytes = rows.n * FEATURES * sizeof(float);
    before = history_grow(NULL, rows.n * FEATURES, sizeof(*before));
    memcpy(before, rows.value, value_bytes);
    saved = rank_rows_hide(&rows, hidden);
    for (size_t i = 0; i < rows.n; i++) {
        CHECK_WITHIN((double)rows.value[i * FEATURES + FEATURE_OWN], 0, 0);
    }
    rank_rows_show(&rows, hidden, saved);
    CHECK_SAME_BYTES(before, rows.value, value_bytes);
    n = rows.n;
    rank_rows_append(&rows, &few);
    CHECK_INT(rows.n, n + thin.n);
    CHECK_INT(rows.cases_n, PEOPLE + 20);
    CHECK_SAME_BYTES(rows.value + n * FEATURES, thin.value, thin.n * FEATURES * sizeof(float));
    CHECK_INT(few.n, 0);
    free(before);
    rank_rows_free(&rows);
    rank_rows_free(&masked);
    rank_rows_free(&thin);
    shut(&fixture);
}

/* Too many rows: of each case fewer misses, which stand for those left out; only then fewer cases. Hits always stay. */
TEST(rank_rows_are_thinned_before_cases)
{
    struct fixture fixture;
    struct rank_asking asking;
    struct rank_rows all = {0}, some = {0}, few = {0};
    struct next_case *twice;

    open(&fixture);
    asking = asking_of(&fixture);
    twice = history_grow(NULL, 2 * fixture.n, sizeof(*twice));
    memcpy(twice, fixture.cases, fixture.n * sizeof(*twice));
    memcpy(twice + fixture.n, fixture.cases, fixture.n * sizeof(*twice));
    asking.cases = twice;
    asking.n *= 2;
    asking.power = 0;
    rank_rows_add(&all, &asking);
    asking.rows_most = all.n * 7 / 10;
    asking.case_least = 3;
    rank_rows_add(&some, &asking);
    CHECK_INT(some.cases_n, all.cases_n);
    CHECK(some.n < all.n * 8 / 10 && some.n > all.n / 2);
    for (size_t c = 0; c < all.cases_n; c++) {
        size_t hits = 0, wanted = 0;
        double stands = 0;

        for (size_t i = all.case_at[c]; i < all.case_at[c + 1]; i++) {
            wanted += all.hit[i];
        }
        for (size_t i = some.case_at[c]; i < some.case_at[c + 1]; i++) {
            hits += some.hit[i];
            stands += (double)some.weight[i];
        }
        CHECK_INT(hits, wanted);
        CHECK_WITHIN(stands, (double)(all.case_at[c + 1] - all.case_at[c]), 1e-4);
    }
    asking.case_least = 0;
    rank_rows_add(&few, &asking);
    CHECK(few.cases_n <= all.cases_n / 2 + 1);
    free(twice);
    rank_rows_free(&all);
    rank_rows_free(&some);
    rank_rows_free(&few);
    shut(&fixture);
}
