/* SPDX-License-Identifier: Apache-2.0 */
/* ridge_sweep.h - one sweep over the rows for each item: what is kept of G, and N(j) with C_Nj.
 *
 * Never the whole Gram: an item's sums stand in a dense accumulator of the thread and are thinned at once. Lists are
 * laid down in pieces of RIDGE_PIECE items, each of just its length. */
#pragma once

#include "base/topk.h"
#include "train/ridge_copy.h"

enum { RIDGE_PIECE = 64 };

struct ridge_lists { /* by item: entries in no order that matters */
    struct topk_entry **piece;
    uint32_t *at, *n; /* within the piece */
};

struct ridge_sums { /* owned; ridge_sums_free */
    float lambda;            /* absolute */
    struct ridge_lists kept; /* G_ij, j other than i; empty where alpha is 0 */
    struct ridge_lists near; /* by target j: (C_ij, i) of N(j), largest quotient first */
};

void ridge_sweep(const struct ridge_copy *copy, const struct ridge_settings *settings, struct ridge_sums *out_sums);
/* The steps after it, in ridge.c: near becomes (w_ij, i) by target; then rows by source. */
void ridge_solve(const struct ridge_copy *copy, const struct ridge_settings *settings, struct ridge_sums *sums);
struct ridge_w ridge_by_source(const struct ridge_sums *sums, size_t items_n, size_t row_most);
void ridge_sums_free(struct ridge_sums *sums, size_t items_n);

static inline struct topk_entry *ridge_list(const struct ridge_lists *lists, size_t i)
{
    return lists->piece[i / RIDGE_PIECE] + lists->at[i];
}
