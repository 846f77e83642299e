/* SPDX-License-Identifier: Apache-2.0 */
/* ridge_copy.h - the rows of a ridge as its sums read them: weighed, capped, each item once, and back from items to rows.
 *
 *     source, target   X by row and by item; one and the same unless is_target says otherwise
 *     pair, across     by row: what a pair of sources adds to G, a source and a target to C; alpha is in them
 *     place            the rows in order of their steps, below alpha 1 only
 * Rows stand by customer where customers are counted: a customer's rows follow one another, so that the last one seen is
 * enough to count them. */
#pragma once

#include "train/ridge.h"

enum { RIDGE_ROW_MOST = 1000, RIDGE_AHEAD = 60 };

struct ridge_side {
    uint32_t *at, *item;            /* rows_n + 1 */
    uint32_t *posting_at, *posting; /* items_n + 1; rows, ascending */
};

struct ridge_place { /* 12 bytes: a visit's lie in two lines of cache */
    uint32_t item;
    float lead;     /* omega (1 - alpha) / (sum of the decays of the places that follow); 0: leads nowhere */
    uint16_t until; /* one past the last place of the row that it leads to */
    uint8_t step, is_target;
};

struct ridge_copy { /* owned; ridge_copy_free */
    const struct ridge_rows *rows;
    float alpha;
    size_t rows_n, items_n;
    bool is_apart;
    struct ridge_side source, target;
    uint32_t *who;    /* by row: 1 + number of its customer, ascending; NULL: customers are not counted */
    float *pair, *across;
    uint32_t *place_at; /* rows_n + 1 */
    struct ridge_place *place;
    float *self;      /* G_ii */
    float mean_self;  /* of items that customers_min customers have; 1 when there are none */
    float decay[256]; /* by steps between */
};

void ridge_copy_of(const struct ridge_rows *rows, const struct ridge_settings *settings, struct ridge_copy *out_copy);
void ridge_copy_free(struct ridge_copy *copy);
