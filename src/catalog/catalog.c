/* SPDX-License-Identifier: Apache-2.0 */
/* Three open-addressing tables (items, stores, stock) of pointers to records. A record of an item or store
 * never changes: a writer makes a new one, swaps the cell by a release store and retires the old
 * (base/publish.h). A cell once taken keeps its key for ever (a deleted item is a record with an empty
 * json, which also remembers the revision), so probing needs no tombstones and a reader beside a writer
 * sees the old record or the new, never neither. A full table is copied into one twice as large, and
 * published whole.
 *
 * Stock changes by the thousand: its record stays and the number in it is atomic.
 *
 * The list of the newest items holds ids, not pointers, and the change count it was made at; whoever finds
 * it old makes it anew, one at a time, the others go on with the old one. */
#include "catalog/catalog.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { CELLS_FIRST = 64, NEWEST_KEPT = 512 };

struct record {         /* the common beginning of what cells point to */
    uint64_t key, key2; /* item, 0; store, 0; store, item */
    uint64_t revision;
};

struct item_record {
    struct record head;
    struct item item;
    char text[];
};

struct store_record {
    struct record head;
    struct store store;
    char text[];
};

struct stock_record {
    struct record head; /* its revision: the writer's only */
    _Atomic int64_t milli, at_ms;
};

struct table {
    size_t cells_n; /* a power of two */
    _Atomic(struct record *) cells[];
};

struct map {
    _Atomic(struct table *) table;
    size_t taken_n; /* cells in use: the writer's only */
    atomic_size_t living_n;
};

struct newest {
    uint64_t changes;
    size_t n;
    struct item_id ids[NEWEST_KEPT];
};

struct catalog {
    struct tenant_id tenant;
    struct publish *publish;
    struct map items, stores, stock;
    pthread_mutex_t writer;
    pthread_mutex_t newest_maker;
    _Atomic uint64_t changes; /* of items */
    _Atomic(struct newest *) newest;
};

/* ---- tables ---- */

/* Ids are hashes already; the multiplication mixes the pair of a stock key. */
static size_t first_cell(const struct table *table, uint64_t key, uint64_t key2)
{
    uint64_t mixed = (key ^ (key2 * UINT64_C(0x9e3779b97f4a7c15))) * UINT64_C(0xd6e8feb86659fd93);

    return (size_t)(mixed >> 32) & (table->cells_n - 1);
}

static struct table *table_new(size_t cells_n)
{
    struct table *table = malloc(sizeof(*table) + cells_n * sizeof(table->cells[0]));

    if (table == NULL) {
        return NULL;
    }
    table->cells_n = cells_n;
    for (size_t i = 0; i < cells_n; i++) {
        atomic_init(&table->cells[i], NULL);
    }
    return table;
}

/* The cell of the key, or the empty one where it would lie; there always is an empty cell. */
static _Atomic(struct record *) *cell_of(struct table *table, uint64_t key, uint64_t key2)
{
    for (size_t i = first_cell(table, key, key2);; i = (i + 1) & (table->cells_n - 1)) {
        struct record *record = atomic_load_explicit(&table->cells[i], memory_order_acquire);

        if (record == NULL || (record->key == key && record->key2 == key2)) {
            return &table->cells[i];
        }
    }
}

static struct table *table_of(const struct map *map)
{
    return atomic_load_explicit(&map->table, memory_order_acquire);
}

static struct record *find(const struct map *map, uint64_t key, uint64_t key2)
{
    return atomic_load_explicit(cell_of(table_of(map), key, key2), memory_order_acquire);
}

static void map_open(struct map *map)
{
    struct table *table = table_new(CELLS_FIRST);

    if (table == NULL) {
        abort();
    }
    atomic_init(&map->table, table);
    atomic_init(&map->living_n, 0);
    map->taken_n = 0;
}

static void map_close(struct map *map)
{
    struct table *table = table_of(map);

    for (size_t i = 0; i < table->cells_n; i++) {
        free(atomic_load(&table->cells[i]));
    }
    free(table);
}

