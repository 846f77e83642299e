/* SPDX-License-Identifier: Apache-2.0 */
#include "train/rank_train.h"

#include "train/pool.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include <cblas.h>
#include <lapacke.h>

enum { ROWS_PIECE = 4096, STEPS_MAX = 40, WIDE = FEATURES + 1 };
#define RIDGE 1e-6 /* a row, on standardised values: prototype */

/* ---- Newton ---- */

struct piece_sum { /* of one piece of rows; added up in order */
    double loss, slope[WIDE], curve[WIDE * WIDE];
};

struct fit {
    const struct rank_rows *rows;
    double mean[FEATURES], scale[FEATURES]; /* scale 0: never differs */
    double b[WIDE];                                     /* the constant last */
    struct piece_sum *sums;
    bool has_curve;
};

static double margin(const struct fit *fit, const float *value, double *z)
{
    double sum = fit->b[FEATURES];

    for (size_t f = 0; f < FEATURES; f++) {
        z[f] = fit->scale[f] > 0 ? ((double)value[f] - fit->mean[f]) * fit->scale[f] : 0;
        sum += fit->b[f] * z[f];
    }
    z[FEATURES] = 1;
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
        double s = margin(fit, fit->rows->value + r * FEATURES, row), w = (double)fit->rows->weight[r];
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
    for (size_t f = 0; f < FEATURES; f++) {
        all.loss += ridge * fit->b[f] * fit->b[f] / 2;
        all.slope[f] -= ridge * fit->b[f];
        all.curve[f * WIDE + f] += ridge + (fit->scale[f] > 0 ? 0 : 1);
    }
    all.curve[WIDE * WIDE - 1] += 1e-9;
    return all;
}

static void standardise(struct fit *fit)
{
    const struct rank_rows *rows = fit->rows;
    double square[FEATURES] = {0}, hits = 0;

    for (size_t r = 0; r < rows->n; r++) {
        hits += rows->hit[r];
        for (size_t f = 0; f < FEATURES; f++) {
            fit->mean[f] += (double)rows->value[r * FEATURES + f];
        }
    }
    for (size_t f = 0; f < FEATURES; f++) {
        fit->mean[f] /= (double)rows->n;
    }
    for (size_t r = 0; r < rows->n; r++) {
        for (size_t f = 0; f < FEATURES; f++) {
            double off = (double)rows->value[r * FEATURES + f] - fit->mean[f];

            square[f] += off * off;
        }
    }
    for (size_t f = 0; f < FEATURES; f++) {
        double spread = sqrt(square[f] / (double)rows->n);

        fit->scale[f] = spread > 1e-6 ? 1 / spread : 0;
    }
    fit->b[FEATURES] = log((hits + 1) / ((double)rows->n - hits + 1));
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

struct model_rank rank_train_sum(const struct rank_rows *rows, const struct model_rank *start, size_t threads)
{
    struct model_rank rank = *start;
    struct fit fit = {.rows = rows};
    double bias;
    size_t hits = 0;

    for (size_t r = 0; r < rows->n; r++) {
        hits += rows->hit[r];
    }
    if (hits < 10 * WIDE) {
        return rank; /* too little to learn from: what other shops taught */
    }
    fit.sums = history_grow(NULL, (rows->n + ROWS_PIECE - 1) / ROWS_PIECE, sizeof(*fit.sums));
    standardise(&fit);
    newton(&fit, threads);
    bias = fit.b[FEATURES];
    for (size_t f = 0; f < FEATURES; f++) {
        rank.mean[f] = (float)fit.mean[f];
        if (fit.scale[f] > 0) {
            rank.weight[f] = (float)(fit.b[f] * fit.scale[f]);
        }
        bias -= (double)rank.weight[f] * fit.mean[f]; /* of what never differs too: where it was learnt it adds nothing */
    }
    rank.bias = (float)bias;
    rank.is_learnt = 1;
    free(fit.sums);
    return rank;
}
