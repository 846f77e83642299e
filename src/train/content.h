/* SPDX-License-Identifier: Apache-2.0 */
/* content.h - what the catalogue says of items, and the rows of MODEL_W_CONTENT made of it: for items too new for the rest (models.md 7).
 *
 *     W_cold(i, j) = beta_0 + sum over f of beta_f * sim_f(i, j)
 *     f    share of the category path in common; same brand; same group; exp(-|ln price_i - ln price_j|); cosine of the title's
 *          words by TF-IDF
 *     beta by ridge of the learnt W_ij on the similarities, over pairs of warm items that share something, and some that share
 *          nothing: no weight is set by hand, a shop where likeness says nothing gets small ones, and pairs no more alike
 *          than any two fall to beta_0: they are left out
 *     row  W_cold * 20 / (20 + n), n: how often the colder of the two was bought or looked at. Only pairs with an item of n < 20,
 *          as source or as target; the 50 largest above 0
 * So the blend W_eff = n / (n + 20) * W + 20 / (n + 20) * W_cold is split: the learnt part stands in its own rows, which say
 * little of an item bought seldom, the other here; both reach the ranks as features, beside FEATURE_COLD.
 *
 * An item that nobody bought or looked at gets a number when the moment is now, or when the catalogue says that it was
 * added before: a base of the past must not know what came later. */
#pragma once

#include "base/id.h"
#include "catalog/catalog.h"
#include "train/ridge.h"

struct history;

enum { CONTENT_ROW = 50, CONTENT_COLD = 20 };

struct content_item {
    uint32_t item;          /* of history.items */
    uint32_t brand, group;  /* hashes; 0: not said */
    uint32_t category[ITEM_CATEGORIES_MAX]; /* hashes of the path down to here */
    size_t category_n;
    int64_t price_minor;    /* -1: not said */
    int64_t added_ms;       /* 0: not said */
    size_t words_at, words_n; /* hashes, ascending, each once */
    bool is_hidden;
};

struct content { /* all zero: no catalogue; content_close. Owned by a history */
    struct content_item *items;
    size_t n, room;
    uint32_t *words;
    size_t words_n, words_room;
};

/* Takes in what the catalogue says of one item; of one described twice the first counts. */
void content_add(struct history *history, const struct item *item);
void content_close(struct content *content);
/* By history item: is it numbered in a base of before before_ms, though nobody met it? Free it; NULL: there is no catalogue. */
bool *content_listed(const struct history *history, int64_t before_ms);

struct content_base { /* what the rows are learnt against */
    const uint32_t *dense;   /* by history item; MODEL_NONE: not numbered */
    size_t items_n;
    const float *met_n;      /* by dense number: bought or looked at */
    const struct ridge_w *w; /* the truth of warm pairs */
    int64_t before_ms;
    size_t threads;
};

/* at NULL: no catalogue, nothing cold, or too few warm pairs to learn beta from. Any number of threads gives the same rows. Memory: 400
 * bytes an item. Cost: about .1 ms a cold item. */
struct ridge_w content_train(const struct history *history, const struct content_base *base);
