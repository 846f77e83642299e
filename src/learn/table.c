/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/table.h"

#include <assert.h>

static size_t slots_of(size_t most)
{
    size_t n = 8;

    while (n / 8 * 7 < most) {
        n *= 2;
    }
    return n;
}

size_t table_bytes(size_t most)
{
    return slots_of(most) * sizeof(struct table_entry);
}

struct table table_open(size_t most, void *p)
{
    return (struct table){.at = p, .mask = slots_of(most) - 1};
}

static struct table_entry *place_of(const struct table *table, uint64_t key)
{
    size_t at = (size_t)key & table->mask;

    assert(key != 0);
    while (table->at[at].key != 0 && table->at[at].key != key) {
        at = (at + 1) & table->mask;
    }
    return &table->at[at];
}

uint64_t *table_find(const struct table *table, uint64_t key)
{
    struct table_entry *entry = place_of(table, key);

    return entry->key != 0 ? &entry->value : NULL;
}

uint64_t *table_put(struct table *table, uint64_t key)
{
    struct table_entry *entry = place_of(table, key);

    if (entry->key == 0) {
        if (table->n == (table->mask + 1) / 8 * 7) {
            return NULL;
        }
        table->n++;
        entry->key = key;
    }
    return &entry->value;
}
