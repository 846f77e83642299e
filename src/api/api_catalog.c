/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_catalog.h"

#include "catalog/item_json.h"

#include <assert.h>

static enum err apply_item(struct catalog *catalog, struct tenant_id tenant, const struct storage_row *row,
                           struct arena *arena)
{
    struct item item = {0};
    enum err err = item_json_stored(tenant, row->id, row->row, row->revision, arena, &item);

    return err == ERR_OK ? catalog_put_item(catalog, &item) : err;
}

static enum err apply_store(struct catalog *catalog, struct tenant_id tenant, const struct storage_row *row,
                            struct arena *arena)
{
    struct store store = {0};
    enum err err = store_json_stored(tenant, row->id, row->row, row->revision, arena, &store);

    return err == ERR_OK ? catalog_put_store(catalog, &store) : err;
}

static enum err apply_stock(struct catalog *catalog, const struct storage_row *row)
{
    struct stock_row stock;

    if (!stock_row_decode(row->id, row->row, &stock)) {
        return ERR_CORRUPT;
    }
    return catalog_put_stock(catalog, stock.store, stock.item, stock.milli, stock.at_ms, row->revision);
}

enum err api_catalog_apply(struct catalog *catalog, struct tenant_id tenant, enum storage_table table,
                           const struct storage_row *row, struct arena *arena)
{
    if (table == STORAGE_ITEM) {
        return apply_item(catalog, tenant, row, arena);
    }
    if (table == STORAGE_STORE) {
        return apply_store(catalog, tenant, row, arena);
    }
    assert(table == STORAGE_STOCK);
    return apply_stock(catalog, row);
}
