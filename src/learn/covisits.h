/* SPDX-License-Identifier: Apache-2.0 */
/* covisits.h - streaming counts of items seen together, forgetting slowly, in a room given once (models.md 18.3).
 *
 *     per item COVISIT_CELLS of { the other, count, people }, open addressing by a hash of the other, COVISIT_PROBES probes.
 *     Where all are taken the smallest goes and the newcomer inherits half of it (space-saving, so that a steady one gets in).
 *     people: a bit of 32 by each one's hash, so that at least as many different ones were there as bits are set. P7: what one
 *     did a hundred times says something of that one; a pair is told of from so many people on.
 * Counts halve every half-life without a sweep: what is added later weighs 2^(t / half-life); told counts are divided by
 * it, and all are divided once it passes 2^20.
 *
 * Each change makes an item more urgent by |change| / (count + 10): whose row is most out of date. */
#pragma once

#include "base/topk.h"

#include <stddef.h>
#include <stdint.h>

enum { COVISIT_CELLS = 128, COVISIT_PROBES = 8 };

struct covisit_cell {
    uint32_t other;  /* 1 + item; 0: free */
    float count;     /* inflated */
    uint32_t people; /* bits; of this pair alone, never inherited */
};

struct covisits {
    struct covisit_cell *cell; /* items x COVISIT_CELLS */
    float *sum, *urgency;      /* by item: inflated sum of what was ever added; since it was last taken */
    uint32_t items;
    int64_t from_ms, half_life_ms;
};

size_t covisits_bytes(uint32_t items);
/* p: covisits_bytes, 16-aligned, zero. */
struct covisits covisits_open(uint32_t items, int64_t from_ms, int64_t half_life_ms, void *p);
/* a was seen with b by `who` (any keyed hash): counted once, for a. a and b are below `items` and differ. Cost: about 1 us. */
void covisits_add(struct covisits *covisits, uint32_t a, uint32_t b, uint64_t who, int64_t at_ms);
/* The count of b beside a, and of all beside a, as of at_ms. */
float covisits_count(const struct covisits *covisits, uint32_t a, uint32_t b, int64_t at_ms);
float covisits_sum(const struct covisits *covisits, uint32_t a, int64_t at_ms);
/* Offers what at least people_min people (at most 32) saw beside a, with their counts as of at_ms, to `best`. */
void covisits_row(const struct covisits *covisits, uint32_t a, unsigned people_min, int64_t at_ms, struct topk *best);
/* Takes the most urgent items, at most k, most urgent first: they are calm afterwards. Cost: a scan of the items. */
size_t covisits_urgent(struct covisits *covisits, struct topk_entry *room, size_t k);
