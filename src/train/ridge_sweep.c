/* SPDX-License-Identifier: Apache-2.0 */
#include "train/ridge_sweep.h"

#include "train/history.h"
#include "train/pool.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SOON = 12, COUNT_BITS = 6, COUNT_MOST = (1 << COUNT_BITS) - 1 };
#define LAMBDA_LEAST 1e-3f /* of mean(G_ii): what f32 bears (models.md 17) */

struct cell { /* where customers are counted */
    float sum;
    uint32_t mark; /* the last customer seen, and how many there were, at most COUNT_MOST; 0: untouched */
};

struct scratch { /* a thread's own; sums are all zero between items */
    _Atomic int is_taken;
    float *sum;
    struct cell *cell; /* in place of sum where customers are counted */
    uint32_t *touched; /* items_n + 1 */
    size_t touched_n;
    struct topk_entry *room;
};

struct sweep {
    const struct ridge_copy *copy;
    const struct ridge_settings *settings;
    struct ridge_sums *sums;
    float *quotient; /* by item: 1 / sqrt(G_ii + lambda) */
    struct scratch *scratch;
};

struct piece { /* lists of one piece in the making */
    struct topk_entry *at;
    size_t n, room;
};

/* ---- adding ---- */

static inline void add(struct scratch *s, uint32_t i, float v)
{
    float was = s->sum[i];

    s->touched[s->touched_n] = i;
    s->touched_n += was == 0; /* all that is added is above 0 */
    s->sum[i] = was + v;
}

static inline void add_counted(struct scratch *s, uint32_t i, float v, uint32_t who)
{
    struct cell c = s->cell[i];

    s->touched[s->touched_n] = i;
    s->touched_n += c.mark == 0;
    c.sum += v;
    if (c.mark >> COUNT_BITS != who) {
        uint32_t n = c.mark & COUNT_MOST;

        c.mark = who << COUNT_BITS | (n < COUNT_MOST ? n + 1 : n);
    }
    s->cell[i] = c;
}

/* Row r's sources into the sums of every item of `posting`. */
static void add_rows(const struct ridge_copy *copy, const uint32_t *posting, size_t n, const float *weight,
                     struct scratch *s)
{
    const struct ridge_side *source = &copy->source;

    for (size_t y = 0; y < n; y++) {
        uint32_t r = posting[y];
        float v = weight[r];

        if (y + SOON < n) { /* rows lie anywhere: ask for them ahead of time */
            __builtin_prefetch(&source->at[posting[y + SOON]]);
            __builtin_prefetch(&source->item[source->at[posting[y + SOON / 2]]]);
        }
        if (v <= 0) {
            continue;
        }
        for (uint32_t x = source->at[r]; x < source->at[r + 1]; x++) {
            if (copy->who != NULL) {
                add_counted(s, source->item[x], v, copy->who[r]);
            } else {
                add(s, source->item[x], v);
            }
        }
    }
}

/* What led to target j within row r, by steps. Customers are counted here only where no consistency is summed: else
 * every source of the row was counted already. */
static void add_steps(const struct ridge_copy *copy, uint32_t r, uint32_t j, struct scratch *s)
{
    const struct ridge_place *row = copy->place + copy->place_at[r];
    uint32_t n = copy->place_at[r + 1] - copy->place_at[r];

    for (uint32_t q = 1; q < n; q++) {
        if (row[q].item != j || !row[q].is_target) {
            continue;
        }
        for (uint32_t p = q; p-- > 0 && row[p].until > q;) {
            float v = row[p].step < row[q].step ? row[p].lead * copy->decay[row[q].step - row[p].step - 1] : 0;

            if (v <= 0) {
                continue;
            }
            if (copy->who == NULL) {
                add(s, row[p].item, v);
            } else if (copy->alpha > 0) {
                s->cell[row[p].item].sum += v;
            } else {
                add_counted(s, row[p].item, v, copy->who[r]);
            }
        }
    }
}

static void add_all_steps(const struct ridge_copy *copy, const uint32_t *posting, size_t n, uint32_t j, struct scratch *s)
{
    for (size_t y = 0; y < n; y++) {
        if (y + SOON < n) {
            const struct ridge_place *soon = &copy->place[copy->place_at[posting[y + SOON / 2]]];

            __builtin_prefetch(&copy->place_at[posting[y + SOON]]);
            __builtin_prefetch(soon);
            __builtin_prefetch((const char *)soon + 64);
        }
        add_steps(copy, posting[y], j, s);
    }
}

