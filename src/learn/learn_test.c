/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/learn.h"

#include "base/test.h"
#include "learn/visits.h"
#include "model/model_kit.h"

#include <stdlib.h>

enum { ITEMS = 12, TRAINED_MS = 1000 };

static const struct tenant_id tenant = {KIT_TENANT};
static const struct learn_room room = {
    .visits = 16, .newcomers = 8, .buyers = 64, .forgotten = 32, .pairs = ITEMS + 4, .categories = 4};
static const struct model_live_room wide = {.sequences = 400, .steps = 4000, .items = 4, .texts = 60, .rows = 40, .weights = 400};

struct shop { /* a planted model, its live side and what learns into it */
    struct kit kit;
    struct arena arena;
    const struct model *model;
    struct model_live_room room;
    void *live_p, *learn_p;
    struct model_live *live;
    struct learn *learn;
    uint8_t key[32];
    uint64_t mid;
};

static struct bytes text_of(void *ctx, struct item_id item)
{
    (void)ctx;
    return item.v == 404 || item.v >> 32 == 404 ? (struct bytes){0} : BYTES_LIT("new");
}

static uint64_t category_of(void *ctx, struct item_id item)
{
    (void)ctx;
    return item.v % 2 + 1;
}

static void on_alarm(void *ctx, struct item_id item)
{
    (void)item;
    ++*(int *)ctx;
}

static int alarmed;

static struct model_live *live_of(struct shop *shop, void **out_p)
{
    *out_p = aligned_alloc(64, model_live_bytes(shop->model, &shop->room));
    memset(*out_p, 0, model_live_bytes(shop->model, &shop->room));
    return model_live_open(shop->model, &shop->room, *out_p);
}

/* with: owner 77's purchases of items 1 and 2 stand in the file. */
static void shop_open(struct shop *shop, const struct model_live_room *live_room, uint64_t part_in_file)
{
    static const uint32_t bought[] = {1, 2};
    struct learn_world world = {&alarmed, text_of, category_of, on_alarm};
    struct bytes file;
    struct why why;
    size_t bytes = (learn_bytes(&room) + 63) / 64 * 64;

    hash_start();
    memset(shop, 0, sizeof(*shop));
    shop->room = *live_room;
    arena_open(&shop->arena, 1 << 16, 1 << 24);
    kit_blocks(&shop->kit, ITEMS, 4);
    shop->kit.build.w[MODEL_W_SESSION] = shop->kit.build.w[MODEL_W_TOGETHER];
    if (part_in_file != 0) {
        kit_sequence(&shop->kit, MODEL_HISTORY, bought, NULL, 2, 900, hash_owner(shop->key, tenant, part_in_file));
        kit_index(&shop->kit, MODEL_HISTORY, 100);
    }
    CHECK_OK(model_build(&shop->kit.build, &shop->arena, &file));
    CHECK_OK(model_file_open(file, &shop->arena, &shop->model, &why));
    shop->live = live_of(shop, &shop->live_p);
    shop->learn_p = aligned_alloc(64, bytes);
    memset(shop->learn_p, 0, bytes);
    shop->learn = learn_open(shop->model, &room, &world, tenant, shop->key, TRAINED_MS, shop->learn_p);
}

static void shop_close(struct shop *shop)
{
    free(shop->live_p);
    free(shop->learn_p);
    arena_close(&shop->arena);
}

static void teach(struct shop *shop, uint64_t part, enum event_kind kind, struct item_id item, int64_t at_ms)
{
    struct lesson lesson = {.part = part, .at_ms = at_ms, .item = item, .mid = shop->mid, .tenant = tenant.v, .kind = (uint8_t)kind};

    if (kind != EVENT_PURCHASE) {
        shop->mid++;
    }
    learn_lesson(shop->learn, shop->live, &lesson, at_ms);
}

static void look(struct shop *shop, uint64_t part, unsigned item, int64_t at_ms)
{
    teach(shop, part, EVENT_VIEW, kit_item(item), at_ms);
}

