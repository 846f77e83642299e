/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/forgotten.h"

#include "base/pack.h"
#include "storage/storage_wait.h"

#include <assert.h>
#include <stdlib.h>

enum { ROWS = 1000, PUTS_MOST = 256 };

static int by_owner(const void *a, const void *b)
{
    const struct forgotten *x = a, *y = b;

    return (x->owner > y->owner) - (x->owner < y->owner);
}

enum err forgotten_read(struct storage *storage, struct loop *loop, struct tenant_id tenant, struct arena *arena,
                        const struct forgotten **out_forgotten, size_t *out_n)
{
    struct forgotten *all = NULL;
    size_t n = 0, room = 0;
    uint64_t since = 0;

    for (;;) {
        const struct storage_row *rows;
        size_t rows_n = 0;
        enum err err = storage_wait_changes(storage, loop, tenant, STORAGE_FORGOTTEN, since, ROWS, arena, &rows, &rows_n);

        if (err != ERR_OK) {
            return err;
        }
        if (n + rows_n > room) {
            struct forgotten *grown = arena_array(arena, 2 * (n + rows_n), sizeof(*grown));

            if (grown == NULL) {
                return ERR_NOMEM;
            }
            if (n > 0) {
                memcpy(grown, all, n * sizeof(*grown));
            }
            room = 2 * (n + rows_n);
            all = grown;
        }
        for (size_t i = 0; i < rows_n; i++) {
            since = rows[i].revision;
            if (rows[i].id.n == 8 && rows[i].row.n == 8) {
                all[n++] = (struct forgotten){get_be64((const uint8_t *)rows[i].id.p),
                                              (int64_t)get_be64((const uint8_t *)rows[i].row.p)};
            }
        }
        if (rows_n < ROWS) {
            break;
        }
    }
    if (n > 0) {
        qsort(all, n, sizeof(*all), by_owner);
    }
    *out_forgotten = all;
    *out_n = n;
    return ERR_OK;
}

static enum err put(struct storage *storage, struct loop *loop, struct tenant_id tenant, const uint64_t *owners, size_t n,
                    const uint8_t *row, size_t row_n)
{
    struct storage_put puts[PUTS_MOST];
    uint8_t ids[PUTS_MOST][8];
    uint64_t revisions[PUTS_MOST];

    assert(n <= PUTS_MOST);
    for (size_t i = 0; i < n; i++) {
        put_be64(ids[i], owners[i]);
        puts[i] = (struct storage_put){.id = {(const char *)ids[i], 8}, .row = {(const char *)row, row_n}};
    }
    return n == 0 ? ERR_OK : storage_wait_put(storage, loop, tenant, STORAGE_FORGOTTEN, puts, n, revisions);
}

enum err forgotten_put(struct storage *storage, struct loop *loop, struct tenant_id tenant, const uint64_t *owners, size_t n,
                       int64_t at_ms)
{
    uint8_t row[8];

    put_be64(row, (uint64_t)at_ms);
    return put(storage, loop, tenant, owners, n, row, sizeof(row));
}

enum err forgotten_drop(struct storage *storage, struct loop *loop, struct tenant_id tenant, uint64_t owner)
{
    return put(storage, loop, tenant, &owner, 1, NULL, 0);
}
