/* SPDX-License-Identifier: Apache-2.0 */
#include "train/w_train.h"

#include "model/model.h"
#include "train/cases.h"
#include "train/sequence.h"

#include <stdlib.h>

struct ridge_settings w_train_start(enum model_w kind, size_t customers_min, size_t threads)
{
    struct ridge_settings start = {.neighbours = 100, .row_most = 100, .customers_min = customers_min, .threads = threads,
                                   .alpha = 1, .gamma = 0.5f, .lambda = 4, .delta = 1};

    if (kind == MODEL_W_TOGETHER) {
        start.neighbours = 200;
    } else if (kind == MODEL_W_SESSION) {
        start.alpha = 0.9f;
        start.gamma = -0.5f;
        start.lambda = 2;
        start.tau = 1;
        start.doubt = 2;
    } else if (kind == MODEL_W_HISTORY) {
        start.alpha = 0.8f;
        start.gamma = 0;
        start.lambda = 1;
        start.tau = 3;
        start.doubt = 3;
    }
    return start;
}

static void learn_together(const struct history *history, int64_t before_ms, const uint32_t *dense, size_t items_n,
                           int64_t window_ms, const struct ridge_settings *settings, struct ridge_w *out_w)
{
    size_t *at = history_grow(NULL, history->baskets_n + 1, sizeof(*at)), rows_n = 0, n = 0;
    uint32_t *customer = history_grow(NULL, history->baskets_n, sizeof(*customer));
    uint32_t *item = history_grow(NULL, history->lines_n, sizeof(*item));
    int64_t *end_ms = history_grow(NULL, history->baskets_n, sizeof(*end_ms));
    size_t *last = history_zero(items_n, sizeof(*last)); /* 1 + row */

    at[0] = 0;
    for (size_t c = 0; c < history->customers_n; c++) {
        size_t end = history_basket_at(history, c, before_ms);
        int64_t window = -1;

        for (size_t b = history->from[c]; b < end; b++) {
            const struct history_basket *basket = &history->baskets[b];
            int64_t in = window_ms > 0 ? (before_ms - 1 - basket->at_ms) / window_ms : (int64_t)b;

            if (in != window) {
                customer[rows_n] = (uint32_t)c;
                at[++rows_n] = n;
                window = in;
            }
            for (size_t l = 0; l < basket->lines_n; l++) {
                uint32_t i = dense[history->lines[basket->lines_at + l].item];

                if (i != MODEL_NONE && last[i] != rows_n) {
                    last[i] = rows_n;
                    item[n++] = i;
                }
            }
            end_ms[rows_n - 1] = basket->at_ms;
            at[rows_n] = n;
        }
    }
    *out_w = ridge_train(&(struct ridge_rows){.at = at, .customer = customer, .item = item, .rows_n = rows_n,
                                              .items_n = items_n, .end_ms = end_ms, .now_ms = before_ms},
                         settings);
    free(at);
    free(customer);
    free(item);
    free(end_ms);
    free(last);
}

static void learn_sequences(const struct history *history, enum model_domain domain, int64_t before_ms, const uint32_t *dense,
                            size_t items_n, const struct ridge_settings *settings, struct ridge_w *out_w)
{
    struct sequences s;

    sequences_of(history, domain, before_ms, dense, items_n, &s);
    *out_w = ridge_train(&(struct ridge_rows){.at = s.at, .customer = s.customer, .item = s.item, .step = s.step,
                                              .end_ms = s.end_ms, .now_ms = before_ms, .rows_n = s.n, .items_n = items_n},
                         settings);
    sequences_close(&s);
}

/* ---- from looks to purchases ---- */

struct bought { /* rows in the making */
    size_t *at, n, room, rows_n;
    uint32_t *customer, *item;
    uint8_t *step, *is_target;
    int64_t *end_ms;
};

static void bought_put(struct bought *to, uint32_t item, size_t step, bool is_target)
{
    if (item == MODEL_NONE) {
        return;
    }
    if (to->n == to->room) {
        to->room = to->room * 2 + 1024;
        to->item = history_grow(to->item, to->room, sizeof(*to->item));
        to->step = history_grow(to->step, to->room, 1);
        to->is_target = history_grow(to->is_target, to->room, 1);
    }
    to->item[to->n] = item;
    to->step[to->n] = (uint8_t)(step < 255 ? step : 255);
    to->is_target[to->n++] = is_target;
}