static void buy(struct shop *shop, uint64_t part, const unsigned *items, size_t n, int64_t at_ms)
{
    shop->mid++;
    for (size_t i = 0; i < n; i++) {
        teach(shop, part, EVENT_PURCHASE, kit_item(items[i]), at_ms);
    }
    learn_tick(shop->learn, shop->live, at_ms);
}

static uint32_t number_of(const struct shop *shop, struct item_id item)
{
    struct model_view view = model_view_of(shop->model, shop->live);

    return model_view_find(&view, item);
}

TEST(learn_takes_a_visit_in_at_its_third_look)
{
    struct shop shop;
    struct model_sequence_view way;

    shop_open(&shop, &wide, 0);
    look(&shop, 5, 0, 2000);
    look(&shop, 5, 3, 3000);
    CHECK_INT(model_live_sequences_n(shop.live, MODEL_SESSION), 0);
    look(&shop, 5, 7, 4000);
    CHECK_INT(model_live_sequences_n(shop.live, MODEL_SESSION), 1);
    way = model_live_sequence(shop.live, MODEL_SESSION, 0);
    CHECK_INT(way.n, 3);
    CHECK_INT(way.item[2], 7);
    CHECK_INT(way.end_ms, 4000);
    CHECK(way.owner == hash_owner(shop.key, tenant, 5));
    look(&shop, 5, 1, 5000);
    learn_tick(shop.learn, shop.live, 5001 + MODEL_SESSION_GAP_MS);
    CHECK_INT(model_live_sequence(shop.live, MODEL_SESSION, 0).n, 0); /* grew into the next */
    CHECK_INT(model_live_sequence(shop.live, MODEL_SESSION, 1).n, 4);
    shop_close(&shop);
}

TEST(learn_passes_by_what_the_file_has_learnt)
{
    struct shop shop;

    shop_open(&shop, &wide, 0);
    for (unsigned i = 0; i < 6; i++) {
        look(&shop, 5, i, TRAINED_MS);
    }
    CHECK_INT(learn_counts(shop.learn, 0).lessons_n, 0);
    look(&shop, 5, 0, TRAINED_MS + 1);
    CHECK_INT(learn_counts(shop.learn, 0).lessons_n, 1);
    shop_close(&shop);
}

TEST(learn_goes_on_after_what_the_file_knows_somebody_bought)
{
    const unsigned first[] = {5, 6}, second[] = {7};
    struct shop shop;
    struct model_sequence_view way;

    shop_open(&shop, &wide, 42);
    buy(&shop, 42, first, 2, 2000);
    CHECK(model_live_is_erased(shop.live, MODEL_HISTORY, 0)); /* nobody is two neighbours */
    way = model_live_sequence(shop.live, MODEL_HISTORY, 0);
    CHECK_INT(way.n, 4);
    CHECK_INT(way.item[0], 1);
    CHECK_INT(way.item[3], 6);
    CHECK_INT(way.step[1], 1);
    CHECK_INT(way.step[2], 2); /* one basket, one step */
    CHECK_INT(way.step[3], 2);
    buy(&shop, 42, second, 1, 3000);
    CHECK_INT(model_live_sequence(shop.live, MODEL_HISTORY, 0).n, 0);
    way = model_live_sequence(shop.live, MODEL_HISTORY, 1);
    CHECK_INT(way.n, 5);
    CHECK_INT(way.step[4], 3);
    shop_close(&shop);
}

