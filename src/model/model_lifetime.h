/* SPDX-License-Identifier: Apache-2.0 */
/* model_lifetime.h - is a customer still one, and how often will they come: BG/NBD (Fader, Hardie, Lee 2005).
 *
 * Everybody buys at a rate of their own, gamma (r, alpha) over customers, and after each purchase leaves for good with a
 * chance of their own, beta (a, b). Four numbers are learnt (train/lifetime.h); the customer is three: repeat purchase days,
 * when the last was, how long ago the first. It is used for lapse and win-back, never for one customer's price or
 * service (models.md 6). Time is in weeks. */
#pragma once

#include "model/model.h"
#include "profile/part.h"

#include <stdbool.h>

struct model_lifetime { /* flat, as stored; all zero: not learnt */
    float r, alpha, a, b;
    float p, q, v; /* Gamma-Gamma spend of one purchase day, in minor units; 0: not learnt */
    float spare;
};

struct lifetime_life {
    double repeats;    /* x: days with a purchase after the first such day */
    double last_weeks; /* t_x: from the first to the last; 0 without repeats */
    double age_weeks;  /* T: from the first until now */
};

struct lifetime_rates { /* the four numbers as they are fitted; all > 0 */
    double r, alpha, a, b;
};

/* NULL: not learnt. */
const struct model_lifetime *model_lifetime(const struct model *model);
bool model_lifetime_is_good(const struct model_lifetime *lifetime); /* all zero, or finite and r, alpha, a, b > 0 */
struct lifetime_rates model_lifetime_rates(const struct model_lifetime *lifetime);

/* What the kept baskets of a life say at now_ms; false: never bought. A life longer than its list counts from the oldest basket it keeps. */
bool model_lifetime_life(const struct part *life, int64_t now_ms, struct lifetime_life *out_life);
/* P(still a customer), in (0, 1]. */
double model_lifetime_alive(const struct lifetime_rates *rates, const struct lifetime_life *life);
/* Expected purchase days in the next `weeks`. Cost: some hundred multiplications, more the nearer weeks / (alpha + T + weeks) is to 1. */
double model_lifetime_expected(const struct lifetime_rates *rates, const struct lifetime_life *life, double weeks);
/* The median of purchase days in the next `weeks`: what to say where a number of purchases is wanted, because it has the smallest
 * mean absolute error. At most 1,000. */
unsigned model_lifetime_median(const struct lifetime_rates *rates, const struct lifetime_life *life, double weeks);
