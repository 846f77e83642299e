/* SPDX-License-Identifier: Apache-2.0 */
#include "train/content.h"

#include "base/hash.h"
#include "base/rng.h"
#include "base/topk.h"
#include "train/history.h"
#include "train/pool.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORDS_MAX = 32,
    TOKENS_MAX = WORDS_MAX + ITEM_CATEGORIES_MAX + 2,
    POSTINGS = 300,     /* most met items of a token that are looked at */
    ALIKE = 100,        /* of those that share most, similarities are worked out */
    TEACHERS = 2000,    /* warm items that beta is learnt from */
    RANDOM_PAIRS = 20,  /* a teacher's pairs whatever they share */
    PAIRS_MIN = 100,    /* with W above 0, else nothing is learnt */
    PIECE = 256
};

enum { SIM_CATEGORY, SIM_BRAND, SIM_GROUP, SIM_PRICE, SIM_WORDS, SIMS, TERMS = SIMS + 1 };

#define RIDGE 1e-3 /* of the mean of the diagonal */

/* ---- what the catalogue says ---- */

static uint32_t hash_word(const char *p, size_t n, uint64_t seed)
{
    uint32_t hash = (uint32_t)hash_fast(p, n, seed);

    return hash != 0 ? hash : 1;
}

static bool is_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
}

static int word_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Distinct words of two letters and more, ASCII in lower case. */
static size_t words_of(struct bytes title, uint32_t room[WORDS_MAX])
{
    size_t n = 0, kept = 0;

    for (size_t i = 0, from; i < title.n && n < WORDS_MAX; i++) {
        char word[64];
        size_t word_n = 0;

        for (from = i; i < title.n && is_letter(title.p[i]); i++) {
            if (word_n < sizeof(word)) {
                word[word_n++] = title.p[i] >= 'A' && title.p[i] <= 'Z' ? (char)(title.p[i] + 32) : title.p[i];
            }
        }
        if (i - from >= 2) {
            room[n++] = hash_word(word, word_n, 1);
        }
    }
    qsort(room, n, sizeof(*room), word_order);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || room[i] != room[i - 1]) {
            room[kept++] = room[i];
        }
    }
    return kept;
}

void content_add(struct history *history, const struct item *item)
{
    struct content *content = &history->content;
    struct content_item *to;
    uint64_t path = 2;
    uint32_t number = history_item_put(history, item->id, item->id_text);

    if (content->n == content->room) {
        content->room = content->room > 0 ? 2 * content->room : 1024;
        content->items = history_grow(content->items, content->room, sizeof(*content->items));
    }
    if (content->words_n + WORDS_MAX > content->words_room) {
        content->words_room = 2 * content->words_room + 16384;
        content->words = history_grow(content->words, content->words_room, sizeof(*content->words));
    }
    to = &content->items[content->n++];
    *to = (struct content_item){.item = number, .price_minor = item->price_minor, .added_ms = item->added_ms,
                                .words_at = content->words_n, .category_n = item->category_n, .is_hidden = item->is_hidden};
    to->brand = item->brand.n > 0 ? hash_word(item->brand.p, item->brand.n, 3) : 0;
    to->group = item->group.n > 0 ? hash_word(item->group.p, item->group.n, 4) : 0;
    for (size_t c = 0; c < item->category_n; c++) {
        path = hash_fast(item->category[c].p, item->category[c].n, path);
        to->category[c] = (uint32_t)path != 0 ? (uint32_t)path : 1;
    }
    to->words_n = words_of(item->title, content->words + content->words_n);
    content->words_n += to->words_n;
}

void content_close(struct content *content)
{
    free(content->items);
    free(content->words);
    *content = (struct content){0};
}

bool *content_listed(const struct history *history, int64_t before_ms)
{
    bool *listed, is_now = before_ms > history_newest_ms(history);

    if (history->content.n == 0) {
        return NULL;
    }
    listed = history_zero(history->items.n, sizeof(*listed));
    for (size_t k = 0; k < history->content.n; k++) {
        const struct content_item *item = &history->content.items[k];

        listed[item->item] = !item->is_hidden && (is_now || (item->added_ms != 0 && item->added_ms < before_ms));
    }
    return listed;
}

