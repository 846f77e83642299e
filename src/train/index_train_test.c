/* SPDX-License-Identifier: Apache-2.0 */
#include "train/index_train.h"

#include "base/hash.h"
#include "base/test.h"
#include "train/domain_train.h"

#include <stdlib.h>

static struct model_build_index index_of(const struct sequences *s, uint32_t postings, struct arena *arena)
{
    uint64_t keys[] = {11, 12, 13, 14};
    struct history history = {.tenant = {1}, .customers = keys, .customers_n = 4};
    struct model_build_index index;

    hash_start();
    index_train(s, &history, postings, arena, &index);
    return index;
}

/* Ways 0: 0 1 0; 1: 1 2; 2: 0; 3: 2 2 1, one posting an item: item 0 names way 2, items 1 and 2 way 3; ways 0 and 1 are named by
 * nobody and go, but are counted. */
TEST(index_train_by_hand)
{
    size_t at[] = {0, 3, 5, 6, 9};
    uint32_t item[] = {0, 1, 0, 1, 2, 0, 2, 2, 1}, customer[] = {0, 1, 2, 3};
    uint8_t step[] = {0, 1, 2, 0, 1, 0, 0, 1, 2};
    int64_t end_ms[] = {10, 20, 30, 40};
    const struct sequences s = {4, at, item, step, NULL, end_ms, customer, 3};
    struct model_build_index index;
    struct arena arena;

    arena_open(&arena, 1 << 12, 1 << 20);
    index = index_of(&s, 1, &arena);
    CHECK_INT(index.sequences_n, 2);
    CHECK(index.at[0] == 0 && index.at[1] == 1 && index.at[2] == 4);
    CHECK(index.item[0] == 0 && index.item[1] == 2 && index.item[3] == 1 && index.step[3] == 2);
    CHECK(index.end_ms[0] == 30 && index.end_ms[1] == 40 );
    CHECK(index.owner[0] == hash_owner((uint8_t[HASH_SECRET_BYTES]){0}, (struct tenant_id){1}, 13)); /* way 2 was customer 2's */
    CHECK(index.posting_at[1] == 1 && index.posting_at[2] == 2 && index.posting_at[3] == 3);
    CHECK(index.posting[0] == 0 && index.posting[1] == 1 && index.posting[2] == 1);
    CHECK(index.holders[0] == 2 && index.holders[1] == 3 && index.holders[2] == 2 && index.holders[3] == 4);
    index = index_of(&s, 9, &arena);
    CHECK_INT(index.sequences_n, 4);
    CHECK(index.posting[0] == 2 && index.posting[1] == 0); /* newest first, each once */
    CHECK_INT(index.posting_at[3], 7);
    arena_close(&arena);
}

/* A device of the shop looks at item 0 all day: its newest visits stay, and so does the customer's before them. */
TEST(index_train_keeps_a_share_for_everybody)
{
    enum { VISITS = INDEX_OF_ONE + 100 };
    static size_t at[VISITS + 1];
    static uint32_t item[VISITS], customer[VISITS];
    static uint8_t step[VISITS];
    static int64_t end_ms[VISITS];
    const struct sequences s = {VISITS, at, item, step, NULL, end_ms, customer, 1};
    struct model_build_index index;
    struct arena arena;

    for (size_t q = 0; q < VISITS; q++) {
        at[q + 1] = q + 1;
        end_ms[q] = (int64_t)q;
        customer[q] = q == 5 ? 0 : 1;
    }
    arena_open(&arena, 1 << 12, 1 << 20);
    index = index_of(&s, 1000, &arena);
    CHECK_INT(index.sequences_n, INDEX_OF_ONE + 1);
    CHECK(index.end_ms[0] == 5 && index.end_ms[1] == 100);
    CHECK_INT(index.holders[1], VISITS);
    arena_close(&arena);
}

/* Of three sequences the newest twentieth is one: a part of a sequence is a whole one. */
TEST(index_train_counts_what_was_seen)
{
    size_t at[] = {0, 2, 3, 6};
    uint32_t item[] = {0, 1, 0, 1, 1, 0};
    struct sequences s = {.n = 3, .at = at, .item = item, .items_n = 2};
    struct model_seen seen[2] = {{{0}, {0}}, {{0}, {0}}};

    index_train_seen(&s, MODEL_HISTORY, seen);
    CHECK_NEAR((double)seen[0].all[MODEL_HISTORY], 3);
    CHECK_NEAR((double)seen[1].all[MODEL_HISTORY], 3);
    CHECK_NEAR((double)seen[0].recent[MODEL_HISTORY], 1);
    CHECK_NEAR((double)seen[1].recent[MODEL_HISTORY], 2);
    CHECK_NEAR((double)seen[1].all[MODEL_SESSION], 0);
}

/* ---- a base of looks ---- */

static void add(struct history *history, uint64_t customer, enum event_kind kind, int64_t at_ms, const char *item)
{
    static uint64_t mids;
    struct bytes text = bytes_of(item);
    struct event_line line = {.item = hash_item(history->tenant, text), .item_text = text, .quantity_milli = 1000};
    struct event event = {.kind = kind, .channel = CHANNEL_WEB, .has_id = true, .has_time = true, .at_ms = at_ms,
                          .lines = &line, .lines_n = 1};

    put_be64(event.mid.b, ++mids);
    history_add(history, customer, &event);
}

static bool is_item(const struct base_model *base, uint32_t i, const char *text)
{
    const struct model_build *build = &base->build;

    return i < build->head.items_n &&
           bytes_equal((struct bytes){build->text + build->text_at[i], build->text_at[i + 1] - build->text_at[i]}, bytes_of(text));
}

