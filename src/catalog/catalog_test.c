/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/catalog.h"

#include "base/hash.h"
#include "base/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static const struct tenant_id tenant = {1};

static struct item item_named(const char *id, uint64_t revision)
{
    struct bytes text = bytes_of(id);

    return (struct item){.id = hash_item(tenant, text),
                         .revision = revision,
                         .id_text = text,
                         .title = text,
                         .price_minor = (int64_t)revision,
                         .sale_minor = -1,
                         .currency = "NOK",
                         .is_available = true,
                         .json = BYTES_LIT("{}")};
}

TEST(catalog_keeps_the_newest_revision)
{
    struct publish *publish = publish_open();
    struct catalog *catalog = catalog_open(tenant, publish);
    struct item two = item_named("sku-1", 2), one = item_named("sku-1", 1), three = item_named("sku-1", 3);
    struct item other = item_named("sku-2", 9);

    CHECK_OK(catalog_put_item(catalog, &two));
    CHECK_INT(catalog_put_item(catalog, &one), ERR_STALE);
    CHECK_INT(catalog_item(catalog, two.id)->price_minor, 2);
    three.json = (struct bytes){0};
    CHECK_OK(catalog_put_item(catalog, &three));
    CHECK(catalog_item(catalog, two.id) == NULL);
    CHECK_INT(catalog_items_n(catalog), 0);
    CHECK_INT(catalog_put_item(catalog, &two), ERR_STALE); /* a deletion is not undone by older news */
    other.id = two.id;
    CHECK_INT(catalog_put_item(catalog, &other), ERR_CONFLICT);
    catalog_close(catalog);
    publish_close(publish);
}

TEST(catalog_stock_is_per_store)
{
    struct publish *publish = publish_open();
    struct catalog *catalog = catalog_open(tenant, publish);
    struct store_id oslo = {7}, bergen = {8};
    struct item_id item = {99};
    int64_t milli = -1;

    CHECK(!catalog_stock(catalog, oslo, item, &milli));
    CHECK_OK(catalog_put_stock(catalog, oslo, item, 4000, 100, 1));
    CHECK_OK(catalog_put_stock(catalog, oslo, item, 0, 200, 2));
    CHECK_INT(catalog_put_stock(catalog, oslo, item, 9000, 300, 1), ERR_STALE);
    CHECK(catalog_stock(catalog, oslo, item, &milli) && milli == 0);
    CHECK(catalog_stock_at(catalog, oslo, item, &milli) && milli == 200);
    CHECK(!catalog_stock(catalog, bergen, item, &milli));
    catalog_close(catalog);
    publish_close(publish);
}

TEST(catalog_price_is_that_of_the_sale_while_it_lasts)
{
    struct item item = item_named("a", 500);

    CHECK_INT(catalog_price(&item, 10), 500);
    item.sale_minor = 300;
    CHECK_INT(catalog_price(&item, 10), 300);
    item.sale_from_ms = 20;
    item.sale_to_ms = 30;
    CHECK_INT(catalog_price(&item, 19), 500);
    CHECK_INT(catalog_price(&item, 20), 300);
    CHECK_INT(catalog_price(&item, 30), 500);
}

/* The newest by a sort of everything and by the kept list are the same, also after changes. */
PROPERTY(catalog_newest_is_the_head_of_a_sort)
{
    struct publish *publish = publish_open();
    struct catalog *catalog = catalog_open(tenant, publish);
    size_t n = 1 + rng_below(rng, 40);
    const struct item *few[10], *all[600];

    for (size_t i = 0; i < n * 2; i++) {
        char id[16];
        struct item item;

        snprintf(id, sizeof(id), "i%d", (int)rng_below(rng, n));
        item = item_named(id, i + 1);
        item.added_ms = (int64_t)rng_below(rng, 5);
        item.is_available = rng_below(rng, 4) != 0;
        CHECK_OK(catalog_put_item(catalog, &item));
        if (rng_coin(rng)) {
            size_t few_n = catalog_newest(catalog, 10, few), all_n = catalog_newest(catalog, 600, all);

            CHECK_INT(few_n, all_n < 10 ? all_n : 10);
            for (size_t j = 0; j < few_n; j++) {
                CHECK(few[j] == all[j]);
            }
            for (size_t j = 1; j < all_n; j++) {
                CHECK(all[j - 1]->added_ms > all[j]->added_ms ||
                      (all[j - 1]->added_ms == all[j]->added_ms &&
                       bytes_compare(all[j - 1]->id_text, all[j]->id_text) < 0));
            }
        }
    }
    catalog_close(catalog);
    publish_close(publish);
}

enum { SHARED_ITEMS = 500, SHARED_ROUNDS = 40 };

struct shared {
    struct catalog *catalog;
    struct publish *publish;
    struct item_id ids[SHARED_ITEMS];
    _Atomic uint64_t known_n; /* ids[0 .. known_n) were put before this was set */
    _Atomic uint64_t round;   /* every known item has at least this revision */
    atomic_bool is_over;
    atomic_int torn_n, lost_n, aged_n;
};

static void *read_all(void *ctx)
{
    struct shared *shared = ctx;
    unsigned slot = publish_slot(shared->publish);

    while (!atomic_load(&shared->is_over)) {
        uint64_t known_n = atomic_load(&shared->known_n), round = atomic_load(&shared->round);

        publish_enter(shared->publish, slot);
        for (uint64_t i = 0; i < known_n; i++) {
            const struct item *item = catalog_item(shared->catalog, shared->ids[i]);

            if (item == NULL) {
                atomic_fetch_add(&shared->lost_n, 1);
                continue;
            }
            atomic_fetch_add(&shared->torn_n, item->price_minor != (int64_t)item->revision);
            atomic_fetch_add(&shared->aged_n, item->revision < round);
        }
        publish_leave(shared->publish, slot);
    }
    publish_slot_free(shared->publish, slot);
    return NULL;
}

/* Readers beside a writer who adds, grows and replaces: nothing known is ever lost, torn or older than
 * promised. */
TEST(catalog_is_read_while_it_is_written)
{
    struct shared shared = {0};
    pthread_t readers[2];

    shared.publish = publish_open();
    shared.catalog = catalog_open(tenant, shared.publish);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(pthread_create(&readers[i], NULL, read_all, &shared));
    }
    for (uint64_t round = 1; round <= SHARED_ROUNDS; round++) {
        for (size_t i = 0; i < SHARED_ITEMS; i++) {
            char id[16];
            struct item item;

            snprintf(id, sizeof(id), "sku-%zu", i);
            item = item_named(id, round);
            CHECK_OK(catalog_put_item(shared.catalog, &item));
            if (round == 1) {
                shared.ids[i] = item.id;
                atomic_store(&shared.known_n, i + 1);
            }
        }
        atomic_store(&shared.round, round);
    }
    atomic_store(&shared.is_over, true);
    for (int i = 0; i < 2; i++) {
        pthread_join(readers[i], NULL);
    }
    CHECK_INT(atomic_load(&shared.lost_n), 0);
    CHECK_INT(atomic_load(&shared.torn_n), 0);
    CHECK_INT(atomic_load(&shared.aged_n), 0);
    CHECK_INT(catalog_items_n(shared.catalog), SHARED_ITEMS);
    catalog_close(shared.catalog);
    publish_close(shared.publish);
}