/* ---- tokens: what two items may share ---- */

struct making {
    const struct history *history;
    const struct content_base *base;
    const struct content_item **of; /* by dense number; NULL: not described */
    float *log_price;               /* NAN: not known */
    size_t *token_at;               /* items_n + 1 */
    uint32_t *token;                /* numbers of tokens, by item; its words first */
    size_t *posting_at[2];          /* by token: of all items, of cold ones */
    uint32_t *posting[2];
    float *idf;                     /* by token */
    float *norm;                    /* of an item's words */
    size_t tokens_n;
    float beta[TERMS];              /* the last: of a pair that shares nothing */
    struct model_weight *row;       /* items_n x CONTENT_ROW */
    uint32_t *row_n;
};

static size_t tokens_of(const struct making *making, uint32_t i, uint32_t room[TOKENS_MAX])
{
    const struct content_item *item = making->of[i];
    size_t n = 0;

    if (item == NULL) {
        return 0;
    }
    for (; n < item->words_n; n++) {
        room[n] = making->history->content.words[item->words_at + n];
    }
    for (size_t c = 0; c < item->category_n; c++) {
        room[n++] = item->category[c];
    }
    if (item->brand != 0) {
        room[n++] = item->brand;
    }
    if (item->group != 0) {
        room[n++] = item->group;
    }
    return n;
}

static void number_tokens(struct making *making)
{
    size_t items_n = making->base->items_n, n = 0, kept = 0;
    uint32_t *hash, *sorted;

    making->token_at = history_zero(items_n + 1, sizeof(*making->token_at));
    for (uint32_t i = 0; i < items_n; i++) {
        uint32_t room[TOKENS_MAX];

        n += tokens_of(making, i, room);
        making->token_at[i + 1] = n;
    }
    hash = history_grow(NULL, n + TOKENS_MAX, sizeof(*hash));
    sorted = history_grow(NULL, n, sizeof(*sorted));
    for (uint32_t i = 0; i < items_n; i++) {
        (void)tokens_of(making, i, hash + making->token_at[i]);
    }
    if (n > 0) {
        memcpy(sorted, hash, n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), word_order);
    }
    for (size_t k = 0; k < n; k++) {
        if (k == 0 || sorted[k] != sorted[kept - 1]) {
            sorted[kept++] = sorted[k];
        }
    }
    for (size_t k = 0; k < n; k++) {
        hash[k] = (uint32_t)((const uint32_t *)bsearch(&hash[k], sorted, kept, sizeof(*sorted), word_order) - sorted);
    }
    making->token = hash;
    making->tokens_n = kept;
    free(sorted);
}

static bool is_cold(const struct making *making, uint32_t i)
{
    return making->base->met_n[i] < CONTENT_COLD;
}

/* Dense numbers ascend as items are met less, so the first of a list are the most met. */
static void index_tokens(struct making *making)
{
    size_t items_n = making->base->items_n, n = making->token_at[items_n];
    double described = 1;

    for (int cold = 0; cold < 2; cold++) {
        size_t *at = history_zero(making->tokens_n + 2, sizeof(*at));

        making->posting[cold] = history_grow(NULL, n, sizeof(uint32_t));
        for (int pass = 0; pass < 2; pass++) {
            for (uint32_t i = 0; i < items_n; i++) {
                if (cold == 1 && !is_cold(making, i)) {
                    continue;
                }
                for (size_t k = making->token_at[i]; k < making->token_at[i + 1]; k++) {
                    if (pass == 0) {
                        at[making->token[k] + 2]++;
                    } else {
                        making->posting[cold][at[making->token[k] + 1]++] = i;
                    }
                }
            }
            for (size_t t = 0; pass == 0 && t <= making->tokens_n; t++) {
                at[t + 1] += at[t];
            }
        }
        making->posting_at[cold] = at;
    }
    making->idf = history_grow(NULL, making->tokens_n, sizeof(float));
    making->norm = history_zero(items_n, sizeof(float));
    for (uint32_t i = 0; i < items_n; i++) {
        described += making->of[i] != NULL;
    }
    for (size_t t = 0; t < making->tokens_n; t++) {
        making->idf[t] = (float)log(described / (double)(making->posting_at[0][t + 1] - making->posting_at[0][t]));
    }
    for (uint32_t i = 0; i < items_n; i++) {
        size_t words_n = making->of[i] != NULL ? making->of[i]->words_n : 0;

        for (size_t k = making->token_at[i]; k < making->token_at[i] + words_n; k++) {
            making->norm[i] += making->idf[making->token[k]] * making->idf[making->token[k]];
        }
        making->norm[i] = sqrtf(making->norm[i]);
    }
}

