/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/covisits.h"

#include "base/hash.h"

#include <assert.h>
#include <math.h>

#define CALM 10.0f           /* counts below this are mostly chance: they make nothing urgent by themselves */
#define SCALE_MOST 1048576.0 /* 2^20: far below where a float loses a single look */
#define HALVES_MOST 60.0     /* before from_ms: what is older still is nothing, but a number that can be divided by */

static size_t rounded(size_t n)
{
    return (n + 63) / 64 * 64;
}

size_t covisits_bytes(uint32_t items)
{
    return rounded((size_t)items * COVISIT_CELLS * sizeof(struct covisit_cell)) + 2 * rounded((size_t)items * sizeof(float));
}

struct covisits covisits_open(uint32_t items, int64_t from_ms, int64_t half_life_ms, void *p)
{
    char *at = p;
    size_t cells = rounded((size_t)items * COVISIT_CELLS * sizeof(struct covisit_cell));

    assert(half_life_ms > 0);
    return (struct covisits){.cell = p,
                             .sum = (float *)(void *)(at + cells),
                             .urgency = (float *)(void *)(at + cells + rounded((size_t)items * sizeof(float))),
                             .items = items,
                             .from_ms = from_ms,
                             .half_life_ms = half_life_ms};
}

static double scale_at(const struct covisits *covisits, int64_t at_ms)
{
    double halves = ((double)at_ms - (double)covisits->from_ms) / (double)covisits->half_life_ms;

    return exp2(halves < -HALVES_MOST ? -HALVES_MOST : halves > HALVES_MOST ? HALVES_MOST : halves);
}

static void renormalise(struct covisits *covisits, int64_t at_ms, double scale)
{
    float by = (float)(1 / scale);

    for (size_t i = 0; i < (size_t)covisits->items * COVISIT_CELLS; i++) {
        if (covisits->cell[i].other != 0) { /* a page that nothing was written to stays unmade */
            covisits->cell[i].count *= by;
        }
    }
    for (uint32_t i = 0; i < covisits->items; i++) {
        covisits->sum[i] *= by;
    }
    covisits->from_ms = at_ms;
}

static struct covisit_cell *cell_of(const struct covisits *covisits, uint32_t a, uint32_t b)
{
    struct covisit_cell *row = covisits->cell + (size_t)a * COVISIT_CELLS, *smallest = NULL;
    uint64_t from = hash_fast(&b, sizeof(b), 0);

    for (unsigned i = 0; i < COVISIT_PROBES; i++) {
        struct covisit_cell *cell = &row[(from + i) % COVISIT_CELLS];

        if (cell->other == b + 1 || cell->other == 0) {
            return cell;
        }
        smallest = smallest == NULL || cell->count < smallest->count ? cell : smallest;
    }
    return smallest;
}

void covisits_add(struct covisits *covisits, uint32_t a, uint32_t b, uint64_t who, int64_t at_ms)
{
    double scale = scale_at(covisits, at_ms);
    struct covisit_cell *cell;

    assert(a < covisits->items && b < covisits->items && a != b);
    if (scale > SCALE_MOST) {
        renormalise(covisits, at_ms, scale);
        scale = 1;
    }
    cell = cell_of(covisits, a, b);
    if (cell->other != b + 1) {
        *cell = (struct covisit_cell){b + 1, cell->other == 0 ? 0 : cell->count / 2, 0};
    }
    cell->count += (float)scale;
    cell->people |= UINT32_C(1) << (who >> 59);
    covisits->sum[a] += (float)scale;
    covisits->urgency[a] += 1 / (covisits->sum[a] / (float)scale + CALM);
}

float covisits_count(const struct covisits *covisits, uint32_t a, uint32_t b, int64_t at_ms)
{
    const struct covisit_cell *cell = cell_of(covisits, a, b);

    return cell->other == b + 1 ? cell->count / (float)scale_at(covisits, at_ms) : 0;
}

float covisits_sum(const struct covisits *covisits, uint32_t a, int64_t at_ms)
{
    return covisits->sum[a] / (float)scale_at(covisits, at_ms);
}

void covisits_row(const struct covisits *covisits, uint32_t a, unsigned people_min, int64_t at_ms, struct topk *best)
{
    const struct covisit_cell *row = covisits->cell + (size_t)a * COVISIT_CELLS;
    float scale = (float)scale_at(covisits, at_ms);

    for (unsigned i = 0; i < COVISIT_CELLS; i++) {
        if (row[i].other != 0 && (unsigned)__builtin_popcount(row[i].people) >= people_min) {
            topk_offer(best, row[i].count / scale, row[i].other - 1);
        }
    }
}

size_t covisits_urgent(struct covisits *covisits, struct topk_entry *room, size_t k)
{
    struct topk best = topk_of(room, k);

    for (uint32_t i = 0; i < covisits->items; i++) {
        if (covisits->urgency[i] > 0) {
            topk_offer(&best, covisits->urgency[i], i);
        }
    }
    topk_sort(&best);
    for (size_t i = 0; i < best.n; i++) {
        covisits->urgency[best.at[i].item] = 0;
    }
    return best.n;
}
