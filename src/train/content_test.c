/* SPDX-License-Identifier: Apache-2.0 */
#include "train/content.h"

#include "base/hash.h"
#include "base/test.h"
#include "decide/decide.h"
#include "model/model_view.h"
#include "train/train.h"

#include <stdio.h>
#include <stdlib.h>

/* Kinds of things, each with a category, a brand, words and a price of its own. Everybody buys of two kinds. */
enum { KINDS = 10, OF_KIND = 12, PEOPLE = 240, NEW_AT = OF_KIND };

#define START_MS (17000 * DAY_MS)

static const struct tenant_id tenant = {3};

static struct bytes text_of(char room[16], unsigned kind, unsigned k)
{
    return (struct bytes){room, (size_t)snprintf(room, 16, "k%u-%u", kind, k)};
}

static void buy(struct history *history, uint64_t customer, int64_t at_ms, unsigned kind, struct rng *rng)
{
    struct event_line lines[4];
    char text[4][16], id[40];
    struct event event = {.kind = EVENT_PURCHASE, .at_ms = at_ms, .lines = lines, .lines_n = 4};

    for (unsigned i = 0; i < 4; i++) {
        struct bytes item = text_of(text[i], kind, 3 * i + (unsigned)rng_below(rng, 3));

        lines[i] = (struct event_line){.item = hash_item(tenant, item), .item_text = item, .quantity_milli = 1000,
                                       .paid_minor = 100 * (int32_t)(kind + 1)};
    }
    event.mid = hash_mid(BYTES_LIT("test"), (struct bytes){id, (size_t)snprintf(id, sizeof(id), "%llu-%lld",
                                                                              (unsigned long long)customer, (long long)at_ms)});
    history_add(history, customer, &event);
}

static void describe(struct history *history, unsigned kind, unsigned k, int64_t added_ms)
{
    char text[16], category[16], brand[16], title[64];
    struct item item = {.id_text = text_of(text, kind, k), .price_minor = 100 * (kind + 1), .added_ms = added_ms, .category_n = 2};

    item.id = hash_item(tenant, item.id_text);
    item.category[0] = BYTES_LIT("All");
    item.category[1] = (struct bytes){category, (size_t)snprintf(category, sizeof(category), "Kind %u", kind)};
    item.brand = (struct bytes){brand, (size_t)snprintf(brand, sizeof(brand), "Brand %u", kind)};
    item.title = (struct bytes){title, (size_t)snprintf(title, sizeof(title), "Thing%u the good no %u", kind, 100 + k)};
    content_add(history, &item);
}

static void plant(struct history *history, bool has_catalogue, int64_t added_ms)
{
    *history = (struct history){.tenant = tenant};
    for (uint64_t c = 0; c < PEOPLE; c++) {
        struct rng rng = {c + 1};

        for (int64_t week = 0; week < 12; week++) {
            buy(history, c + 1, START_MS + week * 7 * DAY_MS + (int64_t)rng_below(&rng, DAY_MS),
                (unsigned)((c + (week % 2 == 0 ? 0 : c / KINDS)) % KINDS), &rng);
        }
    }
    history_sort(history);
    for (unsigned kind = 0; has_catalogue && kind < KINDS; kind++) {
        for (unsigned k = 0; k <= OF_KIND; k++) { /* one more than ever was bought */
            describe(history, kind, k, k == NEW_AT ? added_ms : 0);
        }
    }
}

struct shop {
    struct base_model base;
    struct arena arena;
    const struct model *model;
};

static void learn(const struct history *history, int64_t before_ms, size_t threads, struct shop *shop)
{
    struct train_span span = train_span_of(before_ms);
    struct train_settings settings = train_settings_start(history, &span, threads);
    struct bytes file;
    struct why why;

    base_model_train(history, before_ms, &settings.base, &shop->base);
    shop->base.build.rank[MODEL_HEAD_HISTORY].weight[FEATURE_CONTENT] = 100;
    arena_open(&shop->arena, 1 << 20, SIZE_MAX / 4);
    CHECK_OK(model_build(&shop->base.build, &shop->arena, &file));
    CHECK_OK(model_file_open(file, &shop->arena, &shop->model, &why));
}

static void shop_close(struct shop *shop)
{
    arena_close(&shop->arena);
    base_model_close(&shop->base);
}

static uint32_t number_of(const struct model *model, unsigned kind, unsigned k)
{
    char text[16];

    return model_item_find(model, hash_item(tenant, text_of(text, kind, k)));
}

/* Whose kinds' new items are in a row of n for customer c. */
static void propose(const struct history *history, const struct model *model, size_t c, size_t n, bool out_is_new[KINDS])
{
    struct next_case one = {.customer = c, .from = history->from[c], .to = history->from[c + 1], .target = history->from[c + 1] - 1,
                            .at_ms = history_newest_ms(history) + DAY_MS};
    struct decide_world world = {.view = {.base = model}};
    struct decide_placement placement = {.name = BYTES_LIT("row"), .n = n};
    struct decide_request request = {.mode = DECIDE_PERSONAL, .placements = &placement, .placements_n = 1, .now_ms = one.at_ms};
    struct decide_result result;
    struct picture picture;
    struct arena arena;
    struct part *life = calloc(1, sizeof(*life));

    arena_open(&arena, 1 << 20, 1 << 26);
    cases_fold(history, &one, life);
    picture = picture_of_part(tenant, (struct customer_id){1}, life, request.now_ms);
    request.picture = &picture;
    CHECK_OK(decide_run(&world, &request, &arena, &result));
    for (unsigned kind = 0; kind < KINDS; kind++) {
        char text[16];
        uint64_t id = hash_item(tenant, text_of(text, kind, NEW_AT)).v;

        out_is_new[kind] = false;
        for (size_t i = 0; i < result.rows[0].items_n; i++) {
            out_is_new[kind] = out_is_new[kind] || result.rows[0].items[i].id.v == id;
        }
    }
    arena_close(&arena);
    free(life);
}