/* Makes room for one key more; at most 7 of 10 cells are taken. Writer only. */
static enum err map_grow(struct map *map, struct publish *publish)
{
    struct table *old = table_of(map), *bigger;

    if ((map->taken_n + 1) * 10 <= old->cells_n * 7) {
        return ERR_OK;
    }
    bigger = table_new(old->cells_n * 2);
    if (bigger == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < old->cells_n; i++) {
        struct record *record = atomic_load_explicit(&old->cells[i], memory_order_relaxed);

        if (record != NULL) {
            atomic_store_explicit(cell_of(bigger, record->key, record->key2), record, memory_order_relaxed);
        }
    }
    atomic_store_explicit(&map->table, bigger, memory_order_release);
    publish_retire(publish, old, free);
    return ERR_OK;
}

/* Puts the record in the place of `old` (NULL: a new key). Writer only; room was made. */
static void map_swap(struct map *map, struct publish *publish, struct record *record, struct record *old)
{
    atomic_store_explicit(cell_of(table_of(map), record->key, record->key2), record, memory_order_release);
    if (old != NULL) {
        publish_retire(publish, old, free);
    } else {
        map->taken_n++;
    }
}

/* ---- open and close ---- */

struct catalog *catalog_open(struct tenant_id tenant, struct publish *publish)
{
    struct catalog *catalog = malloc(sizeof(*catalog));

    if (catalog == NULL) {
        abort();
    }
    catalog->tenant = tenant;
    catalog->publish = publish;
    map_open(&catalog->items);
    map_open(&catalog->stores);
    map_open(&catalog->stock);
    pthread_mutex_init(&catalog->writer, NULL);
    pthread_mutex_init(&catalog->newest_maker, NULL);
    atomic_init(&catalog->changes, 1);
    atomic_init(&catalog->newest, NULL);
    return catalog;
}

void catalog_close(struct catalog *catalog)
{
    if (catalog == NULL) {
        return;
    }
    map_close(&catalog->items);
    map_close(&catalog->stores);
    map_close(&catalog->stock);
    free(atomic_load(&catalog->newest));
    pthread_mutex_destroy(&catalog->writer);
    pthread_mutex_destroy(&catalog->newest_maker);
    free(catalog);
}

/* ---- reading ---- */

static const struct item *item_of(const struct record *record)
{
    const struct item_record *held = (const void *)record;

    return record == NULL || held->item.json.n == 0 ? NULL : &held->item;
}

static const struct store *store_of(const struct record *record)
{
    const struct store_record *held = (const void *)record;

    return record == NULL || held->store.json.n == 0 ? NULL : &held->store;
}

const struct item *catalog_item(const struct catalog *catalog, struct item_id id)
{
    return item_of(find(&catalog->items, id.v, 0));
}

const struct store *catalog_store(const struct catalog *catalog, struct store_id id)
{
    return store_of(find(&catalog->stores, id.v, 0));
}

bool catalog_stock(const struct catalog *catalog, struct store_id store, struct item_id item,
                   int64_t *out_milli)
{
    struct stock_record *record = (void *)find(&catalog->stock, store.v, item.v);

    if (record == NULL) {
        return false;
    }
    *out_milli = atomic_load_explicit(&record->milli, memory_order_acquire);
    return true;
}

bool catalog_stock_at(const struct catalog *catalog, struct store_id store, struct item_id item,
                      int64_t *out_at_ms)
{
    struct stock_record *record = (void *)find(&catalog->stock, store.v, item.v);

    if (record == NULL) {
        return false;
    }
    *out_at_ms = atomic_load_explicit(&record->at_ms, memory_order_acquire);
    return true;
}

bool catalog_is_clash(const struct catalog *catalog, struct item_id id, struct bytes id_text)
{
    const struct item_record *record = (void *)find(&catalog->items, id.v, 0);

    return record != NULL && !bytes_equal(record->item.id_text, id_text);
}

bool catalog_is_store_clash(const struct catalog *catalog, struct store_id id, struct bytes id_text)
{
    const struct store_record *record = (void *)find(&catalog->stores, id.v, 0);

    return record != NULL && !bytes_equal(record->store.id_text, id_text);
}