TEST(learn_shows_a_new_item_after_five_people_in_company)
{
    const struct item_id new = {12345};
    struct shop shop;
    struct model_view view;
    const struct model_weight *row;
    size_t n;

    shop_open(&shop, &wide, 0);
    for (uint64_t part = 1; part <= 9; part++) { /* alone it says nothing of it */
        teach(&shop, part, EVENT_VIEW, new, 2000);
    }
    CHECK_INT(number_of(&shop, new), MODEL_NONE);
    for (uint64_t part = 11; part <= 14; part++) {
        look(&shop, part, 2, 3000);
        teach(&shop, part, EVENT_VIEW, new, 3001);
        teach(&shop, part, EVENT_VIEW, new, 3002);
    }
    CHECK_INT(number_of(&shop, new), MODEL_NONE);
    teach(&shop, 15, EVENT_VIEW, new, 3003); /* first, with company afterwards */
    look(&shop, 15, 2, 3004);
    CHECK_INT(number_of(&shop, new), ITEMS);
    for (uint64_t part = 21; part <= 26; part++) {
        look(&shop, part, 2, 4000);
        teach(&shop, part, EVENT_VIEW, new, 4001);
    }
    CHECK(learn_rows(shop.learn, shop.live, 100, 5000) >= 2);
    view = model_view_of(shop.model, shop.live);
    row = model_view_row(&view, MODEL_W_SESSION, ITEMS, &n);
    CHECK_INT(n, 1);
    CHECK_INT(row[0].item, 2);
    CHECK_WITHIN((double)row[0].weight, 6.0 / (6 + 10), 1e-5);
    row = model_view_row(&view, MODEL_W_SESSION, 2, &n); /* the file's row, and the new one beside */
    CHECK_INT(n, 4);
    CHECK_INT(row[0].item, ITEMS);
    CHECK_INT(learn_rows(shop.learn, shop.live, 100, 5000), 0);
    for (uint64_t part = 31; part <= 36; part++) { /* what nobody sells cannot be shown */
        look(&shop, part, 2, 6000);
        teach(&shop, part, EVENT_VIEW, (struct item_id){404}, 6001);
    }
    CHECK_INT(number_of(&shop, (struct item_id){404}), MODEL_NONE);
    shop_close(&shop);
}

/* P7: a row is what five people did; how often one of them did it, and what a bot does, is in none. */
TEST(learn_renews_no_row_from_what_one_visitor_does)
{
    const struct item_id new = {12345};
    struct shop shop;
    struct model_view view;
    const struct model_weight *row;
    size_t n;

    shop_open(&shop, &wide, 0);
    for (uint64_t part = 1; part <= 5; part++) { /* five know it, each beside something else */
        look(&shop, part, (unsigned)part + 4, 2000);
        teach(&shop, part, EVENT_VIEW, new, 2001);
    }
    CHECK_INT(number_of(&shop, new), ITEMS);
    for (int again = 0; again < 40; again++) { /* one goes back and forth, visit after visit, five hundred times a visit */
        for (int looks = 0; looks < (again == 0 ? 500 : 4); looks++) {
            look(&shop, 7, 2, 3000 + (again * 2 + 1) * (int64_t)MODEL_SESSION_GAP_MS);
            teach(&shop, 7, EVENT_VIEW, new, 3001 + (again * 2 + 1) * (int64_t)MODEL_SESSION_GAP_MS);
        }
    }
    CHECK_INT(learn_rows(shop.learn, shop.live, 100, 3000 + 80 * (int64_t)MODEL_SESSION_GAP_MS), 0);
    view = model_view_of(shop.model, shop.live);
    row = model_view_row(&view, MODEL_W_SESSION, ITEMS, &n);
    CHECK(row == NULL || n == 0);
    shop_close(&shop);
}

/* A page's key is open: what is made up through it must not keep what is sold from being learnt. */
TEST(learn_counts_no_items_that_nobody_sells)
{
    const struct item_id new = {12345};
    struct shop shop;

    shop_open(&shop, &wide, 0);
    for (uint64_t part = 1; part <= 100; part++) {
        look(&shop, part, 2, 2000);
        teach(&shop, part, EVENT_VIEW, (struct item_id){UINT64_C(404) << 32 | part}, 2001);
    }
    for (uint64_t part = 201; part <= 205; part++) {
        look(&shop, part, 2, 3000);
        teach(&shop, part, EVENT_VIEW, new, 3001);
    }
    CHECK_INT(number_of(&shop, new), ITEMS);
    shop_close(&shop);
}

