/* SPDX-License-Identifier: Apache-2.0 */
/* base_model.h - all that is learnt before the ranks, from the baskets and looks before one moment.
 *
 * Items are numbered by falling number of baskets, then of looks, then by id text. Counts are baskets with the item; the popular
 * lists of a shop without baskets count looks. Ranks are learnt
 * on later baskets against a base of earlier ones, so a base must never have seen what it is asked about. */
#pragma once

#include "base/arena.h"
#include "model/model_build.h"
#include "train/history.h"
#include "train/ridge.h"

struct base_settings {
    struct ridge_settings w[MODEL_WS_]; /* by enum model_w; neighbours 0: that kind is not learnt (train/w_train.h) */
    int64_t window_ms; /* one row of W_TOGETHER: a customer's purchases in so long; 0: one basket */
    bool has_segments;
    bool leaves_content_out; /* no MODEL_W_CONTENT, though there is a catalogue */
    struct model_domain_settings domain[MODEL_DOMAINS_]; /* is_learnt 0: left out. uses without VSTAN and VMIS: no sequences; without
                                                            PAIRS: no pairs (train/index_train.h, pair_train.h) */
    size_t customers_min;     /* who must share a pair that is published; 0: MODEL_CUSTOMERS_MIN */
    size_t threads;           /* 0: one */
};

struct base_model { /* owned arrays behind `build`; close with base_model_close */
    struct model_build build;
    struct arena arena;
    struct ridge_w w[MODEL_WS_]; /* at NULL: not learnt */
    uint32_t *dense; /* of history items; MODEL_NONE: not seen before the moment */
    double seconds;
};

/* Learns from baskets with at_ms < before_ms. build.rank[HISTORY] is model_rank_start until the caller sets it. */
void base_model_train(const struct history *history, int64_t before_ms, const struct base_settings *settings,
                      struct base_model *out_base);
void base_model_close(struct base_model *base);
