/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/newcomers.h"

struct newcomer {
    uint64_t who[NEWCOMER_LEAST];
    uint64_t n;
};

static size_t table_part(size_t most)
{
    return (table_bytes(most) + 63) / 64 * 64;
}

size_t newcomers_bytes(size_t most)
{
    return table_part(most) + most * sizeof(struct newcomer);
}

struct newcomers newcomers_open(size_t most, void *p)
{
    return (struct newcomers){.table = table_open(most, p), .at = (struct newcomer *)(void *)((char *)p + table_part(most)), .most = most};
}

bool newcomers_met(struct newcomers *newcomers, struct item_id item, uint64_t who)
{
    uint64_t *place = table_find(&newcomers->table, item.v);
    struct newcomer *newcomer;

    if (place == NULL) {
        place = newcomers->n < newcomers->most ? table_put(&newcomers->table, item.v) : NULL;
        if (place == NULL) {
            return false;
        }
        *place = ++newcomers->n;
    }
    newcomer = &newcomers->at[*place - 1];
    for (uint64_t i = 0; i < newcomer->n; i++) {
        if (newcomer->who[i] == who) {
            return newcomer->n == NEWCOMER_LEAST;
        }
    }
    if (newcomer->n < NEWCOMER_LEAST) {
        newcomer->who[newcomer->n++] = who;
    }
    return newcomer->n == NEWCOMER_LEAST;
}
