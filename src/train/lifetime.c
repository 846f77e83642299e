/* SPDX-License-Identifier: Apache-2.0 */
#include "train/lifetime.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { DIMENSIONS_MAX = 4, STEPS_MAX = 2000, TRAIN_CUSTOMERS = 20000, TRAIN_REPEATERS_MIN = 50 };

#define TOLERANCE 1e-10 /* of the likelihood, relative */
#define LOG_MOST 12.0   /* e^12 of any number is as good as infinite */
#define WEEK_DAYS 7.0

/* ---- likelihoods ---- */

static double log_gamma(double x)
{
    int sign;

    return lgamma_r(x, &sign);
}

double lifetime_likelihood(const struct lifetime_rates *k, const struct lifetime_life *lives, size_t n)
{
    double fixed = k->r * log(k->alpha) - log_gamma(k->r) + log_gamma(k->a + k->b) - log_gamma(k->b), sum = 0;

    for (size_t i = 0; i < n; i++) {
        double x = lives[i].repeats, stayed = -(k->r + x) * log(k->alpha + lives[i].age_weeks), either = stayed;

        if (x > 0) {
            double left = log(k->a / (k->b + x - 1)) - (k->r + x) * log(k->alpha + lives[i].last_weeks);

            either = fmax(stayed, left) + log1p(exp(-fabs(stayed - left)));
        }
        sum += log_gamma(k->r + x) + log_gamma(k->b + x) - log_gamma(k->a + k->b + x) + either;
    }
    return (double)n * fixed + sum;
}

double lifetime_spend_likelihood(const struct lifetime_gamma *k, const struct lifetime_spend *spends, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double px = k->p * spends[i].repeats, paid = spends[i].mean_minor * spends[i].repeats;

        sum += log_gamma(px + k->q) - log_gamma(px) - log_gamma(k->q) - log(spends[i].mean_minor) -
               k->q * log1p(paid / k->v) - px * log1p(k->v / paid);
    }
    return sum;
}

/* ---- the search: Nelder and Mead 1965 ---- */

struct search {
    size_t n;
    double (*of)(const double *logs, const void *ctx); /* to be made large */
    const void *ctx;
};

struct corner {
    double at[DIMENSIONS_MAX], value;
};

static double value_at(const struct search *search, const double *logs)
{
    double value;

    for (size_t d = 0; d < search->n; d++) {
        if (!(fabs(logs[d]) < LOG_MOST)) {
            return -HUGE_VAL;
        }
    }
    value = search->of(logs, search->ctx);
    return isfinite(value) ? value : -HUGE_VAL;
}

static int corner_order(const void *a, const void *b) /* best first */
{
    const struct corner *x = a, *y = b;

    return (x->value < y->value) - (x->value > y->value);
}

/* The point at centre + by * (centre - worst). */
static struct corner beyond(const struct search *search, const double *centre, const struct corner *worst, double by)
{
    struct corner corner = {{0}, 0};

    for (size_t d = 0; d < search->n; d++) {
        corner.at[d] = centre[d] + by * (centre[d] - worst->at[d]);
    }
    corner.value = value_at(search, corner.at);
    return corner;
}

static void step(const struct search *search, struct corner *corners)
{
    struct corner *worst = &corners[search->n], next, further;
    double centre[DIMENSIONS_MAX] = {0};

    for (size_t c = 0; c < search->n; c++) {
        for (size_t d = 0; d < search->n; d++) {
            centre[d] += corners[c].at[d] / (double)search->n;
        }
    }
    next = beyond(search, centre, worst, 1);
    if (next.value > corners[0].value) {
        further = beyond(search, centre, worst, 2);
        *worst = further.value > next.value ? further : next;
        return;
    }
    if (next.value > corners[search->n - 1].value) {
        *worst = next;
        return;
    }
    further = beyond(search, centre, worst, next.value > worst->value ? 0.5 : -0.5);
    if (further.value > fmax(next.value, worst->value)) {
        *worst = further;
        return;
    }
    for (size_t c = 1; c <= search->n; c++) {
        for (size_t d = 0; d < search->n; d++) {
            corners[c].at[d] = (corners[c].at[d] + corners[0].at[d]) / 2;
        }
        corners[c].value = value_at(search, corners[c].at);
    }
}

/* Begins again from its own end, because a simplex can collapse short of the top. */
static double climb(const struct search *search, double *logs)
{
    struct corner corners[DIMENSIONS_MAX + 1];

    for (int round = 0; round < 3; round++) {
        for (size_t c = 0; c <= search->n; c++) {
            memcpy(corners[c].at, logs, sizeof(corners[c].at));
            if (c > 0) {
                corners[c].at[c - 1] += 0.5;
            }
            corners[c].value = value_at(search, corners[c].at);
        }
        for (int s = 0; s < STEPS_MAX; s++) {
            qsort(corners, search->n + 1, sizeof(*corners), corner_order);
            if (corners[0].value - corners[search->n].value <= TOLERANCE * fabs(corners[0].value)) {
                break;
            }
            step(search, corners);
        }
        qsort(corners, search->n + 1, sizeof(*corners), corner_order);
        memcpy(logs, corners[0].at, sizeof(corners[0].at));
    }
    return corners[0].value;
}

static struct lifetime_rates rates_of(const double *logs)
{
    return (struct lifetime_rates){exp(logs[0]), exp(logs[1]), exp(logs[2]), exp(logs[3])};
}

struct sample { /* what a likelihood is of */
    const struct lifetime_life *lives;
    const struct lifetime_spend *spends;
    size_t n;
};

