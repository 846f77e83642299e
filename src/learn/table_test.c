/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/table.h"

#include "base/test.h"

#include <stdlib.h>

TEST(table_says_when_it_is_full)
{
    void *p = calloc(1, table_bytes(7));
    struct table table = table_open(7, p);

    for (uint64_t key = 1; key <= 7; key++) {
        *table_put(&table, key) = key;
    }
    CHECK(table_put(&table, 8) == NULL);
    CHECK_INT(*table_put(&table, 7), 7);
    CHECK(table_find(&table, 8) == NULL);
    free(p);
}

PROPERTY(table_is_a_map)
{
    enum { KEYS = 40 };
    void *p = calloc(1, table_bytes(KEYS));
    struct table table = table_open(KEYS, p);
    uint64_t wanted[KEYS + 1] = {0};

    for (size_t i = 0; i < 200; i++) {
        uint64_t key = 1 + rng_below(rng, KEYS), hashed = key << 3; /* many share their low bits */
        uint64_t *value = rng_coin(rng) ? table_put(&table, hashed) : table_find(&table, hashed);

        if (value != NULL) {
            CHECK_INT(*value, wanted[key]);
            *value = wanted[key] = rng_next(rng);
        } else {
            CHECK_INT(wanted[key], 0);
        }
    }
    free(p);
}
