/* SPDX-License-Identifier: Apache-2.0 */
#include "train/lifetime.h"

#include "base/test.h"
#include "model/model_build.h"

#include <stdlib.h>

static const struct lifetime_rates published = {.243, 4.414, .793, 2.426};

/* By hand: what each of three customers adds, from the formula in long form. */
TEST(lifetime_likelihood_is_the_formula_of_three)
{
    static const struct lifetime_life lives[] = {{0, 0, 38.86}, {2, 30.43, 38.86}, {5, 10, 27}};
    double sum = 0;

    for (size_t i = 0; i < 3; i++) {
        double x = lives[i].repeats, r = published.r, al = published.alpha, a = published.a, b = published.b;
        double a1 = tgamma(r + x) * pow(al, r) / tgamma(r);
        double a2 = tgamma(a + b) * tgamma(b + x) / (tgamma(b) * tgamma(a + b + x));
        double a3 = pow(al + lives[i].age_weeks, -(r + x));
        double a4 = x > 0 ? a / (b + x - 1) * pow(al + lives[i].last_weeks, -(r + x)) : 0;

        sum += log(a1 * a2 * (a3 + a4));
    }
    CHECK_WITHIN(lifetime_likelihood(&published, lives, 3), sum, 1e-10);
    CHECK_WITHIN(sum, -22.9, 5); /* and is of that size */
}

/* Fader, Hardie and Lee's own example: customer 1 of CDNOW, x 2, t_x 30.43, T 38.86, 39 weeks ahead: 1.226. */
TEST(lifetime_expects_what_the_paper_says)
{
    const struct lifetime_life one = {2, 30.43, 38.86};
    const struct lifetime_life none = {0, 0, 38.86};

    CHECK_WITHIN(model_lifetime_expected(&published, &one, 39), 1.226, 0.001);
    CHECK_WITHIN(model_lifetime_alive(&published, &one), 0.7266, 0.001);
    CHECK_NEAR(model_lifetime_alive(&published, &none), 1);
    CHECK_NEAR(model_lifetime_expected(&published, &one, 0), 0);
}

static double draw(struct rng *rng)
{
    return ((double)rng_below(rng, 1u << 30) + 0.5) / (double)(1u << 30);
}

static double draw_exponential(struct rng *rng, double rate)
{
    return -log(draw(rng)) / rate;
}

/* Gamma of a whole number of halves of chi squares would do; Marsaglia and Tsang do any shape > 1, Johnk's power the rest. */
static double draw_gamma(struct rng *rng, double shape)
{
    double d, c;

    if (shape < 1) {
        return draw_gamma(rng, shape + 1) * pow(draw(rng), 1 / shape);
    }
    d = shape - 1.0 / 3;
    c = 1 / sqrt(9 * d);
    for (;;) {
        double x = sqrt(-2 * log(draw(rng))) * cos(6.283185307179586 * draw(rng)), v = pow(1 + c * x, 3);

        if (v > 0 && log(draw(rng)) < 0.5 * x * x + d - d * v + d * log(v)) {
            return d * v;
        }
    }
}

/* One customer of the model's world, watched for `age`, then for `more`. */
static struct lifetime_life live(struct rng *rng, const struct lifetime_rates *k, double age, double more, double *out_more)
{
    struct lifetime_life life = {0, 0, age};
    double rate = draw_gamma(rng, k->r) / k->alpha, x = draw_gamma(rng, k->a), leaves = x / (x + draw_gamma(rng, k->b));

    *out_more = 0;
    for (double t = draw_exponential(rng, rate); t < age + more; t += draw_exponential(rng, rate)) {
        if (t < age) {
            life.repeats++;
            life.last_weeks = t;
        } else {
            *out_more += 1;
        }
        if (draw(rng) < leaves) {
            break;
        }
    }
    return life;
}

static struct bytes lifetime_file(const struct model_lifetime *lifetime, struct arena *arena)
{
    const struct model_build build = {.head = {.tenant = {1}}, .lifetime = lifetime};
    struct bytes file;

    arena_open(arena, 4096, 1 << 20);
    CHECK_OK(model_build(&build, arena, &file));
    return file;
}