static double rates_value(const double *logs, const void *ctx)
{
    const struct sample *sample = ctx;
    struct lifetime_rates rates = rates_of(logs);

    return lifetime_likelihood(&rates, sample->lives, sample->n);
}

double lifetime_fit(const struct lifetime_life *lives, size_t n, struct lifetime_rates *out_rates)
{
    const struct sample sample = {.lives = lives, .n = n};
    const struct search search = {4, rates_value, &sample};
    double logs[DIMENSIONS_MAX] = {0, 1, 0, 0}, value;

    assert(n > 0);
    value = climb(&search, logs);
    *out_rates = rates_of(logs);
    return value;
}

static struct lifetime_gamma gamma_of(const double *logs)
{
    return (struct lifetime_gamma){exp(logs[0]), exp(logs[1]), exp(logs[2])};
}

static double gamma_value(const double *logs, const void *ctx)
{
    const struct sample *sample = ctx;
    struct lifetime_gamma gamma = gamma_of(logs);

    return lifetime_spend_likelihood(&gamma, sample->spends, sample->n);
}

double lifetime_spend_fit(const struct lifetime_spend *spends, size_t n, struct lifetime_gamma *out_gamma)
{
    struct lifetime_spend *copy = history_grow(NULL, n, sizeof(*copy));
    const struct sample sample = {.spends = copy, .n = n};
    const struct search search = {3, gamma_value, &sample};
    double logs[DIMENSIONS_MAX] = {1, 1, 1}, value, mean = 0;

    assert(n > 0);
    for (size_t i = 0; i < n; i++) {
        copy[i] = spends[i];
        mean += spends[i].mean_minor / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        copy[i].mean_minor /= mean; /* v in means: its logarithm stays near the others' */
    }
    value = climb(&search, logs) - (double)n * log(mean);
    *out_gamma = gamma_of(logs);
    out_gamma->v *= mean;
    free(copy);
    return value;
}

double lifetime_spend_expected(const struct lifetime_gamma *k, const struct lifetime_spend *spend)
{
    double px = k->p * spend->repeats;

    return (k->v + spend->mean_minor * spend->repeats) * k->p / (px + k->q - 1);
}

/* ---- out of a history ---- */

static double basket_minor(const struct history *history, const struct history_basket *basket)
{
    double sum = 0;

    for (size_t l = 0; l < basket->lines_n; l++) {
        sum += (double)history->lines[basket->lines_at + l].paid_minor;
    }
    return sum;
}

static void read_customer(const struct history *history, size_t c, size_t end, int32_t now_day, struct lifetime_data *data)
{
    int32_t first = time_day(history->baskets[history->from[c]].at_ms), last = first;
    double repeats = 0, paid = 0;

    for (size_t b = history->from[c]; b < end; b++) {
        int32_t day = time_day(history->baskets[b].at_ms);

        repeats += day != last;
        last = day;
        paid += day != first ? basket_minor(history, &history->baskets[b]) : 0;
    }
    data->customer[data->lives_n] = c;
    data->lives[data->lives_n++] =
        (struct lifetime_life){repeats, (double)(last - first) / WEEK_DAYS, (double)(now_day - first) / WEEK_DAYS};
    if (repeats > 0 && paid > 0) {
        data->spends[data->spends_n++] = (struct lifetime_spend){repeats, paid / repeats};
    }
}

void lifetime_read(const struct history *history, int64_t before_ms, size_t most, struct lifetime_data *out_data)
{
    size_t n = history->customers_n, every = most > 0 && n > most ? (n + most - 1) / most : 1;

    *out_data = (struct lifetime_data){.lives = history_grow(NULL, n, sizeof(struct lifetime_life)),
                                       .spends = history_grow(NULL, n, sizeof(struct lifetime_spend)),
                                       .customer = history_grow(NULL, n, sizeof(size_t))};
    for (size_t c = 0; c < n; c += every) {
        size_t end = history_basket_at(history, c, before_ms);

        if (end > history->from[c]) {
            read_customer(history, c, end, time_day(before_ms - 1), out_data);
        }
    }
}

void lifetime_data_free(struct lifetime_data *data)
{
    free(data->lives);
    free(data->spends);
    free(data->customer);
    *data = (struct lifetime_data){0};
}

struct model_lifetime lifetime_train(const struct history *history, int64_t before_ms)
{
    struct model_lifetime lifetime = {0};
    struct lifetime_data data;
    struct lifetime_rates rates;
    struct lifetime_gamma gamma;
    size_t repeaters = 0;

    lifetime_read(history, before_ms, TRAIN_CUSTOMERS, &data);
    for (size_t i = 0; i < data.lives_n; i++) {
        repeaters += data.lives[i].repeats > 0;
    }
    if (repeaters >= TRAIN_REPEATERS_MIN) {
        (void)lifetime_fit(data.lives, data.lives_n, &rates);
        lifetime = (struct model_lifetime){.r = (float)rates.r, .alpha = (float)rates.alpha, .a = (float)rates.a,
                                           .b = (float)rates.b};
    }
    if (repeaters >= TRAIN_REPEATERS_MIN && data.spends_n >= TRAIN_REPEATERS_MIN) {
        (void)lifetime_spend_fit(data.spends, data.spends_n, &gamma);
        lifetime.p = (float)gamma.p;
        lifetime.q = (float)gamma.q;
        lifetime.v = (float)gamma.v;
    }
    lifetime_data_free(&data);
    return lifetime;
}
