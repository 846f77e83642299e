/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/rhythm.h"

#include "decide/evidence_inside.h"
#include "model/model_lifetime.h"
#include "model/model_popular.h"

#include <math.h>

#define GAP_PRIOR 3.0f      /* the item's gap weighs as much as three own gaps (models.md 5) */
#define GAP_LEAST 0.5f      /* days: two tills in one morning are no rhythm */
#define AMOUNT_MOST 1.5f    /* of ln(units / usual): nobody drinks for a year what was bought for a party */
#define HAZARD_LEAST (-12.0f)
#define HAZARD_MOST 4.0f
#define FAR 5.0f
#define FAR_EARLY 30.0f
#define ALIVE_LEAST (-8.0)

static float days_since(int64_t from_ms, int64_t to_ms)
{
    float days = (float)((double)(to_ms - from_ms) / (double)DAY_MS);

    return days > EVIDENCE_DAYS_LEAST ? days : EVIDENCE_DAYS_LEAST;
}

float rhythm_gap(const struct evidence_own *own, const struct model_item *stat)
{
    float gaps = (float)own->times - 1, span = (float)((double)(own->last_ms - own->first_ms) / (double)DAY_MS);
    float own_gap = logf(fmaxf(span / fmaxf(gaps, 1), GAP_LEAST));

    return (stat->gap * GAP_PRIOR + own_gap * gaps) / (GAP_PRIOR + gaps);
}

float rhythm_hazard(float gap, float spread, float days)
{
    float z, log_days = logf(days), log_hazard;

    if (!(spread > 0)) {
        return 0;
    }
    z = (log_days - gap) / spread;
    if (z > FAR) { /* phi / (1 - Phi) by its series, where 1 - Phi has few digits left */
        float q = 1.0f / (z * z);

        log_hazard = logf(z / (1.0f - q + 3.0f * q * q));
    } else {
        z = fmaxf(z, -FAR_EARLY);
        log_hazard = -0.5f * z * z - 0.91893853f - logf(0.5f * erfcf(z * 0.70710678f));
    }
    return fminf(fmaxf(log_hazard - log_days - logf(spread), HAZARD_LEAST), HAZARD_MOST);
}

void rhythm_value(const struct evidence_own *own, const struct model_item *stat, int64_t now_ms, float value[FEATURES])
{
    float days = days_since(own->last_ms, now_ms), gap = rhythm_gap(own, stat), due = logf(days) - gap;
    float amount = own->last_milli > 0 ? logf((float)own->last_milli / 1000.0f) - stat->units : 0;

    value[FEATURE_DUE] = due;
    value[FEATURE_DUE_SQUARE] = due * due;
    value[FEATURE_HAZARD] = rhythm_hazard(gap, stat->gap_spread, days);
    value[FEATURE_EARLY] = due < logf(0.5f) ? 1 : 0;
    value[FEATURE_AMOUNT_DUE] = due - fminf(fmaxf(amount, -AMOUNT_MOST), AMOUNT_MOST);
}

float rhythm_alive(const struct model *model, const struct part *life, int64_t now_ms)
{
    const struct model_lifetime *lifetime = model_lifetime(model);
    struct lifetime_rates rates;
    struct lifetime_life seen;

    if (lifetime == NULL || !model_lifetime_life(life, now_ms, &seen)) {
        return 0;
    }
    rates = model_lifetime_rates(lifetime);
    return (float)fmax(log(model_lifetime_alive(&rates, &seen)), ALIVE_LEAST);
}