void catalog_each_stock(const struct catalog *catalog,
                        bool (*each)(void *ctx, struct store_id store, struct item_id item, int64_t milli,
                                     int64_t at_ms),
                        void *ctx)
{
    struct table *table = table_of(&catalog->stock);

    for (size_t i = 0; i < table->cells_n; i++) {
        struct stock_record *record = (void *)atomic_load_explicit(&table->cells[i], memory_order_acquire);

        if (record != NULL &&
            !each(ctx, (struct store_id){record->head.key}, (struct item_id){record->head.key2},
                  atomic_load(&record->milli), atomic_load(&record->at_ms))) {
            return;
        }
    }
}

size_t catalog_items_n(const struct catalog *catalog)
{
    return atomic_load(&catalog->items.living_n);
}

size_t catalog_stores_n(const struct catalog *catalog)
{
    return atomic_load(&catalog->stores.living_n);
}

void catalog_each_item(const struct catalog *catalog, bool (*each)(void *ctx, const struct item *item),
                       void *ctx)
{
    struct table *table = table_of(&catalog->items);

    for (size_t i = 0; i < table->cells_n; i++) {
        const struct item *item = item_of(atomic_load_explicit(&table->cells[i], memory_order_acquire));

        if (item != NULL && !each(ctx, item)) {
            return;
        }
    }
}

void catalog_each_store(const struct catalog *catalog, bool (*each)(void *ctx, const struct store *store),
                        void *ctx)
{
    struct table *table = table_of(&catalog->stores);

    for (size_t i = 0; i < table->cells_n; i++) {
        const struct store *store = store_of(atomic_load_explicit(&table->cells[i], memory_order_acquire));

        if (store != NULL && !each(ctx, store)) {
            return;
        }
    }
}

int64_t catalog_price(const struct item *item, int64_t now_ms)
{
    bool is_on_sale = item->sale_minor >= 0 && now_ms >= item->sale_from_ms &&
                      (item->sale_to_ms == 0 || now_ms < item->sale_to_ms);

    return is_on_sale ? item->sale_minor : item->price_minor;
}

/* ---- the newest ---- */

static bool is_newer(const struct item *a, const struct item *b)
{
    if (a->added_ms != b->added_ms) {
        return a->added_ms > b->added_ms;
    }
    return bytes_compare(a->id_text, b->id_text) < 0;
}

struct best { /* a heap whose root is the oldest of the newest */
    const struct item **items;
    size_t n, most;
};

static void sift_down(struct best *best, size_t i)
{
    for (;;) {
        size_t oldest = i, left = 2 * i + 1;

        for (size_t child = left; child < left + 2 && child < best->n; child++) {
            if (is_newer(best->items[oldest], best->items[child])) {
                oldest = child;
            }
        }
        if (oldest == i) {
            return;
        }
        const struct item *swapped = best->items[i];

        best->items[i] = best->items[oldest];
        best->items[oldest] = swapped;
        i = oldest;
    }
}

static bool consider(void *ctx, const struct item *item)
{
    struct best *best = ctx;

    if (!item->is_available || item->is_hidden) {
        return true;
    }
    if (best->n < best->most) {
        size_t i = best->n++;

        best->items[i] = item;
        while (i > 0 && is_newer(best->items[(i - 1) / 2], best->items[i])) {
            best->items[i] = best->items[(i - 1) / 2];
            best->items[(i - 1) / 2] = item;
            i = (i - 1) / 2;
        }
    } else if (is_newer(item, best->items[0])) {
        best->items[0] = item;
        sift_down(best, 0);
    }
    return true;
}

static size_t select_newest(const struct catalog *catalog, size_t n, const struct item **out_items)
{
    struct best best = {.items = out_items, .most = n};
    size_t found;

    if (n == 0) {
        return 0;
    }
    catalog_each_item(catalog, consider, &best);
    found = best.n;
    while (best.n > 1) { /* the heap is emptied from its end: newest first */
        const struct item *oldest = best.items[0];

        best.items[0] = best.items[--best.n];
        best.items[best.n] = oldest;
        sift_down(&best, 0);
    }
    return found;
}

