/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_lifetime.h"

#include "model/model_inside.h"

#include <math.h>

#define WEEK_DAYS 7.0
#define NEAR 1e-6       /* a or c this near to a pole is moved away: E changes by less than 1e-8 of itself */
#define TERMS_MAX 100000 /* of the series: z of .9999 needs about as many */

const struct model_lifetime *model_lifetime(const struct model *model)
{
    return model->lifetime != NULL && model->lifetime->r > 0 ? model->lifetime : NULL;
}

bool model_lifetime_is_good(const struct model_lifetime *l)
{
    const float all[8] = {l->r, l->alpha, l->a, l->b, l->p, l->q, l->v, l->spare};
    bool is_zero = true;

    for (size_t i = 0; i < 8; i++) {
        if (!isfinite(all[i]) || all[i] < 0) {
            return false;
        }
        is_zero = is_zero && all[i] == 0;
    }
    return is_zero || (l->r > 0 && l->alpha > 0 && l->a > 0 && l->b > 0);
}

struct lifetime_rates model_lifetime_rates(const struct model_lifetime *l)
{
    return (struct lifetime_rates){(double)l->r, (double)l->alpha, (double)l->a, (double)l->b};
}

enum err model_open_lifetime(struct model *model, const struct bytes *found, struct why *why)
{
    if (found[MODEL_SECTION_LIFETIME].n == 0) {
        return ERR_OK;
    }
    model->lifetime = model_array(found, MODEL_SECTION_LIFETIME, 1, sizeof(*model->lifetime));
    if (model->lifetime == NULL || !model_lifetime_is_good(model->lifetime)) {
        return model_bad(why, "lifetime", "the model file's lifetimes are not numbers");
    }
    return ERR_OK;
}

bool model_lifetime_life(const struct part *life, int64_t now_ms, struct lifetime_life *out_life)
{
    int32_t now_day = time_day(now_ms), first = 0, last = 0;
    size_t days_n = 0;

    for (size_t b = 0; b < life->baskets_n; b++) { /* newest first */
        const struct part_basket *basket = &life->baskets[b];
        int32_t day = time_day(basket->at_ms);

        if (basket->is_retracted || basket->at_ms > now_ms) {
            continue;
        }
        last = days_n == 0 ? day : last;
        if (days_n == 0 || day != first) {
            days_n++;
            first = day;
        }
    }
    if (days_n == 0) {
        return false;
    }
    *out_life = (struct lifetime_life){(double)(days_n - 1), (double)(last - first) / WEEK_DAYS,
                                       (double)(now_day - first) / WEEK_DAYS};
    return true;
}

double model_lifetime_alive(const struct lifetime_rates *k, const struct lifetime_life *life)
{
    double x = life->repeats;

    if (x <= 0) {
        return 1; /* nobody leaves before a purchase in this model */
    }
    return 1 / (1 + exp(log(k->a / (k->b + x - 1)) +
                        (k->r + x) * log((k->alpha + life->age_weeks) / (k->alpha + life->last_weeks))));
}

/* 2F1(a, b; c; z), 0 <= z < 1, for |a|, |b| small beside the number of terms: the plain series converges like z^k. */
static double hypergeometric(double a, double b, double c, double z)
{
    double term = 1, sum = 1;

    for (int k = 0; k < TERMS_MAX; k++) {
        term *= (a + k) * (b + k) / ((c + k) * (k + 1)) * z;
        sum += term;
        if (fabs(term) < 1e-13 * fabs(sum) && k > fabs(a) + fabs(b)) {
            break;
        }
    }
    return sum;
}

double model_lifetime_expected(const struct lifetime_rates *k, const struct lifetime_life *life, double weeks)
{
    double x = life->repeats, z = weeks / (k->alpha + life->age_weeks + weeks);
    double a = fabs(k->a - 1) < NEAR ? 1 + NEAR : k->a, c = a + k->b + x - 1;
    double left;

    if (!(weeks > 0)) {
        return 0;
    }
    c = fabs(c) < NEAR ? NEAR : c;
    /* Euler's transformation of the paper's (1-z)^(r+x) 2F1(r+x, b+x; c; z): its arguments do not grow with x. */
    left = exp((a - 1) * log1p(-z)) * hypergeometric(a + k->b - 1 - k->r, a - 1, c, z);
    return c / (a - 1) * (1 - left) * model_lifetime_alive(k, life);
}

unsigned model_lifetime_median(const struct lifetime_rates *k, const struct lifetime_life *life, double weeks)
{
    double alive = model_lifetime_alive(k, life), r = k->r + life->repeats, b = k->b + life->repeats;
    double below = 1 - alive; /* P(at most n) so far */
    double z = weeks / (k->alpha + life->age_weeks + weeks), came = exp(r * log1p(-z)), came_sum = 0;
    double stays = 1; /* E[(1-p)^n] */
    unsigned n = 0;

    for (; n < 1000; n++) {
        double leaves = n == 0 ? 0 : stays * k->a / (k->a + b + n - 1); /* E[p (1-p)^(n-1)] */

        stays *= n == 0 ? 1 : (b + n - 1) / (k->a + b + n - 1);
        below += alive * (stays * came + leaves * (1 - came_sum));
        if (below >= 0.5) {
            break;
        }
        came_sum += came;
        came *= (r + n) / (n + 1) * z;
    }
    return n;
}
