/* SPDX-License-Identifier: Apache-2.0 */
#include "train/base_model.h"

#include "base/topk.h"
#include "train/lifetime.h"
#include "train/domain_train.h"
#include "train/segment_train.h"
#include "train/w_train.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define RECENT_MS (28 * DAY_MS)
#define STORE_MS (90 * DAY_MS)   /* what a store sells: a quarter, so that small stores say something */
#define REPEAT_BASKETS 30        /* later baskets that count for "bought again" */
#define REPEAT_PRIOR 20.0f       /* later baskets at the shop's own rate: prototype */
#define GAP_PRIOR 3.0f           /* gaps at the shop's own mean */
#define SPREAD_PRIOR 10.0        /* gaps at the shop's own spread */
#define SPREAD_LEAST 0.05
#define UNITS_PRIOR 3.0          /* lines of one piece */
#define STORE_CUSTOMERS_MIN MODEL_CUSTOMERS_MIN

struct making {
    const struct history *history;
    int64_t before_ms;
    const struct base_settings *settings;
    struct base_model *base;
    size_t items_n;
    uint32_t *arrival; /* dense -> history item */
    uint32_t *all_n, *recent_n; /* baskets, by history item */
    uint32_t *looks_n, *recent_looks_n, *lookers_n; /* looks, likewise, and how many customers looked */
    bool has_baskets;
};

static void *take(struct making *making, size_t n, size_t each)
{
    void *p = arena_array(&making->base->arena, n + 1, each);

    if (p == NULL) {
        abort(); /* the limit of the arena is the machine's memory */
    }
    return p;
}

/* ---- items ---- */

static void count_items(struct making *making)
{
    const struct history *history = making->history;
    uint64_t *last = history_zero(history->items.n, sizeof(*last)); /* 1 + basket: an item counts once a basket */

    making->all_n = history_zero(history->items.n, sizeof(uint32_t));
    making->recent_n = history_zero(history->items.n, sizeof(uint32_t));
    for (size_t b = 0; b < history->baskets_n; b++) {
        const struct history_basket *basket = &history->baskets[b];

        for (size_t l = 0; basket->at_ms < making->before_ms && l < basket->lines_n; l++) {
            uint32_t item = history->lines[basket->lines_at + l].item;

            if (last[item] != b + 1) {
                last[item] = b + 1;
                making->all_n[item]++;
                making->recent_n[item] += basket->at_ms >= making->before_ms - RECENT_MS;
            }
        }
    }
    free(last);
}

static void count_looks(struct making *making, int64_t newest_ms)
{
    const struct history *history = making->history;
    uint64_t *last = history_zero(history->items.n, sizeof(*last)); /* 1 + customer: looks stand customer by customer */

    making->lookers_n = history_zero(history->items.n, sizeof(uint32_t));
    making->looks_n = history_zero(history->items.n, sizeof(uint32_t));
    making->recent_looks_n = history_zero(history->items.n, sizeof(uint32_t));
    for (size_t l = 0; l < history->looks_n; l++) {
        const struct history_look *look = &history->looks[l];

        if (look->at_ms < making->before_ms) {
            making->looks_n[look->item]++;
            making->recent_looks_n[look->item] += look->at_ms > newest_ms - RECENT_MS;
            making->lookers_n[look->item] += last[look->item] != look->customer + 1;
            last[look->item] = look->customer + 1;
        }
    }
    free(last);
}

/* P7: an id that was never bought and that no catalogue knows is a model's once enough people looked at it. A page's key is open:
 * whoever makes ids up, or puts in them what they want remembered, fills no model. */
static bool is_known(const struct making *making, const bool *listed, uint32_t item)
{
    size_t least = making->settings->customers_min > 0 ? making->settings->customers_min : MODEL_CUSTOMERS_MIN;

    return making->all_n[item] > 0 || (listed != NULL && listed[item]) || making->lookers_n[item] >= least;
}

struct by_count { /* for sorting items without a context */
    uint32_t count, looks, item;
    struct bytes text;
};

static int count_order(const void *a, const void *b)
{
    const struct by_count *x = a, *y = b;

    if (x->count != y->count) {
        return x->count > y->count ? -1 : 1;
    }
    return x->looks != y->looks ? (x->looks > y->looks ? -1 : 1) : bytes_compare(x->text, y->text);
}