/* Makes the list for others to come. Whoever finds another at it leaves it be. */
static void refresh_newest(struct catalog *catalog)
{
    struct newest *made;
    const struct item **items;

    if (pthread_mutex_trylock(&catalog->newest_maker) != 0) {
        return;
    }
    made = malloc(sizeof(*made));
    items = malloc(NEWEST_KEPT * sizeof(items[0]));
    if (made != NULL && items != NULL) {
        struct newest *old;

        made->changes =
            atomic_load(&catalog->changes); /* before the walk: a change beside it makes the list old */
        made->n = select_newest(catalog, NEWEST_KEPT, items);
        for (size_t i = 0; i < made->n; i++) {
            made->ids[i] = items[i]->id;
        }
        old = atomic_exchange(&catalog->newest, made);
        if (old != NULL) {
            publish_retire(catalog->publish, old, free);
        }
    } else {
        free(made);
    }
    free(items);
    pthread_mutex_unlock(&catalog->newest_maker);
}

size_t catalog_newest(const struct catalog *catalog, size_t n, const struct item **out_items)
{
    const struct newest *newest;
    size_t found = 0;

    if (n > NEWEST_KEPT) {
        return select_newest(catalog, n, out_items);
    }
    newest = atomic_load(&catalog->newest);
    if (newest == NULL || newest->changes != atomic_load(&catalog->changes)) {
        union {
            const struct catalog *read;
            struct catalog *made;
        } same = {catalog}; /* a cache behind a const face: nothing a reader sees changes by it */

        refresh_newest(same.made);
        newest = atomic_load(&catalog->newest);
    }
    if (newest == NULL) {
        return select_newest(catalog, n, out_items);
    }
    for (size_t i = 0; i < newest->n && found < n; i++) {
        const struct item *item = catalog_item(catalog, newest->ids[i]);

        if (item != NULL && item->is_available && !item->is_hidden) {
            out_items[found++] = item;
        }
    }
    return found;
}

/* ---- writing ---- */

static struct bytes copy_text(char **at, struct bytes from)
{
    struct bytes copied = {*at, from.n};

    if (from.n > 0) {
        memcpy(*at, from.p, from.n);
    }
    *at += from.n;
    return copied;
}

static struct item_record *item_copy(const struct item *item)
{
    size_t n = item->id_text.n + item->group.n + item->title.n + item->brand.n + item->url.n + item->image.n +
               item->json.n;
    struct item_record *record;
    char *at;

    assert(item->category_n <= ITEM_CATEGORIES_MAX);
    for (size_t i = 0; i < item->category_n; i++) {
        n += item->category[i].n;
    }
    record = malloc(sizeof(*record) + n);
    if (record == NULL) {
        return NULL;
    }
    record->head = (struct record){item->id.v, 0, item->revision};
    record->item = *item;
    at = record->text;
    record->item.id_text = copy_text(&at, item->id_text);
    record->item.group = copy_text(&at, item->group);
    record->item.title = copy_text(&at, item->title);
    record->item.brand = copy_text(&at, item->brand);
    record->item.url = copy_text(&at, item->url);
    record->item.image = copy_text(&at, item->image);
    record->item.json = copy_text(&at, item->json);
    for (size_t i = 0; i < item->category_n; i++) {
        record->item.category[i] = copy_text(&at, item->category[i]);
    }
    return record;
}

enum err catalog_put_item(struct catalog *catalog, const struct item *item)
{
    struct record *old;
    struct item_record *record = NULL;
    enum err err;

