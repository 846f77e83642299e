/* SPDX-License-Identifier: Apache-2.0 */
#include "base/topk.h"

#include <assert.h>

static void swap(struct topk_entry *a, struct topk_entry *b)
{
    struct topk_entry was = *a;

    *a = *b;
    *b = was;
}

/* Restores a heap whose root is the entry that comes last. */
static void sink_worst(struct topk_entry *at, size_t n, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= n) {
            return;
        }
        if (child + 1 < n && topk_is_before(at[child], at[child + 1])) {
            child++;
        }
        if (!topk_is_before(at[i], at[child])) {
            return;
        }
        swap(&at[i], &at[child]);
        i = child;
    }
}

void topk_offer(struct topk *best, float score, uint32_t item)
{
    struct topk_entry entry = {score, item};

    if (score != score || best->k == 0) {
        return;
    }
    if (best->n == best->k) {
        if (topk_is_before(entry, best->at[0])) {
            best->at[0] = entry;
            sink_worst(best->at, best->n, 0);
        }
        return;
    }
    best->at[best->n] = entry;
    for (size_t i = best->n++; i > 0 && topk_is_before(best->at[(i - 1) / 2], best->at[i]); i = (i - 1) / 2) {
        swap(&best->at[(i - 1) / 2], &best->at[i]);
    }
}

void topk_sort(struct topk *best)
{
    for (size_t n = best->n; n > 1; n--) {
        swap(&best->at[0], &best->at[n - 1]);
        sink_worst(best->at, n - 1, 0);
    }
}

static void sink_best(struct topk_entry *at, size_t n, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= n) {
            return;
        }
        if (child + 1 < n && topk_is_before(at[child + 1], at[child])) {
            child++;
        }
        if (!topk_is_before(at[child], at[i])) {
            return;
        }
        swap(&at[i], &at[child]);
        i = child;
    }
}

void topk_heap(struct topk_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (entries[i].score != entries[i].score) {
            entries[i].score = -__builtin_inff();
        }
    }
    for (size_t i = n / 2; i > 0; i--) {
        sink_best(entries, n, i - 1);
    }
}

struct topk_entry topk_pop(struct topk_entry *entries, size_t *n)
{
    struct topk_entry best;

    assert(*n > 0);
    best = entries[0];
    entries[0] = entries[--*n];
    sink_best(entries, *n, 0);
    return best;
}
