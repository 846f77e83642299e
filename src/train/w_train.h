/* SPDX-License-Identifier: Apache-2.0 */
/* w_train.h - the ridge matrices of a tenant: which rows each kind of W is learnt from (models.md 4).
 *
 *     TOGETHER   a customer's distinct purchases within one window, a set: alpha 1
 *     SESSION    the looks of one visit in order (train/sequence.h)
 *     HISTORY    the purchases of one customer in order, a step a basket (train/sequence.h)
 *     BOUGHT     sources: the looks of one visit; targets: what the same customer bought after the visit began, until
 *                W_BOUGHT_DAYS after it ended. A visit after which nothing was bought is a row too: that is news
 * Settings a search should try; w_train_start is the first guess. R@20 and the like of W alone, on recorded data:
 *     doubt      0 1 2 4. Sequences want some: 0 to 2 gave diginetica HR@20 .519 to .525, amazon_beauty's validation part HR@10
 *                .101 to .107, yoochoose64 .698 to .700; long sets none: gowalla R@20 .181 to .175
 *     gamma      sets 0 .25 .5 .75; steps -1 -.5 0 .5: at alpha .9, 0 to -.5 gave diginetica .509 to .517
 *     alpha      TOGETHER 1; SESSION .2 .4 .6 .8 .9 .95 (1 fails: .40), little else matters as much; HISTORY .2 .5 .8;
 *                BOUGHT 1 .5
 *     lambda     relative to the mean of G_ii, so that it travels: .3 1 3 10 on all. Flat: a factor of 4 is .001 to .003
 *     age_days   0, then shares of the days covered: 128 of diginetica's 145 gave .504 to .509
 *     delta      0 .2 1 4: gowalla R@20 .183 at .2, .187 at 1, .188 at 4; diginetica .525 to .530; yoochoose64 .700 to .702
 *     tau        1 3, flat;  a source p steps back: exp(-p / 1 to 3)
 *     neighbours sets 200: gowalla .185 to .187, at three times the cost; steps 100, more gives .001
 *     customers_min is no setting to search but a promise. What 5 costs against 1 where each visit is its own customer:
 *                diginetica .51 to .41, yoochoose64 .698 to .667, amazon_beauty .102 to .075; 2 gains on amazon_beauty (.110) */
#pragma once

#include "train/base_model.h"

enum { W_BOUGHT_DAYS = 7 };

/* The first guess for a kind. */
struct ridge_settings w_train_start(enum model_w kind, size_t customers_min, size_t threads);
/* Learns from what happened before before_ms each kind whose settings->w[kind].neighbours > 0, into out_w[kind]; other kinds that are
 * no ridge (pairs, rules, content) and those left out are untouched. dense: by history item, MODEL_NONE: leave out.
 * Free each at and row. */
void w_train(const struct history *history, int64_t before_ms, const uint32_t *dense, size_t items_n,
             const struct base_settings *settings, struct ridge_w out_w[MODEL_WS_]);