TEST(lifetime_is_kept_in_the_file_and_looked_at)
{
    struct model_lifetime lifetime = {.r = 1, .alpha = 2, .a = 3, .b = 4, .p = 5, .q = 6, .v = 7};
    const struct model *model;
    struct arena arena;
    struct why why;
    struct bytes file = lifetime_file(&lifetime, &arena);

    CHECK_OK(model_file_open(file, &arena, &model, &why));
    CHECK_SAME_BYTES(model_lifetime(model), &lifetime, sizeof(lifetime));
    arena_close(&arena);
    lifetime.b = -1;
    file = lifetime_file(&lifetime, &arena);
    CHECK_INT(model_file_open(file, &arena, &model, &why), ERR_CORRUPT);
    arena_close(&arena);
}

TEST(lifetime_fit_finds_planted_numbers)
{
    enum { N = 6000 };
    const struct lifetime_rates planted = {.8, 6, .9, 2.5};
    struct lifetime_life *lives = calloc(N, sizeof(*lives));
    struct lifetime_rates fitted;
    struct rng rng = {11};
    double expected = 0, came = 0, median_miss = 0, mean_miss = 0, value;

    for (size_t i = 0; i < N; i++) {
        double more;

        lives[i] = live(&rng, &planted, 30 + (double)rng_below(&rng, 30), 26, &more);
        expected += model_lifetime_expected(&planted, &lives[i], 26);
        mean_miss += fabs(more - model_lifetime_expected(&planted, &lives[i], 26));
        median_miss += fabs(more - model_lifetime_median(&planted, &lives[i], 26));
        came += more;
    }
    value = lifetime_fit(lives, N, &fitted);
    CHECK(value >= lifetime_likelihood(&planted, lives, N));
    CHECK_WITHIN(fitted.r, planted.r, .08);
    CHECK_WITHIN(fitted.alpha, planted.alpha, .8);
    CHECK_WITHIN(fitted.a / (fitted.a + fitted.b), planted.a / (planted.a + planted.b), .03);
    CHECK_WITHIN(expected / came, 1, .05);
    CHECK(median_miss < mean_miss); /* that is what the median is for */
    free(lives);
}

TEST(lifetime_spend_fit_finds_planted_numbers)
{
    enum { N = 5000 };
    const struct lifetime_gamma planted = {6, 4, 1500};
    struct lifetime_spend *spends = calloc(N, sizeof(*spends));
    struct lifetime_gamma fitted;
    struct rng rng = {5};
    double mean = 0, expected = 0;

    for (size_t i = 0; i < N; i++) {
        double scale = draw_gamma(&rng, planted.q) / planted.v, x = 1 + (double)rng_below(&rng, 6);

        spends[i] = (struct lifetime_spend){x, draw_gamma(&rng, planted.p * x) / scale / x};
        mean += spends[i].mean_minor / N;
    }
    CHECK(lifetime_spend_fit(spends, N, &fitted) >= lifetime_spend_likelihood(&planted, spends, N) - 1e-6);
    CHECK_WITHIN(fitted.q, planted.q, .5);
    for (size_t i = 0; i < N; i++) {
        expected += lifetime_spend_expected(&fitted, &spends[i]) / N;
    }
    CHECK_WITHIN(expected / mean, 1, .03);
    free(spends);
}

/* Hostile numbers: never NaN, alive within (0, 1], more time never less purchases. */
PROPERTY(lifetime_is_finite_and_grows)
{
    struct lifetime_rates k = {exp(4 * draw(rng) - 2), exp(4 * draw(rng) - 1), exp(4 * draw(rng) - 2), exp(4 * draw(rng) - 2)};
    struct lifetime_life life = {(double)rng_below(rng, 300), 0, 1 + 500 * draw(rng)};
    double alive, half, whole;

    life.last_weeks = life.repeats > 0 ? life.age_weeks * draw(rng) : 0;
    alive = model_lifetime_alive(&k, &life);
    half = model_lifetime_expected(&k, &life, 26);
    whole = model_lifetime_expected(&k, &life, 52);
    CHECK(alive >= 0 && alive <= 1);
    CHECK(isfinite(half) && isfinite(whole) && half >= -1e-9 && whole >= half - 1e-9);
    CHECK(whole <= alive * 52 * (k.r + life.repeats) / (k.alpha + life.age_weeks) * (1 + 1e-6)); /* nobody leaves: the most */
}