/* ---- thinning ---- */

static inline float sum_of(const struct ridge_copy *copy, const struct scratch *s, uint32_t i)
{
    return copy->who != NULL ? s->cell[i].sum : s->sum[i];
}

static inline bool is_shared(const struct sweep *sweep, const struct scratch *s, uint32_t i)
{
    return sweep->copy->who == NULL || (s->cell[i].mark & COUNT_MOST) >= sweep->settings->customers_min;
}

/* C_ij as it is believed. Counts end at COUNT_MOST: what is left of doubt there stays. */
static inline float trusted(const struct sweep *sweep, const struct scratch *s, uint32_t i)
{
    float n, sum = sum_of(sweep->copy, s, i);

    if (sweep->settings->doubt <= 0) {
        return sum;
    }
    n = (float)(s->cell[i].mark & COUNT_MOST);
    return sum * (n / (n + sweep->settings->doubt));
}

static void forget(const struct ridge_copy *copy, struct scratch *s)
{
    for (size_t k = 0; k < s->touched_n; k++) {
        if (copy->who != NULL) {
            s->cell[s->touched[k]] = (struct cell){0};
        } else {
            s->sum[s->touched[k]] = 0;
        }
    }
    s->touched_n = 0;
}

static void put_list(struct ridge_lists *lists, size_t i, const struct topk_entry *entries, size_t n, struct piece *piece)
{
    if (piece->n + n > piece->room) {
        piece->room = piece->room * 2 + n;
        piece->at = history_grow(piece->at, piece->room, sizeof(*piece->at));
    }
    lists->at[i] = (uint32_t)piece->n;
    lists->n[i] = (uint32_t)n;
    for (size_t k = 0; k < n; k++) {
        piece->at[piece->n++] = entries[k];
    }
}

static void keep(const struct sweep *sweep, uint32_t i, struct scratch *s, struct piece *piece)
{
    struct topk best = topk_of(s->room, RIDGE_KEPT);

    for (size_t k = 0; k < s->touched_n; k++) {
        uint32_t j = s->touched[k];
        float sum = sum_of(sweep->copy, s, j);

        if (best.n == best.k && sum < best.at[0].score) {
            continue; /* most are: a call less */
        }
        if (j != i && is_shared(sweep, s, j)) {
            topk_offer(&best, sum, j);
        }
    }
    put_list(&sweep->sums->kept, i, best.at, best.n, piece);
}

static void choose_near(const struct sweep *sweep, uint32_t j, struct scratch *s, struct piece *piece)
{
    const struct ridge_copy *copy = sweep->copy;
    struct topk best = topk_of(s->room, sweep->settings->neighbours);
    bool is_itself = copy->alpha < 1 || copy->is_apart;

    for (size_t k = 0; k < s->touched_n; k++) {
        uint32_t i = s->touched[k];
        float score = trusted(sweep, s, i) * sweep->quotient[i];

        if (best.n == best.k && score < best.at[0].score) {
            continue;
        }
        if ((i != j || is_itself) && is_shared(sweep, s, i)) {
            topk_offer(&best, score, i);
        }
    }
    topk_sort(&best);
    for (size_t k = 0; k < best.n; k++) {
        best.at[k].score = trusted(sweep, s, best.at[k].item);
    }
    put_list(&sweep->sums->near, j, best.at, best.n, piece);
}

/* ---- the sweep ---- */

static void sweep_item(const struct sweep *sweep, uint32_t i, struct scratch *s, struct piece *kept, struct piece *near)
{
    const struct ridge_copy *copy = sweep->copy;
    const uint32_t *rows = copy->source.posting + copy->source.posting_at[i];
    size_t rows_n = copy->source.posting_at[i + 1] - copy->source.posting_at[i];

    if (copy->alpha > 0) {
        add_rows(copy, rows, rows_n, copy->pair, s);
        keep(sweep, i, s, kept);
    }
    if (copy->is_apart) {
        forget(copy, s);
        rows = copy->target.posting + copy->target.posting_at[i];
        rows_n = copy->target.posting_at[i + 1] - copy->target.posting_at[i];
        add_rows(copy, rows, rows_n, copy->across, s);
    }
    if (copy->alpha < 1) {
        add_all_steps(copy, rows, rows_n, i, s);
    }
    choose_near(sweep, i, s, near);
    forget(copy, s);
}

