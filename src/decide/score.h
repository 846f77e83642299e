/* SPDX-License-Identifier: Apache-2.0 */
/* score.h - one visible weighted sum, and which part of it carried an item.
 *
 * Of a customer with events: the HISTORY head of model_rank.h. Of nobody known: how much is bought in the store, else in the
 * shop. A score looks at one item and never at its neighbours. */
#pragma once

#include "decide/decide.h"
#include "decide/evidence.h"

struct score_plan {
    const struct model_rank *rank; /* NULL: nobody is known, popularity alone */
    bool is_local;                   /* the store is one the model knows */
};

struct score_plan score_plan_of(const struct evidence *evidence);
/* Finite always. */
float score_of(const struct score_plan *plan, const struct evidence *evidence, uint32_t item);
/* Fills score, reason, because, addends and is_personal of out_item. Addends add up to the score; the constant
 * part stands with REASON_NONE. */
void score_explain(const struct score_plan *plan, const struct evidence *evidence, uint32_t item,
                   struct decide_item *out_item);
