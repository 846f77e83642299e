/* SPDX-License-Identifier: Apache-2.0 */
/* w_train.h - the ridge matrices of a tenant: which rows each kind of W is learnt from (models.md 4).
 *
 *     TOGETHER   a customer's distinct purchases within one window, a set: alpha 1
 *     SESSION    the looks of one visit in order (train/sequence.h)
 *     HISTORY    the purchases of one customer in order, a step a basket (train/sequence.h)
 *     BOUGHT     sources: the looks of one visit; targets: what the same customer bought after the visit began, until
 *                W_BOUGHT_DAYS after it ended. A visit after which nothing was bought is a row too: that is news
 * Settings a search should try, best guess first (w_train_start gives the first):
 *     alpha    TOGETHER 1; SESSION .8 .4; HISTORY .5 .2; BOUGHT 1 .5
 *     lambda   relative to the mean of G_ii, so that it travels between shops: from .1 to 16, in steps of x 2 to x 4
 *     gamma    0 to .7 where alpha is 1;  delta 0 to .2;  tau 1 to 3 steps;  age_days 0, 4 to 128
 *     neighbours 100 or 200: twice as many costs three times as much for a point in a thousand */
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