static struct topk_entry *close_piece(struct piece *piece)
{
    return history_grow(piece->at, piece->n, sizeof(*piece->at)); /* no longer than it is */
}

static void sweep_piece(void *ctx, size_t from, size_t to)
{
    const struct sweep *sweep = ctx;
    struct scratch *s = sweep->scratch;
    struct piece kept = {0}, near = {0};

    while (atomic_exchange(&s->is_taken, 1) != 0) {
        s++; /* one for each thread: a free one is there */
    }
    for (size_t i = from; i < to; i++) {
        sweep_item(sweep, (uint32_t)i, s, &kept, &near);
    }
    sweep->sums->kept.piece[from / RIDGE_PIECE] = close_piece(&kept);
    sweep->sums->near.piece[from / RIDGE_PIECE] = close_piece(&near);
    atomic_store(&s->is_taken, 0);
}

static struct ridge_lists lists_of(size_t items_n)
{
    return (struct ridge_lists){history_zero(items_n / RIDGE_PIECE + 1, sizeof(struct topk_entry *)),
                                history_zero(items_n, sizeof(uint32_t)), history_zero(items_n, sizeof(uint32_t))};
}

static struct scratch *scratch_of(const struct ridge_copy *copy, size_t entries_n, size_t threads)
{
    struct scratch *scratch = history_zero(threads, sizeof(*scratch));

    for (size_t t = 0; t < threads; t++) {
        if (copy->who != NULL) {
            scratch[t].cell = history_zero(copy->items_n, sizeof(struct cell));
        } else {
            scratch[t].sum = history_zero(copy->items_n, sizeof(float));
        }
        scratch[t].touched = history_grow(NULL, copy->items_n + 1, sizeof(uint32_t));
        scratch[t].room = history_grow(NULL, entries_n, sizeof(struct topk_entry));
    }
    return scratch;
}

void ridge_sweep(const struct ridge_copy *copy, const struct ridge_settings *settings, struct ridge_sums *out_sums)
{
    size_t threads = settings->threads > POOL_THREADS_MAX ? POOL_THREADS_MAX : settings->threads > 0 ? settings->threads : 1;
    size_t entries_n = settings->neighbours > RIDGE_KEPT ? settings->neighbours : RIDGE_KEPT;
    struct sweep sweep = {.copy = copy, .settings = settings, .sums = out_sums};

    assert(settings->customers_min <= COUNT_MOST);
    *out_sums = (struct ridge_sums){.lambda = fmaxf(settings->lambda, LAMBDA_LEAST) * copy->mean_self,
                                    .kept = lists_of(copy->items_n), .near = lists_of(copy->items_n)};
    sweep.quotient = history_grow(NULL, copy->items_n, sizeof(float));
    for (size_t i = 0; i < copy->items_n; i++) {
        sweep.quotient[i] = 1 / sqrtf(copy->self[i] + out_sums->lambda);
    }
    sweep.scratch = scratch_of(copy, entries_n, threads);
    pool_run(threads, RIDGE_PIECE, copy->items_n, sweep_piece, &sweep);
    for (size_t t = 0; t < threads; t++) {
        free(sweep.scratch[t].sum);
        free(sweep.scratch[t].cell);
        free(sweep.scratch[t].touched);
        free(sweep.scratch[t].room);
    }
    free(sweep.scratch);
    free(sweep.quotient);
}

void ridge_sums_free(struct ridge_sums *sums, size_t items_n)
{
    for (size_t p = 0; p <= items_n / RIDGE_PIECE; p++) {
        free(sums->kept.piece[p]);
        free(sums->near.piece[p]);
    }
    free(sums->kept.piece);
    free(sums->kept.at);
    free(sums->kept.n);
    free(sums->near.piece);
    free(sums->near.at);
    free(sums->near.n);
    *sums = (struct ridge_sums){0};
}