/* One visit [from, to) of looks and the baskets of its days, in the order of their times: a basket leads nowhere, so
 * what was looked at after it does not lead to it. */
static void bought_visit(const struct history *history, size_t c, size_t from, size_t to, int64_t before_ms,
                         const uint32_t *dense, struct bought *out)
{
    int64_t end_ms = history->looks[to - 1].at_ms, limit_ms = end_ms + W_BOUGHT_DAYS * DAY_MS;
    size_t b = history_basket_at(history, c, history->looks[from].at_ms);
    size_t baskets_end = history_basket_at(history, c, limit_ms < before_ms ? limit_ms : before_ms), step = 0;

    for (size_t l = from; l < to || b < baskets_end;) {
        bool is_look = l < to && (b == baskets_end || history->looks[l].at_ms <= history->baskets[b].at_ms);

        if (is_look) {
            bought_put(out, dense[history->looks[l++].item], step++, false);
            continue;
        }
        for (size_t k = 0; k < history->baskets[b].lines_n; k++) {
            bought_put(out, dense[history->lines[history->baskets[b].lines_at + k].item], step, true);
        }
        step++;
        b++;
    }
    if (out->n > out->at[out->rows_n]) {
        out->customer[out->rows_n] = (uint32_t)c;
        out->end_ms[out->rows_n++] = end_ms;
        out->at[out->rows_n] = out->n;
    }
}

static void learn_bought(const struct history *history, int64_t before_ms, const uint32_t *dense, size_t items_n,
                         const struct ridge_settings *settings, struct ridge_w *out_w)
{
    struct bought to = {.at = history_zero(history->looks_n + 1, sizeof(*to.at)),
                        .customer = history_grow(NULL, history->looks_n, sizeof(*to.customer)),
                        .end_ms = history_grow(NULL, history->looks_n, sizeof(*to.end_ms))};

    for (size_t c = 0; c < history->customers_n; c++) {
        size_t limit = history_look_at(history, c, before_ms);

        for (size_t l = history->look_from[c], end; l < limit; l = end) {
            end = cases_visit_end(history, l, limit);
            if (end - l <= MODEL_SEQUENCE_MAX) {
                bought_visit(history, c, l, end, before_ms, dense, &to);
            }
        }
    }
    *out_w = ridge_train(&(struct ridge_rows){.at = to.at, .customer = to.customer, .item = to.item, .step = to.step,
                                              .is_target = to.is_target, .end_ms = to.end_ms, .now_ms = before_ms,
                                              .rows_n = to.rows_n, .items_n = items_n},
                         settings);
    free(to.at);
    free(to.customer);
    free(to.item);
    free(to.step);
    free(to.is_target);
    free(to.end_ms);
}

void w_train(const struct history *history, int64_t before_ms, const uint32_t *dense, size_t items_n,
             const struct base_settings *settings, struct ridge_w out_w[MODEL_WS_])
{
    const struct ridge_settings *w = settings->w;

    if (w[MODEL_W_TOGETHER].neighbours > 0) {
        learn_together(history, before_ms, dense, items_n, settings->window_ms, &w[MODEL_W_TOGETHER],
                       &out_w[MODEL_W_TOGETHER]);
    }
    if (w[MODEL_W_SESSION].neighbours > 0) {
        learn_sequences(history, MODEL_SESSION, before_ms, dense, items_n, &w[MODEL_W_SESSION], &out_w[MODEL_W_SESSION]);
    }
    if (w[MODEL_W_HISTORY].neighbours > 0) {
        learn_sequences(history, MODEL_HISTORY, before_ms, dense, items_n, &w[MODEL_W_HISTORY], &out_w[MODEL_W_HISTORY]);
    }
    if (w[MODEL_W_BOUGHT].neighbours > 0) {
        learn_bought(history, before_ms, dense, items_n, &w[MODEL_W_BOUGHT], &out_w[MODEL_W_BOUGHT]);
    }
}
