/* SPDX-License-Identifier: Apache-2.0 */
#include "train/ridge.h"

#include "base/topk.h"
#include "train/history.h"
#include "train/pool.h"

#include <math.h>
#include <stdlib.h>

#include <lapacke.h>

enum { PIECE = 512 }; /* items a thread takes at once */

struct kept { /* the kept part of G, by item */
    struct topk_entry *at; /* items_n x RIDGE_KEPT: (G_ij, j), largest first */
    uint32_t *n;
    float *self; /* G_ii */
    uint32_t *customers; /* who bought i */
};

struct work {
    const struct ridge_rows *rows;
    const struct ridge_settings *settings;
    const float *omega;
    const size_t *posting_at;
    const uint32_t *posting;
    struct kept g;
    float lambda;
    struct topk_entry *solved; /* items_n x neighbours: (w, source i), by target j */
    uint32_t *solved_n;
};

/* ---- G ---- */

static void postings(const struct ridge_rows *rows, size_t **out_at, uint32_t **out_posting)
{
    size_t *at = history_grow(NULL, rows->items_n + 2, sizeof(*at));
    uint32_t *posting = history_grow(NULL, rows->at[rows->rows_n], sizeof(*posting));

    memset(at, 0, (rows->items_n + 2) * sizeof(*at));
    for (size_t x = 0; x < rows->at[rows->rows_n]; x++) {
        at[rows->item[x] + 2]++;
    }
    for (size_t i = 0; i <= rows->items_n; i++) {
        at[i + 1] += at[i];
    }
    for (size_t r = 0; r < rows->rows_n; r++) {
        for (size_t x = rows->at[r]; x < rows->at[r + 1]; x++) {
            posting[at[rows->item[x] + 1]++] = (uint32_t)r;
        }
    }
    *out_at = at;
    *out_posting = posting;
}

struct shared { /* a thread's accumulator over one item's rows */
    float sum;
    uint32_t customers, last; /* 1 + the last customer counted */
};

static void gram_of(const struct work *work, size_t i, struct shared *shared, uint32_t *touched)
{
    const struct ridge_rows *rows = work->rows;
    struct topk best = topk_of(work->g.at + i * RIDGE_KEPT, RIDGE_KEPT);
    size_t touched_n = 0;

    for (size_t y = work->posting_at[i]; y < work->posting_at[i + 1]; y++) {
        uint32_t r = work->posting[y], who = rows->customer[r] + 1;

        for (size_t x = rows->at[r]; x < rows->at[r + 1]; x++) {
            struct shared *s = &shared[rows->item[x]];

            if (s->last == 0) {
                touched[touched_n++] = rows->item[x];
            }
            s->sum += work->omega[r];
            if (s->last != who) {
                s->last = who;
                s->customers++;
            }
        }
    }
    work->g.self[i] = shared[i].sum;
    work->g.customers[i] = shared[i].customers;
    for (size_t k = 0; k < touched_n; k++) {
        uint32_t j = touched[k];

        if (j != i && shared[j].customers >= MODEL_CUSTOMERS_MIN) {
            topk_offer(&best, shared[j].sum, j);
        }
        shared[j] = (struct shared){0};
    }
    topk_sort(&best);
    work->g.n[i] = (uint32_t)best.n;
}

static void gram_part(void *ctx, size_t from, size_t to)
{
    const struct work *work = ctx;
    struct shared *shared = history_zero(work->rows->items_n, sizeof(*shared));
    uint32_t *touched = history_grow(NULL, work->rows->items_n, sizeof(*touched));

    for (size_t i = from; i < to; i++) {
        gram_of(work, i, shared, touched);
    }
    free(shared);
    free(touched);
}

/* ---- solving ---- */

struct system { /* one item's, a thread's own */
    float *a, *b;
    uint32_t *place; /* by item: 1 + place in N(j) */
    struct topk_entry *near;
};

static void fill_system(const struct work *work, size_t j, const struct topk *near, float lambda, struct system *s)
{
    size_t m = near->n;

    memset(s->a, 0, m * m * sizeof(*s->a));
    for (size_t p = 0; p < m; p++) {
        uint32_t i = near->at[p].item;
        const struct topk_entry *row = work->g.at + (size_t)i * RIDGE_KEPT;

        s->a[p * m + p] = work->g.self[i] * (1.0f + work->settings->delta) + lambda;
        for (size_t k = 0; k < work->g.n[i]; k++) {
            uint32_t q = s->place[row[k].item];

            if (q != 0) { /* kept by either of the two: G is symmetric */
                s->a[p * m + (q - 1)] = row[k].score;
                s->a[(q - 1) * m + p] = row[k].score;
            }
        }
    }
    for (size_t k = 0; k < work->g.n[j]; k++) {
        const struct topk_entry *entry = work->g.at + j * RIDGE_KEPT + k;

        if (s->place[entry->item] != 0) {
            s->b[s->place[entry->item] - 1] = entry->score;
        }
    }
}

