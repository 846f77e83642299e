/* SPDX-License-Identifier: Apache-2.0 */
#include "train/item_online.h"

#include "model/model_live.h"

#include <stdlib.h>

struct moment {
    int64_t at_ms;
    uint32_t of;
};

static int moment_order(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;

    if (x->at_ms != y->at_ms) {
        return x->at_ms < y->at_ms ? -1 : 1;
    }
    return (x->of > y->of) - (x->of < y->of);
}

static struct moment *moments_of(const int64_t *end_ms, size_t n)
{
    struct moment *moments = history_grow(NULL, n, sizeof(*moments));

    for (size_t i = 0; i < n; i++) {
        moments[i] = (struct moment){end_ms[i], (uint32_t)i};
    }
    qsort(moments, n, sizeof(*moments), moment_order);
    return moments;
}

uint32_t *item_online_order(const struct next_case *cases, size_t n)
{
    struct moment *moments = history_grow(NULL, n, sizeof(*moments));
    uint32_t *order = history_grow(NULL, n, sizeof(*order));

    for (size_t c = 0; c < n; c++) {
        moments[c] = (struct moment){cases[c].at_ms, (uint32_t)c};
    }
    qsort(moments, n, sizeof(*moments), moment_order);
    for (size_t c = 0; c < n; c++) {
        order[c] = moments[c].of;
    }
    free(moments);
    return order;
}

/* Puts one customer's visit into the live side. */
static void learn(struct model_live *live, const struct history *history, const struct model *base, size_t customer,
                  int64_t end_ms)
{
    struct model_step steps[MODEL_SEQUENCE_MAX];
    size_t from = history->look_from[customer], to = history->look_from[customer + 1];
    uint32_t n = 0;

    if (to - from > MODEL_SEQUENCE_MAX) {
        return; /* a bot */
    }
    for (size_t l = from; l < to; l++) {
        struct item_id id = {history->items.id[history->looks[l].item]};
        uint32_t item = model_item_find(base, id);

        item = item != MODEL_NONE ? item : model_live_item(live, id, history_name(&history->items, history->looks[l].item));
        if (item != MODEL_NONE) {
            steps[n] = (struct model_step){item, n};
            n++;
        }
    }
    if (n > 0) {
        (void)model_live_append(live, MODEL_SESSION, steps, n, end_ms, 0, UINT32_MAX);
    }
}

enum err item_online_lists(const struct item_asking *asking, const struct item_stream *stream,
                           const struct next_case *cases, size_t n, struct next_list *out_lists)
{
    const struct history *history = asking->history;
    struct item_asking now = *asking;
    struct model_live_room room = {.sequences = (uint32_t)history->customers_n + 1, .steps = (uint32_t)history->looks_n + 1,
                                   .items = (uint32_t)history->items.n + 1, .texts = (uint32_t)history->items.text_n + 1};
    size_t bytes = model_live_bytes(asking->view.base, &room), ended = 0;
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    struct model_live *live;
    struct item_asker *asker;
    struct moment *ends;

    if (p == NULL) {
        return ERR_NOMEM;
    }
    memset(p, 0, bytes);
    live = model_live_open(asking->view.base, &room, p);
    ends = moments_of(stream->end_ms, history->customers_n);
    asker = item_asker_open(&now);
    for (size_t i = 0; i < n; i++) {
        const struct next_case *one = &cases[stream->order[i]];

        for (; ended < history->customers_n && ends[ended].at_ms < one->at_ms; ended++) {
            learn(live, history, asking->view.base, ends[ended].of, ends[ended].at_ms);
        }
        now.view = model_view_of(asking->view.base, live);
        (void)item_ask(asker, one, &out_lists[stream->order[i]]);
    }
    item_asker_close(asker);
    free(ends);
    free(p);
    return ERR_OK;
}
