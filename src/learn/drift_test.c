/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/drift.h"

#include "base/test.h"

/* Gives after how many looks of a loss with this mean the alarm is raised; 0: not within n. */
static uint32_t alarm_after(struct drift *drift, struct rng *rng, double mean, uint32_t n)
{
    for (uint32_t i = 1; i <= n; i++) {
        if (drift_seen(drift, rng_unit(rng) < mean ? 1 : 0, i)) {
            return i;
        }
    }
    return 0;
}

PROPERTY(drift_is_told_when_the_loss_rises_and_not_before)
{
    struct drift drift = {0};
    double mean = 0.2 + 0.4 * rng_unit(rng);
    uint32_t after;

    CHECK_INT(alarm_after(&drift, rng, mean, 2000), 0);
    after = alarm_after(&drift, rng, mean + 0.3, 1000);
    CHECK(after > 0);
    CHECK(drift_is_alarmed(&drift, after));
    CHECK(!drift_is_alarmed(&drift, after + DRIFT_HOLD_MS));
}

TEST(drift_begins_anew_after_its_alarm)
{
    struct drift drift = {.alarm_ms = 1};

    CHECK(!drift_seen(&drift, 1, 2));
    CHECK_INT(drift.n, 0);
    CHECK(!drift_seen(&drift, 1, 1 + DRIFT_HOLD_MS));
    CHECK_INT(drift.n, 1);
    CHECK_INT(drift.alarm_ms, 0);
}