/* The catalogue's price, else the mean of what was paid a piece before the moment. */
static void price_items(struct making *making)
{
    const struct history *history = making->history;
    size_t items_n = making->base->items_n;
    double *sum = history_zero(items_n, sizeof(*sum)), *n = history_zero(items_n, sizeof(*n));

    for (size_t b = 0; b < history->baskets_n; b++) {
        const struct history_basket *basket = &history->baskets[b];

        for (size_t l = 0; basket->at_ms < making->base->before_ms && l < basket->lines_n; l++) {
            const struct history_line *line = &history->lines[basket->lines_at + l];
            uint32_t i = making->base->dense[line->item];

            if (i != MODEL_NONE && line->paid_minor > 0) {
                sum[i] += log(1000.0 * (double)line->paid_minor / (double)line->quantity_milli);
                n[i] += 1;
            }
        }
    }
    making->log_price = history_grow(NULL, items_n, sizeof(float));
    for (size_t i = 0; i < items_n; i++) {
        const struct content_item *item = making->of[i];

        making->log_price[i] = item != NULL && item->price_minor > 0 ? logf((float)item->price_minor)
                               : n[i] > 0                            ? (float)(sum[i] / n[i])
                                                                     : NAN;
    }
    free(sum);
    free(n);
}

/* ---- alike ---- */

struct scratch { /* of one thread */
    float *sum; /* by item, all zero between calls */
    uint32_t *touched;
};

/* The items that share most with i, by the idf of what they share, best first. */
static size_t alike(const struct making *making, struct scratch *scratch, uint32_t i, int cold, struct topk_entry room[ALIKE])
{
    struct topk best = topk_of(room, ALIKE);
    size_t touched_n = 0;

    for (size_t k = making->token_at[i]; k < making->token_at[i + 1]; k++) {
        uint32_t token = making->token[k];
        size_t from = making->posting_at[cold][token], to = making->posting_at[cold][token + 1];

        to = to - from > POSTINGS ? from + POSTINGS : to;
        for (size_t p = from; p < to; p++) {
            uint32_t j = making->posting[cold][p];

            if (scratch->sum[j] == 0) {
                scratch->touched[touched_n++] = j;
                scratch->sum[j] = 1e-6f; /* what all share has no idf, yet was met */
            }
            scratch->sum[j] += making->idf[token];
        }
    }
    for (size_t k = 0; k < touched_n; k++) {
        uint32_t j = scratch->touched[k];

        if (j != i) {
            topk_offer(&best, scratch->sum[j], j);
        }
        scratch->sum[j] = 0;
    }
    topk_sort(&best);
    return best.n;
}

static float words_cosine(const struct making *making, uint32_t i, uint32_t j)
{
    const uint32_t *a = making->token + making->token_at[i], *a_end = a + making->of[i]->words_n;
    const uint32_t *b = making->token + making->token_at[j], *b_end = b + making->of[j]->words_n;
    float sum = 0;

    while (a < a_end && b < b_end) { /* numbers of tokens ascend as their hashes do */
        if (*a == *b) {
            sum += making->idf[*a] * making->idf[*a];
            a++;
            b++;
        } else if (*a < *b) {
            a++;
        } else {
            b++;
        }
    }
    return sum > 0 ? sum / (making->norm[i] * making->norm[j]) : 0;
}

