/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/read_history.h"

#include "base/hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t read_history_key(const struct event_identifier *identifiers, size_t n)
{
    uint64_t key;

    if (n == 0) {
        return 0;
    }
    key = hash_fast(identifiers[0].value.p, identifiers[0].value.n, (uint64_t)identifiers[0].kind);
    return key != 0 ? key : 1;
}

struct reading {
    struct history history;
    struct read_names names;
    bool has_names;
};

static void keep_name(struct read_names *names, uint64_t key, const struct event_identifier *identifier)
{
    struct read_name *name;

    if (names->n > 0 && names->at[names->n - 1].key == key) {
        return;
    }
    if (names->n == names->room) {
        names->room = names->room > 0 ? 2 * names->room : 1024;
        names->at = history_grow(names->at, names->room, sizeof(*names->at));
    }
    name = &names->at[names->n++];
    *name = (struct read_name){.key = key, .kind = identifier->kind};
    (void)snprintf(name->value, sizeof(name->value), "%.*s", (int)identifier->value.n, identifier->value.p);
}

static int name_order(const void *a, const void *b)
{
    const struct read_name *x = a, *y = b;

    return (x->key > y->key) - (x->key < y->key);
}

static void sort_names(struct read_names *names)
{
    size_t kept = 0;

    if (names->n > 0) {
        qsort(names->at, names->n, sizeof(*names->at), name_order);
    }
    for (size_t i = 0; i < names->n; i++) {
        if (kept == 0 || names->at[i].key != names->at[kept - 1].key) {
            names->at[kept++] = names->at[i];
        }
    }
    names->n = kept;
}

void read_names_close(struct read_names *names)
{
    free(names->at);
    *names = (struct read_names){0};
}

const struct read_name *read_name_of(const struct read_names *names, uint64_t key)
{
    struct read_name wanted = {.key = key};
    const struct read_name *found = bsearch(&wanted, names->at, names->n, sizeof(wanted), name_order);

    assert(found != NULL);
    return found;
}

static enum err take_receipt(void *ctx, const struct import_receipt *receipt, struct why *why)
{
    uint64_t key = read_history_key(receipt->event->identifiers, receipt->event->identifiers_n);
    struct reading *reading = ctx;

    (void)why;
    if (key != 0) {
        history_add(&reading->history, key, receipt->event);
    }
    if (key != 0 && reading->has_names) {
        keep_name(&reading->names, key, &receipt->event->identifiers[0]);
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
        history_fact_put(&((struct reading *)ctx)->history, name, key, customer->facts[i].value);
    }
    return ERR_OK;
}

static enum err take_item(void *ctx, const struct item *item, uint64_t row, struct why *why)
{
    (void)row;
    (void)why;
    content_add(&((struct reading *)ctx)->history, item);
    return ERR_OK;
}

/* A file beside the lines that the map names; ERR_OK where there is none: reports then have no groups by fact, new items no
 * kin. */
static enum err read_beside(const struct import_map *map, enum import_section section, const char *lines_path,
                            const struct import_item_options *options, struct why *why)
{
    struct import_counts counts;
    struct arena arena;
    const char *path;
    enum err err;

    if (!map->sheets[section].is_given) {
        return ERR_OK;
    }
    arena_open(&arena, 4096, 65536);
    err = import_read_sibling(map, section, lines_path, &arena, &path, why);
    if (err == ERR_OK) {
        err = import_read_items(map, section, path, options, NULL, NULL, &counts, why);
    }
    arena_close(&arena);
    return err == ERR_ABSENT ? ERR_OK : err;
}

enum err read_history(const struct import_map *map, const char *lines_path, struct tenant_id tenant,
                      struct history *out_history, struct read_names *out_names, struct import_counts *out_counts,
                      struct why *why)
{
    struct reading reading = {.history = {.tenant = tenant}, .has_names = out_names != NULL};
    struct import_receipt_options receipts = {.tenant = tenant, .receipt = take_receipt, .ctx = &reading};
    struct import_item_options customers = {.tenant = tenant, .customer = take_customer, .ctx = &reading};
    struct import_item_options items = {.tenant = tenant, .item = take_item, .ctx = &reading};
    enum err err = import_read_receipts(map, lines_path, &receipts, NULL, NULL, out_counts, why);

    if (err == ERR_OK) {
        history_sort(&reading.history);
        sort_names(&reading.names);
        err = read_beside(map, IMPORT_CUSTOMERS, lines_path, &customers, why);
    }
    if (err == ERR_OK) {
        err = read_beside(map, IMPORT_ITEMS, lines_path, &items, why);
    }
    if (err != ERR_OK) {
        history_close(&reading.history);
        read_names_close(&reading.names);
        return err;
    }
    *out_history = reading.history;
    if (out_names != NULL) {
        *out_names = reading.names;
    }
    return ERR_OK;
}
