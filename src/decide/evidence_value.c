/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence as the features of model_feature.h, one item at a time. */
#include "decide/evidence_inside.h"
#include "decide/rhythm.h"

#include "model/model_live.h"
#include "model/model_popular.h"

#include <math.h>

#define COLD_COUNT 20.0f /* models.md 7 */

static float days_since(int64_t from_ms, int64_t to_ms)
{
    float days = (float)((double)(to_ms - from_ms) / (double)DAY_MS);

    return days > EVIDENCE_DAYS_LEAST ? days : EVIDENCE_DAYS_LEAST;
}

static float root(float sum)
{
    return sum > 0 ? sqrtf(sum) : 0; /* a sum of negatives promotes nothing (models.md 4) */
}

static float over(float part, float most)
{
    return part > 0 && most > 0 ? part / most : 0;
}

static void value_of_own(const struct evidence_own *own, const struct model_item *stat, int64_t now_ms,
                         float value[FEATURES])
{
    float times = own->times, since = logf(days_since(own->last_ms, now_ms));

    value[FEATURE_OWN] = 1;
    value[FEATURE_COUNT] = logf(own->count + 0.05f);
    value[FEATURE_TIMES] = logf(times);
    value[FEATURE_BASKETS_SINCE] = logf(1.0f + (float)own->since);
    value[FEATURE_DAYS_SINCE] = since;
    value[FEATURE_RATE] = logf(times / (1.0f + (float)own->since_first));
    rhythm_value(own, stat, now_ms, value);
    value[FEATURE_REPEAT] = stat->log_repeat;
    value[FEATURE_DAYS_DECAYED] = own->days_decayed;
    value[FEATURE_BASKETS_DECAYED] = own->baskets_decayed;
    value[FEATURE_COUNT_SQUARE] = value[FEATURE_COUNT] * value[FEATURE_COUNT];
    value[FEATURE_BASKETS_SQUARE] = value[FEATURE_BASKETS_SINCE] * value[FEATURE_BASKETS_SINCE];
    value[FEATURE_DAYS_SQUARE] = since * since;
    value[FEATURE_RATE_SQUARE] = value[FEATURE_RATE] * value[FEATURE_RATE];
    value[FEATURE_COUNT_RATE] = value[FEATURE_COUNT] * value[FEATURE_RATE];
    value[FEATURE_COUNT_DAYS] = value[FEATURE_COUNT] * since;
    value[FEATURE_COUNT_REPEAT] = value[FEATURE_COUNT] * stat->log_repeat;
    value[FEATURE_DAYS_REPEAT] = since * stat->log_repeat;
    value[FEATURE_RATE_REPEAT] = value[FEATURE_RATE] * stat->log_repeat;
}

bool evidence_is_cold(const struct evidence *evidence, uint32_t item)
{
    return model_view_seen(evidence->view, item).all[MODEL_SESSION] + model_view_item(evidence->view, item).all_n <
           COLD_COUNT;
}

static float rank_of(const struct evidence_list *list, uint32_t item)
{
    float place = tally_get(&list->rank, item); /* 1 + rank */

    return place > 0 ? 1.0f / place : 0;
}

static void value_of_domain(const struct evidence_domain *domain, uint32_t item, bool is_own, float *value)
{
    float place = tally_get(&domain->source_at, item), w = tally_get(&domain->w.sum, item);
    float vstan = tally_get(&domain->vstan.sum, item);
    float pairs = tally_get(&domain->pairs.sum, item), rules = tally_get(&domain->rules.sum, item);

    value[FEATURE_W] = w > 0 ? w : 0;
    value[FEATURE_W_SHARE] = over(w, domain->w.most[is_own]);
    value[FEATURE_W_RANK] = rank_of(&domain->w, item);
    value[FEATURE_VSTAN] = vstan > 0 ? vstan : 0;
    value[FEATURE_VSTAN_SHARE] = over(vstan, domain->vstan.most[is_own]);
    value[FEATURE_VSTAN_RANK] = rank_of(&domain->vstan, item);
    value[FEATURE_VMIS_SHARE] = over(tally_get(&domain->vmis.sum, item), domain->vmis.most[is_own]);
    value[FEATURE_PAIR_SHARE] = over(pairs, domain->pairs.most[is_own]);
    value[FEATURE_RULE_SHARE] = over(rules, domain->rules.most[is_own]);
    value[FEATURE_PAIR_RATE] = pairs / (1.0f + domain->last_seen);
    value[FEATURE_RULE_RATE] = rules / (1.0f + domain->last_seen);
    value[FEATURE_VMIS_RANK] = rank_of(&domain->vmis, item);
    value[FEATURE_RULE_RANK] = rank_of(&domain->rules, item);
    value[FEATURE_PAIR_RANK] = rank_of(&domain->pairs, item);
    value[FEATURE_W_VSTAN] = value[FEATURE_W_SHARE] * value[FEATURE_VSTAN_SHARE];
    if (place > 0) {
        const struct evidence_source *source = &domain->sources[(size_t)place - 1];

        value[FEATURE_SEEN] = source->times;
        value[FEATURE_SEEN_ONCE] = 1;
        value[FEATURE_SEEN_TWICE] = source->times > 1;
        value[FEATURE_NEARNESS] = 1.0f / (1.0f + (float)source->back);
    }
}