    assert(item->id.v != 0);
    pthread_mutex_lock(&catalog->writer);
    old = find(&catalog->items, item->id.v, 0);
    if (old != NULL && !bytes_equal(((struct item_record *)(void *)old)->item.id_text, item->id_text)) {
        err = ERR_CONFLICT;
    } else if (old != NULL && old->revision > item->revision) {
        err = ERR_STALE;
    } else {
        err = map_grow(&catalog->items, catalog->publish);
        record = err == ERR_OK ? item_copy(item) : NULL;
        err = record == NULL ? ERR_NOMEM : ERR_OK;
    }
    if (err == ERR_OK) {
        atomic_fetch_sub(&catalog->items.living_n, item_of(old) != NULL ? 1 : 0);
        atomic_fetch_add(&catalog->items.living_n, item_of(&record->head) != NULL ? 1 : 0);
        map_swap(&catalog->items, catalog->publish, &record->head, old);
        atomic_fetch_add(&catalog->changes, 1);
    }
    pthread_mutex_unlock(&catalog->writer);
    return err;
}

static struct store_record *store_copy(const struct store *store)
{
    size_t n = store->id_text.n + store->name.n + store->time_zone.n + store->country.n + store->postcode.n +
               store->city.n + store->json.n;
    struct store_record *record = malloc(sizeof(*record) + n);
    char *at;

    if (record == NULL) {
        return NULL;
    }
    record->head = (struct record){store->id.v, 0, store->revision};
    record->store = *store;
    at = record->text;
    record->store.id_text = copy_text(&at, store->id_text);
    record->store.name = copy_text(&at, store->name);
    record->store.time_zone = copy_text(&at, store->time_zone);
    record->store.country = copy_text(&at, store->country);
    record->store.postcode = copy_text(&at, store->postcode);
    record->store.city = copy_text(&at, store->city);
    record->store.json = copy_text(&at, store->json);
    return record;
}

enum err catalog_put_store(struct catalog *catalog, const struct store *store)
{
    struct record *old;
    struct store_record *record = NULL;
    enum err err;

    assert(store->id.v != 0);
    pthread_mutex_lock(&catalog->writer);
    old = find(&catalog->stores, store->id.v, 0);
    if (old != NULL && !bytes_equal(((struct store_record *)(void *)old)->store.id_text, store->id_text)) {
        err = ERR_CONFLICT;
    } else if (old != NULL && old->revision > store->revision) {
        err = ERR_STALE;
    } else {
        err = map_grow(&catalog->stores, catalog->publish);
        record = err == ERR_OK ? store_copy(store) : NULL;
        err = record == NULL ? ERR_NOMEM : ERR_OK;
    }
    if (err == ERR_OK) {
        atomic_fetch_sub(&catalog->stores.living_n, store_of(old) != NULL ? 1 : 0);
        atomic_fetch_add(&catalog->stores.living_n, store_of(&record->head) != NULL ? 1 : 0);
        map_swap(&catalog->stores, catalog->publish, &record->head, old);
    }
    pthread_mutex_unlock(&catalog->writer);
    return err;
}

/* Swaps the number of a known pair, else makes a record. Writer only. */
static enum err stock_set(struct catalog *catalog, struct record *old, struct record head, int64_t milli,
                          int64_t at_ms)
{
    struct stock_record *record = (void *)old;
    enum err err;

    if (record != NULL) {
        if (record->head.revision > head.revision) {
            return ERR_STALE;
        }
        record->head.revision = head.revision;
        atomic_store_explicit(&record->milli, milli, memory_order_release);
        atomic_store_explicit(&record->at_ms, at_ms, memory_order_release);
        return ERR_OK;
    }
    err = map_grow(&catalog->stock, catalog->publish);
    record = err == ERR_OK ? malloc(sizeof(*record)) : NULL;
    if (record == NULL) {
        return ERR_NOMEM;
    }
    record->head = head;
    atomic_init(&record->milli, milli);
    atomic_init(&record->at_ms, at_ms);
    map_swap(&catalog->stock, catalog->publish, &record->head, NULL);
    return ERR_OK;
}

enum err catalog_put_stock(struct catalog *catalog, struct store_id store, struct item_id item, int64_t milli,
                           int64_t at_ms, uint64_t revision)
{
    enum err err;

    pthread_mutex_lock(&catalog->writer);
    err = stock_set(catalog, find(&catalog->stock, store.v, item.v),
                    (struct record){store.v, item.v, revision}, milli, at_ms);
    pthread_mutex_unlock(&catalog->writer);
    return err;
}