TEST(base_model_of_looks_alone)
{
    struct history history = {.tenant = {1}};
    struct base_settings settings = {.customers_min = 1};
    struct base_model base;
    const struct model *model;
    struct bytes file;
    struct why why;
    size_t n;

    hash_start();
    for (int k = 0; k < 5; k++) { /* a was looked at most, long ago; c and b lately, equally often */
        add(&history, 1, EVENT_VIEW, k * 1000, "a");
    }
    for (int k = 0; k < 4; k++) {
        add(&history, 2, EVENT_VIEW, 60 * DAY_MS + 2000 * k, "c");
        add(&history, 2, EVENT_VIEW, 60 * DAY_MS + 2000 * k + 1000, "b");
    }
    add(&history, 3, EVENT_VIEW, 90 * DAY_MS, "late"); /* after the moment */
    history_sort(&history);
    settings.domain[MODEL_SESSION] = index_train_start(MODEL_SESSION);
    base_model_train(&history, 80 * DAY_MS, &settings, &base);
    CHECK_INT(base.build.head.items_n, 3);
    CHECK(is_item(&base, 0, "a") && is_item(&base, 1, "b") && is_item(&base, 2, "c"));
    CHECK_INT(base.build.head.trained_ms, 60 * DAY_MS + 7000);
    CHECK(base.build.all_n == 3 && base.build.all[0] == 0);
    CHECK(base.build.recent_n == 2 && base.build.recent[0] == 1 && base.build.recent[1] == 2); /* of 28 days before the newest */
    CHECK_INT(base.build.index[MODEL_SESSION].sequences_n, 2);
    CHECK_INT(base.build.index[MODEL_HISTORY].sequences_n, 0);
    CHECK_NEAR((double)base.build.seen[0].all[MODEL_SESSION], 5);
    CHECK_OK(model_build(&base.build, &base.arena, &file));
    CHECK_OK(model_file_open(file, &base.arena, &model, &why));
    CHECK_INT(model_sequences_n(model, MODEL_SESSION), 2);
    CHECK_INT(model_w_row(model, MODEL_W_PAIR_SESSION, 1, &n)->item, 2);
    CHECK_INT(n, 1);
    CHECK_NEAR((double)model_w_row(model, MODEL_W_PAIR_SESSION, 1, &n)->weight, 16); /* four times four */
    CHECK(!model_w_has(model, MODEL_W_PAIR_HISTORY));
    base_model_close(&base);
    history_close(&history);
}

/* With receipts, what was bought comes first and is what is popular, however often the rest was looked at. */
TEST(base_model_of_receipts_counts_them_first)
{
    struct history history = {.tenant = {1}};
    struct base_settings settings = {.customers_min = 1};
    struct base_model base;

    hash_start();
    for (int k = 0; k < 5; k++) {
        add(&history, 1, EVENT_VIEW, k * 1000, "looked");
        add(&history, 1, EVENT_VIEW, k * 1000, "x");
    }
    add(&history, 2, EVENT_PURCHASE, 5000, "bought");
    add(&history, 3, EVENT_PURCHASE, 6000, "x");
    history_sort(&history);
    base_model_train(&history, DAY_MS, &settings, &base);
    CHECK(is_item(&base, 0, "x") && is_item(&base, 1, "bought") && is_item(&base, 2, "looked"));
    CHECK_INT(base.build.recent_n, 2);
    CHECK_NEAR((double)base.build.stat[2].all_n, 0);
    CHECK(base.build.seen == NULL && base.build.index[MODEL_SESSION].sequences_n == 0); /* no domain was asked for */
    base_model_close(&base);
    history_close(&history);
}

/* P6: a model made anew without a customer is the model of a shop that never had them. */
TEST(base_model_without_a_customer_holds_none_of_their_ways)
{
    struct base_settings settings = {.customers_min = 1};
    struct bytes file[2];
    struct base_model base[2];

    hash_start();
    settings.domain[MODEL_SESSION] = index_train_start(MODEL_SESSION);
    settings.domain[MODEL_HISTORY] = index_train_start(MODEL_HISTORY);
    for (int turn = 0; turn < 2; turn++) {
        struct history history = {.tenant = {1}};
        struct why why;
        const struct model *model;

        for (uint64_t c = 1; c < 9; c++) {
            if (turn == 0 || c != 5) {
                add(&history, c, EVENT_VIEW, (int64_t)c * 1000, c % 2 == 0 ? "a" : "b");
                add(&history, c, EVENT_VIEW, (int64_t)c * 1000 + 1, "c");
                add(&history, c, EVENT_PURCHASE, (int64_t)c * 2000, c % 3 == 0 ? "a" : "c");
            }
        }
        history_sort(&history);
        base_model_train(&history, DAY_MS, &settings, &base[turn]);
        CHECK_OK(model_build(&base[turn].build, &base[turn].arena, &file[turn]));
        CHECK_OK(model_file_open(file[turn], &base[turn].arena, &model, &why));
        for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
            size_t found = 0;

            for (uint32_t s = 0; s < model_sequences_n(model, (enum model_domain)d); s++) {
                found += model_sequence(model, (enum model_domain)d, s).owner == hash_owner(history.owner_key, history.tenant, 5);
            }
            CHECK_INT(found, turn == 0 ? 1 : 0);
        }
        history_close(&history);
    }
    base_model_close(&base[0]);
    base_model_close(&base[1]);
}