static void value_of_item(const struct evidence *evidence, const struct model_item *stat, uint32_t item,
                          float value[FEATURES])
{
    struct model_seen seen = model_view_seen(evidence->view, item);

    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        float *block = value + (d == MODEL_SESSION ? FEATURE_SESSION_FIRST : FEATURE_HISTORY_FIRST);

        if (seen.all[d] > 0) {
            block[FEATURE_POPULAR] = log1pf(seen.all[d]);
            block[FEATURE_RECENT] = log1pf(seen.recent[d]);
        }
    }
    value[FEATURE_CONTENT] = fmaxf(tally_get(&evidence->content, item), 0);
    value[FEATURE_COLD] = COLD_COUNT / (COLD_COUNT + seen.all[MODEL_SESSION] + stat->all_n);
}

/* What was bought, and what the shop and the store sell. */
static void value_of_shop(const struct evidence *evidence, const struct evidence_own *own, const struct model_item *stat,
                          uint32_t item, float value[FEATURES])
{
    float together = root(tally_get(&evidence->together, item));
    float shop_sum = model_popular_recent_sum(evidence->view->base);
    float here = (tally_get(&evidence->here, item) + MODEL_STORE_PRIOR * stat->recent_n / shop_sum) /
                 (evidence->store_sum + MODEL_STORE_PRIOR);
    float local = log1pf(here * shop_sum);
    float interest = tally_get(&evidence->interest, item);

    if (own != NULL) {
        value_of_own(own, stat, evidence->now_ms, value);
        value[FEATURE_TOGETHER_OWN] = together;
        value[FEATURE_POPULAR_OWN] = stat->log_recent;
        value[FEATURE_STORE_OWN] = local;
    } else {
        value[FEATURE_TOGETHER_NEW] = together;
        value[FEATURE_POPULAR_NEW] = stat->log_recent;
        value[FEATURE_STORE_NEW] = local;
        value[FEATURE_REPEAT_NEW] = stat->log_repeat;
    }
    value[FEATURE_LOOKED] = root(tally_get(&evidence->looked, item));
    value[FEATURE_BOUGHT_AFTER] = root(tally_get(&evidence->bought_after, item));
    if (own != NULL || interest > 1.0f) { /* P7: one look is not a wish */
        value[FEATURE_INTEREST] = log1pf(interest);
    }
}

void evidence_value(const struct evidence *evidence, uint32_t item, float out_value[FEATURES])
{
    struct model_item stat = model_view_item(evidence->view, item);
    const struct evidence_own *own = evidence_of(evidence, item);

    memcpy(out_value, evidence->same, FEATURES * sizeof(*out_value));
    value_of_shop(evidence, own, &stat, item, out_value);
    value_of_item(evidence, &stat, item, out_value);
    if (evidence->domain[MODEL_SESSION].is_used && !evidence_is_quiet(evidence, item)) {
        value_of_domain(&evidence->domain[MODEL_SESSION], item, false, out_value + FEATURE_SESSION_FIRST);
    }
    if (evidence->domain[MODEL_HISTORY].is_used) {
        value_of_domain(&evidence->domain[MODEL_HISTORY], item, own != NULL, out_value + FEATURE_HISTORY_FIRST);
    }
}
