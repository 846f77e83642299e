/* SPDX-License-Identifier: Apache-2.0 */
#include "train/rank_train.h"

#include "train/pool.h"

#include <math.h>
#include <stdlib.h>

#include <cblas.h>
#include <lapacke.h>

enum { ROWS_PIECE = 1024, STEPS_MAX = 40, WIDE_MOST = FEATURES + 1, HITS_LEAST = 10 * WIDE_MOST };
#define RIDGE 1e-6 /* a row, on standardised values: prototype */

/* ---- Newton ---- */

/* Only features that differ take part: `live` of them, and the constant behind them. A piece of rows has sums of its own, added up
 * in order, so that threads change nothing: loss | slope[wide] | curve[wide * wide], lower half. */
struct fit {
    const struct rank_rows *rows;
    double mean[FEATURES], scale[FEATURES]; /* by feature; scale 0: never differs */
    size_t live, wide;
    uint16_t feature[FEATURES]; /* of a live column */
    double b[WIDE_MOST];        /* by live column, the constant last */
    double *sums;
    size_t sums_each;
};

/* What is not known is taken as the mean. */
static inline double standard(const struct fit *fit, float value, size_t f)
{
    return isfinite(value) ? ((double)value - fit->mean[f]) * fit->scale[f] : 0;
}

static void fit_part(void *ctx, size_t from, size_t to)
{
    const struct fit *fit = ctx;
    size_t wide = fit->wide;
    double *sum = fit->sums + from / ROWS_PIECE * fit->sums_each, *slope = sum + 1, *curve = slope + wide;
    double *z = history_grow(NULL, ROWS_PIECE * wide, sizeof(*z));

    memset(sum, 0, (1 + wide) * sizeof(*sum));
    for (size_t r = from; r < to; r++) {
        const float *value = fit->rows->value + r * FEATURES;
        double *row = z + (r - from) * wide;
        double s = fit->b[fit->live], w = (double)fit->rows->weight[r], y = fit->rows->hit[r], p, root, off;

        for (size_t k = 0; k < fit->live; k++) {
            row[k] = standard(fit, value[fit->feature[k]], fit->feature[k]);
            s += fit->b[k] * row[k];
        }
        row[fit->live] = 1;
        p = 1 / (1 + exp(-s));
        sum[0] += w * ((s > 0 ? s + log1p(exp(-s)) : log1p(exp(s))) - y * s);
        root = sqrt(w * p * (1 - p));
        off = w * (y - p);
        for (size_t k = 0; k < wide; k++) {
            slope[k] += off * row[k];
            row[k] *= root;
        }
    }
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)wide, (int)(to - from), 1, z, (int)wide, 0, curve,
                (int)wide);
    free(z);
}

/* Loss, slope and curvature at b, in the first piece's place. */
static double *fit_sum(struct fit *fit, size_t threads)
{
    size_t pieces = (fit->rows->n + ROWS_PIECE - 1) / ROWS_PIECE;
    double *all = fit->sums, ridge = RIDGE * (double)fit->rows->n;

    pool_run(threads, ROWS_PIECE, fit->rows->n, fit_part, fit);
    for (size_t p = 1; p < pieces; p++) {
        for (size_t x = 0; x < fit->sums_each; x++) {
            all[x] += fit->sums[p * fit->sums_each + x];
        }
    }
    for (size_t k = 0; k < fit->live; k++) {
        all[0] += ridge * fit->b[k] * fit->b[k] / 2;
        all[1 + k] -= ridge * fit->b[k];
        all[1 + fit->wide + k * fit->wide + k] += ridge;
    }
    all[fit->sums_each - 1] += 1e-9;
    return all;
}

static void standardise(struct fit *fit)
{
    const struct rank_rows *rows = fit->rows;
    double square[FEATURES] = {0}, known[FEATURES] = {0};

    for (size_t r = 0; r < rows->n; r++) {
        for (size_t f = 0; f < FEATURES; f++) {
            float v = rows->value[r * FEATURES + f];

            fit->mean[f] += isfinite(v) ? (double)v : 0;
            known[f] += isfinite(v);
        }
    }
    for (size_t f = 0; f < FEATURES; f++) {
        fit->mean[f] = known[f] > 0 ? fit->mean[f] / known[f] : 0;
        fit->scale[f] = 1;
    }
    for (size_t r = 0; r < rows->n; r++) {
        for (size_t f = 0; f < FEATURES; f++) {
            double off = standard(fit, rows->value[r * FEATURES + f], f);

            square[f] += off * off;
        }
    }
    for (size_t f = 0; f < FEATURES; f++) {
        double spread = sqrt(square[f] / (double)rows->n);

        fit->scale[f] = spread > 1e-6 ? 1 / spread : 0;
        if (fit->scale[f] > 0) {
            fit->feature[fit->live++] = (uint16_t)f;
        }
    }
    fit->wide = fit->live + 1;
    fit->sums_each = 1 + fit->wide + fit->wide * fit->wide;
}

static void newton(struct fit *fit, size_t threads)
{
    int wide = (int)fit->wide;
    double *sum = fit_sum(fit, threads);

    for (int step = 0; step < STEPS_MAX; step++) {
        double was[WIDE_MOST], way[WIDE_MOST], loss = sum[0], part = 1;

        memcpy(was, fit->b, sizeof(was));
        if (LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', wide, 1, sum + 1 + wide, wide, sum + 1, 1) != 0) {
            return; /* what was reached so far stands */
        }
        memcpy(way, sum + 1, fit->wide * sizeof(*way));
        for (int half = 0; half < 12; half++, part /= 2) {
            for (size_t k = 0; k < fit->wide; k++) {
                fit->b[k] = was[k] + part * way[k];
            }
            sum = fit_sum(fit, threads);
            if (sum[0] <= loss) {
                break;
            }
        }
        if (!(sum[0] <= loss)) {
            memcpy(fit->b, was, sizeof(was));
            return;
        }
        if (!(sum[0] < loss - 1e-7 * loss)) {
            return;
        }
    }
}

struct model_rank rank_train_sum(const struct rank_rows *rows, const struct model_rank *start, size_t threads)
{
    struct model_rank rank = *start;
    struct fit fit = {.rows = rows};
    double bias;
    size_t hits = 0;

    for (size_t r = 0; r < rows->n; r++) {
        hits += rows->hit[r];
    }
    if (hits < HITS_LEAST) {
        return rank; /* too little to learn from: what other shops taught */
    }
    standardise(&fit);
    fit.b[fit.live] = log(((double)hits + 1) / ((double)(rows->n - hits) + 1));
    fit.sums = history_grow(NULL, (rows->n + ROWS_PIECE - 1) / ROWS_PIECE * fit.sums_each, sizeof(*fit.sums));
    newton(&fit, threads);
    for (size_t k = 0; k < fit.live; k++) {
        rank.weight[fit.feature[k]] = (float)(fit.b[k] * fit.scale[fit.feature[k]]);
    }
    bias = fit.b[fit.live];
    for (size_t f = 0; f < FEATURES; f++) {
        rank.mean[f] = (float)fit.mean[f];
        bias -= (double)rank.weight[f] *
                fit.mean[f]; /* of what never differs too: where it was learnt it adds nothing */
    }
    rank.bias = (float)bias;
    rank.is_learnt = 1;
    free(fit.sums);
    return rank;
}
