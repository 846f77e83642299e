/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: rows that share a value in one field, or in two. Single values are looked at only where they are rare. */
#include "train/history.h"
#include "train/match_inside.h"

#include <stdlib.h>

enum { SINGLE_SHARE = 4 }; /* a block of one field may have this part of block_most */

struct key {
    uint64_t at;
    const uint32_t *codes; /* of the row: equal rows become neighbours */
    uint32_t row;
    uint32_t fields_n;
};

static int by_key(const void *a, const void *b)
{
    const struct key *x = a, *y = b;

    if (x->at != y->at) {
        return x->at > y->at ? 1 : -1;
    }
    for (uint32_t f = 0; f < x->fields_n; f++) {
        if (x->codes[f] != y->codes[f]) {
            return x->codes[f] > y->codes[f] ? 1 : -1;
        }
    }
    return (x->row > y->row) - (x->row < y->row);
}

struct gathering {
    uint64_t *pairs;
    size_t n, room, cut_n;
};

static void add(struct gathering *all, uint32_t a, uint32_t b)
{
    if (all->n == all->room) {
        all->room = all->room > 0 ? 2 * all->room : 4096;
        all->pairs = history_grow(all->pairs, all->room, sizeof(*all->pairs));
    }
    all->pairs[all->n++] = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void drop_repeats(struct gathering *all)
{
    size_t kept = 0;

    if (all->n == 0) {
        return;
    }
    qsort(all->pairs, all->n, sizeof(*all->pairs), ascending);
    for (size_t i = 0; i < all->n; i++) {
        if (i == 0 || all->pairs[i] != all->pairs[i - 1]) {
            all->pairs[kept++] = all->pairs[i];
        }
    }
    all->n = kept;
}

/* Pairs that blocks of at most `most` rows would give. */
static size_t count_pairs(const struct key *keys, size_t n, size_t most)
{
    size_t pairs = 0, end;

    for (size_t at = 0; at < n; at = end) {
        for (end = at; end < n && keys[end].at == keys[at].at; end++) {
        }
        pairs += end - at <= most || end - at <= MATCH_WINDOW ? (end - at) * (end - at - 1) / 2 : (end - at - 1) * MATCH_WINDOW;
    }
    return pairs;
}

static size_t take_keys(const struct match_rows *rows, size_t f, size_t g, struct key *keys)
{
    size_t fields_n = rows->table->fields_n, n = 0;

    for (size_t i = 0; i < rows->table->rows_n; i++) {
        const uint32_t *codes = rows->code + i * fields_n;

        if (codes[f] != 0 && codes[g] != 0 && rows->count[f][codes[f]] > 1 && rows->count[g][codes[g]] > 1) {
            keys[n++] = (struct key){(uint64_t)codes[f] << 32 | codes[g], codes, (uint32_t)i, (uint32_t)fields_n};
        }
    }
    if (n > 0) {
        qsort(keys, n, sizeof(*keys), by_key);
    }
    return n;
}

/* Pairs of the rows that share fields f and g (f == g: one field); at most pairs_most, or none at all. */
static void block(const struct match_rows *rows, size_t f, size_t g, size_t pairs_most, struct key *keys, struct gathering *all)
{
    size_t most = f == g ? rows->options->block_most / SINGLE_SHARE : rows->options->block_most;
    size_t n = take_keys(rows, f, g, keys), end;

    while (most > 1 && count_pairs(keys, n, most) > pairs_most) {
        most /= 2;
    }
    if (count_pairs(keys, n, most) > pairs_most) {
        all->cut_n++;
        return;
    }
    for (size_t at = 0; at < n; at = end) {
        for (end = at; end < n && keys[end].at == keys[at].at; end++) {
        }
        all->cut_n += end - at > most;
        for (size_t i = at; i < end; i++) {
            size_t to = end - at > most && i + MATCH_WINDOW + 1 < end ? i + MATCH_WINDOW + 1 : end;

            for (size_t j = i + 1; j < to; j++) {
                add(all, keys[i].row, keys[j].row);
            }
        }
    }
}

uint64_t *match_block(const struct match_rows *rows, size_t *out_n, size_t *out_cut_n)
{
    size_t fields_n = rows->table->fields_n;
    struct key *keys = history_grow(NULL, rows->table->rows_n + 1, sizeof(*keys));
    struct gathering all = {0};

    for (size_t f = 0; f < fields_n; f++) {
        for (size_t g = f; g < fields_n; g++) {
            block(rows, f, g, (rows->options->pairs_most - all.n) / 2, keys, &all); /* something is left for the next */
        }
        drop_repeats(&all);
    }
    free(keys);
    *out_n = all.n;
    *out_cut_n = all.cut_n;
    return all.pairs;
}
