/* SPDX-License-Identifier: Apache-2.0 */
/* pair_train.h - plain counts of pairs: what is met together, and what follows (models.md 9).
 *
 *     pair   every two steps of one sequence: each item's row gives the other +1 (association rules)
 *     rule   a step, and one up to PAIR_STEPS steps later: the earlier item's row gives the later one +1 / distance
 *            (sequential rules); items of one basket do not follow each other
 * An item does not stand in its own row. No pair that fewer than customers_min different customers share. The counts of one
 * item stay inside one thread, in a fixed order: any number of threads gives the same bits. */
#pragma once

#include "train/ridge.h"
#include "train/sequence.h"

enum { PAIR_STEPS = 10 };

struct pair_settings {
    size_t row_most;      /* at most MODEL_W_ROW_MAX */
    size_t customers_min; /* MODEL_CUSTOMERS_MIN for all that is published; protocols may say 1 */
    size_t threads;
    uint32_t rule_steps;  /* 0: PAIR_STEPS */
    bool is_square;       /* a rule's step counts 1 / distance^2 */
    bool has_self;        /* an item may stand in its own row. This and the two above: how others count (cmd/near_bench.c) */
};

/* Rows by item, largest count first, of equal ones the smaller item; free at and row of both. Cost: sum of len^2 of the
 * sequences, 2e7 a second and thread where rows are short (cmd/near_bench.c). Memory: the rows, 24 B an item and thread,
 * 12 B a step. */
void pair_train(const struct sequences *sequences, const struct pair_settings *settings, struct ridge_w *out_pair,
                struct ridge_w *out_rule);