static void similar(const struct making *making, uint32_t i, uint32_t j, float out_sim[SIMS])
{
    const struct content_item *a = making->of[i], *b = making->of[j];
    size_t depth = 0, most = a->category_n > b->category_n ? a->category_n : b->category_n;

    while (depth < a->category_n && depth < b->category_n && a->category[depth] == b->category[depth]) {
        depth++;
    }
    out_sim[SIM_CATEGORY] = most > 0 ? (float)depth / (float)most : 0;
    out_sim[SIM_BRAND] = a->brand != 0 && a->brand == b->brand ? 1 : 0;
    out_sim[SIM_GROUP] = a->group != 0 && a->group == b->group ? 1 : 0;
    out_sim[SIM_PRICE] = isnan(making->log_price[i]) || isnan(making->log_price[j])
                             ? 0
                             : expf(-fabsf(making->log_price[i] - making->log_price[j]));
    out_sim[SIM_WORDS] = words_cosine(making, i, j);
}

static struct scratch scratch_open(const struct making *making)
{
    return (struct scratch){history_zero(making->base->items_n, sizeof(float)),
                            history_grow(NULL, making->base->items_n, sizeof(uint32_t))};
}

static void scratch_close(struct scratch *scratch)
{
    free(scratch->sum);
    free(scratch->touched);
}

/* ---- beta ---- */

static double learnt(const struct ridge_w *w, uint32_t i, uint32_t j)
{
    for (uint32_t k = w->at[i]; k < w->at[i + 1]; k++) {
        if (w->row[k].item == j) {
            return (double)w->row[k].weight;
        }
    }
    return 0;
}

struct equations {
    double left[TERMS * TERMS], right[TERMS];
    size_t found_n; /* pairs that W knows */
};

static void teach(const struct making *making, uint32_t i, uint32_t j, struct equations *to)
{
    double y = learnt(making->base->w, i, j), x[TERMS];
    float sim[SIMS];

    similar(making, i, j, sim);
    for (size_t f = 0; f < SIMS; f++) {
        x[f] = (double)sim[f];
    }
    x[SIMS] = 1;
    for (size_t f = 0; f < TERMS; f++) {
        for (size_t g = 0; g < TERMS; g++) {
            to->left[f * TERMS + g] += x[f] * x[g];
        }
        to->right[f] += x[f] * y;
    }
    to->found_n += y > 0;
}

static bool learn_beta(struct making *making)
{
    struct equations equations = {{0}, {0}, 0};
    struct scratch scratch = scratch_open(making);
    struct topk_entry room[ALIKE];
    struct rng rng = {7};
    size_t warm_n = 0, every;
    double trace = 0;

    while (warm_n < making->base->items_n && making->base->met_n[warm_n] > 0) {
        warm_n++; /* an upper bound: numbers fall with baskets, then looks */
    }
    every = warm_n / TEACHERS + 1;
    for (size_t i = 0; i < warm_n; i += every) {
        size_t n;

        if (making->of[i] == NULL || is_cold(making, (uint32_t)i) || making->base->w->at[i] == making->base->w->at[i + 1]) {
            continue;
        }
        n = alike(making, &scratch, (uint32_t)i, 0, room);
        for (size_t k = 0; k < n + RANDOM_PAIRS; k++) {
            uint32_t j = k < n ? room[k].item : (uint32_t)rng_below(&rng, warm_n);

            if (j != i && making->of[j] != NULL && !is_cold(making, j)) {
                teach(making, (uint32_t)i, j, &equations);
            }
        }
    }
    scratch_close(&scratch);
    for (size_t f = 0; f < TERMS; f++) {
        trace += equations.left[f * TERMS + f] / TERMS;
    }
    for (size_t f = 0; f < TERMS; f++) {
        equations.left[f * TERMS + f] += (f < SIMS ? RIDGE * trace : 0) + 1e-9;
    }
    if (equations.found_n < PAIRS_MIN ||
        LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', TERMS, 1, equations.left, TERMS, equations.right, 1) != 0) {
        return false;
    }
    for (size_t f = 0; f < TERMS; f++) {
        making->beta[f] = (float)equations.right[f];
    }
    return true;
}

