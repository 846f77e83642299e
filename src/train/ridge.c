/* SPDX-License-Identifier: Apache-2.0 */
#include "train/ridge.h"

#include "train/history.h"
#include "train/pool.h"
#include "train/ridge_sweep.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lapacke.h>

enum { SOLVE_PIECES = 8 };

struct solve {
    const struct ridge_copy *copy;
    const struct ridge_settings *settings;
    struct ridge_sums *sums; /* near: (C_ij, i) before, (w_ij, i) after */
};

struct system { /* one item's, a thread's own */
    float *a, *b;
    uint32_t *place; /* by item: 1 + place in N(j) */
};

/* ---- solving ---- */

/* Lower triangle by columns. What neither of a pair keeps of the other counts as 0. */
static void fill_system(const struct solve *solve, const struct topk_entry *near, size_t m, float lambda, struct system *s)
{
    const struct ridge_lists *kept = &solve->sums->kept;

    memset(s->a, 0, m * m * sizeof(*s->a));
    for (size_t p = 0; p < m; p++) {
        uint32_t i = near[p].item;
        const struct topk_entry *row = ridge_list(kept, i);

        s->a[p * m + p] = solve->copy->self[i] * (1.0f + solve->settings->delta) + lambda;
        s->b[p] = near[p].score;
        for (size_t k = 0; k < kept->n[i]; k++) {
            size_t q = s->place[row[k].item];

            if (q-- != 0) { /* G is symmetric, and both sums were made in one order: the same bits */
                s->a[p < q ? p * m + q : q * m + p] = row[k].score;
            }
        }
    }
}

static bool solve_system(const struct solve *solve, const struct topk_entry *near, size_t m, struct system *s)
{
    float lambda = solve->sums->lambda;
    lapack_int info = 1;

    for (size_t p = 0; p < m; p++) {
        s->place[near[p].item] = (uint32_t)p + 1;
    }
    for (int again = 0; again < 3 && info != 0; again++, lambda *= 4) {
        fill_system(solve, near, m, lambda, s);
        info = LAPACKE_sposv_work(LAPACK_COL_MAJOR, 'L', (lapack_int)m, 1, s->a, (lapack_int)m, s->b, (lapack_int)m);
    }
    for (size_t p = 0; p < m; p++) {
        s->place[near[p].item] = 0;
    }
    return info == 0;
}

static void solve_one(const struct solve *solve, size_t j, struct system *s)
{
    struct topk_entry *near = ridge_list(&solve->sums->near, j);
    size_t m = solve->sums->near.n[j], n = 0;
    bool is_solved = m > 0 && solve->copy->alpha > 0 && solve_system(solve, near, m, s);

    for (size_t p = 0; p < m; p++) {
        uint32_t i = near[p].item;
        /* alpha 0, or a system that will not be solved: each source for itself */
        float alone = near[p].score / (solve->copy->self[i] * (1.0f + solve->settings->delta) + solve->sums->lambda);
        float w = is_solved ? s->b[p] : alone;

        if (isfinite(w) && w != 0) {
            near[n++] = (struct topk_entry){w, i};
        }
    }
    solve->sums->near.n[j] = (uint32_t)n;
}

static void solve_piece(void *ctx, size_t from, size_t to)
{
    const struct solve *solve = ctx;
    size_t m = solve->settings->neighbours;
    struct system s = {history_grow(NULL, m * m, sizeof(float)), history_grow(NULL, m, sizeof(float)),
                       history_zero(solve->copy->items_n, sizeof(uint32_t))};

    for (size_t j = from; j < to; j++) {
        solve_one(solve, j, &s);
    }
    free(s.a);
    free(s.b);
    free(s.place);
}

void ridge_solve(const struct ridge_copy *copy, const struct ridge_settings *settings, struct ridge_sums *sums)
{
    struct solve solve = {copy, settings, sums};

    pool_run(settings->threads, SOLVE_PIECES * RIDGE_PIECE, copy->items_n, solve_piece, &solve);
}

/* ---- rows by source ---- */

/* all[at[i] .. at[i + 1]): (w_ij, j) of source i, j ascending. */
static struct topk_entry *turn(const struct ridge_lists *near, size_t items_n, size_t *at)
{
    struct topk_entry *all;

    memset(at, 0, (items_n + 2) * sizeof(*at));
    for (size_t j = 0; j < items_n; j++) {
        for (size_t k = 0; k < near->n[j]; k++) {
            at[ridge_list(near, j)[k].item + 2]++;
        }
    }
    for (size_t i = 0; i <= items_n; i++) {
        at[i + 1] += at[i];
    }
    all = history_grow(NULL, at[items_n + 1], sizeof(*all));
    for (size_t j = 0; j < items_n; j++) {
        for (size_t k = 0; k < near->n[j]; k++) {
            struct topk_entry entry = ridge_list(near, j)[k];

            all[at[entry.item + 1]++] = (struct topk_entry){entry.score, (uint32_t)j};
        }
    }
    return all;
}

struct ridge_w ridge_by_source(const struct ridge_sums *sums, size_t items_n, size_t row_most)
{
    size_t *at = history_grow(NULL, items_n + 2, sizeof(*at));
    struct topk_entry *all = turn(&sums->near, items_n, at), room[MODEL_W_ROW_MAX];
    struct ridge_w w = {history_grow(NULL, items_n + 1, sizeof(uint32_t)), NULL};
    uint32_t n = 0;

    w.row = history_grow(NULL, at[items_n], sizeof(*w.row));
    for (size_t i = 0; i < items_n; i++) {
        struct topk best = topk_of(room, row_most);

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
    w.row = history_grow(w.row, n, sizeof(*w.row));
    free(at);
    free(all);
    return w;
}

static void check(const struct ridge_rows *rows, const struct ridge_settings *s)
{
    assert(isfinite(s->gamma) && isfinite(s->lambda) && s->lambda >= 0 && isfinite(s->delta) && s->delta >= 0);
    assert(isfinite(s->age_days) && isfinite(s->doubt) && s->alpha >= 0 && s->alpha <= 1 && s->neighbours > 0);
    assert(s->row_most > 0 && s->row_most <= MODEL_W_ROW_MAX);
    assert(s->alpha == 1 || (rows->step != NULL && isfinite(s->tau) && s->tau > 0));
}

struct ridge_w ridge_train(const struct ridge_rows *rows, const struct ridge_settings *settings)
{
    struct ridge_copy copy;
    struct ridge_sums sums;
    struct ridge_w w;

    check(rows, settings);
    ridge_copy_of(rows, settings, &copy);
    ridge_sweep(&copy, settings, &sums);
    ridge_solve(&copy, settings, &sums);
    w = ridge_by_source(&sums, rows->items_n, settings->row_most);
    ridge_copy_free(&copy);
    ridge_sums_free(&sums, rows->items_n);
    return w;
}
