/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/read_history.h"

#include "base/hash.h"

#include <stdio.h>

uint64_t read_history_key(const struct event_identifier *identifiers, size_t n)
{
    uint64_t key;

    if (n == 0) {
        return 0;
    }
    key = hash_fast(identifiers[0].value.p, identifiers[0].value.n, (uint64_t)identifiers[0].kind);
    return key != 0 ? key : 1;
}

static enum err take_receipt(void *ctx, const struct import_receipt *receipt, struct why *why)
{
    uint64_t key = read_history_key(receipt->event->identifiers, receipt->event->identifiers_n);

    (void)why;
    if (key != 0) {
        history_add(ctx, key, receipt->event);
    }
    return ERR_OK;
}

static enum err take_customer(void *ctx, const struct import_customer *customer, uint64_t row, struct why *why)
{
    uint64_t key = read_history_key(customer->identifiers, customer->identifiers_n);
    char name[32];

    (void)row;
    (void)why;
    for (size_t i = 0; key != 0 && i < customer->facts_n; i++) {
        (void)snprintf(name, sizeof(name), "%.*s", (int)customer->facts[i].name.n, customer->facts[i].name.p);
        history_fact_put(ctx, name, key, customer->facts[i].value);
    }
    return ERR_OK;
}

enum err read_history(const struct import_map *map, const char *lines_path, struct tenant_id tenant,
                      struct history *out_history, struct import_counts *out_counts, struct why *why)
{
    struct history history = {.tenant = tenant};
    struct import_receipt_options receipts = {.tenant = tenant, .receipt = take_receipt, .ctx = &history};
    struct import_item_options customers = {.tenant = tenant, .customer = take_customer, .ctx = &history};
    struct import_counts counts;
    struct arena arena;
    const char *path;
    enum err err = import_read_receipts(map, lines_path, &receipts, NULL, NULL, out_counts, why);

    if (err != ERR_OK) {
        history_close(&history);
        return err;
    }
    history_sort(&history);
    arena_open(&arena, 4096, 65536);
    if (map->sheets[IMPORT_CUSTOMERS].is_given) {
        err = import_read_sibling(map, IMPORT_CUSTOMERS, lines_path, &arena, &path, why);
        if (err == ERR_OK) {
            err = import_read_items(map, IMPORT_CUSTOMERS, path, &customers, NULL, NULL, &counts, why);
        }
        err = err == ERR_ABSENT ? ERR_OK : err; /* reports then have no groups by fact */
    }
    arena_close(&arena);
    if (err != ERR_OK) {
        history_close(&history);
        return err;
    }
    *out_history = history;
    return ERR_OK;
}