/* ---- rows ---- */

static void make_row(const struct making *making, struct scratch *scratch, uint32_t i)
{
    struct topk_entry room[ALIKE], kept[CONTENT_ROW];
    struct topk best = topk_of(kept, CONTENT_ROW);
    size_t n = alike(making, scratch, i, is_cold(making, i) ? 0 : 1, room);

    for (size_t k = 0; k < n; k++) {
        uint32_t j = room[k].item;
        float sim[SIMS], weight = making->beta[SIMS], met = fminf(making->base->met_n[i], making->base->met_n[j]);

        similar(making, i, j, sim);
        for (size_t f = 0; f < SIMS; f++) {
            weight += making->beta[f] * sim[f];
        }
        if (weight > 0) {
            topk_offer(&best, weight * CONTENT_COLD / (CONTENT_COLD + met), j);
        }
    }
    topk_sort(&best);
    for (size_t k = 0; k < best.n; k++) {
        making->row[(size_t)i * CONTENT_ROW + k] = (struct model_weight){best.at[k].item, best.at[k].score};
    }
    making->row_n[i] = (uint32_t)best.n;
}

static void rows_part(void *ctx, size_t from, size_t to)
{
    const struct making *making = ctx;
    struct scratch scratch = scratch_open(making);

    for (size_t i = from; i < to; i++) {
        if (making->of[i] != NULL) {
            make_row(making, &scratch, (uint32_t)i);
        }
    }
    scratch_close(&scratch);
}

static struct ridge_w rows_of(struct making *making)
{
    size_t items_n = making->base->items_n;
    struct ridge_w w = {history_zero(items_n + 1, sizeof(*w.at)), NULL};

    making->row = history_grow(NULL, items_n * CONTENT_ROW, sizeof(*making->row));
    making->row_n = history_zero(items_n, sizeof(*making->row_n));
    pool_run(making->base->threads > 0 ? making->base->threads : 1, PIECE, items_n, rows_part, making);
    for (size_t i = 0; i < items_n; i++) { /* closed up in place: never to the right */
        memmove(making->row + w.at[i], making->row + i * CONTENT_ROW, making->row_n[i] * sizeof(*making->row));
        w.at[i + 1] = w.at[i] + making->row_n[i];
    }
    free(making->row_n);
    w.row = history_grow(making->row, w.at[items_n], sizeof(*w.row));
    return w;
}

struct ridge_w content_train(const struct history *history, const struct content_base *base)
{
    struct making making = {.history = history, .base = base};
    struct ridge_w w = {NULL, NULL};
    bool has_cold = false;

    if (history->content.n == 0 || base->w == NULL || base->w->at == NULL) {
        return w;
    }
    making.of = history_zero(base->items_n, sizeof(*making.of));
    for (size_t k = history->content.n; k > 0; k--) { /* backwards: the first description stands */
        uint32_t i = base->dense[history->content.items[k - 1].item];

        if (i != MODEL_NONE) {
            making.of[i] = &history->content.items[k - 1];
            has_cold = has_cold || is_cold(&making, i);
        }
    }
    if (has_cold) {
        number_tokens(&making);
        index_tokens(&making);
        price_items(&making);
        if (learn_beta(&making)) {
            w = rows_of(&making);
        }
    }
    free(making.of);
    free(making.log_price);
    free(making.token_at);
    free(making.token);
    for (int cold = 0; cold < 2; cold++) {
        free(making.posting_at[cold]);
        free(making.posting[cold]);
    }
    free(making.idf);
    free(making.norm);
    return w;
}
