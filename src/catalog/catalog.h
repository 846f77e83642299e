/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.h - one tenant's items, stores and stock, in memory on every node; readers never wait.
 *
 * Rows come from storage (tables item, store, stock) and from writers of this node, each with its
 * revision: an older revision of a thing never replaces a newer. Reading is between publish_enter and
 * publish_leave (base/publish.h); what is read lives until leave. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"
#include "base/publish.h"

enum { ITEM_CATEGORIES_MAX = 8 };

struct item {
    struct item_id id;
    uint64_t revision;
    struct bytes id_text, group, title; /* title: in the default language; never empty */
    struct bytes brand, url, image;
    struct bytes category[ITEM_CATEGORIES_MAX]; /* the path, outermost first */
    size_t category_n;
    int64_t price_minor;              /* -1: not said */
    int64_t sale_minor;               /* -1: no sale */
    int64_t sale_from_ms, sale_to_ms; /* in force from, 0: always; up to, not including, 0: no end */
    char currency[4];
    int64_t added_ms; /* 0: not said */
    bool is_available, is_hidden;
    struct bytes json; /* the object as kept, what GET gives */
};

struct store {
    struct store_id id;
    uint64_t revision;
    struct bytes id_text, name, time_zone, country, postcode, city;
    double lat, lon; /* NAN: not said */
    struct bytes json;
};

struct catalog;

/* Aborts when out of memory. */
struct catalog *catalog_open(struct tenant_id tenant, struct publish *publish);
void catalog_close(struct catalog *catalog);

/* ---- reading: between enter and leave ---- */
const struct item *catalog_item(const struct catalog *catalog, struct item_id id);    /* NULL: not named */
const struct store *catalog_store(const struct catalog *catalog, struct store_id id); /* NULL */
/* Pieces there (in 1/1000); false where nothing was said of that item in that store. */
bool catalog_stock(const struct catalog *catalog, struct store_id store, struct item_id item,
                   int64_t *out_milli);
/* When that was said, in ms; false as above. */
bool catalog_stock_at(const struct catalog *catalog, struct store_id store, struct item_id item,
                      int64_t *out_at_ms);
/* True when another id text already has this hash: such an item or store is refused (settled.md 2.8). */
bool catalog_is_clash(const struct catalog *catalog, struct item_id id, struct bytes id_text);
bool catalog_is_store_clash(const struct catalog *catalog, struct store_id id, struct bytes id_text);
size_t catalog_items_n(const struct catalog *catalog);
size_t catalog_stores_n(const struct catalog *catalog);
/* Walks items in no particular order; each gives false to stop. */
void catalog_each_item(const struct catalog *catalog, bool (*each)(void *ctx, const struct item *item),
                       void *ctx);
void catalog_each_store(const struct catalog *catalog, bool (*each)(void *ctx, const struct store *store),
                        void *ctx);
void catalog_each_stock(const struct catalog *catalog,
                        bool (*each)(void *ctx, struct store_id store, struct item_id item, int64_t milli,
                                     int64_t at_ms),
                        void *ctx);
/* The price at now_ms: that of the sale while it lasts; -1: not said. */
int64_t catalog_price(const struct item *item, int64_t now_ms);
/* The newest n available items by (added, then smaller id text): what is shown before anything is learnt. */
size_t catalog_newest(const struct catalog *catalog, size_t n, const struct item **out_items);

/* ---- writing: any thread, one at a time inside ---- */
/* Copies the thing in; an empty json means deleted. Errors: ERR_STALE, a newer revision is held;
 * ERR_CONFLICT, another id text has the same hash (settled.md 2.8); ERR_NOMEM. */
MUST_USE enum err catalog_put_item(struct catalog *catalog, const struct item *item);
MUST_USE enum err catalog_put_store(struct catalog *catalog, const struct store *store);
MUST_USE enum err catalog_put_stock(struct catalog *catalog, struct store_id store, struct item_id item,
                                    int64_t milli, int64_t at_ms, uint64_t revision);
