/* SPDX-License-Identifier: Apache-2.0 */
#include "train/rank_rows.h"

#include "base/rng.h"
#include "decide/evidence.h"
#include "train/pool.h"

#include <math.h>
#include <stdlib.h>

enum { CASES_PIECE = 32, CASES_CHUNK = 512, PILOT_CASES = 64 };

struct one_case { /* the rows of one case until they are joined */
    float *value;
    uint8_t *hit;
    uint32_t *item;
    float *stands;
    size_t n;
};

struct gathering {
    const struct rank_asking *asking;
    const struct next_case **cases;
    struct one_case *by_case;
};

bool rank_rows_is_hit(const struct history *history, const struct next_case *one, uint64_t id)
{
    const struct history_basket *basket;

    if (one->is_look) {
        return history->items.id[history->looks[one->target].item] == id;
    }
    basket = &history->baskets[one->target];
    for (size_t l = 0; l < basket->lines_n; l++) {
        if (history->items.id[history->lines[basket->lines_at + l].item] == id) {
            return true;
        }
    }
    return false;
}

/* Candidates of the case into `items`; gives how many. */
static size_t candidates(const struct rank_asking *asking, const struct next_case *one, const struct model_view *view,
                         struct part *life, struct evidence *evidence, uint32_t *items, struct arena *arena)
{
    enum model_head_kind head = one->is_look ? MODEL_HEAD_SESSION : MODEL_HEAD_HISTORY;
    size_t n = 0, kept = 0;

    cases_fold(asking->history, one, life);
    if (evidence_gather(view, life, (struct store_id){0}, one->at_ms, head, arena, evidence) != ERR_OK ||
        evidence_candidates(evidence, arena, items, &n) != ERR_OK) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        bool is_had = evidence_of(evidence, items[i]) != NULL || tally_has(&evidence->interest, items[i]);

        if (!asking->masks || !is_had) {
            items[kept++] = items[i];
        }
    }
    return kept;
}

/* Hits, and `others` of the others_n others: drawn one by one, each left with the same chance (Knuth's selection). */
static void keep_rows(const struct evidence *evidence, const uint32_t *items, size_t n, size_t others_n, size_t others,
                      size_t seed, struct one_case *rows)
{
    float stands = others > 0 ? (float)others_n / (float)others : 1;
    struct rng rng = {seed + 1};

    for (size_t i = 0; i < n; i++) {
        bool is_hit = rows->hit[i] != 0;

        if (!is_hit && rng_below(&rng, others_n--) >= others) {
            continue;
        }
        others -= !is_hit;
        evidence_value(evidence, items[i], rows->value + rows->n * FEATURES);
        rows->item[rows->n] = items[i];
        rows->stands[rows->n] = is_hit ? 1 : stands;
        rows->hit[rows->n++] = is_hit; /* never before i */
    }
}

