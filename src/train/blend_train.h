/* SPDX-License-Identifier: Apache-2.0 */
/* blend_train.h - the blend's weights from first baskets that came after what the base models saw.
 *
 * A case: a customer with at least two baskets before a moment, asked when the next basket came (their own time, the
 * base of the moment). Each candidate of decide/evidence.c is a row: 1 if it is in that basket. Logistic regression on
 * standardised values, a little ridge, Newton steps with halving. A case weighs |basket|^-power. Features that never
 * differ (nobody looked at anything in a CSV of receipts) keep their starting weight. */
#pragma once

#include "train/base_model.h"

struct next_case { /* history before, one basket to find */
    size_t customer, from, to, target; /* baskets [from, to) are known; the basket to be found */
};

/* The first basket in [from_ms, to_ms) of every customer with two or more before from_ms. Gives n; free *out_cases. */
size_t next_cases(const struct history *history, int64_t from_ms, int64_t to_ms, struct next_case **out_cases);

struct blend_rows { /* all zero: none */
    float *value;     /* n x BLEND_FEATURES */
    uint8_t *hit;
    float *weight;
    size_t n;
};

/* Adds the rows of all cases against the base (whose file is `model`). */
void blend_rows_add(struct blend_rows *rows, const struct history *history, const struct model *model,
                    const struct next_case *cases, size_t n, float power, size_t threads);
void blend_rows_free(struct blend_rows *rows);
/* rho, rho_source and the weights of features that never differ come from `start`. */
struct model_blend blend_train(const struct blend_rows *rows, const struct model_blend *start, size_t threads);