static void number_items(struct making *making)
{
    const struct history *history = making->history;
    struct by_count *order = history_zero(history->items.n, sizeof(*order));
    struct model_build *build = &making->base->build;
    uint64_t *id;
    uint32_t *text_at, at = 0;
    bool *listed = content_listed(history, making->before_ms);
    size_t n = 0, text_n = 0;
    char *text;

    for (uint32_t i = 0; i < history->items.n; i++) {
        if (is_known(making, listed, i)) {
            order[n++] = (struct by_count){making->all_n[i], making->looks_n[i], i, history_name(&history->items, i)};
            text_n += order[n - 1].text.n;
        }
    }
    qsort(order, n, sizeof(*order), count_order);
    making->items_n = n;
    making->arrival = take(making, n, sizeof(uint32_t));
    making->base->dense = history_grow(NULL, history->items.n, sizeof(uint32_t));
    memset(making->base->dense, 0xff, history->items.n * sizeof(uint32_t));
    build->item_id = id = take(making, n, sizeof(*id));
    build->text_at = text_at = take(making, n + 1, sizeof(*text_at));
    build->text = text = take(making, text_n, 1);
    for (uint32_t i = 0; i < n; i++) {
        making->arrival[i] = order[i].item;
        making->base->dense[order[i].item] = i;
        id[i] = history->items.id[order[i].item];
        text_at[i] = at;
        memcpy(text + at, order[i].text.p, order[i].text.n);
        at += (uint32_t)order[i].text.n;
    }
    text_at[n] = at;
    build->head.items_n = (uint32_t)n;
    free(listed);
    free(order);
}

/* ---- how often and how soon an item is bought again ---- */

struct again {
    double hits, later, gaps, gaps_sum, gaps_square, lines, units_sum;
};

struct met { /* one customer's dealings with one item */
    size_t customer; /* 1 + number */
    size_t first, last;
};

static void count_again(const struct making *making, struct again *again)
{
    const struct history *history = making->history;
    struct met *met = history_zero(history->items.n, sizeof(*met));

    for (size_t c = 0; c < history->customers_n; c++) {
        size_t end = history_basket_at(history, c, making->before_ms);

        for (size_t b = history->from[c]; b < end; b++) {
            const struct history_basket *basket = &history->baskets[b];

            for (size_t l = 0; l < basket->lines_n; l++) {
                uint32_t item = history->lines[basket->lines_at + l].item;
                struct met *m = &met[item];

                again[item].lines += 1;
                again[item].units_sum += log((double)history->lines[basket->lines_at + l].quantity_milli / 1000);

                if (m->customer != c + 1) {
                    size_t later = end - 1 - b;

                    *m = (struct met){c + 1, b, b};
                    again[item].later += (double)(later < REPEAT_BASKETS ? later : REPEAT_BASKETS);
                } else if (m->last != b) {
                    double days = (double)(basket->at_ms - history->baskets[m->last].at_ms) / (double)DAY_MS;
                    double gap = log(days > 0.5 ? days : 0.5);

                    again[item].hits += b - m->first <= REPEAT_BASKETS ? 1 : 0;
                    again[item].gaps += 1;
                    again[item].gaps_sum += gap;
                    again[item].gaps_square += gap * gap;
                    m->last = b;
                }
            }
        }
    }
    free(met);
}

/* Of ln gap around the item's mean, squared, as if SPREAD_PRIOR more gaps had the shop's. */
static double spread_of(const struct again *a, double mean, double shop)
{
    double around = a->gaps_square - 2 * mean * a->gaps_sum + mean * mean * a->gaps;

    return fmax((around + SPREAD_PRIOR * shop) / (a->gaps + SPREAD_PRIOR), SPREAD_LEAST);
}

static void fill_stats(struct making *making)
{
    struct again *again = history_zero(making->history->items.n, sizeof(*again)), sum = {0};
    struct model_item *stat = take(making, making->items_n, sizeof(*stat));
    double rate, gap, spread;

    count_again(making, again);
    for (size_t i = 0; i < making->history->items.n; i++) {
        sum.hits += again[i].hits;
        sum.later += again[i].later;
        sum.gaps += again[i].gaps;
        sum.gaps_sum += again[i].gaps_sum;
        sum.gaps_square += again[i].gaps_square;
    }
    rate = (sum.hits + 1) / (sum.later + 20);
    gap = sum.gaps > 0 ? sum.gaps_sum / sum.gaps : log(28.0);
    spread = sum.gaps > 1 ? fmax(sum.gaps_square / sum.gaps - gap * gap, SPREAD_LEAST) : 1;
    for (size_t i = 0; i < making->items_n; i++) {
        const struct again *a = &again[making->arrival[i]];
        float recent = (float)making->recent_n[making->arrival[i]];

        stat[i] = (struct model_item){
            .recent_n = recent,
            .all_n = (float)making->all_n[making->arrival[i]],
            .log_recent = logf(1.0f + recent),
            .log_repeat = (float)log((a->hits + (double)REPEAT_PRIOR * rate) / (a->later + (double)REPEAT_PRIOR)),
            .gap = (float)((a->gaps_sum + (double)GAP_PRIOR * gap) / (a->gaps + (double)GAP_PRIOR)),
            .units = (float)(a->units_sum / (a->lines + UNITS_PRIOR))};
        stat[i].gap_spread = (float)sqrt(spread_of(a, (double)stat[i].gap, spread));
    }
    making->base->build.stat = stat;
    free(again);
}

