/* SPDX-License-Identifier: Apache-2.0 */
#include "train/next_basket.h"

#include "train/pool.h"

#include <math.h>
#include <stdlib.h>

enum { CASES_PIECE = 32 };

struct asking {
    const struct history *history;
    const struct model *model;
    enum decide_variant variant;
    const struct next_case *cases;
    struct next_list *lists;
    double (*seconds_now)(void);
    float *us;
};

static void ask_one(const struct asking *asking, size_t c, struct part *life, struct arena *arena)
{
    const struct next_case *one = &asking->cases[c];
    struct decide_world world = {.view = {.base = asking->model, .owner = history_owner(asking->history, one->customer)}};
    struct decide_placement placement = {.name = BYTES_LIT("next-basket"), .n = NEXT_LIST};
    struct decide_request request = {.mode = DECIDE_PERSONAL, .variant = asking->variant, .placements = &placement,
                                     .placements_n = 1, .now_ms = asking->history->baskets[one->target].at_ms};
    struct decide_result result = {0};
    struct picture picture;
    double begun;

    cases_fold(asking->history, one, life);
    picture = picture_of_part(asking->history->tenant, (struct customer_id){one->customer + 1}, life, request.now_ms);
    request.picture = &picture;
    begun = asking->us != NULL ? asking->seconds_now() : 0;
    asking->lists[c].n = 0;
    if (decide_run(&world, &request, arena, &result) != ERR_OK) {
        return; /* an arena too small for it: an empty list, all misses */
    }
    if (asking->us != NULL) {
        asking->us[c] = (float)(1e6 * (asking->seconds_now() - begun));
    }
    for (size_t i = 0; i < result.rows[0].items_n; i++) {
        asking->lists[c].item[asking->lists[c].n++] = result.rows[0].items[i].id.v;
    }
}

static void ask_part(void *ctx, size_t from, size_t to)
{
    const struct asking *asking = ctx;
    struct part *life = history_grow(NULL, 1, sizeof(*life));
    struct arena arena;

    arena_open(&arena, 1 << 21, 1 << 26);
    for (size_t c = from; c < to; c++) {
        ask_one(asking, c, life, &arena);
        arena_reset(&arena);
    }
    arena_close(&arena);
    free(life);
}

void next_basket_lists(const struct history *history, const struct model *model, enum decide_variant variant,
                       const struct next_case *cases, size_t n, size_t threads, struct next_list *out_lists,
                       double (*seconds_now)(void), float *out_us)
{
    struct asking asking = {history, model, variant, cases, out_lists, seconds_now, out_us};

    pool_run(threads, CASES_PIECE, n, ask_part, &asking);
}

/* ---- scores ---- */

static int id_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static size_t distinct(uint64_t *ids, size_t n)
{
    size_t kept = 0;

    qsort(ids, n, sizeof(*ids), id_order);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || ids[i] != ids[i - 1]) {
            ids[kept++] = ids[i];
        }
    }
    return kept;
}

static bool has(const uint64_t *ids, size_t n, uint64_t id)
{
    return bsearch(&id, ids, n, sizeof(*ids), id_order) != NULL;
}

static size_t ids_of(const struct history *history, size_t from, size_t to, uint64_t **out_ids)
{
    size_t room = 0, n = 0;

    for (size_t b = from; b < to; b++) {
        room += history->baskets[b].lines_n;
    }
    *out_ids = history_grow(NULL, room, sizeof(**out_ids));
    for (size_t b = from; b < to; b++) {
        for (size_t l = 0; l < history->baskets[b].lines_n; l++) {
            (*out_ids)[n++] = history->items.id[history->lines[history->baskets[b].lines_at + l].item];
        }
    }
    return distinct(*out_ids, n);
}

static float ndcg(const bool *is_hit, size_t k, size_t truth_n)
{
    double gain = 0, ideal = 0;

    for (size_t r = 0; r < k; r++) {
        gain += is_hit[r] ? 1 / log2((double)r + 2) : 0;
        ideal += r < truth_n ? 1 / log2((double)r + 2) : 0;
    }
    return ideal > 0 ? (float)(gain / ideal) : 0;
}

void next_basket_score(const struct history *history, const struct next_case *one, const struct next_list *list,
                       struct next_score *out_score)
{
    uint64_t *truth, *before;
    size_t truth_n = ids_of(history, one->target, one->target + 1, &truth);
    size_t before_n = ids_of(history, one->from, one->to, &before), hits10 = 0, hits20 = 0, again = 0, hits_again = 0;
    bool is_hit[NEXT_LIST] = {false};

    for (size_t i = 0; i < truth_n; i++) {
        again += has(before, before_n, truth[i]);
    }
    for (size_t r = 0; r < list->n; r++) {
        is_hit[r] = has(truth, truth_n, list->item[r]);
        hits20 += is_hit[r];
        hits10 += is_hit[r] && r < 10;
        hits_again += is_hit[r] && r < 10 && has(before, before_n, list->item[r]);
    }
    *out_score = (struct next_score){
        .recall10 = (float)hits10 / (float)truth_n,
        .recall20 = (float)hits20 / (float)truth_n,
        .ndcg10 = ndcg(is_hit, 10, truth_n),
        .ndcg20 = ndcg(is_hit, NEXT_LIST, truth_n),
        .phr10 = hits10 > 0,
        .repeat10 = again > 0 ? (float)hits_again / (float)again : NAN,
        .explore10 = truth_n > again ? (float)(hits10 - hits_again) / (float)(truth_n - again) : NAN};
    free(truth);
    free(before);
}

struct train_scores next_basket_mean(const struct next_score *scores, size_t n)
{
    struct train_scores sum = {0};

    for (size_t c = 0; c < n; c++) {
        sum.recall10 += (double)scores[c].recall10;
        sum.recall20 += (double)scores[c].recall20;
        sum.ndcg10 += (double)scores[c].ndcg10;
        sum.ndcg20 += (double)scores[c].ndcg20;
        sum.phr10 += (double)scores[c].phr10;
    }
    if (n > 0) {
        sum.recall10 /= (double)n;
        sum.recall20 /= (double)n;
        sum.ndcg10 /= (double)n;
        sum.ndcg20 /= (double)n;
        sum.phr10 /= (double)n;
    }
    return sum;
}