static void solve_one(const struct work *work, size_t j, struct system *s)
{
    struct topk near = topk_of(s->near, work->settings->neighbours);
    struct topk_entry *out = work->solved + j * work->settings->neighbours;
    float lambda = work->lambda;
    lapack_int info = 1;

    for (size_t k = 0; k < work->g.n[j]; k++) {
        const struct topk_entry *entry = work->g.at + j * RIDGE_KEPT + k;

        topk_offer(&near, entry->score / sqrtf(work->g.self[entry->item] + lambda), entry->item);
    }
    topk_sort(&near);
    if (near.n == 0) {
        return;
    }
    for (size_t p = 0; p < near.n; p++) {
        s->place[near.at[p].item] = (uint32_t)p + 1;
    }
    for (int again = 0; again < 3 && info != 0; again++, lambda *= 4) {
        fill_system(work, j, &near, lambda, s);
        info = LAPACKE_sposv_work(LAPACK_COL_MAJOR, 'L', (lapack_int)near.n, 1, s->a, (lapack_int)near.n, s->b,
                                  (lapack_int)near.n);
    }
    for (size_t p = 0; p < near.n; p++) {
        s->place[near.at[p].item] = 0;
        if (info == 0 && isfinite(s->b[p]) && s->b[p] != 0) {
            out[work->solved_n[j]++] = (struct topk_entry){s->b[p], near.at[p].item};
        }
    }
}

static void solve_part(void *ctx, size_t from, size_t to)
{
    const struct work *work = ctx;
    size_t m = work->settings->neighbours;
    struct system s = {history_grow(NULL, m * m, sizeof(float)), history_grow(NULL, m, sizeof(float)),
                       history_zero(work->rows->items_n, sizeof(uint32_t)),
                       history_grow(NULL, m, sizeof(struct topk_entry))};

    for (size_t j = from; j < to; j++) {
        solve_one(work, j, &s);
    }
    free(s.a);
    free(s.b);
    free(s.place);
    free(s.near);
}

/* ---- rows by source ---- */

static struct ridge_w by_source(const struct work *work)
{
    size_t items_n = work->rows->items_n, m = work->settings->neighbours, total = 0;
    size_t *at = history_zero(items_n + 2, sizeof(*at));
    struct topk_entry *all, room[MODEL_W_ROW_MAX];
    struct ridge_w w = {history_grow(NULL, items_n + 1, sizeof(uint32_t)), NULL};
    uint32_t n = 0;

    for (size_t j = 0; j < items_n; j++) {
        for (size_t k = 0; k < work->solved_n[j]; k++) {
            at[work->solved[j * m + k].item + 2]++;
            total++;
        }
    }
    for (size_t i = 0; i <= items_n; i++) {
        at[i + 1] += at[i];
    }
    all = history_grow(NULL, total, sizeof(*all));
    for (size_t j = 0; j < items_n; j++) {
        for (size_t k = 0; k < work->solved_n[j]; k++) {
            const struct topk_entry *entry = &work->solved[j * m + k];

            all[at[entry->item + 1]++] = (struct topk_entry){entry->score, (uint32_t)j};
        }
    }
    w.row = history_grow(NULL, total, sizeof(*w.row));
    for (size_t i = 0; i < items_n; i++) {
        struct topk best = topk_of(room, work->settings->row_most);

        w.at[i] = n;
        for (size_t x = at[i]; x < at[i + 1]; x++) {
            topk_offer(&best, fabsf(all[x].score), (uint32_t)(x - at[i]));
        }
        topk_sort(&best);
        for (size_t k = 0; k < best.n; k++) {
            const struct topk_entry *entry = &all[at[i] + best.at[k].item];

            w.row[n++] = (struct model_weight){entry->item, entry->score};
        }
    }
    w.at[items_n] = n;
    free(at);
    free(all);
    return w;
}

static float mean_self(const struct work *work)
{
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < work->rows->items_n; i++) {
        if (work->g.customers[i] >= MODEL_CUSTOMERS_MIN) {
            sum += (double)work->g.self[i];
            n++;
        }
    }
    return n > 0 ? (float)(sum / (double)n) : 1.0f;
}

struct ridge_w ridge_train(const struct ridge_rows *rows, const struct ridge_settings *settings)
{
    struct work work = {.rows = rows, .settings = settings};
    float *omega = history_grow(NULL, rows->rows_n, sizeof(*omega));
    size_t *posting_at, items_n = rows->items_n;
    uint32_t *posting;
    struct ridge_w w;

    for (size_t r = 0; r < rows->rows_n; r++) {
        omega[r] = powf((float)(rows->at[r + 1] - rows->at[r]), -settings->gamma);
    }
    postings(rows, &posting_at, &posting);
    work.omega = omega;
    work.posting_at = posting_at;
    work.posting = posting;
    work.g.at = history_grow(NULL, items_n * RIDGE_KEPT, sizeof(*work.g.at));
    work.g.n = history_grow(NULL, items_n, sizeof(uint32_t));
    work.g.self = history_grow(NULL, items_n, sizeof(float));
    work.g.customers = history_grow(NULL, items_n, sizeof(uint32_t));
    pool_run(settings->threads, PIECE, items_n, gram_part, &work);
    work.lambda = settings->lambda * mean_self(&work);
    work.solved = history_grow(NULL, items_n * settings->neighbours, sizeof(*work.solved));
    work.solved_n = history_zero(items_n, sizeof(uint32_t));
    pool_run(settings->threads, PIECE, items_n, solve_part, &work);
    w = by_source(&work);
    free(omega);
    free(posting_at);
    free(posting);
    free(work.g.at);
    free(work.g.n);
    free(work.g.self);
    free(work.g.customers);
    free(work.solved);
    free(work.solved_n);
    return w;
}
