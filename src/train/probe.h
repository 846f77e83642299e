/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - how good one retriever is alone, so that its settings can be chosen before any rank is learnt.
 *
 * A case is asked of one retriever: its best 20 items are held against what came. Only the sums are made, by the formulas of
 * decide/evidence.h, so a trial costs its scores and, where a setting is one of learning, one matrix. */
#pragma once

#include "model/model_session.h"
#include "train/cases.h"
#include "train/ridge.h"

enum { PROBE_LIST = 20 };

struct probe {
    const struct history *history;
    const struct next_case *cases; /* of looks in MODEL_SESSION, of baskets in MODEL_HISTORY */
    size_t n;
    const uint32_t *dense;         /* by history item; MODEL_NONE: not known */
    size_t items_n;
    enum model_domain domain;
    bool is_new_only;              /* what was had before is neither shown nor looked for */
    size_t threads;
};

struct probe_score {  /* means over the cases that have something to find */
    double hr20, mrr20, recall20, ndcg20;
    size_t cases_n;
};

/* The items of the sequence a case is asked after, oldest first, the newest MODEL_SEQUENCE_MAX; gives how many. */
size_t probe_steps(const struct probe *probe, const struct next_case *one, struct model_step out_steps[MODEL_SEQUENCE_MAX]);
/* W's sums: a source p steps back weighs exp(-p / w_steps), 0: all alike. */
struct probe_score probe_w(const struct probe *probe, const struct ridge_w *w, float w_steps);
/* W_TOGETHER's: a bought item weighs the root of the sum of rho_source^(baskets since). */
struct probe_score probe_together(const struct probe *probe, const struct ridge_w *w, float rho_source);
/* Neighbours: VSTAN's list, or VMIS's. */
struct probe_score probe_neighbours(const struct probe *probe, const struct model_view *view,
                                    const struct model_domain_settings *settings, bool is_vmis);
/* The customer's own purchases by the sum of rho^(baskets since), equal ones by `popular` (by dense number). */
struct probe_score probe_own(const struct probe *probe, const float *popular, float rho);
/* One number to climb: what came must be found, and stand high; neither is bought with the other. */
double probe_worth(const struct probe_score *score, enum model_domain domain);
