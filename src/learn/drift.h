/* SPDX-License-Identifier: Apache-2.0 */
/* drift.h - a category in which what was learnt no longer foretells what people look at (models.md 18.7).
 *
 * Page-Hinkley on a loss of 0..1 a look: 0 where the item stood among what the model puts beside the look before, 1 where
 * it did not. m += loss - mean - DRIFT_SLACK; alarm when m has risen DRIFT_ALARM above its least. An alarm holds for
 * DRIFT_HOLD_MS and then the test begins anew. Origin: E. S. Page, "Continuous inspection schemes", Biometrika 1954. */
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

enum { DRIFT_SAMPLES = 200 /* before which a mean is chance */ };

#define DRIFT_SLACK 0.05
#define DRIFT_ALARM 50.0
#define DRIFT_HOLD_MS (14 * DAY_MS)

struct drift { /* one category; all zero: nothing seen */
    double sum, m, least;
    uint32_t n;
    int64_t alarm_ms; /* when it was raised; 0: none */
};

/* Takes one loss in. True when this very look raised the alarm. */
bool drift_seen(struct drift *drift, double loss, int64_t at_ms);
bool drift_is_alarmed(const struct drift *drift, int64_t now_ms);
