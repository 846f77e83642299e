/* SPDX-License-Identifier: Apache-2.0 */
#include "train/blend_train.h"

#include "decide/evidence.h"
#include "train/pool.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include <cblas.h>
#include <lapacke.h>

enum { CASES_PIECE = 32, ROWS_PIECE = 4096, STEPS_MAX = 40, ROW_CASES_MAX = 8000, WIDE = BLEND_FEATURES + 1 };
#define RIDGE 1e-6 /* a row, on standardised values: prototype */

size_t next_cases(const struct history *history, int64_t from_ms, int64_t to_ms, struct next_case **out_cases)
{
    struct next_case *cases = history_grow(NULL, history->customers_n, sizeof(*cases));
    size_t n = 0;

    for (size_t c = 0; c < history->customers_n; c++) {
        size_t from = history->from[c], at = history_basket_at(history, c, from_ms);

        if (at < history->from[c + 1] && history->baskets[at].at_ms < to_ms && at - from >= 2) {
            cases[n++] = (struct next_case){c, from, at, at};
        }
    }
    *out_cases = cases;
    return n;
}

/* ---- rows ---- */

struct gathering {
    const struct history *history;
    const struct model *model;
    const struct next_case *cases;
    struct blend_rows *by_case; /* one a case, joined in order afterwards */
    float power;
};

