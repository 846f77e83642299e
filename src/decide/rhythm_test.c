/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/rhythm.h"

#include "base/test.h"
#include "model/model_build.h"

#define NOW_MS (20000 * DAY_MS)

static const struct model_item weekly = {.gap = 1.94591f, .gap_spread = 0.5f, .units = 0}; /* ln 7 */

static struct evidence_own bought(uint16_t times, double every_days, double since_days)
{
    struct evidence_own own = {.times = times, .last_ms = NOW_MS - (int64_t)(since_days * (double)DAY_MS), .last_milli = 1000};

    own.first_ms = own.last_ms - (int64_t)((times - 1) * every_days * (double)DAY_MS);
    return own;
}

TEST(rhythm_hazard_is_density_over_what_is_left)
{
    /* By hand at the median: phi(0) / (7 * .5 * .5) = .2279 a day. */
    CHECK_WITHIN(rhythm_hazard(weekly.gap, 0.5f, 7), log(0.39894228 / (7 * 0.5 * 0.5)), 1e-4);
    /* Against the two integrals of the density, far from it. */
    for (float days = 0.5f; days < 80; days *= 1.7f) {
        double left = 0, density = 0;

        for (double t = (double)days, step = 0.001 * t; t < 3000; t += step, step = 0.001 * t) {
            double middle = t + step / 2, z = (log(middle) - (double)weekly.gap) / 0.5;

            left += step * exp(-z * z / 2) / (middle * 0.5 * 2.5066283);
        }
        density = exp(-0.5 * pow((log((double)days) - (double)weekly.gap) / 0.5, 2)) / ((double)days * 0.5 * 2.5066283);
        CHECK_WITHIN(rhythm_hazard(weekly.gap, 0.5f, days), fmax(log(density / left), -12), 0.01);
    }
    CHECK_NEAR(rhythm_hazard(weekly.gap, 0, 7), 0); /* nothing known */
}

TEST(rhythm_follows_the_customer_after_some_gaps)
{
    struct evidence_own once = bought(1, 0, 3), often = bought(21, 14, 3);

    CHECK_WITHIN(rhythm_gap(&once, &weekly), log(7), 1e-5);
    CHECK_WITHIN(rhythm_gap(&often, &weekly), (3 * log(7) + 20 * log(14)) / 23, 1e-5);
}

TEST(rhythm_is_early_then_due)
{
    float value[FEATURES] = {0};
    struct evidence_own own = bought(1, 0, 3.4);

    rhythm_value(&own, &weekly, NOW_MS, value);
    CHECK_NEAR(value[FEATURE_EARLY], 1);
    CHECK_WITHIN(value[FEATURE_DUE], log(3.4 / 7), 1e-4);
    own = bought(1, 0, 3.6);
    rhythm_value(&own, &weekly, NOW_MS, value);
    CHECK_NEAR(value[FEATURE_EARLY], 0);
    own.last_milli = 2000; /* twice as much lasts twice as long */
    rhythm_value(&own, &weekly, NOW_MS, value);
    CHECK_WITHIN(value[FEATURE_AMOUNT_DUE], log(3.6 / 14), 1e-4);
}

/* Whatever the numbers: finite, within the bounds a model file may hold. */
PROPERTY(rhythm_is_finite)
{
    float value[FEATURES] = {0};
    struct model_item stat = {.gap = (float)(20 * rng_unit(rng) - 8), .gap_spread = (float)(3 * rng_unit(rng)),
                              .units = (float)(20 * rng_unit(rng) - 10)};
    struct evidence_own own = bought((uint16_t)(1 + rng_below(rng, 1000)), 100 * rng_unit(rng), 5000 * rng_unit(rng));

    own.last_milli = (int32_t)rng_below(rng, INT32_MAX);
    rhythm_value(&own, &stat, NOW_MS - (int64_t)rng_below(rng, (uint64_t)DAY_MS), value);
    for (size_t f = 0; f < FEATURES; f++) {
        CHECK(isfinite(value[f]));
    }
    CHECK(value[FEATURE_HAZARD] >= -12 && value[FEATURE_HAZARD] <= 4);
}

/* A customer who came weekly and stopped is less alive by the week; who came once is taken as alive. */
TEST(rhythm_alive_fades)
{
    static const struct model_lifetime lifetime = {.r = .8f, .alpha = 3, .a = .9f, .b = 2.5f};
    const struct model_build build = {.head = {.tenant = {1}}, .lifetime = &lifetime}, none = {.head = {.tenant = {1}}};
    struct part life = {.baskets_n = 8};
    const struct model *model, *without;
    struct arena arena;
    struct bytes file;
    struct why why;
    float last = 0;

    arena_open(&arena, 4096, 1 << 20);
    CHECK_OK(model_build(&build, &arena, &file));
    CHECK_OK(model_file_open(file, &arena, &model, &why));
    CHECK_OK(model_build(&none, &arena, &file));
    CHECK_OK(model_file_open(file, &arena, &without, &why));
    for (size_t b = 0; b < life.baskets_n; b++) {
        life.baskets[b].at_ms = NOW_MS - (int64_t)b * 7 * DAY_MS;
    }
    for (int64_t week = 1; week < 10; week++) {
        float alive = rhythm_alive(model, &life, NOW_MS + week * 7 * DAY_MS);

        CHECK(alive < last || week == 1);
        CHECK(alive < 0 && alive > -8.1f);
        last = alive;
    }
    CHECK_NEAR(rhythm_alive(without, &life, NOW_MS), 0);
    life.baskets_n = 1;
    CHECK_NEAR(rhythm_alive(model, &life, NOW_MS + 700 * DAY_MS), 0);
    life.baskets_n = 0;
    CHECK_NEAR(rhythm_alive(model, &life, NOW_MS), 0);
    arena_close(&arena);
}
