/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/drift.h"

bool drift_is_alarmed(const struct drift *drift, int64_t now_ms)
{
    return drift->alarm_ms != 0 && now_ms - drift->alarm_ms < DRIFT_HOLD_MS;
}

bool drift_seen(struct drift *drift, double loss, int64_t at_ms)
{
    if (drift->alarm_ms != 0) {
        if (drift_is_alarmed(drift, at_ms)) {
            return false;
        }
        *drift = (struct drift){0};
    }
    drift->sum += loss;
    drift->n++;
    drift->m += loss - drift->sum / drift->n - DRIFT_SLACK;
    drift->least = drift->m < drift->least ? drift->m : drift->least;
    if (drift->n < DRIFT_SAMPLES || drift->m - drift->least <= DRIFT_ALARM) {
        return false;
    }
    drift->alarm_ms = at_ms != 0 ? at_ms : 1;
    return true;
}