static bool is_in_basket(const struct history *history, const struct history_basket *basket, uint64_t id)
{
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
    const struct history_basket *target = &g->history->baskets[one->target];
    struct blend_rows *rows = &g->by_case[c];
    struct evidence evidence;
    size_t n = 0, hits = 0;

    history_fold(g->history, one->from, one->to, life);
    if (evidence_gather(g->model, life, (struct store_id){0}, target->at_ms, arena, &evidence) != ERR_OK ||
        evidence_candidates(&evidence, arena, items, &n) != ERR_OK) {
        return;
    }
    rows->value = history_grow(NULL, n * BLEND_FEATURES, sizeof(float));
    rows->hit = history_grow(NULL, n, 1);
    rows->weight = history_grow(NULL, n, sizeof(float));
    for (size_t i = 0; i < n; i++) {
        evidence_value(&evidence, items[i], rows->value + i * BLEND_FEATURES);
        rows->hit[i] = is_in_basket(g->history, target, model_item_id(g->model, items[i]).v);
        rows->weight[i] = powf((float)target->lines_n, -g->power);
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

void blend_rows_add(struct blend_rows *rows, const struct history *history, const struct model *model,
                    const struct next_case *cases, size_t n, float power, size_t threads)
{
    struct gathering g = {history, model, cases, NULL, power};
    size_t total = rows->n, step = n > ROW_CASES_MAX ? n / ROW_CASES_MAX : 1;
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
    rows->value = history_grow(rows->value, total * BLEND_FEATURES, sizeof(float));
    rows->hit = history_grow(rows->hit, total, 1);
    rows->weight = history_grow(rows->weight, total, sizeof(float));
    for (size_t c = 0; c < some_n; c++) {
        struct blend_rows *one = &g.by_case[c];

        if (one->n > 0) {
            memcpy(rows->value + rows->n * BLEND_FEATURES, one->value, one->n * BLEND_FEATURES * sizeof(float));
            memcpy(rows->hit + rows->n, one->hit, one->n);
            memcpy(rows->weight + rows->n, one->weight, one->n * sizeof(float));
            rows->n += one->n;
        }
        blend_rows_free(one);
    }
    free(g.by_case);
    free(some);
}

void blend_rows_free(struct blend_rows *rows)
{
    free(rows->value);
    free(rows->hit);
    free(rows->weight);
    *rows = (struct blend_rows){0};
}

/* ---- Newton ---- */

struct piece_sum { /* of one piece of rows; added up in order */
    double loss, slope[WIDE], curve[WIDE * WIDE];
};

struct fit {
    const struct blend_rows *rows;
    double mean[BLEND_FEATURES], scale[BLEND_FEATURES]; /* scale 0: never differs */
    double b[WIDE];                                     /* the constant last */
    struct piece_sum *sums;
    bool has_curve;
};

static double margin(const struct fit *fit, const float *value, double *z)
{
    double sum = fit->b[BLEND_FEATURES];

    for (size_t f = 0; f < BLEND_FEATURES; f++) {
        z[f] = fit->scale[f] > 0 ? ((double)value[f] - fit->mean[f]) * fit->scale[f] : 0;
        sum += fit->b[f] * z[f];
    }
    z[BLEND_FEATURES] = 1;
    return sum;
}

static void fit_part(void *ctx, size_t from, size_t to)
{
    struct fit *fit = ctx;
    struct piece_sum *sum = &fit->sums[from / ROWS_PIECE];
    double *z = history_grow(NULL, ROWS_PIECE * WIDE, sizeof(*z));

    *sum = (struct piece_sum){0};
    for (size_t r = from; r < to; r++) {
        double *row = z + (r - from) * WIDE;
        double s = margin(fit, fit->rows->value + r * BLEND_FEATURES, row), w = (double)fit->rows->weight[r];
        double p = 1 / (1 + exp(-s)), y = fit->rows->hit[r], root;

        sum->loss += w * ((s > 0 ? s + log1p(exp(-s)) : log1p(exp(s))) - y * s);
        if (!fit->has_curve) {
            continue;
        }
        root = sqrt(w * p * (1 - p));
        for (size_t f = 0; f < WIDE; f++) {
            sum->slope[f] += w * (y - p) * row[f];
            row[f] *= root;
        }
    }
    if (fit->has_curve) {
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, WIDE, (int)(to - from), 1, z, WIDE, 0, sum->curve, WIDE);
    }
    free(z);
}

static struct piece_sum fit_sum(struct fit *fit, bool has_curve, size_t threads)
{
    size_t pieces = (fit->rows->n + ROWS_PIECE - 1) / ROWS_PIECE;
    struct piece_sum all = {0};
    double ridge = RIDGE * (double)fit->rows->n;

    fit->has_curve = has_curve;
    pool_run(threads, ROWS_PIECE, fit->rows->n, fit_part, fit);
    for (size_t p = 0; p < pieces; p++) {
        all.loss += fit->sums[p].loss;
        for (size_t f = 0; has_curve && f < WIDE; f++) {
            all.slope[f] += fit->sums[p].slope[f];
        }
        for (size_t x = 0; has_curve && x < WIDE * WIDE; x++) {
            all.curve[x] += fit->sums[p].curve[x];
        }
    }
    for (size_t f = 0; f < BLEND_FEATURES; f++) {
        all.loss += ridge * fit->b[f] * fit->b[f] / 2;
        all.slope[f] -= ridge * fit->b[f];
        all.curve[f * WIDE + f] += ridge + (fit->scale[f] > 0 ? 0 : 1);
    }
    all.curve[WIDE * WIDE - 1] += 1e-9;
    return all;
}

static void standardise(struct fit *fit)
{
    const struct blend_rows *rows = fit->rows;
    double square[BLEND_FEATURES] = {0}, hits = 0;

    for (size_t r = 0; r < rows->n; r++) {
        hits += rows->hit[r];
        for (size_t f = 0; f < BLEND_FEATURES; f++) {
            fit->mean[f] += (double)rows->value[r * BLEND_FEATURES + f];
        }
    }
    for (size_t f = 0; f < BLEND_FEATURES; f++) {
        fit->mean[f] /= (double)rows->n;
    }
    for (size_t r = 0; r < rows->n; r++) {
        for (size_t f = 0; f < BLEND_FEATURES; f++) {
            double off = (double)rows->value[r * BLEND_FEATURES + f] - fit->mean[f];

            square[f] += off * off;
        }
    }
    for (size_t f = 0; f < BLEND_FEATURES; f++) {
        double spread = sqrt(square[f] / (double)rows->n);

        fit->scale[f] = spread > 1e-6 ? 1 / spread : 0;
    }
    fit->b[BLEND_FEATURES] = log((hits + 1) / ((double)rows->n - hits + 1));
}

static void newton(struct fit *fit, size_t threads)
{
    struct piece_sum sum = fit_sum(fit, true, threads);

    for (int step = 0; step < STEPS_MAX; step++) {
        double was[WIDE], loss = sum.loss, part = 1;

        memcpy(was, fit->b, sizeof(was));
        if (LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', WIDE, 1, sum.curve, WIDE, sum.slope, 1) != 0) {
            return; /* what was reached so far stands */
        }
        for (int half = 0; half < 12; half++, part /= 2) {
            for (size_t f = 0; f < WIDE; f++) {
                fit->b[f] = was[f] + part * sum.slope[f];
            }
            if (fit_sum(fit, false, threads).loss <= loss) {
                break;
            }
        }
        sum = fit_sum(fit, true, threads);
        if (!(sum.loss < loss - 1e-7 * loss)) {
            return;
        }
    }
}

struct model_blend blend_train(const struct blend_rows *rows, const struct model_blend *start, size_t threads)
{
    struct model_blend blend = *start;
    struct fit fit = {.rows = rows};
    double bias;
    size_t hits = 0;

    for (size_t r = 0; r < rows->n; r++) {
        hits += rows->hit[r];
    }
    if (hits < 10 * WIDE) {
        return blend; /* too little to learn from: what other shops taught */
    }
    fit.sums = history_grow(NULL, (rows->n + ROWS_PIECE - 1) / ROWS_PIECE, sizeof(*fit.sums));
    standardise(&fit);
    newton(&fit, threads);
    bias = fit.b[BLEND_FEATURES];
    for (size_t f = 0; f < BLEND_FEATURES; f++) {
        blend.mean[f] = (float)fit.mean[f];
        if (fit.scale[f] > 0) {
            blend.weight[f] = (float)(fit.b[f] * fit.scale[f]);
            bias -= fit.b[f] * fit.scale[f] * fit.mean[f];
        }
    }
    blend.bias = (float)bias;
    blend.features_n = BLEND_FEATURES;
    free(fit.sums);
    return blend;
}