static void rows_of_case(const struct gathering *g, size_t c, struct part *life, uint32_t *items, struct arena *arena)
{
    const struct rank_asking *asking = g->asking;
    struct one_case *rows = &g->by_case[c];
    struct model_view view = *asking->view;
    struct evidence evidence;
    size_t n, hits = 0, others;

    view.owner = history_owner(asking->history, g->cases[c]->customer);
    n = candidates(asking, g->cases[c], &view, life, &evidence, items, arena);
    rows->hit = history_zero(n, 1);
    for (size_t i = 0; i < n; i++) {
        rows->hit[i] = rank_rows_is_hit(asking->history, g->cases[c], model_item_id(asking->view->base, items[i]).v);
        hits += rows->hit[i];
    }
    if (hits == 0 && !asking->keeps_misses) {
        return; /* without a hit it teaches nothing of order */
    }
    others = asking->case_most > 3 * hits ? asking->case_most - hits : 2 * hits + 1;
    others = asking->case_most == 0 || n - hits <= others ? n - hits : others;
    rows->value = history_grow(NULL, (hits + others) * FEATURES, sizeof(float));
    rows->item = history_grow(NULL, hits + others, sizeof(*rows->item));
    rows->stands = history_grow(NULL, hits + others, sizeof(*rows->stands));
    keep_rows(&evidence, items, n, n - hits, others, c, rows);
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

/* ---- joining ---- */

static void make_room(struct rank_rows *rows, size_t n, size_t cases_n)
{
    if (n > rows->room) {
        rows->room = n > rows->room + rows->room / 4 ? n : rows->room + rows->room / 4;
        rows->value = history_grow(rows->value, rows->room * FEATURES, sizeof(float));
        rows->hit = history_grow(rows->hit, rows->room, 1);
        rows->weight = history_grow(rows->weight, rows->room, sizeof(float));
        rows->stands = history_grow(rows->stands, rows->room, sizeof(float));
        rows->item = history_grow(rows->item, rows->room, sizeof(*rows->item));
    }
    if (cases_n + 1 > rows->cases_room) {
        bool is_first = rows->cases_room == 0;

        rows->cases_room = cases_n + 1 + rows->cases_room;
        rows->case_at = history_grow(rows->case_at, rows->cases_room, sizeof(*rows->case_at));
        rows->case_of = history_grow(rows->case_of, rows->cases_room, sizeof(*rows->case_of));
        rows->truth_n = history_grow(rows->truth_n, rows->cases_room, sizeof(*rows->truth_n));
        rows->case_at[0] = is_first ? 0 : rows->case_at[0];
    }
}

static void join(struct rank_rows *rows, const struct one_case *one, uint32_t case_of, uint32_t truth_n, float weight)
{
    make_room(rows, rows->n + one->n, rows->cases_n + 1);
    if (one->n > 0) {
        memcpy(rows->value + rows->n * FEATURES, one->value, one->n * FEATURES * sizeof(float));
        memcpy(rows->hit + rows->n, one->hit, one->n);
        memcpy(rows->item + rows->n, one->item, one->n * sizeof(*one->item));
        memcpy(rows->stands + rows->n, one->stands, one->n * sizeof(*one->stands));
    }
    for (size_t i = 0; i < one->n; i++) {
        rows->weight[rows->n + i] = weight * one->stands[i];
    }
    rows->n += one->n;
    rows->case_of[rows->cases_n] = case_of;
    rows->truth_n[rows->cases_n] = truth_n;
    rows->case_at[++rows->cases_n] = rows->n;
}

static uint32_t truth_of(const struct history *history, const struct next_case *one)
{
    const struct history_basket *basket;
    uint32_t n = 0;

    if (one->is_look) {
        return 1;
    }
    basket = &history->baskets[one->target];
    for (size_t l = 0; l < basket->lines_n; l++) { /* each once */
        bool is_new = true;

        for (size_t k = 0; k < l && is_new; k++) {
            is_new = history->lines[basket->lines_at + k].item != history->lines[basket->lines_at + l].item;
        }
        n += is_new;
    }
    return n;
}

struct made { /* of a pilot: cases with rows, and rows */
    size_t cases_n, n;
};

/* Cases first, first + step, ... below n. A pilot's rows are counted only. */
static struct made add_every(struct rank_rows *rows, const struct rank_asking *asking, size_t step, bool is_pilot)
{
    struct made made = {0};

    for (size_t c = 0; c < asking->n;) {
        const struct next_case *some[CASES_CHUNK];
        struct one_case by_case[CASES_CHUNK] = {{0}};
        uint32_t of[CASES_CHUNK];
        struct gathering g = {asking, some, by_case};
        size_t n = 0;

        for (; n < CASES_CHUNK && c < asking->n; c += step) {
            some[n] = &asking->cases[c];
            of[n++] = (uint32_t)c;
        }
        pool_run(asking->threads, CASES_PIECE, n, gather_part, &g);
        for (size_t i = 0; i < n; i++) {
            uint32_t truth_n = is_pilot ? 0 : truth_of(asking->history, some[i]);

            made.n += by_case[i].n;
            made.cases_n += by_case[i].n > 0;
            if (!is_pilot && (by_case[i].n > 0 || asking->keeps_misses)) {
                join(rows, &by_case[i], of[i], truth_n, powf((float)truth_n, -asking->power));
            }
            free(by_case[i].value);
            free(by_case[i].hit);
            free(by_case[i].item);
            free(by_case[i].stands);
        }
    }
    return made;
}

static size_t at_least_one(size_t n)
{
    return n > 0 ? n : 1;
}

/* Rows that all cases would make by what every step-th makes; the mean of a case with rows, too. */
static double pilot(struct rank_rows *rows, const struct rank_asking *asking, double *out_case_rows)
{
    size_t step = asking->n / PILOT_CASES, n = (asking->n + step - 1) / step;
    struct made made = add_every(rows, asking, step, true);

    *out_case_rows = (double)made.n / (double)at_least_one(made.cases_n);
    return (double)made.n / (double)n * (double)asking->n;
}

void rank_rows_add(struct rank_rows *rows, const struct rank_asking *asking)
{
    struct rank_asking some = *asking;
    size_t step = 1;

    make_room(rows, rows->n, rows->cases_n);
    if (asking->cases_most > 0) {
        step = at_least_one((asking->n + asking->cases_most - 1) / asking->cases_most);
    }
    if (asking->rows_most > 0 && asking->n / step > PILOT_CASES) {
        double case_rows, rows_n = pilot(rows, &some, &case_rows), most = (double)asking->rows_most;
        size_t step_of_rows;

        if (rows_n > most && asking->case_least > 0) {
            some.case_most = (size_t)fmax(case_rows * most / rows_n, (double)asking->case_least);
            rows_n = pilot(rows, &some, &case_rows);
        }
        step_of_rows = (size_t)ceil(rows_n / most);
        step = step_of_rows > step ? step_of_rows : step;
    }
    (void)add_every(rows, &some, step, false);
}

/* ---- the same rows otherwise ---- */

void rank_rows_append(struct rank_rows *rows, struct rank_rows *from)
{
    if (rows->cases_n == 0) {
        rank_rows_free(rows);
        *rows = *from;
        *from = (struct rank_rows){0};
        return;
    }
    make_room(rows, rows->n + from->n, rows->cases_n + from->cases_n);
    for (size_t c = 0; c < from->cases_n; c++) {
        size_t at = from->case_at[c];
        struct one_case one = {from->value + at * FEATURES, from->hit + at, from->item + at, from->stands + at,
                               from->case_at[c + 1] - at};

        join(rows, &one, from->case_of[c], from->truth_n[c], one.n > 0 ? from->weight[at] / from->stands[at] : 0);
    }
    rank_rows_free(from);
}

void rank_rows_weigh(struct rank_rows *rows, float power)
{
    for (size_t c = 0; c < rows->cases_n; c++) {
        for (size_t i = rows->case_at[c]; i < rows->case_at[c + 1]; i++) {
            rows->weight[i] = rows->stands[i] * powf((float)rows->truth_n[c], -power);
        }
    }
}

void rank_rows_thin(const struct rank_rows *rows, size_t k, struct rank_rows *out_rows)
{
    *out_rows = (struct rank_rows){0};
    make_room(out_rows, rows->n / k + 1, rows->cases_n / k + 1);
    for (size_t c = 0; c < rows->cases_n; c += k) {
        size_t at = rows->case_at[c];
        struct one_case one = {rows->value + at * FEATURES, rows->hit + at, rows->item + at, rows->stands + at,
                               rows->case_at[c + 1] - at};

        join(out_rows, &one, rows->case_of[c], rows->truth_n[c], one.n > 0 ? rows->weight[at] / rows->stands[at] : 0);
    }
}

float *rank_rows_hide(struct rank_rows *rows, const bool hidden[FEATURES])
{
    size_t n = 0, at = 0;
    float *saved;

    for (size_t f = 0; f < FEATURES; f++) {
        n += hidden[f];
    }
    saved = history_grow(NULL, n * rows->n, sizeof(*saved));
    for (size_t i = 0; i < rows->n; i++) {
        for (size_t f = 0; f < FEATURES; f++) {
            if (hidden[f]) {
                saved[at++] = rows->value[i * FEATURES + f];
                rows->value[i * FEATURES + f] = 0;
            }
        }
    }
    return saved;
}

void rank_rows_show(struct rank_rows *rows, const bool hidden[FEATURES], float *saved)
{
    size_t at = 0;

    for (size_t i = 0; i < rows->n; i++) {
        for (size_t f = 0; f < FEATURES; f++) {
            if (hidden[f]) {
                rows->value[i * FEATURES + f] = saved[at++];
            }
        }
    }
    free(saved);
}

void rank_rows_free(struct rank_rows *rows)
{
    free(rows->value);
    free(rows->hit);
    free(rows->weight);
    free(rows->item);
    free(rows->stands);
    free(rows->case_at);
    free(rows->case_of);
    free(rows->truth_n);
    *rows = (struct rank_rows){0};
}
