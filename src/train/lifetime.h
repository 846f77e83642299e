/* SPDX-License-Identifier: Apache-2.0 */
/* lifetime.h - fits the numbers of model/model_lifetime.h: BG/NBD and Gamma-Gamma by maximum likelihood (models.md 6).
 *
 * With x repeats, the last at t_x, age T, a customer adds to the log-likelihood
 *     lnG(r+x) - lnG(r) + r ln(alpha) + lnG(a+b) + lnG(b+x) - lnG(b) - lnG(a+b+x)
 *     + ln( (alpha+T)^-(r+x) + [x > 0] a/(b+x-1) (alpha+t_x)^-(r+x) )
 * Spend, on customers with repeats only, x of them of mean m:
 *     -ln m - lnB(px, q) + q ln(v/(v+mx)) + px ln(mx/(v+mx))
 * The search is Nelder and Mead's simplex on the logarithms: four numbers, no derivative. (Debian's NLopt has it too, but as a
 * whole is LGPL.) */
#pragma once

#include "model/model_lifetime.h"
#include "train/history.h"

struct lifetime_spend { /* of one customer with repeats */
    double repeats;
    double mean_minor; /* of what was paid a repeat day */
};

struct lifetime_gamma { /* Gamma-Gamma; all > 0 */
    double p, q, v;
};

double lifetime_likelihood(const struct lifetime_rates *rates, const struct lifetime_life *lives, size_t n);
double lifetime_spend_likelihood(const struct lifetime_gamma *gamma, const struct lifetime_spend *spends, size_t n);
/* n > 0. Gives the log-likelihood reached. Cost: about 400 likelihoods of 4 lgamma a customer, .1 s for 1,000. */
double lifetime_fit(const struct lifetime_life *lives, size_t n, struct lifetime_rates *out_rates);
double lifetime_spend_fit(const struct lifetime_spend *spends, size_t n, struct lifetime_gamma *out_gamma);
/* What is expected to be paid on a day of purchase. */
double lifetime_spend_expected(const struct lifetime_gamma *gamma, const struct lifetime_spend *spend);

/* Lives and spends out of the baskets before before_ms. Free both lists; at most `most` customers, evenly taken out. Days are UTC's. */
struct lifetime_data {
    struct lifetime_life *lives;
    struct lifetime_spend *spends;
    size_t *customer; /* of lives */
    size_t lives_n, spends_n;
};

void lifetime_read(const struct history *history, int64_t before_ms, size_t most, struct lifetime_data *out_data);
void lifetime_data_free(struct lifetime_data *data);
/* The model's numbers, learnt from at most 20,000 customers; all zero when fewer than 50 ever came back. */
struct model_lifetime lifetime_train(const struct history *history, int64_t before_ms);
