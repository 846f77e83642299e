/* SPDX-License-Identifier: Apache-2.0 */
#include "train/sequence.h"

#include "model/model.h"
#include "train/cases.h"

#include <stdlib.h>

struct span { /* one sequence: looks [from, to), or lines of baskets [from, to) */
    int64_t end_ms;
    size_t customer, from, to;
};

static int span_order(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    if (x->end_ms != y->end_ms) {
        return x->end_ms < y->end_ms ? -1 : 1;
    }
    if (x->customer != y->customer) {
        return x->customer < y->customer ? -1 : 1;
    }
    return (x->from > y->from) - (x->from < y->from);
}

static size_t visit_spans(const struct history *history, int64_t before_ms, struct span *spans)
{
    size_t n = 0;

    for (size_t c = 0; c < history->customers_n; c++) {
        size_t limit = history->look_from[c + 1];

        for (size_t l = history->look_from[c], end; l < limit; l = end) {
            end = cases_visit_end(history, l, limit);
            if (history->looks[end - 1].at_ms < before_ms && end - l <= MODEL_SEQUENCE_MAX) {
                spans[n++] = (struct span){history->looks[end - 1].at_ms, c, l, end};
            }
        }
    }
    return n;
}

/* The newest baskets that hold MODEL_SEQUENCE_MAX lines together; a single larger one is cut when it is put down. */
static size_t basket_spans(const struct history *history, int64_t before_ms, struct span *spans)
{
    size_t n = 0;

    for (size_t c = 0; c < history->customers_n; c++) {
        size_t end = history_basket_at(history, c, before_ms), from = end, lines = 0;

        while (from > history->from[c] && lines < MODEL_SEQUENCE_MAX) {
            lines += history->baskets[--from].lines_n;
        }
        if (from < end) {
            spans[n++] = (struct span){history->baskets[end - 1].at_ms, c, from, end};
        }
    }
    return n;
}

static void put(struct sequences *to, size_t *n, uint32_t item, size_t step, uint8_t kind)
{
    to->item[*n] = item;
    to->step[*n] = (uint8_t)(step < 255 ? step : 255);
    to->kind[(*n)++] = kind;
}

static void put_looks(const struct history *history, const struct span *span, const uint32_t *dense, struct sequences *to,
                      size_t *n)
{
    for (size_t l = span->from, step = 0; l < span->to; l++) {
        uint32_t item = dense[history->looks[l].item];

        if (item != MODEL_NONE) {
            put(to, n, item, step++, history->looks[l].kind);
        }
    }
}

static void put_baskets(const struct history *history, const struct span *span, const uint32_t *dense,
                        struct sequences *to, size_t *n)
{
    size_t lines = 0, skip;

    for (size_t b = span->from; b < span->to; b++) {
        lines += history->baskets[b].lines_n;
    }
    skip = lines > MODEL_SEQUENCE_MAX ? lines - MODEL_SEQUENCE_MAX : 0; /* of the oldest basket */
    for (size_t b = span->from; b < span->to; b++) {
        const struct history_basket *basket = &history->baskets[b];

        for (size_t l = skip; l < basket->lines_n; l++) {
            uint32_t item = dense[history->lines[basket->lines_at + l].item];

            if (item != MODEL_NONE) {
                put(to, n, item, b - span->from, EVENT_PURCHASE);
            }
        }
        skip = skip > basket->lines_n ? skip - basket->lines_n : 0;
    }
}

void sequences_of(const struct history *history, enum model_domain domain, int64_t before_ms, const uint32_t *dense,
                  size_t items_n, struct sequences *out_sequences)
{
    bool is_session = domain == MODEL_SESSION;
    struct span *spans = history_grow(NULL, is_session ? history->looks_n : history->customers_n, sizeof(*spans));
    size_t spans_n = is_session ? visit_spans(history, before_ms, spans) : basket_spans(history, before_ms, spans);
    size_t room = 0, n = 0;
    struct sequences to = {.items_n = items_n};

    if (spans_n > 0) {
        qsort(spans, spans_n, sizeof(*spans), span_order);
    }
    for (size_t s = 0; s < spans_n; s++) {
        room += is_session ? spans[s].to - spans[s].from : MODEL_SEQUENCE_MAX;
    }
    to.at = history_grow(NULL, spans_n + 1, sizeof(*to.at));
    to.end_ms = history_grow(NULL, spans_n, sizeof(*to.end_ms));
    to.customer = history_grow(NULL, spans_n, sizeof(*to.customer));
    to.item = history_grow(NULL, room, sizeof(*to.item));
    to.step = history_grow(NULL, room, 1);
    to.kind = history_grow(NULL, room, 1);
    to.at[0] = 0;
    for (size_t s = 0; s < spans_n; s++) {
        if (is_session) {
            put_looks(history, &spans[s], dense, &to, &n);
        } else {
            put_baskets(history, &spans[s], dense, &to, &n);
        }
        if (n > to.at[to.n]) {
            to.end_ms[to.n] = spans[s].end_ms;
            to.customer[to.n++] = (uint32_t)spans[s].customer;
            to.at[to.n] = n;
        }
    }
    free(spans);
    *out_sequences = to;
}

void sequences_close(struct sequences *sequences)
{
    free(sequences->at);
    free(sequences->item);
    free(sequences->step);
    free(sequences->kind);
    free(sequences->end_ms);
    free(sequences->customer);
    *sequences = (struct sequences){0};
}
