/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/score.h"

#include <assert.h>
#include <math.h>

/* Which reason a feature speaks for. */
static const enum decide_reason speaks_for[FEATURES] = {
    [FEATURE_OWN] = REASON_REPEAT,
    [FEATURE_COUNT] = REASON_REPEAT,
    [FEATURE_TIMES] = REASON_REPEAT,
    [FEATURE_BASKETS_SINCE] = REASON_REPEAT,
    [FEATURE_DAYS_SINCE] = REASON_REPEAT,
    [FEATURE_RATE] = REASON_REPEAT,
    [FEATURE_DUE] = REASON_REPEAT,
    [FEATURE_DUE_SQUARE] = REASON_REPEAT,
    [FEATURE_REPEAT] = REASON_REPEAT,
    [FEATURE_TOGETHER_OWN] = REASON_TOGETHER,
    [FEATURE_TOGETHER_NEW] = REASON_TOGETHER,
    [FEATURE_POPULAR_OWN] = REASON_POPULAR,
    [FEATURE_POPULAR_NEW] = REASON_POPULAR,
    [FEATURE_STORE_OWN] = REASON_STORE,
    [FEATURE_STORE_NEW] = REASON_STORE,
    [FEATURE_REPEAT_NEW] = REASON_POPULAR,
    [FEATURE_DAYS_DECAYED] = REASON_REPEAT,
    [FEATURE_BASKETS_DECAYED] = REASON_REPEAT,
    [FEATURE_LOOKED] = REASON_LOOKED,
    [FEATURE_INTEREST] = REASON_LOOKED,
    [FEATURE_COUNT_SQUARE] = REASON_REPEAT,
    [FEATURE_BASKETS_SQUARE] = REASON_REPEAT,
    [FEATURE_DAYS_SQUARE] = REASON_REPEAT,
    [FEATURE_RATE_SQUARE] = REASON_REPEAT,
    [FEATURE_COUNT_RATE] = REASON_REPEAT,
    [FEATURE_COUNT_DAYS] = REASON_REPEAT,
    [FEATURE_COUNT_REPEAT] = REASON_REPEAT,
    [FEATURE_DAYS_REPEAT] = REASON_REPEAT,
    [FEATURE_RATE_REPEAT] = REASON_REPEAT,
};

_Static_assert((int)REASON_STORE < (int)DECIDE_ADDENDS && (int)REASON_POPULAR >= (int)DECIDE_ADDENDS,
               "addends: none, repeat, together, looked, store and popular");

struct score_plan score_plan_of(const struct evidence *evidence)
{
    return (struct score_plan){evidence_is_empty(evidence) ? NULL : model_rank(evidence->model, MODEL_HEAD_HISTORY),
                               evidence->store_row_n > 0};
}

float score_of(const struct score_plan *plan, const struct evidence *evidence, uint32_t item)
{
    float value[FEATURES], sum;

    evidence_value(evidence, item, value);
    if (plan->rank == NULL) {
        return value[plan->is_local ? FEATURE_STORE_NEW : FEATURE_POPULAR_NEW];
    }
    sum = plan->rank->bias;
    for (size_t f = 0; f < FEATURES; f++) {
        sum += plan->rank->weight[f] * value[f];
    }
    return isfinite(sum) ? sum : -1e6f;
}

static void explain_nobody(const struct score_plan *plan, struct decide_item *item)
{
    item->reason = plan->is_local ? REASON_STORE : REASON_POPULAR;
    item->addends[item->addends_n++] = (struct decide_part_score){item->reason, item->score, {0}};
}

static struct item_id spoke(const struct evidence *evidence, enum decide_reason reason, uint32_t item)
{
    uint32_t because = MODEL_NONE;

    if (reason == REASON_REPEAT) {
        because = item;
    } else if (reason == REASON_TOGETHER) {
        because = evidence_because(evidence, evidence->bought, evidence->bought_n, item);
    } else if (reason == REASON_LOOKED) {
        because = evidence_because(evidence, evidence->seen, evidence->seen_n, item);
    }
    return because == MODEL_NONE ? (struct item_id){0} : model_item_id(evidence->model, because);
}

void score_explain(const struct score_plan *plan, const struct evidence *evidence, uint32_t item,
                   struct decide_item *out_item)
{
    static const enum decide_reason order[DECIDE_ADDENDS] = {REASON_NONE,   REASON_REPEAT, REASON_TOGETHER,
                                                             REASON_LOOKED, REASON_STORE,  REASON_POPULAR};
    float value[FEATURES], sum[REASONS_] = {0}, lift[REASONS_] = {0}, most = 0;

    out_item->score = score_of(plan, evidence, item);
    if (plan->rank == NULL) {
        explain_nobody(plan, out_item);
        return;
    }
    evidence_value(evidence, item, value);
    sum[REASON_NONE] = plan->rank->bias;
    for (size_t f = 0; f < FEATURES; f++) {
        sum[speaks_for[f]] += plan->rank->weight[f] * value[f];
        lift[speaks_for[f]] += plan->rank->weight[f] * (value[f] - plan->rank->mean[f]);
    }
    out_item->reason = REASON_POPULAR;
    for (size_t i = 0; i < DECIDE_ADDENDS; i++) {
        enum decide_reason reason = order[i];
        struct decide_part_score addend = {reason, sum[reason], {0}};
        bool is_own = reason == REASON_REPEAT || reason == REASON_TOGETHER || reason == REASON_LOOKED;
        bool may_say = reason == REASON_REPEAT     ? evidence_of(evidence, item) != NULL
                       : reason == REASON_TOGETHER ? tally_get(&evidence->together, item) > 0
                       : reason == REASON_LOOKED   ? sum[reason] > 0
                       : reason == REASON_STORE    ? plan->is_local
                                                   : reason == REASON_POPULAR;

        if (is_own && may_say) {
            addend.because = spoke(evidence, reason, item);
            out_item->is_personal = true;
        }
        if (may_say && lift[reason] > most) {
            most = lift[reason];
            out_item->reason = reason;
            out_item->because = addend.because;
        }
        out_item->addends[out_item->addends_n++] = addend;
    }
}
