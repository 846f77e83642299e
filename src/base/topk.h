/* SPDX-License-Identifier: Apache-2.0 */
/* topk.h - the best few of many scores, in a fixed order: higher score first, of equal scores the smaller item.
 *
 *     keep:  struct topk best = topk_of(room, k);  topk_offer(&best, score, item) ...;  topk_sort(&best)
 *     order: topk_heap(entries, n);  while (n > 0) { x = topk_pop(entries, &n); ... }      lazily, best first
 * A score that is not a number is worth nothing: it is never taken in. Cost: offer O(log k), heap O(n), pop O(log n). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct topk_entry {
    float score;
    uint32_t item;
};

struct topk {
    struct topk_entry *at; /* room for k; a heap with the worst first until topk_sort */
    size_t n, k;
};

static inline bool topk_is_before(struct topk_entry a, struct topk_entry b)
{
    return a.score > b.score || (a.score == b.score && a.item < b.item);
}

static inline struct topk topk_of(struct topk_entry *room, size_t k)
{
    return (struct topk){room, 0, k};
}
void topk_offer(struct topk *best, float score, uint32_t item);
/* Best first. */
void topk_sort(struct topk *best);

void topk_heap(struct topk_entry *entries, size_t n);
/* Takes the best of n > 0 out. NaN comes last. */
struct topk_entry topk_pop(struct topk_entry *entries, size_t *n);