TEST(learn_forgets_and_takes_nothing_older_back)
{
    const unsigned basket[] = {5, 6};
    struct shop shop;
    uint64_t owner;

    shop_open(&shop, &wide, 42);
    owner = hash_owner(shop.key, tenant, 42);
    buy(&shop, 42, basket, 2, 2000);
    look(&shop, 42, 0, 3000);
    look(&shop, 42, 1, 3001);
    look(&shop, 42, 2, 3002);
    CHECK_INT(learn_forget(shop.learn, shop.live, owner, 4000), 2); /* purchases, those of the file among them; the visit */
    learn_drop(shop.learn, 42);
    look(&shop, 42, 0, 4000); /* on its way when they withdrew */
    buy(&shop, 42, basket, 2, 4000);
    learn_tick(shop.learn, shop.live, 10 * DAY_MS);
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        for (uint32_t s = 0; s < model_live_sequences_n(shop.live, (enum model_domain)d); s++) {
            CHECK_INT(model_live_sequence(shop.live, (enum model_domain)d, s).n, 0);
        }
    }
    CHECK(model_live_is_erased(shop.live, MODEL_HISTORY, 0));
    buy(&shop, 42, basket, 2, 4001); /* granted anew: it begins anew */
    CHECK_INT(model_live_sequence(shop.live, MODEL_HISTORY, model_live_sequences_n(shop.live, MODEL_HISTORY) - 1).n, 2);
    shop_close(&shop);
}

/* Through any number of renewals of a small room the newest visits are those of a room that was never full. */
PROPERTY(learn_loses_only_the_oldest_when_the_room_is_full)
{
    enum { LOOKS = 300 };
    const struct model_live_room narrow = {.sequences = 24, .steps = 24 * 64, .items = 4, .texts = 60, .rows = 40, .weights = 400};
    struct shop big, small;
    int64_t at_ms = TRAINED_MS;
    size_t renewals = 0;

    shop_open(&big, &wide, 0);
    shop_open(&small, &narrow, 0);
    for (size_t l = 0; l < LOOKS; l++) {
        uint64_t part = 1 + rng_below(rng, 12);
        unsigned item = (unsigned)rng_below(rng, ITEMS);

        at_ms += (int64_t)rng_below(rng, MODEL_SESSION_GAP_MS / 8);
        look(&big, part, item, at_ms);
        if (!learn_has_room(small.learn, small.live, &small.room, 4)) {
            void *p;
            uint32_t shift[MODEL_DOMAINS_];
            struct model_live *renewed = live_of(&small, &p);

            CHECK(model_live_renew(small.live, 12, renewed, shift));
            free(small.live_p);
            small.live_p = p;
            small.live = renewed;
            learn_shift(small.learn, small.live, shift);
            renewals++;
        }
        look(&small, part, item, at_ms);
        learn_tick(big.learn, big.live, at_ms);
        learn_tick(small.learn, small.live, at_ms);
    }
    CHECK_INT(learn_counts(small.learn, at_ms).refused_n, 0);
    CHECK_INT(learn_counts(small.learn, at_ms).sequences_n, learn_counts(big.learn, at_ms).sequences_n);
    for (uint32_t back = 1; back <= 12; back++) {
        struct model_sequence_view x = model_live_sequence(big.live, MODEL_SESSION, model_live_sequences_n(big.live, MODEL_SESSION) - back);
        struct model_sequence_view y = model_live_sequence(small.live, MODEL_SESSION, model_live_sequences_n(small.live, MODEL_SESSION) - back);

        CHECK_INT(x.n, y.n);
        CHECK(x.end_ms == y.end_ms && x.owner == y.owner);
        for (size_t i = 0; i < x.n; i++) {
            CHECK_INT(x.item[i], y.item[i]);
        }
    }
    CHECK(renewals > 0);
    shop_close(&big);
    shop_close(&small);
}