TEST(content_brings_a_new_item_to_those_who_bought_its_kin)
{
    struct history history;
    struct shop shop;

    plant(&history, true, 0);
    learn(&history, history_newest_ms(&history) + 1, 2, &shop);
    CHECK(number_of(shop.model, 4, NEW_AT) != MODEL_NONE);
    for (size_t c = 0; c < PEOPLE; c += 7) {
        uint64_t key = history.customers[c] - 1;
        unsigned own = (unsigned)(key % KINDS), other = (unsigned)((key + key / KINDS) % KINDS);
        bool is_new[KINDS];

        propose(&history, shop.model, c, own == other ? 1 : 2, is_new);
        for (unsigned kind = 0; kind < KINDS; kind++) {
            CHECK_INT(is_new[kind], kind == own || kind == other);
        }
    }
    shop_close(&shop);
    history_close(&history);
}

TEST(content_needs_a_catalogue)
{
    struct history history;
    struct shop shop;

    plant(&history, false, 0);
    learn(&history, history_newest_ms(&history) + 1, 2, &shop);
    CHECK_INT(number_of(shop.model, 4, NEW_AT), MODEL_NONE);
    CHECK(!model_w_has(shop.model, MODEL_W_CONTENT));
    shop_close(&shop);
    history_close(&history);
}

/* A base of the past must not know an item that came later, nor one of which nobody says when it came. */
TEST(content_of_the_past_knows_no_later_item)
{
    int64_t middle_ms = START_MS + 60 * DAY_MS;
    int64_t added[] = {0, middle_ms + DAY_MS, middle_ms - DAY_MS};

    for (size_t i = 0; i < 3; i++) {
        struct history history;
        struct shop shop;

        plant(&history, true, added[i]);
        learn(&history, middle_ms, 2, &shop);
        CHECK_INT(number_of(shop.model, 4, NEW_AT) != MODEL_NONE, i == 2);
        shop_close(&shop);
        history_close(&history);
    }
}

TEST(content_rows_are_of_cold_items_alone_and_the_same_for_any_threads)
{
    struct history history;
    struct shop one, two;

    plant(&history, true, 0);
    learn(&history, history_newest_ms(&history) + 1, 1, &one);
    learn(&history, history_newest_ms(&history) + 1, 2, &two);
    for (uint32_t i = 0; i < model_items_n(one.model); i++) {
        size_t n, m;
        const struct model_weight *row = model_w_row(one.model, MODEL_W_CONTENT, i, &n);
        const struct model_weight *same = model_w_row(two.model, MODEL_W_CONTENT, i, &m);

        CHECK(n > 0 && n <= CONTENT_ROW);
        CHECK_INT(n, m);
        CHECK_SAME_BYTES(row, same, n * sizeof(*row));
        for (size_t k = 0; k < n; k++) {
            float cold = fminf(model_item(one.model, i)->all_n, model_item(one.model, row[k].item)->all_n);

            CHECK(cold < CONTENT_COLD && row[k].item != i && row[k].weight > 0);
            CHECK(k == 0 || row[k].weight <= row[k - 1].weight);
        }
    }
    shop_close(&one);
    shop_close(&two);
    history_close(&history);
}

/* Titles of any bytes, endless paths and words, items twice: never a crash, and never a pair with itself. */
PROPERTY(content_takes_any_catalogue)
{
    struct history history = {.tenant = tenant};
    char title[300], id[2];

    for (unsigned i = 0; i < 20; i++) {
        struct item item = {.price_minor = (int64_t)rng_below(rng, 3) - 1, .category_n = rng_below(rng, ITEM_CATEGORIES_MAX + 1)};

        for (size_t k = 0; k < sizeof(title); k++) {
            title[k] = (char)rng_below(rng, 256);
        }
        id[0] = (char)('a' + rng_below(rng, 15));
        item.id_text = (struct bytes){id, 1};
        item.id = hash_item(tenant, item.id_text);
        item.title = (struct bytes){title, rng_below(rng, sizeof(title))};
        for (size_t c = 0; c < item.category_n; c++) {
            item.category[c] = (struct bytes){title + c, rng_below(rng, 3)};
        }
        content_add(&history, &item);
    }
    for (size_t k = 0; k < history.content.n; k++) {
        const struct content_item *item = &history.content.items[k];

        for (size_t w = 1; w < item->words_n; w++) {
            CHECK(history.content.words[item->words_at + w] > history.content.words[item->words_at + w - 1]);
        }
    }
    history_close(&history);
}
