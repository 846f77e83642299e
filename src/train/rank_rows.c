/* SPDX-License-Identifier: Apache-2.0 */
#include "train/rank_rows.h"

#include "decide/evidence.h"
#include "train/pool.h"

#include <math.h>
#include <stdlib.h>

enum { CASES_PIECE = 32 };

struct gathering {
    const struct history *history;
    const struct model_view *view;
    const struct next_case *cases;
    struct rank_rows *by_case; /* one a case, joined in order afterwards */
    float power;
    bool masks;
};

static bool is_hit(const struct history *history, const struct next_case *one, uint64_t id)
{
    const struct history_basket *basket = &history->baskets[one->target];

    if (one->is_look) {
        return history->items.id[history->looks[one->target].item] == id;
    }
    for (size_t l = 0; l < basket->lines_n; l++) {
        if (history->items.id[history->lines[basket->lines_at + l].item] == id) {
            return true;
        }
    }
    return false;
}

static void rows_of_case(const struct gathering *g, size_t c, struct part *life, uint32_t *items, struct arena *arena)
{
    const struct next_case *one = &g->cases[c];
        struct rank_rows *rows = &g->by_case[c];
    struct evidence evidence;
    size_t n = 0, hits = 0;

    cases_fold(g->history, one, life);
    if (evidence_gather(g->view, life, (struct store_id){0}, one->at_ms,
                        one->is_look ? MODEL_HEAD_SESSION : MODEL_HEAD_HISTORY, arena, &evidence) != ERR_OK ||
        evidence_candidates(&evidence, arena, items, &n) != ERR_OK) {
        return;
    }
    rows->value = history_grow(NULL, n * FEATURES, sizeof(float));
    rows->hit = history_grow(NULL, n, 1);
    rows->weight = history_grow(NULL, n, sizeof(float));
    for (size_t i = 0; i < n; i++) {
        evidence_value(&evidence, items[i], rows->value + i * FEATURES);
        rows->hit[i] = is_hit(g->history, one, model_item_id(g->view->base, items[i]).v);
        rows->weight[i] = one->is_look ? 1 : powf((float)g->history->baskets[one->target].lines_n, -g->power);
        hits += rows->hit[i];
    }
    rows->n = hits > 0 ? n : 0; /* without a hit it teaches nothing of order */
}

static void gather_part(void *ctx, size_t from, size_t to)
{
    const struct gathering *g = ctx;
    struct part *life = history_grow(NULL, 1, sizeof(*life));
    uint32_t *items = history_grow(NULL, EVIDENCE_CANDIDATES_MAX, sizeof(*items));
    struct arena arena;

    arena_open(&arena, 1 << 21, 1 << 26);
    for (size_t c = from; c < to; c++) {
        rows_of_case(g, c, life, items, &arena);
        arena_reset(&arena);
    }
    arena_close(&arena);
    free(life);
    free(items);
}

void rank_rows_add(struct rank_rows *rows, const struct history *history, const struct model_view *view,
                   const struct next_case *cases, size_t n, size_t cases_most, float power, bool masks, size_t threads)
{
    struct gathering g = {history, view, cases, NULL, power, masks};
    size_t total = rows->n, step = cases_most > 0 && n > cases_most ? n / cases_most : 1;
    struct next_case *some = history_grow(NULL, n, sizeof(*some));
    size_t some_n = 0;

    for (size_t c = 0; c < n; c += step) {
        some[some_n++] = cases[c];
    }
    g.cases = some;
    g.by_case = history_zero(some_n, sizeof(*g.by_case));
    pool_run(threads, CASES_PIECE, some_n, gather_part, &g);
    for (size_t c = 0; c < some_n; c++) {
        total += g.by_case[c].n;
    }
    rows->value = history_grow(rows->value, total * FEATURES, sizeof(float));
    rows->hit = history_grow(rows->hit, total, 1);
    rows->weight = history_grow(rows->weight, total, sizeof(float));
    rows->case_at = history_grow(rows->case_at, rows->cases_n + some_n + 1, sizeof(*rows->case_at));
    rows->case_at[0] = 0;
    for (size_t c = 0; c < some_n; c++) {
        struct rank_rows *one = &g.by_case[c];

        if (one->n > 0) {
            memcpy(rows->value + rows->n * FEATURES, one->value, one->n * FEATURES * sizeof(float));
            memcpy(rows->hit + rows->n, one->hit, one->n);
            memcpy(rows->weight + rows->n, one->weight, one->n * sizeof(float));
            rows->n += one->n;
            rows->case_at[++rows->cases_n] = rows->n;
        }
        rank_rows_free(one);
    }
    free(g.by_case);
    free(some);
}

void rank_rows_free(struct rank_rows *rows)
{
    free(rows->value);
    free(rows->hit);
    free(rows->weight);
    free(rows->case_at);
    *rows = (struct rank_rows){0};
}
