/* SPDX-License-Identifier: Apache-2.0 */
/* score.h - one visible sum an item, and which part of it carried it.
 *
 * Of a customer with events: a head of model_rank.h, its logistic sum and, for the best of those, its trees. Of nobody known: how
 * much is bought in the store, else in the shop. A score looks at one item and never at its neighbours; only what the trees
 * do not look at is moved, as one, below what they did. */
#pragma once

#include "decide/decide.h"
#include "decide/evidence.h"

struct score_plan {
    const struct model_rank *rank; /* NULL: nobody is known, popularity alone */
    const struct model_tree *trees;
    size_t trees_n;
    bool is_local;                 /* the store is one the model knows */
};

struct score_below { /* items the trees did not look at */
    float from;      /* their scores are below this: the logistic sum + shift; -INFINITY: none */
    float shift;
};

struct score_plan score_plan_of(const struct evidence *evidence);
/* Scores n items into out_scores; finite always. Errors: ERR_NOMEM. Cost: about .2 us an item, and the trees'. */
MUST_USE enum err score_all(const struct score_plan *plan, const struct evidence *evidence, const uint32_t *items, size_t n,
                            struct arena *arena, float *out_scores, struct score_below *out_below);
/* Fills score, reason, because, addends and is_personal of out_item. score: what score_all gave. Addends add up to the score; the
 * constant part stands with REASON_NONE. names_all: every addend names the own item that spoke, not the reason's alone. */
void score_explain(const struct score_plan *plan, const struct evidence *evidence, uint32_t item, float score,
                   const struct score_below *below, bool names_all, struct decide_item *out_item);