/* ---- popularity ---- */

static void fill_popular(struct making *making)
{
    struct model_build *build = &making->base->build;
    struct topk_entry room[MODEL_POPULAR_MAX];
    struct topk best = topk_of(room, MODEL_POPULAR_MAX);
    uint32_t *recent = take(making, MODEL_POPULAR_MAX, sizeof(*recent)), *all = take(making, MODEL_POPULAR_MAX, sizeof(*all));

    for (uint32_t i = 0; i < making->items_n; i++) {
        uint32_t item = making->arrival[i];
        uint32_t recent_n = making->has_baskets ? making->recent_n[item] : making->recent_looks_n[item];

        if (recent_n > 0) {
            topk_offer(&best, (float)recent_n, i);
        }
        if (i < MODEL_POPULAR_MAX && making->all_n[item] + making->looks_n[item] > 0) {
            all[build->all_n++] = i;
        }
    }
    topk_sort(&best);
    for (size_t k = 0; k < best.n; k++) {
        recent[k] = best.at[k].item;
    }
    build->recent_n = best.n;
    build->recent = recent;
    build->all = all;
}

struct store_order {
    uint64_t id;
    uint32_t store;
};

static int store_compare(const void *a, const void *b)
{
    const struct store_order *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

/* Baskets of one store in the last quarter, item by item; items of fewer than 5 different customers say nothing. */
static size_t fill_store(struct making *making, const size_t *baskets, size_t n, struct topk *best, float *out_sum)
{
    const struct history *history = making->history;
    struct counted {
        uint32_t n, customers;
        size_t basket, customer;
    } *counted = history_zero(making->items_n, sizeof(*counted));

    best->n = 0;
    *out_sum = 0;
    for (size_t k = 0; k < n; k++) {
        const struct history_basket *basket = &history->baskets[baskets[k]];

        for (size_t l = 0; l < basket->lines_n; l++) {
            struct counted *c = &counted[making->base->dense[history->lines[basket->lines_at + l].item]];

            if (c->basket != baskets[k] + 1) {
                c->basket = baskets[k] + 1;
                c->n++;
                *out_sum += 1;
                c->customers += c->customer != basket->customer + 1;
                c->customer = basket->customer + 1;
            }
        }
    }
    for (uint32_t i = 0; i < making->items_n; i++) {
        if (counted[i].customers >= STORE_CUSTOMERS_MIN) {
            topk_offer(best, (float)counted[i].n, i);
        }
    }
    topk_sort(best);
    free(counted);
    return best->n;
}

static void fill_stores(struct making *making)
{
    const struct history *history = making->history;
    struct model_build *build = &making->base->build;
    size_t stores_n = history->stores.n, *first = history_zero(stores_n + 2, sizeof(*first)), *baskets;
    struct store_order *order = history_zero(stores_n, sizeof(*order));
    struct topk_entry room[MODEL_POPULAR_MAX];
    struct topk best = topk_of(room, MODEL_POPULAR_MAX);
    struct model_weight *row = NULL, *kept;
    uint64_t *id = take(making, stores_n, sizeof(*id));
    uint32_t *at = take(making, stores_n + 1, sizeof(*at)), n = 0;
    float *sum = take(making, stores_n, sizeof(*sum));

    for (int pass = 0; pass < 2; pass++) { /* counts, then places */
        baskets = pass == 0 ? NULL : history_grow(NULL, first[stores_n + 1], sizeof(*baskets));
        for (size_t b = 0; b < history->baskets_n; b++) {
            const struct history_basket *basket = &history->baskets[b];

            if (basket->store == UINT32_MAX || basket->at_ms >= making->before_ms ||
                basket->at_ms < making->before_ms - STORE_MS) {
                continue;
            }
            if (pass == 0) {
                first[basket->store + 2]++;
            } else {
                baskets[first[basket->store + 1]++] = b;
            }
        }
        for (size_t s = 0; pass == 0 && s <= stores_n; s++) {
            first[s + 1] += first[s];
        }
    }
    for (uint32_t s = 0; s < stores_n; s++) {
        order[s] = (struct store_order){history->stores.id[s], s};
    }
    qsort(order, stores_n, sizeof(*order), store_compare);
    for (size_t s = 0; s < stores_n; s++) {
        uint32_t from = order[s].store;
        size_t found = fill_store(making, baskets + first[from], first[from + 1] - first[from], &best, &sum[s]);

        row = history_grow(row, n + found, sizeof(*row));
        id[s] = order[s].id;
        at[s] = n;
        for (size_t k = 0; k < found; k++) {
            row[n++] = (struct model_weight){best.at[k].item, best.at[k].score};
        }
    }
    at[stores_n] = n;
    build->head.stores_n = (uint32_t)stores_n;
    build->store_id = id;
    build->store_at = at;
    build->store_sum = sum;
    kept = take(making, n, sizeof(*row));
    if (n > 0) {
        memcpy(kept, row, n * sizeof(*row));
    }
    build->store_row = kept;
    free(row);
    free(order);
    free(first);
    free(baskets);
}

/* ---- W ---- */

static void fill_content(struct making *making)
{
    static const enum model_w truths[] = {MODEL_W_TOGETHER, MODEL_W_SESSION, MODEL_W_HISTORY};
    struct base_model *base = making->base;
    float *met_n = history_grow(NULL, making->items_n, sizeof(*met_n));
    struct content_base from = {.dense = base->dense, .items_n = making->items_n, .met_n = met_n,
                                .before_ms = making->before_ms, .threads = making->settings->threads};

    for (size_t i = 0; i < making->items_n; i++) {
        met_n[i] = (float)making->all_n[making->arrival[i]] + (float)making->looks_n[making->arrival[i]];
    }
    for (size_t t = 0; t < sizeof(truths) / sizeof(*truths); t++) {
        const struct ridge_w *w = &base->w[truths[t]];

        if (from.w == NULL && w->at != NULL && w->at[making->items_n] > 0) {
            from.w = w;
        }
    }
    base->w[MODEL_W_CONTENT] = content_train(making->history, &from);
    free(met_n);
}

static void fill_w(struct making *making)
{
    struct base_model *base = making->base;

    w_train(making->history, making->before_ms, base->dense, making->items_n, making->settings, base->w);
    if (making->history->content.n > 0 && !making->settings->leaves_content_out) {
        fill_content(making);
    }
    for (int kind = 0; kind < MODEL_WS_; kind++) {
        base->build.w[kind] = (struct model_build_rows){base->w[kind].at, base->w[kind].row};
    }
}

static void fill_lifetime(struct making *making)
{
    struct model_lifetime *lifetime = take(making, 1, sizeof(*lifetime));

    *lifetime = lifetime_train(making->history, making->before_ms);
    making->base->build.lifetime = lifetime;
}

void base_model_train(const struct history *history, int64_t before_ms, const struct base_settings *settings,
                      struct base_model *out_base)
{
    struct making making = {.history = history, .before_ms = before_ms, .settings = settings, .base = out_base};
    int64_t newest = 0;

    *out_base = (struct base_model){0};
    arena_open(&out_base->arena, 1 << 20, SIZE_MAX / 4);
    for (size_t b = 0; b < history->baskets_n; b++) {
        if (history->baskets[b].at_ms < before_ms) {
            newest = history->baskets[b].at_ms > newest ? history->baskets[b].at_ms : newest;
            making.has_baskets = true;
        }
    }
    for (size_t l = 0; l < history->looks_n; l++) {
        if (history->looks[l].at_ms < before_ms && history->looks[l].at_ms > newest) {
            newest = history->looks[l].at_ms;
        }
    }
    out_base->build.head.tenant = history->tenant;
    out_base->build.head.trained_ms = newest;
    out_base->build.rank[MODEL_HEAD_HISTORY] = model_rank_start;
    count_items(&making);
    count_looks(&making, newest);
    number_items(&making);
    fill_stats(&making);
    fill_popular(&making);
    fill_stores(&making);
    fill_lifetime(&making);
    fill_w(&making);
    domain_train(history, before_ms, settings, out_base);
    if (settings->has_segments) {
        segment_train(history, before_ms, out_base);
    }
    free(making.all_n);
    free(making.recent_n);
    free(making.looks_n);
    free(making.recent_looks_n);
    free(making.lookers_n);
}

void base_model_close(struct base_model *base)
{
    for (int kind = 0; kind < MODEL_WS_; kind++) {
        free(base->w[kind].at);
        free(base->w[kind].row);
    }
    free(base->dense);
    if (base->arena.first != NULL) {
        arena_close(&base->arena);
    }
    *base = (struct base_model){0};
}
