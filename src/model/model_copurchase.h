/* SPDX-License-Identifier: Apache-2.0 */
/* model_copurchase.h - rows of items: what an item leads to. The ridge matrices W, and plain counts of pairs.
 *
 * Learnt by train/ridge.h and train/pair_train.h (models.md 4, 9). Row i: at most MODEL_W_ROW_MAX targets j, largest |weight|
 * first, of equal ones the smaller item. No pair that fewer than MODEL_CUSTOMERS_MIN customers (sessions, where nobody
 * is known) share. Which kinds a file holds is the trainer's choice: a kind that helped nothing is empty. */
#pragma once

#include "model/model_popular.h"

enum { MODEL_W_ROW_MAX = 200, MODEL_CUSTOMERS_MIN = 5 };

enum model_w { /* numbers are stored: sections 32 + 2 * kind and the next */
    MODEL_W_TOGETHER = 0,     /* goes with: bought by one customer within a window; no row holds i itself */
    MODEL_W_SESSION = 1,      /* looks of one visit, order counts */
    MODEL_W_HISTORY = 2,      /* purchases of one customer in order: the next visit */
    MODEL_W_BOUGHT = 3,       /* from looks to what was bought in the days after */
    MODEL_W_CONTENT = 4,      /* alike by category, brand, price band, words: for items too new for the others */
    MODEL_W_PAIR_SESSION = 5, /* counts: every other item of a common sequence +1 */
    MODEL_W_RULE_SESSION = 6, /* counts: later items up to 10 steps, +1 / distance */
    MODEL_W_PAIR_HISTORY = 7,
    MODEL_W_RULE_HISTORY = 8,
    MODEL_WS_
};

/* The row; n is 0 where the kind was not learnt. */
const struct model_weight *model_w_row(const struct model *model, enum model_w kind, uint32_t item, size_t *out_n);
bool model_w_has(const struct model *model, enum model_w kind); /* any row at all */
