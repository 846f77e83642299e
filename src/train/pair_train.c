/* SPDX-License-Identifier: Apache-2.0 */
#include "train/pair_train.h"

#include "base/topk.h"
#include "train/pool.h"

#include <assert.h>
#include <stdlib.h>

enum { PIECE_LEAST = 256, PIECES_MOST = 256 }; /* items a thread takes at once; each piece clears its counts once */

struct place { /* one step of a sequence */
    uint32_t sequence, step_at;
};

struct met { /* a thread's counts of one item's row */
    float pair, rule;
    uint32_t customers, last; /* 1 + the customer counted last */
    uint32_t rule_customers, rule_last;
};

struct rows { /* of the items of one piece, end to end */
    struct model_weight *row;
    size_t n, room;
};

struct work {
    const struct sequences *s;
    const struct pair_settings *settings;
    size_t *place_at; /* by item */
    struct place *place; /* customer by customer, so that each is counted once */
    size_t piece;
    struct rows *pairs, *rules; /* by piece */
    struct ridge_w pair, rule;  /* at[i + 1] is the length of row i until joined */
};

struct by_customer {
    uint32_t customer, sequence;
};

static int customer_order(const void *a, const void *b)
{
    const struct by_customer *x = a, *y = b;

    if (x->customer != y->customer) {
        return x->customer < y->customer ? -1 : 1;
    }
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static void place_all(struct work *work)
{
    const struct sequences *s = work->s;
    struct by_customer *order = history_grow(NULL, s->n, sizeof(*order));
    size_t *at = history_zero(s->items_n + 2, sizeof(*at));

    work->place = history_grow(NULL, s->at[s->n], sizeof(*work->place));
    for (size_t q = 0; q < s->n; q++) {
        order[q] = (struct by_customer){s->customer[q], (uint32_t)q};
    }
    if (s->n > 0) {
        qsort(order, s->n, sizeof(*order), customer_order);
    }
    for (size_t x = 0; x < s->at[s->n]; x++) {
        at[s->item[x] + 2]++;
    }
    for (size_t i = 0; i <= s->items_n; i++) {
        at[i + 1] += at[i];
    }
    for (size_t k = 0; k < s->n; k++) {
        uint32_t q = order[k].sequence;

        for (size_t x = s->at[q]; x < s->at[q + 1]; x++) {
            work->place[at[s->item[x] + 1]++] = (struct place){q, (uint32_t)(x - s->at[q])};
        }
    }
    work->place_at = at;
    free(order);
}

/* Counts what one step is met with. */
static size_t meet(const struct work *work, uint32_t i, const struct place *place, struct met *met, uint32_t *touched,
                   size_t touched_n)
{
    const struct sequences *s = work->s;
    size_t from = s->at[place->sequence], to = s->at[place->sequence + 1], here = from + place->step_at;
    uint32_t who = s->customer[place->sequence] + 1;
    int most = work->settings->rule_steps > 0 ? (int)work->settings->rule_steps : PAIR_STEPS;

    for (size_t x = from; x < to; x++) {
        struct met *m = &met[s->item[x]];
        int later = (int)s->step[x] - (int)s->step[here];

        if (x == here || (s->item[x] == i && !work->settings->has_self)) {
            continue;
        }
        if (m->last == 0) {
            touched[touched_n++] = s->item[x];
        }
        if (m->last != who) {
            m->last = who;
            m->customers++;
        }
        m->pair += 1.0f;
        if (later > 0 && later <= most) {
            m->rule += 1.0f / (float)(work->settings->is_square ? later * later : later);
            m->rule_customers += m->rule_last != who;
            m->rule_last = who;
        }
    }
    return touched_n;
}

static uint32_t put_row(struct rows *rows, struct topk *best)
{
    topk_sort(best);
    if (rows->n + best->n > rows->room) {
        rows->room = 2 * rows->room + best->n + PIECE_LEAST;
        rows->row = history_grow(rows->row, rows->room, sizeof(*rows->row));
    }
    for (size_t k = 0; k < best->n; k++) {
        rows->row[rows->n++] = (struct model_weight){best->at[k].item, best->at[k].score};
    }
    return (uint32_t)best->n;
}

static void count_piece(void *ctx, size_t from, size_t to)
{
    struct work *work = ctx;
    struct met *met = history_zero(work->s->items_n, sizeof(*met));
    uint32_t *touched = history_grow(NULL, work->s->items_n, sizeof(*touched));
    struct topk_entry pair_room[MODEL_W_ROW_MAX], rule_room[MODEL_W_ROW_MAX];

    for (size_t i = from; i < to; i++) {
        struct topk pairs = topk_of(pair_room, work->settings->row_most), rules = topk_of(rule_room, work->settings->row_most);
        size_t touched_n = 0;

        for (size_t p = work->place_at[i]; p < work->place_at[i + 1]; p++) {
            touched_n = meet(work, (uint32_t)i, &work->place[p], met, touched, touched_n);
        }
        for (size_t t = 0; t < touched_n; t++) {
            struct met *m = &met[touched[t]];

            if (m->customers >= work->settings->customers_min) {
                topk_offer(&pairs, m->pair, touched[t]);
            }
            if (m->rule > 0 && m->rule_customers >= work->settings->customers_min) {
                topk_offer(&rules, m->rule, touched[t]);
            }
            *m = (struct met){0};
        }
        work->pair.at[i + 1] = put_row(&work->pairs[from / work->piece], &pairs);
        work->rule.at[i + 1] = put_row(&work->rules[from / work->piece], &rules);
    }
    free(met);
    free(touched);
}

static void join(struct rows *pieces, size_t pieces_n, size_t items_n, struct ridge_w *w)
{
    size_t n = 0;

    w->at[0] = 0;
    for (size_t i = 0; i < items_n; i++) {
        w->at[i + 1] += w->at[i];
    }
    w->row = history_grow(NULL, w->at[items_n], sizeof(*w->row));
    for (size_t p = 0; p < pieces_n; p++) {
        if (pieces[p].n > 0) {
            memcpy(w->row + n, pieces[p].row, pieces[p].n * sizeof(*w->row));
        }
        n += pieces[p].n;
        free(pieces[p].row);
    }
    free(pieces);
}

void pair_train(const struct sequences *sequences, const struct pair_settings *settings, struct ridge_w *out_pair,
                struct ridge_w *out_rule)
{
    size_t items_n = sequences->items_n, piece = items_n / PIECES_MOST, pieces_n;
    struct work work = {.s = sequences, .settings = settings};

    assert(settings->row_most <= MODEL_W_ROW_MAX);
    work.piece = piece > PIECE_LEAST ? piece : PIECE_LEAST;
    pieces_n = (items_n + work.piece - 1) / work.piece;
    work.pairs = history_zero(pieces_n, sizeof(*work.pairs));
    work.rules = history_zero(pieces_n, sizeof(*work.rules));
    work.pair.at = history_zero(items_n + 1, sizeof(*work.pair.at));
    work.rule.at = history_zero(items_n + 1, sizeof(*work.rule.at));
    place_all(&work);
    pool_run(settings->threads > 0 ? settings->threads : 1, work.piece, items_n, count_piece, &work);
    join(work.pairs, pieces_n, items_n, &work.pair);
    join(work.rules, pieces_n, items_n, &work.rule);
    *out_pair = work.pair;
    *out_rule = work.rule;
    free(work.place_at);
    free(work.place);
}
