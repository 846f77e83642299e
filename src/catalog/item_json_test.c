/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/item_json.h"

#include "base/hash.h"
#include "base/json_read.h"
#include "base/test.h"

#include <math.h>

static struct arena arena;
static const struct tenant_id tenant = {1};

static const struct json_node *tree(struct bytes text)
{
    const struct json_node *node = NULL;

    if (arena.first == NULL) {
        hash_start();
        arena_open(&arena, 1 << 16, 16u << 20);
    }
    CHECK_OK(json_read(&arena, text, &node, NULL));
    return node;
}

/* What is kept reads back as what was sent, and is kept in the same bytes again. */
TEST(item_json_kept_is_what_was_sent)
{
    struct json_form form = {0};
    struct item item, again;
    const char *text =
        "{\"title\":{\"nb\":\"Støvel\",\"en\":\"Boot\"},\"id\":\"a\",\"price\":349.5,\"currency\":\"SEK\","
        "\"salePrice\":\"300\",\"saleFrom\":\"2026-11-01T00:00:00Z\",\"category\":[\"Ski\",\"Boots\"],"
        "\"attributes\":{\"size\":42},\"hidden\":true,\"added\":\"2026-01-01T00:00:00Z\"}";

    CHECK(item_json_read(&form, tree(bytes_of(text)), tenant, BYTES_LIT("a"), "NOK", &arena, &item));
    CHECK_TEXT(item.title, "Støvel");
    CHECK_INT(item.price_minor, 34950);
    CHECK_INT(item.sale_minor, 30000);
    CHECK_TEXT(bytes_of(item.currency), "SEK");
    CHECK_INT(item.category_n, 2);
    CHECK(item.is_hidden && item.is_available);
    CHECK_OK(item_json_stored(tenant, BYTES_LIT("a"), item.json, 7, &arena, &again));
    CHECK_INT(again.revision, 7);
    CHECK_INT(again.price_minor, 34950);
    CHECK_TEXT(bytes_of(again.currency), "SEK");
    CHECK_INT(again.sale_from_ms, item.sale_from_ms);
    CHECK(bytes_equal(again.json, item.json));
    CHECK_OK(item_json_stored(tenant, BYTES_LIT("a"), (struct bytes){0}, 8, &arena, &again));
    CHECK_INT(again.json.n, 0);
}

TEST(item_json_tells_all_faults)
{
    struct json_form form = {0};
    struct item item;

    CHECK(!item_json_read(
        &form,
        tree(BYTES_LIT("{\"id\":\"b\",\"price\":-1,\"catgory\":[],\"ageLimit\":\"18\",\"added\":\"soon\"}")),
        tenant, BYTES_LIT("a"), "NOK", &arena, &item));
    CHECK_INT(form.faults_n, 6); /* unknown field, other id, no title, negative price, ageLimit, added */
    CHECK(form.has_unknown);
}

TEST(item_json_made_by_an_importer_is_stored)
{
    struct item_made made = {
        .id = BYTES_LIT("p1"), .category = {BYTES_LIT("Food")}, .category_n = 1, .price_minor = -1};
    struct item item;

    CHECK_OK(item_json_stored(tenant, made.id, item_json_made(&made, &arena), 1, &arena, &item));
    CHECK_TEXT(item.title, "p1");
    CHECK_TEXT(item.category[0], "Food");
    CHECK_INT(item.price_minor, -1);
}

TEST(store_json_reads_hours_and_place)
{
    struct json_form form = {0};
    struct store store;

    CHECK(store_json_read(
        &form,
        tree(BYTES_LIT("{\"name\":\"Oslo\",\"address\":{\"postcode\":\"0155\",\"country\":\"NO\"},"
                       "\"position\":{\"lat\":59.91,\"lon\":10.75},\"timeZone\":\"Europe/Oslo\","
                       "\"hours\":{\"mon\":[\"09:00\",\"20:00\"],\"sun\":[]},\"closed\":[\"2026-12-25\"]}")),
        tenant, BYTES_LIT("OSL"), &arena, &store));
    CHECK_TEXT(store.postcode, "0155");
    CHECK_NEAR(store.lat, 59.91);
    CHECK(store_json_read(&form, tree(BYTES_LIT("{}")), tenant, BYTES_LIT("X"), &arena, &store));
    CHECK(isnan(store.lat));
    CHECK(!store_json_read(&form, tree(BYTES_LIT("{\"hours\":{\"mon\":[\"9\",\"25:00\"]}}")), tenant,
                           BYTES_LIT("X"), &arena, &store));
}

TEST(stock_row_comes_back)
{
    struct stock_row row = {{5}, {6}, 3500, 1000, BYTES_LIT("TRD"), BYTES_LIT("sku")}, again;
    uint8_t id[STOCK_ID_BYTES];

    (void)tree(BYTES_LIT("{}"));
    stock_row_id(&row, id);
    CHECK(stock_row_decode((struct bytes){(char *)id, sizeof(id)}, stock_row_encode(&row, &arena), &again));
    CHECK(again.store.v == 5 && again.item.v == 6 && again.milli == 3500 && again.at_ms == 1000);
    CHECK_TEXT(again.item_text, "sku");
    CHECK(!stock_row_decode((struct bytes){(char *)id, sizeof(id)}, BYTES_LIT(""), &again));
}
